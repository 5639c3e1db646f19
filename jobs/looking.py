"""From locations to facts: get each picture, decode it, let the model look, write it down.

The stages overlap: threads wait for servers, worker processes decode, and this thread runs the
model and writes. What waits between them is bounded, so memory does not grow with the rows.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from catalog.images.asking import Fetched, Known
from catalog.images.blobs import keep
from catalog.images.decoders import Decoded, Decoder
from catalog.images.fetch import Fetcher
from catalog.models.artefact import SPLIT
from catalog.models.runtime import BATCH, Runtime
from catalog.models.splits import TrainedGroups
from jobs.console import Advance
from jobs.parallel import parallel
from jobs.run import Run
from jobs.stages import embedding_rows, prediction_rows, score_rows
from sql.store import Store

FETCH_THREADS = 64
WAITING = 4 * BATCH  # pictures between two stages
PICTURES_PER_PART = 8192
SECONDS_PER_PART = 60.0
FINGERPRINT_SIZE = 32  # pixels a side, when nothing but the fingerprint is wanted
RETRY_AT_LEAST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Due:
    """A location to get (`ask` is new, retry or recheck) or whose picture is to be looked at."""

    location: str
    ask: str
    picture: str | None
    known: Known | None
    decoded: str | None  # ok or failed, when the picture was decoded before


@dataclass(frozen=True, slots=True)
class Got:
    """A location, what came of asking for it, and what its picture turned out to be."""

    due: Due
    fetched: Fetched | None = None  # without the bytes
    picture: str | None = None
    first: bool = False  # nobody has looked at this picture yet
    decoded: Decoded | None = None


class Eyes:
    """A model as the pipeline uses it: what it says, and what it was trained on."""

    def __init__(self, folder: Path, name: str, threads: int) -> None:
        self.name = name
        self.runtime = Runtime(folder, threads)
        self.trained = TrainedGroups(folder / SPLIT)

    @property
    def size(self) -> int:
        """Pixels a side."""
        return self.runtime.card.image_size


def read_due(path: Path) -> Iterator[Due]:
    """The rows of a plan's file, without reading it whole."""
    for batch in pq.ParquetFile(path).iter_batches(1024):
        for row in batch.to_pylist():
            known = None
            if row["picture"]:
                known = Known(
                    picture=row["picture"],
                    etag=row["etag"],
                    last_modified=row["last_modified"],
                    size=row["size"],
                    mtime_ns=row["mtime_ns"],
                )
            yield Due(row["location"], row["ask"], row["picture"], known, row["decoded"])


def look(
    run: Run,
    due: Iterable[Due],
    fetcher: Fetcher,
    eyes: Eyes | None,
    done: set[bytes],
    workers: int,
    advance: Advance,
) -> None:
    """Get, decode and score what is due; every outcome becomes a fact of the run.

    `done` holds the keys (see `key`) of pictures that need no look; it grows by those looked at.
    Without eyes pictures are only decoded, for their fingerprint.
    """
    stop = threading.Event()
    with ExitStack() as stack:
        stack.callback(stop.set)
        decoders: SimpleQueue[Decoder] = SimpleQueue()
        for _ in range(workers):
            size = eyes.size if eyes else FINGERPRINT_SIZE
            decoders.put(stack.enter_context(Decoder(size)))
        got = parallel(
            partial(_get, fetcher, run.store),
            due,
            threads=FETCH_THREADS,
            ahead=WAITING,
            stop=stop,
        )
        decoded = parallel(
            partial(_decode, decoders, run.store),
            _once(got, done),
            threads=workers,
            ahead=WAITING,
            stop=stop,
        )
        notes = _Notes(run, eyes)
        # Whatever ends this, Ctrl-C too: what was finished is kept.
        stack.callback(notes.flush)
        for one in decoded:
            notes.take(one)
            advance(1)


def key(picture: str) -> bytes:
    """Half of a picture's SHA-256: enough to tell pictures apart, in a third of the memory."""
    return bytes.fromhex(picture[:32])


def _get(fetcher: Fetcher, store: Store, due: Due) -> Got:
    here = due.picture is not None and store.picture(due.picture).is_file()
    if due.ask == "look" and here:
        return Got(due, picture=due.picture)
    fetched = fetcher.fetch(due.location, due.known if here else None)
    picture = keep(store, fetched.data) if fetched.data is not None else due.picture
    return Got(due, replace(fetched, data=None), picture)


def _once(got: Iterable[Got], done: set[bytes]) -> Iterator[Got]:
    """Let each picture be looked at once, whatever number of locations it has."""
    for one in got:
        if one.picture is not None and key(one.picture) not in done:
            done.add(key(one.picture))
            yield replace(one, first=True)
        else:
            yield one


def _decode(decoders: "SimpleQueue[Decoder]", store: Store, one: Got) -> Got:
    if not one.first or one.picture is None:
        return one
    decoder = decoders.get()
    try:
        return replace(one, decoded=decoder.decode(store.picture(one.picture)))
    finally:
        decoders.put(decoder)


@dataclass
class _Notes:
    """Writes down what comes out of the pipeline, and lets the model look batch by batch."""

    run: Run
    eyes: Eyes | None
    waiting: list[Got] = field(default_factory=list)  # decoded, not yet scored
    fetches: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[dict[str, Any]] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)
    unflushed: int = 0

    def take(self, one: Got) -> None:
        if one.fetched is not None:
            self.fetches.append(_fetch_row(one))
        if one.decoded is not None:
            if one.due.decoded is None or one.picture != one.due.picture:
                self.pictures.append(_picture_row(one, self.run.store))
            if one.decoded.pixels is not None and self.eyes:
                self.waiting.append(one)
        if len(self.waiting) == BATCH:
            self._score()
        self.unflushed += 1
        overdue = time.monotonic() - self.since > SECONDS_PER_PART
        if self.unflushed == PICTURES_PER_PART or overdue:
            self.flush()

    def flush(self) -> None:
        """Let the model look at what still waits, and make all facts durable."""
        self._score()
        self.run.write("fetches", self.fetches)
        self.run.write("pictures", self.pictures)
        self.run.flush()
        self.fetches, self.pictures = [], []
        self.unflushed, self.since = 0, time.monotonic()

    def _score(self) -> None:
        if not self.waiting or self.eyes is None:
            return
        eyes, name = self.eyes, self.eyes.name
        pictures = [one.picture for one in self.waiting if one.picture]
        found = [one.decoded for one in self.waiting if one.decoded]
        output = eyes.runtime.run(np.stack([decoded.pixels for decoded in found]))  # type: ignore[misc]
        trained_on = eyes.trained.contains([decoded.fingerprint or "" for decoded in found])
        vocabulary = eyes.runtime.card.vocabulary
        self.run.write("scores", score_rows(pictures, trained_on, output, name))
        self.run.write("predictions", prediction_rows(pictures, output, vocabulary, name))
        self.run.write("embeddings", embedding_rows(pictures, output, name))
        self.waiting = []


def _fetch_row(one: Got) -> dict[str, Any]:
    fetched = one.fetched
    assert fetched is not None  # noqa: S101 - the caller asked
    now = datetime.now(UTC)
    wait = None if fetched.next_try_after is None else timedelta(seconds=fetched.next_try_after)
    return {
        "location": one.due.location,
        "picture": one.picture,
        "outcome": fetched.outcome,
        "reason": fetched.reason,
        "host": fetched.host,
        "http_status": fetched.http_status,
        "etag": fetched.etag,
        "last_modified": fetched.last_modified,
        "size": fetched.size,
        "mtime_ns": fetched.mtime_ns,
        "attempts": fetched.attempts,
        "seconds": fetched.seconds,
        "fetched_at": now,
        "next_try": None if wait is None else now + max(wait, RETRY_AT_LEAST),
        "dead": fetched.dead,
    }


def _picture_row(one: Got, store: Store) -> dict[str, Any]:
    decoded = one.decoded
    assert decoded is not None  # noqa: S101 - the caller asked
    assert one.picture is not None  # noqa: S101 - nothing else is decoded
    return {
        "picture": one.picture,
        "outcome": decoded.outcome,
        "reason": decoded.reason,
        "format": decoded.format,
        "width": decoded.width,
        "height": decoded.height,
        "bytes": store.picture(one.picture).stat().st_size,
        "fingerprint": decoded.fingerprint,
        "decoded_at": datetime.now(UTC),
    }
