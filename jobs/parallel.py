"""Run the stages of a pipeline in threads, with bounded queues between them."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Any, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

_POLL_SECONDS = 0.2  # how soon a stopped stage notices
LEAVING_SECONDS = 2.0


class _End:
    """Told to the next in line: nothing more comes from here, or this went wrong."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class Stopped(BaseException):
    """The pipeline was told to stop."""


class Pipeline:
    """Stages of threads, which leave when it is closed."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def close(self) -> None:
        """Tell every thread to leave, and wait a moment for them.

        One that is there when the interpreter ends would keep what it knows, and DuckDB call that
        leaked. One that hangs in the system must not keep the job.
        """
        self._stop.set()
        until = time.monotonic() + LEAVING_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def check(self) -> None:
        """Stopped once it is closed, for work that takes its time."""
        if self._stop.is_set():
            raise Stopped

    def stage(
        self, work: Callable[[In], Out], items: Iterable[In], *, threads: int, ahead: int
    ) -> Iterator[Out]:
        """Yield `work(item)` for every item, in the order in which they finish.

        `items` is read in a thread of its own and at most `ahead` items wait on either side, so
        that stages can be chained and overlap while memory stays flat. The first exception of
        `items` or of `work` is raised here.
        """
        waiting: Queue[Any] = Queue(ahead)
        finished: Queue[Any] = Queue(ahead)
        stop = self._stop

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
            thread = threading.Thread(target=_told, args=(target, finished, stop), daemon=True)
            thread.start()
            self._threads.append(thread)
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
