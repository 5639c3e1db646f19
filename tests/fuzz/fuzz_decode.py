"""Bytes that nobody would think of, into the decoder: pixels or a reason, and nothing else.

    pip install atheris pillow    (in an environment of its own; the project does without it)
    python tests/fuzz/fuzz_decode.py -max_total_time=600 -timeout=25 -rss_limit_mb=2000 CORPUS

CORPUS is a folder; `python -m tests.odd_pictures CORPUS 1` gives the fuzzer something to start
from. Pillow's and our Python is instrumented and leads the search; Pillow's C code is not, as its
wheels come compiled: a crash in it is found, but new ways through it are not seen.
"""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["catalog", "PIL"]):
    from PIL import Image

    from catalog.images.decode import Pixels, TooHeavy, Unreadable, decode
    from catalog.images.formats import FORMATS

    Image.init()  # every plugin

SIDE = 8
MAX_PIXELS = 4_000_000  # keeps one picture short


def look(data: bytes) -> None:
    """One picture."""
    try:
        pixels = decode(data, SIDE, alone=len(data) % 2 == 0, max_pixels=MAX_PIXELS)
    except (Unreadable, TooHeavy):
        return
    check(pixels)


def check(pixels: Pixels) -> None:
    """What every decoded picture is."""
    assert len(pixels.rgb) == SIDE * SIDE * 3, len(pixels.rgb)
    assert 1 <= pixels.width * pixels.height <= MAX_PIXELS, (pixels.width, pixels.height)
    assert pixels.format in FORMATS, pixels.format
    assert len(pixels.fingerprint) == 128, pixels.fingerprint


if __name__ == "__main__":
    atheris.Setup(sys.argv, look)
    atheris.Fuzz()
