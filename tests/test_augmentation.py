"""Pictures changed by chance while a network learns."""

import numpy as np

from catalog.models.augmentation import changed
from catalog.models.settings import CHANGES

SIDE = 28


def after(*changes):
    """64 pictures without black, and what became of them."""
    pixels = np.random.default_rng(0).integers(1, 256, (64, SIDE, SIDE, 1), np.uint8)
    halves = [changed(half, changes, seed) for seed, half in enumerate(np.split(pixels, 2))]
    return pixels, np.concatenate(halves)


def moved(picture, down, right):
    """The picture so many pixels further down and to the right, black where nothing is."""
    wide = np.pad(picture, ((2, 2), (2, 2), (0, 0)))
    return np.roll(wide, (down, right), (0, 1))[2:-2, 2:-2]


def test_a_shift_is_of_whole_pixels():
    """Up to two of 28 each way, and no pixel is mixed with its neighbour."""
    places = [(down, right) for down in range(-2, 3) for right in range(-2, 3)]
    found = set()
    for before, now in zip(*after("shift"), strict=True):
        [place] = [each for each in places if np.array_equal(moved(before, *each), now)]
        found.add(place)
    assert len(found) > 8


def test_a_mirror_image_is_whole():
    """Each picture is as it was or mirrored, about half of them."""
    mirrored = 0
    for before, now in zip(*after("mirror"), strict=True):
        assert np.array_equal(now, before) != np.array_equal(now, before[:, ::-1])
        mirrored += np.array_equal(now, before[:, ::-1])
    assert 16 < mirrored < 48


def test_what_is_erased_is_black():
    """A rectangle of a tenth of the picture at most, in about a quarter of them."""
    before, now = after("erase")
    gone = now == 0
    assert np.array_equal(np.where(gone, before, now), before)
    shares = gone.mean(axis=(1, 2, 3))
    assert 0 < shares.max() < 0.13
    assert 6 < (shares > 0).sum() < 28


def test_nothing_is_changed_unasked():
    """Without changes the pictures stay."""
    assert np.array_equal(*after())


def test_a_seed_repeats_what_is_changed():
    """The same seed changes them in the same way, another one in another."""
    pixels = np.random.default_rng(0).integers(0, 256, (32, SIDE, SIDE, 3), np.uint8)
    first, again, other = (changed(pixels, CHANGES, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
