"""How right the classifier was about high and low, on posts that it had not seen.

Every figure comes from one pass over the same rows. scikit-learn computes what it has; scores are
probabilities of high, so that areas never come from hard labels.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from catalog.models.calibration import expected_error, reliability
from engagement.bootstrap import inside_accounts, roc_auc
from engagement.findings import LEAST, Auc, Evaluation, Finding, FindingKind

Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

BINS = 10
LEAST_IN_BIN = 20
"""Posts of a bin of the reliability curve: fewer bins where there are not so many."""


def evaluate(
    high: Bools,
    score: Floats,
    guess: Bools,
    accounts: NDArray[np.object_],
    units: Codes,
    exams: Codes,
) -> Evaluation:
    """Measure the scores P(high) and the guesses of labelled posts; arrays [n].

    `accounts` are None where unknown; `units` are what the bootstrap draws again; `exams`
    numbers the model that scored each post. Raises ValueError where a score is no
    probability.
    """
    if not ((score >= 0) & (score <= 1)).all():
        raise ValueError("a score is not a probability")
    bins = reliability(high, score, min(BINS, max(1, len(high) // LEAST_IN_BIN)))
    precision, recall, f1 = _of_high(high, guess)
    n, ups = len(high), int(high.sum())
    return Evaluation(
        n=n,
        high=ups,
        precision=precision,
        recall=recall,
        f1=f1,
        accuracy=float((high == guess).mean()) if n else None,
        majority=max(ups, n - ups) / n if n else None,
        roc_auc=roc_auc(high, score, units, exams),
        inside=inside_accounts(high, score, accounts, units, exams),
        pr_auc=_pr_auc(high, score),
        brier=_brier(high, score),
        ece=expected_error(bins),
        confusion=_confusion(high, guess),
        reliability=bins,
        always=_always(guess),
    )


def choose_threshold(high: Bools, score: Floats) -> float:
    """The threshold above which to say high; high and score [n] are of validation posts.

    It maximises Youden's J (1950), recall of high plus recall of low: F1 would say high of all
    posts where the scores are weak. It lies halfway between two scores that occur, so that both
    answers are given. 0.5 where there is nothing to choose by: one class, or one score.
    """
    from sklearn.metrics import roc_curve  # noqa: PLC0415 (a second to load)

    if not high.any() or high.all() or np.ptp(score) == 0:
        return 0.5
    false, true, scores = roc_curve(high, score, drop_intermediate=False)
    best = 1 + int((true - false)[1:-1].argmax())  # the first says low of all, the last high
    return float((scores[best] + scores[best + 1]) / 2)


def picture_finding(inside: Auc) -> Finding:
    """Judge whether a picture tells more than the account that posted it, inside accounts."""
    return Finding(_kind(inside), inside)


def _kind(inside: Auc) -> FindingKind:
    if inside.value is None:
        return "no_pairs"
    if inside.low is None or inside.high is None:
        return "no_interval"
    if inside.n < LEAST:
        return "few_pairs"
    return "better" if inside.beats_chance else "chance"


def _of_high(high: Bools, guess: Bools) -> tuple[float | None, float | None, float | None]:
    """Precision, recall and F1 of high, each None where it divides by nothing."""
    from sklearn.metrics import precision_recall_fscore_support  # noqa: PLC0415

    if not len(high):
        return None, None, None
    figures = precision_recall_fscore_support(
        high, guess, average="binary", pos_label=True, zero_division=np.nan
    )[:3]
    precision, recall, f1 = (None if np.isnan(each) else float(each) for each in figures)
    return precision, recall, f1


def _pr_auc(high: Bools, score: Floats) -> float | None:
    from sklearn.metrics import average_precision_score  # noqa: PLC0415

    return float(average_precision_score(high, score)) if high.any() else None


def _brier(high: Bools, score: Floats) -> float | None:
    from sklearn.metrics import brier_score_loss  # noqa: PLC0415

    return float(brier_score_loss(high, score, pos_label=True)) if len(high) else None


def _confusion(high: Bools, guess: Bools) -> tuple[tuple[int, int], tuple[int, int]]:
    from sklearn.metrics import confusion_matrix  # noqa: PLC0415

    if not len(high):
        return (0, 0), (0, 0)
    (tn, fp), (fn, tp) = confusion_matrix(high, guess, labels=[False, True]).tolist()
    return (tn, fp), (fn, tp)


def _always(guess: Bools) -> Literal["high", "low"] | None:
    if not len(guess) or (guess.any() and not guess.all()):
        return None
    return "high" if guess.all() else "low"
