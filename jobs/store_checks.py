"""What `catalog doctor` looks at in a store. It takes no lock, and asks no network."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from catalog.models.artefact import ModelRefused
from jobs.errors import JobError
from jobs.findings import Finding, note, ok, wrong
from jobs.models import CLASSIFIER, TAGGER, TRAININGS
from jobs.run import read_manifests
from sql.locks import holder_of
from sql.manifests import Manifest
from sql.parts import orphans
from sql.publish import is_published
from sql.store import Store, current

LITTLE_ROOM = 1 << 30  # bytes: a night's pictures and parts fit into less
FEW_NAMES = 10_000  # inodes: each picture is a file
CLOCK_DRIFT = 60.0  # seconds
# Where flock is another machine's affair, so that a run there and one here may not see each other.
SHARED = ("nfs", "cifs", "smb", "9p", "fuse", "ceph", "gluster", "afs", "lustre", "virtiofs")

# A lock of another process must be refused; one of this process tells nothing on NFS.
_TRY_LOCK = """
import fcntl, sys
with open(sys.argv[1]) as file:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(3)
"""
_REFUSED = 3


def check_store(store: Store) -> Iterator[Finding]:
    """Whether every run, and every part that a run names, can be read, and shows."""
    if not store.runs.is_dir():
        yield note("store", f"none at {store.root} yet: the first run makes it")
        return
    try:
        past = read_manifests(store)
    except JobError as error:
        yield wrong("store", error.format_message(), f"look into {store.runs}")
        return
    faults = list(_faults(store, past))
    for told, step in faults:
        yield wrong("store", told, step)
    if not faults:
        yield ok("store", f"{store.root}, {len(past):,} runs, all their parts there")
    if left := orphans(store, past):
        yield note("store", f"a killed run finished {len(left)} parts: the next run takes them")


def _faults(store: Store, past: list[Manifest]) -> Iterator[tuple[str, str]]:
    """What is wrong with a store, and what to do about it."""
    shown = {part.path: part for run in past for part in run.parts}
    replaced = {run_id for run in past for run_id in run.replaces}
    needed = {part.path for run in past if run.id not in replaced for part in run.parts}
    missing = [path for path in needed if not _is_whole(store.root / path, shown[path].bytes)]
    if missing:
        told = f"{len(missing)} of {len(needed)} parts are gone or cut short, such as {missing[0]}"
        yield told, "put them back from a copy"
    elif not is_published(store, past):
        yield "catalog.duckdb does not show the last run", "`catalog rebuild` makes it again"
    elif trouble := _unreadable(store):
        yield f"catalog.duckdb can't be read: {trouble}", "`catalog rebuild` makes it again"


def _is_whole(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _unreadable(store: Store) -> str | None:
    """What DuckDB says when it is asked for the views, None when it reads them."""
    try:
        with duckdb.connect(str(store.database), read_only=True) as con:
            con.sql("select count(*) from runs").fetchall()
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    return None


def check_models(store: Store) -> Iterator[Finding]:
    """Whether the models that serve are those that their cards describe."""
    for task in (TAGGER, CLASSIFIER):
        name = current(store, task)
        if name is None:
            yield note(f"model {task}", f"none yet: {TRAININGS[task]} makes one")
        else:
            yield _model(store, task, name)


def _model(store: Store, task: str, name: str) -> Finding:
    from catalog.models.runtime import Runtime  # noqa: PLC0415 - takes a while to load

    about = f"model {task}"
    try:
        card = Runtime(store.models / name).card
    except ModelRefused as error:
        return wrong(about, str(error), "put it back from a copy, or `catalog models use` another")
    if card.task != task:
        return wrong(about, f"{name} is for {card.task}", "`catalog models use` another")
    return ok(about, f"{name} loads, and is what its card describes")


def check_file_system(store: Store) -> Iterator[Finding]:
    """Whether the store can be written, its locks hold, and its disk's clock is this machine's."""
    folder = nearest(store.root)
    kind = _kind(folder)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
            drift = abs(Path(file.name).stat().st_mtime - time.time())
            holds = _holds(file.name)
    except OSError as error:
        step = "let the user of the cron line write there"
        yield wrong("file system", f"{folder} can't be written: {error.strerror}", step)
        return
    step = "put the store on a local disk"
    if not holds:
        yield wrong("file system", f"{kind}: locks do not hold, two runs could meet", step)
    elif kind.startswith(SHARED):
        told = f"{kind}: locks hold between runs of this machine; of others' nothing can be told"
        yield note("file system", told, step)
    else:
        yield ok("file system", f"{kind}: writable, and locks hold")
    if drift > CLOCK_DRIFT:
        yield wrong("clock", f"the disk's differs by {drift:,.0f} s", "set both by NTP")


def nearest(folder: Path) -> Path:
    """The folder itself, or the nearest one above that is there."""
    while not folder.is_dir():
        folder = folder.parent
    return folder


def _holds(path: str) -> bool:
    """Whether another process is refused while this one holds a lock."""
    import fcntl  # noqa: PLC0415 - beside its only use

    with Path(path).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        command = [sys.executable, "-I", "-c", _TRY_LOCK, path]
        tried = subprocess.run(command, check=False)  # nosec B603  # noqa: S603 - ours
    return tried.returncode == _REFUSED


def _kind(folder: Path) -> str:
    """The type of the file system that a folder lies on, as the kernel names it."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "unknown"
    mounted = [line.split() for line in mounts.splitlines()]
    over = [(len(point), kind) for _, point, kind, *_ in mounted if _is_below(folder, point)]
    return max(over)[1] if over else "unknown"


def _is_below(folder: Path, point: str) -> bool:
    # A space in a mount point stands there as \040.
    return folder.is_relative_to(point.encode().decode("unicode_escape"))


def check_room(store: Store) -> Iterator[Finding]:
    """Free space and free names on the store's disk."""
    folder = nearest(store.root)
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    told = f"{free / (1 << 30):,.1f} GiB free on the store's disk"
    if free < LITTLE_ROOM:
        yield wrong("room", told, "make room: `catalog prune` tells what can go")
    elif disk.f_files > 0 and disk.f_favail < FEW_NAMES:
        told = f"{disk.f_favail:,} files more fit on the store's disk"
        yield wrong("room", told, "make room: each picture is a file")
    else:
        yield ok("room", told)


def check_lock(store: Store) -> Iterator[Finding]:
    """Who holds the store."""
    holder = holder_of(store)
    yield note("lock", f"held by {holder}") if holder else ok("lock", "nobody holds the store")


def check_clock(store: Store) -> Iterator[Finding]:
    """Whether time goes on since the store was last written: what is due goes by it."""
    now = datetime.now(UTC)
    newest = max((path.stat().st_mtime for path in store.runs.glob("*.json")), default=0.0)
    ahead = newest - now.timestamp()
    if ahead > CLOCK_DRIFT:
        told = f"it is {now:%Y-%m-%d %H:%M} UTC, and the last run ended {ahead:,.0f} s later"
        yield wrong("clock", told, "set the clock: what is due goes by it")
    else:
        yield ok("clock", f"{now:%Y-%m-%d %H:%M} UTC")
