"""Which head may answer for a post, and which answers may be counted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from catalog.models.artefact import Card
from engagement.classes import HEAD
from engagement.findings import Split

Tested = Mapping[tuple[str, str], str]
"""Of the posts that the model was tested on, by id and picture, the head that tested each."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a classifier's folder says of its training: what tested it, and what chose its epoch."""

    tested: Tested
    chosen_by: Collection[str]  # pictures


def score_posts(posts: pd.DataFrame, card: Card, trial: Trial, said: pd.DataFrame) -> pd.DataFrame:
    """Columns head, score, unseen and chosen_by for each post, rows as in `posts`.

    `said` has a row for each picture that was looked at, by its SHA-256: P(high) of each head, and
    `trained_on`. A post is known by its first picture; without one the score is NaN. `unseen` tells
    whether the head had seen neither the post nor, as the split asks, its account or its time, nor
    a picture like it. `chosen_by` marks posts that chose the epoch and taught nothing.
    """
    tested = trial.tested
    head, apart = _heads(posts, card, tested)
    rows = said.reindex(posts["picture"])
    scores = rows.reindex(columns=list(card.vocabulary)).to_numpy(float)
    places = pd.Index(card.vocabulary).get_indexer(pd.Index(head))
    score = scores[np.arange(len(rows)), places]
    # A post whose account is another one now may get a head that was trained on it.
    keys = zip(posts["id"], posts["picture"], head, strict=True)
    asked = [tested.get((post, picture)) == name for post, picture, name in keys]
    unlike = rows["trained_on"].eq(other=False).to_numpy(bool)
    unseen = np.isfinite(score) & apart & (np.array(asked, bool) | unlike)
    chosen_by = np.isfinite(score) & posts["picture"].isin(trial.chosen_by).to_numpy(bool)
    columns = {"head": head, "score": score, "unseen": unseen, "chosen_by": chosen_by & ~unseen}
    return pd.DataFrame(columns, index=posts.index)


def tested_posts(posts: pd.DataFrame, rows: pa.Table) -> pd.DataFrame:
    """The same of the posts of a training, by the scores that tested them (its test scores).

    Each was scored by a head that had not seen it; what was not tested has no score.
    """
    found = {
        (row["id"], row["picture"]): (row["head"], row["scores"][1]) for row in rows.to_pylist()
    }
    keys = zip(posts["id"], posts["picture"], strict=True)
    heads, scores = zip(*(found.get(key, (HEAD, np.nan)) for key in keys), strict=True)
    score = np.array(scores, float)
    return pd.DataFrame(
        {"head": heads, "score": score, "unseen": np.isfinite(score), "chosen_by": False},
        index=posts.index,
    )


def _heads(
    posts: pd.DataFrame, card: Card, tested: Tested
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """The head of each post, [n], and whether it never saw its account, or its time."""
    keys = list(zip(posts["id"], posts["picture"], strict=True))
    if card.split["kind"] == Split.TIME:
        cut = datetime.fromisoformat(card.split["cut"])
        return np.full(len(posts), HEAD, object), (posts["posted_at"] >= cut).to_numpy(bool)
    heads = pd.Series([tested.get(key) for key in keys], index=posts.index, dtype=object)
    if card.split["kind"] == Split.ACCOUNT:
        # An account that every head saw has "", and one that none saw is not there.
        by_account = posts["account"].map(card.split["heads"])
        # Nobody can say that a post without an account is of none that was seen.
        heads = by_account.where(posts["account"].notna(), heads.fillna(""))
    answered = heads.where(heads.notna() & (heads != ""), HEAD)
    return answered.to_numpy(object), (heads != "").to_numpy(bool)
