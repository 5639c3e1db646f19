"""The sides of a split as training wants them: pictures in folders, and what to say about each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from catalog.models.datasets import Batches, Targets, read
from catalog.models.settings import TrainSettings


class Side(Protocol):
    """Pictures in an order of their own, and what each head should say about them."""

    @property
    def count(self) -> int:
        """How many pictures."""

    @property
    def targets(self) -> Targets:
        """What there is to learn, picture by picture."""

    @property
    def changes(self) -> Sequence[str]:
        """How the pictures are changed by chance while a network learns from them."""

    def pixels(self, settings: TrainSettings) -> np.ndarray:
        """The pictures, uint8 [n, side, side, c]."""


def batches(side: Side, settings: TrainSettings) -> Batches:
    """(pixels, codes, weights) of the pictures as they are, in their order."""
    return Batches(side.pixels(settings), side.targets, settings)


def shuffled(side: Side, settings: TrainSettings) -> Batches:
    """The same to learn from: in other orders, and changed by chance."""
    pixels = side.pixels(settings)
    return Batches(pixels, side.targets, settings, shuffle=True, changes=side.changes)


@dataclass(frozen=True)
class FlatSide:
    """A flat folder of PNG for several heads: row k is the k-th file."""

    folder: Path
    targets: Targets
    count: int
    changes: Sequence[str] = ("mirror",)

    def pixels(self, settings: TrainSettings) -> np.ndarray:
        """See Side."""
        return read(self.folder, settings.image_size)


@dataclass(frozen=True)
class ClassSide:
    """A folder with a folder of PNG for each class of one head; the folders are the labels.

    `classes` are the folders' names in the order of the head's outputs: never by alphabet, by
    which high would come before low.
    """

    folder: Path
    classes: Sequence[str]
    head: str
    channels: int = 3
    changes: Sequence[str] = ("mirror",)

    @property
    def files(self) -> list[Path]:
        """The pictures in the order in which Keras reads them: class by class, then by name."""
        return [path for name in self.classes for path in sorted((self.folder / name).iterdir())]

    @property
    def count(self) -> int:
        """See Side."""
        return len(self.files)

    @property
    def targets(self) -> Targets:
        """See Side; every picture has a label."""
        codes = np.array([self.classes.index(path.parent.name) for path in self.files], np.int32)
        return Targets({self.head: codes}, {self.head: np.ones(len(codes), np.float32)})

    def pixels(self, settings: TrainSettings) -> np.ndarray:
        """See Side."""
        return read(self.folder, settings.image_size, self.channels, self.classes)
