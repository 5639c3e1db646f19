"""`catalog report`: a run's page again from what the warehouse keeps, and the index of all runs."""

import json
import os
import re
import shutil
import subprocess
import sys

import duckdb
import pytest

from jobs.settings import LANGUAGES as FLAG
from reports import language
from tests.workbench import TOML


@pytest.fixture
def tagged(bench):
    """A store with one run of `tag`; the bench and the run's id."""
    return bench, bench.tag()["run"]


def page(bench, run):
    """The page of a run, as it lies in the store."""
    return bench.store.report(run).read_text(encoding="utf-8")


def test_redrawn_page_is_the_same_page(tagged):
    """A page that was lost comes back letter by letter."""
    bench, run = tagged
    before = page(bench, run)
    shutil.rmtree(bench.store.report(run).parent)
    result = bench.run("report", run, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"run": run, "report": str(bench.store.report(run))}
    assert page(bench, run) == before


def test_page_of_posts_is_the_same_page(scored_bench):
    """So does that of a run over posts."""
    run = scored_bench.engage()["run"]
    before = page(scored_bench, run)
    scored_bench.store.report(run).unlink()
    result = scored_bench.run("report", run)
    assert result.exit_code == 0, result.output
    assert page(scored_bench, run) == before


def test_past_run_keeps_its_figures(tagged):
    """An older run is drawn as it was, though the store has gone on."""
    bench, first = tagged
    before = page(bench, first)
    bench.rows.pop()
    bench.tag()
    bench.run("compact")
    bench.store.report(first).unlink()
    assert bench.run("report", first).exit_code == 0
    assert page(bench, first) == before


def test_refused_rows_are_those_of_the_run(bench):
    """A night's report counts the rows that it refused, not those of the night before too."""
    bench.rows.append(bench.rows[0] | {"title": "Another"})
    bench.tag()
    bench.rows.pop(1)
    bench.tag()
    [(left,)] = bench.ask(
        "select value from history.results where part = 'left' order by run desc limit 1"
    )
    assert [reason["refused"] for reason in json.loads(left)["reject_reasons"]] == [1]


def test_redrawing_asks_no_model(tagged):
    """Neither Keras nor LiteRT is loaded, and a page comes without the model's folder too."""
    bench, run = tagged
    shutil.rmtree(bench.store.models)
    code = (
        "import sys\nfrom jobs.cli import cli\n"
        f"cli(['--store', {str(bench.store.root)!r}, 'report', {run!r}], standalone_mode=False)\n"
        "sys.exit(str({'keras', 'tensorflow', 'ai_edge_litert'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.stderr.strip() == "set()"
    assert "tiny/1" in page(bench, run)


def test_page_is_drawn_in_spanish(tagged):
    """--lang says the language of a redrawn page, and of the index beside it."""
    bench, run = tagged
    place = bench.folder / "informe.html"
    assert bench.run("report", run, "--lang", "es", "--output", place).exit_code == 0
    assert '<html lang="es"' in place.read_text(encoding="utf-8")
    assert '<html lang="en"' in page(bench, run)


def test_settings_say_the_language(bench):
    """`lang` of catalog.toml goes for the pages of runs and for the index."""
    config = bench.folder / "es.toml"
    config.write_text(f'lang = "es"\n{TOML}', encoding="utf-8")
    csv, allowed = bench.write(), ["--allow-host", bench.shop.host]
    result = bench.run("--config", config, "tag", csv, "--json", *allowed)
    run = json.loads(result.stdout)["run"]
    assert '<html lang="es"' in page(bench, run)
    assert '<html lang="es"' in bench.store.index.read_text(encoding="utf-8")


def test_another_language_is_refused(bench):
    """One that no report is written in is one line, before anything is done."""
    config = bench.folder / "de.toml"
    config.write_text('lang = "de"\n', encoding="utf-8")
    result = bench.run("--config", config, "runs")
    assert result.exit_code == 2
    assert "lang is en or es, not 'de'" in result.output


def links(bench):
    """Where the index leads, each place once and in its order."""
    index = bench.store.index.read_text(encoding="utf-8")
    return list(dict.fromkeys(re.findall(r'href="([^":]+/index.html)"', index)))


def test_index_lists_every_run(tagged):
    """Each run is a line of reports/index.html, newest first, and its link leads to its page."""
    bench, first = tagged
    bench.rows.pop()
    second = bench.tag()["run"]
    assert links(bench) == [f"{second}/index.html", f"{first}/index.html"]
    assert all((bench.store.index.parent / link).is_file() for link in links(bench))


def test_pruned_report_has_no_link(tagged):
    """The index forgets a page that prune removed."""
    bench, first = tagged
    bench.rows.pop()
    second = bench.tag()["run"]
    assert bench.run("prune", "--keep", 1).exit_code == 0
    assert links(bench) == [f"{second}/index.html"]
    assert not bench.store.report(first).exists()


def test_pruned_report_comes_back_to_the_index(tagged):
    """A page that was drawn again is found where it was: by its link, and in the view `runs`."""
    bench, first = tagged
    bench.rows.pop()
    second = bench.tag()["run"]
    bench.run("prune", "--keep", 1)
    assert bench.run("report", first).exit_code == 0
    assert links(bench) == [f"{second}/index.html", f"{first}/index.html"]
    assert bench.ask("select count(*) from runs where report is not null") == [(2,)]


def test_retired_model_is_as_good_as_gone(tagged):
    """What prune leaves of a model for a week, its folder without the card, is not read."""
    bench, run = tagged
    [card] = bench.store.models.rglob("card.json")
    card.rename(card.with_name("retired-1.json"))
    assert bench.run("report", run).exit_code == 0
    assert "tiny/1" in page(bench, run)


def test_older_database_is_one_line(tagged):
    """One that an older version published knows no figures, and says so."""
    bench, run = tagged
    with duckdb.connect(str(bench.store.database)) as con:
        con.execute("drop view history.results")
    result = bench.run("report", run)
    assert result.exit_code == 1
    assert "keeps no figures of the run" in result.output


def test_place_that_cannot_be_written_is_one_line(tagged):
    """A folder is no place for a page: the line names it, and nothing else is written."""
    bench, run = tagged
    result = bench.run("report", run, "--output", bench.folder)
    assert result.exit_code == 2
    assert f"{bench.folder} can't be written" in result.output


def test_what_left_the_csv_is_told(tagged):
    """The night's summary counts it, and its page says so first, as a tenth is too many."""
    bench, _ = tagged
    del bench.rows[:4]
    summary = bench.tag()
    assert (summary["gone"], summary["products"]) == (4, 8)
    assert "4 rows of the last run have left the CSV, which has 8 now" in page(
        bench, summary["run"]
    )


def test_night_without_pictures_is_told(tagged):
    """When most pictures fail the page says first what to look at."""
    bench, _ = tagged
    bench.shop.pages.clear()
    summary = bench.tag("--refetch")
    assert summary["exit_code"] == 3
    assert "12 of 12 pictures failed: see that their host answers" in page(bench, summary["run"])


def test_unknown_run_is_one_line(tagged):
    """A run that there is not is refused, with what to do next."""
    bench, _ = tagged
    result = bench.run("report", "20200101T000000Z-dead")
    assert result.exit_code == 2
    assert "`catalog runs` lists them" in result.output


def test_run_without_figures_is_one_line(bench):
    """A run that drew nothing (it compacted, or an older version ran it) is told so."""
    bench.tag()
    compacted = json.loads(bench.run("compact", "--json").stdout)["run"]
    result = bench.run("report", compacted)
    assert result.exit_code == 1
    assert "keeps no figures of the run" in result.output


def test_figures_of_another_version_are_one_line(tagged, monkeypatch):
    """A report whose parts are not those of this version is refused, and the page stays."""
    bench, run = tagged
    before = page(bench, run)
    monkeypatch.setattr("jobs.report._kept", lambda *_: ("tag", {"run": "{}"}))
    result = bench.run("report", run)
    assert (result.exit_code, page(bench, run)) == (1, before)
    assert "another version kept it" in result.output


def test_flag_knows_the_languages_of_reports():
    """What --lang takes is what there is."""
    assert FLAG == language.LANGUAGES
