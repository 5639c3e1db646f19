"""From a location, a URL or a path, to the bytes of a picture or the reason why not."""

import logging
import math
import os
import random
import stat
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from catalog.images.asking import Answer, Budget, Fetched, Known
from catalog.images.formats import HEAD, sniff
from catalog.images.guard import Missed, NotAsked
from catalog.images.reasons import DAY, PASSING, Reason, next_try_after
from catalog.images.settings import LONGEST_BACKOFF, FetchSettings

if TYPE_CHECKING:
    from catalog.images.download import Downloader


_log = logging.getLogger(__name__)


class FetcherClosed(RuntimeError):  # noqa: N818 - it says what is the case
    """The fetcher was closed while it fetched; nothing is known of the location."""


class Fetcher:
    """Gets pictures; one for a whole run, used from many threads at once."""

    def __init__(self, settings: FetchSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._downloader: Downloader | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop every connection; threads that still fetch get FetcherClosed."""
        self._closed.set()
        with self._lock:
            if self._downloader is not None:
                self._downloader.close()

    def fetch(self, location: str, known: Known | None = None) -> Fetched:
        """The picture at an http(s) URL or an absolute path; a bad location is an outcome.

        With `known`, a picture that has not changed since is not sent or read again.
        """
        started = time.monotonic()
        if location.startswith("/"):
            return _read_local(location, known or Known(), self._settings.max_bytes)
        return self._fetch_url(location, known or Known(), started)

    def _fetch_url(self, url: str, known: Known, started: float) -> Fetched:
        """Try until it is had, or until another try could not change anything."""
        budget = Budget(self._settings.deadline)
        attempts = 1
        counted = 0  # attempts that failed for reasons of the picture's own, as far as we know
        before: Missed | None = None
        while True:
            try:
                answer = self._download(url, known, budget)
            except NotAsked as missed:
                # Nothing new was learnt; an answer to an earlier try says more.
                attempts -= before is not None
                return self._failed(url, before or missed, attempts, started)
            except Missed as missed:
                counted += not missed.of_host
                if not self._try_again(missed, counted, budget):
                    return self._failed(url, missed, attempts, started)
                attempts += 1
                # A new one: the old one's frames hold on to the connection.
                before = Missed(missed.reason, missed.status, missed.retry_after)
            else:
                return _had(url, answer, known, attempts, started)

    def _failed(self, url: str, missed: Missed, attempts: int, started: float) -> Fetched:
        if self._closed.is_set():
            raise FetcherClosed(url)
        after = _next_try_after(missed)
        return Fetched(
            url,
            "failed",
            missed.reason,
            host=_host_of(url),
            http_status=missed.status,
            attempts=attempts,
            seconds=time.monotonic() - started,
            dead=after is None,
            next_try_after=after,
        )

    def _try_again(self, missed: Missed, counted: int, budget: Budget) -> bool:
        """Wait before the next try; False if there should be none."""
        if missed.reason not in PASSING or budget.left <= 0 or self._closed.is_set():
            return False
        if missed.of_host:
            return True  # it rests, and says itself when there is no point in waiting
        if counted >= self._settings.tries:
            return False
        if missed.refused and missed.retry_after is not None:
            return True  # the host is not asked before it may be
        # Full jitter: many pictures that failed together must not come back together.
        ceiling = min(LONGEST_BACKOFF, self._settings.backoff * 2 ** (counted - 1))
        wait = random.uniform(0, ceiling)  # nosec B311  # noqa: S311 - not a secret
        return not self._closed.wait(wait)

    def _download(self, url: str, known: Known, budget: Budget) -> Answer:
        with self._lock:
            if self._closed.is_set():
                raise FetcherClosed(url)
            if self._downloader is None:
                # requests takes a tenth of a second to load: not for a run over local files.
                from catalog.images.download import Downloader  # noqa: PLC0415

                self._downloader = Downloader(self._settings)
                _say_who_guards(self._settings)
        return self._downloader.download(url, known, budget)


def _had(url: str, answer: Answer, known: Known, attempts: int, started: float) -> Fetched:
    return Fetched(
        url,
        "unchanged" if answer.data is None else "fetched",
        data=answer.data,
        host=_host_of(url),
        http_status=answer.status,
        etag=answer.etag,
        last_modified=answer.last_modified,
        size=known.size if answer.data is None else len(answer.data),
        attempts=attempts,
        seconds=time.monotonic() - started,
    )


def _next_try_after(missed: Missed) -> int | None:
    """Seconds until it may be asked for again: later if its host wishes so, within a day."""
    after = next_try_after(missed.reason)
    if after is None or missed.retry_after is None:
        return after
    return max(after, math.ceil(min(missed.retry_after, DAY)))


def _say_who_guards(settings: FetchSettings) -> None:
    if settings.proxy is not None:
        _log.warning(
            "downloads go through the proxy at %s: which addresses it asks is not checked here",
            _host_of(settings.proxy),
        )


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _read_local(path: str, known: Known, most: int) -> Fetched:
    """A picture on this machine's disk; unchanged if its size and time are."""
    try:
        there = Path(path).stat()
        if (there.st_size, there.st_mtime_ns) == (known.size, known.mtime_ns):
            return Fetched(path, "unchanged", size=there.st_size, mtime_ns=there.st_mtime_ns)
        data = _bytes_of(Path(path), there, most)
    except (FileNotFoundError, NotADirectoryError):
        return _failed_local(path, Reason.FILE_MISSING)
    except (OSError, ValueError):
        return _failed_local(path, Reason.FILE_UNREADABLE)
    if isinstance(data, Reason):
        return _failed_local(path, data, there)
    return Fetched(path, "fetched", data=data, size=len(data), mtime_ns=there.st_mtime_ns)


def _bytes_of(path: Path, there: os.stat_result, most: int) -> bytes | Reason:
    """What is in a file, or why it can be no picture."""
    if not stat.S_ISREG(there.st_mode):
        return Reason.FILE_UNREADABLE
    if there.st_size > most:
        return Reason.TOO_LARGE
    data = path.read_bytes()
    if not data:
        return Reason.EMPTY
    return data if sniff(data[:HEAD]) else Reason.NOT_A_PICTURE


def _failed_local(path: str, reason: Reason, there: os.stat_result | None = None) -> Fetched:
    """A failure that lasts until the file is another: its size and time tell the next run."""
    return Fetched(
        path,
        "failed",
        reason,
        size=there.st_size if there else None,
        mtime_ns=there.st_mtime_ns if there else None,
        next_try_after=0,
    )
