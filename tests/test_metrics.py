"""The arithmetic of how right a model was."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

from catalog.models.metrics import (
    OUTSIDE,
    Share,
    as_dict,
    by_side,
    confusion,
    encode,
    ratio,
    score_head,
    whole_row,
)

LABELS = ("Black", "White", "Navy Blue", "Red")


def softmax(numbers: np.ndarray) -> np.ndarray:
    """Make rows of probabilities out of any numbers [n, k]."""
    powers = np.exp(numbers)
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Truth codes [200] and scores [200, 4] that are better than chance."""
    random = np.random.default_rng(7)
    truth = random.integers(0, 4, 200)
    return truth, softmax(random.normal(size=(200, 4)) + 1.5 * np.eye(4)[truth])


def test_head_agrees_with_scikit_learn(drawn):
    """Every figure of a head equals scikit-learn's own for the same rows."""
    truth, scores = drawn
    guess = scores.argmax(axis=1)
    head = score_head("colour", LABELS, truth, scores)
    assert head.n == 200
    assert head.accuracy == pytest.approx(accuracy_score(truth, guess))
    for mine, average in ((head.macro, "macro"), (head.weighted, "weighted")):
        assert mine.precision == pytest.approx(precision_score(truth, guess, average=average))
        assert mine.recall == pytest.approx(recall_score(truth, guess, average=average))
        assert mine.f1 == pytest.approx(f1_score(truth, guess, average=average))
    assert head.roc_auc == pytest.approx(roc_auc_score(truth, scores, multi_class="ovr"))
    assert head.log_loss == pytest.approx(log_loss(truth, scores))


def test_majority_is_the_commonest_class_of_these_rows():
    """The baseline names the commonest truth and its share of the very rows measured."""
    head = score_head(
        "colour", LABELS, encode(["Red", "Red", "Black"], LABELS), np.eye(4)[[0, 1, 2]]
    )
    assert (head.majority_label, head.majority) == ("Red", Share(2, 3))


def test_truth_outside_the_vocabulary_is_wrong_and_counted_apart():
    """A class that the model never learned lowers the accuracy and is told."""
    truth = encode(["Black", "Mauve"], LABELS)
    head = score_head("colour", LABELS, truth, np.eye(4)[[0, 0]])
    assert list(truth) == [0, OUTSIDE]
    assert (head.n, head.outside, head.accuracy) == (2, 1, 0.5)
    assert head.weighted.recall == head.accuracy
    assert head.macro.recall == 1.0
    assert head.macro.precision == 0.5
    assert head.confusion.sum() == 1


def test_no_rows_have_no_figures():
    """Nothing measured is None, never zero and never an error."""
    head = score_head("colour", LABELS, np.zeros(0, int), np.zeros((0, 4)))
    assert (head.n, head.accuracy, head.share.interval, head.macro, head.roc_auc) == (0,) + (
        None,
    ) * 4
    assert whole_row([{}, {}]) == Share(0, 0)


def test_only_rows_outside_the_vocabulary():
    """Where no truth is known there is an accuracy of zero and no average."""
    head = score_head("colour", LABELS, encode(["Mauve"], LABELS), np.eye(4)[[0]])
    assert (head.accuracy, head.macro, head.log_loss, head.majority_label) == (
        0.0,
        None,
        None,
        None,
    )


def test_one_class_has_no_roc():
    """ROC-AUC is undefined when every row is of one class, and a head of one label works."""
    head = score_head("gender", ("Women",), np.zeros(3, int), np.ones((3, 1)))
    assert (head.accuracy, head.roc_auc, head.log_loss) == (1.0, None, 0.0)


def test_absent_classes_do_not_weigh_in_macro():
    """A class that no row has is no part of the averages."""
    head = score_head("colour", LABELS, np.array([0, 1]), np.eye(4)[[0, 1]])
    assert head.macro.f1 == 1.0
    assert [each.label for each in head.present] == ["Black", "White"]


@pytest.mark.parametrize(
    ("truth", "scores", "said"),
    [
        (np.array([0]), np.ones((2, 4)), "1 truths for 2 rows"),
        (np.array([4]), np.ones((1, 4)), "not one of the 4 labels"),
        (np.array([-2]), np.ones((1, 4)), "not one of the 4 labels"),
        (np.array([0]), np.full((1, 4), np.nan), "not a number"),
        (np.array([0]), np.ones((1, 3)), "shape .1, 3. for 4 labels"),
    ],
)
def test_nonsense_is_refused(truth, scores, said):
    """Shapes, codes and scores that can't be are refused by name."""
    with pytest.raises(ValueError, match=said):
        score_head("colour", LABELS, truth, scores)


def test_whole_row_wants_every_head_right():
    """One wrong head makes the whole row wrong; a row that a head lacks does not count."""
    gender, colour = {"a": True, "b": True, "c": True}, {"a": True, "b": False, "d": True}
    assert whole_row([gender, colour]) == Share(1, 2)
    assert whole_row([gender, {}, colour]) == Share(1, 2)  # a head of which nothing is known
    assert whole_row([]) == Share(0, 0)


def test_the_gap_is_between_the_sides_named(drawn):
    """Losses are summed over heads; a head that has no row on the test side has no gap."""
    truth, scores = drawn
    sure = softmax(9 * np.eye(4)[truth])
    none = np.zeros(0, int), np.zeros((0, 4))
    train = [score_head("colour", LABELS, truth, sure), score_head("trim", LABELS, truth, sure)]
    test = [score_head("colour", LABELS, truth, scores), score_head("trim", LABELS, *none)]
    found = by_side({"seen": (train, Share(1, 2)), "kept": (test, Share(2, 3))}, "seen", "kept")
    assert found["seen"]["loss"] == pytest.approx(2 * train[0].log_loss)
    assert found["kept"]["losses"] == {"colour": test[0].log_loss, "trim": None}
    assert found["gap"]["loss"] == found["kept"]["loss"] - found["seen"]["loss"] > 0
    assert found["gap"]["accuracy"] == {"colour": 1 - test[0].accuracy}
    assert found["heads"]["colour"]["n"] == 200
    assert found["whole_row"]["right"] == 2


def test_figures_are_plain_json(drawn):
    """What the card keeps goes through JSON, also when nothing was measured."""
    heads = [score_head("colour", LABELS, *drawn), score_head("empty", (), np.zeros(0, int), [])]
    kept = json.loads(json.dumps(as_dict(heads, whole_row([{1: True, 2: True, 3: True}]))))
    assert kept["heads"]["colour"]["n"] == 200
    assert kept["heads"]["empty"]["accuracy"] is None
    assert kept["whole_row"]["right"] == 3


@given(st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_is_wilsons(counts):
    """The interval equals scipy's, holds the share and stays within 0 and 1."""
    from scipy.stats import binomtest  # noqa: PLC0415 (slow to load)

    right, n = counts
    share = Share(right, n)
    if not n:
        assert share.interval is None
        return
    low, high = share.interval
    theirs = binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert (low, high) == (pytest.approx(theirs.low, abs=1e-9), pytest.approx(theirs.high))
    assert 0 <= low <= share.value <= high <= 1


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 3)), min_size=1))
def test_every_known_row_lands_in_one_cell(pairs):
    """Confusion counts and the rows outside add up to the rows measured."""
    truth, guess = np.array(pairs).T
    head = score_head("colour", LABELS, truth, np.eye(4)[guess])
    assert head.confusion.sum() + head.outside == len(pairs)
    assert confusion(truth, guess, 4).trace() == head.share.right
    assert sum(each.guessed for each in head.classes) == len(pairs)


def test_ratio_of_nothing_is_zero():
    """Dividing by no rows gives zero and no warning."""
    assert list(ratio(np.array([0, 1]), np.array([0, 2]))) == [0.0, 0.5]
