"""Figures: small SVG that carries text as text and colours by name."""

import re
import warnings
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

from catalog.models.metrics import score_head
from reports.evidence import Line
from reports.figures import confusion_heatmap, gathered, learning_curve
from tests.report_world import HOSTILE

SVG = "{http://www.w3.org/2000/svg}"


def scored(labels, truth, guess):
    """A head whose guesses are these codes."""
    return score_head("colour", labels, np.array(truth), np.eye(len(labels))[guess])


def texts(svg):
    """The texts of a drawing, in order."""
    return [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


def test_cells_say_how_many():
    """Few classes have their counts in the cells, and each truth its number of rows."""
    svg = confusion_heatmap(scored(("Red", "Blue"), [0, 0, 0, 1], [0, 0, 1, 1]))
    assert {"2", "1", "Red (3)", "Blue (1)", "Red", "Blue"} <= set(texts(svg))


def test_rows_are_normalised():
    """A row that is half right has two cells of one colour; an empty cell is not drawn."""
    svg = confusion_heatmap(scored(("Red", "Blue"), [0, 0, 1], [0, 1, 1]))
    assert sorted(re.findall(r"fill: var\(--(heat-\d)", svg)) == ["heat-5", "heat-5", "heat-8"]


def test_rare_classes_become_others():
    """Beyond the bound the rarer classes are put together, and no row is lost."""
    truth = [code for code in range(30) for _ in range(30 - code)]
    names, counts = gathered(scored([f"c{code}" for code in range(30)], truth, truth), most=20)
    assert names[:2] == ["c0", "c1"]
    assert names[-1] == "11 others"
    assert counts.shape == (20, 20)
    assert counts.sum() == len(truth)


def test_classes_that_never_occur_are_left_out():
    """A class that is neither truth nor guess has no row."""
    names, counts = gathered(scored(("Red", "Green", "Blue"), [0, 0], [0, 2]))
    assert names == ["Red", "Blue"]
    assert counts.tolist() == [[1, 1], [0, 0]]


@pytest.mark.parametrize("label", [*HOSTILE, "snow ☃ 雪の色 \x0b\ufffe end"])
def test_any_label_is_text_and_nothing_else(label):
    """Markup, formulas, controls and unknown glyphs are drawn as text, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = confusion_heatmap(scored((label, "Blue"), [0, 1], [0, 1]))
    assert len(texts(svg)) == 8
    assert not re.search(r"<(script|img|foreignObject)", svg)
    assert {re.sub(r"{.*}", "", e.tag) for e in ET.fromstring(svg).iter()} <= {  # noqa: S314
        "svg",
        "g",
        "path",
        "text",
    }


def test_colours_follow_the_page():
    """Every colour of a drawing is a variable of the page."""
    line = Line((1.0, 0.5), (1.2, 0.8))
    drawings = [
        confusion_heatmap(scored(("Red", "Blue"), [0, 0, 1], [0, 1, 1])),
        learning_curve("accuracy", line, [1, 1]),
    ]
    for svg in drawings:
        assert not re.findall(r"(?:fill|stroke): #", svg)
        assert "font-family" not in svg


def test_big_drawing_is_small():
    """Twenty classes with a mistake in nearly every cell need less than 120 kB."""
    random = np.random.default_rng(1)
    truth, guess = random.integers(0, 46, (2, 5000))
    svg = confusion_heatmap(scored([f"colour {code}" for code in range(46)], truth, guess))
    assert len(svg) < 120_000


def test_curves_name_both_sides():
    """A curve says which line is training and which validation, and shows one epoch as a dot."""
    svg = learning_curve("loss", Line((1.0, 0.5, 0.4), (1.2, 0.8, 0.9)), [2, 1])
    assert {"training", "validation", "epoch", "loss"} <= set(texts(svg))
    assert "NaN" not in learning_curve("accuracy", Line((0.5,), (0.25,)), [1])


def test_drawing_leaves_matplotlib_as_it_was():
    """No global setting of matplotlib changes."""
    before = dict(mpl.rcParams)
    learning_curve("loss", Line((1.0,), (1.2,)), [1])
    assert dict(mpl.rcParams) == before


def test_same_values_give_the_same_drawing():
    """A report drawn again is equal to the last letter."""
    line = Line((1.0, 0.5), (1.2, 0.8))
    assert learning_curve("loss", line, [2]) == learning_curve("loss", line, [2])
