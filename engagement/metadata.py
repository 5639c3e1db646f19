"""What is known of a post without its picture, as columns for a linear model.

Only what is there when the post goes out: followers, time, caption. Comments come after.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

TURNS = 5
"""Parts of the training posts, each of which gets its account means from the others."""


def followers(posts: pd.DataFrame) -> Floats:
    """The logarithm of the followers, [n, 1]; NaN where unknown, and 0 is a way to say unknown."""
    count = posts["followers"].to_numpy(float)[:, None]
    return np.asarray(np.log1p(np.where(count > 0, count, np.nan)))


def posting_time(posts: pd.DataFrame) -> Floats:
    """The hour of the day and the day of the week (UTC) on their circles, [n, 4]; NaN unknown."""
    at = posts["posted_at"].dt
    hour = (at.hour + at.minute / 60).to_numpy(float) / 24
    day = at.day_of_week.to_numpy(float) / 7
    turns = 2 * np.pi * np.stack([hour, day], axis=1)
    return np.hstack([np.sin(turns), np.cos(turns)])


def caption(posts: pd.DataFrame) -> Floats:
    """The logarithms of its length and of its number of hashtags, [n, 2]; NaN where unknown."""
    text = posts["caption"].astype("string").str
    counts = np.stack([text.len(), text.count(r"#\w")], axis=1)
    return np.asarray(np.log1p(counts.astype(float)))


def account_means(accounts: pd.Series, high: Bools, learn: Bools) -> Floats:
    """The share of high among each account's `learn` posts, [n]; of all where it has none."""
    learnt = pd.Series(high[learn].astype(float))
    means = learnt.groupby(accounts[learn].to_numpy()).mean()
    return np.array(accounts.map(means).fillna(learnt.mean()), float)


def unseen_account_means(accounts: pd.Series, high: Bools, learn: Bools) -> Floats:
    """The same, [n], but a post to learn from never counts in its own mean.

    A model that learned from means which hold the answer would trust them too much, so each fifth
    of `learn` gets them from the other four (cross-fitted target encoding: Micci-Barreca 2001).
    """
    means = account_means(accounts, high, learn)
    turn = np.arange(len(means)) % TURNS
    for each in range(TURNS):
        mine = learn & (turn == each)
        means[mine] = account_means(accounts, high, learn & (turn != each))[mine]
    return means
