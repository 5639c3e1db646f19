"""Servers on this machine that misbehave in every way that somebody thought of, each by its name.

The misbehaviours are in tests/misbehaviours*.py; this is what they are made of.
"""

import gzip
import io
import selectors
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from PIL import Image

from catalog.images.reasons import Reason

# Loopback too, but the tests let it count as public: it stands for the internet.
PUBLIC = "127.0.0.3"
# Nobody may connect to it: it stands for what a shop has behind its firewall.
PRIVATE = "127.0.0.2"


def _picture(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (60, 60, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


PICTURES = {"/a.jpg": _picture(1), "/b.jpg": _picture(2)}
PICTURE = PICTURES["/a.jpg"]


@dataclass(frozen=True)
class Asked:
    """A request that arrived; names of headers in small letters."""

    path: str
    headers: Mapping[str, str]

    @property
    def picture(self) -> bytes:
        """What a good server would send."""
        return PICTURES.get(self.path, PICTURE)


class Visit:
    """One connection to a misbehaving server."""

    def __init__(self, server: "FaultServer", name: str, connected: socket.socket) -> None:
        self.server = server
        self.name = name
        self.socket = connected

    def asked(self) -> Asked:
        """Wait for a request; OSError when there is none."""
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError
            data += more
        line, *lines = data.decode("latin-1").split("\r\n")[:-2]
        headers = {
            name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
        }
        asked = Asked(line.split(" ")[1], headers)
        self.server.note(self.name, asked)
        return asked

    @property
    def number(self) -> int:
        """How many requests this server had, this one included."""
        return self.server.requests[self.name]

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.socket.sendall(data)

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the server runs."""
        if self.server.closing.wait(seconds):
            raise ConnectionError

    def drip(self, data: bytes, every: float = 0.1) -> None:
        """Send byte by byte, over and over, as long as a server here has the patience."""
        until = time.monotonic() + self.server.stamina
        while time.monotonic() < until:
            for start in range(len(data)):
                self.send(data[start : start + 1])
                self.pause(every)

    def drip_pieces(self, piece: bytes) -> None:
        """Send a piece now and then, for as long."""
        until = time.monotonic() + self.server.stamina
        while time.monotonic() < until:
            self.send(piece)
            self.pause(0.05)

    def flood(self, piece: bytes, most: int | None = None) -> None:
        """Send the same over and over."""
        for _ in range((most or self.server.big) // len(piece)):
            self.send(piece)

    def reset(self) -> None:
        """Break the connection off, such that the client's kernel says so."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


Behaviour = Callable[[Visit], None]


@dataclass(frozen=True)
class Case:
    """A misbehaving server, and what must come of asking it for the last of `paths`.

    The paths are asked for one after the other; all but the last must be had. `expected` is the
    reason, None when the picture must be had, and "unchanged" when it must be known to be the same.
    A path that is asked for the second time is asked for with what is known of it.
    """

    name: str
    behave: Behaviour
    expected: Reason | str | None = None
    url: str = "http://{host}"  # may also name the {canary}'s port
    paths: tuple[str, ...] = ("/a.jpg",)
    address: str = "127.0.0.1"
    tls: bool = False


class FaultServer:
    """Runs a server for each case until the end of the block.

    `big` bytes come of a bomb; after `stamina` seconds a slow server gives up.
    """

    def __init__(
        self, cases: Iterable[Case], *, big: int, stamina: float, certificate: Path | None = None
    ) -> None:
        self.cases = {case.name: case for case in cases}
        self.big = big
        self.stamina = stamina
        self.requests: Counter[str] = Counter()
        self.cookies = 0  # requests that brought one
        self.canary_hits: list[str] = []  # how each was reached
        self.closing = threading.Event()
        self._certificate = certificate
        self._lock = threading.Lock()
        self._listeners: dict[str, socket.socket] = {}
        self._canaries: dict[str, socket.socket] = {}
        self._bomb = threading.Lock(), {}  # type: tuple[threading.Lock, dict[int, bytes]]

    def __enter__(self) -> Self:
        self._open_canaries()
        for case in self.cases.values():
            port = self.canary_port if case.address == PUBLIC else 0
            self._listeners[case.name] = _listener(case.address, port)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        for listener in (*self._listeners.values(), *self._canaries.values()):
            listener.close()

    @property
    def canary_port(self) -> int:
        """The port, one of the web's for our client, at which nobody may be asked."""
        return self._canaries["private"].getsockname()[1]

    @property
    def other_port(self) -> int:
        """A port that is none of the web's, at an address that may be asked."""
        return self._canaries["port"].getsockname()[1]

    def host(self, name: str) -> str:
        """HOST:PORT of a case's own server."""
        address, port = self._listeners[name].getsockname()
        return f"{address}:{port}"

    def urls(self, name: str) -> list[str]:
        """What is asked for in a case."""
        case = self.cases[name]
        start = case.url.format(host=self.host(name), canary=self.canary_port)
        return [start + path for path in case.paths]

    def note(self, name: str, asked: Asked) -> None:
        """Remember a request."""
        with self._lock:
            self.requests[name] += 1
            self.cookies += "cookie" in asked.headers

    def bomb(self) -> bytes:
        """A picture and `big` zeros behind it, as gzip: a thousandth of that."""
        lock, made = self._bomb
        with lock:
            if not made:
                made[0] = bomb(PICTURE, self.big)
            return made[0]

    def _open_canaries(self) -> None:
        self._canaries["private"] = _listener(PRIVATE)
        self._canaries["port"] = _listener("127.0.0.1")
        with suppress(OSError):  # a machine without IPv6 has one way less in
            self._canaries["ipv6"] = _listener("::1", self.canary_port)

    def _accept(self) -> None:
        """Hand each new connection to a thread."""
        with selectors.DefaultSelector() as selector:
            for name, listener in self._listeners.items():
                selector.register(listener, selectors.EVENT_READ, (name, self._serve))
            for name, listener in self._canaries.items():
                selector.register(listener, selectors.EVENT_READ, (name, self._catch))
            while not self.closing.is_set():
                for key, _ in selector.select(0.1):
                    name, target = key.data
                    with suppress(OSError):
                        connected, _ = key.fileobj.accept()  # type: ignore[union-attr]
                        threading.Thread(target=target, args=(name, connected), daemon=True).start()

    def _serve(self, name: str, connected: socket.socket) -> None:
        case = self.cases[name]
        with suppress(OSError, ValueError), connected:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.settimeout(self.stamina + 5)
            visit = Visit(self, name, self._wrapped(connected) if case.tls else connected)
            case.behave(visit)
            with suppress(OSError):
                visit.socket.shutdown(socket.SHUT_WR)

    def _wrapped(self, connected: socket.socket) -> socket.socket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate or "")
        return context.wrap_socket(connected, server_side=True)

    def _catch(self, name: str, connected: socket.socket) -> None:
        """The canary: it answers nicely, and remembers."""
        with suppress(OSError), connected:
            self.canary_hits.append(name)
            connected.settimeout(2)
            connected.recv(65536)
            connected.sendall(whole())


def _listener(address: str, port: int = 0) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, backlog=256)


def head(*lines: str, status: str = "200 OK") -> bytes:
    """The header of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")


def whole(*lines: str, status: str = "200 OK", body: bytes = PICTURE) -> bytes:
    """An answer with the length of its body."""
    return head(*lines, f"Content-Length: {len(body)}", status=status) + body


def chunk(data: bytes, size: str | None = None) -> bytes:
    """One piece of a chunked body; `size` lies about it."""
    return (f"{len(data):x}" if size is None else size).encode() + b"\r\n" + data + b"\r\n"


def packed(data: bytes) -> bytes:
    """Data as gzip, always the same bytes."""
    return gzip.compress(data, 6, mtime=0)


def bomb(start: bytes, zeros: int) -> bytes:
    """Gzip of `start` and of about so many zeros, without ever holding them."""
    block = bytes(1 << 20)
    count = zeros // len(block)
    deflate = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    begun = deflate.compress(start) + deflate.flush(zlib.Z_FULL_FLUSH)
    piece = deflate.compress(block) + deflate.flush(zlib.Z_FULL_FLUSH)
    crc = zlib.crc32(start)
    for _ in range(count):
        crc = zlib.crc32(block, crc)
    size = (len(start) + count * len(block)) & 0xFFFFFFFF
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
    return header + begun + piece * count + deflate.flush() + struct.pack("<II", crc, size)


def make_certificate(folder: Path) -> Path | None:
    """A certificate for 127.0.0.1 that nobody signed, and its key; None without openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return None
    path = folder / "server.pem"
    line = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=shop"
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", path, "-out", path.with_suffix(".crt")]
    subprocess.run([openssl, *line.split(), *names, *files], check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path
