"""Picture bytes, kept once under the SHA-256 of themselves."""

import threading
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from sql.files import flush_folders, settle, write_draft
from sql.store import Store


class Blobs:
    """Puts pictures into a store's images, from several threads; for one run.

    Each is a draft until `flush` makes all of them durable and gives them their names. What was
    not flushed when it is closed is dropped.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._drafts: dict[str, Path] = {}  # by SHA-256
        self._folders: set[Path] = set()  # beside those of the drafts: with names to make durable
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._closed = True
            left = list(self._drafts.values())
        for draft in left:
            draft.unlink(missing_ok=True)

    def keep(self, data: bytes) -> str:
        """Put `data` into the store unless it is there; returns its SHA-256 in hex.

        A file of another length is damage, and is written again.
        """
        picture = sha256(data).hexdigest()
        place = self._store.picture(picture)
        if picture in self._drafts:
            return picture
        if _is_there(place, len(data)):
            with self._lock:  # it may have its name of a run that was killed in its flush
                self._folders.add(place.parent)
            return picture
        draft = write_draft(place, data, self._store.picture_drafts)
        with self._lock:
            first = self._drafts.setdefault(picture, draft)
        # Another thread kept the same at the same time, or nobody will flush it any more.
        if first != draft or self._closed:
            draft.unlink(missing_ok=True)
        return picture

    def place(self, picture: str) -> Path:
        """Where a picture that is kept can be read; a flush moves it."""
        return self._drafts.get(picture) or self._store.picture(picture)

    def flush(self) -> None:
        """Make durable what was kept so far. Drafts that are written meanwhile wait."""
        with self._lock:
            kept = [(p, draft, self._store.picture(p)) for p, draft in self._drafts.items()]
            folders = self._folders | {place.parent for *_, place in kept}
            self._folders = set()
        try:
            settle([(draft, place) for _, draft, place in kept])
            flush_folders(folders)
        except BaseException:
            with self._lock:
                self._folders |= folders
            raise
        finally:
            with self._lock:
                for picture, draft, _ in kept:
                    if not draft.exists():  # it has its name; the next flush has the others again
                        del self._drafts[picture]


def _is_there(place: Path, size: int) -> bool:
    try:
        return place.stat().st_size == size
    except FileNotFoundError:
        return False
