"""Keeping a store: its database made again, and a year of nights made one.

`catalog rebuild` and `catalog compact`.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from jobs.errors import BadInput, JobError
from jobs.run import ROWS_PER_PART, Run, missing_part_told, open_run, store_views
from sql.compaction import (
    GRACE,
    NewerStore,
    check_tables,
    count_live,
    expired,
    find_kept,
    remove,
    write_live,
)
from sql.manifests import Manifest, Part, visible
from sql.publish import is_published, publish
from sql.store import Store


@dataclass(frozen=True)
class Rebuilt:
    """The database that was made, and how many runs it shows."""

    database: str
    runs: int

    def as_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self))

    def __str__(self) -> str:
        return f"database  {self.database}, of {self.runs:,} runs"


@dataclass(frozen=True)
class Compacted:
    """What a compaction came to; `run` is None when there was nothing to make one of."""

    run: str | None
    rows_before: int
    rows: int
    parts_before: int
    parts: int
    bytes_before: int
    bytes: int
    removed_bytes: int  # of parts that were replaced more than the grace ago

    def as_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self))

    def __str__(self) -> str:
        freed = f"removed   {self.removed_bytes:,} bytes that were replaced over a week ago"
        if self.run is None:
            return f"nothing to compact: the rows lie together already\n{freed}"
        return "\n".join(
            [
                f"rows      {self.rows_before:,} before, {self.rows:,} live",
                f"files     {self.parts_before:,} before, {self.parts:,} now",
                f"bytes     {self.bytes_before:,} before, {self.bytes:,} now",
                freed,
                f"run       {self.run}; what it replaces is removed by a later call, in a week",
            ]
        )


def existing(store: Store) -> Store:
    """The store, which must be there: nothing that keeps stores makes one."""
    if not store.runs.is_dir():
        raise BadInput(f"there is no store at {store.root}", hint="name another with --store")
    return store


def rebuild(store: Store) -> Rebuilt:
    """Make catalog.duckdb again from the manifests, where the store lies now."""
    with open_run(existing(store), "rebuild") as run:
        _publish(store, run.past)
        return Rebuilt(str(store.database), len(run.past))


def compact(store: Store) -> Compacted:
    """Write the live rows of every table as one run, and let it stand for all before it."""
    with open_run(existing(store), "compact") as run:
        removed = remove_expired(run)
        before = [part for manifest in visible(run.past) for part in manifest.parts]
        parts = _live_parts(run)
        told = Compacted(
            run.id if parts is not None else None,
            rows_before=sum(part.rows for part in before),
            rows=sum(part.rows for part in parts or before),
            parts_before=len(before),
            parts=len(parts or before),
            bytes_before=sum(part.bytes for part in before),
            bytes=sum(part.bytes for part in parts or before),
            removed_bytes=removed,
        )
        if parts is not None:
            counts = {name: count for name, count in asdict(told).items() if name != "run"}
            run.supersede(parts, counts)
        return told


def _live_parts(run: Run) -> list[Part] | None:
    """The live rows of the store, written as parts; None when they lie together already."""
    shown = [manifest for manifest in visible(run.past) if manifest.parts]
    try:
        check_tables(shown)
        with store_views(run.store, run.past, run.work) as con:
            find_kept(con, datetime.now(UTC) - GRACE)
            together = all(manifest.replaces for manifest in shown)
            rows = sum(part.rows for manifest in shown for part in manifest.parts)
            if together and count_live(con) == rows:
                return None
            return write_live(run.store, run.id, con, ROWS_PER_PART)
    except NewerStore as error:
        raise JobError(str(error), hint="compact with that version") from error


def remove_expired(run: Run) -> int:
    """Delete the parts that were replaced before the grace; how many bytes that freed.

    Not when the database lagged: it may have shown them until now.
    """
    if publish_again(run):
        return 0
    there = [
        part
        for part in expired(run.past, datetime.now(UTC))
        if (run.store.root / part.path).exists()
    ]
    remove(run.store, there)
    return sum(part.bytes for part in there)


def publish_again(run: Run) -> bool:
    """Let the database show what the manifests say; whether it did not until now."""
    lagged = not is_published(run.store, run.past)
    if lagged:
        _publish(run.store, run.past)
    return lagged


def _publish(store: Store, past: list[Manifest]) -> None:
    with missing_part_told():
        publish(store, past)
