"""Figures of trainings alone: how sure a model is of its best labels, right and wrong ones."""

import re
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

from catalog.decisions import Decisions, Line
from catalog.models.artefact import load_card
from catalog.models.metrics import Share
from reports import findings
from reports.draw import draw_model
from reports.evidence import model_evidence
from reports.language import language
from reports.measured import Measured
from reports.sureness import BINS, SureBin, Sureness, sureness_of
from reports.training_figures import HEIGHT, WIDTH, sureness_histogram
from tests.recipe_world import class_folder, with_card
from tests.report_world import VOCABULARY, model_folder
from tests.test_pages import Tags, text_of

ENGLISH, SPANISH = language("en"), language("es")
LEFT, TOP = 46, 44
"""Pixels of a drawing beside and above its axes."""
SURE = (0.12, 0.31, 0.33, 0.34, 0.62, 0.93, 0.97, 1.0)
RIGHT = (False, True, False, True, True, True, True, False)


def rows(line=None, sure=SURE, right=RIGHT):
    """How sure a head was of eight labels, three of which are wrong."""
    return Sureness("base_colour", np.array(sure), np.array(right), line)


def bars(svg, colour):
    """The x, y, width and height of each bar of a colour; the squares of the legend are none."""
    found = re.findall(rf'd="([^"]*)" style="fill: var\(--{colour},', svg)
    corners = [np.array(re.findall(r"([\d.]+) ([\d.]+)", path), float) for path in found]
    return [
        (*each.min(axis=0), *(each.max(axis=0) - each.min(axis=0)))
        for each in corners
        if each[:, 1].max() > TOP
    ]


def texts(svg):
    """The texts of a drawing."""
    return [element.text for element in ET.fromstring(svg).iter() if element.text]  # noqa: S314


def dashed(svg):
    """The places across at which a dashed line begins and ends."""
    lines = re.findall(r'd="M ([\d.]+) [\d.]+ L ([\d.]+) [^"]*" style="[^"]*dasharray', svg)
    return [tuple(map(float, line)) for line in lines]


@pytest.mark.parametrize("line", [None, 0.5])
def test_bars_add_up_to_the_counts(line):
    """Each bar is as high as its bin has rows, and stands at the confidences of its bin."""
    drawn = rows(line)
    found = {
        colour: bars(sureness_histogram(drawn, ENGLISH), colour)
        for colour in ("train", "validation")
    }
    unit = sum(height for each in found.values() for *_, height in each) / drawn.n
    for colour, counts in (
        ("train", [each.right for each in drawn.bins]),
        ("validation", [each.wrong for each in drawn.bins]),
    ):
        told = [0] * BINS
        for x, _, width, height in found[colour]:
            assert width == pytest.approx(WIDTH / BINS, abs=0.11)
            told[round((x - LEFT) / WIDTH * BINS)] = round(height / unit, 1)
        assert told == counts


def test_wrong_ones_stand_on_the_right_ones():
    """In a bin that has both the wrong ones begin where the right ones end."""
    svg = sureness_histogram(rows(sure=(0.52, 0.53, 0.54), right=(True, True, False)), ENGLISH)
    ((_, below, _, high),), ((_, above, _, low),) = bars(svg, "train"), bars(svg, "validation")
    assert below + high == pytest.approx(TOP + HEIGHT, abs=0.11)
    assert above + low == pytest.approx(below, abs=0.11)


@pytest.mark.parametrize("line", [0.0, 0.25, 0.873, 1.0])
def test_line_stands_at_its_confidence(line):
    """The dashed upright is where labels are accepted from, and says so."""
    svg = sureness_histogram(rows(line), ENGLISH)
    assert dashed(svg) == [(pytest.approx(LEFT + line * WIDTH, abs=0.06),) * 2]
    assert f"accepted from {ENGLISH.percent(line)}" in texts(svg)


def test_no_line_is_drawn_where_there_is_none():
    """A head of which it is not known what is sure enough has no upright."""
    svg = sureness_histogram(rows(), ENGLISH)
    assert dashed(svg) == []
    assert not any("accepted" in text for text in texts(svg))


@pytest.mark.parametrize("right", [RIGHT, (True,) * 8, (False,) * 8])
def test_colours_follow_the_page(right):
    """Every colour is a variable of the page, and nothing refers to what was dropped."""
    svg = sureness_histogram(rows(0.5, right=right), ENGLISH)
    assert not re.findall(r"(?:fill|stroke): #", svg)
    assert set(re.findall(r"var\(--([\w-]+)", svg)) == {
        *("train", "validation", "paper", "ink", "soft", "rule")
    }
    assert {"right", "wrong", "test pictures", "how sure it is of its best guess"} <= {*texts(svg)}
    for word in ("font-family", "<use", "href", "clip-path"):
        assert word not in svg


def test_drawing_leaves_matplotlib_as_it_was():
    """No global setting of matplotlib changes."""
    before = dict(mpl.rcParams)
    sureness_histogram(rows(0.5), ENGLISH)
    assert dict(mpl.rcParams) == before


def test_same_values_give_the_same_drawing():
    """A report drawn again is equal to the last letter."""
    assert sureness_histogram(rows(0.5), ENGLISH) == sureness_histogram(rows(0.5), ENGLISH)


def test_drawing_speaks_the_language():
    """Words and shares are those of the page."""
    assert {"acierto", "error", "aceptada desde el 87,5\N{NO-BREAK SPACE}%"} <= {
        *texts(sureness_histogram(rows(0.875), SPANISH))
    }


def test_bins_hold_every_row_once():
    """What is certain belongs to the last bin, and every other row to the bin that it begins."""
    bins = rows().bins
    assert len(bins) == BINS
    assert sum(each.right + each.wrong for each in bins) == len(SURE)
    assert bins[-1] == SureBin(0.95, 1.0, 1, 1)
    assert [each.right + each.wrong for each in bins][6] == 3


@pytest.mark.parametrize(
    ("line", "reaching", "short"),
    [
        (None, Share(0, 0), Share(5, 8)),
        (0.93, Share(2, 3), Share(3, 5)),
        (0.0, Share(5, 8), Share(0, 0)),
    ],
)
def test_rows_lie_on_either_side_of_the_line(line, reaching, short):
    """What is just as sure as the line reaches it; without a line nothing does."""
    assert (rows(line).reaching, rows(line).short) == (reaching, short)


def test_sureness_is_that_of_the_best_label():
    """The scores' best label counts; what float32 puts above 1 is certain, also in a line."""
    scores = np.array([[1.0000002, 0.0], [0.25, 0.75]], np.float32)
    heads = [
        Measured(head, ("a", "b"), ("1", "2")[:n], ("a", "a")[:n], scores[:n], n, 0)
        for head, n in (("size", 2), ("none", 0), ("shape", 2))
    ]
    lines = {"size": Line(1.0000002, 0.5, 150), "shape": Line(None, 0.0, 150)}
    size, shape = sureness_of(heads, Decisions(lines=lines))
    assert size.sure.tolist() == shape.sure.tolist() == [1.0, 0.75]
    assert size.right.tolist() == [True, False]
    assert (size.line, size.reaching, shape.line) == (1.0, Share(1, 1), None)


def test_heads_that_are_decided_together_have_no_line_here():
    """Their lines are of confidences that they have together, which are others."""
    scores = np.array([[0.75, 0.25]], np.float32)
    heads = [Measured(head, ("a", "b"), ("1",), ("a",), scores, 1, 0) for head in ("kind", "size")]
    decisions = Decisions(
        together=("kind",), lines={head: Line(0.5, 0.5, 150) for head in ("kind", "size")}
    )
    assert [each.line for each in sureness_of(heads, decisions)] == [None, 0.5]


SURE_AT_LEAST = "were made with a confidence of at least"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (rows(0.9), "base colour reaches its line in 3 of 8 test pictures, and is right for 66.7%"),
        (rows(0.9, SURE[:5], RIGHT[:5]), "base colour reaches its line in none of 5 test pictures"),
        (rows(), f"Half of the 3 mistakes of base colour {SURE_AT_LEAST} 33%"),
        (rows(None, SURE[:2], RIGHT[:2]), "base colour was 12% sure when it made its 1 mistake"),
        (rows(None, SURE[3:7], RIGHT[3:7]), "base colour is wrong in none of 4 test pictures"),
    ],
)
def test_title_tells_the_finding(said, found):
    """With a line it tells what reaches it and is right, else where half of the mistakes lie."""
    assert findings.sureness(said, ENGLISH).startswith(found)


def test_numbers_stand_behind_the_drawing(tmp_path):
    """A table has the rows of each bin, and of both sides of the line."""
    folder = model_folder(tmp_path, VOCABULARY, decided=True)
    apart = {"together": [], "combinations": []}
    with_card(folder, decisions=load_card(folder).decisions | apart)
    page = draw_model(folder, ENGLISH)
    text = text_of(page)
    for said in (
        "category reaches its line in none of 20 test pictures",
        "Half of the 7 mistakes of colour were made with a confidence of at least 70%",
        "Confidences that no test picture has are left out. How sure Right Wrong",
        "65% to 70% 20 0 accepted from 87.5% 0 0 to review 20 0",
        "65% to 70% 13 7",
        "Dashed line: the confidence from which its labels are accepted;",
    ):
        assert said in text, said
    labels = [each.get("aria-label", "") for each in Tags(page).named("div")]
    assert sum(label.startswith("Histogram of how sure") for label in labels) == 2


def test_model_of_classes_has_the_figure_too(tmp_path):
    """It speaks of the model and its classes, and draws no line."""
    text = text_of(draw_model(class_folder(tmp_path), ENGLISH))
    assert "mistakes of the model were made with a confidence of at least" in text
    assert "test pictures of like confidence in their likeliest class;" in text
    assert "Dashed line: the confidence" not in text


def test_decisions_without_sense_leave_it_out(tmp_path):
    """Nothing is drawn by a card whose lines make no sense, and the page stands."""
    folder = model_folder(tmp_path, VOCABULARY, decided=True)
    with_card(folder, decisions={"together": 1})
    assert model_evidence(folder).sureness == ()
    assert "How sure is it when it is wrong?" not in draw_model(folder, ENGLISH)
