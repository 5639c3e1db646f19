"""The hours of the day at which posts were high, and whether one of them stands out.

So many hours are looked at together that one of them would seem the best by chance alone: each is
judged at its part of the level (Bonferroni), so that all of them together have 95 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from catalog.models.metrics import Share

LEAST_POSTS = 20
"""Posts without which an hour is not judged."""

LEAST_ACCOUNTS = 5
"""Accounts without which an hour is not judged: posts of one account resemble each other."""

ERROR = 0.05
"""How often an hour may be told to stand out where none does, all hours together."""


@dataclass(frozen=True, slots=True)
class Hour:
    """The labelled posts of an hour of the day (UTC), and how many of them were high.

    They are of `accounts` known accounts.
    """

    hour: int
    posts: int
    high: int
    accounts: int

    @property
    def share(self) -> float:
        """The share that was high."""
        return self.high / self.posts

    @property
    def enough(self) -> bool:
        """Whether it has posts and accounts enough to be judged."""
        return self.posts >= LEAST_POSTS and self.accounts >= LEAST_ACCOUNTS

    def interval(self, level: float) -> tuple[float, float]:
        """The interval of the share at a level, 0 to 1, after Wilson."""
        ends = Share(self.high, self.posts).interval_at(NormalDist().inv_cdf((1 + level) / 2))
        assert ends  # noqa: S101 - an hour without posts is not listed
        return ends


def level_of(hours: Sequence[Hour]) -> float:
    """The level of each interval, so that together those of the judged hours have 95 %."""
    return 1 - ERROR / max(1, sum(each.enough for each in hours))


def overall(hours: Sequence[Hour]) -> float:
    """The share of the posts of all hours that was high."""
    return sum(each.high for each in hours) / sum(each.posts for each in hours)


def outstanding(hours: Sequence[Hour]) -> Hour | None:
    """The judged hour with the greatest share, of those whose whole interval is above all posts."""
    level, usual = level_of(hours), overall(hours) if hours else 0.0
    above = [each for each in hours if each.enough and each.interval(level)[0] > usual]
    return max(above, key=lambda each: each.share, default=None)
