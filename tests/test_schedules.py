"""The learning rate of each epoch, told by its number alone."""

from itertools import pairwise

import keras
import numpy as np
import pytest

from catalog.models.schedules import cosine, exponential

RATE = 0.5


def fitted(schedule, epochs, **resumed):
    """The rate at the end of each epoch of a real fit of one weight, two steps an epoch."""
    given = keras.Input((1,))
    network = keras.Model(given, keras.layers.Dense(1, use_bias=False)(given))
    rate, callbacks = schedule(RATE, 2 * epochs)
    network.compile(keras.optimizers.SGD(rate), "mse", jit_compile=False)
    rates = []
    noted = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: rates.append(float(network.optimizer.learning_rate))
    )
    network.fit(
        np.zeros((4, 1)),
        np.zeros((4, 1)),
        batch_size=2,
        epochs=epochs,
        verbose=0,
        callbacks=[*callbacks, noted],
        **resumed,
    )
    return rates


def test_exponential_is_flat_for_five_epochs_and_falls_after():
    """By a tenth of the exponent each: the sixth epoch is the first that learns more slowly."""
    rates = fitted(exponential, 10)
    assert rates[:5] == pytest.approx([RATE] * 5)
    assert rates[5:] == pytest.approx([RATE * np.exp(-each / 10) for each in range(1, 6)])


def test_a_resumed_fit_goes_on_where_it_was():
    """The eighth epoch has the rate of an eighth epoch, though it is the first of this fit."""
    assert fitted(exponential, 10, initial_epoch=7) == pytest.approx(fitted(exponential, 10)[7:])


def test_cosine_falls_from_the_first_epoch_to_nothing():
    """Fast in the middle, and slowly at both ends."""
    rates = fitted(cosine, 8)
    falls = [one - other for one, other in pairwise([RATE, *rates])]
    assert all(fall > 0 for fall in falls)
    assert rates[-1] == pytest.approx(0, abs=1e-6)
    assert rates[3] == pytest.approx(RATE / 2)
    assert max(falls) in falls[3:5]
