"""Figures of models, drawn with matplotlib on the ground that reports/drawing.py lays.

Loading this module takes a third of a second; load it where a figure is drawn. seaborn would take
two seconds more, with pandas and SciPy: no figure that is drawn every night is worth them.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Circle
from matplotlib.ticker import MaxNLocator, MultipleLocator

from catalog.models.calibration import Bin
from catalog.models.metrics import ratio
from reports.drawing import (
    HEAT,
    INK,
    ON_DEEP,
    ON_PALE,
    PAPER,
    SOFT,
    TRAIN,
    VALIDATION,
    axes_at,
    drawing,
    label_width,
    short,
    svg_of,
)
from reports.evidence import Line
from reports.language import Language
from reports.measured import Confusion

ANNOTATED_CLASSES = 12
LARGEST_CELL = 46.0  # pixels
DEEP = 0.5  # share from which a cell is so dark that its count is white
TILT = 50  # degrees
TILTED = float(np.sin(np.radians(TILT)))


def confusion_heatmap(confusion: Confusion, language: Language) -> str:
    """Draw where the truths of each class went: a row is a truth, its cells add up to one.

    The counts stand in the cells where they are few enough to read; the share is the colour.
    """
    others = language.ngettext("%(num)s other", "%(num)s others", confusion.others)
    labels = (*confusion.labels, others) if confusion.others else confusion.labels
    return heatmap(labels, np.array(confusion.counts, np.int64), language)


def heatmap(
    labels: Sequence[str], counts: np.ndarray, language: Language, largest: float = LARGEST_CELL
) -> str:
    """Draw counts [n, n] of how truths (rows) met guesses (columns), as confusion_heatmap does.

    No cell has a side of more than `largest` pixels.
    """
    totals = counts.sum(axis=1, keepdims=True)
    cell = max(14.0, min(largest, 290.0 / len(labels)))
    side = cell * len(labels)
    across = [short(label) for label in labels]
    down = [
        f"{label} ({language.count(total)})"
        for label, total in zip(across, totals[:, 0].tolist(), strict=True)
    ]
    left, below = label_width(down) + 28, TILTED * label_width(across) + 34
    said = language.gettext("what the model said")
    so = language.gettext("what is so (number of rows)")
    wide, high = (
        max(left + side, label_width([said])) + 12,
        max(below + side, label_width([so])) + 8,
    )
    with drawing(wide, high) as figure:
        axes = axes_at(figure, left, below, side, side)
        shares = np.ma.masked_equal(ratio(counts, totals), 0)
        axes.pcolormesh(
            shares,
            cmap=ListedColormap(HEAT),
            vmin=0.0,
            vmax=1.0,
            edgecolors=PAPER,
            linewidth=1.0,
            clip_on=False,
        )
        if len(labels) <= ANNOTATED_CLASSES:
            _annotate(axes, counts, shares, language)
        axes.grid(visible=False)
        axes.spines["bottom"].set_visible(False)
        middles = np.arange(len(labels)) + 0.5
        axes.set_xticks(middles, across)
        axes.set_yticks(middles, down)
        axes.invert_yaxis()
        axes.set(xlabel=said, ylabel=so)
        across_at = _within(left + side / 2, label_width([said]), wide)
        up_at = _within(below + side / 2, label_width([so]), high)
        axes.xaxis.set_label_coords((across_at - left) / side, (18 - below) / side)
        axes.yaxis.set_label_coords((12 - left) / side, (up_at - below) / side)
        axes.tick_params(axis="y", rotation=0)
        axes.tick_params(axis="x", rotation=TILT)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
        return svg_of(figure)


def _within(middle: float, length: float, whole: float) -> float:
    """Where the middle of a text goes that is to stand at `middle`, but must not be cut."""
    return min(max(middle, length / 2), whole - length / 2)


def _annotate(axes: Axes, counts: np.ndarray, shares: np.ndarray, language: Language) -> None:
    """Write the counts into their cells, in a colour that can be read on the cell's own."""
    for row, column in zip(*np.nonzero(counts), strict=True):
        axes.text(
            column + 0.5,
            row + 0.5,
            language.count(counts[row, column]),
            color=ON_PALE if shares[row, column] < DEEP else ON_DEEP,
            size=10.0,
            ha="center",
            va="center",
        )


def learning_curve(measure: str, line: Line, phases: Sequence[int], language: Language) -> str:
    """Draw "loss" or "accuracy" by epoch, in training and on validation.

    `phases` holds the epochs of each phase of the training; a rule stands between two phases.
    """
    with drawing(250, 180) as figure:
        _curve(axes_at(figure, 46, 40, 196, 116), measure, line, phases, language)
        return svg_of(figure)


def _curve(axes: Axes, measure: str, line: Line, phases: Sequence[int], language: Language) -> None:
    for title, values, colour, dashes in (
        (language.gettext("training"), line.train, TRAIN, "solid"),
        (language.gettext("validation"), line.validation, VALIDATION, (0, (4, 2))),
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
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    if measure == "accuracy":
        axes.set_title(language.gettext("accuracy"), color=INK)
        axes.yaxis.set_major_formatter(lambda share, _: language.percent(share, 0))
    else:
        axes.set_title(language.gettext("loss (nats)"), color=INK)
        axes.yaxis.set_major_formatter(lambda loss, _: language.bar(round(loss, 6)))
    axes.set_xlabel(language.gettext("epoch"))
    axes.legend(frameon=False, fontsize=10, handlelength=2.2, labelcolor=SOFT)


def calibration(
    bins: Sequence[Bin], language: Language, *, across: str, up: str, line: str, size: float = 240
) -> str:
    """Draw the share of rows of which it was so against the score they got, both 0 to 1.

    A point is one of the bins; on the diagonal the score would be a probability to rely on.
    `across` and `up` name the axes, `line` what the points are; an axis is `size` pixels long.
    """
    with drawing(size + 80, size + 60) as figure:
        axes = axes_at(figure, 56, 44, size, size)
        dashes = (0, (4, 3))
        relied_on = language.gettext("score = share")
        axes.plot((0, 1), (0, 1), color=SOFT, linestyle=dashes, linewidth=1, label=relied_on)
        places = [each.score for each in bins], [each.share for each in bins]
        axes.plot(*places, color=TRAIN, linewidth=1.5, label=line)
        for each in bins:  # as shapes, for markers would be definitions that _drop drops
            axes.add_patch(Circle((each.score, each.share), 4 / size, color=TRAIN))
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel=across, ylabel=up)
        axes.tick_params(axis="x", pad=7)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MultipleLocator(0.25))
            axis.set_major_formatter(lambda share, _: language.percent(share, 0))
        axes.legend(frameon=False, fontsize=10, handlelength=2.2, labelcolor=SOFT, loc=4)
        return svg_of(figure)
