"""What can be had without the picture, measured beside what the picture gives.

Likes above a bar are mostly a follower count, so that a score of the picture never stands alone:
each rung is a model of the same training posts, scored on the same test posts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement import metadata
from engagement.bootstrap import inside_accounts, roc_auc
from engagement.findings import Rung

Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

MAJORITY = "majority"
FOLLOWERS = "followers only"
ACCOUNT_MEAN = "account mean"
TIME = "time of posting"
PICTURE = "picture only"
TOGETHER = "all together"


@dataclass(frozen=True, eq=False, slots=True)
class Exam:
    """Who is trained on and who is tested, bool [n] each, and the labels by this exam's bar."""

    train: Bools
    test: Bools
    high: Bools


Way = Callable[[Exam], Floats]
"""A way to score: from an exam to a score [n] of every post, of which the tested ones count."""


def ladder(
    posts: pd.DataFrame,
    exams: Sequence[Exam],
    units: Codes,
    picture: Floats | None,
    *,
    account_mean: bool,
) -> tuple[Rung, ...]:
    """The rungs that can be had, lowest first, over the test posts of all exams together.

    `units` [n] are what the bootstrap draws again. `picture` [n] is the score of each post by a
    model that has not seen it, NaN where there is none: such posts are tested on no rung. The order
    of the rows changes nothing. ValueError when the training posts of an exam are of one class.
    """
    if not all(_both(exam.high[exam.train]) for exam in exams):
        raise ValueError("all training posts are high, or all low: there is nothing to tell apart")
    posts, exams, units, picture = _by_id(posts, exams, units, picture)
    if picture is not None:
        scored = np.isfinite(picture)
        if any((exam.test & scored).any() for exam in exams):
            exams = [replace(exam, test=exam.test & scored) for exam in exams]
        else:
            picture = None
    ways = _ways(posts, exams, picture, account_mean=account_mean)
    majority, *others = (_rung(name, posts, exams, units, way) for name, way in ways.items())
    return (_without_intervals(majority), *others)


def _by_id(
    posts: pd.DataFrame, exams: Sequence[Exam], units: Codes, picture: Floats | None
) -> tuple[pd.DataFrame, Sequence[Exam], Codes, Floats | None]:
    """The same in the order of ids: a sum depends, in its last bits, on the order of its terms."""
    order = np.argsort(posts["id"].to_numpy(str), kind="stable")
    return (
        posts.iloc[order].reset_index(drop=True),
        [Exam(exam.train[order], exam.test[order], exam.high[order]) for exam in exams],
        units[order],
        None if picture is None else picture[order],
    )


def _ways(
    posts: pd.DataFrame, exams: Sequence[Exam], picture: Floats | None, *, account_mean: bool
) -> dict[str, Way]:
    """What each rung goes by, where it has anything to go by."""
    followers, time = metadata.followers(posts), metadata.posting_time(posts)
    accounts = posts["account"]
    ways: dict[str, Way] = {MAJORITY: lambda _: np.zeros(len(posts))}
    if _known(followers):
        ways[FOLLOWERS] = lambda exam: _modelled(followers, exam)
    if account_mean and accounts.notna().any():
        ways[ACCOUNT_MEAN] = lambda exam: metadata.account_means(accounts, exam.high, exam.train)
    if _known(time):
        ways[TIME] = lambda exam: _modelled(time, exam)
    every = [each for each in (followers, time, metadata.caption(posts)) if _known(each)]
    learners = np.ones(len(posts), bool)
    if picture is not None:
        ways[PICTURE] = lambda _: picture
        every.append(picture[:, None])
        learners = np.isfinite(picture)
    if (every or account_mean) and all(_both(exam.high[exam.train & learners]) for exam in exams):

        def together(exam: Exam) -> Floats:
            """Learn what the picture is worth beside the rest (stacking: Wolpert 1992)."""
            columns = list(every)
            if account_mean:
                means = metadata.unseen_account_means(accounts, exam.high, exam.train)
                columns.append(means[:, None])
            return _modelled(np.hstack(columns), replace(exam, train=exam.train & learners))

        ways[TOGETHER] = together
    return ways


def _modelled(columns: Floats, exam: Exam) -> Floats:
    """What a linear model of these columns [n, any] says of every post; a NaN is told by a flag."""
    from sklearn.impute import SimpleImputer  # noqa: PLC0415 (a second to load)
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    model = make_pipeline(
        SimpleImputer(add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(max_iter=1_000),
    )
    model.fit(columns[exam.train], exam.high[exam.train])
    score: Floats = model.decision_function(columns)
    return score.round(9)  # equal posts may differ in the last bits of a product, and must tie


def _rung(name: str, posts: pd.DataFrame, exams: Sequence[Exam], units: Codes, way: Way) -> Rung:
    rows = np.concatenate([np.flatnonzero(exam.test) for exam in exams])
    high = np.concatenate([exam.high[exam.test] for exam in exams])
    score = np.concatenate([way(exam)[exam.test] for exam in exams])
    number = np.repeat(np.arange(len(exams)), [int(exam.test.sum()) for exam in exams])
    accounts = posts["account"].to_numpy(object)[rows]
    return Rung(
        name,
        roc_auc(high, score, units[rows], number),
        inside_accounts(high, score, accounts, units[rows], number),
    )


def _without_intervals(rung: Rung) -> Rung:
    """The rung as it is by definition: one half, whatever the sample."""
    auc, inside = (replace(each, low=None, high=None) for each in (rung.auc, rung.inside))
    return replace(rung, auc=auc, inside=inside)


def _known(columns: Floats) -> bool:
    return not bool(np.isnan(columns).all())


def _both(high: Bools) -> bool:
    return bool(high.any() and not high.all())
