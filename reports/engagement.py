"""What the reports about posts show, as frozen values: they are kept, and drawn from what is kept.

The figures are those of the review; the store's views give the posts to look at, what goes with
their engagement, what changed, and what is left to do. As in reports/results.py, lists are capped
and samples are taken by hash.
"""

from dataclasses import dataclass
from typing import Literal

import duckdb

from engagement.findings import Review, Split
from reports.asking import ask, each
from reports.change import Paired
from reports.headline import Figure, Headline
from reports.hours import Hour
from reports.leftovers import Leftovers, leftovers
from reports.results import RunFacts

SHOWN = {"wrong": 12, "right": 8, "unknown": 4, "seen": 12}
"""Posts of each lot in the picture grid; those `seen` only where nothing could be compared."""

EXTREMES = 6
"""Posts shown at each end."""

LEAST_KNOWN = 5
"""Posts with known likes that an account needs to be compared with itself."""

SIZES = (0, 1_000, 10_000, 100_000, 1_000_000)
"""Followers at which a band of accounts begins."""

LEAST_IN_BAND = {"posts": 20, "accounts": 3}
"""Without so many a band of followers says more about them than about its size."""


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


@dataclass(frozen=True, slots=True)
class LikedPost:
    """One of the posts with the most or the fewest likes, and what its picture said.

    `times` is likes over the account's median, None where posts are ranked by likes alone. What
    was not `evaluated` was learned from, or has no label or no score.
    """

    side: Literal["best", "worst"]
    id: str
    account: str | None
    caption: str | None
    likes: int
    times: float | None
    label: str | None
    score: float | None
    threshold: float | None
    guess: str | None
    evaluated: bool
    picture: str | None

    @property
    def right(self) -> bool | None:
        """Whether the guess is the label; None where that would prove nothing."""
        return self.guess == self.label if self.evaluated else None


@dataclass(frozen=True, slots=True)
class SizeBand:
    """Posts of accounts of `least` followers and more, up to the next band.

    The rate is likes and comments over followers: median and quartiles of the posts. For
    `uncommented` posts the comments are unknown, and count as none.
    """

    least: int
    posts: int
    accounts: int
    uncommented: int
    quarter: float
    median: float
    three_quarters: float

    @property
    def enough(self) -> bool:
        """Whether it has posts and accounts enough to be held against another."""
        least = LEAST_IN_BAND
        return self.posts >= least["posts"] and self.accounts >= least["accounts"]


@dataclass(frozen=True, slots=True)
class Moved:
    """How many posts have another label, or guess, than before, and why; None is unknown."""

    what: Literal["label", "guess"]
    cause: str
    before: str | None
    now: str | None
    posts: int


@dataclass(frozen=True, slots=True)
class Change:
    """What is different from the run before over the same source.

    `figures` are what that run measured, by `model`, `rule` and `split`; they are empty where it
    measured nothing. `new` posts were not decided on then.
    """

    run: str
    model: str | None
    rule: str | None
    split: Split | None
    figures: tuple[Figure, ...]
    new: int
    moved: tuple[Moved, ...]
    paired: Paired


@dataclass(frozen=True, slots=True)
class EngagementReport:
    """Everything that the page of one run over posts shows.

    `bars` are the lowest and the highest number that posts were compared with, None where every
    account has its own. `extremes` are the best posts, then the worst. `pictured` posts of the CSV
    come with a picture, be it looked at or not.
    """

    run: RunFacts
    headline: Headline
    review: Review
    change: Change | None
    left: Leftovers
    samples: tuple[PostSample, ...]
    extremes: tuple[LikedPost, ...]
    sizes: tuple[SizeBand, ...]
    hours: tuple[Hour, ...]
    bars: tuple[float, float] | None
    pictured: int

    @property
    def compared(self) -> bool:
        """Whether any post of the grid has a label that its guess can be held against."""
        return any(sample.right is not None for sample in self.samples)


@dataclass(frozen=True, slots=True)
class ClassifierReport:
    """What the page of a classifier shows of the posts that it learned from, each out of fold."""

    headline: Headline
    review: Review


def engagement_report(
    connection: duckdb.DuckDBPyConnection, run: RunFacts, review: Review, before: str | None
) -> EngagementReport:
    """Gather what the page of `run` shows; the connection has the store's views as they will be.

    `before` is the run before it over the same source.
    """
    source = {"source": run.source}
    extremes = {"least": LEAST_KNOWN, "each": EXTREMES}
    [bars] = ask(connection, "engagement_bars", source).to_pylist()
    [pictured] = ask(connection, "pictured_posts", source)["posts"].to_pylist()
    return EngagementReport(
        run=run,
        headline=headline_of(review),
        review=review,
        change=_change(connection, run.source, before) if before else None,
        left=leftovers(connection, "post", run.source),
        samples=_samples(connection, source),
        extremes=each(LikedPost, ask(connection, "liked_posts", source | extremes)),
        sizes=each(SizeBand, ask(connection, "account_sizes", source | {"bounds": list(SIZES)})),
        hours=each(Hour, ask(connection, "posting_hours", source)),
        bars=None if bars["lowest"] is None else (bars["lowest"], bars["highest"]),
        pictured=pictured,
    )


def classifier_report(review: Review) -> ClassifierReport:
    """Gather what the page of a training shows; its model's folder has the rest."""
    return ClassifierReport(headline_of(review), review)


def headline_of(review: Review) -> Headline:
    """Give the areas of a review, those inside accounts first: they are about the picture."""
    found = review.evaluation
    if found is None:
        return Headline(())
    areas = {"roc_auc_inside": found.inside, "roc_auc": found.roc_auc}
    return Headline(
        tuple(Figure(name, area.value, area.low, area.high, area.n) for name, area in areas.items())
    )


def _samples(
    connection: duckdb.DuckDBPyConnection, source: dict[str, str]
) -> tuple[PostSample, ...]:
    samples = each(PostSample, ask(connection, "posts_sample", source | SHOWN))
    compared = tuple(sample for sample in samples if sample.lot != "seen")
    return compared if any(sample.right is not None for sample in compared) else samples


def _change(connection: duckdb.DuckDBPyConnection, source: str, before: str) -> Change:
    asked = {"source": source, "before": before}
    measured = ask(connection, "measured_before", {"source": source, "run": before}).to_pylist()
    how = measured[0] if measured else {"model": None, "rule": None, "split": None}
    [paired] = ask(connection, "paired_posts", asked).to_pylist()
    new = paired.pop("new")
    areas = {"roc_auc_inside_accounts": "roc_auc_inside", "roc_auc": "roc_auc"}
    return Change(
        run=before,
        model=how["model"],
        rule=how["rule"],
        split=Split(how["split"]) if how["split"] else None,
        figures=tuple(
            Figure(areas[row["metric"]], row["value"], row["low"], row["high"], row["n"])
            for row in measured
            if row["metric"] in areas
        ),
        new=new,
        moved=each(Moved, ask(connection, "moved_posts", asked)),
        paired=Paired(head=None, **paired),
    )
