"""How sure a model is of its best labels of the pictures kept aside, the right and the wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from catalog.decisions import Decisions
from catalog.models.metrics import Share
from reports.measured import Measured

BINS = 20
EDGES = np.arange(BINS + 1) / BINS


@dataclass(frozen=True, slots=True)
class SureBin:
    """How many best labels with a confidence from `low` to `high`, 0 to 1, are right and wrong."""

    low: float
    high: float
    right: int
    wrong: int


@dataclass(frozen=True, eq=False, slots=True)
class Sureness:
    """The confidence of a head in its best label of each row, and whether that label is right.

    From the confidence `line` on its labels are accepted; None where no line is drawn, and for a
    head that is decided together with others, whose line is one of other confidences.
    """

    head: str
    sure: np.ndarray  # float64 [n], 0 to 1
    right: np.ndarray  # bool [n]
    line: float | None

    @property
    def n(self) -> int:
        """How many rows there are."""
        return len(self.sure)

    @property
    def bins(self) -> tuple[SureBin, ...]:
        """The BINS of equal width, the least sure first."""
        right, wrong = (np.histogram(self.sure[so], EDGES)[0] for so in (self.right, ~self.right))
        ends = zip(EDGES[:-1].tolist(), EDGES[1:].tolist(), strict=True)
        counts = zip(right.tolist(), wrong.tolist(), strict=True)
        return tuple(SureBin(*end, *count) for end, count in zip(ends, counts, strict=True))

    @property
    def reaching(self) -> Share:
        """The right ones of the rows that reach the line; without a line none does."""
        return _share(self.right[self._reaches])

    @property
    def short(self) -> Share:
        """The right ones of the rows that do not."""
        return _share(self.right[~self._reaches])

    @property
    def mistakes(self) -> int:
        """How many of the rows are wrong."""
        return int((~self.right).sum())

    @property
    def sure_mistake(self) -> float | None:
        """The confidence that half of the mistakes have at least; None without a mistake."""
        wrong = np.sort(self.sure[~self.right])
        return float(wrong[len(wrong) // 2]) if len(wrong) else None

    @property
    def _reaches(self) -> np.ndarray:
        return np.asarray(self.sure >= (np.inf if self.line is None else self.line))


def sureness_of(heads: Sequence[Measured], decisions: Decisions) -> tuple[Sureness, ...]:
    """Tell how sure the heads that have rows are of these, each by itself."""
    return tuple(
        Sureness(
            head=each.head,
            # float32 may exceed 1, and a line that is drawn there is reached all the same.
            sure=np.clip(each.scores.max(axis=1).astype(np.float64), 0.0, 1.0),
            right=each.right,
            line=_line(decisions, each.head),
        )
        for each in heads
        if len(each.ids)
    )


def _line(decisions: Decisions, head: str) -> float | None:
    line = decisions.lines.get(head)
    if line is None or line.threshold is None or head in decisions.together:
        return None
    return float(np.clip(line.threshold, 0.0, 1.0))


def _share(right: np.ndarray) -> Share:
    return Share(int(right.sum()), len(right))
