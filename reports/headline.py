"""The few figures of a run that are told before all others: on its page, and in the index."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval, where it has one, measured on `n` rows.

    `name` is a code: whole_row is the share, 0 to 1, of products right in all attributes at once,
    "accuracy:colour" that of products right in colour; those that begin with roc_auc are areas.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Headline:
    """The figures of a run, the most telling one first."""

    figures: tuple[Figure, ...]
