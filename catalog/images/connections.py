"""The `requests` adapter through which every download goes: guarded, and closed at its deadline.

The adapter is used without a `requests.Session`, which would follow redirects (reading the whole
body of each), keep hostile cookies, and take proxies and passwords from the environment.
"""

import http.client
import ipaddress
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse
from urllib3.util.connection import create_connection

from catalog.images.deadline import Exchange
from catalog.images.guard import Guard, Missed
from catalog.images.reasons import Reason

CHUNK_LINE = 4096  # bytes: a size and its extensions, which nobody uses
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")

# Hosts whose idle connections are kept; with 32 to each that stays below 1,024 open files.
POOLS = 20


class _Now(threading.local):
    """What the running thread's request must keep to."""

    exchange: Exchange | None = None
    guard: Guard | None = None
    header_bytes = 0


_now = _Now()


@contextmanager
def keeping_to(exchange: Exchange, guard: Guard | None, header_bytes: int) -> Iterator[None]:
    """Bind this thread's requests to a deadline, a guard (None: the proxy guards) and a size."""
    _now.exchange, _now.guard, _now.header_bytes = exchange, guard, header_bytes
    try:
        yield
    finally:
        _now.exchange = _now.guard = None


class _Lines:
    """The file that an answer is read from, while its lines are: no more bytes than those."""

    def __init__(self, file: Any, most: int) -> None:
        self._file = file
        self._left = most

    def readline(self, limit: int = -1) -> bytes:
        line: bytes = self._file.readline(limit)
        self._left -= len(line)
        if self._left < 0:
            raise http.client.LineTooLong("header")
        return line

    def close(self) -> None:
        self._file.close()


class _Answer(http.client.HTTPResponse):
    """An answer whose lines are bounded: the standard library allows 100 lines of 64 KiB.

    Its names with an underscore are the standard library's; a test fails should they change.
    """

    def begin(self) -> None:
        with self._bounded():
            super().begin()

    def _read_and_discard_trailer(self) -> None:
        with self._bounded():
            super()._read_and_discard_trailer()  # type: ignore[misc]

    def _read_next_chunk_size(self) -> int:
        """Strictly: to the standard library "-1" is all that ever comes, in one piece."""
        line = self.fp.readline(CHUNK_LINE + 1)
        if not line:
            raise http.client.IncompleteRead(b"")
        size = line.split(b";", 1)[0].strip()
        if len(line) > CHUNK_LINE or not _CHUNK_SIZE.fullmatch(size):
            raise http.client.HTTPException("chunk size")
        return int(size, 16)

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        whole = self.fp
        self.fp = _Lines(whole, _now.header_bytes)  # type: ignore[assignment]
        try:
            yield
        finally:
            if self.fp is not None:
                self.fp = whole


def _connect(connection: HTTPConnection) -> socket.socket:
    """A socket to one of the addresses that the guard has checked, never to the name again."""
    exchange, guard = _now.exchange, _now.guard
    if exchange is None:
        raise RuntimeError("a request outside keeping_to()")
    host, port = connection._dns_host, connection.port  # noqa: SLF001 - as urllib3's own _new_conn
    if guard is None:
        return _connect_to(host, port, connection, exchange)
    wait = min(connection.timeout, exchange.left)  # type: ignore[type-var]
    assert wait is not None  # noqa: S101 - every request says how long it may take to connect
    addresses = guard.addresses(host, port, time.monotonic() + wait)
    for last, address in enumerate(addresses, start=1):
        try:
            connected = _connect_to(address, port, connection, exchange)
        except OSError:
            if last == len(addresses):
                raise
        else:
            _check_peer(connected, addresses)
            return connected
    raise Missed(Reason.DNS)


def _connect_to(
    address: str, port: int, connection: HTTPConnection, exchange: Exchange
) -> socket.socket:
    most = connection.timeout
    assert isinstance(most, (int, float))  # noqa: S101 - every request says how long it may take
    connected = create_connection(
        (address, port), min(most, exchange.left), socket_options=connection.socket_options
    )
    # A TLS handshake that follows is bounded by this as a whole.
    connected.settimeout(min(most, exchange.left))
    exchange.use(connected)
    sys.audit("http.client.connect", connection, address, port)
    return connected


def _check_peer(connected: socket.socket, addresses: list[str]) -> None:
    # Numbers, as an address in IPv6 has more than one spelling.
    peer = ipaddress.ip_address(connected.getpeername()[0])
    if peer not in map(ipaddress.ip_address, addresses):
        connected.close()
        raise Missed(Reason.ADDRESS_REFUSED)


class _GuardedHTTP(HTTPConnection):
    response_class = _Answer

    def _new_conn(self) -> socket.socket:
        return _connect(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _use(self)
        super().request(*args, **kwargs)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3 itself
        if self.sock is None:  # lost while the request was sent, which urllib3 passes over
            raise ConnectionResetError
        return super().getresponse()


class _GuardedHTTPS(_GuardedHTTP, HTTPSConnection):
    """The same over TLS."""


def _use(connection: HTTPConnection) -> None:
    """Hand the socket, kept from an earlier request or just wrapped in TLS, to the deadline."""
    if _now.exchange is None:
        raise RuntimeError("a request outside keeping_to()")
    if connection.sock is not None:
        _now.exchange.use(connection.sock)


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPS


_POOL_CLASSES = {"http": _HTTPPool, "https": _HTTPSPool}


class GuardedAdapter(HTTPAdapter):  # type: ignore[misc]
    """Sends requests over guarded connections, which it keeps open between them. Thread-safe."""

    def __init__(self, per_host: int) -> None:
        super().__init__(pool_connections=POOLS, pool_maxsize=per_host)
        self.poolmanager.pool_classes_by_scheme = _POOL_CLASSES

    def close(self) -> None:
        """Close what is kept; urllib3 alone would leave that to the garbage collector."""
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118 - its own type: it can't be iterated
                manager.pools[key].close()
        super().close()

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """The pools of a proxy: bound to the deadline too; what it may ask is its own affair."""
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = _POOL_CLASSES
        return manager
