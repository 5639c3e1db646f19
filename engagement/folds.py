"""Who is trained on and who is tested: by account, by time, or at random by asking.

A model that has seen an account knows its followers, and one that has seen next month knows the
fashion. So a test is on accounts, or on a time, that the model has not seen; never on both at
once, which leaves nothing to test. Near-duplicate pictures stay on one side: the test keeps its
posts, and the others lose theirs.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement.findings import Split, SplitFacts

Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]

LEAST = 50
"""Labelled posts without which nothing can be said."""

FOLDS = 5
VALIDATION = 8
"""One in so many of the rest chooses the epoch and the threshold."""

Deal = Callable[[Bools, Codes, int], list[Bools]]
"""From labels [n], units [n] and a number of folds to the test side of each fold, [n] each."""


@dataclass(frozen=True, eq=False, slots=True)
class Trial:
    """One training and its test: three sides, bool [n] each, that share no post and no picture."""

    name: str
    train: Bools
    validation: Bools
    test: Bools


@dataclass(frozen=True, eq=False, slots=True)
class Division:
    """The trials of a split, and how it was made.

    `accounts` is how many are known, where too few for the split that was asked for; `cut` is the
    first moment of the test, where the split is by time.
    """

    split: Split
    asked: Split
    trials: tuple[Trial, ...]
    cut: datetime | None
    accounts: int | None

    @property
    def facts(self) -> SplitFacts:
        """What a reader is told of it."""
        return SplitFacts(self.split, self.asked, len(self.trials), self.cut)


def divide(asked: Split, posts: pd.DataFrame, high: Bools, groups: Codes) -> Division:
    """Divide the labelled posts into trials; every row of `posts` is labelled, as `high` [n] says.

    `groups` [n] numbers the near-duplicate pictures; without pictures each row has its own number.
    Neither the order of the rows nor which class is called high changes anything. Raises
    ValueError when there is too little to train on or to test: few posts, no times, one class.
    """
    _refuse_few(len(posts), "labelled posts")
    _refuse_one_class(high, "labelled posts")
    if asked is Split.TIME:
        return _by_time(posts, high, groups)
    accounts = _too_few(posts) if asked is Split.ACCOUNT else None
    if asked is Split.ACCOUNT and accounts is None:
        trials = _by_fold(_deal_accounts, account_codes(posts), high, groups)
        return Division(asked, asked, trials, None, None)
    trials = _by_fold(_deal_groups, _in_order_of_ids(posts, groups), high, groups)
    return Division(Split.RANDOM, asked, trials, None, accounts)


def account_codes(posts: pd.DataFrame) -> Codes:
    """A number for each account, int64 [n]; a post without one is an account of its own."""
    names = posts["account"].where(posts["account"].notna(), "\0" + posts["id"])
    return np.asarray(np.unique(names.to_numpy(str), return_inverse=True)[1], np.int64)


def _too_few(posts: pd.DataFrame) -> int | None:
    """How many accounts are known, where folds by account need more."""
    accounts = int(posts["account"].nunique())
    return accounts if accounts < FOLDS else None


def _by_time(posts: pd.DataFrame, high: Bools, groups: Codes) -> Division:
    times = posts["posted_at"]
    known = times.notna().to_numpy(bool)
    if not known.any():
        raise ValueError("no labelled post has a time, so they cannot be split by time")
    _refuse_few(int(known.sum()), "labelled posts with a time")
    cut = _cut(times[known], 1 / FOLDS)
    test = (times >= cut).to_numpy(bool)
    rest = known & ~_alike(groups, test)
    _refuse_one_class(high[rest], "posts before the test")
    validation = rest & (times >= _cut(times[rest], 1 / VALIDATION)).to_numpy(bool)
    train = rest & ~_alike(groups, validation)
    _refuse_one_class(high[train], "training posts")
    trial = Trial("test", train, validation, test)
    return Division(Split.TIME, Split.TIME, (trial,), cut, None)


def _cut(times: "pd.Series[datetime]", share: float) -> datetime:
    """The moment from which on nearest to `share` of the posts are; equal times stay together."""
    moments, counts = np.unique(times.dt.tz_convert(None).to_numpy(), return_counts=True)
    if len(moments) < 2:
        raise ValueError("too many labelled posts have the same time to split them by time")
    from_then_on = counts[::-1].cumsum()[::-1][1:] / len(times)
    moment = moments[1:][np.abs(from_then_on - share).argmin()]
    at: datetime = pd.Timestamp(moment, tz="UTC").to_pydatetime()
    return at


def _by_fold(deal: Deal, units: Codes, high: Bools, groups: Codes) -> tuple[Trial, ...]:
    trials = []
    for number, test in enumerate(deal(high, units, FOLDS), start=1):
        rest = ~_alike(groups, test)
        _refuse_one_class(high[rest], f"posts outside fold {number}")
        train, validation = _validated(deal, rest, units, high, groups)
        _refuse_one_class(high[train], f"training posts of fold {number}")
        trials.append(Trial(f"fold_{number}", train, validation, test))
    return tuple(trials)


def _validated(
    deal: Deal, rest: Bools, units: Codes, high: Bools, groups: Codes
) -> tuple[Bools, Bools]:
    """Training and validation: an eighth of the units, of both classes if that can be had."""
    parts = min(VALIDATION, len(np.unique(units[rest])), max(high[rest].sum(), (~high[rest]).sum()))
    if parts < 2:
        raise ValueError("too few labelled posts are outside the largest account")
    dealt = []
    for part in deal(high[rest], units[rest], int(parts)):
        validation = np.zeros(len(rest), bool)
        validation[rest] = part
        dealt.append((rest & ~_alike(groups, validation), validation))
    good = (pair for pair in dealt if all(_both(high[side]) for side in pair))
    return next(good, dealt[0])


def _deal_accounts(high: Bools, accounts: Codes, folds: int) -> list[Bools]:
    """Folds of whole accounts, alike in size and share of high posts."""
    from sklearn.model_selection import StratifiedGroupKFold  # noqa: PLC0415 (a second to load)

    with warnings.catch_warnings():  # a class with fewer posts than folds is refused by us, or fine
        warnings.simplefilter("ignore", UserWarning)
        tests = [test for _, test in StratifiedGroupKFold(folds).split(high, high, accounts)]
    return [np.isin(np.arange(len(high)), test) for test in tests]


def _deal_groups(high: Bools, groups: Codes, folds: int) -> list[Bools]:
    """Folds of whole picture groups. These are many and small: their sizes average out."""
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415 (a second to load)

    distinct, group = np.unique(groups, return_inverse=True)
    if len(distinct) < folds:
        raise ValueError(f"the labelled posts have only {len(distinct)} different pictures")
    mostly = np.sign(np.bincount(group, np.where(high, 1, -1)))
    splitter = StratifiedKFold(folds, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return [np.isin(group, test) for _, test in splitter.split(mostly, mostly)]


def _in_order_of_ids(posts: pd.DataFrame, groups: Codes) -> Codes:
    """The groups numbered by the smallest id in each, so that the order of rows plays no part."""
    return np.asarray(posts["id"].groupby(groups).transform("min").rank(method="dense"), np.int64)


def _alike(groups: Codes, side: Bools) -> Bools:
    """The posts of a side, and those with near-duplicates of its pictures."""
    return np.isin(groups, groups[side])


def _both(high: Bools) -> bool:
    return bool(high.any() and not high.all())


def _refuse_few(count: int, what: str) -> None:
    if count < LEAST:
        raise ValueError(f"{count} {what} are too few: at least {LEAST} are needed")


def _refuse_one_class(high: Bools, what: str) -> None:
    if not len(high):
        raise ValueError(f"no {what} are left without near-duplicates of the pictures tested")
    if not _both(high):
        only = "high" if high.any() else "low"
        raise ValueError(f"all {len(high)} {what} are {only}: there is nothing to tell apart")
