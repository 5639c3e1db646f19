"""What other thresholds would come to: ROC and precision-recall curves, and a table of cut-offs.

Scores of several heads are taken together, as the areas of engagement/evaluation.py take them: a
head whose scores are all higher than another's makes the curves look worse than each head is.
"""

import numpy as np
from numpy.typing import NDArray

from engagement.findings import Curves, Cutoff

MOST_POINTS = 100
"""Points of a curve: more could not be told apart in a drawing."""

LEAST_CALLED = 10
"""Posts called high without which a precision is chance: the curve begins where there are."""

PLACES = 5
"""Decimals of a point."""

SHARES = np.arange(1, 10) / 10
"""Of the scores, that are below each of the thresholds of the table."""

Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


def curves(high: Bools, score: Floats, threshold: Floats, exams: Codes) -> Curves | None:
    """Vary the threshold of labelled posts; arrays [n], None where all are of one class.

    `threshold` is the one that each post's head uses, and `exams` numbers the heads.
    """
    if high.all() or not high.any():
        return None
    tp, fp = _found(high, score)
    ups = int(high.sum())
    false, recall, precision = fp / (len(high) - ups), tp / ups, tp / (tp + fp)
    enough = tp + fp >= min(LEAST_CALLED, len(high))
    return Curves(
        roc=_points(np.append(0.0, false), np.append(0.0, recall)),
        recalls=_points(recall[enough], precision[enough]),
        cutoffs=tuple(
            _cutoff(high, score, np.full(len(score), each))
            for each in np.unique(np.quantile(score, SHARES, method="lower"))
        ),
        frozen=_cutoff(high, score, threshold),
        heads=len(np.unique(exams)),
    )


def _found(high: Bools, score: Floats) -> tuple[Floats, Floats]:
    """High and low posts called high, as the threshold falls past each score that occurs."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) < 0, True)  # equal scores are called together
    tp = np.cumsum(high[order])[last].astype(np.float64)
    fp = np.cumsum(~high[order])[last].astype(np.float64)
    return tp, fp


def _points(across: Floats, up: Floats) -> tuple[tuple[float, float], ...]:
    """Pairs, thinned evenly to MOST_POINTS; the first and the last are kept."""
    count = min(len(across), MOST_POINTS)
    kept = np.linspace(0, len(across) - 1, count).round().astype(np.int64)
    pairs = np.stack([across[kept], up[kept]], axis=1).round(PLACES)
    return tuple((float(one), float(other)) for one, other in pairs)


def _cutoff(high: Bools, score: Floats, threshold: Floats) -> Cutoff:
    called = score > threshold
    right, asked, ups = int((called & high).sum()), int(called.sum()), int(high.sum())
    return Cutoff(
        low=float(threshold.min()),
        high=float(threshold.max()),
        called=asked,
        precision=right / asked if asked else None,
        recall=right / ups,
        f1=2 * right / (asked + ups),
    )
