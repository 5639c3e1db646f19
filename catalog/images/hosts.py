"""How many connections each host gets, and when it is given up for this run."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from catalog.images.guard import Missed
from catalog.images.reasons import Reason

DOWN_AFTER = 20  # failures in a row
HALVE_EVERY = 1.0  # seconds: one burst of refusals is one reason to slow down, not thirty

# A host that answers so is alive, and a picture's own trouble says nothing about its host.
_HOST_FAILED = frozenset(
    {
        Reason.DNS,
        Reason.CONNECTION,
        Reason.TLS,
        Reason.TIMEOUT,
        Reason.DEADLINE,
        Reason.SERVER_ERROR,
    }
)


class Host:
    """What is known of one host in this run."""

    def __init__(self, limit: int) -> None:
        self._most = limit
        self._limit = float(limit)
        self._active = 0
        self._failures = 0
        self._halved = float("-inf")
        self._free = threading.Condition()

    @property
    def limit(self) -> int:
        """Connections that it gets now."""
        return int(self._limit)

    @property
    def down(self) -> bool:
        """Whether it failed so often in a row that it is asked no more."""
        return self._failures >= DOWN_AFTER

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for one of its connections; raises Missed when the host is down."""
        with self._free:
            self._free.wait_for(lambda: self.down or self._active < self.limit)
            if self.down:
                raise Missed(Reason.HOST_DOWN)
            self._active += 1
        try:
            yield
        finally:
            with self._free:
                self._active -= 1
                self._free.notify()

    def succeeded(self) -> None:
        """It answered well: the limit recovers by one connection for each round of answers."""
        with self._free:
            self._failures = 0
            if self._limit < self._most:
                self._limit = min(self._most, self._limit + 1 / self._limit)
                self._free.notify()

    def failed(self, reason: Reason, status: int | None) -> None:
        """It answered with trouble, or not at all."""
        with self._free:
            if status in {429, 503}:
                self._halve()
            if reason in _HOST_FAILED:
                self._failures += 1
                if self.down:
                    self._free.notify_all()
            else:
                self._failures = 0

    def _halve(self) -> None:
        now = time.monotonic()
        if now - self._halved >= HALVE_EVERY:
            self._halved = now
            self._limit = max(1.0, self._limit / 2)


class Hosts:
    """All hosts of a run: at most `per_host` connections to each, `total` together. Thread-safe."""

    def __init__(self, per_host: int, total: int) -> None:
        self._per_host = per_host
        self._total = threading.BoundedSemaphore(total)
        self._lock = threading.Lock()
        self._hosts: dict[str, Host] = {}

    def host(self, name: str) -> Host:
        """The host of that name."""
        with self._lock:
            return self._hosts.setdefault(name, Host(self._per_host))

    @contextmanager
    def slot(self, name: str) -> Iterator[Host]:
        """Hold one connection to a host; what became of it is reported to the host."""
        host = self.host(name)
        with host.slot(), self._total:
            try:
                yield host
            except Missed as err:
                host.failed(err.reason, err.status)
                raise
            host.succeeded()
