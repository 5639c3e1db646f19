"""A folder of class folders, with the lists of what is for training and what for testing, if any.

Three layouts are known, the first that fits is taken:
  images/<class>/<id>.jpg with meta/train.txt and meta/test.txt, a line `<class>/<id>` a picture (as
    Food-101 comes);
  train/<class>/… and test/<class>/…;
  <class>/…: a fifth of the groups of alike pictures is kept aside to test on.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from catalog.class_data import ClassData, DataUnusable, Pictures, check_classes, digest
from catalog.images.decoders import Decoder
from catalog.images.formats import SUFFIXES
from catalog.images.settings import DECODED_BEFORE
from catalog.models.datasets import lay_out
from catalog.models.splits import TEST, Member, split

LISTS = {"train": Path("meta/train.txt"), "test": Path("meta/test.txt")}
LARGEST_LIST = 64 * 2**20  # bytes
FINGERPRINTED_AT = 32  # pixels a side: only the fingerprint is wanted


def read_folders(folder: Path) -> ClassData:
    """Find the pictures of a folder; DataUnusable when there are none, or a list is wrong."""
    if all((folder / path).is_file() for path in LISTS.values()):
        return _listed(folder)
    if all((folder / side).is_dir() for side in LISTS):
        found = {side: _by_class(folder / side) for side in LISTS}
        return _data(folder, found["train"], found["test"], "the folder's own test set", b"")
    pictures = _by_class(folder)
    train, test = _divided(pictures)
    rule = "a fifth of the groups of alike pictures, by hash of their fingerprints,"
    data = _data(folder, train, test, rule, b"")
    everything = sum(map(len, pictures.values()))
    return replace(data, unreadable=everything - data.train.count - data.test.count)


ByClass = Mapping[str, Sequence[Path]]


def _by_class(folder: Path) -> ByClass:
    found = {
        inner.name: sorted(
            path for path in inner.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()
        )
        for inner in sorted(folder.iterdir())
        if inner.is_dir() and not inner.name.startswith(".")
    }
    return {name: paths for name, paths in found.items() if paths}


def _listed(folder: Path) -> ClassData:
    """As Food-101 comes: the lists say which picture is for what."""
    sides, raw = {}, b""
    for side, path in LISTS.items():
        raw += _bytes(folder / path)
        sides[side] = _paths(folder, path)
    train, test = ({path for paths in one.values() for path in paths} for one in sides.values())
    if both := train & test:
        raise DataUnusable(f"{folder}: {min(both)} is in both lists")
    return _data(folder, sides["train"], sides["test"], "the data's own list", raw)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_LIST + 1)
    except OSError as error:
        raise DataUnusable(f"{path} can't be read: {error.strerror}") from error
    if len(data) > LARGEST_LIST:
        raise DataUnusable(f"{path} is larger than {LARGEST_LIST >> 20} MiB")
    return data


def _paths(folder: Path, path: Path) -> ByClass:
    """The pictures that a list names, by class."""
    found: dict[str, list[Path]] = {}
    try:
        lines = _bytes(folder / path).decode().splitlines()
    except UnicodeDecodeError as error:
        raise DataUnusable(f"{folder / path} is not UTF-8") from error
    for line in filter(None, map(str.strip, lines)):
        name, _, number = line.partition("/")
        if not number or "/" in number or {name, number} & {"..", "."}:
            raise DataUnusable(f"{folder / path}: {line[:80]!r} is not <class>/<id>")
        picture = folder / "images" / name / f"{number}.jpg"
        found.setdefault(name, []).append(picture)
    absent = [p for paths in found.values() for p in paths if not p.is_file()]
    if absent:
        raise DataUnusable(
            f"{folder / path} names {len(absent):,} pictures that are not there, as {absent[0]}"
        )
    return found


def _divided(pictures: ByClass) -> tuple[ByClass, ByClass]:
    """Pictures to train and to test on: alike ones on one side, as catalog.models.splits has it."""
    named = [(name, path) for name, paths in pictures.items() for path in paths]
    members, kept = [], []
    with Decoder(FINGERPRINTED_AT, DECODED_BEFORE) as decoder:
        for name, path in named:
            decoded = decoder.decode(path)
            if decoded.fingerprint is not None:
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                members.append(Member(content, decoded.fingerprint, None))
                kept.append((name, path))
    if not members:
        raise DataUnusable("there is no folder of pictures for each class in it")
    train: dict[str, list[Path]] = {}
    test: dict[str, list[Path]] = {}
    for (name, path), member in zip(kept, split(members), strict=True):
        (test if member.side == TEST else train).setdefault(name, []).append(path)
    return train, test


def _data(folder: Path, train: ByClass, test: ByClass, rule: str, lists: bytes) -> ClassData:
    classes = tuple(sorted({*train, *test}))
    learned, tested = (_pictures(folder, side, classes) for side in (train, test))
    check_classes(classes, [learned.codes, tested.codes])
    names = "\n".join([*learned.names, *tested.names])
    sizes = "\n".join(
        str(path.stat().st_size)
        for side in (train, test)
        for name in classes
        for path in side.get(name, ())
    )
    sha256 = digest(lists, names.encode(), sizes.encode())
    return ClassData(classes, "class folders", rule, learned, tested, sha256)


def _pictures(folder: Path, found: ByClass, classes: Sequence[str]) -> Pictures:
    paths = [path for name in classes for path in found.get(name, ())]
    codes = [code for code, name in enumerate(classes) for _ in found.get(name, ())]
    return Pictures(
        [path.relative_to(folder).as_posix() for path in paths],
        np.array(codes, np.int32),
        partial(_save, paths),
    )


def _save(
    paths: Sequence[Path],
    rows: Sequence[int],
    files: Sequence[Path],
    image_size: int,
    channels: int,
) -> None:
    """See class_data.Save."""
    lay_out([paths[row] for row in rows], files, image_size, channels)
