"""What a run of `catalog engage` says in the end, to people and to scripts."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engagement.findings import Auc
from jobs.post_summary import PostSummary, as_figures, told
from reports.language import language
from reports.wording import finding_in_words, split_in_words
from tests.engagement_world import METADATA, REVIEW

COUNTS = {
    "run": "r1",
    "rows": 1_300,
    "accepted": 1_290,
    "rejected": 10,
    "refused": {"id_empty": 10},
    "pictures": 1_280,
    "fetched": 1_200,
    "cached": 70,
    "failed": 10,
    "reasons": {"not_found": 7, "timeout": 3},
    "unchanged": 5,
    "gone": 0,
    "seconds": 12.345,
    "report": Path("reports/r1.html"),
    "database": Path("store/catalog.duckdb"),
    "posts": 1_290,
    "scored": 1_270,
    "unscored": 20,
    "labelled": 1_100,
    "unknown": 190,
}


def summary(review=REVIEW, **other):
    """The summary of a run with this review."""
    found = {"figures": as_figures(review), "told": told(review)} if review else {}
    return PostSummary(**(COUNTS | found | other))


def test_the_finding_is_the_first_line():
    """Then what high is, how it was measured, and what a reader must not miss."""
    lines = str(summary()).splitlines()
    assert lines[0].startswith("The picture is better than chance inside accounts: AUC 0.61 (95 %")
    assert lines[1].startswith("High is: likes > 10000. Five folds by account: every post")
    assert lines[2].startswith("Only 3 accounts are known, and")


def test_the_ladder_stands_above_the_classifier():
    """Each rung with its area and the one inside accounts; one without an interval has none."""
    text = told(REVIEW)
    places = [text.index(each) for each in ("ROC-AUC", "majority", "picture only", "classifier,")]
    assert places == sorted(places)
    rows = {line[:18].strip(): line[18:].split("  ") for line in text.splitlines()}
    assert [each for each in rows["followers only"] if each] == [
        "0.853 (0.812 to 0.894)",
        "0.500 (0.500 to 0.500)",
    ]
    assert [each.strip() for each in rows["majority"] if each.strip()] == ["0.500", "0.500"]


def test_the_classifier_is_told_with_how_many_posts_it_was_measured_on():
    """Precision, recall and F1 are those of high."""
    line = told(REVIEW).splitlines()[-1]
    assert line.startswith("The classifier, 2,011 posts that it had not seen (905 high):")
    for figure in ("precision 0.582", "recall 0.614", "F1 0.598", "ROC-AUC 0.623", "PR-AUC 0.571"):
        assert figure in line


def test_what_is_undefined_is_called_none():
    """Not nan, and not a crash."""
    nothing = Auc(None, None, None, 0, 0)
    evaluation = replace(REVIEW.evaluation, precision=None, roc_auc=nothing, pr_auc=None)
    rung = replace(REVIEW.ladder[0], auc=nothing, inside=nothing)
    text = told(replace(REVIEW, evaluation=evaluation, ladder=(rung,)))
    assert "precision none," in text
    assert "ROC-AUC none, PR-AUC none" in text
    assert [line.split() for line in text.splitlines() if line.startswith("majority")] == [
        ["majority", "none", "none"]
    ]


def test_metadata_alone_tell_of_no_classifier():
    """Nothing was asked of one."""
    assert "classifier" not in told(METADATA)
    assert as_figures(METADATA)["evaluation"] is None


def test_without_a_ladder_there_is_no_table():
    """Its head would stand over nothing; the notes say why."""
    assert "ROC-AUC" not in told(replace(METADATA, ladder=()))


def test_posts_are_accounted_for():
    """Every post is scored or not, and labelled or unknown."""
    text = str(summary())
    assert "posts     1,290 = 1,270 scored + 20 unscored; 1,100 labelled, 190 unknown" in text
    assert "rejected  id_empty 10: the view `rejects` tells which" in text
    assert "pictures  1,280 = 1,200 fetched + 70 cached + 10 failed" in text
    assert (
        "failed    not_found 7, timeout 3: `catalog retry` asks for those that may pass now" in text
    )
    assert "(5 unchanged)" in text


def test_nothing_to_do_is_one_line():
    """Nobody looked at anything, so nothing was found; what is missing is told all the same."""
    idle = summary(None, run=None, report=None)
    said = "nothing to do: 1,290 posts are as they were"
    missing = "10 pictures of theirs failed: `catalog retry` asks for those that may pass now"
    assert str(idle) == f"{said}, {missing}"
    assert str(replace(idle, failed=0)) == said
    assert json.loads(idle.as_json())["figures"] == {}


def test_a_script_gets_the_same_figures():
    """Numbers as numbers, reasons with their counts; the words for people are left out."""
    said = json.loads(summary().as_json())
    assert "told" not in said
    figures = said["figures"]
    assert figures["rule"] == "likes > 10000"
    assert figures["split"] == split_in_words(language("en"), REVIEW.split)
    assert figures["finding"] == finding_in_words(language("en"), REVIEW.finding)
    assert [note[:26] for note in figures["notes"]] == ["Only 3 accounts are known,"]
    assert figures["unknown"] == {"hidden": 171, "too_young": 42, "account_hides": 9}
    assert [rung["name"] for rung in figures["ladder"]] == [rung.name for rung in REVIEW.ladder]
    assert figures["ladder"][1]["auc"]["low"] == 0.812
    assert figures["ladder"][0]["auc"]["low"] is None
    assert figures["evaluation"]["confusion"] == [[655, 451], [349, 556]]
    assert figures["evaluation"]["roc_auc"]["value"] == 0.6234
    assert (said["scored"], said["unknown"], said["database"]) == (
        1_270,
        190,
        "store/catalog.duckdb",
    )


def test_only_counts_are_counts():
    """What the store keeps of a run are whole numbers, by name."""
    counts = summary().counts
    assert {"posts", "scored", "unscored", "labelled", "unknown", "rows"} <= set(counts)
    assert not {"figures", "told", "seconds", "run", "report"} & set(counts)


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({}, 0),
        ({"rejected": 131}, 3),
        ({"failed": 129}, 3),
        ({"rejected": 130, "failed": 128}, 0),
        ({"unknown": 1_290, "labelled": 0}, 0),
        ({"failed": 129, "run": None}, 0),
    ],
)
def test_the_exit_code_is_about_rows_and_pictures(other, code):
    """A tenth may fail; unknown labels are no failure, and a run that did nothing has none."""
    assert summary(**other).exit_code(0.1) == code
