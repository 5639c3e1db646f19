"""Posts as pandas has them: what is unknown is unknown, whatever it was before."""

from datetime import UTC, datetime

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engagement import labels
from engagement.frame import posts_frame
from engagement.rules import Rule

COLUMNS = {
    "id": pa.string(),
    "line": pa.int64(),
    "account": pa.string(),
    "followers": pa.int64(),
    "likes": pa.int64(),
    "likes_given": pa.string(),
    "comments": pa.int64(),
    "posted_at": pa.timestamp("us", "UTC"),
    "collected_at": pa.timestamp("us", "UTC"),
    "caption": pa.string(),
    "product_id": pa.string(),
    "pictures": pa.list_(pa.string()),
}
FULL = {
    "id": "007",
    "line": 2,
    "account": "ann",
    "followers": 900,
    "likes": 12,
    "likes_given": "12.0",
    "comments": 3,
    "posted_at": datetime(2026, 1, 5, 6, 30, tzinfo=UTC),
    "collected_at": datetime(2026, 1, 9, tzinfo=UTC),
    "caption": "Hi",
    "product_id": "p",
    "pictures": ["sha1", "sha2"],
}
BARE = {"id": "8", "line": 3, "pictures": []}


def frame(*rows):
    """The frame of these rows, as DuckDB hands them over."""
    given = pa.Table.from_pylist(list(rows), pa.schema(COLUMNS))  # noqa: F841 - DuckDB reads it
    with duckdb.connect() as con:
        return posts_frame(con.sql("from given").to_arrow_table())


def test_a_whole_post_is_as_it_was():
    """Texts stay texts, numbers are floats, times are UTC, and the first picture counts."""
    posts = frame(FULL)
    [post] = posts.to_dict("records")
    assert post | {"pictures": FULL["pictures"]} == FULL | {"picture": "sha1"}
    assert {posts[name].dtype for name in ("followers", "likes", "comments")} == {np.dtype(float)}


@pytest.mark.parametrize("rows", [(FULL, BARE), (BARE, FULL), (BARE,)])
def test_what_is_unknown_is_none_or_not_a_number(rows):
    """Also where a whole column is: it is never of another kind then."""
    posts = frame(*rows)
    post = posts.iloc[list(rows).index(BARE)]
    for name in ("account", "likes_given", "caption", "product_id", "picture"):
        assert post[name] is None
        assert posts[name].dtype == object
    for name in ("followers", "likes", "comments"):
        assert np.isnan(post[name])
        assert posts[name].dtype == np.float64
    for name in ("posted_at", "collected_at"):
        assert post[name] is pd.NaT
        assert str(posts[name].dtype).endswith("UTC]")


def test_posts_are_in_their_order_and_numbered_from_0():
    """What is computed of them is put beside them by place."""
    posts = frame(*({**BARE, "id": str(row), "line": 9 - row} for row in range(5)))
    assert posts["id"].tolist() == ["0", "1", "2", "3", "4"]
    assert posts.index.equals(pd.RangeIndex(5))


def test_no_posts_are_a_frame_too():
    """With the same columns, and the labels can be asked for."""
    posts = frame()
    assert list(posts) == list(frame(FULL))
    found = labels.unknown(posts, Rule.parse("above account median"), pd.Timedelta(hours=48))
    assert len(found) == 0
