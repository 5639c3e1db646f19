"""`catalog train engagement posts.csv`, for real on a loopback shop."""

import json

import pytest

from catalog.models.artefact import load_card

MEDIAN = ("--high", "above account median")


def test_training_keeps_a_classifier_with_its_evidence(posts_bench):
    """The first one serves, its report has the ladder and what from scratch means; no post is read.

    A second one waits to be chosen.
    """
    first = json.loads(posts_bench.train(*MEDIAN, "--json").stdout)
    assert first["current"]
    card = load_card(posts_bench.store.models / first["model"])
    assert card.task == "engagement"
    assert card.settings["rule"] == "above account median"
    page = (posts_bench.store.root / first["report"]).read_text(encoding="utf-8")
    for words in ("inside accounts", "Followers only", "from scratch", "above account median"):
        assert words in page
    asked = len(posts_bench.shop.asked)
    second = json.loads(posts_bench.train(*MEDIAN, "--seed", "2", "--json").stdout)
    assert not second["current"]
    assert len(posts_bench.shop.asked) == asked
    listed = posts_bench.run("models").stdout
    assert f"* {first['model']}" in listed
    assert "high is above account median, split by account" in listed
    posts_bench.run("models", "use", second["model"])
    assert f"* {second['model']}" in posts_bench.run("models").stdout
    assert posts_bench.ask("select count(*) from posts") == [(0,)]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"likes": "-1"}, "0 labelled posts are too few: at least 50 are needed"),
        ({"likes": "5"}, "all 72 labelled posts are low"),
    ],
)
def test_too_little_is_refused_before_anything_is_fetched(posts_bench, change, told):
    """Few labelled posts, or one class: one clear line, and no server is asked."""
    for row in posts_bench.rows:
        row.update(change)
    result = posts_bench.train("--high", "likes > 3000")
    assert result.exit_code == 2
    assert told in result.output
    assert "no classifier can be trained" in result.output
    assert posts_bench.shop.asked == []


def test_one_account_trains_by_a_named_fallback(posts_bench):
    """The posts are split at random instead, and the card and the report say so."""
    for row in posts_bench.rows:
        row["account"] = "only"
    told = json.loads(posts_bench.train("--high", "likes > 1500", "--json").stdout)
    card = load_card(posts_bench.store.models / told["model"])
    assert (card.split["asked"], card.split["kind"]) == ("account", "random")
    assert card.split["accounts"] == 1
    assert any("accounts known: 1, too few" in note for note in card.notes)
    page = (posts_bench.store.root / told["report"]).read_text(encoding="utf-8")
    assert "Only one account is known" in page


def test_weights_that_cannot_be_had_are_told_first(posts_bench):
    """A missing weights file ends at once, before anything is fetched."""
    flags = ("--backbone", "mobilenetv2", "--weights", posts_bench.folder / "none.h5")
    result = posts_bench.train(*flags)
    assert result.exit_code == 2
    assert "none.h5" in result.output
    assert posts_bench.shop.asked == []
