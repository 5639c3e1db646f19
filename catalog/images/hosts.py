"""How many connections each host gets, when it is left alone, and when it is given up."""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from catalog.images.asking import Budget
from catalog.images.guard import Missed, NotAsked, NotTried
from catalog.images.reasons import Reason
from catalog.images.settings import LONGEST_BACKOFF, FetchSettings

RECOVERY = 4  # rounds of good answers for one connection more
SEVERAL = 3  # pictures that are refused with few good answers between them: it is the host
ROUNDS = 2  # of good answers, and those before were refused for reasons of their own
REMEMBERED = 10_000  # hosts; a million names in a CSV need not stay in memory

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
# Nor does a host that had no time to answer.
_TAKES_TIME = frozenset({Reason.DNS, Reason.TIMEOUT, Reason.DEADLINE})


class Host:
    """What is known of one host in this run. Thread-safe."""

    def __init__(self, settings: FetchSettings) -> None:
        self.users = 0  # threads that ask it or wait for it; kept by Hosts
        self._settings = settings
        self._limit = float(settings.per_host)
        self._active = 0
        self._failures = 0  # in a row
        self._rests = 0  # in a row, with no good answer between them
        self._refused: set[Budget] = set()  # of pictures: the last few, at most SEVERAL
        self._good = 0  # answers since
        self._slowed = float("-inf")  # when its limit was last halved; all in time.monotonic()
        self._rested = float("-inf")  # when it may be asked again
        self._wanted = float("-inf")  # when it wants to be asked again, however late that is
        self._closed = False
        self._free = threading.Condition()

    @property
    def limit(self) -> int:
        """Connections that it gets now."""
        return int(self._limit)

    @property
    def down(self) -> bool:
        """Whether it failed so often in a row that it is asked no more."""
        return self._failures >= self._settings.down_after

    @contextmanager
    def slot(self, budget: Budget) -> Iterator[None]:
        """Wait for one of its connections; raises NotAsked when there is no point in waiting."""
        with self._free:
            self._wait(budget)
            self._active += 1
        try:
            yield
        finally:
            with self._free:
                self._active -= 1
                self._free.notify()

    def succeeded(self) -> None:
        """It answered well: the limit recovers slowly."""
        with self._free:
            self._answered()
            if self._limit < self._settings.per_host:
                more = 1 / (RECOVERY * self._limit)
                self._limit = min(self._settings.per_host, self._limit + more)
                self._free.notify()

    def failed(self, missed: Missed, began: float, budget: Budget) -> None:
        """It answered a request of time.monotonic() `began` with trouble, or not at all.

        `budget` is that of the picture, and by it pictures are told apart.
        """
        with self._free:
            overburdened = missed.status in {429, 503} and self._is_overburdened(missed, budget)
            if missed.refused:
                if overburdened:
                    missed.of_host = missed.retry_after is None
                    self._rest(missed, began)
            elif missed.reason in _HOST_FAILED:
                self._failures += 1
            else:
                self._answered()
            if overburdened and began >= self._slowed:
                # Whatever was under way before then is the same burst, and one reason, not thirty.
                self._slowed = time.monotonic()
                self._limit = max(1.0, self._limit / 2)
            if self.down or missed.refused:
                self._free.notify_all()

    def close(self) -> None:
        """Send away everybody who waits."""
        with self._free:
            self._closed = True
            self._free.notify_all()

    def _wait(self, budget: Budget) -> None:
        while True:
            if self.down or self._closed:
                raise NotAsked(Reason.HOST_DOWN)
            rest = self._rested - time.monotonic()
            if rest > 0:
                self._sit_out(rest, budget)
            elif self._active < self.limit:
                return
            else:
                self._free.wait()

    def _sit_out(self, rest: float, budget: Budget) -> None:
        """Wait until the host may be asked again, or until something else changed.

        Raises NotAsked, to free the thread for other hosts, when that takes too long or when the
        host did nothing but refuse so far.
        """
        if rest > budget.patience or self._rests >= self._settings.tries:
            wanted = self._wanted - time.monotonic()
            raise NotAsked(Reason.RATE_LIMITED, retry_after=wanted)
        since = time.monotonic()
        self._free.wait(rest)
        budget.wait(since)

    def _answered(self) -> None:
        self._failures = self._rests = 0
        self._good += 1
        if self._good >= ROUNDS * self.limit:
            self._refused.clear()

    def _is_overburdened(self, missed: Missed, picture: Budget) -> bool:
        """Whether a refusal is about the host: it says for how long, or refuses one after another.

        A single picture that is refused for ever is that picture's trouble.
        """
        self._good = 0
        if len(self._refused) < SEVERAL:
            self._refused.add(picture)
        return missed.retry_after is not None or len(self._refused) >= SEVERAL

    def _rest(self, missed: Missed, began: float) -> None:
        """Leave the host alone: as long as it asks for, but not for ever."""
        pause = missed.retry_after or 0.0
        if began >= self._slowed:
            pause = max(pause, min(LONGEST_BACKOFF, self._settings.backoff * 2**self._rests))
            self._rests += 1
        now = time.monotonic()
        self._wanted = max(self._wanted, now + pause)
        self._rested = max(self._rested, now + min(pause, self._settings.longest_retry_after))


class Hosts:
    """All hosts of a run: `per_host` connections to each, `total` together. Thread-safe."""

    def __init__(self, settings: FetchSettings) -> None:
        self._settings = settings
        self._total = threading.BoundedSemaphore(settings.total)
        self._lock = threading.Lock()
        self._hosts: OrderedDict[str, Host] = OrderedDict()  # the one used last at the end

    @contextmanager
    def slot(self, name: str, budget: Budget) -> Iterator[Host]:
        """Hold one connection to a host; what became of it is reported to the host."""
        host = self._take(name)
        try:
            with host.slot(budget), self._total:
                began, given = time.monotonic(), budget.left
                try:
                    yield host
                except Missed as err:
                    if self._is_the_hosts(err, given):
                        host.failed(err, began, budget)
                    raise
                host.succeeded()
        finally:
            with self._lock:
                host.users -= 1

    def _is_the_hosts(self, missed: Missed, given: float) -> bool:
        """Whether a failure is about a host that was given so many seconds."""
        if isinstance(missed, NotTried):
            return False
        enough = min(self._settings.connect_timeout, self._settings.deadline)
        return given >= enough or missed.reason not in _TAKES_TIME

    def close(self) -> None:
        """Send away everybody who waits."""
        with self._lock:
            hosts = list(self._hosts.values())
        for host in hosts:
            host.close()

    def _take(self, name: str) -> Host:
        with self._lock:
            host = self._hosts.get(name)
            if host is None:
                host = self._hosts[name] = Host(self._settings)
            self._hosts.move_to_end(name)
            host.users += 1
            self._forget()
            return host

    def _forget(self) -> None:
        """Drop those that were not asked for longest, when there are too many."""
        for _ in range(len(self._hosts) - REMEMBERED):
            name, host = next(iter(self._hosts.items()))
            if host.users:
                self._hosts.move_to_end(name)
            else:
                del self._hosts[name]
