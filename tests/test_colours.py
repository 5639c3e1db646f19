"""Shares of colours, told beside what a network sees."""

import keras
import numpy as np
import pytest

from catalog.models.colours import colour_features

WHITE, RED = 63, 48  # of the 64 bins


def shares(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The whole picture's shares, its centre's, and those without white."""
    pixels = keras.Input(picture.shape)
    model = keras.Model(pixels, colour_features(pixels))
    found = np.asarray(model(picture[None].astype(np.float32)))[0] ** 2
    return found[:64], found[64:128], found[128:]


@pytest.mark.parametrize("side", [32, 128, 224])
def test_red_thing_on_white(side):
    """A red square over a quarter of a white picture: a quarter, nearly all inside, all ink."""
    picture = np.full((side, side, 3), 255, np.uint8)
    quarter = side // 4
    picture[quarter:-quarter, quarter:-quarter] = (255, 0, 0)
    whole, centre, inked = shares(picture)
    assert abs(whole[RED] - 0.25) < 0.04
    assert abs(whole[WHITE] - 0.75) < 0.04
    assert centre[RED] > 0.9
    assert inked[RED] > 0.8


def test_shares_sum_to_one():
    """Whatever the picture, everything in it has a colour."""
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    whole, centre, inked = shares(picture)
    for found in (whole, centre, inked):
        assert abs(found.sum() - 1) < 0.02


def test_white_picture():
    """Nothing but background is no division by nothing."""
    whole, _, inked = shares(np.full((64, 64, 3), 255, np.uint8))
    assert whole[WHITE] > 0.98
    assert np.isfinite(inked).all()
