"""Parts: the immutable Parquet files that a run adds to a table."""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sql.files import replacing, write_text
from sql.manifests import Manifest, Part
from sql.schemas import FACTS, SNAPSHOTS
from sql.store import Store

# Rows that wait in memory; DuckDB reads row groups of this size well.
_ROW_GROUP = 50_000


class PartWriter:
    """Writes the rows of one run and table as parts, each of which appears whole.

    Rows wait in memory for a row group, then go into the draft of a part, which is finished at
    `rows_per_part` rows or when it is flushed. For one thread at a time. On a full disk the part
    under way is lost and `StoreFull` raised; the finished ones stay.
    """

    def __init__(
        self, store: Store, run_id: str, table: str, schema: pa.Schema, rows_per_part: int
    ) -> None:
        self.parts: list[Part] = []
        self._store = store
        self._run_id = run_id
        self._table = table
        self._schema = schema
        self._rows_per_part = rows_per_part
        self._waiting: list[pa.Table] = []
        self._rows = 0  # of the part under way, those that wait included
        self._writer: pq.ParquetWriter | None = None
        self._draft = ExitStack()  # closes the writer, then gives the part its name

    def write(self, batch: pa.RecordBatch | pa.Table) -> None:
        """Add rows, which need the schema's columns, in any order."""
        rows = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
        self._waiting.append(rows.select(self._schema.names).cast(self._schema))
        self._rows += rows.num_rows
        if self._rows >= self._rows_per_part:
            self.flush()
        elif sum(table.num_rows for table in self._waiting) >= _ROW_GROUP:
            self._write_waiting()

    def flush(self) -> None:
        """Finish the part under way, if it has any row: from now on it is durable."""
        if self._rows == 0:
            return
        path = self._path()
        try:
            self._write_waiting()
            self._draft.close()
            size = path.stat().st_size
            self.parts.append(Part(self._table, self._store.relative(path), self._rows, size))
        finally:
            # Whatever failed, the next rows begin a part of their own.
            self._writer, self._waiting, self._rows = None, [], 0
            self._draft = ExitStack()

    def close(self) -> None:
        """Finish the last part."""
        self.flush()

    def _path(self) -> Path:
        return self._store.part(self._table, self._run_id, len(self.parts) + 1)

    def _write_waiting(self) -> None:
        """Move the rows that wait into the draft, which is given up when that fails."""
        if not self._waiting:
            return
        with self._draft as draft:
            if self._writer is None:
                path = draft.enter_context(replacing(self._path()))
                self._writer = draft.enter_context(
                    pq.ParquetWriter(path, self._schema, compression="zstd")
                )
            self._writer.write_table(pa.concat_tables(self._waiting))
            self._draft = draft.pop_all()
        self._waiting = []


def keep_journal(store: Store, run_id: str, parts: Iterable[Part]) -> None:
    """Say which parts of a run belong together, once all of them are durable.

    The parts of several tables can't appear in one instant. What a run that was killed between
    them left of the last ones is not in its journal, and nobody adopts it: the pictures of those
    parts are looked at again, and no fact is there twice or without the others.
    """
    write_text(_journal(store, run_id), json.dumps([part.path for part in parts]))


def drop_journals(store: Store, run_ids: Iterable[str]) -> None:
    """Forget the journals of runs whose parts a manifest names by now."""
    for run_id in run_ids:
        _journal(store, run_id).unlink(missing_ok=True)


def spent_journals(store: Store, manifests: Iterable[Manifest]) -> list[Path]:
    """Tell the journals that name no part which anybody may still adopt."""
    claimed = {part.path for manifest in manifests for part in manifest.parts}
    return [
        journal
        for journal in sorted(store.runs.glob(".*.journal"))
        if not any(path not in claimed and (store.root / path).exists() for path in _named(journal))
    ]


def orphans(store: Store, manifests: Iterable[Manifest]) -> list[Part]:
    """Tell the finished parts of facts that killed runs left, for the next run to adopt."""
    journaled = _journaled(store)
    return [
        part
        for table, path in _unclaimed(store, manifests, FACTS)
        if store.relative(path) in journaled
        and (part := _read_part(store, table, path)) is not None
    ]


def remove_unfinished(store: Store, manifests: Iterable[Manifest]) -> list[Path]:
    """Remove what killed runs left and nobody may adopt; returns it.

    Those are their snapshots, which describe a run that never was, and parts of facts that are
    in no journal or unreadable.
    """
    manifests = list(manifests)
    adoptable = {part.path for part in orphans(store, manifests)}
    left = _unclaimed(store, manifests, (*FACTS, *SNAPSHOTS))
    removed = [path for _, path in left if store.relative(path) not in adoptable]
    for path in removed:
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    return removed


def _journal(store: Store, run_id: str) -> Path:
    return store.runs / f".{run_id}.journal"


def _journaled(store: Store) -> set[str]:
    """Tell the paths that the journals of all runs name."""
    return {path for journal in store.runs.glob(".*.journal") for path in _named(journal)}


def _named(journal: Path) -> list[str]:
    """Tell the paths that a journal names; one that is damaged names none."""
    with suppress(ValueError):
        return [str(path) for path in json.loads(journal.read_bytes())]
    return []


def _unclaimed(
    store: Store, manifests: Iterable[Manifest], tables: Iterable[str]
) -> Iterator[tuple[str, Path]]:
    """Tell (table, path) of the parts in run folders without a manifest that none adopted."""
    manifests = list(manifests)
    closed = {f"run={manifest.id}" for manifest in manifests}
    claimed = {part.path for manifest in manifests for part in manifest.parts}
    for table in tables:
        for folder in sorted((store.root / table).glob("run=*")):
            if folder.name in closed:
                continue
            for path in sorted(folder.glob("part-*.parquet")):
                if store.relative(path) not in claimed:
                    yield table, path


def _read_part(store: Store, table: str, path: Path) -> Part | None:
    """Describe a part by its footer; None when it has none, or is another table's."""
    try:
        footer = pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        return None
    if (footer.metadata or {}).get(b"vitrina.table") != table.encode():
        return None
    return Part(table, store.relative(path), footer.num_rows, path.stat().st_size)
