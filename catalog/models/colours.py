"""How much of each colour there is: fixed features beside those of a backbone.

Networks trained on ImageNet learned to see past colour; shops sell by it.
"""

import itertools
import math

import keras
import numpy as np
from keras import ops

LEVELS = 4
"""Bins an RGB channel: 64 colours in all, from black to white."""

SOFTNESS = 0.02
"""Squared distance in the RGB cube of side 1 over which one bin fades into the next."""

FAINTEST = 1e-4
"""Share that makes no difference: below it a root would make much of rounding."""

GRID = 56
"""Cells a side at the most, each of one mean colour; finer ones tell no more."""


def colour_features(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Shares of 64 colours in pictures, as square roots, float32 [n, 191].

    pixels: float [n, side, side, 3], 0 to 255. First the whole picture, then its centre (a half
    of each side), then the whole picture without its white: the background does not count.
    """
    cells = keras.layers.AveragePooling2D(math.ceil(pixels.shape[1] / GRID))(pixels)
    shares = keras.layers.Softmax(name="colour-of-cell")(_likeness()(cells))
    edge = cells.shape[1] // 4
    centre = keras.layers.Cropping2D(edge)(shares)
    whole = keras.layers.GlobalAveragePooling2D(name="colours")(shares)
    middle = keras.layers.GlobalAveragePooling2D(name="colours-of-centre")(centre)
    inked = whole[:, :-1] / (1.01 - whole[:, -1:])
    return ops.sqrt(ops.concatenate([whole, middle, inked], axis=-1) + FAINTEST)


def _likeness() -> keras.layers.Layer:
    """The fixed layer that says how like each colour a cell is, as logits of a softmax."""
    steps = np.linspace(0, 1, LEVELS)
    colours = np.array(list(itertools.product(steps, repeat=3)))  # [64, 3], white last
    layer = keras.layers.Conv2D(len(colours), 1, trainable=False, name="colour-likeness")
    layer.build((None, None, None, 3))
    kernel = 2 * colours.T[None, None] / (255 * SOFTNESS)
    layer.set_weights([kernel, -(colours**2).sum(axis=1) / SOFTNESS])
    return layer
