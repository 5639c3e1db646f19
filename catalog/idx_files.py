"""The four idx files of MNIST and the sets made in its likeness.

The format is Yann LeCun's: two zero bytes, the type of the numbers (8 for unsigned bytes), the
number of dimensions, each dimension as a big-endian 32-bit number, then the numbers.
"""

import gzip
import math
import struct
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from catalog.class_data import ClassData, DataUnusable, Pictures, check_classes, digest

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
UNSIGNED_BYTES = 8
LARGEST = 2**30
"""Bytes that a file may hold at most; Fashion-MNIST's largest holds 47 million."""

LARGEST_SIDE = 1024  # pixels


def is_idx(folder: Path) -> bool:
    """Whether any of the four files lies there, packed or not."""
    names = [name for pair in FILES.values() for name in pair]
    return any((folder / f"{name}{end}").is_file() for name in names for end in ("", ".gz"))


def read_idx(folder: Path, classes: Sequence[str]) -> ClassData:
    """Read the four files, packed by gzip or not; `classes` are the labels' names, from 0 on.

    DataUnusable when a file is absent or damaged, or has a label without a name.
    """
    sets, hashes = {}, []
    for side, (images, labels) in FILES.items():
        pixels, packed = _read(folder, images, 3)
        codes, packed_codes = _read(folder, labels, 1)
        if len(pixels) != len(codes):
            raise DataUnusable(
                f"{folder / images} has {len(pixels)} pictures, and {labels} {len(codes)} labels"
            )
        if not 1 <= max(pixels.shape[1:]) <= LARGEST_SIDE:
            raise DataUnusable(f"{folder / images} has pictures of {pixels.shape[1:]} pixels")
        if len(codes) and codes.max() >= len(classes):
            raise DataUnusable(
                f"{folder / labels} has the label {codes.max()}, and {len(classes)} classes have"
                " a name"
            )
        names = [f"{side}/{row}" for row in range(len(codes))]
        sets[side] = Pictures(names, codes.astype(np.int32), partial(_save, pixels))
        hashes += [packed, packed_codes]
    check_classes(classes, [sets["train"].codes, sets["test"].codes])
    return ClassData(
        tuple(classes),
        "idx files",
        "the files' own test set",
        sets["train"],
        sets["test"],
        digest(*hashes),
    )


def _read(folder: Path, name: str, dimensions: int) -> tuple[np.ndarray, bytes]:
    """A file's numbers uint8 [...], and its bytes as unpacked."""
    path = next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)
    if path is None:
        raise DataUnusable(f"{folder} lacks {name}, or {name}.gz")
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataUnusable(f"{path} can't be read: {error}") from error
    if len(data) > LARGEST:
        raise DataUnusable(f"{path} holds more than {LARGEST >> 20} MiB")
    start = 4 + 4 * dimensions
    if data[:4] != bytes((0, 0, UNSIGNED_BYTES, dimensions)) or len(data) < start:
        raise DataUnusable(f"{path} is no idx file of bytes in {dimensions} dimensions")
    shape = struct.unpack(f">{dimensions}I", data[4:start])
    if len(data) - start != math.prod(shape):
        raise DataUnusable(f"{path} is cut short, or longer than it says")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape), data


def _save(
    pixels: np.ndarray, rows: Sequence[int], files: Sequence[Path], image_size: int, channels: int
) -> None:
    """See class_data.Save; a picture of the right size is kept as it is."""
    for row, file in zip(rows, files, strict=True):
        picture = Image.fromarray(pixels[row])
        if picture.size != (image_size, image_size):
            picture = picture.resize((image_size, image_size), Image.Resampling.BICUBIC)
        if channels != 1:
            picture = picture.convert("RGB")
        picture.save(file.with_suffix(".png"), compress_level=1)
