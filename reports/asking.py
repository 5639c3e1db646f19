"""Asking the published tables: the queries of reports/queries, and their rows as frozen values."""

from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

T = TypeVar("T")


def ask(connection: duckdb.DuckDBPyConnection, query: str, params: Mapping[str, Any]) -> pa.Table:
    """Answer one of queries/*.sql; the files belong to us, the values are bound."""
    return connection.sql(_text(query), params=dict(params)).to_arrow_table()


def keep(connection: duckdb.DuckDBPyConnection, query: str, params: Mapping[str, Any]) -> None:
    """Keep the answer of one of queries/*.sql, which says where, for the connection's others."""
    connection.execute(_text(query), dict(params))


def each(kind: Callable[..., T], table: pa.Table) -> tuple[T, ...]:
    """Make a frozen value of every row, whose columns are its fields."""
    return tuple(kind(**row) for row in table.to_pylist())


def _text(query: str) -> str:
    return resources.files("reports").joinpath("queries", f"{query}.sql").read_text("utf-8")
