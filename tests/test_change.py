"""What changed between two runs, over the same products."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm

from reports.change import Change, Paired, at_once, paired
from reports.measured import Measured
from tests.report_world import NOW

COUNTS = st.integers(0, 60)


def change_of(*heads):
    """A change of these heads."""
    return Change("r0", NOW, "tagger/0", 0, 0, heads, None, (), ())


def test_pairs_are_counted():
    """Right then and right now, by hand: mended were wrong then, broken are wrong now."""
    pairs = [(True, True), (True, False), (False, True), (False, True), (False, False)]
    pair = paired("colour", pairs)
    assert (pair.n, pair.mended, pair.broken, pair.stands) == (5, 2, 1, 3)
    assert (pair.then.right, pair.now.right) == (2, 3)
    assert pair.difference == pytest.approx(0.2)


@given(COUNTS, COUNTS)
def test_p_is_that_of_the_exact_test(mended, broken):
    """McNemar's exact p is twice the smaller tail of a fair coin, at most 1."""
    pair = Paired("colour", 200, mended, broken, 100)
    tail = binom.cdf(min(mended, broken), mended + broken, 0.5)
    assert pair.p == pytest.approx(min(1.0, 2 * tail))


def compared(head, ids, right, then):
    """A head's rows that are right or wrong now, and what was right then, by product."""
    labels = ("Red", "Blue")
    scores = np.eye(2, dtype=np.float32)[[int(not good) for good in right]]
    rows = Measured(head, labels, ids, ["Red"] * len(ids), scores, len(ids), 0)
    return rows, {head: dict(zip(ids, then, strict=True))}


def test_attribute_without_a_label_does_not_stand_in_the_way():
    """Of 30 products labelled in two of three attributes, right at once is counted over the two.

    The shop labels no gender. Category is right throughout; of colour 10 are wrong now, of which
    4 were right then, and 6 of the right ones were wrong then.
    """
    ids = [f"p{number}" for number in range(30)]
    category, then = compared("category", ids, [True] * 30, [True] * 30)
    now = [True] * 20 + [False] * 10
    colour, earlier = compared("colour", ids, now, [False] * 6 + [True] * 18 + [False] * 6)
    gender, _ = compared("gender", [], [], [])
    whole = at_once([category, colour, gender], then | earlier)
    assert whole == Paired(None, 30, mended=6, broken=4, stands=20)


def test_attribute_of_a_few_labels_does_not_leave_a_few_products():
    """One label of gender beside 30 of each other attribute leaves all 30 compared at once."""
    ids = [f"p{number}" for number in range(30)]
    category, then = compared("category", ids, [True] * 30, [True] * 30)
    colour, earlier = compared("colour", ids, [True] * 30, [False] * 30)
    gender, some = compared("gender", ids[:1], [True], [True])
    whole = at_once([category, colour, gender], then | earlier | some)
    assert whole == Paired(None, 30, mended=30, broken=0, stands=30)
    heads = (Paired("category", 30, 0, 0, 30), Paired("gender", 1, 0, 0, 1))
    assert change_of(*heads).together == heads[:1]


def test_single_attribute_has_nothing_at_once():
    """With one attribute compared there is none to be right together with."""
    ids = [f"p{number}" for number in range(30)]
    colour, then = compared("colour", ids, [True] * 30, [False] * 30)
    assert at_once([colour], then) is None
    assert at_once([], {}) is None


def test_interval_is_that_of_the_paper():
    """Bonett and Price (2012): one is added to each kind of change, two to the pairs."""
    pair = Paired("colour", 98, mended=19, broken=9, stands=60)
    up, down = 20 / 100, 10 / 100
    half = norm.ppf(0.975) * sqrt((up + down - (up - down) ** 2) / 100)
    assert pair.interval == pytest.approx((0.1 - half, 0.1 + half))


@given(COUNTS, COUNTS, COUNTS)
def test_interval_stays_inside_what_is_possible(mended, broken, same):
    """A difference is never told as more than one, nor less than minus one."""
    n = mended + broken + same
    pair = Paired("colour", n, mended, broken, mended)
    if n:
        low, high = pair.interval
        assert -1 <= low < high <= 1
    else:
        assert (pair.interval, pair.difference) == (None, None)


def test_only_more_than_chance_is_certain():
    """With ten attributes asked, one p of 0.01 is no news; one of 0.0001 is."""
    lucky = Paired("lucky", 100, mended=12, broken=2, stands=80)
    sure = Paired("sure", 100, mended=20, broken=1, stands=80)
    assert lucky.p == pytest.approx(0.0129, abs=1e-3)
    others = [Paired(f"h{number}", 100, 3, 3, 50) for number in range(8)]
    assert change_of(lucky, sure, *others).certain == (sure,)
    assert change_of(lucky).certain == (lucky,)
