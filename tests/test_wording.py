"""The sentences about posts: in the languages there are, with figures where figures belong."""

from datetime import UTC, datetime
from typing import get_args

import pytest

from engagement import ladder
from engagement.findings import Auc, Finding, FindingKind, Note, NoteCode, Split, SplitFacts
from engagement.labels import Unknown
from reports.language import LANGUAGES, language
from reports.wording import (
    cause_in_words,
    finding_in_words,
    head_in_words,
    note_in_words,
    rule_in_words,
    rung_in_words,
    split_in_words,
    unknown_reason,
)

ENGLISH = language("en")
AREA = Auc(0.654, 0.601, 0.702, 1_234, 40)
WITHOUT_AREA = {"metadata", "no_pictures", "none_new"}
COUNTED = ("few_accounts", "times_unread", "left_out", "few_measured", "aside", "unpictured")
TOP = "posts with the most likes, by a bar that training posts set"
CUT = datetime(2026, 3, 22, tzinfo=UTC)


@pytest.fixture(params=LANGUAGES)
def spoken(request):
    """Each language in turn."""
    return language(request.param)


def finding(kind):
    """A finding of this kind, with an area where it has one."""
    return Finding(kind, None if kind in WITHOUT_AREA else AREA)


def note(code):
    """A note of this code, with whatever it needs."""
    counted = code in {*COUNTED, "undecodable"}
    return Note(code, n=7 if counted else None, value=0.931, text="low")


@pytest.mark.parametrize("kind", get_args(FindingKind))
def test_every_finding_is_a_sentence(spoken, kind):
    """Nothing is left to fill in, and figures are those of the area."""
    said = finding_in_words(spoken, finding(kind))
    assert said.endswith(".")
    assert "%(" not in said
    assert (spoken.decimal(0.65, 2) in said) == (kind not in WITHOUT_AREA | {"no_pairs"})


@pytest.mark.parametrize("code", get_args(NoteCode))
def test_every_note_is_a_sentence(spoken, code):
    """Each says how many, where it is about so many."""
    said = note_in_words(spoken, note(code))
    assert "%(" not in said
    assert ("7" in said) == (note(code).n is not None)


def test_what_the_picture_is_worth_is_said_with_its_figures():
    """A yes says what it comes to; a no does not."""
    assert finding_in_words(ENGLISH, finding("better")) == (
        "The picture is better than chance inside accounts: AUC 0.65 (95 % interval 0.60 to 0.70;"
        " 1,234 posts), so of a high and a low post of one account it prefers the high one in 65%"
        " of cases."
    )
    assert finding_in_words(ENGLISH, finding("chance")) == (
        "The picture is no better than chance inside accounts: AUC 0.65 (95 % interval 0.60 to"
        " 0.70; 1,234 posts)."
    )


@pytest.mark.parametrize("kind", sorted(set(get_args(FindingKind)) - {"better", "chance"}))
def test_what_cannot_be_said_is_not_said(kind):
    """No picture, no pair, no interval: neither a yes nor a no."""
    assert "better" not in finding_in_words(ENGLISH, finding(kind))


@pytest.mark.parametrize(
    ("number", "begins"),
    [(0, "No account is known,"), (1, "Only one account is"), (4, "Only 4 accounts are known,")],
)
def test_few_accounts_are_told_as_one_would(number, begins):
    """None, one and some are different words."""
    assert note_in_words(ENGLISH, Note("few_accounts", n=number)).startswith(begins)


def test_what_an_older_card_says_stays():
    """Its sentence is English, and nobody can say it otherwise."""
    said = Note("said", text="fine-tuning kept 100% of it")
    assert note_in_words(language("es"), said) == "fine-tuning kept 100% of it"


@pytest.mark.parametrize("said", ["high", "low"])
def test_the_only_answer_is_named(said):
    """Always high and always low are two notes."""
    assert f"says {said} of every post" in note_in_words(ENGLISH, Note("always", text=said))


@pytest.mark.parametrize(
    ("split", "words"),
    [
        (SplitFacts(Split.ACCOUNT, Split.ACCOUNT, 5, None), "never saw a post of its account"),
        (SplitFacts(Split.ACCOUNT, Split.ACCOUNT, 1, None), "One fold of five by account"),
        (SplitFacts(Split.RANDOM, Split.ACCOUNT, 5, None), "Five folds at random, which is worth"),
        (SplitFacts(Split.RANDOM, Split.RANDOM, 1, None), "One fold of five at random"),
        (SplitFacts(Split.TIME, Split.TIME, 1, CUT), "before 22 Mar 2026, 00:00 UTC"),
    ],
)
def test_every_split_says_what_it_is_worth(split, words):
    """What was kept apart, and whether all of it was tested."""
    assert words in split_in_words(ENGLISH, split)
    assert "%(" not in split_in_words(language("es"), split)


def test_every_code_has_words(spoken):
    """Each reason and each rung that there can be is told in words; another keeps its name."""
    for reason in Unknown:
        assert all(unknown_reason(spoken, reason))
    names = ("MAJORITY", "FOLLOWERS", "ACCOUNT_MEAN", "TIME", "PICTURE", "TOGETHER")
    for name in names:
        assert all(rung_in_words(spoken, getattr(ladder, name)))
    for cause in ("rule", "age", "bar", "likes", "model", "picture", "head"):
        assert cause_in_words(spoken, cause) != cause
    assert unknown_reason(spoken, "some_day") == ("some day", "")
    assert rung_in_words(spoken, "stars") == ("stars", "")
    assert cause_in_words(spoken, "moon") == "moon"


def test_heads_are_named():
    """That of a fold by its number."""
    assert [head_in_words(ENGLISH, name) for name in ("engagement", "fold_3")] == [
        "engagement",
        "fold 3",
    ]


@pytest.mark.parametrize(
    ("rule", "bars", "words"),
    [
        ("likes > 10_000", None, "High is a post with more than 10,000 likes."),
        ("rate > 0.03", (0.03, 0.03), "High is a post with more than 0.03 likes per follower."),
        ("top 30%", None, f"High are the 30% of {TOP}."),
        ("top 12.5%", (5120.0, 5120.0), f"High are the 12.5% of {TOP}: more than 5,120 likes."),
        (
            "top 30%",
            (5120.0, 5230.0),
            f"High are the 30% of {TOP}: more than 5,120 to 5,230 likes, as each fold has its own.",
        ),
        (
            "above account median",
            None,
            (
                "High is a post with more likes than the median of its account's posts with known"
                " likes."
            ),
        ),
    ],
)
def test_rule_is_told_in_words(rule, bars, words):
    """Every form of a rule reads as a sentence, a learned one with its bar."""
    assert rule_in_words(ENGLISH, rule, bars) == words
    assert "%(" not in rule_in_words(language("es"), rule, bars)
