"""ROC-AUC, overall and inside accounts, with an interval that knows that posts are not alone.

Posts of one account resemble each other, so that an interval over rows is far too narrow: whole
accounts (or picture groups) are drawn again instead, which is the cluster bootstrap (Davison and
Hinkley 1997, section 3.8).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement.findings import Auc

Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

RESAMPLES = 1_000
SEED = 0
BLOCK = 64
"""Resamples at a time: more would take memory, fewer time."""

LEAST_UNITS = 5
"""Accounts without which an interval would only look like one."""


def roc_auc(high: Bools, score: Floats, units: Codes, exams: Codes) -> Auc:
    """The area under the ROC curve of all posts; arrays [n], ValueError where a score is NaN.

    `exams` numbers the model that scored each post: several models do not err independently.
    """
    return _resampled(high, score, np.zeros(len(high), np.int64), units, _widening(exams))


def inside_accounts(
    high: Bools, score: Floats, accounts: NDArray[np.object_], units: Codes, exams: Codes
) -> Auc:
    """The same among pairs of one account only; posts without an account (None) are in no pair.

    Nor are posts that different `exams` [n] tested: an account that is high more often in one test
    is so less often in that test's training, and its scores are lower there. Compared across
    exams, a model that knows nothing but the account falls far below one half (measured: 0.21).
    """
    named = pd.notna(accounts)
    _, account = np.unique(accounts[named].astype(str), return_inverse=True)
    exam = exams[named]
    strata = account * (exam.max(initial=0) + 1) + exam
    return _resampled(high[named], score[named], strata, units[named], _widening(exams))


def _resampled(high: Bools, score: Floats, strata: Codes, units: Codes, widening: float) -> Auc:
    """Compare pairs of one stratum, and resample the units that are in any."""
    if np.isnan(score).any():
        raise ValueError("a score is not a number")
    paired = _paired(high, strata)
    distinct, unit = np.unique(units[paired], return_inverse=True)
    if not paired.any():
        return Auc(None, None, None, 0, 0)
    pairs = _Pairs(high[paired], score[paired], strata[paired], unit)
    value = float(pairs.share(np.ones((int(paired.sum()), 1)))[0])
    low = high_end = None
    if len(distinct) >= LEAST_UNITS:
        random = np.random.default_rng(SEED)
        shares = np.concatenate(
            [
                pairs.share(_drawn(random, len(distinct), min(BLOCK, RESAMPLES - done))[unit])
                for done in range(0, RESAMPLES, BLOCK)
            ]
        )
        tail = _tail(_effective(high[paired], strata[paired], unit))
        ends = value + widening * (np.nanquantile(shares, [tail, 1 - tail]) - value)
        low, high_end = (float(end) for end in ends.clip(0, 1))
    return Auc(value, low, high_end, int(paired.sum()), len(distinct))


def _widening(exams: Codes) -> float:
    """By how much the interval over k folds is wider than one over posts that one model scored.

    Each fold's labels teach the models that score the other folds, so that accounts agree by chance
    more than independent ones, and resampling their scores does not see it: the variance is
    1 + k / (k - 1) times as large (Nadeau and Bengio 2003, with 1/k of the posts in each test). A
    linear model without any signal has 2 times, since each pair of accounts counts both ways.
    """
    folds = len(np.unique(exams))
    return float(np.sqrt(1 + folds / (folds - 1))) if folds > 1 else 1.0


def _paired(high: Bools, strata: Codes) -> Bools:
    """Which rows are in a stratum that has both classes."""
    ups = np.bincount(strata, high)
    return np.asarray(((ups > 0) & (ups < np.bincount(strata)))[strata], bool)


def _effective(high: Bools, strata: Codes, unit: Codes) -> float:
    """How many equally big units would tell as much: (sum of pairs)² / sum of squares (Kish 1965).

    A few big accounts often have nearly all the pairs, and only they decide.
    """
    ups = np.bincount(strata, high)
    lows = np.bincount(strata, ~high)
    pairs = np.bincount(unit, np.where(high, lows[strata], ups[strata]))
    return float(pairs.sum() ** 2 / (pairs**2).sum())


def _tail(units: float) -> float:
    """The share of resamples beyond each end of a 95 % interval: less than 2.5 % for few units.

    A bootstrap of n units is too narrow by √((n-1)/n), and takes a Student's t for a normal; the
    percentiles are widened by both (the expanded percentile interval: Hesterberg 2015, section
    5.3). Measured on scores that mean nothing, see the tests.
    """
    from scipy.stats import norm, t  # type: ignore[import-untyped]  # noqa: PLC0415 (slow to load)

    degrees = max(units - 1, 1.0)
    return float(norm.cdf(np.sqrt(1 + 1 / degrees) * t.ppf(0.025, degrees)))


def _drawn(random: np.random.Generator, units: int, resamples: int) -> Floats:
    """How often each unit is in each resample, [units, resamples]."""
    draws = random.integers(units, size=(resamples, units))
    draws += np.arange(resamples)[:, None] * units
    counts = np.bincount(draws.ravel(), minlength=resamples * units)
    return np.ascontiguousarray(counts.reshape(resamples, units).T, np.float64)


class _Pairs:
    """Rows sorted once by stratum and score, so that each resample is one cumulative sum."""

    def __init__(self, high: Bools, score: Floats, strata: Codes, unit: Codes) -> None:
        self._order = np.lexsort((score, strata))
        self._low = ~high[self._order, None]
        self._ups = np.flatnonzero(high[self._order])
        units_of_strata = np.unique(np.stack([strata, unit]), axis=1).shape[1]
        self._drawn_whole = units_of_strata == len(np.unique(strata))
        strata, score = strata[self._order], score[self._order]
        new_stratum = np.append(True, strata[1:] != strata[:-1])
        self._stratum = _ends(new_stratum)[:, self._ups]
        new_tie = new_stratum | np.append(True, score[1:] != score[:-1])
        self._tie = _ends(new_tie)[:, self._ups]

    def share(self, weights: Floats) -> Floats:
        """The share of pairs won, ties half, [k]; weights [n, k] say how often a row is there.

        An account that is drawn twice is there as two accounts, and no pair is of both.
        """
        weights = weights[self._order]
        low = self._low.astype(float) if self._drawn_whole else weights * self._low
        lows = np.zeros((len(low) + 1, low.shape[1]))
        np.cumsum(low, axis=0, out=lows[1:])
        first, last = lows[self._stratum[0]], lows[self._stratum[1]]
        below = (lows[self._tie[0]] + lows[self._tie[1]]) / 2
        ups = weights[self._ups]
        won, pairs = ((ups * each).sum(axis=0) for each in (below - first, last - first))
        shares: Floats = np.full(len(pairs), np.nan)
        np.divide(won, pairs, out=shares, where=pairs > 0)
        return shares


def _ends(new: Bools) -> NDArray[np.int64]:
    """Where each row's block starts and where it ends, [2, n]; `new` marks the first of each."""
    starts = np.flatnonzero(new)
    block = np.cumsum(new) - 1
    return np.stack([starts[block], np.append(starts[1:], len(new))[block]])
