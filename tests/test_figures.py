"""Figures: small SVG that carries text as text and colours by name."""

import re
import warnings
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

from catalog.models.calibration import Bin
from catalog.models.metrics import score_head
from reports.evidence import Line
from reports.figures import calibration, confusion_heatmap, heatmap, learning_curve
from reports.language import language
from reports.measured import gathered
from tests.report_world import HOSTILE

SVG = "{http://www.w3.org/2000/svg}"
ENGLISH, SPANISH = language("en"), language("es")


def confused(labels, truth, guess):
    """How truths met guesses, by their codes."""
    return gathered(score_head("colour", labels, np.array(truth), np.eye(len(labels))[guess]))


def calibrated(bins, spoken=ENGLISH):
    """A reliability curve of 240 pixels."""
    return calibration(bins, spoken, across="score", up="share that was high", line="posts")


def texts(svg):
    """The texts of a drawing, in order."""
    return [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


def test_cells_say_how_many():
    """Few classes have their counts in the cells, and each truth its number of rows."""
    svg = confusion_heatmap(confused(("Red", "Blue"), [0, 0, 0, 1], [0, 0, 1, 1]), ENGLISH)
    assert {"2", "1", "Red (3)", "Blue (1)", "Red", "Blue"} <= set(texts(svg))


def test_rows_are_normalised():
    """A row that is half right has two cells of one colour; an empty cell is not drawn."""
    svg = confusion_heatmap(confused(("Red", "Blue"), [0, 0, 1], [0, 1, 1]), ENGLISH)
    assert sorted(re.findall(r"fill: var\(--(heat-\d)", svg)) == ["heat-5", "heat-5", "heat-8"]


def test_others_are_one_class():
    """Where rarer classes are put together, the drawing says how many."""
    truth = [code for code in range(30) for _ in range(30 - code)]
    svg = confusion_heatmap(confused([f"c{code}" for code in range(30)], truth, truth), ENGLISH)
    assert "11 others" in texts(svg)


@pytest.mark.parametrize("label", [*HOSTILE, "snow ☃ 雪の色 \x0b\ufffe end"])
def test_any_label_is_text_and_nothing_else(label):
    """Markup, formulas, controls and unknown glyphs are drawn as text, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = confusion_heatmap(confused((label, "Blue"), [0, 1], [0, 1]), ENGLISH)
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
        confusion_heatmap(confused(("Red", "Blue"), [0, 0, 1], [0, 1, 1]), ENGLISH),
        learning_curve("accuracy", line, [1, 1], ENGLISH),
        calibrated([Bin(0.3, 0.2, 10), Bin(0.6, 0.7, 10)]),
    ]
    for svg in drawings:
        assert not re.findall(r"(?:fill|stroke): #", svg)
        assert "font-family" not in svg


def test_nothing_refers_to_what_was_dropped():
    """Markers and clips are definitions, which a drawing here has none of."""
    for svg in (
        learning_curve("loss", Line((1.0,), (1.2,)), [1], ENGLISH),
        calibrated([Bin(0.3, 0.2, 10)]),
        heatmap(("low", "high"), np.eye(2, dtype=int), ENGLISH),
    ):
        assert "<use" not in svg
        assert "href" not in svg


def test_big_drawing_is_small():
    """Twenty classes with a mistake in nearly every cell need less than 120 kB."""
    random = np.random.default_rng(1)
    truth, guess = random.integers(0, 46, (2, 5000))
    svg = confusion_heatmap(
        confused([f"colour {code}" for code in range(46)], truth, guess), ENGLISH
    )
    assert len(svg) < 120_000


def test_curves_name_both_sides():
    """A curve says which line is training and which validation."""
    svg = learning_curve("loss", Line((1.0, 0.5, 0.4), (1.2, 0.8, 0.9)), [2, 1], ENGLISH)
    assert {"training", "validation", "epoch", "loss (nats)"} <= set(texts(svg))


def test_one_epoch_is_seen():
    """A curve of one epoch is a dash: both lines are drawn, at heights of their own."""
    svg = learning_curve("accuracy", Line((0.5,), (0.25,)), [1], ENGLISH)
    ends = r'd="M ([\d.]+) ([\d.]+) L ([\d.]+) ([\d.]+)"[^>]*stroke: var\(--(train|validation)'
    drawn = {line[4]: [float(end) for end in line[:4]] for line in re.findall(ends, svg)}
    train, validation = drawn["train"], drawn["validation"]
    assert train[1] != validation[1]
    assert all(line[2] - line[0] > 10 for line in (train, validation))


def test_counts_alone_make_a_heatmap():
    """Counts of truths against guesses keep the order that they are given in."""
    drawn = texts(heatmap(("low", "high"), np.array([[655, 451], [349, 556]]), ENGLISH))
    assert {"655", "451", "349", "556", "low (1,106)", "high (905)"} <= set(drawn)
    assert drawn.index("655") < drawn.index("451") < drawn.index("349")


def middle(path):
    """The middle of what a path draws, in whole pixels."""
    x, y = np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", path), float).T
    return round((x.min() + x.max()) / 2), round((y.min() + y.max()) / 2)


def test_calibration_puts_each_bin_at_its_score_and_share():
    """Both axes go from 0 to 1 over 240 pixels: the score to the right, the share upwards."""
    svg = calibrated([Bin(0.25, 0.5, 10), Bin(0.75, 0.625, 10)])
    assert {"score", "share that was high", "25%", "100%"} <= set(texts(svg))
    left, below = 56, 300 - 44
    lines = re.findall(r'd="([^"]*)"[^>]*stroke: var\(--train[^>]*stroke-linecap', svg)
    assert lines[0] == f"M {left + 60} {below - 120} L {left + 180} {below - 150}"
    dots = re.findall(r'd="([^"]*)"[^>]*fill: var\(--train', svg)
    assert list(map(middle, dots)) == [(left + 60, below - 120), (left + 180, below - 150)]


def test_drawing_leaves_matplotlib_as_it_was():
    """No global setting of matplotlib changes."""
    before = dict(mpl.rcParams)
    learning_curve("loss", Line((1.0,), (1.2,)), [1], ENGLISH)
    assert dict(mpl.rcParams) == before


def test_same_values_give_the_same_drawing():
    """A report drawn again is equal to the last letter."""
    line = Line((1.0, 0.5), (1.2, 0.8))
    assert learning_curve("loss", line, [2], ENGLISH) == learning_curve("loss", line, [2], ENGLISH)


def test_numbers_are_those_of_the_language():
    """Counts and shares on a drawing are written as the page's language has them."""
    counts = np.array([[12655, 451], [349, 556]])
    assert "13.106" in " ".join(texts(heatmap(("low", "high"), counts, SPANISH)))
    assert "25\N{NO-BREAK SPACE}%" in texts(calibrated([Bin(0.3, 0.2, 10)], SPANISH))
    line = Line((1.5, 0.5), (1.2, 0.8))
    assert "0,75" in texts(learning_curve("loss", line, [2], SPANISH))
