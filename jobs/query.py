"""Asking the published database: one SELECT, read-only, and no file but the store's parts.

What DuckDB's settings leave open is closed here. Allowing the store's folder would follow the
symbolic links in it (DuckDB 1.4), so only the parts that the views name are allowed, one by one;
of thousands only those of the views that the question names, as each takes its time.
`read_only` and an allowed path still let COPY write there, and since DuckDB 2.0 COPY may stand in
a WITH clause of what counts as a SELECT; it is refused below the top level, so the question has to
be valid in brackets.
"""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa

from jobs.errors import BadInput, JobError
from sql.store import Store

ROWS_AT_ONCE = 10_000

_PART = re.compile(r"'((?:[^']|'')+\.parquet)'")
_READ = re.compile(r"\b(?:from|join) (?:\w+\.)*\"?(\w+)", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_persistent_secrets": False,
}


@contextmanager
def answer(
    store: Store, question: str, params: Mapping[str, Any] | None = None
) -> Iterator[pa.RecordBatchReader]:
    """Yield the rows that a SELECT gives, computed as they are read; times are in UTC.

    BadInput when it is not one SELECT, or DuckDB refuses it; JobError when there is no database
    or it can't be opened.
    """
    with _opened(store, question) as con:
        try:
            text = one_select(question)
            con.sql(f"from (\n{text}\n)", params=dict(params or {}))  # bound, never computed
            rows = con.sql(text, params=dict(params or {}))
            answered = pa.RecordBatchReader.from_stream(rows)
        except duckdb.Error as error:
            raise BadInput(_first_line(error), hint=_hint(error)) from error
        yield pa.RecordBatchReader.from_batches(answered.schema, _batches(answered))


def one_select(question: str) -> str:
    """The text of the one SELECT that a question must be; else BadInput.

    FROM-first, VALUES, DESCRIBE, SUMMARIZE, SHOW and UNPIVOT are SELECTs to DuckDB; PIVOT is not.
    """
    statements = duckdb.extract_statements(question)
    if len(statements) != 1:
        raise BadInput(f"one SELECT is wanted, not {len(statements)} statements")
    [statement] = statements
    if statement.type != duckdb.StatementType.SELECT:
        raise BadInput(f"only SELECT is allowed here, not {statement.type.name}")
    return str(statement.query).strip().removesuffix(";")


def _batches(rows: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The rows, not too many at a time; BadInput where DuckDB can't compute them."""
    try:
        for batch in rows:
            for start in range(0, batch.num_rows, ROWS_AT_ONCE):
                yield batch.slice(start, ROWS_AT_ONCE)
    except OSError as error:  # as Arrow passes on what DuckDB raises
        raise BadInput(_first_line(error)) from error


@contextmanager
def _opened(store: Store, question: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads the published database and its parts, and nothing else.

    With a question, only the parts of the views that it names.
    """
    if not store.database.is_file():
        raise JobError(
            f"there is no database at {store.database}",
            hint="`catalog tag products.csv` or `catalog engage posts.csv` makes it;"
            " --store names another store",
        )
    with TemporaryDirectory(prefix="vitrina-query-") as scratch:
        try:
            con = duckdb.connect(str(store.database), read_only=True, config=_CONFIG)
        except duckdb.Error as error:
            raise JobError(f"{store.database} can't be opened: {_first_line(error)}") from error
        with con:
            con.execute("set TimeZone = 'UTC'")
            # A question is bound more than once, and may read a part more than once.
            con.execute("set parquet_metadata_cache = true")
            # What does not fit into memory must not spill beside the database.
            con.execute(f"set temp_directory = {_literal(scratch)}")
            con.execute(f"set allowed_paths = {_literal(_parts(con, store, question))}")
            con.execute("set enable_external_access = false")
            con.execute("set lock_configuration = true")
            yield con


def _parts(con: duckdb.DuckDBPyConnection, store: Store, question: str | None) -> list[str]:
    """The Parquet files that the views name and that truly lie in the store."""
    found = con.execute("select view_name, sql from duckdb_views() where not internal").fetchall()
    views = defaultdict[str, list[str]](list)
    for name, text in found:
        views[name].append(text)
    words = set(views) if question is None else set(_WORD.findall(question.lower()))
    texts = [text for name in _reached(views, words) for text in views[name]]
    named = {path.replace("''", "'") for text in texts for path in _PART.findall(text)}
    is_plain = cache(lambda path: not os.path.islink(path))  # noqa: PTH114 - thousands of these
    return sorted(path for path in named if _lies_in(store, path, is_plain))


def _reached(views: Mapping[str, list[str]], words: Collection[str]) -> set[str]:
    """The views of these names, and those that they read; names of no view are left out."""
    found: set[str] = set()
    new = views.keys() & words
    while new:
        found |= new
        read = {name for view in new for text in views[view] for name in _READ.findall(text)}
        new = (views.keys() & read) - found
    return found


def _lies_in(store: Store, path: str, is_plain: Callable[[str], bool]) -> bool:
    """Whether a file lies in the store by its path, and no link on the way leads out of it."""
    root = f"{store.root}/"
    if not path.startswith(root) or ".." in path.split("/"):
        return False
    ends = [at for at in range(len(root), len(path)) if path[at] == "/"]
    return all(is_plain(path[:at]) for at in [*ends, len(path)])


def _first_line(error: Exception) -> str:
    """What DuckDB says, without its copy of the query."""
    return " ".join(str(error).split("\n\nLINE ")[0].split())


def _hint(error: Exception) -> str | None:
    if isinstance(error, duckdb.PermissionException):
        return "a query reads the views, not files; a store that was moved needs `catalog rebuild`"
    return None


def _literal(value: object) -> str:
    return str(duckdb.ConstantExpression(value))
