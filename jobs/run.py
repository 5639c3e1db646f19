"""One run of a job as the store sees it: lock, adoption, parts, manifest, publishing."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from catalog.intake import Intake
from jobs.errors import Busy, JobError, disk_error
from jobs.signals import uninterrupted
from sql import manifests, statements
from sql.database import create_views
from sql.disk import disk_trouble
from sql.files import sweep_drafts
from sql.locks import StoreBusy, hold
from sql.manifests import Manifest, Part
from sql.parts import PartWriter, drop_journals, keep_journal, orphans, remove_unfinished
from sql.publish import is_published, publish
from sql.schemas import TABLES
from sql.store import Store

ROWS_PER_PART = 500_000  # a part of this size is read as fast as any
WORK = ".work"
_POLL_SECONDS = 1.0
_MOMENT = 0.05  # seconds: `catalog doctor` may ask for the lock as a run begins
LIMITS: dict[str, Any] = {
    "memory_limit": "400MB",  # a million products, to be compared with what is known of them
    "threads": min(4, len(os.sched_getaffinity(0))),  # each takes its share of the memory
    "preserve_insertion_order": "false",
}


def _new_id() -> str:
    """Sorts by time: the tail counts 65536ths of the second, which the views rely on.

    Runs of a store come one after the other, so no two of them share one.
    """
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%SZ}-{now.microsecond * 0x10000 // 1_000_000:04x}"


@dataclass
class Run:
    """What one job adds to the store while it holds it; nothing shows before `commit`."""

    store: Store
    job: str
    past: list[Manifest]
    work: Path  # scratch folder, removed when the run ends
    source: str | None = None  # the CSV that it is about, if it is about one
    id: str = field(default_factory=_new_id)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    adopted: list[Part] = field(default_factory=list)
    _writers: dict[str, PartWriter] = field(default_factory=dict)
    clock: float = field(default_factory=time.monotonic)  # when its work began

    @property
    def version(self) -> str:
        """Of Vitrina."""
        return version("vitrina")

    @property
    def seconds(self) -> float:
        """Wall time since the run began."""
        return time.monotonic() - self.clock

    def views(
        self, intake: Intake, *, finished: bool = False
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """The views of the store with what this run has flushed, and of the CSV.

        Rows that a CSV refused are those of its last run, which this one is when `finished`.
        """
        own = self._manifest({}, {}, None, None)
        shown = own if finished else replace(own, source=None)
        return staged_views(self.store, [*self.past, shown], intake, self.work)

    def store_views(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """The views of the store with what this run has flushed."""
        shown = [*self.past, self._manifest({}, {}, None, None)]
        return store_views(self.store, shown, self.work)

    def write(self, table: str, rows: pa.RecordBatch | pa.Table | list[dict[str, Any]]) -> None:
        """Add rows to a table; those of tables with dynamic columns bring their schema."""
        if isinstance(rows, list):
            rows = pa.RecordBatch.from_pylist(rows, schema=TABLES[table])
        if table not in self._writers:
            schema = TABLES[table] if table != "tags" else rows.schema
            self._writers[table] = PartWriter(self.store, self.id, table, schema, ROWS_PER_PART)
        self._writers[table].write(rows)

    def flush(self) -> None:
        """Make durable what was written so far: a run that is killed later keeps it."""
        with uninterrupted():
            for writer in self._writers.values():
                writer.flush()
            keep_journal(self.store, self.id, [*self.adopted, *self._own_parts()])

    def commit(
        self,
        counts: dict[str, Any],
        *,
        arguments: dict[str, Any],
        model: str | None = None,
        report: Path | None = None,
    ) -> None:
        """Make the run visible: its manifest first, then the database that shows it."""
        self.flush()
        page = self.store.relative(report) if report else None
        self.past = [*self.past, self._manifest(counts, arguments, model, page)]
        manifests.write(self.store, self.past[-1])
        drop_journals(self.store, [self.id, *self.past[-1].adopted])
        publish(self.store, self.past)

    def supersede(self, parts: list[Part], counts: dict[str, Any]) -> None:
        """Let these parts, written by other means, stand for those of all runs before.

        What killed runs finished is left for another run, and there is no journal: half a
        compaction is nothing that anybody may adopt.
        """
        replaced = [manifest.id for manifest in manifests.visible(self.past) if manifest.parts]
        said = self._manifest(counts, {}, None, None)
        manifest = replace(said, parts=parts, adopted=[], replaces=replaced)
        self.past = [*self.past, manifest]
        manifests.write(self.store, manifest)
        publish(self.store, self.past)

    def republish(self) -> None:
        """Publish again when the database lags behind the manifests."""
        if not is_published(self.store, self.past):
            publish(self.store, self.past)

    def _own_parts(self) -> list[Part]:
        return [part for writer in self._writers.values() for part in writer.parts]

    def _manifest(
        self,
        counts: dict[str, Any],
        arguments: dict[str, Any],
        model: str | None,
        report: str | None,
    ) -> Manifest:
        return Manifest(
            id=self.id,
            job=self.job,
            started=self.started.isoformat(),
            finished=datetime.now(UTC).isoformat(),
            version=self.version,
            source=self.source,
            arguments=arguments,
            counts=counts,
            parts=[*self.adopted, *self._own_parts()],
            adopted=sorted({Path(part.path).parent.name[4:] for part in self.adopted}),
            model=model,
            report=report,
            seconds=round(self.seconds, 3),
        )


@contextmanager
def store_views(
    store: Store, runs: list[Manifest], scratch: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that sees the store as these runs left it; JobError when a part is gone.

    What does not fit into the memory it may use goes to `scratch`.
    """
    with duckdb.connect(config=LIMITS | {"temp_directory": str(scratch)}) as con:
        with missing_part_told():
            create_views(con, store, runs)
        yield con


@contextmanager
def missing_part_told() -> Iterator[None]:
    """A part that somebody deleted is one clear line."""
    try:
        yield
    except ValueError as error:
        raise JobError(str(error), hint="put it back from a copy") from error


@contextmanager
def staged_views(
    store: Store, runs: list[Manifest], intake: Intake, scratch: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that sees the store as these runs left it, and a CSV that was taken in.

    What was taken in is the view `staged`, in the columns of its table but for `seen_at`, and the
    refused rows `refused`; `known` is that table, of all sources, and `refused_before` what was
    refused of such CSVs.
    """
    with store_views(store, runs, scratch) as con:
        table = table_of(intake)
        con.from_parquet(str(intake.records)).create_view("accepted")
        con.execute(f"create view staged as {statements.read(f'staged_{table}')}")
        con.from_parquet(str(intake.rejects)).create_view("refused")
        con.view(table).create_view("known")
        con.view("rejects").filter(f"kind = '{intake.kind}'").create_view("refused_before")
        yield con


def table_of(intake: Intake) -> str:
    """The table that keeps what such a CSV lists."""
    return f"{intake.kind}s"


@contextmanager
def open_run(
    store: Store, job: str, source: str | None = None, *, patience: float = 0.0
) -> Iterator[Run]:
    """Hold the store for one run over a source; what killed runs finished is taken over.

    On any way out the flushed facts stay where the next run finds them. Busy when another run
    still holds the store after `patience` seconds, JobError when the disk is full or fails, or
    when a manifest is damaged.
    """
    try:
        with _held(store, job, patience):
            sweep_drafts(store.root)
            past = read_manifests(store)
            remove_unfinished(store, past)
            with _work_folder(store) as work:
                yield Run(store, job, past, work, source, adopted=orphans(store, past))
    except StoreBusy as error:
        raise Busy(str(error), hint="wait until it ends, or stop it") from error
    except (OSError, duckdb.Error) as error:
        trouble = disk_trouble(error, store.root)
        if trouble is None:
            raise
        left = "the database shows the last run that was published"
        raise disk_error(trouble, left) from error


@contextmanager
def _held(store: Store, job: str, patience: float) -> Iterator[None]:
    """Hold the store, trying for so many seconds; then StoreBusy."""
    until = time.monotonic() + max(patience, _MOMENT)
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(hold(store, job))
                break
            except StoreBusy:
                if time.monotonic() >= until:
                    raise
                time.sleep(min(_POLL_SECONDS, max(patience, _MOMENT)))
        yield


def read_manifests(store: Store) -> list[Manifest]:
    """The finished runs of a store; JobError when one is damaged."""
    try:
        return manifests.read_all(store)
    except ValueError as error:
        raise JobError(str(error), hint="put it back from a copy, or remove that run") from error


@contextmanager
def _work_folder(store: Store) -> Iterator[Path]:
    """A scratch folder on the store's disk. Only the holder of the lock has one."""
    folder = store.root / WORK
    shutil.rmtree(folder, ignore_errors=True)  # a killed run's
    folder.mkdir(parents=True)
    try:
        yield Path(tempfile.mkdtemp(dir=folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
