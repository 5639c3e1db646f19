"""Pictures of classes drawn on the spot, bars and blocks, as idx files and as folders."""

import gzip
import struct
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("Lying", "Standing", "Block")
SIDE = 12


def draw(code: int, seed: int, side: int = SIDE) -> np.ndarray:
    """A grey picture uint8 [side, side] of a class, somewhere in it."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 60, (side, side)).astype(np.uint8)
    place = int(rng.integers(2, side - 4))
    match code:
        case 0:
            pixels[place : place + 2, :] = 230
        case 1:
            pixels[:, place : place + 2] = 230
        case _:
            pixels[2:-2, 2:-2] = 200
    return pixels


def many(count: int, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures uint8 [n, side, side] and their classes uint8 [n], one class after the other."""
    codes = np.arange(count) % len(CLASSES)
    pixels = np.stack([draw(int(code), first + row) for row, code in enumerate(codes)])
    return pixels, codes.astype(np.uint8)


def idx(array: np.ndarray) -> bytes:
    """An array of bytes as an idx file."""
    return (
        bytes((0, 0, 8, array.ndim))
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.tobytes()
    )


def write_idx(folder: Path, train: int = 90, test: int = 30, *, packed: bool = True) -> Path:
    """The four idx files of drawn pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, count, first in (("train", train, 0), ("t10k", test, 10_000)):
        pixels, codes = many(count, first)
        for part, array in (
            (f"{name}-images-idx3-ubyte", pixels),
            (f"{name}-labels-idx1-ubyte", codes),
        ):
            if packed:
                (folder / f"{part}.gz").write_bytes(gzip.compress(idx(array)))
            else:
                (folder / part).write_bytes(idx(array))
    return folder


def write_listed(folder: Path, train: int = 30, test: int = 12) -> Path:
    """Colour pictures of class folders with Food-101's lists."""
    lists: dict[str, list[str]] = {"train": [], "test": []}
    for row in range(train + test):
        code = row % len(CLASSES)
        name = CLASSES[code].lower()
        path = folder / "images" / name / f"{row}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw(code, row, 40)).convert("RGB").save(path)
        lists["train" if row < train else "test"].append(f"{name}/{row}")
    (folder / "meta").mkdir()
    for name, lines in lists.items():
        (folder / "meta" / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return folder
