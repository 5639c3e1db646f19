"""The posts frame: what is known of posts, as pandas has it."""

import numpy as np
import pandas as pd
import pyarrow as pa

NUMBERS = ("followers", "likes", "comments")
TIMES = ("posted_at", "collected_at")
TEXTS = ("account", "likes_given", "caption", "product_id")


def posts_frame(table: pa.Table) -> pd.DataFrame:
    """The rows of sql/steps/posts_frame.sql, in their order, with a RangeIndex.

    Numbers are float64 (NaN unknown), times UTC (NaT), texts str or None; an account is in the form
    in which accounts are compared; `time_unread` tells whether a time is given that says nothing;
    `picture` is the first picture that can be read, by its SHA-256, or None.
    """
    frame = table.drop_columns("pictures").to_pandas()
    for name in NUMBERS:
        frame[name] = frame[name].astype(np.float64)
    for name in TIMES:
        frame[name] = pd.to_datetime(frame[name], utc=True)
    for name in TEXTS:
        frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    # Networks take @Shop and shop for one account.
    names = frame["account"].astype("string").str.strip().str.casefold().str.removeprefix("@")
    frame["account"] = names.astype(object).where(frame["account"].notna(), None)
    pictures = table["pictures"].to_pylist()
    frame["picture"] = pd.Series([each[0] if each else None for each in pictures], dtype=object)
    return frame
