"""How right the classifier was about high and low, on posts that it had not seen.

Every figure comes from one pass over the same rows. scikit-learn computes what it has; scores are
probabilities of high, so that areas never come from hard labels.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engagement.bootstrap import Auc, inside_accounts, roc_auc
from engagement.ladder import Rung

Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

BINS = 10

LEAST = 50
"""Posts in pairs of an account below which nothing is said of the picture."""


@dataclass(frozen=True, slots=True)
class Bin:
    """`n` posts of like scores: their mean score, and the share of them that is high."""

    score: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything measured over `n` labelled posts, of which `high` are high.

    Precision, recall and F1 are those of high; `majority` is the share of the commoner class, which
    is what always answering it would get right. `ece` is the expected calibration error over the
    bins of `reliability` (Naeini et al. 2015). `confusion` is ((low as low, low as high), (high as
    low, high as high)). `always` is the only answer given, where only one was. What is undefined is
    None.
    """

    n: int
    high: int
    precision: float | None
    recall: float | None
    f1: float | None
    accuracy: float | None
    majority: float | None
    roc_auc: Auc
    inside: Auc
    pr_auc: float | None
    brier: float | None
    ece: float | None
    confusion: tuple[tuple[int, int], tuple[int, int]]
    reliability: tuple[Bin, ...]
    always: Literal["high", "low"] | None


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
    bins = _reliability(high, score)
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
        ece=sum(each.n * abs(each.score - each.high) for each in bins) / n if n else None,
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


def picture_finding(picture: Rung | None) -> str:
    """One sentence on whether the picture tells more than the account that posted it."""
    if picture is None:
        return "No picture has a score, so nothing is said about the pictures."
    auc = picture.inside
    if auc.value is None:
        return (
            "Whether the picture matters inside accounts cannot be said: no account has both a high"
            " and a low post among those tested."
        )
    if auc.low is None or auc.high is None:
        return (
            "Whether the picture matters inside accounts cannot be said: the AUC there is"
            f" {auc.value:.2f}, but {auc.n:,} posts of so few accounts give no interval."
        )
    if auc.n < LEAST:
        return (
            "Whether the picture matters inside accounts cannot be said: only"
            f" {auc.n:,} posts are in accounts with both high and low ones among those tested"
            f" (AUC {auc.value:.2f}, 95 % interval {auc.low:.2f} to {auc.high:.2f})."
        )
    figures = (
        f"AUC {auc.value:.2f} (95 % interval {auc.low:.2f} to {auc.high:.2f}; {auc.n:,} posts)"
    )
    if not auc.beats_chance:
        return f"The picture is no better than chance inside accounts: {figures}."
    return (
        f"The picture is better than chance inside accounts: {figures}, so of a high and a low post"
        f" of one account it prefers the high one in {auc.value:.0%} of cases."
    )


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


def _reliability(high: Bools, score: Floats) -> tuple[Bin, ...]:
    """Bins of equal mass, lowest scores first; equal scores share one, so there may be fewer."""
    if not len(high):
        return ()
    edges = np.unique(np.quantile(score, np.arange(1, BINS) / BINS))
    place = np.digitize(score, edges)
    return tuple(
        Bin(float(score[here].mean()), float(high[here].mean()), int(here.sum()))
        for here in (place == each for each in np.unique(place))
    )


def _always(guess: Bools) -> Literal["high", "low"] | None:
    if not len(guess) or (guess.any() and not guess.all()):
        return None
    return "high" if guess.all() else "low"
