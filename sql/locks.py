"""One writer at a time: a lock on the store that names its holder.

Plain flock: the kernel lets go of it when its holder dies, however it dies. (The package
filelock does the same at a tenth of a second of start-up, which a run with nothing to do
would feel.)
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TextIO

from sql.store import Store


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a store: a process, its job, and since when (ISO 8601, UTC)."""

    pid: int
    job: str
    since: str

    def __str__(self) -> str:
        return f"{self.job} (process {self.pid}, since {self.since})"


class StoreBusy(Exception):  # noqa: N818 - it says what is the case
    """Another run holds the store; `holder` is None while it has not yet given its name."""

    def __init__(self, holder: Holder | None) -> None:
        super().__init__(f"the store is held by {holder or 'another run'}")
        self.holder = holder


@contextmanager
def hold(store: Store, job: str) -> Iterator[Holder]:
    """Hold the store while the block runs, or raise `StoreBusy` at once."""
    store.root.mkdir(parents=True, exist_ok=True)
    # Opened for appending: a run that is refused must not wipe the holder's name.
    with store.lock.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise StoreBusy(_read_holder(file)) from err
        holder = Holder(os.getpid(), job, datetime.now(UTC).isoformat(timespec="seconds"))
        _write_holder(file, json.dumps(asdict(holder)))
        try:
            yield holder
        finally:
            # The file stays: removing a lock file lets two runs hold two files of one name.
            _write_holder(file, "")


def holder_of(store: Store) -> Holder | None:
    """Who holds the store now, without holding it; None when nobody does."""
    try:
        with store.lock.open(encoding="utf-8") as file:
            holder = _read_holder(file)
            # A run that was killed leaves its name behind, so the lock is asked, for a moment; a
            # run that begins within it tries once more.
            if holder is None or _is_free(file):
                return None
            return holder
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_free(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_holder(file: TextIO) -> Holder | None:
    file.seek(0)
    try:
        return Holder(**json.load(file))
    except (ValueError, TypeError):
        return None


def _write_holder(file: TextIO, text: str) -> None:
    file.truncate(0)
    file.write(text)
    file.flush()
