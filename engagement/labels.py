"""What "high" means, and of which posts nobody can say.

A count that is hidden, missing or not grown yet is unknown, never low: such a post is kept and
scored, and never labelled. `posts` is the frame of the posts reader: one row a post, a RangeIndex.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement.rules import Rule

Bools = NDArray[np.bool_]

HIDDEN_AS = 3
"""The number of likes that some exports give for an account that hides its likes."""

LEAST_POSTS = 5
"""Known posts that an account needs for its median to mean something."""

MEDIAN = "account_median"
"""The column of the posts frame that keeps what account_medians said of all posts."""


class Unknown(StrEnum):
    """Why a post cannot be labelled."""

    HIDDEN = "hidden"
    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    ACCOUNT_HIDES = "account_hides"
    TOO_YOUNG = "too_young"
    NO_FOLLOWERS = "no_followers"
    NO_ACCOUNT = "no_account"
    FEW_POSTS = "few_posts"


def unknown(posts: pd.DataFrame, rule: Rule, min_age: timedelta) -> NDArray[np.object_]:
    """The reason why each post cannot be labelled, or None where it can; object [n].

    Where there are several reasons, the first in the order of Unknown. A post is too young when it
    was collected less than `min_age` after it was posted; nobody knows where one time is missing.
    """
    likes, given = posts["likes"], posts["likes_given"]
    empty = likes.isna() & given.isna()
    reasons = {
        Unknown.HIDDEN: likes < 0,
        Unknown.EMPTY: empty,
        Unknown.NOT_A_NUMBER: ~np.isfinite(likes) & ~empty,
        Unknown.ACCOUNT_HIDES: _account_hides(posts),
        Unknown.TOO_YOUNG: posts["collected_at"] - posts["posted_at"] < min_age,
    }
    if rule.kind == "rate":
        reasons[Unknown.NO_FOLLOWERS] = ~(posts["followers"] > 0)
    if rule.kind == "median":
        reasons[Unknown.NO_ACCOUNT] = posts["account"].isna()
        countable = ~pd.DataFrame(reasons).any(axis=1)
        number = countable.groupby(posts["account"]).transform("sum")
        reasons[Unknown.FEW_POSTS] = number < LEAST_POSTS
    why: NDArray[np.object_] = np.full(len(posts), None, dtype=object)
    for reason, where in reversed(reasons.items()):
        why[where.to_numpy(bool)] = np.array(reason, dtype=object)  # an array, to stay an Unknown
    return why


def bar(rule: Rule, posts: pd.DataFrame, rows: Bools) -> float | None:
    """The number that the rule compares with; a learned one comes from the labelled `rows` only.

    Of the top 30 % it is the likes of the best post below them, so that at most 30 % of `rows` have
    more: posts that tie with the bar are low. None for the median, which is each account's own, and
    where there is no row to learn from.
    """
    if not rule.learned or rule.amount is None:
        return rule.amount
    likes = np.sort(posts["likes"].to_numpy(float)[rows])
    if not len(likes):
        return None
    above = int(round(len(likes) * rule.amount / 100, 9))  # 29.999999999999996 posts are 30
    return float(likes[len(likes) - 1 - above])


def told(why: NDArray[np.object_]) -> str:
    """Why posts can't be labelled, counted, as the end of a sentence; "" where all can."""
    reasons, counts = np.unique(why[pd.notna(why)].astype(str), return_counts=True)
    listed = ", ".join(f"{count:,} {one}" for one, count in zip(reasons, counts, strict=True))
    return f" (not labelled: {listed})" if listed else ""


def account_medians(posts: pd.DataFrame, known: Bools) -> pd.Series:
    """The median likes of the known posts of each post's account, float [n]."""
    return posts["likes"].where(known).groupby(posts["account"]).transform("median")


def high(posts: pd.DataFrame, known: Bools, rule: Rule, bar: float | None) -> Bools:
    """Whether each post is high; bool [n], False where it is not `known`.

    The median is that of the account's known posts; of the column MEDIAN where `posts` has it, as
    those must that are not all of their accounts' posts.
    """
    values: Any = posts["likes"].where(known)
    over: Any = np.nan if bar is None else bar
    if rule.kind == "rate":
        values = values / posts["followers"]
    if rule.kind == "median":
        over = posts[MEDIAN] if MEDIAN in posts else account_medians(posts, known)
    return np.asarray(values > over, bool)


def _account_hides(posts: pd.DataFrame) -> Any:
    """Whether 3 is the single commonest number of likes of the post's account."""
    counts = posts.loc[posts["likes"] >= 0].groupby(["account", "likes"]).size()
    most = counts[counts == counts.groupby("account").transform("max")].reset_index()
    single = most.loc[~most["account"].duplicated(keep=False)]
    return posts["account"].isin(single.loc[single["likes"] == HIDDEN_AS, "account"])
