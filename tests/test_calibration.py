"""Whether scores are probabilities, and how far off they are by chance alone."""

from math import pi, sqrt

import numpy as np
import pytest

from catalog.models.calibration import (
    Bin,
    by_chance,
    chance_error,
    expected_error,
    reliability,
    temperature,
    tempered,
)


def test_error_is_the_mean_distance_weighted_by_rows():
    """30 rows 0.1 off and 10 rows 0.3 off: 0.15 on average, though the signs differ."""
    assert expected_error((Bin(0.5, 0.6, 30), Bin(0.9, 0.6, 10))) == pytest.approx(0.15)
    assert expected_error(()) is None


def test_chance_alone_makes_an_error():
    """25 rows at 0.5 stray by sqrt(2 / pi) of 0.1 on average; 75 that are sure do not at all."""
    strays = sqrt(2 / pi) * 0.1
    assert chance_error((Bin(0.5, 0.9, 25),)) == pytest.approx(strays)
    assert chance_error((Bin(0.5, 0.9, 25), Bin(1.0, 1.0, 75))) == pytest.approx(strays / 4)
    assert chance_error((Bin(1.0000001, 1.0, 20),)) == 0  # as float32 may have it
    assert chance_error(()) is None


@pytest.mark.parametrize(("rows", "bins"), [(89, 4), (300, 15), (2000, 15)])
def test_probabilities_have_the_error_of_chance(rows, bins):
    """Scores that are probabilities by construction: the mean of many errors is the expected one.

    Those of them that are told as more than chance are 1 in 20, or fewer.
    """
    random = np.random.default_rng(7)
    told, errors, expected = [], [], []
    for _ in range(400):
        score = random.beta(4, 2, rows)
        found = reliability(random.random(rows) < score, score, bins)
        errors.append(expected_error(found))
        expected.append(chance_error(found))
        told.append(not by_chance(found))
    assert np.mean(errors) == pytest.approx(np.mean(expected), rel=0.08)
    assert np.mean(told) < 0.07


def test_scores_that_are_no_probabilities_are_found():
    """300 rows that are right for 60 % and 90 % sure are off by more than chance."""
    random = np.random.default_rng(7)
    found = reliability(random.random(300) < 0.6, random.uniform(0.85, 0.95, 300), 15)
    assert not by_chance(found)
    assert by_chance(())


def test_bin_beyond_chance():
    """At 0.5 of 100 rows 0.098 is the bound: a share of 0.6 is beyond it, one of 0.59 is not."""
    assert Bin(0.5, 0.6, 100).beyond_chance
    assert not Bin(0.5, 0.59, 100).beyond_chance


def test_a_temperature_makes_confidences_true():
    """Scores twice as sure as they may be: the temperature is about 2, and the error goes."""
    random = np.random.default_rng(7)
    logits = random.normal(0, 2, (4000, 6))
    odds = np.exp(logits)
    truth = np.array([random.choice(6, p=each) for each in odds / odds.sum(axis=1, keepdims=True)])
    sure = np.exp(2 * logits)
    sure /= sure.sum(axis=1, keepdims=True)
    found = temperature(sure, truth)
    assert found == pytest.approx(2, abs=0.15)
    right = sure.argmax(axis=1) == truth
    assert not by_chance(reliability(right, sure.max(axis=1), 15))
    assert by_chance(reliability(right, tempered(sure, found).max(axis=1), 15))


def test_the_temperature_is_that_of_the_label_that_is_told():
    """Where only the order of the other labels is wrong, nothing is to be cooled."""
    random = np.random.default_rng(7)
    scores = np.tile([0.7, 0.28, 0.01, 0.01], (4000, 1))
    truth = np.where(random.random(4000) < 0.7, 0, 2)  # never the second
    assert temperature(scores, truth) == pytest.approx(1, abs=0.1)
