"""`catalog demo`: the whole job on a small catalogue drawn on the spot and served on loopback."""

import errno
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from catalog.models.settings import TrainSettings
from jobs.console import Console
from jobs.sample import draw
from jobs.settings import Settings
from jobs.summary import Summary

PORT = 8765  # fixed, because a picture is known by its URL: the second demo then fetches nothing

# A small network from nothing: there may be no way to the weights of a larger one.
NETWORK = TrainSettings(backbone="cnn", weights="none", image_size=64, epochs=20, batch_size=16)

QUERY = "select product_type, colour, count(*) as products from tags group by all order by all"


@dataclass(frozen=True)
class Demo:
    """What came of it, and where to look."""

    summary: Summary
    products: Path

    def __str__(self) -> str:
        database = self.summary.database
        ask = f"duckdb.connect('{database}', read_only=True).sql('{QUERY}').show()"
        lines = [
            str(self.summary),
            f"sample    {self.products}",
            f'try       {sys.executable} -c "import duckdb; {ask}"',
        ]
        return "\n".join(lines)


def run_demo(
    store: Path, console: Console, tag: Callable[[Path, Settings], Summary], port: int = PORT
) -> Demo:
    """Draw the sample beside the store, serve it, and let `tag` do what `catalog tag` does.

    `tag` takes the path of products.csv and the settings, and trains where the store has no
    tagger. Nothing of catalog.toml counts here: a proxy, say, would not reach the sample.
    """
    folder = store.with_name(f"{store.name}-sample")
    folder.mkdir(parents=True, exist_ok=True)
    with serving(folder, port) as origin:
        if not origin.endswith(f":{port}"):
            console.say(f"port {port} is taken: the sample is at {origin}, as if it were new")
        console.say(f"drawing the sample into {folder}")
        products = draw(folder, origin)
        settings = Settings(store=store, train=NETWORK)
        fetch = replace(settings.fetch, allow_hosts=(origin.removeprefix("http://"),))
        return Demo(tag(products, replace(settings, fetch=fetch)), products)


class _Shop(SimpleHTTPRequestHandler):
    """Serves one folder and says nothing about it; keeps connections open."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Stay out of the job's own lines."""


@contextmanager
def serving(folder: Path, port: int) -> Iterator[str]:
    """Serve a folder on 127.0.0.1 in a thread; yields its origin. Another port if it is taken."""
    with _bound(partial(_Shop, directory=str(folder)), port) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _bound(handler: Callable[..., SimpleHTTPRequestHandler], port: int) -> ThreadingHTTPServer:
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return ThreadingHTTPServer(("127.0.0.1", 0), handler)
