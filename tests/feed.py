"""Posts as the reader of posts.csv hands them on."""

from collections.abc import Sequence
from typing import Any

import pandas as pd


def feed(likes: Sequence[float | None], **columns: Sequence[Any]) -> pd.DataFrame:
    """One post for each number of likes; columns that are not given are unknown throughout."""
    n = len(likes)
    ids = columns.get("id", [f"p{number:05d}" for number in range(n)])
    text = {name: [None] * n for name in ("account", "likes_given", "caption", "product_id")}
    text["likes_given"] = [None if like is None else str(like) for like in likes]
    numbers = {"likes": likes} | {name: [None] * n for name in ("followers", "comments")}
    times = {name: [None] * n for name in ("posted_at", "collected_at")}
    return pd.DataFrame(
        {"id": ids, "line": range(2, n + 2)}
        | {name: pd.Series(columns.get(name, text[name]), dtype=object) for name in text}
        | {name: pd.Series(columns.get(name, numbers[name]), dtype=float) for name in numbers}
        | {
            name: pd.to_datetime(
                pd.Series(columns.get(name, times[name]), dtype=object), utc=True, format="ISO8601"
            ).astype("datetime64[us, UTC]")
            for name in times
        }
        | {"time_unread": False}
    )
