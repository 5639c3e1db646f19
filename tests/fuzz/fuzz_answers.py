"""Bytes that nobody would think of, as what a server answers: a picture's bytes or a reason.

pip install atheris requests    (in an environment of its own; the project does without it)
python tests/fuzz/fuzz_answers.py -max_total_time=300 -timeout=10
"""

import sys
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["catalog"]):
    from catalog.images import download
    from catalog.images.body import read_body
    from catalog.images.guard import Missed

MOST = 100_000
ENCODINGS = ("", "identity", "gzip", "x-gzip", "br")


class Sent:
    """A body in pieces of some length."""

    def __init__(self, data: bytes, piece: int) -> None:
        self._data = BytesIO(data)
        self._piece = piece

    def read(self, amt: int, decode_content: bool) -> bytes:  # noqa: ARG002 - as urllib3 names it
        """The next piece."""
        return self._data.read(min(amt, self._piece))


def look(data: bytes) -> None:
    """One answer; its first byte chooses an encoding, its second the length of the pieces."""
    if len(data) < 2:
        return
    encoding, piece = ENCODINGS[data[0] % len(ENCODINGS)], data[1] + 1
    try:
        body = read_body(Sent(data[2:], piece), encoding, MOST)
        assert 0 < len(body) <= MOST
        assert "gzip" in encoding or body == data[2:]
    except Missed:
        pass
    look_at_headers(data[2:].decode("latin-1"))


def look_at_headers(text: str) -> None:
    """A Retry-After and a Location."""
    seconds = download._seconds(text)
    assert seconds is None or seconds >= 0, seconds
    with suppress(Missed):
        assert isinstance(download._target("http://127.0.0.1/a", text, 302), str)


if __name__ == "__main__":
    atheris.Setup(sys.argv, look)
    atheris.Fuzz()
