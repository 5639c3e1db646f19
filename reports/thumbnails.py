"""Small copies of pictures for a page: decoded by us, encoded again by us, carried in the page."""

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from catalog.images.decoders import Decoder
from catalog.images.settings import DECODED_BEFORE
from catalog.models.artefact import LARGEST_SIDE

SIDE = 112
QUALITY = 74
ROOM = 84
"""CSS pixels that a page gives a picture at most, either way."""
MOST_PIXELS = LARGEST_SIDE**2


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A JPEG of ours and its size in pixels."""

    jpeg: bytes
    width: int
    height: int

    crisp: ClassVar = False

    @property
    def uri(self) -> str:
        """The picture as an address that needs no network."""
        return f"data:image/jpeg;base64,{base64.b64encode(self.jpeg).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class Enlarged:
    """A PNG of ours of few pixels, and the size at which it is shown: each pixel a square."""

    png: bytes
    width: int
    height: int

    crisp: ClassVar = True

    @property
    def uri(self) -> str:
        """The picture as an address that needs no network."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode('ascii')}"


Small = Thumbnail | Enlarged


def thumbnails(paths: Iterable[Path]) -> list[Thumbnail | None]:
    """One thumbnail a picture, in order; None for a picture that can't be read."""
    with Decoder(SIDE, DECODED_BEFORE) as decoder:
        pictures = [decoder.decode(path) for path in paths]
    return [
        None
        if picture.pixels is None
        else encode(picture.pixels, picture.width or SIDE, picture.height or SIDE)
        for picture in pictures
    ]


def encode(pixels: np.ndarray, width: int, height: int) -> Thumbnail:
    """Encode a squashed square, uint8 [SIDE, SIDE, 3], of a picture of width by height pixels.

    The longer side becomes SIDE and the shape is the picture's own again, but no thinner than one
    in four.
    """
    longer = max(width, height)
    size = (
        max(round(SIDE * width / longer), SIDE // 4),
        max(round(SIDE * height / longer), SIDE // 4),
    )
    return _saved(Image.fromarray(pixels).resize(size))


def shrink(png: bytes) -> Small:
    """Make a small copy of a PNG in a model's folder; one of few pixels keeps them all.

    ValueError when it is larger than any model sees, UnidentifiedImageError when it is none.
    """
    with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise ValueError(f"a picture of {picture.width} x {picture.height} pixels")
        small = picture.convert("L" if picture.mode == "L" else "RGB")
    times = ROOM // max(small.size)
    if times > 1:
        return _enlarged(small, times)
    small.thumbnail((SIDE, SIDE))
    return _saved(small)


def _enlarged(picture: Image.Image, times: int) -> Enlarged:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return Enlarged(file.getvalue(), times * picture.width, times * picture.height)


def _saved(picture: Image.Image) -> Thumbnail:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY, optimize=True)
    return Thumbnail(file.getvalue(), *picture.size)
