"""What is inside catalog.duckdb: views over the parts, and a comment on each column.

The schema `history` has every row that any run wrote. The views that people use lie on top of
it, one file each in views/, whose header is the view's comment. A column is commented by that
header (`-- column: what it means`), else as where the view reads it, the last place first.

Of tables in which a later row takes the place of an earlier one of its key, the schema `parts` has
the rows of the first run, which hold no key twice, apart from the `_later` ones. Over a year of
nights most rows are of the first run, or of a compaction: what is newest is then found among the
few others.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from sql import schemas
from sql.disk import disk_trouble
from sql.manifests import Manifest, parts_of, shown_report, visible
from sql.store import Store, cards, current_models

# In the order of creation: a view comes after those that it reads.
VIEWS = (
    "products",
    "posts",
    "fetches",
    "images",
    "predictions",
    "embeddings",
    "tags",
    "labels",
    "rejects",
    "troubles",
    "failures",
    "runs",
    "models",
    "evaluations",
    "held_out",
    "post_tags",
    "engagement",
    "engagement_evaluation",
    "engagement_ladder",
)

# A later row takes the place of an earlier one with the same values of these columns.
KEYS = {
    "products": ("source", "id"),
    "posts": ("source", "id"),
    "fetches": ("location",),
    "pictures": ("picture",),
    "tags": ("source", "id"),
    "engagement": ("source", "id"),
}
# A run may ask for a location twice; of the others it writes a key once.
_MAYBE_TWICE = ("fetches", "pictures")

_VIEWS = Path(__file__).parent / "views"
_RUN = r"regexp_extract(filename, '/run=([^/]+)/[^/]+$', 1) as run"
# What a compaction wrote anew says itself which run it is of.
_RUN_KEPT = r"coalesce(run, regexp_extract(filename, '/run=([^/]+)/[^/]+$', 1)) as run"
_MODEL = r"regexp_extract(filename, '/([^/]+/[^/]+)/split\.parquet$', 1) as model"
_ADDED = {"run": "the run that wrote the row", "model": "the model, as name/version"}

# What stands after it in a view is there once for each attribute.
_EACH = "-- For each attribute:\n"
# Without any attribute the columns are there all the same.
_NO_LABELS = {"_given": "varchar", "_predicted": "varchar", "_confidence": "float"}
_NO_LABELS |= {"_review": "boolean", "": "varchar"}

_SQL_TYPES = {
    "string": "varchar",
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "integer",
    "int64": "bigint",
    "float": "float",
    "double": "double",
    "timestamp[us, tz=UTC]": "timestamptz",
}

_COLUMN_COMMENT = re.compile(r"^-- (\w+): (.+(?:\n--   .+)*)\n", re.MULTILINE)
_READ = re.compile(r"\b(?:from|join) ((?:(?:history|parts)\.)?\w+)")


def write_database(path: Path, store: Store, manifests: Sequence[Manifest]) -> None:
    """Create the DuckDB file at `path`, which must not exist, closed and complete."""
    try:
        with duckdb.connect() as con:
            # Without this version, only DuckDB 2.0 and later could open the file.
            con.execute(f"attach {_literal(str(path))} as catalog (storage_version 'v1.2.0')")
            con.execute("use catalog")
            con.begin()  # else each statement is flushed to the disk, hundreds of times
            create_views(con, store, manifests)
            comment_views(con)
            con.commit()
            con.execute("use memory")
            con.execute("detach catalog")
    except duckdb.Error as err:
        trouble = disk_trouble(err, path.parent)
        if trouble is None:
            raise
        raise trouble from err


def view_sql(name: str) -> str:
    """Tell the SQL of a view, with its header."""
    return (_VIEWS / f"{name}.sql").read_text(encoding="utf-8")


def create_views(
    con: duckdb.DuckDBPyConnection, store: Store, manifests: Sequence[Manifest]
) -> None:
    """Create the schemas and the views where `con` stands; `comment_views` comes after.

    A part that is missing is a ValueError that names it.
    """
    # A view is bound as it is created, for which the footers of all its parts are read.
    con.execute("set parquet_metadata_cache = true")
    con.execute("create schema history")
    con.execute("create schema parts")
    for name, query in _history(con, store, manifests):
        con.execute(f"create view {name} as {query}")
    for name in VIEWS:
        con.execute(f"create view {name} as {_view_query(con, name)}")


def comment_views(con: duckdb.DuckDBPyConnection) -> None:
    """Say what each view and each of its columns is."""
    columns = _columns(con)
    described: dict[str, dict[str, str]] = {}
    for schema in (*schemas.TABLES.values(), schemas.SPLITS, schemas.MANIFESTS, schemas.CARDS):
        table = schema.metadata[b"vitrina.table"].decode()
        whole = schema
        if table == "tags":
            whole = schemas.tags_schema(schemas.attributes_of(columns["history.tags"]))
        for name in [f"history.{table}", *(_split_names(table) if table in KEYS else ())]:
            described[name] = _ADDED | schemas.comments(whole)
            comment = schema.metadata[b"comment"].decode()
            con.execute(f"comment on view {name} is {_literal(comment)}")
    for name in VIEWS:
        text = view_sql(name)
        described[f"main.{name}"] = _inherited(text, described) | _column_comments(text)
        con.execute(f"comment on view {name} is {_literal(_sentences(text))}")
    for view, comments in described.items():
        for column in filter(comments.__contains__, columns[view]):
            con.execute(
                f"comment on column {view}.{_quoted(column)} is {_literal(comments[column])}"
            )


def _view_query(con: duckdb.DuckDBPyConnection, name: str) -> str:
    """Tell the query of a view, which of some depends on the attributes that there are."""
    start, marker, each = view_sql(name).partition(_EACH)
    if not marker:
        return start
    attributes = schemas.attributes_of(con.view("tags").columns)
    selects = [
        each.replace("'ATTRIBUTE'", _literal(attribute)).replace(
            '"ATTRIBUTE', _quoted(attribute).removesuffix('"')
        )
        for attribute in attributes
    ]
    return start + "union all\n".join(selects or [f"{_without_labels(each)}limit 0"])


def _without_labels(each: str) -> str:
    """Tell what stands for each attribute, with nulls in place of its columns."""
    each = each.replace("'ATTRIBUTE'", "null::varchar")
    for end, kind in _NO_LABELS.items():
        each = each.replace(f'"ATTRIBUTE{end}"', f"null::{kind}")
    return each


def _split_names(table: str) -> tuple[str, str]:
    return f"parts.{table}_first", f"parts.{table}_later"


def _history(
    con: duckdb.DuckDBPyConnection, store: Store, manifests: Sequence[Manifest]
) -> Iterator[tuple[str, str]]:
    """Tell the views of `parts` and `history`: their names, and the queries that give them."""
    for table, schema in schemas.TABLES.items():
        name, paths = f"history.{table}", parts_of(store, manifests, table)
        if table not in KEYS:
            yield name, _parts_query(con, paths, schema, _RUN)
            continue
        first, later = _split(con, store, manifests, table)
        names = _split_names(table)
        yield names[0], _parts_query(con, first, schema, _RUN)
        yield names[1], _parts_query(con, later, schema, _RUN)
        # By name: an attribute may have come later.
        shown = [one for one, some in zip(names, (first, later), strict=True) if some] or names[:1]
        yield name, " union all by name ".join(f"from {one}" for one in shown)
    splits = [path for card in cards(store) if (path := card.with_name("split.parquet")).exists()]
    yield "history.splits", _parts_query(con, splits, schemas.SPLITS, _MODEL)
    runs = [_manifest_row(store, manifest) for manifest in manifests]
    yield "history.manifests", _values_query(runs, schemas.MANIFESTS)
    yield "history.cards", _values_query(_card_rows(store), schemas.CARDS)


def _split(
    con: duckdb.DuckDBPyConnection, store: Store, manifests: Sequence[Manifest], table: str
) -> tuple[list[Path], list[Path]]:
    """Tell the parts of the first run that wrote to a table, and those of the others.

    The first are none where it can't be told that they hold each key once and that all others
    came after: a run may ask for a location twice, and a compaction that follows what a killed
    run left has older rows than that.
    """
    paths = parts_of(store, manifests, table)
    first = min((path.parent for path in paths), default=None)
    ours = [path for path in paths if path.parent == first]
    compacted = {
        store.root / part.path
        for manifest in visible(manifests)
        if manifest.replaces
        for part in manifest.parts
    }
    others = [path for path in paths if path.parent != first]
    _check_there(paths)
    if compacted.intersection(others):
        return [], paths
    certain = table not in _MAYBE_TWICE or compacted.issuperset(ours)
    return (ours, others) if not ours or certain or _each_once(con, ours, table) else ([], paths)


def _each_once(con: duckdb.DuckDBPyConnection, paths: Sequence[Path], table: str) -> bool:
    """Whether no two rows of these parts have the same key."""
    [key] = KEYS[table]
    read = _read_parquet(paths, union=False)
    rows = con.sql(f"select hash({key}) as key from {read}")  # nosec B608  # noqa: S608 - all quoted
    [(once,)] = rows.aggregate("count(*) = count(distinct key)").fetchall()
    return bool(once)


def _check_there(paths: Sequence[Path]) -> None:
    """Check that all of these files exist; else ValueError."""
    gone = next((path for path in paths if not path.exists()), None)
    if gone is not None:
        raise ValueError(f"{gone} is missing, though a finished run or a model needs it")


def _parts_query(
    con: duckdb.DuckDBPyConnection, paths: Sequence[Path], schema: pa.Schema, added: str
) -> str:
    """Select every row of these Parquet files, by column name, and `added` from their paths.

    A column of the schema that no file has is there all the same, and null.
    """
    nulls = _nulls(schema)
    if not paths:
        columns = ", ".join([*nulls.values(), added])
        return f"select {columns} from (select '' as filename) limit 0"  # nosec B608  # noqa: S608 - all quoted
    _check_there(paths)
    rows = _read_parquet(paths, union=not _are_alike(con, paths))
    present = con.sql(f"from {rows}").columns
    if schema is schemas.TABLES["tags"]:
        nulls = _nulls(schemas.tags_schema(schemas.attributes_of(present)))
    missing = [null for name, null in nulls.items() if name not in present]
    excluded = "* exclude (filename)"
    if added == _RUN and "run" in present:
        excluded, added = "* exclude (filename, run)", _RUN_KEPT
    columns = ", ".join([excluded, *missing, added])
    return f"select {columns} from {rows}"  # nosec B608  # noqa: S608 - all quoted


def _are_alike(con: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> bool:
    """Whether the files have the same columns: then a question need not look at all of them."""
    [(kinds,)] = con.execute(
        "select count(distinct columns) from ("
        " select list((name, type, logical_type::varchar, num_children)) as columns"
        " from parquet_schema($paths) group by file_name)",
        {"paths": list(map(str, paths))},
    ).fetchall()
    return bool(kinds == 1)


def _read_parquet(paths: Sequence[Path], *, union: bool) -> str:
    return (
        f"read_parquet([{', '.join(map(_literal, map(str, paths)))}],"
        f" union_by_name = {union}, filename = true, hive_partitioning = false)"
    )


def _values_query(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> str:
    """Select rows that stand in the query itself."""
    query = f"select {', '.join(_nulls(schema).values())} where false"
    if not rows:
        return query
    values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
    return f"{query} union all select * from (values {values})"  # nosec B608  # noqa: S608 - all quoted


def _nulls(schema: pa.Schema) -> dict[str, str]:
    """Write a null of each column's SQL type, under the column's name."""
    return {
        column.name: f"null::{_sql_type(column.type)} as {_quoted(column.name)}"
        for column in schema
    }


def _sql_type(kind: pa.DataType) -> str:
    """Name the type of SQL that DuckDB reads a Parquet column of this type as."""
    if pa.types.is_map(kind):
        return f"map({_sql_type(kind.key_type)}, {_sql_type(kind.item_type)})"
    if pa.types.is_list(kind):
        return f"{_sql_type(kind.value_type)}[]"
    return _SQL_TYPES[str(kind)]


def _manifest_row(store: Store, manifest: Manifest) -> list[Any]:
    """Write a manifest as a row of `schemas.MANIFESTS`."""
    return [
        manifest.id,
        manifest.job,
        manifest.source,
        manifest.started,
        manifest.finished,
        manifest.seconds,
        manifest.version,
        manifest.model,
        shown_report(store, manifest),
        json.dumps(manifest.arguments, ensure_ascii=False),
        json.dumps(manifest.counts, ensure_ascii=False),
        sum(part.rows for part in manifest.parts),
        sum(part.bytes for part in manifest.parts),
        manifest.adopted,
    ]


def _card_rows(store: Store) -> list[list[Any]]:
    """Write the models' cards as rows of `schemas.CARDS`."""
    serving = current_models(store)
    models = {f"{card.parent.parent.name}/{card.parent.name}": card for card in cards(store)}
    return [
        [model, model in serving, card.read_text(encoding="utf-8", errors="replace")]
        for model, card in models.items()
    ]


def _columns(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Tell the columns of each view, as schema.view, in one go: asking a view binds it again."""
    found: dict[str, list[str]] = {}
    for view, column in con.execute(
        "select schema_name || '.' || table_name, column_name from duckdb_columns()"
        " where database_name = current_database() order by table_oid, column_index"
    ).fetchall():
        found.setdefault(view, []).append(column)
    return found


def _sentences(text: str) -> str:
    """Tell what a view is, and its grain: its header before the columns."""
    header = itertools.takewhile(lambda line: line.startswith("-- "), text.splitlines())
    lines = itertools.takewhile(lambda line: not _COLUMN_COMMENT.match(f"{line}\n"), header)
    return " ".join(line.removeprefix("-- ") for line in lines)


def _column_comments(text: str) -> dict[str, str]:
    """Tell what the header of a view says about its columns."""
    return {name: comment.replace("\n--  ", "") for name, comment in _COLUMN_COMMENT.findall(text)}


def _inherited(text: str, described: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Tell what is known of the columns of whatever a view reads; what it reads last wins."""
    found: dict[str, str] = {}
    for name in _READ.findall(text):
        found |= described.get(name if "." in name else f"main.{name}", {})
    return found


def _literal(value: object) -> str:
    return str(duckdb.ConstantExpression(value))


def _quoted(name: str) -> str:
    """Quote a name, always: so that what is quoted can grow (`labels` adds to an attribute)."""
    return '"' + name.replace('"', '""') + '"'
