"""Compaction: the rows that live, written anew; and the parts that they stand for, in the end gone.

Nobody notices: the views say the same before and after, and whoever has the old database open
goes on reading the old parts, which stay for the grace.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import chain

import duckdb
import pyarrow as pa

from sql import schemas, statements
from sql.manifests import Manifest, Part, visible
from sql.parts import PartWriter
from sql.store import Store

GRACE = timedelta(days=7)
_ROWS = 20_000  # of a batch between DuckDB and Parquet
_RUN = pa.field("run", pa.string(), metadata={"comment": "the run that wrote the row"})


class NewerStore(ValueError):  # noqa: N818 - it says what is the case
    """The store has rows that this version would lose."""


def find_kept(con: duckdb.DuckDBPyConnection, since: datetime) -> None:
    """Find which locations, pictures and models live, for `count_live` and `write_live`.

    `con` has the store's views; what left its CSV before `since` is forgotten.
    """
    statements.run(con, "kept_locations", since=since).create("kept_locations")
    for step in ("kept_pictures", "kept_models"):
        statements.run(con, step).create(step)


def count_live(con: duckdb.DuckDBPyConnection) -> int:
    """How many rows live, over all tables."""
    return sum(statements.count(con, f"live_{table}") for table in schemas.TABLES)


def write_live(
    store: Store, run_id: str, con: duckdb.DuckDBPyConnection, rows_per_part: int
) -> list[Part]:
    """Write the live rows of every table as parts of this run, and tell them.

    NewerStore when a table has columns that this version does not know. When it fails, the parts
    are taken back.
    """
    parts: list[Part] = []
    try:
        for table in schemas.TABLES:
            writer = PartWriter(store, run_id, table, _schema(con, table), rows_per_part)
            try:
                for batch in statements.batches(con, f"live_{table}", _ROWS):
                    writer.write(batch)
                writer.close()
            finally:
                parts += writer.parts
    except BaseException:
        remove(store, parts)
        raise
    return parts


def check_tables(manifests: Iterable[Manifest]) -> None:
    """NewerStore when a visible part is of a table that this version does not know."""
    tables = {part.table for manifest in visible(manifests) for part in manifest.parts}
    if unknown := sorted(tables - set(schemas.TABLES)):
        raise NewerStore(f"the store has tables of a newer version: {', '.join(unknown)}")


def expired(manifests: Sequence[Manifest], now: datetime) -> list[Part]:
    """Tell the parts that were replaced so long ago that nobody reads them any more."""
    over = {
        run_id
        for manifest in manifests
        if datetime.fromisoformat(manifest.finished) < now - GRACE
        for run_id in manifest.replaces
    }
    return list(chain.from_iterable(one.parts for one in manifests if one.id in over))


def remove(store: Store, parts: Iterable[Part]) -> None:
    """Delete parts, and the folders that are empty then; those that are gone already are fine."""
    for part in parts:
        path = store.root / part.path
        path.unlink(missing_ok=True)
        if path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()


def _schema(con: duckdb.DuckDBPyConnection, table: str) -> pa.Schema:
    """Tell the columns of a table as a compaction writes it: each row says which run it is of.

    Any column may be null: an older version may not have had it yet.
    """
    there = con.view(f"history.{table}").columns
    schema = schemas.TABLES[table]
    if table == "tags":
        schema = schemas.tags_schema(schemas.attributes_of(there))
    if unknown := sorted(set(there) - {*schema.names, "run"}):
        raise NewerStore(f"{table} has columns of a newer version: {', '.join(unknown)}")
    columns = [*(column.with_nullable(True) for column in schema), _RUN]
    return pa.schema(columns, metadata=schema.metadata)
