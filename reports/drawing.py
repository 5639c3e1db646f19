"""The ground that figures are drawn on: small SVG, by matplotlib's object API, without pyplot.

An SVG from here is meant to stand inside a page: its text is text in the page's own font, and
every colour is a CSS variable of the page (with the light theme's value to fall back on), so that
one figure serves light and dark.
"""

import io
import re
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

LONGEST_LABEL = 18

# Light theme; the page's style sheet gives the same names another value for the dark one.
INK, SOFT, RULE, PAPER = "#20262e", "#5b6572", "#d9dde3", "#fbfbfc"
ON_PALE, ON_DEEP = "#262626", "#ffffff"  # text in a cell
TRAIN, VALIDATION = "#0b6fb8", "#c4501b"  # blue and vermilion: told apart by colour-blind eyes
HEAT = (
    *("#e4edf5", "#cbddec", "#a9c8e0", "#82afd2"),
    *("#5c94c1", "#3c78ac", "#255d91", "#143f6b"),
)
NAMES = {
    INK: "ink",
    SOFT: "soft",
    RULE: "rule",
    PAPER: "paper",
    ON_PALE: "on-pale",
    ON_DEEP: "on-deep",
    TRAIN: "train",
    VALIDATION: "validation",
} | {colour: f"heat-{step}" for step, colour in enumerate(HEAT, 1)}

SVG = "http://www.w3.org/2000/svg"
STYLE: Any = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 11.0,
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": RULE,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.titlesize": 11.0,
    "axes.titlelocation": "left",
    "grid.color": RULE,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
}


@contextmanager
def drawing(width: float, height: float) -> Iterator[Figure]:
    """Give a figure of so many CSS pixels, in our style; the global settings come back after."""
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # The page draws the text in fonts of its own, which have what DejaVu lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        yield Figure(figsize=(width / 72, height / 72), facecolor="none")


def axes_at(figure: Figure, left: float, below: float, width: float, height: float) -> Axes:
    """Place axes by CSS pixels: a layout engine would draw everything twice to measure it."""
    whole, high = figure.get_size_inches() * 72
    return figure.add_axes((left / whole, below / high, width / whole, height / high))


def label_width(texts: Sequence[str]) -> float:
    """Estimate how many CSS pixels the longest of some labels needs, in whatever font."""
    wide = [sum(unicodedata.east_asian_width(letter) in "WF" for letter in text) for text in texts]
    return max(6.6 * len(text) + 5.0 * more for text, more in zip(texts, wide, strict=True))


def svg_of(figure: Figure) -> str:
    """Render a figure, and drop all that a page has no use for."""
    file = io.StringIO()
    figure.savefig(file, format="svg")
    root = ET.fromstring(file.getvalue())  # nosec B314  # noqa: S314 - written above
    _drop(root)
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{SVG}}}")
        element.tail = None
        if element.tag != "text":
            element.text = None
        element.attrib = _attributes(element.attrib)
    width, height = root.attrib["viewBox"].split()[2:]
    root.attrib |= {"xmlns": SVG, "width": width, "height": height, "aria-hidden": "true"}
    return ET.tostring(root, encoding="unicode")


def _drop(root: ET.Element) -> None:
    """Remove what draws nothing: metadata, definitions, shapes without a fill on the paper."""
    for parent in list(root.iter()):
        for child in list(parent):
            unseen = child.get("style") in {"fill: none", f"fill: none; stroke: {PAPER}"}
            if unseen or child.tag in {f"{{{SVG}}}metadata", f"{{{SVG}}}defs"}:
                parent.remove(child)


def _attributes(given: dict[str, str]) -> dict[str, str]:
    """Keep what draws, with numbers to a tenth of a pixel and colours by their name."""
    kept = {name: value for name, value in given.items() if name not in {"id", "clip-path"}}
    for name in {"d", "x", "y", "transform", "viewBox"} & kept.keys():
        kept[name] = re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]):.1f}", kept[name])
        kept[name] = " ".join(kept[name].split())
    if "style" in kept:
        kept["style"] = re.sub(
            "#[0-9a-f]{6}",
            lambda found: (
                f"var(--{NAMES[found[0]]}, {found[0]})" if found[0] in NAMES else found[0]
            ),
            re.sub(r"font-family: [^;]*;? ?", "", kept["style"]),
        )
    return kept


def short(label: str) -> str:
    """Cut a label such that it fits beside a figure, and drop what XML can't carry."""
    shown = "".join(
        letter for letter in unicodedata.normalize("NFC", label) if letter.isprintable()
    )
    return shown if len(shown) <= LONGEST_LABEL else f"{shown[: LONGEST_LABEL - 1]}…"
