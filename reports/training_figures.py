"""Figures of trainings alone, drawn with seaborn on the ground that reports/drawing.py lays.

Loading this module takes two seconds, for pandas and SciPy come with seaborn. A page that is
drawn once after a long training can afford them; one that is drawn every night can't.
"""

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, MultipleLocator

from reports.drawing import INK, PAPER, SOFT, TRAIN, VALIDATION, axes_at, drawing, svg_of
from reports.language import Language
from reports.sureness import EDGES, Sureness

WIDTH, HEIGHT = 236, 140
"""Pixels of the axes of a histogram."""
MIDDLE = 0.5


def sureness_histogram(rows: Sureness, language: Language) -> str:
    """Draw how many rows have a best label of which confidence: right ones, wrong ones on top.

    A dashed upright marks the confidence from which labels are accepted, where there is one.
    """
    right, wrong = language.gettext("right"), language.gettext("wrong")
    with drawing(WIDTH + 66, HEIGHT + 84) as figure:
        axes = axes_at(figure, 46, 40, WIDTH, HEIGHT)
        axes.set_axisbelow(True)
        sns.histplot(
            x=rows.sure,
            hue=[right if so else wrong for so in rows.right.tolist()],
            hue_order=(wrong, right),  # the last one stands on the axis
            palette={right: TRAIN, wrong: VALIDATION},
            multiple="stack",
            bins=EDGES,
            alpha=1.0,
            edgecolor=PAPER,
            linewidth=0.5,
            ax=axes,
        )
        for bar in list(axes.patches):
            if isinstance(bar, Rectangle) and not bar.get_height():  # its edge would cut the axis
                bar.remove()
        sns.move_legend(
            axes,
            "lower left",
            bbox_to_anchor=(0.0, 1.13),
            borderaxespad=0.0,
            borderpad=0.0,
            title=None,
            ncols=2,
            reverse=True,
            frameon=False,
            fontsize=10,
            handlelength=1.0,
            labelcolor=SOFT,
        )
        axes.set(
            xlim=(0, 1),
            xlabel=language.gettext("how sure it is of its best guess"),
            ylabel=language.gettext("test pictures"),
        )
        axes.tick_params(axis="x", pad=7)
        axes.xaxis.set_major_locator(MultipleLocator(0.25))
        axes.xaxis.set_major_formatter(lambda share, _: language.percent(share, 0))
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_formatter(lambda count, _: language.count(round(count)))
        if rows.line is not None:
            _mark(axes, rows.line, language)
        return svg_of(figure)


def _mark(axes: Axes, line: float, language: Language) -> None:
    """Draw the line from which labels are accepted, with words on the side that has room."""
    axes.axvline(line, color=INK, linestyle=(0, (4, 3)), linewidth=1.5, clip_on=False)
    axes.text(
        line,
        1.02,
        language.gettext("accepted from %(line)s") % {"line": language.percent(line)},
        transform=axes.get_xaxis_transform(),
        color=INK,
        size=10.0,
        ha="right" if line > MIDDLE else "left",
    )
