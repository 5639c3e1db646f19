"""A shop's picture server on loopback: every answer takes LATENCY milliseconds before it begins.

    python picture_server.py FOLDER [LATENCY]

Prints its origin, then serves until it is ended.
"""

import sys
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

LATENCY = float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.05


class Slow(SimpleHTTPRequestHandler):
    """Answers after a while, as a server far away does; keeps connections open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Wait, then send the file."""
        time.sleep(LATENCY)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class Server(ThreadingHTTPServer):
    """One thread a connection; all of a client's connections may arrive at once."""

    daemon_threads = True
    request_queue_size = 256


if __name__ == "__main__":
    with Server(("127.0.0.1", 0), partial(Slow, directory=sys.argv[1])) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
