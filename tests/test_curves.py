"""Curves and thresholds over posts: counted by hand, and held against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import auc, average_precision_score, roc_auc_score

from engagement.curves import LEAST_CALLED, MOST_POINTS, curves
from engagement.findings import Cutoff

HIGH = np.array([1, 0, 1, 0, 0], bool)
SCORE = np.array([0.9, 0.8, 0.4, 0.2, 0.1])

scored = st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=2, max_size=80)


def drawn(high, score, threshold=0.5):
    """Curves of posts that one head scored."""
    high, score = np.array(high, bool), np.array(score, float)
    return curves(high, score, np.full(len(high), threshold), np.zeros(len(high), int))


def test_the_roc_curve_of_five_posts():
    """High, low, high, low, low, by score: up, across, up, across, across."""
    assert drawn(HIGH, SCORE).roc == (
        (0.0, 0.0),
        (0.0, 0.5),
        (0.33333, 0.5),
        (0.33333, 1.0),
        (0.66667, 1.0),
        (1.0, 1.0),
    )


def test_equal_scores_are_one_point():
    """No threshold parts them, whatever their order."""
    for order in ((0, 1, 2, 3), (3, 1, 0, 2)):
        high, score = np.array([1, 0, 1, 0]), np.array([0.5, 0.5, 0.9, 0.1])
        found = drawn(high[list(order)], score[list(order)])
        assert found.roc == ((0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0))


def test_precision_of_few_posts_is_left_out():
    """The one post with the highest score is right or wrong by chance: the curve begins at ten."""
    high = np.arange(40) % 2 == 1
    found = drawn(high, np.linspace(1, 0, 40))
    assert found.recalls[0] == (0.25, 0.5)
    assert found.recalls[-1] == (1.0, 0.5)
    assert len(found.recalls) == 40 - LEAST_CALLED + 1
    assert drawn(HIGH, SCORE).recalls == ((1.0, 0.4),)


def test_long_curves_are_thinned_and_keep_their_ends():
    """A drawing has no room for more; what is left lies on the curve."""
    random = np.random.default_rng(0)
    high = random.random(5_000) < 0.4
    score = random.random(5_000) + 0.3 * high
    found = drawn(high, score)
    assert len(found.roc) == len(found.recalls) == MOST_POINTS
    assert (found.roc[0], found.roc[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert found.recalls[-1] == (1.0, round(float(high.mean()), 5))
    assert auc(*zip(*found.roc, strict=True)) == pytest.approx(roc_auc_score(high, score), abs=2e-3)


@given(scored)
@settings(max_examples=50, deadline=None)
def test_the_areas_are_those_that_are_told(rows):
    """ROC-AUC is the area under the one curve, average precision that of the other's steps."""
    high, score = (np.array(column) for column in zip(*rows, strict=True))
    found = drawn(high, score / 20)
    if high.all() or not high.any():
        assert found is None
        return
    assert auc(*zip(*found.roc, strict=True)) == pytest.approx(roc_auc_score(high, score), abs=1e-4)
    recall, precision = np.array(found.recalls).T
    assert (np.diff(recall) >= 0).all()
    steps = np.sum(np.diff(recall) * precision[1:])
    before_the_tenth = average_precision_score(high, score) - steps
    assert -1e-3 <= before_the_tenth <= recall[0] + 1e-3


def test_a_cutoff_is_counted_by_hand():
    """Above 0.3: three called, two of them high, of two."""
    found = drawn(HIGH, SCORE, threshold=0.3)
    assert found.frozen == Cutoff(0.3, 0.3, 3, 2 / 3, 1.0, 0.8)


def test_a_threshold_that_calls_none_has_no_precision():
    """Nothing out of nothing is not zero."""
    frozen = drawn(HIGH, SCORE, threshold=0.95).frozen
    assert (frozen.called, frozen.precision, frozen.recall, frozen.f1) == (0, None, 0.0, 0.0)


def test_heads_have_thresholds_of_their_own():
    """What is frozen is told from the lowest to the highest, and each post by its head's."""
    threshold = np.array([0.95, 0.5, 0.3, 0.3, 0.5])
    found = curves(HIGH, SCORE, threshold, np.array([0, 1, 2, 2, 1]))
    assert found.frozen == Cutoff(0.3, 0.95, 2, 0.5, 0.5, 0.5)
    assert found.heads == 3


def test_cutoffs_are_spread_over_the_scores():
    """Nine of them call nine tenths, eight tenths, ... of two hundred posts high."""
    high = np.arange(200) % 3 == 0
    cutoffs = drawn(high, np.linspace(0, 1, 200) ** 3).cutoffs
    assert [each.called for each in cutoffs] == [180, 160, 140, 120, 100, 80, 60, 40, 20]
    assert [each.low for each in cutoffs] == sorted(each.high for each in cutoffs)
    recalls = [each.recall for each in cutoffs]
    assert recalls == sorted(recalls, reverse=True)


@pytest.mark.parametrize("only", [True, False])
def test_one_class_has_no_curve(only):
    """There is nothing to tell apart."""
    assert drawn([only] * 5, SCORE) is None
