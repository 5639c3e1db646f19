"""Pictures on their way to Keras: decoded once by the job's decoder, then read as Keras reads."""

import math
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image

from catalog.images.decoders import Decoder
from catalog.images.settings import DECODED_BEFORE
from catalog.models.augmentation import changed
from catalog.models.settings import TrainSettings

DECODERS = 2
SAVED_FAST = 1  # of PNG's nine levels: these files live for an hour
READ_AT_ONCE = 64

# TensorFlow's datasets where Keras computes with it; elsewhere it may not even be there.
_ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
FORMAT = "tf" if _ON_TENSORFLOW else "grain"

XLA = not _ON_TENSORFLOW
"""Whether to compile with XLA: with TensorFlow on a CPU that is ten times slower."""


@dataclass(frozen=True)
class Targets:
    """What each head should say about n pictures; a blank label has code 0 and weight 0."""

    codes: Mapping[str, np.ndarray]  # head to int32 [n], places in the vocabulary
    weights: Mapping[str, np.ndarray]  # head to float32 [n], 0 or 1


def lay_out(
    pictures: Sequence[Path], files: Sequence[Path], image_size: int, channels: int = 3
) -> list[int]:
    """Decode each picture into its file, as PNG at the model's size; gives the rows that could be.

    `files` are paths without their ".png"; folders are made as needed. With one channel the
    pictures are made grey.
    """
    for folder in {file.parent for file in files}:
        folder.mkdir(parents=True, exist_ok=True)
    local = threading.local()
    with ExitStack() as workers:

        def start() -> None:
            local.decoder = workers.enter_context(Decoder(image_size, DECODED_BEFORE))

        def one(row: int) -> bool:
            decoded = local.decoder.decode(pictures[row])
            if decoded.pixels is None:
                return False
            path = files[row].with_suffix(".png")
            picture = Image.fromarray(decoded.pixels)
            if channels == 1:
                picture = picture.convert("L")
            picture.save(path, compress_level=SAVED_FAST)
            return True

        with ThreadPoolExecutor(DECODERS, initializer=start) as pool:
            done = list(pool.map(one, range(len(pictures))))
    return [row for row, ok in enumerate(done) if ok]


def in_order(folder: Path, count: int) -> list[Path]:
    """Paths in a folder, without suffix, whose sorted order is that of their numbers."""
    return [folder / f"{row:08d}" for row in range(count)]


def read(
    folder: Path, image_size: int, channels: int = 3, classes: Sequence[str] | None = None
) -> np.ndarray:
    """The PNG of a flat folder, or of its folders `classes`, as uint8 [n, side, side, channels].

    They are in the order of their names, class by class. Read once and kept beside the folder as
    an array that is mapped into memory, for every epoch needs them in another order.
    """
    kept = folder.with_name(f"{folder.name}.npy")
    if not kept.exists():
        dataset = keras.utils.image_dataset_from_directory(
            folder,
            labels="inferred" if classes else None,
            class_names=list(classes) if classes else None,
            color_mode="grayscale" if channels == 1 else "rgb",
            batch_size=READ_AT_ONCE,
            image_size=(image_size, image_size),
            shuffle=False,
            verbose=False,
            format=FORMAT,
        )
        count = sum(1 for _ in folder.rglob("*.png"))
        described = {"descr": "|u1", "fortran_order": False}
        shape = (count, image_size, image_size, channels)
        with kept.open("wb") as file:  # not through memory: a full disk would kill the process
            np.lib.format.write_array_header_1_0(file, {**described, "shape": shape})
            for batch in dataset:
                pixels = batch[0] if classes else batch
                file.write(np.asarray(pixels).astype(np.uint8).tobytes())
    whole: np.ndarray = np.load(kept, mmap_mode="r")
    return whole


class Batches(keras.utils.PyDataset):  # type: ignore[misc] # Keras has no types
    """Rows [b, …] of what is given [n, …] with their targets, for any of Keras's backends.

    Shuffled ones come in another order each epoch and are changed by chance. Both hang on the
    epoch's number, so that a training which goes on is given what it would have been given.
    """

    def __init__(
        self,
        given: np.ndarray,
        targets: Targets | None,
        settings: TrainSettings,
        *,
        shuffle: bool = False,
        changes: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._given, self._targets, self._settings = given, targets, settings
        self._shuffle, self._changes = shuffle, changes
        self.turn_to(0)

    def __len__(self) -> int:
        """How many batches an epoch has."""
        return math.ceil(len(self._given) / self._settings.batch_size)

    def __getitem__(self, number: int) -> tuple[Any, ...]:
        """(rows, codes a head, weights a head), or the rows alone where there are no targets."""
        start = number * self._settings.batch_size
        rows = self._order[start : start + self._settings.batch_size]
        given = changed(self._given[rows], self._changes, self._seed(number))
        if self._targets is None:
            return (given,)
        codes, weights = self._targets.codes, self._targets.weights
        return (
            given,
            {head: values[rows] for head, values in codes.items()},
            {head: values[rows] for head, values in weights.items()},
        )

    def turn_to(self, epoch: int) -> None:
        """Begin an epoch, counted from 0; Keras's on_epoch_end also comes when it only looked."""
        self._epoch = epoch
        self._order = np.arange(len(self._given))
        if self._shuffle:
            np.random.default_rng((self._settings.seed, self._epoch)).shuffle(self._order)

    def _seed(self, number: int) -> int:
        known = (self._settings.seed, self._epoch, number)
        return int(np.random.SeedSequence(known).generate_state(1)[0])


def outputs_of(
    network: keras.Model, given: np.ndarray, settings: TrainSettings
) -> dict[str, np.ndarray]:
    """What a network with named outputs says of each row [n, …], float32 [n, d] by name."""
    # Apart, for a network that was compiled would be saved with its optimiser.
    asked = keras.Model(network.input, network.output)
    asked.compile(jit_compile=XLA)
    said: dict[str, np.ndarray] = asked.predict(Batches(given, None, settings), verbose=0)
    return said
