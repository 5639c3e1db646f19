"""Scores of several pictures become one label of a product."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from catalog.decoding import Guess, combine, decode, guesses, ranked


def test_pictures_of_a_product_are_averaged():
    """A product's scores are the mean over its pictures, in whatever order those come."""
    scores = np.array([[0.8, 0.2], [0.1, 0.9], [0.4, 0.6]], np.float32)
    combined = combine(scores, np.array([1, 0, 1]), products=2)
    assert np.allclose(combined, [[0.1, 0.9], [0.6, 0.4]])


def test_product_without_pictures_has_no_label():
    """Nothing was looked at, so nothing is guessed, and there is no confidence to read."""
    combined = combine(np.array([[0.8, 0.2]]), np.array([1]), products=3)
    codes, confidence = decode(combined)
    assert codes.tolist() == [-1, 0, -1]
    assert np.isnan(confidence[[0, 2]]).all()
    assert confidence[1] == 0.8


def test_no_products_at_all():
    """An empty batch stays empty."""
    combined = combine(np.empty((0, 4)), np.empty(0, np.int64), products=0)
    codes, confidence = decode(combined)
    assert combined.shape == (0, 4)
    assert len(codes) == len(confidence) == 0


def test_equal_scores_go_to_the_first_label():
    """A tie is settled by the vocabulary's order, in every view of the scores."""
    scores = np.array([[0.2, 0.4, 0.4]])
    assert decode(scores)[0].tolist() == [1]
    assert ranked(scores)[0].tolist() == [[1, 2, 0]]


def test_best_guesses_have_names():
    """The best labels come with their probabilities, the best first."""
    scores = np.array([[0.1, 0.6, 0.3]], np.float64)
    assert guesses(scores, ("Red", "Green", "Blue"), best=2) == [
        [Guess("Green", 0.6), Guess("Blue", 0.3)]
    ]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_combined_scores_still_sum_to_one(products):
    """A mean of probability vectors is one."""
    index = np.array(products)
    scores = np.random.default_rng(len(products)).dirichlet([1.0] * 3, len(products))
    combined = combine(scores, index, products=5)
    present = np.isin(np.arange(5), index)
    assert np.allclose(combined[present].sum(axis=1), 1)
    assert np.isnan(combined[~present]).all()
