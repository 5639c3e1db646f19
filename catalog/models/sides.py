"""The sides of a split as training wants them: pictures in folders, and what to say about each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf

from catalog.models.augmentation import MIRROR, changed
from catalog.models.datasets import class_rows, rows, with_targets
from catalog.models.settings import TrainSettings


@dataclass(frozen=True)
class Targets:
    """What each head should say about n pictures; a blank label has code 0 and weight 0."""

    codes: Mapping[str, np.ndarray]  # head to int32 [n], places in the vocabulary
    weights: Mapping[str, np.ndarray]  # head to float32 [n], 0 or 1


class Side(Protocol):
    """Pictures in an order of their own, and what each head should say about them."""

    @property
    def count(self) -> int:
        """How many pictures."""

    @property
    def targets(self) -> Targets:
        """What there is to learn, picture by picture."""

    def pixels(self, settings: TrainSettings) -> tf.data.Dataset:
        """(pixels uint8 [b, side, side, c], place int32 [b]) batches, each picture once."""

    def labelled(self, settings: TrainSettings, *, shuffle: bool = False) -> tf.data.Dataset:
        """(pixels, codes, weights) batches; shuffled ones are also changed by chance."""


@dataclass(frozen=True)
class FlatSide:
    """A flat folder of PNG for several heads: row k is the k-th file."""

    folder: Path
    targets: Targets
    count: int

    def pixels(self, settings: TrainSettings) -> tf.data.Dataset:
        """See Side."""
        return rows(self.folder, settings.image_size, settings.batch_size)

    def labelled(self, settings: TrainSettings, *, shuffle: bool = False) -> tf.data.Dataset:
        """See Side."""
        dataset = rows(
            self.folder,
            settings.image_size,
            settings.batch_size,
            shuffle=shuffle,
            seed=settings.seed,
        )
        dataset = with_targets(dataset, self.targets.codes, self.targets.weights)
        return _finished(dataset, settings, shuffle=shuffle)


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
    changes: Sequence[str] = (MIRROR,)  # by chance, while learning
    in_memory: bool = False  # decoded once, and shuffled whole

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

    def pixels(self, settings: TrainSettings) -> tf.data.Dataset:
        """See Side."""
        pictures = class_rows(
            self.folder, self.classes, settings.image_size, settings.batch_size, self.channels
        ).map(lambda pixels, _: pixels)
        places = tf.data.Dataset.range(self.count, output_type=tf.int32).batch(settings.batch_size)
        return tf.data.Dataset.zip((pictures, places))

    def labelled(self, settings: TrainSettings, *, shuffle: bool = False) -> tf.data.Dataset:
        """See Side; the labels are those that Keras read from the folders."""
        dataset = class_rows(
            self.folder,
            self.classes,
            settings.image_size,
            settings.batch_size,
            self.channels,
            shuffle=shuffle and not self.in_memory,
            seed=settings.seed,
        )
        if self.in_memory:
            dataset = self._remembered(dataset, settings, shuffle=shuffle)
        dataset = dataset.map(
            lambda pixels, code: (
                pixels,
                {self.head: code},
                {self.head: keras.ops.ones_like(code, "float32")},
            )
        )
        return _finished(dataset, settings, self.changes, shuffle=shuffle)

    def _remembered(
        self, dataset: tf.data.Dataset, settings: TrainSettings, *, shuffle: bool
    ) -> tf.data.Dataset:
        dataset = dataset.cache()
        if not shuffle:
            return dataset
        count = self.count
        batches = dataset.unbatch().shuffle(count, seed=settings.seed).batch(settings.batch_size)
        # Unbatching forgets how many there are, by which a schedule falls.
        return batches.apply(
            tf.data.experimental.assert_cardinality(-(-count // settings.batch_size))
        )


def _finished(
    dataset: tf.data.Dataset,
    settings: TrainSettings,
    changes: Sequence[str] = (MIRROR,),
    *,
    shuffle: bool,
) -> tf.data.Dataset:
    if shuffle:
        dataset = changed(dataset, changes, settings.seed)
    return dataset.prefetch(tf.data.AUTOTUNE)
