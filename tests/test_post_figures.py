"""Figures of posts: to scale, in the language of the page, and nothing that a page can't carry."""

from xml.etree import ElementTree as ET

import pytest

from engagement.findings import Curves, Cutoff
from reports.engagement import SizeBand
from reports.hours import Hour
from reports.language import LANGUAGES, language
from reports.post_figures import (
    hours_of_posting,
    precision_recall,
    rates_by_size,
    roc_curve,
)

CURVES = Curves(
    roc=((0.0, 0.0), (0.25, 0.5), (1.0, 1.0)),
    recalls=((0.5, 0.75), (1.0, 0.5)),
    cutoffs=(),
    frozen=Cutoff(0.4, 0.4, 60, 0.75, 0.45, 0.5625),
    heads=1,
)
HOURS = (Hour(3, 10, 10, 9), Hour(19, 40, 30, 9), Hour(23, 30, 6, 9))
BANDS = (
    SizeBand(0, 40, 3, 0, 0.01, 0.02, 0.05),
    SizeBand(1_000_000, 9, 1, 2, 0.005, 0.01, 0.02),
)
DRAWN = {
    "roc": lambda spoken: roc_curve(CURVES, 100, 100, spoken),
    "recalls": lambda spoken: precision_recall(CURVES, 0.5, spoken),
    "hours": lambda spoken: hours_of_posting(HOURS, spoken),
    "sizes": lambda spoken: rates_by_size(BANDS, spoken),
}


def drawing(svg):
    """A drawing's elements, and the words in it."""
    root = ET.fromstring(svg)  # noqa: S314 - our own drawing
    return root, [text.text for text in root.iter() if text.tag.endswith("text")]


def lines(svg, colour):
    """The corners of the lines of a colour, in pixels."""
    found = []
    for path in drawing(svg)[0].iter("{http://www.w3.org/2000/svg}path"):
        if f"stroke: var(--{colour}," in path.get("style", ""):
            parts = path.get("d").replace("M", "").replace("L", "").split()
            found.append([*zip(map(float, parts[::2]), map(float, parts[1::2]), strict=True)])
    return found


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("code", LANGUAGES)
def test_figures_fit_a_page_and_need_nothing(name, code):
    """No definition, no font, no reference; colours are those of the page."""
    svg = DRAWN[name](language(code))
    root, words = drawing(svg)
    assert not {"defs", "metadata", "style", "script", "use", "image"} & {
        each.tag.partition("}")[2] for each in root.iter()
    }
    assert "font-family" not in svg
    assert words
    assert float(root.get("width")) <= 480


def test_the_roc_curve_is_to_scale():
    """A quarter across is half way up; the point is 0.15 across and 0.45 up."""
    svg = DRAWN["roc"](language("en"))
    [(start, corner, end)] = [line for line in lines(svg, "train") if len(line) == 3]
    across, up = end[0] - start[0], start[1] - end[1]
    assert (corner[0] - start[0]) / across == pytest.approx(0.25, abs=0.002)
    assert (start[1] - corner[1]) / up == pytest.approx(0.5, abs=0.002)
    [[mark, _]] = lines(svg, "validation")
    assert (mark[0] - start[0]) / across == pytest.approx(0.15, abs=0.002)
    assert (start[1] - mark[1]) / up == pytest.approx(0.45, abs=0.002)


def test_the_base_rate_is_a_line_across():
    """It is what calling posts high at random would get."""
    svg = DRAWN["recalls"](language("en"))
    assert "base rate" in drawing(svg)[1]
    [base] = [line for line in lines(svg, "soft") if line[0][1] == line[1][1]]
    [(_, end)] = [line for line in lines(svg, "train") if len(line) == 2]
    assert base[0][1] == pytest.approx(end[1], abs=0.2)


def test_hours_of_few_posts_are_drawn_empty():
    """A point of the paper's colour lies on theirs, and on no other."""
    svg = DRAWN["hours"](language("en"))
    [empty] = lines(svg, "paper")
    points = [line[0] for line in lines(svg, "train") if line[0] == line[1]]
    assert len(points) == len(HOURS)
    assert empty[0] == points[0]


def test_the_line_of_an_hour_is_its_interval():
    """Two hours are judged: at 97.5 % 30 of 40 are 0.575 to 0.870, of an axis from 0 to 1."""
    svg = DRAWN["hours"](language("en"))
    spans = [line for line in lines(svg, "train") if line[0] != line[1]]
    ends = HOURS[1].interval(0.975)
    assert ends == pytest.approx((0.5747, 0.8693), abs=2e-3)
    first, second = HOURS[0].interval(0.975), ends
    drawn = [abs(line[0][1] - line[1][1]) for line in spans]
    assert drawn[1] / drawn[0] == pytest.approx(
        (second[1] - second[0]) / (first[1] - first[0]), rel=0.01
    )


def test_sizes_of_few_posts_are_drawn_empty():
    """Nine posts of one account are not compared."""
    svg = DRAWN["sizes"](language("en"))
    [empty] = lines(svg, "paper")
    points = [line[0] for line in lines(svg, "train") if line[0] == line[1]]
    assert empty[0] == points[1]


def test_numbers_are_those_of_the_language():
    """Percentages have a space in Spanish, and thousands a point."""
    english, spanish = (drawing(DRAWN["sizes"](language(code)))[1] for code in ("en", "es"))
    assert any("1,000,000" in word for word in english)
    assert any("1.000.000" in word for word in spanish)
    assert any(word.endswith("\N{NO-BREAK SPACE}%") for word in spanish)
