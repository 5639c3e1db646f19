"""Runs made by hand, row by row: what the tests of the store's views work on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from sql import manifests
from sql.manifests import Manifest
from sql.parts import PartWriter
from sql.schemas import TABLES
from sql.store import Store

START = datetime(2026, 1, 1, tzinfo=UTC)

# What a row says where a test does not care.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "fetches": {"outcome": "fetched", "attempts": 1, "seconds": 0.1, "dead": False},
    "pictures": {"outcome": "ok", "bytes": 1000},
    "scores": {"model": "tagger/1", "head": "colour", "trained_on": False},
    "predictions": {"model": "tagger/1", "head": "colour", "rank": 1, "score": 0.9},
    "embeddings": {"model": "tagger/1"},
    "products": {
        "source": "shop",
        "given": {},
        "pictures": [],
        "extra": {},
        "line": 2,
        "row_hash": "00",
        "gone": False,
    },
    "posts": {
        "source": "shop",
        "given": {},
        "pictures": [],
        "extra": {},
        "line": 2,
        "row_hash": "00",
        "gone": False,
    },
    "engagement": {
        "source": "shop",
        "evaluated": False,
        "rule": "likes > 10000",
    },
    "engagement_evaluation": {
        "source": "shop",
        "rule": "likes > 10000",
        "split": "account",
        "metric": "roc_auc",
        "n": 50,
    },
    "engagement_ladder": {
        "source": "shop",
        "rule": "likes > 10000",
        "split": "account",
        "place": 1,
        "rung": "majority",
        "n": 50,
    },
    "results": {"source": "shop", "page": "tag", "part": "headline", "value": "{}"},
    "rejects": {"source": "shop", "file": "shop.csv", "line": 2, "reason": "no_id"},
    "tags": {"source": "shop", "cause": "new", "tagged": True},
}
_TIMES = {"fetches": "fetched_at", "pictures": "decoded_at", "products": "seen_at"}
_TIMES |= {"tags": "tagged_at", "posts": "seen_at", "engagement": "decided_at"}
_TIMES |= {"engagement_evaluation": "evaluated_at", "engagement_ladder": "evaluated_at"}


def add_rows(
    store: Store,
    run_id: str,
    table: str,
    rows: list[dict[str, Any]],
    schema: pa.Schema | None = None,
) -> PartWriter:
    """Write one part; rows are filled up with defaults, the run's night gives their time."""
    schema = TABLES[table] if schema is None else schema
    filled = dict(_DEFAULTS[table])
    if table in _TIMES:
        filled[_TIMES[table]] = START + timedelta(days=int(run_id))
    writer = PartWriter(store, run_id, table, schema, 1000)
    whole = [
        {name: (filled | row).get(name, _blank(schema.field(name))) for name in schema.names}
        for row in rows
    ]
    writer.write(pa.Table.from_pylist(whole, schema))
    writer.close()
    return writer


def add_run(store: Store, run_id: str, *writers: PartWriter, **said: Any) -> Manifest:
    """Commit a run of these parts; ids are numbers of nights, as text."""
    at = (START + timedelta(days=int(run_id))).isoformat()
    parts = [part for writer in writers for part in writer.parts]
    known = {"job": "tag", "started": at, "finished": at, "version": "0.1.0", "source": "shop"}
    manifest = Manifest(id=run_id, parts=parts, **(known | said))
    manifests.write(store, manifest)
    return manifest


def _blank(column: pa.Field) -> object:
    return [] if pa.types.is_list(column.type) and not column.nullable else None
