"""What each trial asks: its own bar, groups of alike pictures, and what intervals draw again."""

import numpy as np
import pandas as pd
import pytest

from catalog.images.fingerprint import fingerprint
from engagement.exams import picture_groups, preliminary, questions, units
from engagement.findings import Split
from engagement.folds import Division, account_codes, divide
from engagement.rules import Rule
from tests.feed import feed
from tests.tiny_model import draw

N = 100
TOP = Rule.parse("top 30%")


def world(accounts=10):
    """Posts of so many accounts, whose likes grow with the account and with the day."""
    number = np.arange(N)
    days = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(number, "D")
    return feed(
        (number % accounts) * 1_000 + number,
        account=[f"shop_{each % accounts}" for each in number],
        posted_at=list(days),
    )


def asked(posts, rule, split=Split.ACCOUNT):
    """The questions of a split, and its trials."""
    division = divide(split, posts, preliminary(posts, rule), np.arange(len(posts)))
    return questions(posts, rule, division), division.trials


@pytest.mark.parametrize("split", list(Split))
def test_a_learned_bar_comes_from_training_rows_only(split):
    """Neither the test nor the validation of a trial has a say in what is high there."""
    posts = world()
    parts, trials = asked(posts, TOP, split)
    likes = posts["likes"].to_numpy()
    for part, trial in zip(parts, trials, strict=True):
        assert part.head == trial.name
        above = likes[trial.train] > part.bar
        assert 0.25 < above.mean() <= 0.30
        assert part.exam.high.tolist() == (likes > part.bar).tolist()
        sides = (part.exam.train, trial.train), (part.exam.test, trial.test)
        assert all(np.array_equal(*pair) for pair in (*sides, (part.validation, trial.validation)))
    posts.loc[~trials[0].train, "likes"] += 50_000
    again = questions(posts, TOP, Division(split, split, trials, None, None))
    assert again[0].bar == parts[0].bar


def test_a_given_bar_is_the_same_for_all():
    """And an account's median is no bar at all."""
    posts = world()
    parts, _ = asked(posts, Rule.parse("likes > 5000"))
    assert {part.bar for part in parts} == {5_000.0}
    parts, _ = asked(posts, Rule.parse("above account median"))
    assert {part.bar for part in parts} == {None}
    assert all(0 < part.exam.high.mean() < 1 for part in parts)


def test_a_question_about_some_of_the_posts():
    """Its sides and labels keep to them, its bar and head stay."""
    part = asked(world(), TOP)[0][0]
    rows = np.arange(N) % 3 == 0
    few = part.only(rows)
    assert (few.head, few.bar) == (part.head, part.bar)
    for mine, whole in (
        (few.exam.train, part.exam.train),
        (few.exam.test, part.exam.test),
        (few.exam.high, part.exam.high),
        (few.validation, part.validation),
    ):
        assert mine.tolist() == whole[rows].tolist()


def test_preliminary_labels_are_by_the_bar_of_all():
    """They deal posts to folds and are no truth: each trial has its own."""
    posts = world()
    best = set(posts["likes"].nlargest(30))
    assert preliminary(posts, TOP).tolist() == [like in best for like in posts["likes"]]


def test_alike_pictures_are_one_group():
    """A picture that is posted again, or saved smaller, is with its like; others are alone."""
    one, other = draw(1)[0], draw(2)[0]
    prints = {
        "one": fingerprint(one),
        "smaller": fingerprint(one.resize((40, 40))),
        "other": fingerprint(other),
    }
    pictures = pd.Series([None, None, "one", "smaller", "other", "one"], dtype=object)
    found = picture_groups(prints, pictures).tolist()
    assert found[2] == found[3] == found[5]
    assert len({found[0], found[1], found[2], found[4]}) == 4


@pytest.mark.parametrize("pictures", [[], [None, None]])
def test_without_pictures_each_post_is_its_own_group(pictures):
    """Nothing is like nothing."""
    found = picture_groups({}, pd.Series(pictures, dtype=object))
    assert len(set(found.tolist())) == len(pictures)
    assert found.dtype == np.int64


def test_intervals_draw_accounts_where_five_are_known():
    """Then nobody need put pictures together, which takes minutes; else pictures are drawn."""

    def never():
        raise AssertionError

    posts = world(5)
    assert units(posts, never).tolist() == account_codes(posts).tolist()
    groups = np.arange(N) // 2
    assert units(world(4), lambda: groups) is groups
    assert units(feed([1, 2]), lambda: groups[:2]).tolist() == [0, 0]
