"""Run one stage of the pipeline in threads, with bounded queues on both sides."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Any, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

_POLL_SECONDS = 0.2  # how soon a stopped stage notices


class _End:
    """Told to the next in line: nothing more comes from here, or this went wrong."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class Stopped(BaseException):
    """The pipeline was told to stop."""


def parallel(
    work: Callable[[In], Out],
    items: Iterable[In],
    *,
    threads: int,
    ahead: int,
    stop: threading.Event,
) -> Iterator[Out]:
    """Yield `work(item)` for every item, in the order in which they finish.

    `items` is read in a thread of its own and at most `ahead` items wait on either side, so that
    stages can be chained and overlap while memory stays flat. The first exception of `items` or
    of `work` is raised here. One `stop` is shared by all stages of a pipeline: once it is set,
    every thread of every stage leaves.
    """
    waiting: Queue[Any] = Queue(ahead)
    finished: Queue[Any] = Queue(ahead)

    def read() -> None:
        for item in items:
            _put(waiting, item, stop)
        for _ in range(threads):
            _put(waiting, _End(), stop)

    def labour() -> None:
        while not isinstance(item := _get(waiting, stop), _End):
            _put(finished, work(item), stop)
        _put(finished, _End(), stop)

    for target in (read, *[labour] * threads):
        threading.Thread(target=_told, args=(target, finished, stop), daemon=True).start()
    working = threads
    while working:
        item = _get(finished, stop)
        if not isinstance(item, _End):
            yield item
        elif item.error is not None:
            raise item.error
        else:
            working -= 1


def _told(target: Callable[[], None], finished: Queue[Any], stop: threading.Event) -> None:
    """Run the body of a thread; what goes wrong in it is told to the reader of the stage."""
    with suppress(Stopped):
        try:
            target()
        except Exception as error:  # noqa: BLE001 - raised again by the reader
            _put(finished, _End(error), stop)


def _put(queue: Queue[Any], item: object, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            return queue.put(item, timeout=_POLL_SECONDS)
        except Full:
            continue
    raise Stopped


def _get(queue: Queue[Any], stop: threading.Event) -> Any:
    while not stop.is_set():
        try:
            return queue.get(timeout=_POLL_SECONDS)
        except Empty:
            continue
    raise Stopped
