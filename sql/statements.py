"""SQL that jobs run step by step; each file says its question, grain and parameters."""

from importlib.resources import files
from typing import Any

import duckdb
import pyarrow as pa


def run(con: duckdb.DuckDBPyConnection, step: str, **params: Any) -> duckdb.DuckDBPyRelation:
    """The rows of `sql/steps/<step>.sql`, computed as they are read."""
    return con.sql(read(step), params=params)


def table(con: duckdb.DuckDBPyConnection, step: str, **params: Any) -> pa.Table:
    """All rows of `sql/steps/<step>.sql`, in memory."""
    return run(con, step, **params).to_arrow_table()


def batches(
    con: duckdb.DuckDBPyConnection, step: str, rows: int, **params: Any
) -> pa.RecordBatchReader:
    """The rows of `sql/steps/<step>.sql`, so many at a time: never all in memory."""
    return run(con, step, **params).to_arrow_reader(rows)


def count(con: duckdb.DuckDBPyConnection, step: str, **params: Any) -> int:
    """How many rows `sql/steps/<step>.sql` gives."""
    [(rows,)] = run(con, step, **params).aggregate("count(*)").fetchall()
    return int(rows)


def keep(con: duckdb.DuckDBPyConnection, step: str, of: str, **params: Any) -> None:
    """Keep the rows of `sql/steps/<step>.sql` on this connection, as a table of the step's name.

    They are computed once for what they are `of`, and again where they are of something else.
    """
    [(kept,)] = con.execute(f"select getvariable('{step}')").fetchall()
    if kept == of:
        return
    con.execute(f"create or replace temp table {step} as {read(step)}", params)
    con.execute(f"set variable {step} = $of", {"of": of})


def read(step: str) -> str:
    """The text of `sql/steps/<step>.sql`."""
    return files("sql").joinpath("steps", f"{step}.sql").read_text(encoding="utf-8")
