"""From locations to facts: get each picture, decode it, let the model look, write it down.

The stages overlap: threads wait for servers, a thread a core has a batch decoded in a worker
process of its own and lets the model look at it, and this thread writes. What waits between them is
bounded, so memory does not grow with the rows.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from catalog.images.asking import Fetched, Known
from catalog.images.blobs import Blobs
from catalog.images.decoders import Decoded, Decoder
from catalog.images.fetch import Fetcher
from catalog.images.reasons import Reason
from catalog.models.runtime import Output, Runtime, at_once
from catalog.models.splits import TrainedGroups
from jobs.console import Advance
from jobs.parallel import Pipeline
from jobs.run import Run
from jobs.signals import uninterrupted
from jobs.stages import embedding_rows, joined, prediction_rows, score_rows
from sql.store import Store

FETCH_THREADS = 64  # that wait for servers
# Files may be on a slow mount, but threads that read fast ones take the interpreter from each
# other; and to hand a file over to one costs more than to read it.
READ_AT_ONCE = 16
FILES_TOGETHER = 8
WAITING = 8  # handfuls of pictures between two stages
MOST_IN_BATCH = 64  # locations, when few of them have a picture to look at
BATCHES_TO_WRITE = 64
PICTURES_PER_PART = 8192
SECONDS_PER_PART = 60.0
FINGERPRINT_SIZE = 32  # pixels a side, when nothing but the fingerprint is wanted
RETRY_AT_LEAST = timedelta(hours=1)
_OF_THE_DISK = (Reason.FILE_MISSING, Reason.FILE_UNREADABLE)


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
    here: bool = False  # whether the store has the picture's bytes
    first: bool = False  # nobody has looked at this picture yet
    decoded: Decoded | None = None


class Eyes:
    """A model as the pipeline uses it: what it says, and what it was trained on."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.runtime = Runtime(folder)
        self.trained = TrainedGroups.of_model(folder, self.runtime.card)

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
    decoders: Sequence[Decoder],
    advance: Advance,
) -> None:
    """Get, decode and score what is due; every outcome becomes a fact of the run.

    `done` holds the keys (see `key`) of pictures that need no look; it grows by those looked at.
    Without eyes pictures are only decoded, for their fingerprint. A thread looks for each of the
    decoders, which give pixels of the size that the eyes want.
    """
    free: SimpleQueue[Decoder] = SimpleQueue()
    with Blobs(run.store) as blobs, closing(Pipeline()) as pipeline, ExitStack() as awaited:
        # When its threads are to leave, none waits for a server or for a picture.
        awaited.callback(fetcher.close)
        for decoder in decoders:
            awaited.callback(decoder.end)
            free.put(decoder)
        got = _got(pipeline, _getter(fetcher, run.store, blobs), due)
        batches = _batches(_once(got, done), at_once(eyes.size if eyes else FINGERPRINT_SIZE))
        eye = partial(_look, free, run.store, blobs, eyes)
        looked = pipeline.stage(eye, batches, threads=len(decoders), ahead=WAITING)
        _note(_Notes(run, eyes, blobs), looked, advance)


def get(run: Run, due: Iterable[Due], fetcher: Fetcher, advance: Advance) -> None:
    """Get what is due, and look at nothing; every outcome becomes a fact of the run."""
    with Blobs(run.store) as blobs, closing(Pipeline()) as pipeline, closing(fetcher):
        got = _got(pipeline, _getter(fetcher, run.store, blobs), due)
        _note(_Notes(run, None, blobs), (_Looked([one], []) for one in got), advance)


def _note(notes: "_Notes", looked: "Iterable[_Looked]", advance: Advance) -> None:
    """Write down what comes out of a pipeline; what was finished is kept, whatever ends it."""
    try:
        for batch in looked:
            notes.take(batch)
            advance(len(batch.items))
    except (KeyboardInterrupt, RuntimeError):
        notes.flush()
        raise
    notes.flush()


def key(picture: str) -> bytes:
    """Half of a picture's SHA-256: enough to tell pictures apart, in a third of the memory."""
    return bytes.fromhex(picture[:32])


def _getter(fetcher: Fetcher, store: Store, blobs: Blobs) -> Callable[[Due], Got]:
    """How to get what is due, from many threads."""

    def get(due: Due) -> Got:
        here = due.picture is not None and store.picture(due.picture).is_file()
        if due.ask == "look" and here:
            return Got(due, picture=due.picture, here=True)
        fetched = fetcher.fetch(due.location, due.known if here else None)
        if fetched.data is None:
            return Got(due, fetched, due.picture, here)
        picture = blobs.keep(fetched.data)
        return Got(due, replace(fetched, data=None), picture, here=True)

    return get


def _got(pipeline: Pipeline, get: Callable[[Due], Got], due: Iterable[Due]) -> Iterator[Got]:
    """What is due, in the order in which it is had."""
    reading = threading.Semaphore(READ_AT_ONCE)

    def get_few(few: list[Due]) -> list[Got]:
        got = []
        with reading if few[0].location.startswith("/") else nullcontext():
            for one in few:
                pipeline.check()
                got.append(get(one))
        return got

    few = pipeline.stage(get_few, _in_few(due), threads=FETCH_THREADS, ahead=WAITING)
    return chain.from_iterable(few)


def _in_few(due: Iterable[Due]) -> Iterator[list[Due]]:
    """Files several at a time, a URL alone: another must not wait for it.

    The handfuls grow, such that the few files of a usual night are read side by side.
    """
    files: list[Due] = []
    handfuls = 0
    for one in due:
        if not one.location.startswith("/"):
            yield [one]
            continue
        files.append(one)
        if len(files) == min(FILES_TOGETHER, 2 ** (handfuls // READ_AT_ONCE)):
            yield files
            files = []
            handfuls += 1
    if files:
        yield files


def _once(got: Iterable[Got], done: set[bytes]) -> Iterator[Got]:
    """Let each picture be looked at once, whatever number of locations it has."""
    for one in got:
        if one.picture is not None and one.here and key(one.picture) not in done:
            done.add(key(one.picture))
            yield replace(one, first=True)
        else:
            yield one


@dataclass(frozen=True, slots=True)
class _Looked:
    """Some locations, and what the model said of those pictures among them that it looked at."""

    items: list[Got]
    pictures: list[str]
    fingerprints: list[str] = field(default_factory=list)  # of those pictures
    output: Output | None = None


def _batches(got: Iterable[Got], size: int) -> Iterator[list[Got]]:
    """So many locations together that there are `size` pictures to look at."""
    batch: list[Got] = []
    new = 0
    for one in got:
        batch.append(one)
        new += one.first
        if new == size or len(batch) == MOST_IN_BATCH:
            yield batch
            batch, new = [], 0
    if batch:
        yield batch


def _look(
    decoders: "SimpleQueue[Decoder]",
    store: Store,
    blobs: Blobs,
    eyes: Eyes | None,
    batch: list[Got],
) -> _Looked:
    """Decode a batch and let the model look at it; the pixels end here."""
    decoder = decoders.get()
    try:
        decoded = [_decoded(decoder, store, blobs, one) for one in batch]
    finally:
        decoders.put(decoder)
    found = [
        (one.picture, each.fingerprint or "", each.pixels)
        for one, each in zip(batch, decoded, strict=True)
        if one.picture and each and each.pixels is not None
    ]
    items = [
        replace(one, decoded=replace(each, pixels=None)) if each else one
        for one, each in zip(batch, decoded, strict=True)
    ]
    if eyes is None or not found:
        return _Looked(items, [])
    pictures, fingerprints, pixels = map(list, zip(*found, strict=True))
    return _Looked(items, pictures, fingerprints, eyes.runtime.run(np.stack(pixels)))


def _decoded(decoder: Decoder, store: Store, blobs: Blobs, one: Got) -> Decoded | None:
    """A picture's pixels or why it has none; None for one that is not to be looked at now."""
    if not one.first or one.picture is None:
        return None
    decoded = decoder.decode(blobs.place(one.picture))
    if decoded.reason is Reason.FILE_MISSING:  # flushed in this instant
        decoded = decoder.decode(store.picture(one.picture))
    # The disk's trouble is no fact about the picture: another night looks again.
    return None if decoded.reason in _OF_THE_DISK else decoded


class _Notes:
    """Writes down what comes out of the pipeline, part by part."""

    def __init__(self, run: Run, eyes: Eyes | None, blobs: Blobs) -> None:
        self._run = run
        self._eyes = eyes
        self._blobs = blobs
        self._waiting: list[_Looked] = []
        self._unflushed = 0
        self._since = time.monotonic()

    def take(self, looked: _Looked) -> None:
        """Note a batch; now and then all that was noted becomes durable."""
        self._waiting.append(looked)
        self._unflushed += len(looked.items)
        overdue = time.monotonic() - self._since > SECONDS_PER_PART
        if self._unflushed >= PICTURES_PER_PART or overdue:
            self.flush()
        elif len(self._waiting) >= BATCHES_TO_WRITE:
            self._write()

    def flush(self) -> None:
        """Make everything that was noted durable: the pictures before the facts that name them."""
        self._write()
        with uninterrupted():
            self._blobs.flush()
        self._run.flush()
        self._unflushed, self._since = 0, time.monotonic()

    def _write(self) -> None:
        """Turn what waits into rows; it leaves the list first, so that nothing is written twice."""
        with uninterrupted():
            waiting, self._waiting = self._waiting, []
            items = [one for looked in waiting for one in looked.items]
            self._run.write("fetches", [_fetch_row(one) for one in items if one.fetched])
            decoded = [one for one in items if one.decoded and not _is_noted(one)]
            self._run.write("pictures", [_picture_row(one, self._blobs) for one in decoded])
            scored = [looked for looked in waiting if looked.output is not None]
            if self._eyes and scored:
                self._write_scores(self._eyes, scored)

    def _write_scores(self, eyes: Eyes, scored: list[_Looked]) -> None:
        pictures = [picture for looked in scored for picture in looked.pictures]
        trained_on = eyes.trained.contains([each for one in scored for each in one.fingerprints])
        output = joined([looked.output for looked in scored if looked.output])
        vocabulary = eyes.runtime.card.vocabulary
        self._run.write("scores", score_rows(pictures, trained_on, output, eyes.name))
        self._run.write("predictions", prediction_rows(pictures, output, vocabulary, eyes.name))
        self._run.write("embeddings", embedding_rows(pictures, output, eyes.name))


def _is_noted(one: Got) -> bool:
    """Whether the store already says that this picture can be decoded."""
    return one.due.decoded == "ok" and one.picture == one.due.picture


def _fetch_row(one: Got) -> dict[str, Any]:
    fetched = one.fetched
    assert fetched is not None  # noqa: S101 - the caller asked
    now = datetime.now(UTC)
    # A failure forgets nothing: the next try can still ask whether the picture changed.
    kept = one.due.known if fetched.outcome == "failed" and one.due.known else fetched
    wait = None if fetched.next_try_after is None else timedelta(seconds=fetched.next_try_after)
    return {
        "location": one.due.location,
        "picture": one.picture,
        "outcome": fetched.outcome,
        "reason": fetched.reason,
        "host": fetched.host,
        "http_status": fetched.http_status,
        "etag": kept.etag,
        "last_modified": kept.last_modified,
        "size": fetched.size,
        "mtime_ns": fetched.mtime_ns,
        "attempts": fetched.attempts,
        "seconds": fetched.seconds,
        "fetched_at": now,
        "next_try": None if wait is None else now + max(wait, RETRY_AT_LEAST),
        "dead": fetched.dead,
    }


def _picture_row(one: Got, blobs: Blobs) -> dict[str, Any]:
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
        "bytes": blobs.place(one.picture).stat().st_size,
        "fingerprint": decoded.fingerprint,
        "decoded_at": datetime.now(UTC),
    }
