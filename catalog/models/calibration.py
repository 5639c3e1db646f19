"""Whether scores can be read as probabilities: bins of like scores beside what was so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Bin:
    """`n` rows of like scores: their mean score, and the share of them of which it was so."""

    score: float
    share: float
    n: int


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
