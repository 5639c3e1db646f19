"""What is known before a location is asked, what an answer is, and what came of it."""

import time
from dataclasses import dataclass
from typing import Literal

from catalog.images.reasons import Reason


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a location from an earlier run."""

    picture: str | None = None  # SHA-256
    etag: str | None = None
    last_modified: str | None = None
    size: int | None = None  # bytes; of a local file, as is mtime_ns
    mtime_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one location."""

    location: str
    outcome: Literal["fetched", "unchanged", "failed"]
    reason: Reason | None = None
    data: bytes | None = None  # only when fetched
    host: str | None = None  # of the location; None for a local file
    http_status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    size: int | None = None  # bytes
    mtime_ns: int | None = None  # local files
    attempts: int = 1
    seconds: float = 0.0
    dead: bool = False  # not worth asking again
    next_try_after: int | None = None  # seconds, of a failure that is not dead


class Budget:
    """The seconds that a location may still take.

    `left` are those on the network, `patience` as many again for hosts that want to be left alone.
    """

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self.patience = seconds

    def spend(self, since: float) -> None:
        """Take off what passed on the network since a time.monotonic()."""
        self.left -= time.monotonic() - since

    def wait(self, since: float) -> None:
        """Take off what passed in waiting since a time.monotonic()."""
        self.patience -= time.monotonic() - since


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server gave; `data` is None when nothing changed."""

    data: bytes | None
    status: int
    etag: str | None
    last_modified: str | None
