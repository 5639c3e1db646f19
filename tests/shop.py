"""A loopback HTTP server in a thread, such that each test chooses its own weather."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Page:
    """What is answered at one path; with an etag also 304 to who has it already."""

    data: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None


@dataclass(frozen=True)
class Asked:
    """A request that arrived."""

    path: str
    headers: Mapping[str, str]


Behaviour = Callable[["Handler"], None]


class Shop:
    """Serves `pages` (path to Page, or to a function that writes to the handler), then `folder`.

    `asked` are the requests so far, `connections` how often somebody connected; every answer
    waits for `latency` seconds.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        latency: float = 0.0,
        address: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.folder = folder
        self.latency = latency
        self.pages: dict[str, Page | Behaviour] = {}
        self.asked: list[Asked] = []
        self.connections = 0
        self._server = _Server((address, port), Handler)
        self._server.shop = self
        self.port: int = self._server.server_port
        self.host = f"{address}:{self.port}"

    def __enter__(self) -> Self:
        # Looks for the end often: half a second a test adds up.
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str) -> str:
        """The address of a page."""
        return f"http://{self.host}{path}"

    def page(self, path: str) -> Page | Behaviour:
        """What is at `path`; a 404 if nothing is."""
        if path in self.pages:
            return self.pages[path]
        file = self.folder / path.lstrip("/") if self.folder else None
        if file is not None and file.is_file():
            return Page(file.read_bytes())
        return Page(status=404)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    shop: Shop


class Handler(BaseHTTPRequestHandler):
    """One connection to the shop."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        """Count the connection."""
        super().setup()
        self.server.shop.connections += 1

    def do_GET(self) -> None:
        """Answer as the shop's page for this path says."""
        shop = self.server.shop
        shop.asked.append(Asked(self.path, dict(self.headers)))
        time.sleep(shop.latency)
        page = shop.page(self.path)
        if isinstance(page, Page):
            self.answer(page)
        else:
            self.close_connection = True
            page(self)

    def answer(self, page: Page) -> None:
        """Send a page whole."""
        known = page.etag is not None and self.headers.get("If-None-Match") == page.etag
        data = b"" if known else page.data
        self.send_response_only(304 if known else page.status)
        if page.etag is not None:
            self.send_header("ETag", page.etag)
        for name, value in page.headers.items():
            self.send_header(name, value)
        if not known and "Content-Length" not in page.headers:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle(self) -> None:
        """Serve until the client has had enough, which hostile pages make it have."""
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def finish(self) -> None:
        """Close; the client may be gone already."""
        try:
            super().finish()
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Stay out of the output that CliRunner captures."""
