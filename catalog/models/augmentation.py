"""Pictures changed by chance while a network learns; the hue never is, for it is a label."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

MIRROR, SHIFT, ZOOM, ERASE = "mirror", "shift", "zoom", "erase"
CHANGES = (MIRROR, SHIFT, ZOOM, ERASE)

SHIFTED = 0.075  # of a side, at the most: two of 28 pixels
ZOOMED = 0.15
ERASED = (0.02, 0.1)  # of the area
ERASED_OFTEN = 0.25  # of the pictures


def changed(dataset: tf.data.Dataset, changes: Sequence[str], seed: int) -> tf.data.Dataset:
    """(pixels uint8 [b, side, side, c], …) batches with each picture changed by chance.

    `changes` are names of CHANGES: mirrored, shifted, zoomed into, or with a rectangle painted
    black (Zhong et al., 2017, "Random Erasing Data Augmentation").
    """
    if MIRROR in changes:
        dataset = mirrored(dataset, seed)
    layers = [_layer(name, seed) for name in CHANGES if name in changes and name != MIRROR]
    if not layers:
        return dataset

    def change(pixels: Any, *rest: Any) -> tuple[Any, ...]:
        pixels = tf.cast(pixels, tf.float32)
        for layer in layers:
            pixels = layer(pixels, training=True)
        return (tf.cast(tf.round(tf.clip_by_value(pixels, 0.0, 255.0)), tf.uint8), *rest)

    return dataset.map(change)


def mirrored(dataset: tf.data.Dataset, seed: int) -> tf.data.Dataset:
    """The same batches with each picture mirrored or not, by chance; the hue is never touched."""

    def flip(number: Any, batch: tuple[Any, ...]) -> tuple[Any, ...]:
        pixels, *rest = batch
        chances = tf.random.stateless_uniform([tf.shape(pixels)[0], 1, 1, 1], [seed, number])
        return (tf.where(chances < 0.5, pixels[:, :, ::-1], pixels), *rest)

    return dataset.enumerate().map(flip)


def _layer(name: str, seed: int) -> keras.layers.Layer:
    match name:
        case "shift":
            # By whole pixels: between them a picture is blurred, and those of the test are not.
            return keras.layers.RandomTranslation(
                SHIFTED, SHIFTED, fill_mode="constant", interpolation="nearest", seed=seed
            )
        case "zoom":
            return keras.layers.RandomZoom((-ZOOMED, ZOOMED), seed=seed)
        case _:
            often = (ERASED_OFTEN, ERASED_OFTEN)  # of one number Keras makes "up to so many"
            return keras.layers.RandomErasing(often, ERASED, fill_value=0.0, seed=seed)
