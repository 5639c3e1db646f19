"""A deadline that closes the socket: a timeout per read never ends a server that drips."""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from urllib3.util.ssltransport import SSLTransport

_log = logging.getLogger(__name__)

LOOK_EVERY = 0.25  # seconds


class Exchange:
    """One request and its answer: when it must be over, and the socket it uses."""

    def __init__(self, due: float) -> None:
        self.due = due  # in time.monotonic()
        self.cut = False
        self._lock = threading.Lock()
        self._over = False
        self._socket: socket.socket | None = None

    @property
    def left(self) -> float:
        """Seconds that are left, never less than a millisecond (0 would mean non-blocking)."""
        return max(0.001, self.due - time.monotonic())

    @property
    def overdue(self) -> bool:
        """Whether time was up, be it that the socket was closed or a read gave up just before."""
        return self.cut or time.monotonic() >= self.due

    def use(self, connected: socket.socket | SSLTransport) -> None:
        """Remember the socket that is to be closed when time is up.

        TLS within the TLS of a proxy is no socket, but has one.
        """
        with self._lock:
            self._socket = connected.socket if isinstance(connected, SSLTransport) else connected
            if self.cut:
                self._shut()

    def end(self) -> None:
        """From now on the socket belongs to the next exchange."""
        with self._lock:
            self._over = True

    def close(self) -> None:
        """Wake whoever reads from or writes to the socket: time is up."""
        with self._lock:
            if not self._over:
                self.cut = True
                self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            # Of the plain socket also for TLS, whose own method would touch the state in use.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class Watch:
    """One thread that closes the exchanges whose time is up, to LOOK_EVERY."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Exchange] = set()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def exchange(self, due: float) -> Iterator[Exchange]:
        """An exchange that is closed at `due` (time.monotonic()) if it still runs then."""
        current = Exchange(due)
        with self._lock:
            self._running.add(current)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
        try:
            if self._closed.is_set():
                current.close()
            yield current
        finally:
            current.end()
            with self._lock:
                self._running.discard(current)

    def close(self) -> None:
        """Close every running exchange, and end the thread."""
        self._closed.set()
        self._close_where(float("inf"))

    def _run(self) -> None:
        while not self._closed.wait(LOOK_EVERY):
            self._close_where(time.monotonic())

    def _close_where(self, before: float) -> None:
        with self._lock:
            overdue = [one for one in self._running if one.due <= before and not one.cut]
        for exchange in overdue:
            try:
                exchange.close()
            except Exception:  # noqa: BLE001 - whatever ails one, the others' deadlines must hold
                _log.exception("a connection could not be closed at its deadline")
