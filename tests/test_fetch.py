"""Whatever a server does, a location ends as fetched, unchanged or failed with a reason."""

import gzip
import io
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import zlib
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from catalog.images.asking import Known
from catalog.images.body import read_body
from catalog.images.deadline import Exchange
from catalog.images.fetch import Fetcher, FetcherClosed
from catalog.images.guard import Missed
from catalog.images.reasons import AT_ONCE, DEAD, PASSING, Reason, next_try_after
from catalog.images.settings import FetchSettings
from tests.fault_server import make_certificate
from tests.shop import Handler, Page, Shop


def _picture() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((200, 200), 80).convert("RGB").save(file, "JPEG")
    return file.getvalue()


PICTURE = _picture()
NOWHERE = Fetcher(FetchSettings(tries=1))
LONG = PICTURE + b"\x00" * 400_000  # more than the buffers on the way hold


@pytest.fixture
def shop():
    """A server with a picture at /a.jpg."""
    with Shop() as server:
        server.pages["/a.jpg"] = Page(PICTURE, etag='"one"')
        yield server


@pytest.fixture
def fetcher(shop):
    """A fetcher that may ask the shop, and does not wait long."""
    with fetcher_for(shop) as made:
        yield made


def fetcher_for(shop: Shop, **settings: object) -> Fetcher:
    """A fetcher that may ask the shop."""
    return Fetcher(FetchSettings(allow_hosts=(shop.host,), **{"backoff": 0.01, **settings}))


def sending(data: bytes, pause: float = 0.0, piece: int = 1 << 16):
    """A page that writes these very bytes to the connection, piece by piece."""

    def send(handler: Handler) -> None:
        for start in range(0, len(data), piece):
            handler.wfile.write(data[start : start + piece])
            time.sleep(pause)

    return send


def head(*lines: str, status: str = "200 OK") -> bytes:
    """The header of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


def test_picture_is_fetched(shop, fetcher):
    """The bytes, and all that a later run needs to ask whether they changed."""
    answer = fetcher.fetch(shop.url("/a.jpg"))
    assert (answer.outcome, answer.reason, answer.data) == ("fetched", None, PICTURE)
    assert (answer.host, answer.http_status, answer.etag) == ("127.0.0.1", 200, '"one"')
    assert (answer.size, answer.attempts, answer.dead) == (len(PICTURE), 1, False)
    assert answer.next_try_after is None
    assert 0 < answer.seconds < 5


def test_known_picture_is_not_sent_again(shop, fetcher):
    """304 to what is known: unchanged, and nothing was read."""
    first = fetcher.fetch(shop.url("/a.jpg"))
    again = fetcher.fetch(shop.url("/a.jpg"), Known(etag=first.etag, size=first.size))
    assert (again.outcome, again.data, again.http_status) == ("unchanged", None, 304)
    assert (again.etag, again.size) == ('"one"', len(PICTURE))
    assert shop.connections == 1


def test_changed_picture_is_sent_again(shop, fetcher):
    """Another ETag at the server: fetched."""
    answer = fetcher.fetch(shop.url("/a.jpg"), Known(etag='"none"'))
    assert (answer.outcome, answer.data) == ("fetched", PICTURE)


def test_last_modified_is_asked_with(shop, fetcher):
    """A server without ETags is asked by date."""
    shop.pages["/b.jpg"] = Page(PICTURE, headers={"Last-Modified": formatdate(usegmt=True)})
    first = fetcher.fetch(shop.url("/b.jpg"))
    shop.pages["/b.jpg"] = Page(status=304)
    again = fetcher.fetch(shop.url("/b.jpg"), Known(last_modified=first.last_modified))
    assert (again.outcome, again.last_modified) == ("unchanged", first.last_modified)
    assert shop.asked[-1].headers["If-Modified-Since"] == first.last_modified


def test_connections_are_kept(shop, fetcher):
    """Twenty pictures one after the other need one connection."""
    assert all(fetcher.fetch(shop.url("/a.jpg")).data == PICTURE for _ in range(20))
    assert shop.connections == 1


def test_we_say_who_we_are(shop):
    """The User-Agent has a contact; cookies are not kept; only gzip may be used."""
    shop.pages["/c.jpg"] = Page(PICTURE, headers={"Set-Cookie": "spy=1"})
    with fetcher_for(shop, contact="https://shop.example/bot") as fetcher:
        fetcher.fetch(shop.url("/c.jpg"))
        fetcher.fetch(shop.url("/c.jpg"))
    asked = shop.asked[-1].headers
    assert asked["User-Agent"] == "Vitrina (+https://shop.example/bot)"
    assert asked["Accept-Encoding"] == "identity, gzip;q=0.5"
    assert "Cookie" not in asked


@pytest.mark.parametrize("contact", ["a\r\nX-Evil: 1", "señor@shop.example"])
def test_contact_must_fit_a_header(contact):
    """A line end in the contact would be a header of its own."""
    with pytest.raises(ValueError, match="ASCII"):
        FetchSettings(contact=contact)


@pytest.mark.parametrize(
    ("status", "reason", "dead", "attempts"),
    [
        (204, Reason.UNEXPECTED_STATUS, False, 1),
        (206, Reason.UNEXPECTED_STATUS, False, 1),
        (300, Reason.UNEXPECTED_STATUS, False, 1),
        (304, Reason.UNEXPECTED_STATUS, False, 1),
        (400, Reason.CLIENT_ERROR, True, 1),
        (401, Reason.FORBIDDEN, False, 1),
        (403, Reason.FORBIDDEN, False, 1),
        (404, Reason.NOT_FOUND, True, 1),
        (408, Reason.TIMEOUT, False, 3),
        (410, Reason.NOT_FOUND, True, 1),
        (429, Reason.RATE_LIMITED, False, 3),
        (451, Reason.FORBIDDEN, False, 1),
        (500, Reason.SERVER_ERROR, False, 3),
        (503, Reason.SERVER_ERROR, False, 3),
        (600, Reason.UNEXPECTED_STATUS, False, 1),
        (999, Reason.UNEXPECTED_STATUS, False, 1),
    ],
)
def test_status_is_a_reason(status, reason, dead, attempts, shop, fetcher):
    """A picture in the body makes no difference; what can pass is tried three times."""
    shop.pages["/s.jpg"] = Page(PICTURE if status not in {204, 304} else b"", status)
    answer = fetcher.fetch(shop.url("/s.jpg"))
    assert (answer.outcome, answer.reason, answer.data) == ("failed", reason, None)
    assert (answer.http_status, answer.dead, answer.attempts) == (status, dead, attempts)
    assert (answer.next_try_after is None) == dead


def test_trouble_that_passes(shop, fetcher):
    """Two 503 and then the picture."""
    answers = [Page(status=503), Page(status=503), Page(PICTURE)]
    shop.pages["/late.jpg"] = lambda handler: handler.answer(answers.pop(0))
    answer = fetcher.fetch(shop.url("/late.jpg"))
    assert (answer.outcome, answer.attempts) == ("fetched", 3)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<!doctype html><title>Sorry</title>" + b" " * 500, Reason.NOT_A_PICTURE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Reason.NOT_A_PICTURE),
        (b"%!PS-Adobe-3.0 EPSF-3.0", Reason.NOT_A_PICTURE),
        (b"\xff", Reason.NOT_A_PICTURE),
        (b"", Reason.EMPTY),
    ],
)
def test_bytes_count_not_what_is_said_of_them(data, reason, shop, fetcher):
    """200 and image/jpeg prove nothing."""
    shop.pages["/x.jpg"] = Page(data, headers={"Content-Type": "image/jpeg"})
    answer = fetcher.fetch(shop.url("/x.jpg"))
    assert (answer.reason, answer.http_status, answer.dead) == (reason, 200, False)


def test_picture_called_text_is_a_picture(shop, fetcher):
    """The other way round as well."""
    shop.pages["/x"] = Page(PICTURE, headers={"Content-Type": "text/html"})
    assert fetcher.fetch(shop.url("/x")).data == PICTURE


@pytest.mark.parametrize("rule", ["noai", "noindex, NoImageAI", "otherbot: noai"])
def test_shop_that_wants_no_machines_is_left_alone(rule, shop, fetcher):
    """X-Robots-Tag is honoured, and not asked again."""
    shop.pages["/x.jpg"] = Page(PICTURE, headers={"X-Robots-Tag": rule})
    answer = fetcher.fetch(shop.url("/x.jpg"))
    assert (answer.reason, answer.dead) == (Reason.OPTED_OUT, True)


def test_other_rules_for_robots_do_not_matter(shop, fetcher):
    """The control: noindex is about search."""
    shop.pages["/x.jpg"] = Page(PICTURE, headers={"X-Robots-Tag": "noindex"})
    assert fetcher.fetch(shop.url("/x.jpg")).outcome == "fetched"


@pytest.mark.parametrize("size", [None, 64])
def test_gzip_is_inflated(size, shop, fetcher):
    """Whole, and in a body that is larger than one read."""
    data = PICTURE if size is None else PICTURE + os.urandom(300_000)
    packed = gzip.compress(data)
    shop.pages["/z.jpg"] = Page(packed, headers={"Content-Encoding": "gzip"})
    assert fetcher.fetch(shop.url("/z.jpg")).data == data


@pytest.mark.parametrize(
    ("encoding", "data", "reason"),
    [
        ("br", PICTURE, Reason.BAD_ENCODING),
        ("deflate", zlib.compress(PICTURE), Reason.BAD_ENCODING),
        ("gzip, gzip", gzip.compress(gzip.compress(PICTURE)), Reason.BAD_ENCODING),
        ("gzip", PICTURE, Reason.BAD_ENCODING),
        ("gzip", gzip.compress(PICTURE)[:-20], Reason.TRUNCATED),
        ("gzip", gzip.compress(PICTURE) + b"x" * 200_000, Reason.BAD_ENCODING),
    ],
)
def test_other_encodings_are_refused(encoding, data, reason, shop, fetcher):
    """Only gzip was asked for, once, and whole."""
    shop.pages["/z.jpg"] = Page(data, headers={"Content-Encoding": encoding})
    assert fetcher.fetch(shop.url("/z.jpg")).reason == reason


def test_gzip_bomb_is_not_inflated(shop):
    """A megabyte that becomes a gigabyte is dropped at the limit; a plain client inflates it."""
    bomb = gzip.compress(PICTURE + bytes(20_000_000))
    shop.pages["/z.jpg"] = Page(bomb, headers={"Content-Encoding": "gzip"})
    with fetcher_for(shop, max_bytes=1_000_000) as fetcher:
        assert fetcher.fetch(shop.url("/z.jpg")).reason == Reason.TOO_LARGE
    assert len(requests.get(shop.url("/z.jpg"), timeout=10).content) > 20_000_000


class Pieces:
    """A body in memory that counts how much was read."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, amt: int, *, decode_content: bool) -> bytes:  # noqa: ARG002 - the real one's
        """Give the next bytes."""
        return self._file.read(amt)

    @property
    def was_read(self) -> int:
        """Bytes so far."""
        return self._file.tell()


def test_gzip_that_never_gives_anything_is_bounded():
    """A gzip header may name a file of any length: the bytes sent count as well."""
    endless = Pieces(b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03" + b"n" * 10_000_000)
    with pytest.raises(Missed, match=Reason.TOO_LARGE):
        read_body(endless, "gzip", 1_000_000)
    assert endless.was_read < 1_100_000


def test_large_picture_is_whole(shop, fetcher):
    """Beyond a megabyte the body is kept elsewhere; the bytes are the same."""
    data = PICTURE + os.urandom(3_000_000)
    shop.pages["/l.jpg"] = Page(data)
    shop.pages["/z.jpg"] = Page(gzip.compress(data, 1), headers={"Content-Encoding": "gzip"})
    assert fetcher.fetch(shop.url("/l.jpg")).data == data
    assert fetcher.fetch(shop.url("/z.jpg")).data == data


@given(st.binary(max_size=300_000), st.integers(0, 9))
def test_what_was_packed_comes_out(data, level):
    """Any body, at any level of compression."""
    packed = gzip.compress(PICTURE + data, level)
    assert read_body(Pieces(packed), "gzip", 10_000_000) == PICTURE + data


def test_page_that_is_no_picture_is_not_read_to_its_end():
    """The first bytes settle it."""
    page = Pieces(b"<html>" * 1_000_000)
    with pytest.raises(Missed, match=Reason.NOT_A_PICTURE):
        read_body(page, "", 10_000_000)
    assert page.was_read <= 1 << 16


@pytest.mark.parametrize("said", [True, False])
def test_too_large_is_dropped(said, shop):
    """By its Content-Length, and without one by counting."""
    data = PICTURE + bytes(3_000_000)
    header = head(f"Content-Length: {len(data)}") if said else head("Connection: close")
    shop.pages["/l.jpg"] = sending(header + data)
    with fetcher_for(shop, max_bytes=1_000_000) as fetcher:
        answer = fetcher.fetch(shop.url("/l.jpg"))
    assert (answer.reason, answer.http_status) == (Reason.TOO_LARGE, 200)


def test_few_large_bodies_are_in_memory_at_once(shop):
    """Thirty servers that send without end need some memory, not thirty times the limit."""
    code = """
import sys, threading
from resource import RUSAGE_SELF, getrusage
from catalog.images.fetch import Fetcher
from catalog.images.settings import FetchSettings

url, host = sys.argv[1:]
with Fetcher(FetchSettings(allow_hosts=(host,))) as fetcher:
    fetcher.fetch(url)
    before = getrusage(RUSAGE_SELF).ru_maxrss
    reasons = []
    def fetch():
        reasons.append(fetcher.fetch(url).reason)
    threads = [threading.Thread(target=fetch) for _ in range(30)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    print(*set(reasons), (getrusage(RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    piece = bytes(1 << 20)

    def endless(handler: Handler) -> None:
        handler.wfile.write(head("Connection: close") + PICTURE)
        for _ in range(40):
            handler.wfile.write(piece)

    shop.pages["/l.jpg"] = endless
    command = [sys.executable, "-c", code, shop.url("/l.jpg"), shop.host]
    reason, megabytes = subprocess.check_output(command, text=True).split()
    assert reason == Reason.TOO_LARGE
    assert int(megabytes) < 150


def test_no_room_for_a_large_body_is_no_servers_fault(shop, fetcher, monkeypatch):
    """A disk for temporary files that is full has a reason of its own."""
    monkeypatch.setattr("tempfile.tempdir", "/proc/nowhere")
    shop.pages["/l.jpg"] = Page(PICTURE + bytes(2_000_000))
    answer = fetcher.fetch(shop.url("/l.jpg"))
    assert (answer.reason, answer.http_status, answer.dead) == (Reason.OUT_OF_MEMORY, 200, False)
    assert fetcher.fetch(shop.url("/a.jpg")).data == PICTURE


def test_body_that_ends_early_is_no_picture(shop, fetcher):
    """Content-Length promised more: tried again, then failed, never half a picture."""
    shop.pages["/t.jpg"] = sending(head(f"Content-Length: {len(LONG)}") + PICTURE)
    answer = fetcher.fetch(shop.url("/t.jpg"))
    assert (answer.reason, answer.attempts) == (Reason.TRUNCATED, 3)


def test_chunks(shop, fetcher):
    """A chunked body is put together; one that breaks off is truncated."""
    pieces = b"".join(
        b"%x\r\n%s\r\n" % (len(part), part)
        for part in (LONG[start : start + 5000] for start in range(0, len(LONG), 5000))
    )
    start = head("Transfer-Encoding: chunked")
    shop.pages["/whole.jpg"] = sending(start + pieces + b"0\r\n\r\n")
    shop.pages["/broken.jpg"] = sending(start + pieces)
    shop.pages["/wrong.jpg"] = sending(start + b"zz\r\n" + PICTURE)
    assert fetcher.fetch(shop.url("/whole.jpg")).data == LONG
    assert fetcher.fetch(shop.url("/broken.jpg")).reason == Reason.TRUNCATED
    assert fetcher.fetch(shop.url("/wrong.jpg")).reason in {Reason.PROTOCOL, Reason.TRUNCATED}


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x00" * 3000,
        head("X: " + "x" * 70_000),
        head(*[f"X-{number}: {'x' * 6000}" for number in range(60)]),
        head(*[f"X-{number}: x" for number in range(150)]),
        head("Content-Length: 5", "Content-Length: 6") + PICTURE,
    ],
    ids=["ssh", "zeros", "long line", "large header", "many headers", "two lengths"],
)
def test_what_is_not_http_is_a_reason(answer, shop, fetcher):
    """Neither other protocols nor headers without end do harm."""
    shop.pages["/p.jpg"] = sending(answer)
    assert fetcher.fetch(shop.url("/p.jpg")).reason == Reason.PROTOCOL


def test_header_is_bounded_as_a_whole(shop):
    """The control: the standard library takes 60 headers of 6,000 bytes."""
    large = head(*[f"X-{number}: {'x' * 6000}" for number in range(60)], "Content-Length: 1")
    shop.pages["/p.jpg"] = sending(large + b"x")
    assert requests.get(shop.url("/p.jpg"), timeout=5).content == b"x"


def test_server_that_says_nothing_is_a_timeout(shop):
    """And all tries together keep to the deadline."""
    shop.pages["/n.jpg"] = lambda _: time.sleep(20)
    with fetcher_for(shop, deadline=0.5, read_timeout=0.2) as fetcher:
        started = time.monotonic()
        answer = fetcher.fetch(shop.url("/n.jpg"))
    assert answer.reason in {Reason.TIMEOUT, Reason.DEADLINE}
    assert time.monotonic() - started < 10


def test_finished_exchange_is_not_closed():
    """A connection that went back to its pool belongs to the next picture."""
    ours, theirs = socket.socketpair()
    exchange = Exchange(due=0.0)
    exchange.use(ours)
    exchange.end()
    exchange.close()
    theirs.sendall(b"alive")
    assert ours.recv(5) == b"alive"
    ours.close()
    theirs.close()


def test_redirects_are_followed(shop, fetcher):
    """Relative and absolute, five at most."""
    for number in range(6):
        target = f"/r{number + 1}" if number % 2 else shop.url(f"/r{number + 1}")
        shop.pages[f"/r{number}"] = Page(status=302, headers={"Location": target})
    shop.pages["/r6"] = Page(PICTURE)
    assert fetcher.fetch(shop.url("/r1")).data == PICTURE
    answer = fetcher.fetch(shop.url("/r0"))
    assert (answer.reason, answer.attempts) == (Reason.BAD_REDIRECT, 1)


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://127.0.0.1/a", "/loop", "", "http://", "http://[", None],
)
def test_redirect_to_nowhere(location, shop, fetcher):
    """Other schemes, loops and nonsense are one reason."""
    headers = {} if location is None else {"Location": location}
    shop.pages["/loop"] = Page(status=301, headers=headers)
    assert fetcher.fetch(shop.url("/loop")).reason == Reason.BAD_REDIRECT


def test_body_of_a_redirect_is_not_read(shop, fetcher):
    """A plain client reads and inflates all of it, even with allow_redirects=False."""
    sent = []

    def redirect(handler: Handler) -> None:
        handler.wfile.write(head("Location: /a.jpg", "Connection: close", status="302 Found"))
        for number in range(400):
            handler.wfile.write(bytes(1 << 17))
            sent.append(number)

    shop.pages["/go"] = redirect
    assert fetcher.fetch(shop.url("/go")).data == PICTURE
    time.sleep(0.2)
    ours = len(sent)
    requests.get(shop.url("/go"), timeout=10, stream=True, allow_redirects=False)
    assert len(sent) - ours == 400
    assert ours < 200


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.jpg",
        "ftp://shop.example/a.jpg",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "http://[::1",
        "http://shop.example:99999/a.jpg",
        "http://shop.example:x/a.jpg",
        "http://" + "a" * 300 + ".example/",
        "http://exa mple/",
        "http://.example/",
        "http://xn--/" + "a" * 9000,
        "http://\udcff/",
        "http:///a.jpg",
    ],
)
def test_bad_url_is_a_reason(url, fetcher):
    """No URL from a CSV raises."""
    answer = fetcher.fetch(url)
    assert answer.outcome == "failed"
    assert answer.reason in {Reason.BAD_URL, Reason.DNS}
    assert answer.dead == (answer.reason == Reason.BAD_URL)


@given(st.text(max_size=60))
def test_any_text_is_an_outcome(text):
    """Whatever stands in the cell; no name server is asked for what is no URL."""
    assert NOWHERE.fetch("ftp:" + text).reason == Reason.BAD_URL


def test_host_that_is_gone_is_given_up(shop):
    """After 20 refused connections the rest fail at once, each still with its own row."""
    host = shop.host
    with Shop() as gone:
        url = gone.url("/a.jpg")
    settings = FetchSettings(allow_hosts=(host, gone.host), backoff=0.001)
    with Fetcher(settings) as fetcher:
        reasons = [fetcher.fetch(url).reason for _ in range(12)]
        assert reasons[0] == Reason.CONNECTION
        assert reasons[-1] == Reason.HOST_DOWN
        assert fetcher.fetch(shop.url("/a.jpg")).outcome == "fetched"


def test_missing_pictures_do_not_bring_a_host_down(shop, fetcher):
    """Fifty times 404, and the next is fetched."""
    assert {fetcher.fetch(shop.url("/none")).reason for _ in range(50)} == {Reason.NOT_FOUND}
    assert fetcher.fetch(shop.url("/a.jpg")).outcome == "fetched"


def test_closing_ends_what_runs(shop):
    """Ctrl-C does not wait for a slow server, and what was cut off is no failure."""
    shop.pages["/n.jpg"] = lambda _: time.sleep(20)
    fetcher = fetcher_for(shop)
    threading.Timer(0.3, fetcher.close).start()
    started = time.monotonic()
    with pytest.raises(FetcherClosed):
        fetcher.fetch(shop.url("/n.jpg"))
    assert time.monotonic() - started < 10
    with pytest.raises(FetcherClosed):
        fetcher.fetch(shop.url("/a.jpg"))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that nobody signed, and its key, in one file."""
    path = make_certificate(tmp_path_factory.mktemp("tls"))
    if path is None:
        pytest.skip("no openssl here to make a certificate with")
    return path


class Tunnel:
    """A proxy that speaks TLS, and passes on what goes through it."""

    def __init__(self, certificate: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
        self.url = f"https://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=[visitor], daemon=True).start()

    def _pass_on(self, visitor: socket.socket) -> None:
        host, port = visitor.recv(4096).split()[1].decode().split(":")
        with visitor, socket.create_connection((host, int(port))) as shop:
            visitor.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            with suppress(OSError):
                while True:
                    visitor.settimeout(0.01)
                    with suppress(TimeoutError):
                        shop.sendall(visitor.recv(1 << 16) or _gone())
                    shop.settimeout(0.01)
                    with suppress(TimeoutError):
                        visitor.sendall(shop.recv(1 << 16) or _gone())

    def close(self) -> None:
        """Take no more visitors."""
        self._server.close()


def _gone() -> bytes:
    raise ConnectionError


@pytest.fixture
def tls_shop(certificate):
    """A server that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Shop()
    server._server.socket = context.wrap_socket(
        server._server.socket, server_side=True, do_handshake_on_connect=False
    )
    with server:
        server.pages["/a.jpg"] = Page(PICTURE)
        yield server


def test_certificate_is_checked(tls_shop):
    """A certificate that nobody signed is not believed."""
    with fetcher_for(tls_shop) as fetcher:
        answer = fetcher.fetch(f"https://{tls_shop.host}/a.jpg")
    assert (answer.reason, answer.attempts) == (Reason.TLS, 1)
    assert tls_shop.asked == []


def test_server_that_speaks_no_tls(shop, fetcher):
    """Nor is one that answers in the clear."""
    assert fetcher.fetch(f"https://{shop.host}/a.jpg").reason == Reason.TLS


def test_pictures_come_over_tls(tls_shop, certificate, monkeypatch):
    """Over one connection, and within the deadline."""
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    tls_shop.pages["/d.jpg"] = sending(head("X: y") + PICTURE, pause=0.4, piece=20)
    with fetcher_for(tls_shop, deadline=3, read_timeout=2) as fetcher:
        for _ in range(3):
            assert fetcher.fetch(f"https://{tls_shop.host}/a.jpg").data == PICTURE
        assert tls_shop.connections == 1
        started = time.monotonic()
        assert fetcher.fetch(f"https://{tls_shop.host}/d.jpg").reason == Reason.DEADLINE
        assert time.monotonic() - started < 10


def test_deadline_holds_in_tls_through_tls(tls_shop, certificate, monkeypatch):
    """Through a proxy that speaks TLS, and for whoever comes after."""
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    tls_shop.pages["/d.jpg"] = sending(head("X: y") + PICTURE, pause=0.4, piece=20)
    tunnel = Tunnel(certificate)
    limits = {"deadline": 3, "read_timeout": 2}
    with fetcher_for(tls_shop, proxy=tunnel.url, **limits) as fetcher:
        assert fetcher.fetch(f"https://{tls_shop.host}/a.jpg").data == PICTURE
        for _ in range(2):
            started = time.monotonic()
            answer = fetcher.fetch(f"https://{tls_shop.host}/d.jpg")
            assert answer.reason == Reason.DEADLINE
            assert time.monotonic() - started < 10
    tunnel.close()


def test_handshake_that_hangs_is_ended():
    """A server that accepts and then is silent: the deadline holds there too."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        with Fetcher(FetchSettings(allow_hosts=(host,), deadline=0.5)) as fetcher:
            started = time.monotonic()
            answer = fetcher.fetch(f"https://{host}/a.jpg")
    assert answer.reason in {Reason.DEADLINE, Reason.TIMEOUT}
    assert time.monotonic() - started < 10


def test_local_file_is_read(tmp_path, fetcher):
    """Read when new or changed, not when its size and time are known."""
    path = tmp_path / "a.jpg"
    path.write_bytes(PICTURE)
    first = fetcher.fetch(str(path))
    assert (first.outcome, first.data, first.host) == ("fetched", PICTURE, None)
    assert first.mtime_ns == path.stat().st_mtime_ns
    known = Known(size=first.size, mtime_ns=first.mtime_ns)
    again = fetcher.fetch(str(path), known)
    assert (again.outcome, again.data) == ("unchanged", None)
    os.utime(path, ns=(1, 1))
    assert fetcher.fetch(str(path), known).outcome == "fetched"


def test_local_file_that_is_no_picture(tmp_path):
    """Each with its reason, and looked at again by the next run."""
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "page.jpg").write_text("<html>")
    (tmp_path / "large.jpg").write_bytes(PICTURE + bytes(100_000))
    expected = {
        "folder.jpg": Reason.FILE_UNREADABLE,
        "pipe.jpg": Reason.FILE_UNREADABLE,
        "empty.jpg": Reason.EMPTY,
        "page.jpg": Reason.NOT_A_PICTURE,
        "large.jpg": Reason.TOO_LARGE,
        "none.jpg": Reason.FILE_MISSING,
        "page.jpg/inside.jpg": Reason.FILE_MISSING,
        "nul\x00.jpg": Reason.FILE_UNREADABLE,
        "n" * 300: Reason.FILE_UNREADABLE,
    }
    with Fetcher(FetchSettings(max_bytes=50_000)) as fetcher:
        answers = {name: fetcher.fetch(str(tmp_path / name)) for name in expected}
    assert {name: answer.reason for name, answer in answers.items()} == expected
    assert {(answer.dead, answer.next_try_after) for answer in answers.values()} == {(False, 0)}


def test_reasons_are_few_and_each_has_a_next_try():
    """At most 30; dead, at once or later, and nothing is tried thrice that is dead."""
    assert len(Reason) <= 30
    assert not DEAD & (PASSING | AT_ONCE)
    assert all((next_try_after(reason) is None) == (reason in DEAD) for reason in Reason)


def test_local_pictures_need_no_network_code(tmp_path):
    """It is loaded at the first URL."""
    (tmp_path / "a.gif").write_bytes(b"GIF89a" + bytes(70))
    code = (
        "import sys; from catalog.images.fetch import Fetcher;"
        " from catalog.images.settings import FetchSettings; f = Fetcher(FetchSettings());"
        "assert f.fetch(sys.argv[1]).outcome == 'fetched'; sys.exit('requests' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code, tmp_path / "a.gif"], check=False)
    assert run.returncode == 0
