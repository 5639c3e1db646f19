"""Connections are bound to a deadline and a guard, shared fairly, and closed when all is over."""

import gc
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from catalog.images import guard as guard_module
from catalog.images.connections import GuardedAdapter, _GuardedHTTP
from catalog.images.deadline import Exchange, Watch
from catalog.images.fetch import Fetcher, FetcherClosed
from catalog.images.guard import Guard, Missed
from catalog.images.reasons import Reason
from catalog.images.settings import FetchSettings
from tests.shop import Handler, Page, Shop

GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;" + b"\x00" * 60
LARGE = GIF + bytes(2_000_000)


def fetcher_for(*shops: Shop, **given: object) -> Fetcher:
    """A fetcher that may ask the shops."""
    hosts = tuple(shop.host for shop in shops)
    return Fetcher(FetchSettings(allow_hosts=hosts, **{"backoff": 0.01, **given}))


def drips(handler: Handler) -> None:
    """Two megabytes, and then hardly anything."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n" + LARGE)
    for _ in range(40):
        handler.wfile.write(b"x")
        time.sleep(0.1)


def test_slow_large_bodies_hold_up_nobody_else():
    """An honest host's large pictures all come while two hosts drip many."""
    threads = threading.active_count()
    with (
        Shop() as slow,
        Shop() as slower,
        Shop() as shop,
        fetcher_for(slow, slower, shop, deadline=2.0, tries=1) as fetcher,
        ThreadPoolExecutor(40) as pool,
    ):
        slow.pages["/slow.gif"] = slower.pages["/slow.gif"] = drips
        shop.pages["/large.gif"] = Page(LARGE)
        dripping = [
            pool.submit(fetcher.fetch, host.url("/slow.gif"))
            for host in (slow, slower)
            for _ in range(8)
        ]
        while len(slow.asked) + len(slower.asked) < len(dripping):
            time.sleep(0.01)
        honest = list(pool.map(fetcher.fetch, [shop.url("/large.gif")] * 30))
        assert {answer.data for answer in honest} == {LARGE}
        assert not any(answer.done() for answer in dripping)
        assert {answer.result().reason for answer in dripping} == {Reason.DEADLINE}
    until = time.monotonic() + 5  # the servers are in this process too, and hear of it later
    while threading.active_count() > threads and time.monotonic() < until:
        time.sleep(0.01)


def open_sockets() -> int:
    """How many sockets this process holds."""
    held = 0
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            held += str(link.readlink()).startswith("socket:")
    return held


@pytest.fixture
def _no_collector():
    """Nothing is cleared away that still refers to itself."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
def test_kept_connections_are_closed_with_the_fetcher():
    """At once, also those whose answers failed; the garbage collector is not waited for."""
    broken = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n\x1f\x8b\x08"
    with Shop() as shop:
        shop.pages["/a.gif"] = Page(GIF)
        shop.pages["/z.gif"] = lambda handler: handler.wfile.write(broken + bytes(7))
        before = open_sockets()
        with fetcher_for(shop) as fetcher:
            assert fetcher.fetch(shop.url("/z.gif")).reason == Reason.TRUNCATED
            assert fetcher.fetch(shop.url("/a.gif")).data == GIF
            assert open_sockets() > before
            pools = fetcher._downloader._adapter.poolmanager.pools
            held = [pools[key] for key in pools.keys()]  # noqa: SIM118 - as somebody might
        assert held
        until = time.monotonic() + 2  # the server is in this process too, and closes as it hears
        while open_sockets() > before and time.monotonic() < until:
            time.sleep(0.01)
        assert open_sockets() == before


def test_connection_lost_while_asking_is_a_broken_one():
    """urllib3 passes over it, and would stumble over the socket that is gone."""
    with pytest.raises(ConnectionError):
        _GuardedHTTP("127.0.0.1", 80).getresponse()


def test_nobody_is_asked_once_all_is_over():
    """A thread that waited for its turn connects no more."""
    with Shop() as shop, fetcher_for(shop, per_host=1) as fetcher:
        shop.pages["/slow.gif"] = lambda _: time.sleep(20)
        first = threading.Thread(target=_until_closed, args=(fetcher, shop.url("/slow.gif")))
        first.start()
        while not shop.asked:
            time.sleep(0.01)
        second = threading.Thread(target=_until_closed, args=(fetcher, shop.url("/b.gif")))
        second.start()
        time.sleep(0.05)
        fetcher.close()
        first.join(timeout=10)
        second.join(timeout=10)
        assert not first.is_alive()
        assert not second.is_alive()
        assert len(shop.asked) == 1


def _until_closed(fetcher: Fetcher, url: str) -> None:
    with pytest.raises(FetcherClosed):
        fetcher.fetch(url)


def test_watch_that_is_closed_cuts_what_comes_later():
    """And a socket that comes too late for an exchange is shut at once."""
    watch = Watch()
    watch.close()
    ours, theirs = socket.socketpair()
    with ours, theirs, watch.exchange(time.monotonic() + 9) as exchange:
        assert exchange.cut
        exchange.use(ours)
        assert theirs.recv(1) == b""


def test_watch_survives_what_one_exchange_raises():
    """The deadlines of all others hold."""
    watch = Watch()
    ours, theirs = socket.socketpair()
    due = time.monotonic() + 0.05
    with ours, theirs, watch.exchange(due) as odd, watch.exchange(due + 0.6) as other:
        odd._socket = "no socket"
        other.use(ours)
        theirs.settimeout(5)
        assert theirs.recv(1) == b""
        assert odd.cut
    watch.close()


def test_exchange_without_a_socket_is_cut_too():
    """Time may be up while the name is looked up."""
    exchange = Exchange(due=0.0)
    exchange.close()
    assert exchange.cut


def test_request_must_be_bound():
    """Without a deadline and a guard nothing is sent, not even over a kept connection."""
    with Shop() as shop:
        request = requests.Request("GET", shop.url("/a.gif")).prepare()
        with pytest.raises(RuntimeError, match="keeping_to"):
            GuardedAdapter(1).send(request, timeout=(1, 1))
        assert shop.connections == 0


@pytest.mark.parametrize("name", ["a\x00b.example", "a" * 70 + ".example", "\udcff.example"])
def test_name_that_cannot_be_asked_for(name):
    """It is known at once to have no address."""
    started = time.monotonic()
    with pytest.raises(Missed, match=Reason.DNS):
        Guard().addresses(name, 80, started + 20)
    assert time.monotonic() - started < 10


def test_name_without_addresses(monkeypatch):
    """A name server that has nothing to say is no way round the guard."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: [])
    with Fetcher(FetchSettings(tries=1)) as fetcher:
        assert fetcher.fetch("http://empty.example/a.gif").reason == Reason.DNS


def test_number_needs_no_name_server(monkeypatch):
    """An address is what it says, whatever a name server would make of it."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: pytest.fail("was asked"))
    assert Guard().addresses("8.8.8.8", 80, 0.0) == ["8.8.8.8"]
    assert Guard().addresses("[2606:4700:0:0::1111]", 80, 0.0) == ["2606:4700::1111"]


def test_names_that_hang_are_few_threads(monkeypatch):
    """A million dead names in a CSV are not a million threads."""
    monkeypatch.setattr(guard_module, "MOST_LOOK_UPS", 2)
    hang = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: hang.wait(10) and [])
    guard = Guard()
    for number in range(10):
        with pytest.raises(Missed, match=Reason.DNS):
            guard.addresses(f"dead{number}.example", 80, time.monotonic() + 0.01)
    assert look_ups() == 2
    hang.set()
    until = time.monotonic() + 5
    while look_ups() and time.monotonic() < until:
        time.sleep(0.01)
    assert look_ups() == 0


def look_ups() -> int:
    """Threads that ask the name server."""
    return sum(thread.name == "look-up" for thread in threading.enumerate())
