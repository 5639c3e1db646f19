"""COUNT pictures of 50 to 80 KB from loopback, each answer LATENCY milliseconds late.

    python quick_server.py COUNT [LATENCY]

One process and no thread a connection, so that what it costs hardly slows whoever is measured.
Prints its origin, then serves /0.jpg to /COUNT-1.jpg until it is ended.
"""

import asyncio
import io
import sys

import numpy as np
from PIL import Image

BASES = 50
SMALLEST, LARGEST = 50_000, 80_000  # bytes


def pictures(count: int, seed: int = 5) -> list[bytes]:
    """As many JPEGs of the sizes that shops send, no two of the same bytes."""
    chance = np.random.default_rng(seed)
    bases = [_base(chance, SMALLEST + (LARGEST - SMALLEST) * n // BASES) for n in range(BASES)]
    return [_numbered(bases[number % BASES], number) for number in range(count)]


def _base(chance: np.random.Generator, size: int) -> bytes:
    """A JPEG of about so many bytes: smooth shapes, with as much noise as it takes."""
    small = Image.fromarray(chance.integers(0, 256, (20, 16, 3), np.uint8))
    smooth = np.asarray(small.resize((640, 800), Image.Resampling.BICUBIC), np.int16)
    grain = chance.normal(0, 1, smooth.shape[:2])[:, :, None]
    for strength in np.arange(1.0, 40.0, 0.5):
        noisy = np.clip(smooth + strength * grain, 0, 255).astype(np.uint8)
        data = io.BytesIO()
        Image.fromarray(noisy).save(data, "JPEG", quality=80)
        if data.tell() >= size:
            break
    return data.getvalue()


def _numbered(jpeg: bytes, number: int) -> bytes:
    """The same picture with its number in a comment."""
    comment = b"%08d" % number
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


class Connection(asyncio.Protocol):
    """Answers GETs in the order in which they come."""

    def __init__(self, answers: list[bytes], latency: float) -> None:
        self._answers = answers
        self._latency = latency
        self._asked = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the other end."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each whole request, after a while."""
        self._asked += data
        while b"\r\n\r\n" in self._asked:
            head, self._asked = self._asked.split(b"\r\n\r\n", 1)
            number = int(head.split(b" ", 2)[1].strip(b"/").split(b".")[0])
            loop = asyncio.get_running_loop()
            loop.call_later(self._latency, self._transport.writelines, [self._answers[number]])


async def serve(count: int, latency: float) -> None:
    """Serve until the process is ended."""
    head = "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n"
    answers = [head.format(len(data)).encode() + data for data in pictures(count)]
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answers, latency), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    print(f"http://{host}:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2] if sys.argv[2:] else 50) / 1000))
