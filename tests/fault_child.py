"""The command in a child process whose n-th rename or fsync fails, or is its last moment.

Runs as a script: it loads what a run needs once, then forks a child for each line of its standard
input, a JSON object (`argv`, `calls`, `out`, and `point`, `kind`, `naive`, or none of these three),
and answers each with the child's exit status. A child writes down the calls that it made to the
file `calls`, what it printed to `out`.

A point is a call by name and place, such as ("replace", "runs/RUN.json", 1): the first rename to
that name. The kinds are the name of an errno; "kill"; "power", a power cut: the process dies, and
of whatever it wrote since it started, a file that was never flushed is empty afterwards; and
"full": from that call on there is no room left on the disk, which had better be a small one.
"""

import errno
import json
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

CALLS = ("fsync", "rename", "replace")
KILL, POWER, FULL = "kill", "power", "full"

_DRAFT = re.compile(r"\.\d+\.\d+\.draft")
_RUN = re.compile(r"\d{8}T\d{6}Z(-[0-9a-f]{4})?")

# What a run takes its time to load.
LOADED = (
    *(
        "multiprocessing.forkserver",
        "multiprocessing.popen_forkserver",
        "ai_edge_litert.interpreter",
    ),
    *("matplotlib.pyplot", "pandas", "scipy.stats", "seaborn", "sklearn.metrics"),
    *("catalog.images.fetch", "jobs.cli", "jobs.closing", "jobs.keeping", "jobs.looking"),
    *("jobs.pruning", "jobs.tag", "reports.draw"),
)

Point = tuple[str, str, int]


class Faults:
    """Stands before the calls that flush a file or give it its name, in the store at `root`."""

    def __init__(self, root: Path, point: Point | None, kind: str) -> None:
        self.calls: list[Point] = []
        self._root = root
        self._point = point
        self._kind = kind
        self._before = dict(self._files())
        self._flushed: set[tuple[int, int, int]] = set()  # an inode alone comes again
        self._lock = threading.Lock()

    def install(self) -> None:
        """Take the place of the calls."""
        for name in CALLS:
            setattr(os, name, self._guarded(name, getattr(os, name)))

    def _guarded(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(target: Any, *rest: Any) -> Any:
            # A rename is known by the name that it gives.
            path = Path(f"/proc/self/fd/{target}").readlink() if name == "fsync" else Path(rest[0])
            if path.is_relative_to(self._root):
                self._pass(name, path.relative_to(self._root).as_posix())
            done = call(target, *rest)
            if name == "fsync":
                self._flushed.add(identity(os.fstat(target)))
            return done

        return guarded

    def _pass(self, name: str, path: str) -> None:
        """Note the call; let the one in question fail, or be the last."""
        place = _RUN.sub("RUN", _DRAFT.sub(".draft", path))
        with self._lock:
            times = 1 + sum(call[:2] == (name, place) for call in self.calls)
            self.calls.append((name, place, times))
            if self.calls[-1] != self._point:
                return None
            if self._kind == FULL:
                return fill(ballast(self._root))
            if self._kind == POWER:
                self._lose()
            if self._kind in {KILL, POWER}:
                os.kill(os.getpid(), signal.SIGKILL)
        number = getattr(errno, self._kind)
        raise OSError(number, os.strerror(number))

    def _lose(self) -> None:
        """Empty the files that were written since the start and never flushed."""
        for path, about in self._files():
            if self._before.get(path) != about and about not in self._flushed:
                os.truncate(path, 0)

    def _files(self) -> Iterator[tuple[str, tuple[int, int, int]]]:
        for folder, _, names in os.walk(self._root):
            for name in names:
                yield str(path := Path(folder, name)), identity(path.stat())


def identity(about: os.stat_result) -> tuple[int, int, int]:
    """Which file in which state, whatever its name: inode, size and time of the last write."""
    return about.st_ino, about.st_size, about.st_mtime_ns


def ballast(root: Path) -> Path:
    """The file beside the store that takes the room."""
    return root.parent / "ballast"


def fill(file: Path) -> None:
    """Let `file` take all the room that its disk has."""
    with suppress(OSError), file.open("wb", buffering=0) as taken:
        with suppress(OSError):  # another thread took some of it in this instant
            os.posix_fallocate(taken.fileno(), 0, max(1, shutil.disk_usage(file.parent).free))
        taken.seek(0, os.SEEK_END)
        while True:
            taken.write(bytes(1024))


@contextmanager
def in_place(path: Path) -> Iterator[Path]:
    """Write as most programs do: over what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    yield path
    with path.open("rb") as file:
        os.fsync(file.fileno())


def be_naive(how: str) -> None:
    """Give up what the store's writers do for safety: the positive control."""
    from sql import files, parts, publish  # noqa: PLC0415

    if how == "never_flushed":
        files._sync = lambda _: None
    elif how == "in_place":
        for module in (files, parts, publish):
            module.replacing = in_place  # type: ignore[attr-defined]


def work(task: dict[str, Any]) -> None:
    """Be the command. Does not return."""
    from jobs import looking, pictures  # noqa: PLC0415
    from jobs.cli import main  # noqa: PLC0415

    pictures.cores = lambda: 1  # one decoder starts faster than one a core
    # So that there are parts of two flushes.
    looking.PICTURES_PER_PART = looking.MOST_IN_BATCH = 1
    with Path(task["out"]).open("wb") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    be_naive(task.get("naive", ""))
    point = task.get("point")
    root = Path(task["argv"][1])
    faults = Faults(root, tuple(point) if point else None, task.get("kind", ""))
    faults.install()
    sys.argv = ["catalog", *task["argv"]]
    code = 70
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        Path(task["calls"]).write_text(json.dumps(faults.calls), encoding="utf-8")
        sys.stdout.flush()
        os._exit(code)


def serve() -> None:
    """Load once, fork for each task."""
    for name in LOADED:
        import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            work(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
