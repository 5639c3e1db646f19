"""Figures of posts: ROC and precision-recall curves, hours of posting, sizes of accounts.

As reports/figures.py, on the ground of reports/drawing.py; loading takes a second.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from engagement.findings import Curves
from reports.drawing import PAPER, SOFT, TRAIN, VALIDATION, axes_at, drawing, label_width, svg_of
from reports.engagement import SizeBand
from reports.hours import Hour, level_of, overall
from reports.language import Language
from reports.post_findings import size_in_words

DASHES = (0, (4, 3))


def roc_curve(curves: Curves, high: int, low: int, language: Language) -> str:
    """Draw the share of `high` posts found against that of `low` posts called high, both 0 to 1.

    The diagonal is what chance would get; the point is what the model's own thresholds come to.
    """
    with drawing(320, 300) as figure:
        axes = _square(axes_at(figure, 58, 44, 240, 240), language)
        axes.plot((0, 1), (0, 1), color=SOFT, linestyle=DASHES, linewidth=1)
        axes.plot(*zip(*curves.roc, strict=True), color=TRAIN, linewidth=2)
        found = curves.frozen.recall
        _mark(axes, (curves.frozen.called - found * high) / low, found)
        axes.set_xlabel(language.gettext("low posts called high"))
        axes.set_ylabel(language.gettext("high posts called high (recall)"))
        axes.text(0.97, 0.86, language.gettext("chance"), color=SOFT, ha="right")
        return svg_of(figure)


def precision_recall(curves: Curves, base_rate: float, language: Language) -> str:
    """Draw precision against recall as the threshold falls, both 0 to 1.

    The dashed line is the base rate, which posts called high at random would get; the point is what
    the model's own thresholds come to.
    """
    with drawing(320, 300) as figure:
        axes = _square(axes_at(figure, 58, 44, 240, 240), language)
        axes.axhline(base_rate, color=SOFT, linestyle=DASHES, linewidth=1)
        axes.plot(*zip(*curves.recalls, strict=True), color=TRAIN, linewidth=2)
        if curves.frozen.precision is not None:
            _mark(axes, curves.frozen.recall, curves.frozen.precision)
        axes.set_xlabel(language.gettext("high posts called high (recall)"))
        axes.set_ylabel(language.gettext("called high that were (precision)"))
        under = base_rate > 0.2
        axes.text(
            0.02,
            base_rate + (-0.02 if under else 0.02),
            language.gettext("base rate"),
            color=SOFT,
            va="top" if under else "bottom",
        )
        return svg_of(figure)


def hours_of_posting(hours: Sequence[Hour], language: Language) -> str:
    """Draw the share of high posts of each hour (UTC) with its interval, beside that of all.

    The intervals are at the level of level_of. Hours with too few posts, or of too few accounts,
    are drawn thin, with an empty point.
    """
    level = level_of(hours)
    with drawing(474, 260) as figure:
        axes = axes_at(figure, 60, 44, 402, 204)
        axes.axhline(overall(hours), color=VALIDATION, linestyle=DASHES, linewidth=1.5)
        for each in hours:
            width = 2.5 if each.enough else 1.0
            axes.plot((each.hour, each.hour), each.interval(level), color=TRAIN, linewidth=width)
            _point(axes, each.hour, each.share, filled=each.enough)
        axes.set(xlim=(-0.7, 23.7), ylim=(0, 1))
        axes.xaxis.set_major_locator(MultipleLocator(3))
        _in_percent(axes.yaxis, language, 0.25)
        axes.set_xlabel(language.gettext("hour of posting (UTC)"))
        axes.set_ylabel(language.gettext("posts that were high"))
        return svg_of(figure)


def rates_by_size(bands: Sequence[SizeBand], language: Language) -> str:
    """Draw the median engagement rate of each band of followers, and its middle half as a bar.

    The point of a band with too few posts or accounts is empty.
    """
    names = [size_in_words(language, band) for band in bands]
    left, room = label_width(names) + 14, 34 * len(bands)
    with drawing(left + 204, room + 54) as figure:
        axes = axes_at(figure, left, 46, 188, room)
        for place, band in enumerate(bands):
            ends = (band.quarter, band.three_quarters)
            axes.plot(ends, (place, place), color=TRAIN, linewidth=5, alpha=0.45)
            _point(axes, band.median, place, filled=band.enough)
        axes.set(ylim=(len(bands) - 0.5, -0.5), xlim=(0, None))
        axes.set_yticks(range(len(bands)), names)
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: language.percent(share)))
        axes.set_xlabel(language.gettext("likes and comments, of the followers"))
        return svg_of(figure)


def _square(axes: Axes, language: Language) -> Axes:
    axes.set(xlim=(0, 1), ylim=(0, 1))
    for axis in (axes.xaxis, axes.yaxis):
        _in_percent(axis, language, 0.25)
    return axes


def _in_percent(axis: Axis, language: Language, step: float) -> None:
    axis.set_major_locator(MultipleLocator(step))
    axis.set_major_formatter(FuncFormatter(lambda share, _: language.percent(share, 0)))


def _point(axes: Axes, across: float, up: float, *, filled: bool) -> None:
    """Draw a point as the round ends of a line: a marker is a definition, which no page keeps."""
    for colour, width in ((TRAIN, 9.0), *(() if filled else ((PAPER, 5.0),))):
        axes.plot(
            (across, across),
            (up, up),
            color=colour,
            linewidth=width,
            solid_capstyle="round",
            clip_on=False,
        )


def _mark(axes: Axes, across: float, up: float) -> None:
    """Mark what the model's own thresholds come to."""
    axes.plot(
        (across, across),
        (up, up),
        color=VALIDATION,
        linewidth=11,
        solid_capstyle="round",
        clip_on=False,
    )
