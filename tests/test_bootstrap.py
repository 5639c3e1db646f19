"""Areas are scikit-learn's, pairs stay inside accounts, and intervals know about accounts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from engagement import bootstrap
from engagement.bootstrap import LEAST_UNITS, inside_accounts
from engagement.findings import Auc

rows = st.lists(
    st.tuples(st.booleans(), st.integers(-5, 5), st.integers(0, 6), st.integers(0, 1)),
    min_size=1,
    max_size=60,
)


def columns(drawn):
    """Labels, scores with many ties, accounts and exams."""
    high, score, account, exam = (np.array(column) for column in zip(*drawn, strict=True))
    return high, score.astype(float), account, exam


def area(high, score, units):
    """The overall area of posts that one model scored."""
    return bootstrap.roc_auc(high, score, units, np.zeros_like(units))


def names(accounts):
    """Accounts as the posts have them; number 0 is unknown."""
    return np.array([f"shop_{code}" if code else None for code in accounts], object)


def crowd(accounts=40, each=50, pull=1.0):
    """Posts whose score and label both follow their account, and nothing else."""
    random = np.random.default_rng(3)
    units = np.repeat(np.arange(accounts), each)
    taste = random.normal(size=accounts)[units] * pull
    high = taste + random.normal(size=len(units)) > 0
    return high, random.normal(size=accounts)[units] + random.normal(size=len(units)), units


@given(rows)
@settings(max_examples=50, deadline=None)
def test_the_area_is_scikit_learns(drawn):
    """Ties count half; without pairs there is no value."""
    high, score, account, _ = columns(drawn)
    found = area(high, score, account)
    if high.all() or not high.any():
        assert found == Auc(None, None, None, 0, 0)
    else:
        assert found.value == pytest.approx(roc_auc_score(high, score))
        assert (found.n, found.units) == (len(high), len(set(account.tolist())))


@given(rows)
@settings(max_examples=50, deadline=None)
def test_inside_accounts_is_the_share_of_pairs_won(drawn):
    """One account and one exam, one high and one low: counted one by one."""
    high, score, account, exam = columns(drawn)
    won = [
        (score[one] > score[other]) + (score[one] == score[other]) / 2
        for one in np.flatnonzero(high)
        for other in np.flatnonzero(~high)
        if account[one] == account[other] != 0 and exam[one] == exam[other]
    ]
    found = inside_accounts(high, score, names(account), account, exam)
    assert found.value == (pytest.approx(np.mean(won)) if won else None)


@given(rows)
@settings(max_examples=50, deadline=None)
def test_swapping_high_and_low_mirrors_everything(drawn):
    """An area becomes one minus it, and so do the ends of its interval."""
    high, score, account, exam = columns(drawn)
    for one, other in (
        (area(high, score, account), area(~high, score, account)),
        tuple(
            inside_accounts(each, score, names(account), account, exam) for each in (high, ~high)
        ),
    ):
        assert (one.n, one.units) == (other.n, other.units)
        if one.value is not None:
            assert other.value == pytest.approx(1 - one.value)
        if one.low is not None:
            assert other.low == pytest.approx(1 - one.high)
            assert other.high == pytest.approx(1 - one.low)


@given(rows, st.randoms())
@settings(max_examples=50, deadline=None)
def test_the_order_of_the_rows_changes_nothing(drawn, random):
    """Nor does the seed, which is fixed."""
    shuffled = random.sample(drawn, len(drawn))
    one, other = (
        inside_accounts(high, score, names(account), account, exam)
        for high, score, account, exam in (columns(drawn), columns(shuffled))
    )
    assert one == other


def test_resampling_is_of_whole_accounts():
    """Where labels and scores follow the account, the interval is far wider than over rows."""
    high, score, units = crowd()
    by_account, by_row = area(high, score, units), area(high, score, np.arange(len(high)))
    assert by_account.value == by_row.value
    assert by_account.high - by_account.low > 2 * (by_row.high - by_row.low)


def test_the_resamples_are_those_of_plain_resampling(monkeypatch):
    """The sorted, weighted sums give what rows drawn again one account at a time give."""
    monkeypatch.setattr(bootstrap, "_tail", lambda _: 0.025)
    high, score, units = crowd(accounts=12, each=20)
    random = np.random.default_rng(7)
    overall, inside = [], []
    for _ in range(400):
        drawn = [np.flatnonzero(units == unit) for unit in random.integers(12, size=12)]
        rows_drawn, copy = np.concatenate(drawn), np.repeat(np.arange(12), 20)
        overall.append(roc_auc_score(high[rows_drawn], score[rows_drawn]))
        none = np.zeros_like(copy)
        copies = inside_accounts(high[rows_drawn], score[rows_drawn], names(copy + 1), none, none)
        inside.append(copies.value)
    for found, plain in (
        (area(high, score, units), overall),
        (inside_accounts(high, score, names(units + 1), units, np.zeros_like(units)), inside),
    ):
        ends = np.quantile(plain, [0.025, 0.975])
        assert [found.low, found.high] == pytest.approx(ends, abs=0.015)


def test_pictures_can_be_drawn_instead_of_accounts():
    """With one account there is an interval all the same, if picture groups are what is drawn."""
    high, score, units = crowd(accounts=1, each=300)
    alone, exams = names(units + 1), np.zeros_like(units)
    by_row = inside_accounts(high, score, alone, np.arange(300), exams)
    assert by_row.low < by_row.value < by_row.high
    assert inside_accounts(high, score, alone, units, exams).low is None


def test_equal_scores_are_one_half():
    """Whatever is resampled, a score that says nothing says nothing."""
    high, score, units = crowd()
    found = area(high, np.zeros_like(score), units)
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)
    assert not found.beats_chance


@pytest.mark.parametrize("accounts", range(1, LEAST_UNITS + 1))
def test_few_accounts_have_no_interval(accounts):
    """One account drawn again is itself: its interval would be a point, above any chance."""
    high, score, units = crowd(accounts=accounts)
    found = area(high, score + 9 * high, units)
    assert found.value > 0.9
    assert found.beats_chance == (accounts == LEAST_UNITS)
    assert (found.low is None) == (found.high is None) == (accounts < LEAST_UNITS)


def test_accounts_without_a_pair_are_not_counted():
    """An account of one post, or of one class, has nothing to compare inside."""
    accounts = np.array(["one", "low", "low", "both", "both", None, None], object)
    high = np.array([True, False, False, True, False, True, False])
    zeros = np.zeros(7, int)
    found = inside_accounts(high, np.arange(7.0), accounts, np.arange(7), zeros)
    assert (found.value, found.n, found.units) == (0.0, 2, 2)


def test_no_posts_have_no_area():
    """Nothing to compare is not one half."""
    none = np.zeros(0)
    bools, codes = none.astype(bool), none.astype(int)
    assert area(bools, none, codes).value is None
    assert inside_accounts(bools, none, none.astype(object), codes, codes).value is None


def test_a_score_that_is_no_number_is_refused():
    """A NaN would sort last and pass for the best score of all."""
    with pytest.raises(ValueError, match="not a number"):
        area(np.array([True, False]), np.array([np.nan, 1.0]), np.arange(2))


@pytest.mark.parametrize(
    ("accounts", "share"), [(40, np.full(40, 0.4)), (8, np.full(8, 0.4)), (20, np.arange(20) / 19)]
)
def test_noise_seldom_beats_chance(accounts, share):
    """Of 400 scores without meaning about 2.5 % do, with few accounts and uneven ones as well."""
    random = np.random.default_rng(11)
    units = np.repeat(np.arange(accounts), 40)
    exams = np.zeros_like(units)
    beaten = 0
    for _ in range(400):
        high, score = random.random(len(units)) < share[units], random.random(len(units))
        beaten += inside_accounts(high, score, names(units + 1), units, exams).beats_chance
    assert 2 <= beaten <= 18  # plain percentiles let 24 and more through with 8 accounts


def test_the_tail_of_many_equal_accounts_is_the_usual_one():
    """Few accounts, or a few that have all the pairs, leave less of the resamples outside."""
    tails = [bootstrap._tail(units) for units in (1, 5, 20, 1_000)]
    assert tails == sorted(tails)
    assert 0 <= tails[0] < 1e-6
    assert 0.0245 < tails[-1] < 0.025
    strata = np.repeat(np.arange(10), 20)
    high = np.tile([True, False], 100)
    assert bootstrap._effective(high, strata, strata) == pytest.approx(10)
    high[2:] = False
    high[180:190] = True
    assert bootstrap._effective(high, strata, strata) == pytest.approx(1.4, abs=0.1)


def test_folds_that_teach_each_other_do_not_beat_chance():
    """Out-of-fold scores of a linear model on pictures that mean nothing, trained for real."""
    random = np.random.default_rng(1)
    units = np.repeat(np.arange(40), 20)
    fold = units % 5
    pictures = random.normal(size=(len(units), 30))
    beaten = 0
    for _ in range(300):
        high = random.random(len(units)) < 0.5
        score = np.empty(len(units))
        for each in range(5):
            train, test = fold != each, fold == each
            up, down = (pictures[train & side].mean(axis=0) for side in (high, ~high))
            score[test] = pictures[test] @ (up - down)
        beaten += inside_accounts(high, score, names(units + 1), units, fold).beats_chance
    assert beaten <= 12  # as if one model had scored them all: 24


def test_one_model_needs_no_widening():
    """Five folds make the interval half as wide again; a single test is taken as it is."""
    high, score, units = crowd()
    one, five = (
        bootstrap.roc_auc(high, score, units, exams) for exams in (np.zeros_like(units), units % 5)
    )
    assert five.value == one.value
    assert five.value - five.low == pytest.approx(1.5 * (one.value - one.low))
    assert five.high - five.value == pytest.approx(1.5 * (one.high - one.value))
