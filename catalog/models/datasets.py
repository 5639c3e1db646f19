"""Pictures on their way to Keras: decoded once by the job's decoder, then read as Keras reads."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from catalog.images.decoders import Decoder
from catalog.images.settings import DECODED_BEFORE

DECODERS = 2
SAVED_FAST = 1  # of PNG's nine levels: these files live for an hour


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


def rows(
    folder: Path, image_size: int, batch_size: int, *, shuffle: bool = False, seed: int = 0
) -> tf.data.Dataset:
    """Batches of (pixels uint8 [b, side, side, 3], row int32 [b]) from a flat folder of PNG.

    Row k is the k-th file in sorted path order. Everything else about a picture is gathered by
    that number, which is safe under shuffling.
    """
    count = sum(1 for _ in folder.glob("*.png"))
    dataset = keras.utils.image_dataset_from_directory(
        folder,
        labels=list(range(count)),
        label_mode="int",
        batch_size=batch_size,
        image_size=(image_size, image_size),
        shuffle=shuffle,
        seed=seed,
        verbose=False,
    )
    return dataset.map(lambda pixels, row: (tf.cast(pixels, tf.uint8), row))


def class_rows(
    folder: Path,
    classes: Sequence[str],
    image_size: int,
    batch_size: int,
    channels: int = 3,
    *,
    shuffle: bool = False,
    seed: int = 0,
) -> tf.data.Dataset:
    """Batches of (pixels uint8 [b, side, side, channels], code int32 [b]) from a folder a class.

    The code is the place of the folder's name in `classes`.
    """
    dataset = keras.utils.image_dataset_from_directory(
        folder,
        class_names=list(classes),
        label_mode="int",
        color_mode="grayscale" if channels == 1 else "rgb",
        batch_size=batch_size,
        image_size=(image_size, image_size),
        shuffle=shuffle,
        seed=seed,
        verbose=False,
    )
    return dataset.map(lambda pixels, code: (tf.cast(pixels, tf.uint8), code))


def with_targets(
    dataset: tf.data.Dataset,
    codes: Mapping[str, np.ndarray],
    weights: Mapping[str, np.ndarray],
) -> tf.data.Dataset:
    """(pixels, row) batches as (pixels, codes a head, weights a head), gathered by row number."""

    def gather(pixels: Any, row: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        return (
            pixels,
            {head: tf.gather(values, row) for head, values in codes.items()},
            {head: tf.gather(values, row) for head, values in weights.items()},
        )

    return dataset.map(gather)


Answer = Callable[[Any], Mapping[str, Any]]


def answering(network: keras.Model) -> Answer:
    """A network with named outputs as a function of pixels, compiled once.

    Faster than `predict`, which also uses XLA unless the model was told not to.
    """
    pixels = tf.TensorSpec(network.input_shape, network.input.dtype)
    answer: Answer = tf.function(
        lambda given: network(given, training=False), input_signature=[pixels]
    )
    return answer


def by_row(answer: Answer, dataset: tf.data.Dataset, count: int) -> dict[str, np.ndarray]:
    """Every output for `count` pictures, float32 [count, d], placed by row number.

    The dataset gives (pixels, row), each row once, in any order.
    """
    whole: dict[str, np.ndarray] = {}
    for pixels, row in dataset:
        for name, values in answer(pixels).items():
            place = whole.setdefault(name, np.full((count, *values.shape[1:]), np.nan, np.float32))
            place[row.numpy()] = values
    return whole
