"""Picture bytes, kept once under the SHA-256 of themselves."""

import threading
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from sql.files import settle, write_draft
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            left = list(self._drafts.values())
        for draft in left:
            draft.unlink(missing_ok=True)

    def keep(self, data: bytes) -> str:
        """Put `data` into the store unless it is there; returns its SHA-256 in hex.

        A file of another length is damage, and is written again.
        """
        picture = sha256(data).hexdigest()
        if picture in self._drafts or self._is_there(picture, len(data)):
            return picture
        draft = write_draft(self._store.picture(picture), data, self._store.picture_drafts)
        with self._lock:
            first = self._drafts.setdefault(picture, draft)
        if first != draft:  # another thread kept the same at the same time
            draft.unlink()
        return picture

    def place(self, picture: str) -> Path:
        """Where a picture that is kept can be read; a flush moves it."""
        return self._drafts.get(picture) or self._store.picture(picture)

    def flush(self) -> None:
        """Make durable what was kept so far. Drafts that are written meanwhile wait."""
        with self._lock:
            kept = dict(self._drafts)
        settle([(draft, self._store.picture(picture)) for picture, draft in kept.items()])
        with self._lock:
            for picture in kept:
                del self._drafts[picture]

    def _is_there(self, picture: str, size: int) -> bool:
        try:
            return self._store.picture(picture).stat().st_size == size
        except FileNotFoundError:
            return False
