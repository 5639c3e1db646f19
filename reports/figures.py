"""Figures as small SVG, drawn with seaborn and matplotlib's object API: no pyplot, no window.

An SVG from here is meant to stand inside a page: its text is text in the page's own font, and
every colour is a CSS variable of the page (with the light theme's value to fall back on), so that
one figure serves light and dark. Loading this module takes two seconds; load it where a figure is
drawn.
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
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.ticker import MaxNLocator, MultipleLocator, PercentFormatter

from catalog.models.metrics import HeadScores, ratio
from engagement.evaluation import Bin
from reports.evidence import Line

MOST_CLASSES = 20
ANNOTATED_CLASSES = 12
LONGEST_LABEL = 18
LARGEST_CELL = 46.0  # pixels
TILT = 50  # degrees
TILTED = float(np.sin(np.radians(TILT)))

# Light theme; the page's style sheet gives the same names another value for the dark one.
INK, SOFT, RULE, PAPER = "#20262e", "#5b6572", "#d9dde3", "#fbfbfc"
ON_PALE, ON_DEEP = "#262626", "#ffffff"  # seaborn's own choice for text in a cell
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


def confusion_heatmap(scores: HeadScores, most: int = MOST_CLASSES) -> str:
    """Draw where the truths of each class went: a row is a truth, its cells add up to one.

    The `most` commonest classes are drawn and the others put together; the counts stand in the
    cells where they are few enough to read. The drawing says "share of the row" by its colour.
    """
    return heatmap(*gathered(scores, most))


def heatmap(labels: Sequence[str], counts: np.ndarray, largest: float = LARGEST_CELL) -> str:
    """Draw counts [n, n] of how truths (rows) met guesses (columns), as confusion_heatmap does.

    No cell has a side of more than `largest` pixels.
    """
    totals = counts.sum(axis=1, keepdims=True)
    cell = max(14.0, min(largest, 290.0 / len(labels)))
    side = cell * len(labels)
    across = [_short(label) for label in labels]
    down = [
        f"{label} ({total:,})" for label, total in zip(across, totals[:, 0].tolist(), strict=True)
    ]
    left, below = _width(down) + 28, TILTED * _width(across) + 34
    with _drawing(left + side + 12, below + side + 8) as figure:
        axes = _axes(figure, left, below, side, side)
        sns.heatmap(
            ratio(counts, totals),
            mask=counts == 0,
            annot=counts if len(labels) <= ANNOTATED_CLASSES else None,
            fmt="d",
            cmap=ListedColormap(HEAT),
            vmin=0.0,
            vmax=1.0,
            cbar=False,
            square=True,
            linewidths=1.0,
            linecolor=PAPER,
            clip_on=False,
            annot_kws={"size": 10.0},
            xticklabels=across,
            yticklabels=down,
            ax=axes,
        )
        axes.grid(visible=False)
        axes.set(xlabel="guess", ylabel="truth (rows)")
        axes.xaxis.set_label_coords(0.5, (18 - below) / side)
        axes.yaxis.set_label_coords((12 - left) / side, 0.5)
        axes.tick_params(axis="y", rotation=0)
        axes.tick_params(axis="x", rotation=TILT)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
        return _svg(figure)


def gathered(scores: HeadScores, most: int = MOST_CLASSES) -> tuple[list[str], np.ndarray]:
    """Name the classes to draw and count [n, n] how truths (rows) met guesses (columns).

    Classes that are neither a truth nor a guess are left out; beyond `most` the rarer ones become
    one class, "N others". The order is that of the counts, commonest truth first.
    """
    met = [code for code, each in enumerate(scores.classes) if each.n or each.guessed]
    met.sort(key=lambda code: (-scores.classes[code].n, -scores.classes[code].guessed, code))
    alone = met if len(met) <= most else met[: most - 1]
    rest = met[len(alone) :]
    groups = [[code] for code in alone] + ([rest] if rest else [])
    counts = np.array(
        [[scores.confusion[np.ix_(truth, guess)].sum() for guess in groups] for truth in groups],
        dtype=np.int64,
    ).reshape(len(groups), len(groups))
    names = [scores.labels[code] for code in alone]
    return names + ([f"{len(rest)} others"] if rest else []), counts


def learning_curve(measure: str, line: Line, phases: Sequence[int]) -> str:
    """Draw "loss" or "accuracy" by epoch, in training and on validation.

    `phases` holds the epochs of each phase of the training; a rule stands between two phases.
    """
    with _drawing(250, 180) as figure:
        _curve(_axes(figure, 40, 40, 202, 116), measure, line, phases)
        return _svg(figure)


def _curve(axes: Axes, name: str, line: Line, phases: Sequence[int]) -> None:
    for title, values, colour, dashes in (
        ("training", line.train, TRAIN, "solid"),
        ("validation", line.validation, VALIDATION, (0, (4, 2))),
    ):
        # One epoch is a dash: a point has no line, and a marker is a definition that _drop drops.
        single = len(values) == 1
        epochs = (0.75, 1.25) if single else np.arange(1, len(values) + 1)
        axes.plot(
            epochs,
            values * 2 if single else values,
            color=colour,
            linestyle=dashes,
            linewidth=2,
            label=title,
            clip_on=False,
        )
    for end in np.cumsum(phases[:-1]):
        axes.axvline(end + 0.5, color=SOFT, linestyle=(0, (1, 2)), linewidth=1, clip_on=False)
    axes.set_title(name, color=INK)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    if name == "accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.legend(frameon=False, fontsize=10, handlelength=2.2, labelcolor=SOFT)


def calibration(bins: Sequence[Bin]) -> str:
    """Draw the share of posts that were high against the score they got, both 0 to 1.

    A point is one of the bins; on the diagonal the score would be a probability to rely on.
    """
    with _drawing(320, 300) as figure:
        axes = _axes(figure, 52, 44, 240, 240)
        dashes = (0, (4, 3))
        axes.plot((0, 1), (0, 1), color=SOFT, linestyle=dashes, linewidth=1, label="score = share")
        line = [each.score for each in bins], [each.high for each in bins]
        axes.plot(*line, color=TRAIN, linewidth=1.5, label="posts, by score")
        for each in bins:  # as shapes, for markers would be definitions that _drop drops
            axes.add_patch(Circle((each.score, each.high), 0.016, color=TRAIN))
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="score", ylabel="share that was high")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MultipleLocator(0.25))
        axes.legend(frameon=False, fontsize=10, handlelength=2.2, labelcolor=SOFT, loc=2)
        return _svg(figure)


@contextmanager
def _drawing(width: float, height: float) -> Iterator[Figure]:
    """Give a figure of so many CSS pixels, in our style; the global settings come back after."""
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # The page draws the text in fonts of its own, which have what DejaVu lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        yield Figure(figsize=(width / 72, height / 72), facecolor="none")


def _axes(figure: Figure, left: float, below: float, width: float, height: float) -> Axes:
    """Place axes by CSS pixels: a layout engine would draw everything twice to measure it."""
    whole, high = figure.get_size_inches() * 72
    return figure.add_axes((left / whole, below / high, width / whole, height / high))


def _width(texts: Sequence[str]) -> float:
    """Estimate how many CSS pixels the longest of some labels needs, in whatever font."""
    wide = [sum(unicodedata.east_asian_width(letter) in "WF" for letter in text) for text in texts]
    return max(6.6 * len(text) + 5.0 * more for text, more in zip(texts, wide, strict=True))


def _svg(figure: Figure) -> str:
    """Render a figure, and drop all that a page has no use for."""
    file = io.StringIO()
    figure.savefig(file, format="svg")
    root = ET.fromstring(file.getvalue())  # noqa: S314 - written a line above
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


def _short(label: str) -> str:
    """Cut a label such that it fits beside a figure, and drop what XML can't carry."""
    shown = "".join(
        letter for letter in unicodedata.normalize("NFC", label) if letter.isprintable()
    )
    return shown if len(shown) <= LONGEST_LABEL else f"{shown[: LONGEST_LABEL - 1]}…"
