"""Accounts, times and pictures stay on one side, and what cannot be split is refused in words."""

import dataclasses
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engagement.findings import Split, SplitFacts
from engagement.folds import FOLDS, account_codes, divide
from tests.feed import feed

N = 120


def world(accounts=12, n=N, **columns):
    """Posts of equally busy accounts, one a day, and labels that have nothing to do with them."""
    posts = feed(
        range(n),
        **{
            "account": [f"shop_{number % accounts}" for number in range(n)],
            "posted_at": list(pd.date_range("2026-01-01", periods=n, tz="UTC")),
        }
        | columns,
    )
    return posts, np.random.default_rng(1).random(n) < 0.4


def own(posts):
    """Every picture is like no other."""
    return np.arange(len(posts))


def sides(trial):
    """Each row's side as a letter, a dot for none."""
    return "".join(
        np.select([trial.train, trial.validation, trial.test], ["a", "v", "t"], ".").tolist()
    )


def test_no_account_is_on_two_sides():
    """Five folds test every post once, by accounts that are in no other side of the fold."""
    posts, high = world()
    division = divide(Split.ACCOUNT, posts, high, own(posts))
    assert (division.split, division.asked, division.accounts) == ("account", "account", None)
    assert [trial.name for trial in division.trials] == [f"fold_{k}" for k in range(1, FOLDS + 1)]
    assert np.sum([trial.test for trial in division.trials], axis=0).tolist() == [1] * N
    accounts = posts["account"].to_numpy()
    for trial in division.trials:
        held = [set(accounts[side]) for side in (trial.train, trial.validation, trial.test)]
        assert all(held)
        assert sum(map(len, held)) == len(set.union(*held))


@pytest.mark.parametrize("split", list(Split))
def test_validation_is_about_an_eighth_of_the_rest(split):
    """Enough to choose by, and most is left to learn from."""
    posts, high = world(accounts=40, n=800)
    for trial in divide(split, posts, high, own(posts)).trials:
        share = trial.validation.sum() / (trial.validation.sum() + trial.train.sum())
        assert 0.08 < share < 0.18
        assert 0.15 < trial.test.mean() < 0.25
        assert 0 < high[trial.validation].mean() < 1


@pytest.mark.parametrize("split", list(Split))
@given(seed=st.integers(0, 1_000), pictures=st.integers(60, N))
@settings(max_examples=15, deadline=None)
def test_near_duplicates_stay_on_one_side(split, seed, pictures):
    """Whatever the groups are, no picture of the test is trained on or chosen by."""
    posts, high = world()
    groups = np.random.default_rng(seed).integers(pictures, size=N)
    for trial in divide(split, posts, high, groups).trials:
        held = [set(groups[side]) for side in (trial.train, trial.validation, trial.test)]
        assert sum(map(len, held)) == len(set.union(*held))


def test_the_test_keeps_its_near_duplicates():
    """Training gives way: by account every post is tested, even where pictures are shared."""
    posts, high = world()
    division = divide(Split.ACCOUNT, posts, high, own(posts) // 3)
    assert np.sum([trial.test for trial in division.trials], axis=0).tolist() == [1] * N
    assert any((trial.train | trial.validation | trial.test).sum() < N for trial in division.trials)


@pytest.mark.parametrize("split", list(Split))
@given(seed=st.integers(0, 1_000))
@settings(max_examples=10, deadline=None)
def test_the_order_of_the_rows_changes_nothing(split, seed):
    """A CSV that is sorted otherwise is divided the same."""
    posts, high = world(account=[*["lone", None] * 5, *[f"shop_{k % 9}" for k in range(N - 10)]])
    groups = own(posts) // 2
    order = np.random.default_rng(seed).permutation(N)
    one = divide(split, posts, high, groups)
    other = divide(split, posts.iloc[order].reset_index(drop=True), high[order], groups[order])
    back = np.argsort(order)
    for trial, again in zip(one.trials, other.trials, strict=True):
        assert sides(trial) == "".join(np.array(list(sides(again)))[back])


def test_pictures_may_be_numbered_by_row():
    """Without pictures each row has its own number, which follows the rows and means nothing."""
    posts, high = world()
    order = np.random.default_rng(0).permutation(N)
    one = divide(Split.RANDOM, posts, high, own(posts))
    turned = posts.iloc[order].reset_index(drop=True)
    other = divide(Split.RANDOM, turned, high[order], own(posts))
    for trial, again in zip(one.trials, other.trials, strict=True):
        assert trial.test[order].tolist() == again.test.tolist()


@pytest.mark.parametrize("split", list(Split))
def test_which_class_is_called_high_changes_nothing(split):
    """The sides are the same with the labels swapped."""
    posts, high = world()
    groups = own(posts) // 2
    one, other = (divide(split, posts, each, groups) for each in (high, ~high))
    assert [*map(sides, one.trials)] == [*map(sides, other.trials)]


@pytest.mark.parametrize(
    ("accounts", "known"),
    [
        ([None] * N, 0),
        (["only"] * N, 1),
        ([f"shop_{number % 4}" for number in range(N)], 4),
        ([f"shop_{number % 4}" if number < 60 else None for number in range(N)], 4),
    ],
)
def test_few_accounts_are_split_at_random_and_it_says_so(accounts, known):
    """Five folds by account need five accounts; posts without one do not make up for them."""
    posts, high = world(account=accounts)
    division = divide(Split.ACCOUNT, posts, high, own(posts))
    assert (division.split, division.asked) == (Split.RANDOM, Split.ACCOUNT)
    assert division.accounts == known
    assert division.facts == SplitFacts(Split.RANDOM, Split.ACCOUNT, FOLDS, None)


def test_five_accounts_are_enough():
    """Each fold then tests one of them."""
    posts, high = world(accounts=5)
    division = divide(Split.ACCOUNT, posts, high, own(posts))
    assert division.accounts is None
    assert {posts["account"][trial.test].nunique() for trial in division.trials} == {1}


def test_a_post_without_account_is_an_account_of_its_own():
    """Two such posts share no number, and a shop named like one's id is not it."""
    posts = feed([1, 1, 1, 1], account=["a", None, "a", None])
    codes = account_codes(posts)
    assert codes[0] == codes[2]
    assert len(set(codes.tolist())) == 3
    posts = feed([1, 1], account=["p00001", None])
    assert len(set(account_codes(posts).tolist())) == 2


def test_a_random_split_tests_every_post_once():
    """It is to be had by asking."""
    posts, high = world()
    division = divide(Split.RANDOM, posts, high, own(posts))
    assert division.facts == SplitFacts(Split.RANDOM, Split.RANDOM, FOLDS, None)
    assert division.accounts is None
    assert np.sum([trial.test for trial in division.trials], axis=0).tolist() == [1] * N


def test_time_is_cut_between_moments():
    """The last fifth is tested, the eighth before it chooses, and the cut is named."""
    posts, high = world(n=100)
    division = divide(Split.TIME, posts, high, own(posts))
    (trial,) = division.trials
    assert sides(trial) == "a" * 70 + "v" * 10 + "t" * 20
    assert trial.name == "test"
    assert division.cut == datetime(2026, 3, 22, tzinfo=UTC)
    assert division.facts == SplitFacts(Split.TIME, Split.TIME, 1, division.cut)


def test_equal_times_stay_together():
    """Posts of one moment are on one side, even if the sides are then less even."""
    days = pd.to_datetime("2026-01-01", utc=True) + pd.to_timedelta(np.arange(100) // 30, "D")
    posts, high = world(n=100, posted_at=list(days))
    division = divide(Split.TIME, posts, high, own(posts))
    assert sides(division.trials[0]) == "a" * 60 + "v" * 30 + "t" * 10


def test_a_post_without_time_is_on_no_side():
    """It can be neither before the cut nor after it."""
    posts, high = world()
    posts.loc[::10, "posted_at"] = pd.NaT
    (trial,) = divide(Split.TIME, posts, high, own(posts)).trials
    assert {sides(trial)[row] for row in range(0, N, 10)} == {"."}
    assert sides(trial).count(".") == N // 10


@pytest.mark.parametrize("split", list(Split))
def test_forty_nine_posts_are_too_few(split):
    """Fifty are enough."""
    posts, high = world(n=50)
    assert divide(split, posts, high, own(posts)).trials
    posts, high = world(n=49)
    with pytest.raises(ValueError, match="49 labelled posts are too few: at least 50"):
        divide(split, posts, high, own(posts))


@pytest.mark.parametrize("split", list(Split))
@pytest.mark.parametrize("label", [True, False])
def test_one_class_is_refused(split, label):
    """A model of it would always say one thing."""
    posts, _ = world()
    with pytest.raises(ValueError, match=f"are {'high' if label else 'low'}: there is nothing"):
        divide(split, posts, np.full(N, label), own(posts))


def test_one_class_in_training_is_refused():
    """Both classes in the file are not enough, if the training rows have one."""
    posts, _ = world()
    late = np.arange(N) >= N - 10
    with pytest.raises(ValueError, match="posts before the test are low"):
        divide(Split.TIME, posts, late, own(posts))
    one_account = (posts["account"] == "shop_3").to_numpy()
    with pytest.raises(ValueError, match=r"posts outside fold \d are low"):
        divide(Split.ACCOUNT, posts, one_account, own(posts))


def test_no_times_cannot_be_split_by_time():
    """Nor can a few, nor one moment."""
    posts, high = world(posted_at=[None] * N)
    with pytest.raises(ValueError, match="no labelled post has a time"):
        divide(Split.TIME, posts, high, own(posts))
    posts, high = world()
    posts.loc[49:, "posted_at"] = pd.NaT
    with pytest.raises(ValueError, match="49 labelled posts with a time are too few"):
        divide(Split.TIME, posts, high, own(posts))
    posts, high = world(posted_at=["2026-01-01"] * N)
    with pytest.raises(ValueError, match="the same time"):
        divide(Split.TIME, posts, high, own(posts))


@pytest.mark.parametrize("split", list(Split))
def test_one_picture_for_all_is_refused(split):
    """What is left to learn from is counted after the near-duplicates are gone."""
    posts, high = world()
    with pytest.raises(ValueError, match=r"are left without near-duplicates|different pictures"):
        divide(split, posts, high, np.zeros(N, int))


def test_one_huge_account_does_not_break_the_folds():
    """An account with nearly all posts is tested by what little is left, or refused in words."""
    posts, _ = world(account=["huge"] * 112 + [f"shop_{number}" for number in range(8)])
    with pytest.raises(ValueError, match="posts outside fold"):
        divide(Split.ACCOUNT, posts, np.arange(N) == 3, own(posts))
    division = divide(Split.ACCOUNT, posts, np.arange(N) % 2 == 0, own(posts))
    assert len(division.trials) == FOLDS


def test_a_trial_is_frozen():
    """Nobody moves a post to another side by accident."""
    posts, high = world()
    with pytest.raises(dataclasses.FrozenInstanceError):
        divide(Split.TIME, posts, high, own(posts)).trials[0].name = "other"
