"""How the learning rate falls while a network trains."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import keras

FULL_EPOCHS = 5
FALL = 0.1
"""Of the exponent, for each epoch after the first FULL_EPOCHS."""

Rate = Any  # a number, or one of Keras's schedules, which have no types
Schedule = Callable[[float, int], tuple[Rate, list[keras.callbacks.Callback]]]
"""From the first rate and the number of steps to the optimiser's rate and what changes it."""


def constant(rate: float, steps: int) -> tuple[Rate, list[keras.callbacks.Callback]]:  # noqa: ARG001 - a Schedule
    """Stay as it is."""
    return rate, []


def cosine(rate: float, steps: int) -> tuple[Rate, list[keras.callbacks.Callback]]:
    """Fall step by step along a half cosine to nothing (Loshchilov and Hutter, 2017)."""
    return keras.optimizers.schedules.CosineDecay(rate, steps), []


def exponential(rate: float, steps: int) -> tuple[Rate, list[keras.callbacks.Callback]]:  # noqa: ARG001 - a Schedule
    """Stay for FULL_EPOCHS epochs, then fall by a tenth of the exponent an epoch."""
    return rate, [keras.callbacks.LearningRateScheduler(partial(_fallen, rate))]


def _fallen(rate: float, epoch: int, _: float | None = None) -> float:
    """The rate of an epoch, counted from 0; by its number alone, for resuming can't restart it."""
    return rate * math.exp(-FALL * max(0, epoch + 1 - FULL_EPOCHS))
