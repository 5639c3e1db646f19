"""Whether scores can be read as probabilities: bins of like scores beside what was so."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054
ONE_SIDED = 1.6448536269514722
"""How many standard deviations 95 of 100 stay within, two-sided and at one end."""

TINY = 1e-30
HOTTEST = 1.6
"""Of the temperature's logarithm: a fifth to five."""


@dataclass(frozen=True, slots=True)
class Bin:
    """`n` rows of like scores: their mean score, and the share of them of which it was so."""

    score: float
    share: float
    n: int

    @property
    def beyond_chance(self) -> bool:
        """Whether score and share are further apart than they are in 95 of 100 by chance."""
        return abs(self.score - self.share) > Z * _deviation(self)


def reliability(so: NDArray[np.bool_], score: NDArray[Any], bins: int) -> tuple[Bin, ...]:
    """Gather rows [n] in bins of equal mass, lowest scores first.

    `score` is the probability that was told, 0 to 1, and `so` whether it was so. Equal scores
    share a bin, so there may be fewer than `bins`.
    """
    if not len(so):
        return ()
    edges = np.unique(np.quantile(score, np.arange(1, bins) / bins))
    place = np.digitize(score, edges)
    return tuple(
        Bin(float(score[here].mean()), float(so[here].mean()), int(here.sum()))
        for here in (place == each for each in np.unique(place))
    )


def expected_error(bins: Sequence[Bin]) -> float | None:
    """The expected calibration error (Naeini et al. 2015), 0 to 1; None without a row."""
    rows = sum(each.n for each in bins)
    return sum(each.n * abs(each.score - each.share) for each in bins) / rows if rows else None


def chance_error(bins: Sequence[Bin]) -> float | None:
    """The expected calibration error that scores have on average which are probabilities.

    So few rows never have just the share that was told: in a bin it strays from its score by
    sqrt(2 / pi) standard deviations on average. None without a row.
    """
    rows = sum(each.n for each in bins)
    strays = sum(each.n * _deviation(each) for each in bins)
    return sqrt(2 / pi) * strays / rows if rows else None


def by_chance(bins: Sequence[Bin]) -> bool:
    """Whether the expected calibration error is no larger than chance makes it, in 95 of 100."""
    rows = sum(each.n for each in bins)
    spread = sqrt((1 - 2 / pi) * sum((each.n * _deviation(each)) ** 2 for each in bins))
    middle, error = chance_error(bins), expected_error(bins)
    return middle is None or error is None or error <= middle + ONE_SIDED * spread / rows


def temperature(scores: NDArray[Any], truth: NDArray[np.int64]) -> float:
    """The temperature (Guo et al., 2017) at which the best of scores [n, k] is right as it says.

    That is, for the truths [n]. Above 1 the scores were too sure of themselves. What is told of a
    picture is that label and its confidence, so the log loss of these is made least (Gupta and
    Ramdas, 2022, "Top-label calibration"), not that of all labels: of forty colours they differ.
    """
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - half a second, only to train

    right = scores.argmax(axis=1) == truth

    def loss(logarithm: float) -> float:
        confidence = tempered(scores, float(np.exp(logarithm))).max(axis=1).astype(np.float64)
        said = np.where(right, confidence, 1 - confidence)
        return float(-np.log(np.maximum(said, TINY)).mean())

    found = minimize_scalar(loss, bounds=(-HOTTEST, HOTTEST), method="bounded")
    return float(np.exp(found.x))


def tempered(scores: NDArray[Any], temperature: float) -> NDArray[Any]:
    """Probabilities [n, k] as they would be with logits divided by the temperature."""
    logits = np.log(np.maximum(scores, TINY)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    said: NDArray[Any] = (powers / powers.sum(axis=1, keepdims=True)).astype(scores.dtype)
    return said


def _deviation(each: Bin) -> float:
    """The standard deviation of the share of a bin whose score is a probability."""
    return sqrt(max(0.0, each.score * (1 - each.score)) / each.n)  # float32 may exceed 1
