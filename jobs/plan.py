"""What a run would do: decided from the CSV and the store alone, before anything is fetched."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.images.guard import Guard
from catalog.images.reasons import PASSING_IN_DECODING, Reason
from sql import statements

BATCH_ROWS = 10_000
# Another setting can change that at once, and time hardly ever.
_SETTLED_BY_RULES = frozenset({Reason.ADDRESS_REFUSED, Reason.PORT_REFUSED})

ASKS = {
    "new": "to fetch",
    "retry": "to try again",
    "recheck": "to ask about again",
    "look": "to look at",
}

DUE = pa.schema(
    [
        pa.field("location", pa.string()),
        pa.field("ask", pa.string()),  # new, retry, recheck: get it; look: it is in the store
        pa.field("picture", pa.string()),
        pa.field("etag", pa.string()),
        pa.field("last_modified", pa.string()),
        pa.field("size", pa.int64()),
        pa.field("mtime_ns", pa.int64()),
        pa.field("decoded", pa.string()),
    ]
)


@dataclass(frozen=True)
class Rules:
    """When a location that is known is asked for again."""

    recheck_after: timedelta
    refetch: bool
    allow_hosts: tuple[str, ...]  # HOST:PORT that the guard lets through
    looks: bool = True  # whether pictures that are here are looked at, too


@dataclass(frozen=True)
class Plan:
    """The work that a CSV asks for; counts are of records, then of picture locations."""

    kind: str  # what a record is: product or post
    records: int
    new: int
    changed: int
    gone: int
    refused_otherwise: bool  # whether other rows are refused than the last time
    undecided: int  # records to decide on again with what is known of their pictures already
    pictures: int
    wants_pictures: bool
    asks: Mapping[str, int]  # locations to get or look at, by why
    due: Path  # Parquet, DUE; not there when no picture is wanted

    @property
    def unchanged(self) -> int:
        """Records that read as they did the last time."""
        return self.records - self.new - self.changed

    @property
    def nothing_to_do(self) -> bool:
        """Whether the store already says everything that this CSV asks for."""
        rows = self.new or self.changed or self.gone or self.refused_otherwise
        return not (rows or self.undecided or self.asks)

    def __str__(self) -> str:
        asks = ", ".join(f"{count:,} {ASKS[ask]}" for ask, count in sorted(self.asks.items()))
        return (
            f"{self.records:,} {self.kind}s: {self.new:,} new, {self.changed:,} changed,"
            f" {self.gone:,} gone; {self.pictures:,} pictures: {asks or 'none to fetch'}"
        )


def make_plan(
    con: duckdb.DuckDBPyConnection,
    source: str,
    model: str | None,
    rules: Rules | None,
    folder: Path,
    *,
    kind: str = "product",
    undecided: int = 0,
) -> Plan:
    """Compare what was staged with the store; writes what is due to `folder`.

    `con` is a connection of `staged_views`. Without a model pictures need only be got and
    decoded, without rules no picture is wanted. `undecided` of the staged records, of this kind,
    must be decided on again anyway.
    """
    # A run may plan for several models, and the plans are carried out one after the other.
    due = folder / f"due-{(model or 'pictures').replace('/', '-')}.parquet"
    pictures, asks = _write_due(con, model, rules, due) if rules else (0, Counter())
    _compare(con, source)
    [counts] = statements.table(con, "changes", source=source).to_pylist()
    return Plan(
        kind,
        **counts,
        undecided=undecided,
        pictures=pictures,
        wants_pictures=rules is not None,
        asks=asks,
        due=due,
    )


def count_untagged(con: duckdb.DuckDBPyConnection, source: str, model: str) -> int:
    """How many staged products have tags that must be decided on again, as things are known."""
    doubt_tags(con, source, model)
    doubtful = con.table("doubtful")
    [(certain, others)] = doubtful.aggregate(
        "count(*) filter (certain), count(*) filter (not certain)"
    ).fetchall()
    relabelled = statements.count(con, "relabelled", source=source) if others else 0
    return int(certain) + relabelled


def doubt_tags(con: duckdb.DuckDBPyConnection, source: str, model: str) -> None:
    """Keep what the step `untagged_changes` needs: which products' tags may be others now."""
    _compare(con, source)
    _know_locations(con, model)
    statements.keep(con, "doubtful", source, source=source, model=model)


def _compare(con: duckdb.DuckDBPyConnection, source: str) -> None:
    """Keep what the CSV says otherwise than the store."""
    statements.keep(con, "differing", source, source=source)


def _know_locations(con: duckdb.DuckDBPyConnection, model: str | None) -> None:
    """Keep what the store knows of the locations of pictures."""
    statements.keep(
        con,
        "known_locations",
        model or "",
        model=model,
        now=current_time(),
        passing=sorted(PASSING_IN_DECODING),
        settled_by_rules=sorted(_SETTLED_BY_RULES),
    )


def current_time() -> datetime:
    """Now, by which what is due is told from what is not."""
    return datetime.now(UTC)


def _write_due(
    con: duckdb.DuckDBPyConnection, model: str | None, rules: Rules, due: Path
) -> tuple[int, Counter[str]]:
    """Write what is due to a file; how many locations there are, and how many to ask for why."""
    _know_locations(con, model)
    asks: Counter[str] = Counter()
    with pq.ParquetWriter(due, DUE) as writer:
        for batch in _open_locations(con, rules):
            rows = list(_due_rows(batch, rules))
            asks.update(row["ask"] for row in rows)
            if rows:
                writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=DUE))
    [(pictures,)] = statements.run(con, "location_count").fetchall()
    return pictures, asks


def _open_locations(con: duckdb.DuckDBPyConnection, rules: Rules) -> Iterator[pa.RecordBatch]:
    now = current_time()
    yield from statements.batches(
        con,
        "locations",
        BATCH_ROWS,
        now=now,
        stale=now - rules.recheck_after,
        refetch=rules.refetch,
    )


def _due_rows(batch: pa.RecordBatch, rules: Rules) -> Iterator[dict[str, Any]]:
    for row in batch.to_pylist():
        if ask := _ask(row, rules):
            yield {name: row.get(name) for name in DUE.names} | {"ask": ask}


def _ask(row: Mapping[str, Any], rules: Rules) -> str | None:
    """Why this location must be got or looked at, or None when it need not be."""
    if _is_due(row, rules):
        if row["outcome"] is None:
            return "new"
        return "retry" if row["outcome"] == "failed" else "recheck"
    return "look" if rules.looks and row["picture"] and not row["looked_at"] else None


def _is_due(row: Mapping[str, Any], rules: Rules) -> bool:
    if row["outcome"] is None or rules.refetch:
        return True
    if row["local"]:
        return _stat(row["location"]) != (row["size"], row["mtime_ns"])
    if row["reason"] in _SETTLED_BY_RULES:
        return bool(row["old"]) or _is_allowed(row["location"], rules.allow_hosts)
    return bool(row["due"])


def _is_allowed(url: str, allow_hosts: tuple[str, ...]) -> bool:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return _guard(allow_hosts).allows(parts.hostname or "", port)


@cache
def _guard(allow_hosts: tuple[str, ...]) -> Guard:
    return Guard(allow_hosts)


def _stat(path: str) -> tuple[int | None, int | None]:
    with suppress(OSError):
        found = os.stat(path)  # noqa: PTH116 - a million of these: Path costs more than the call
        return found.st_size, found.st_mtime_ns
    return None, None
