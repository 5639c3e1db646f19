"""The data dictionary: every view and column, and every named query, as one Markdown page.

`python -m sql.dictionary` writes it again to DICTIONARY.md beside this file.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow.parquet as pq

from sql import questions
from sql.database import VIEWS, comment_views, create_views
from sql.files import write_text
from sql.manifests import Manifest, Part
from sql.questions import Parameter, Query
from sql.schemas import tags_schema
from sql.store import Store

PAGE = Path(__file__).with_name("DICTIONARY.md")
EXAMPLE = "colour"  # the attribute that `tags` is shown with

_HEAD = f"""# Data dictionary

Made from the views, schemas and queries by `make dictionary`; a test fails when it is out of date.

The views are what analysts query. `history.<table>` has every row that any run wrote. All times are
in UTC.
In `tags`, `{EXAMPLE}` stands for any attribute of the store: each has the same five columns.
"""
_COLUMNS = (
    "select schema_name, table_name, column_name, data_type, comment from duckdb_columns()"
    " where not internal order by table_oid, column_index"
)
_VIEWS = "select schema_name, view_name, comment from duckdb_views() where not internal"


def dictionary() -> str:
    """Write the whole page."""
    with TemporaryDirectory() as folder, duckdb.connect() as con:
        store = Store(Path(folder))
        create_views(con, store, [_tagged(store)])
        comment_views(con)
        told = {(schema, view): comment for schema, view, comment in con.sql(_VIEWS).fetchall()}
        columns = {
            view: [row[2:] for row in rows]
            for view, rows in groupby(con.sql(_COLUMNS).fetchall(), key=lambda row: row[:2])
        }
    history = sorted(view for schema, view in told if schema == "history")
    parts = [_HEAD, "## Views\n"]
    parts += [_view(name, told["main", name], columns["main", name]) for name in sorted(VIEWS)]
    parts += ["## History\n"]
    parts += [
        _view(f"history.{name}", told["history", name], columns["history", name])
        for name in history
    ]
    parts += ["## Named queries\n\n`catalog query NAME` answers them; a parameter is a flag.\n"]
    parts += [_query(questions.read(name)) for name in questions.names()]
    return "\n".join(parts)


def _tagged(store: Store) -> Manifest:
    """A run that left an empty part of `tags`: without one its attributes are not known."""
    path = store.part("tags", "1", 1)
    path.parent.mkdir(parents=True)
    pq.write_table(tags_schema([EXAMPLE]).empty_table(), path)
    return Manifest("1", "tag", "", "", "", parts=[Part("tags", store.relative(path), 0, 0)])


def _view(name: str, comment: str, columns: list[tuple[str, str, str]]) -> str:
    return "\n".join(
        [
            f"### {name}\n\n{comment}\n",
            "| column | type | meaning |\n|---|---|---|",
            *(f"| `{column}` | {_cell(kind)} | {_cell(text)} |" for column, kind, text in columns),
            "",
        ]
    )


def _query(query: Query) -> str:
    return "\n".join([f"### {query.name}\n\n{query.question} {query.grain}\n", *_flags(query)])


def _flags(query: Query) -> Iterator[str]:
    if query.parameters:
        yield "| parameter | type | default | meaning |\n|---|---|---|---|"
        for one in query.parameters:
            kind = "whole number" if one.kind is int else "text"
            yield f"| `--{one.name}` | {kind} | {_default(one)} | {_cell(one.meaning)} |"
        yield ""


def _default(parameter: Parameter) -> str:
    if parameter.required:
        return "required"
    return "" if parameter.default is None else _cell(str(parameter.default))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    write_text(PAGE, dictionary())
