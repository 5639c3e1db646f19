"""What the report of a run over posts shows, as frozen values: its review, and what it can't tell.

The figures are those of the review; the store's views give the posts to look at and what is left
to do. As in reports/results.py, lists are capped and samples are taken by hash.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from reports.asking import ask, each
from reports.leftovers import Leftovers, leftovers
from reports.results import RunFacts

if TYPE_CHECKING:
    from engagement.review import Review

SHOWN = {"wrong": 12, "right": 8, "unknown": 4, "seen": 12}
"""Posts of each lot in the picture grid; those `seen` only where nothing could be compared."""


@dataclass(frozen=True, slots=True)
class PostSample:
    """A scored post of the picture grid: what its likes say of it, and what its picture.

    `lot` is wrong, right, unknown (no label, `reason` says why) or seen (learned from).
    """

    lot: str
    id: str
    account: str | None
    caption: str | None
    likes: int | None
    label: str | None
    reason: str | None
    score: float
    threshold: float
    guess: str
    picture: str | None

    @property
    def right(self) -> bool | None:
        """Whether the guess is the label; None where that would prove nothing."""
        return {"right": True, "wrong": False}.get(self.lot)


@dataclass(frozen=True, eq=False, slots=True)
class EngagementReport:
    """Everything that the page of one run over posts shows.

    `bars` are the lowest and the highest number that posts were compared with, None where every
    account has its own.
    """

    run: RunFacts
    review: "Review"
    left: Leftovers
    samples: tuple[PostSample, ...]
    bars: tuple[float, float] | None

    @property
    def compared(self) -> bool:
        """Whether any post of the grid has a label that its guess can be held against."""
        return any(sample.right is not None for sample in self.samples)


def engagement_report(
    connection: duckdb.DuckDBPyConnection, run: RunFacts, review: "Review"
) -> EngagementReport:
    """Gather what the page of `run` shows; the connection has the store's views as they will be."""
    source = {"source": run.source}
    samples = each(PostSample, ask(connection, "posts_sample", source | SHOWN))
    compared = tuple(sample for sample in samples if sample.lot != "seen")
    [bars] = ask(connection, "engagement_bars", source).to_pylist()
    return EngagementReport(
        run=run,
        review=review,
        left=leftovers(connection, "post", run.source),
        samples=compared if any(sample.right is not None for sample in compared) else samples,
        bars=None if bars["lowest"] is None else (bars["lowest"], bars["highest"]),
    )
