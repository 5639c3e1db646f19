"""Pictures that come in classes: folders of class folders, or the idx files of MNIST's kind.

Both become the same: two sets of pictures with a class each, to learn from and to be tested on,
which can be laid out as PNG for training.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]

Save = Callable[[Sequence[int], Sequence[Path], int, int], None]
"""Rows, a file without suffix for each, pixels a side, channels; nothing of what can't be read."""


class DataUnusable(ValueError):  # noqa: N818 - reads as the outcome it is
    """The data are not there, or not what they should be; the message says which file and why."""


@dataclass(frozen=True)
class Pictures:
    """Pictures with a class each: row k has the name names[k] and the class codes[k]."""

    names: Sequence[str]
    codes: Codes  # [n], places in the classes
    save: Save

    @property
    def count(self) -> int:
        """How many pictures."""
        return len(self.names)


@dataclass(frozen=True)
class ClassData:
    """What there is to learn from, and what the result is tested on."""

    classes: tuple[str, ...]
    kind: str  # in words: where the pictures come from
    rule: str  # in words: what is tested on
    train: Pictures
    test: Pictures
    sha256: str  # of the files, or of the names, sizes and lists of a folder
    unreadable: int = 0  # pictures that are in none of both


def digest(*parts: bytes) -> str:
    """Hex SHA-256 of parts, each by its own hash, so that none runs into the next."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()


def check_classes(classes: Sequence[str], codes: Sequence[Codes]) -> None:
    """DataUnusable unless there are two classes or more, with pictures in every set."""
    if len(classes) < 2:
        raise DataUnusable(f"there are {len(classes)} classes: two are the least to tell apart")
    for name, found in zip(("to train on", "to test on"), codes, strict=True):
        counts = np.bincount(found, minlength=len(classes))
        if not counts.all():
            raise DataUnusable(f"class {classes[int(counts.argmin())]!r} has no picture {name}")
