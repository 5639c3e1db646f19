"""`catalog runs` and `catalog models`: what was done and learned, one whole, two side by side."""

import json
import shutil

import pytest

from sql.store import Store
from tests.workbench import Bench


@pytest.fixture
def two_runs(bench: Bench) -> tuple[Bench, str, str]:
    """A store with two runs of `tag`, the second of a product more; and their ids."""
    last = bench.rows.pop()
    first = bench.tag()["run"]
    bench.rows.append(last)
    return bench, first, bench.tag()["run"]


def test_runs_are_listed(two_runs):
    """A line each, oldest first: id, job, source, when, seconds, counts."""
    bench, first, second = two_runs
    lines = bench.run("runs").stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [
        [first, "tag", "products"],
        [second, "tag", "products"],
    ]
    assert "11 products, 11 tagged" in lines[0]
    told = json.loads(bench.run("runs", "--json").stdout)
    assert [run["counts"]["products"] for run in told] == [11, 12]


def test_a_run_is_shown_whole(two_runs):
    """What it was asked, counted and wrote."""
    bench, _, second = two_runs
    assert "counts.fetched" in bench.run("runs", "show", second).stdout
    told = json.loads(bench.run("runs", "show", second, "--json").stdout)
    assert (told["counts"]["fetched"], told["rows_written"]["fetches"]) == (1, 1)
    assert (bench.store.root / told["report"]).is_file()


def test_two_runs_are_compared(two_runs):
    """Counts side by side, with the change."""
    bench, first, second = two_runs
    lines = bench.run("runs", "compare", first, second).stdout.splitlines()
    assert lines[0].split() == [first, second, "change"]
    assert ["products", "11", "12", "+1"] in [line.split() for line in lines]
    told = json.loads(bench.run("runs", "compare", first, second, "--json").stdout)
    assert (told[first]["products"], told[second]["products"]) == (11, 12)


def test_runs_of_engage_are_compared_by_their_figures(scored_bench):
    """The metrics that each measured, as the database has them."""
    first = scored_bench.engage()["run"]
    scored_bench.rows.pop()
    second = scored_bench.engage()["run"]
    told = json.loads(scored_bench.run("runs", "compare", first, second, "--json").stdout)
    assert (told[first]["posts"], told[second]["posts"]) == (72, 71)
    shown = json.loads(scored_bench.run("runs", "show", first, "--json").stdout)["metrics"]
    query = f"select value from history.engagement_evaluation where run = '{first}'"  # noqa: S608
    assert shown["roc_auc"] == told[first]["roc_auc"]
    assert (shown["roc_auc"],) in scored_bench.ask(f"{query} and metric = 'roc_auc'")


@pytest.mark.parametrize(
    "words",
    [
        ["runs", "show", "x"],
        ["runs", "compare", "x", "y"],
        ["models", "show", "tiny/9"],
        ["models", "compare", "tiny/1", "tiny/9"],
        ["models", "show", "tiny"],
    ],
)
def test_what_is_not_there_is_told(bench, words):
    """One clear line, exit code 2."""
    result = bench.run(*words)
    assert result.exit_code == 2
    assert words[-1] in result.output or words[-2] in result.output
    assert "Traceback" not in result.output


def test_no_runs_yet(tmp_path, bench):
    """An empty store has no runs, and says so."""
    assert bench.run("runs").stdout == "no runs yet\n"
    assert Store(tmp_path / "store").runs.exists() is False


def test_models_are_shown_and_compared_by_their_cards(bench):
    """A head's test accuracy comes with n and interval, for one and side by side."""
    other = bench.store.model("tiny", "2")
    shutil.copytree(bench.store.model("tiny", "1"), other)
    card = json.loads((other / "card.json").read_text())
    card["version"] = "2"
    card["metrics"]["heads"]["shape"] |= {"accuracy": 0.625, "n": 8, "interval": [0.306, 0.863]}
    (other / "card.json").write_text(json.dumps(card))
    shown = bench.run("models", "show", "tiny/2").stdout
    assert "0.625 (0.306 to 0.863), n 8" in shown
    lines = bench.run("models", "compare", "tiny/1", "tiny/2").stdout.splitlines()
    [accuracy] = [line for line in lines if line.startswith("shape accuracy")]
    assert accuracy.endswith("0.625 (0.306 to 0.863), n 8")
    told = json.loads(bench.run("models", "compare", "tiny/1", "tiny/2", "--json").stdout)
    figures = {figure["name"]: figure for figure in told["tiny/2"]}
    assert figures["shape accuracy"]["n"] == 8
    assert json.loads(bench.run("models", "show", "tiny/1", "--json").stdout)["figures"]


def test_a_classifier_is_told_by_what_it_never_saw(scored_bench):
    """Its figures are those out of fold, not the training's."""
    told = json.loads(scored_bench.run("models", "show", "engagement/1", "--json").stdout)
    names = [figure["name"] for figure in told["figures"]]
    assert names[:2] == ["roc_auc", "inside"]
    honest = told["metrics"]["out_of_fold"]
    assert told["figures"][0]["value"] == honest["roc_auc"]["value"]


def test_models_are_listed_as_json(bench):
    """With which one serves."""
    [told] = json.loads(bench.run("models", "--json").stdout)
    assert (told["model"], told["current"], told["task"]) == ("tiny/1", True, "tagger")
