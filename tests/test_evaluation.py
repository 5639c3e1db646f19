"""The classifier's figures: scikit-learn's, from one pass, and None where undefined."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.models.calibration import chance_error
from engagement.evaluation import choose_threshold, evaluate, picture_finding
from engagement.findings import Auc, Finding

scored = st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=1, max_size=80)


def judged(high, score, guess=None):
    """The evaluation of posts of ten accounts."""
    high, score = np.array(high, bool), np.array(score, float)
    guess = score > 0.5 if guess is None else np.array(guess, bool)
    units = np.arange(len(high)) % 10
    return evaluate(high, score, guess, units.astype(str).astype(object), units, 0 * units)


def test_figures_of_a_small_sample():
    """Counted by hand: two right, one false alarm, one overlooked."""
    found = judged([1, 0, 1, 0, 0], [0.9, 0.8, 0.4, 0.2, 0.1])
    assert (found.n, found.high) == (5, 2)
    assert found.confusion == ((2, 1), (1, 1))
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    assert (found.accuracy, found.majority) == (0.6, 0.6)
    assert found.roc_auc.value == pytest.approx(5 / 6)
    assert found.pr_auc == pytest.approx((1 + 2 / 3) / 2)
    assert found.brier == pytest.approx((0.01 + 0.64 + 0.36 + 0.04 + 0.01) / 5)
    assert found.ece == pytest.approx(abs(2.4 / 5 - 2 / 5)), "five posts are one bin"
    assert found.always is None


def test_areas_are_from_scores_never_from_answers():
    """Answers that are all wrong take nothing from a perfect ranking."""
    found = judged([0, 1] * 20, [0.1, 0.2] * 20, guess=[1, 0] * 20)
    assert (found.roc_auc.value, found.pr_auc, found.accuracy) == (1.0, 1.0, 0.0)


def test_no_posts_have_no_figures():
    """Nothing measured is not zero."""
    found = judged([], [])
    assert (found.n, found.high, found.confusion) == (0, 0, ((0, 0), (0, 0)))
    assert found.reliability == ()
    undefined = (found.precision, found.recall, found.f1, found.accuracy, found.majority)
    assert {*undefined, found.pr_auc, found.brier, found.ece, found.always} == {None}
    assert found.roc_auc.value is found.inside.value is None


def test_one_class_has_no_area():
    """What compares two classes needs two; the rest is measured."""
    found = judged([0, 0, 0], [0.1, 0.2, 0.7])
    assert found.roc_auc.value is found.pr_auc is found.recall is None
    assert (found.precision, found.majority) == (0.0, 1.0)
    assert found.brier == pytest.approx((0.01 + 0.04 + 0.49) / 3)


@pytest.mark.parametrize(("guess", "always"), [(0, "low"), (1, "high")])
def test_a_model_that_always_says_one_thing_is_named(guess, always):
    """It may be right most of the time, and is no use."""
    found = judged([1, 0, 0, 0], [0.4, 0.3, 0.2, 0.1], guess=[guess] * 4)
    assert found.always == always
    assert (found.precision is None) == (always == "low")
    assert found.confusion == (((3, 0), (1, 0)) if always == "low" else ((0, 3), (0, 1)))


@given(scored)
@settings(max_examples=50, deadline=None)
def test_calibration_bins_hold_every_post_once(rows):
    """They are of equal mass, in order, and posts with one score are in one bin."""
    high, score = zip(*rows, strict=True)
    found = judged(high, np.array(score) / 20)
    assert sum(each.n for each in found.reliability) == found.n
    assert sum(each.n * each.share for each in found.reliability) == pytest.approx(found.high)
    means = [each.score for each in found.reliability]
    assert means == sorted(set(means))
    assert 1 <= len(means) <= min(10, len(set(score)))
    assert 0 <= found.ece <= 1


def test_calibration_bins_are_of_equal_mass():
    """Two hundred different scores are ten bins of twenty."""
    found = judged([0, 1] * 100, np.linspace(0, 1, 200) ** 3)
    assert [each.n for each in found.reliability] == [20] * 10


@pytest.mark.parametrize(("n", "bins"), [(19, 1), (39, 1), (40, 2), (199, 9), (1000, 10)])
def test_calibration_bins_are_never_of_few_posts(n, bins):
    """Twenty posts a bin at least, where there are so many, and ten bins at most."""
    found = judged([0, 1] * (n // 2) + [0] * (n % 2), np.linspace(0, 1, n))
    assert len(found.reliability) == bins
    assert min(each.n for each in found.reliability) >= min(20, n)


def test_calibrated_scores_are_off_by_what_chance_gives():
    """Fifty posts whose score is their chance: the error told is the one expected of chance."""
    random = np.random.default_rng(0)
    told = []
    for _ in range(300):
        score = random.uniform(0.2, 0.8, 50)
        found = judged(random.random(50) < score, score)
        told.append((found.ece, chance_error(found.reliability)))
    error, chance = np.mean(told, axis=0)
    assert error < 0.09, "ten bins of five would say 0.17"
    assert chance == pytest.approx(error, rel=0.1)


@given(scored, st.randoms())
@settings(max_examples=50, deadline=None)
def test_the_order_of_the_rows_changes_nothing(rows, random):
    """Every figure is of the set of rows."""
    high, score = (np.array(column) for column in zip(*rows, strict=True))
    guess = score > 10
    units = np.arange(len(high)) % 7
    order = np.array(random.sample(range(len(high)), len(high)))
    one, other = (
        evaluate(
            high[at],
            score[at] / 20,
            guess[at],
            units[at].astype(str).astype(object),
            units[at],
            np.zeros(len(at), int),
        )
        for at in (np.arange(len(high)), order)
    )
    assert (one.confusion, one.roc_auc, one.inside) == (
        other.confusion,
        other.roc_auc,
        other.inside,
    )
    assert one.ece == pytest.approx(other.ece)
    assert one.pr_auc == pytest.approx(other.pr_auc)


@given(scored)
@settings(max_examples=50, deadline=None)
def test_swapping_high_and_low_mirrors_the_figures(rows):
    """Labels swapped, an area is one minus it; scores swapped as well, it is the same again."""
    high, score = (np.array(column) for column in zip(*rows, strict=True))
    one, labels, both = (
        judged(high, score / 20),
        judged(~high, score / 20),
        judged(~high, 1 - score / 20, guess=score <= 10),
    )
    assert both.roc_auc.value == pytest.approx(one.roc_auc.value)
    assert both.brier == pytest.approx(one.brier)
    assert both.accuracy == one.accuracy
    assert both.confusion == tuple(row[::-1] for row in one.confusion[::-1])
    if one.roc_auc.value is not None:
        assert labels.roc_auc.value == pytest.approx(1 - one.roc_auc.value)


def test_pairs_inside_accounts_are_scored_by_one_model():
    """Posts that different models scored are not compared inside accounts."""
    high, score = np.array([True, False] * 5), np.array([0.1, 0.9] * 5)
    alone = np.full(10, "shop", object)
    one, other = (
        evaluate(high, score, score > 0.5, alone, np.arange(10), exams)
        for exams in (np.zeros(10, int), np.arange(10))
    )
    assert one.inside.value == 0.0
    assert other.inside.value is None


@pytest.mark.parametrize("score", [1.5, -0.1, np.nan])
def test_a_score_that_is_no_probability_is_refused(score):
    """Calibration of it would mean nothing."""
    with pytest.raises(ValueError, match="not a probability"):
        judged([1, 0], [0.5, score])


def test_the_threshold_parts_the_classes_halfway():
    """Between the highest low and the lowest high, where they are apart."""
    assert choose_threshold(np.array([0, 0, 1, 1], bool), np.array([0.1, 0.2, 0.4, 0.8])) == (
        pytest.approx(0.3)
    )


@given(scored)
@settings(max_examples=50, deadline=None)
def test_no_threshold_is_better_and_both_answers_are_given(rows):
    """Youden's J of the chosen one is the largest between any two scores."""
    high, score = (np.array(column) for column in zip(*rows, strict=True))

    def j(threshold):
        return (score[high] > threshold).mean() - (score[~high] > threshold).mean()

    chosen = choose_threshold(high, score.astype(float))
    if high.all() or not high.any() or len(set(score.tolist())) == 1:
        assert chosen == 0.5
    else:
        assert score.min() < chosen < score.max()
        assert j(chosen) == pytest.approx(
            max(j(each + 0.5) for each in range(min(score), max(score)))
        )


def test_weak_scores_do_not_make_everything_high():
    """F1 would be best with every post high; J still tells the posts apart."""
    random = np.random.default_rng(0)
    high = random.random(400) < 0.4
    score = np.clip(0.4 + 0.02 * high + random.normal(size=400) / 20, 0, 1)
    share = (score > choose_threshold(high, score)).mean()
    assert 0.2 < share < 0.8


@pytest.mark.parametrize(
    ("ends", "n", "kind"),
    [
        ((0.53, 0.5, 0.56), 1_234, "chance"),
        ((0.4, 0.3, 0.45), 1_234, "chance"),
        ((0.654, 0.601, 0.702), 1_234, "better"),
        ((0.654, 0.601, 0.702), 50, "better"),
        ((0.654, 0.601, 0.702), 49, "few_pairs"),
        ((0.9, None, None), 1_234, "no_interval"),
        ((None, None, None), 0, "no_pairs"),
    ],
)
def test_the_picture_is_judged_inside_accounts(ends, n, kind):
    """The whole interval is above one half, or it is chance; few posts are neither yes nor no."""
    area = Auc(*ends, n, 40)
    assert picture_finding(area) == Finding(kind, area)
