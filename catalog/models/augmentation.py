"""Pictures changed by chance while a network learns; the hue never is, for it is a label."""

from collections.abc import Sequence

import keras
import numpy as np

from catalog.models.settings import CHANGES

SHIFTED = 0.075  # of a side, at the most: two of 28 pixels
ZOOMED = 0.15
ERASED = (0.02, 0.1)  # of the area
ERASED_OFTEN = 0.25  # of the pictures


def changed(pixels: np.ndarray, changes: Sequence[str], seed: int) -> np.ndarray:
    """The pictures uint8 [b, side, side, c], each changed by chance.

    `changes` are names of CHANGES: mirrored, shifted, zoomed into, or with a rectangle painted
    black (Zhong et al., 2017, "Random Erasing Data Augmentation").
    """
    layers = [_layer(name, seed) for name in CHANGES if name in changes]
    if not layers:
        return pixels
    given = pixels.astype(np.float32)
    for layer in layers:
        given = layer(given, training=True)
    whole: np.ndarray = np.rint(keras.ops.convert_to_numpy(given)).clip(0, 255)
    return whole.astype(np.uint8)


def _layer(name: str, seed: int) -> keras.layers.Layer:
    match name:
        case "mirror":
            return keras.layers.RandomFlip("horizontal", seed=seed)
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
