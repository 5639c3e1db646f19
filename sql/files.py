"""Whole-file writes: a file appears complete or not at all, also when the power goes."""

import errno
import os
import re
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

# A draft says whose it is: .<name>.<process>.<thread>.draft; DuckDB adds a file to its own.
_DRAFT = re.compile(r"^\..+\.(\d+)\.\d+\.draft(\.wal)?$")
_FULL = (errno.ENOSPC, errno.EDQUOT)
# A disk that fails, was pulled out, was set to read only after an error, or lies on a lost server.
_BROKEN = (errno.EIO, errno.EROFS, errno.ENODEV, errno.ENXIO, errno.ESTALE)
_STARTED = time.time()
_FLUSHED_AT_ONCE = 16  # the disk gathers what is asked of it together


class StoreTrouble(OSError):  # noqa: N818 - it says what is the case
    """The disk does not take what was being written to `folder`: nothing half-written shows."""

    def __init__(self, folder: Path, number: int) -> None:
        super().__init__(number, os.strerror(number), str(folder))
        self.folder = folder

    def __reduce__(self) -> tuple[type["StoreTrouble"], tuple[Path, int]]:
        """Let it travel from a child process."""
        return type(self), (self.folder, self.errno or 0)


class StoreFull(StoreTrouble):
    """The disk (or a quota) has no room left for what was being written to `folder`."""

    def __init__(self, folder: Path, number: int = errno.ENOSPC) -> None:
        super().__init__(folder, number)

    def __str__(self) -> str:
        return f"no room left on the disk that holds {self.folder}"


class StoreBroken(StoreTrouble):
    """The disk fails (EIO) or became read-only: `errno` says which."""

    def __str__(self) -> str:
        return f"the disk that holds {self.folder} fails: {self.strerror}"


def trouble_of(number: int | None, folder: Path) -> StoreTrouble | None:
    """Tell what this errno says of the disk below `folder`; None when that is not to blame."""
    if number in _FULL:
        return StoreFull(folder, number)
    if number in _BROKEN:
        return StoreBroken(folder, number)
    return None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a sibling draft that becomes `path`, flushed to the disk, only if the block succeeds.

    A full disk is `StoreFull`, a failing one `StoreBroken`; a reader of `path` then still finds
    what was there before, or finds the whole of the new.
    """
    with _telling_trouble(path.parent):
        _make_folder(path.parent)
        draft = _draft_of(path)
        try:
            yield draft
            _sync(draft)
            draft.replace(path)
            _sync(path.parent)
        finally:
            draft.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield an empty sibling folder that becomes `path` only if the block succeeds.

    `path` must not exist: a published folder is never rewritten.
    """
    with _telling_trouble(path.parent):
        if path.exists():
            raise FileExistsError(errno.EEXIST, "already there, and never rewritten", str(path))
        _make_folder(path.parent)
        draft = _draft_of(path)
        draft.mkdir()
        try:
            yield draft
            for written in draft.rglob("*"):
                _sync(written)
            _sync(draft)
            draft.rename(path)
            _sync(path.parent)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def write_draft(path: Path, data: bytes, drafts: Path) -> Path:
    """Put `data` into a draft of `path` in the folder `drafts`, for `settle`; returns the draft."""
    with _telling_trouble(path.parent):
        _make_folder(drafts)
        draft = drafts / _draft_of(path).name
        try:
            draft.write_bytes(data)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        return draft


def settle(drafts: Sequence[tuple[Path, Path]]) -> None:
    """Flush many drafts, side by side, and give each the name that it is for.

    For thousands it takes a fraction of what `replacing` does. The names are durable after
    `flush_folders`.
    """
    with ThreadPoolExecutor(_FLUSHED_AT_ONCE) as crew:
        list(crew.map(_finish, (drafts[at::_FLUSHED_AT_ONCE] for at in range(_FLUSHED_AT_ONCE))))


def flush_folders(folders: Iterable[Path]) -> None:
    """Make durable which names are in these folders."""
    with ThreadPoolExecutor(_FLUSHED_AT_ONCE) as crew:
        list(crew.map(_sync_folder, folders))


def write_bytes(path: Path, data: bytes) -> None:
    """Put `data` at `path`, whole."""
    with replacing(path) as draft:
        draft.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Put `text` at `path` as UTF-8, whole."""
    write_bytes(path, text.encode())


def sweep_drafts(root: Path) -> list[Path]:
    """Remove the drafts that dead processes left in the store at `root`; returns them.

    Looks where drafts can be: two folders deep, not into images/ (its drafts lie in
    images/.drafts), nor into the run folders that a manifest has closed.
    """
    swept = [draft for folder in _drafty(root) for draft in _dead_drafts(folder)]
    for draft in swept:
        if draft.is_dir():
            shutil.rmtree(draft, ignore_errors=True)
        else:
            draft.unlink(missing_ok=True)
    return swept


def _draft_of(path: Path) -> Path:
    """Tell the draft of `path` for this process and thread.

    The thread counts too: two threads that keep the same picture must not share a draft.
    """
    return path.with_name(f".{path.name}.{os.getpid()}.{threading.get_native_id()}.draft")


def _finish(drafts: Sequence[tuple[Path, Path]]) -> None:
    for draft, path in drafts:
        with _telling_trouble(path.parent):
            _make_folder(path.parent)
            _sync(draft)
            draft.replace(path)


def _sync_folder(folder: Path) -> None:
    with _telling_trouble(folder):
        _sync(folder)


def _make_folder(folder: Path) -> None:
    """Create `folder` and its parents such that they survive a power cut."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _telling_trouble(folder: Path) -> Iterator[None]:
    """Name the folder: the kernel's word for a failed fsync names no file."""
    try:
        yield
    except StoreTrouble:
        raise  # it names the folder inside this one
    except OSError as err:
        trouble = trouble_of(err.errno, folder)
        if trouble is None:
            raise
        raise trouble from err


def _drafty(root: Path) -> Iterator[Path]:
    """Tell the folders of a store in which a killed writer may have left a draft."""
    if not root.is_dir():
        return
    yield root
    if (drafts := root / "images" / ".drafts").is_dir():
        yield drafts
    closed = {f"run={path.stem}" for path in (root / "runs").glob("*.json")}
    for table in _folders(root):
        if table.name != "images":
            yield table
            yield from (folder for folder in _folders(table) if folder.name not in closed)


def _folders(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return [Path(entry) for entry in entries if entry.is_dir(follow_symlinks=False)]


def _dead_drafts(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return [Path(entry) for entry in entries if _is_dead(entry)]


def _is_dead(entry: os.DirEntry[str]) -> bool:
    """Whether this is a draft whose writer has died."""
    draft = _DRAFT.match(entry.name)
    if draft is None:
        return False
    process = int(draft.group(1))
    if process == os.getpid():
        # In a container every night's process may have the same number.
        return entry.stat(follow_symlinks=False).st_mtime < _STARTED
    return not _is_alive(process)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
