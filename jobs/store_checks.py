"""What `catalog doctor` looks at in a store. It takes no lock, and asks no network."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from catalog.models.artefact import load_card
from jobs.errors import BadInput, JobError
from jobs.findings import Finding, note, ok, wrong
from jobs.models import CLASSIFIER, TAGGER, TRAININGS
from jobs.run import read_manifests
from jobs.verifying import verify_models
from sql.locks import holder_of
from sql.manifests import Manifest, visible
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
with open(sys.argv[1], "r+") as file:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(3)
"""
_REFUSED = 3
# A space, tab, line end or backslash in the name of a mount point.
_ESCAPED = re.compile(r"\\(040|011|012|134)")
REBUILD = "`catalog rebuild` makes it again"
_PARQUET = b"PAR1"
OTHER_MODEL = "`catalog models use` another"


def check_store(store: Store) -> Iterator[Finding]:
    """Whether every run, and every part that a run names, can be read, and shows."""
    if store.root.exists() and not store.root.is_dir():
        yield wrong("store", f"{store.root} is no folder", "name another with --store")
        return
    if not store.runs.is_dir():
        yield note("store", f"none at {store.root} yet: the first run makes it")
        return
    # What is unfinished while a run works is nobody's fault.
    working = holder_of(store) is not None
    try:
        past = read_manifests(store)
    except JobError as error:
        yield wrong("store", error.said, "put it back from a copy")
        return
    faults = list(_faults(store, past, working=working))
    for told, step in faults:
        yield wrong("store", told, step)
    if not faults:
        yield ok("store", f"{store.root}, {len(past):,} runs, all their parts there")
    if not working and (left := orphans(store, past)):
        yield note("store", f"a killed run finished {len(left)} parts: the next run takes them")


def _faults(store: Store, past: list[Manifest], *, working: bool) -> Iterator[tuple[str, str]]:
    """What is wrong with a store, and what to do about it."""
    needed = {part.path: part for run in visible(past) for part in run.parts}
    bad = [path for path, part in needed.items() if not _is_whole(store.root / path, part.bytes)]
    if bad:
        told = f"{len(bad)} of {len(needed)} parts are gone or damaged, such as {bad[0]}"
        yield told, "put them back from a copy"
    elif not is_published(store, past):
        if past and not working:
            yield "catalog.duckdb does not show the last run", REBUILD
    elif trouble := _unreadable(store):
        yield f"catalog.duckdb can't be read: {trouble}", REBUILD


def _is_whole(path: Path, size: int) -> bool:
    """Whether a part has its length, and ends as Parquet does; no more is read of it."""
    try:
        with path.open("rb") as file:
            file.seek(-len(_PARQUET), os.SEEK_END)
            return file.read() == _PARQUET and file.tell() == size
    except OSError:
        return False


def _unreadable(store: Store) -> str | None:
    """What DuckDB says when it is asked for the views, None when it reads them.

    Who has it open to write it keeps others out, and does no harm: a run replaces the file.
    """
    try:
        with duckdb.connect(str(store.database), read_only=True) as con:
            con.sql("select count(*) from runs").fetchall()
    except duckdb.IOException as error:
        return None if "lock" in str(error) else str(error).splitlines()[0]
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    return None


def check_models(store: Store) -> Iterator[Finding]:
    """Whether the models that serve are those that their cards describe, file by file."""
    for task in (TAGGER, CLASSIFIER):
        name = current(store, task)
        if name is None:
            yield note(f"model {task}", f"none yet: {TRAININGS[task]} makes one")
        else:
            yield _model(store, task, name)


def _model(store: Store, task: str, name: str) -> Finding:
    about = f"model {task}"
    try:
        [verdict] = verify_models(store, [name]).verdicts
    except BadInput as error:
        return wrong(about, error.said, OTHER_MODEL)
    if verdict.wrong:
        return wrong(about, "; ".join(verdict.wrong), f"put it back from a copy, or {OTHER_MODEL}")
    if (card := load_card(store.models / name)).task != task:
        return wrong(about, f"{name} is for {card.task}", OTHER_MODEL)
    return ok(about, f"{name} loads, and all its files are those of its card")


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

    # To be written, too: what stands for flock on NFS asks for that.
    with Path(path).open("r+") as file:
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
    return folder.is_relative_to(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), point))


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
