"""The index of reports: every run in a line, the newest first, however many there are."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from reports.headline import Figure, Headline
from reports.index import MOST, OPEN, RunLine, run_lines, runs_index
from reports.language import language
from reports.stored import as_rows
from sql.manifests import read_all
from sql.publish import publish
from sql.store import Store
from tests.report_world import HOSTILE
from tests.warehouse import add_rows, add_run

START = datetime(2025, 1, 1, 2, 30, tzinfo=UTC)
COUNTS = {"products": 1234, "tagged": 1230, "rejected": 1, "failed": 12}
FIGURES = (
    Figure("whole_row", 0.5123, 0.4812, 0.5432, 950),
    Figure("roc_auc", 0.6234, 0.5744, 0.6657, 2011),
    Figure("accuracy:sleeve_length", 0.75, None, None, 4),
)


@dataclass(frozen=True)
class Report:
    """As much of a report as the index reads."""

    headline: Headline


def night(number: int, **changed: object) -> RunLine:
    """The run of one night; ids sort by time."""
    started = START + timedelta(days=number)
    name = f"{started:%Y%m%dT%H%M%SZ}-0000"
    line = RunLine(
        name, "tag", started, 12.5, "shop", "tagger/1", COUNTS, FIGURES, f"{name}/index.html"
    )
    return replace(line, **changed)


def told(page: str) -> str:
    """The page's text."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_index_tells_what_a_run_was_and_leads_to_its_page():
    """Time, job, source, model, counts, figures with intervals, duration and link are there."""
    page = runs_index([night(0)], language("en"))
    assert 'href="20250101T023000Z-0000/index.html"' in page
    for said in (
        "1 Jan 2025, 02:30 UTC",
        "Products tagged shop",
        "tagger/1",
        "1,230 of 1,234 products tagged",
        "1 row refused",
        "12 pictures missing",
        "all attributes right 51.2% (48.1% to 54.3%)",
        "ROC-AUC 0.623 (0.574 to 0.666)",
        "accuracy of sleeve length 75.0%",
        "12.5 s",
    ):
        assert said in told(page), said


def test_jobs_say_what_they_counted():
    """Posts, trainings, fetches and compactions are counted in their own words."""
    runs = [
        night(1, job="engage", counts={"posts": 1, "scored": 1, "labelled": 1}),
        night(2, job="train", counts={"parameters": 1_000_000}),
        night(3, job="fetch", counts={"new": 20, "changed": 3}),
        night(4, job="compact", counts={"rows": 70_000, "parts": 7}),
        night(5, job="of_tomorrow", counts={}),
    ]
    page = told(runs_index(runs, language("en")))
    for said in (
        "Posts measured",
        "1 of 1 post has a label",
        "1,000,000 parameters",
        "23 pictures asked for",
        "70,000 rows kept",
        "of_tomorrow",
    ):
        assert said in page, said


def test_pruned_report_has_no_link():
    """A run whose page was removed is still listed."""
    page = runs_index([night(0, report=None)], language("en"))
    assert "1 Jan 2025" in page
    assert "<a " not in page


def test_newest_come_first_and_older_ones_by_month():
    """Sixty stand open; the others are folded away under their month, in the page's language."""
    page = runs_index([night(number) for number in range(365)], language("es"))
    dates = re.findall(r'<th scope="row"><a href="(\d{8})T', page)
    assert dates == sorted(dates, reverse=True)
    assert len(dates) == 365
    open_part = page.split("<details")[0]
    assert open_part.count("<tr>") == OPEN + 1
    assert "enero de 2025" in page
    assert page.count("<details") == 11


def test_the_latest_report_of_each_job_and_source_comes_first():
    """What is read the most is above all runs: one card a job and source, pruned ones left out."""
    runs = [night(0, source="bags"), night(1), night(2), night(3, job="engage", report=None)]
    cards = told(runs_index(runs, language("en")).split("The newest runs")[0])
    assert "3 Jan 2025" in cards
    assert "bags · 1 Jan 2025" in cards
    assert "2 Jan 2025" not in cards
    assert "Posts measured" not in cards


def test_ten_years_of_runs_stay_small():
    """More nights than anyone reads through are cut at a number that the page names."""
    runs = [night(number, model="tagger/20250101T023000Z-abcd") for number in range(MOST + 10)]
    page = runs_index(runs, language("en"))
    assert len(page.encode()) < 5_000_000
    assert page.count('<th scope="row"><a ') == MOST
    assert f"The newest {MOST:,} are listed" in told(page)


def test_empty_store_has_an_index():
    """Before the first run the page says so."""
    assert "No run has finished yet." in told(runs_index([], language("en")))


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_words_are_escaped(word):
    """Sources and models are text, whatever they are called."""
    page = runs_index([night(0, source=word, model=word, job=word)], language("en"))
    assert "<script" not in page
    assert "<img" not in page
    assert "<svg onload" not in page


def test_lines_come_from_the_database(tmp_path):
    """Manifests and kept headlines give the lines; a run without a headline has no figures."""
    store = Store(tmp_path)
    rows = as_rows("tag", "shop", Report(Headline(FIGURES)))
    add_run(store, "1", counts=COUNTS | {"note": "kept by another version"})
    page = store.report("2")
    page.parent.mkdir(parents=True)
    page.write_text("a page")
    results = add_rows(store, "2", "results", rows)
    add_run(store, "2", results, counts=COUNTS, report=store.relative(page), seconds=7.5)
    publish(store, read_all(store))
    with duckdb.connect(str(store.database), read_only=True) as connection:
        old, new = sorted(run_lines(connection), key=lambda line: line.id)
    assert (old.figures, old.report, old.counts) == ((), None, COUNTS)
    assert (new.figures, new.report, new.seconds) == (FIGURES, "2/index.html", 7.5)
    assert new.started == datetime(2026, 1, 3, tzinfo=UTC)
