"""Pages: one HTML file each, that loads nothing and runs nothing.

Everything is escaped but the drawings, which are SVG of our own (reports/figures.py). Imports
nothing heavy: the values, the small pictures and the drawings are given.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.classifier import classifier_card
from reports.engagement import EngagementReport
from reports.evidence import ModelEvidence
from reports.measures import measures
from reports.results import RunReport
from reports.thumbnails import Thumbnail
from reports.wording import REASONS, RUNGS, number, rule_in_words

if TYPE_CHECKING:
    from engagement.review import Review

MOST_CLASSES = 60
"""Rows of a table of classes."""

SHA256 = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
"""A hash in hex, of which a page shows the first twelve letters."""

UNDEFINED = "\N{EN DASH}"

LADDER = (0.4, 1.0)
"""The ends of the scale on which areas are drawn: hardly one is below, and chance is inside."""


@dataclass(frozen=True)
class Drawings:
    """SVG by head; the curves are loss and accuracy. `calibration` is one SVG, of a classifier.

    They come from reports.figures and from nowhere else, for they go into the page as they are.
    """

    heatmaps: Mapping[str, str] = field(default_factory=dict)
    curves: Mapping[str, Sequence[str]] = field(default_factory=dict)
    calibration: str = ""

    def trusted(self) -> dict[str, Any]:
        """Mark the drawings as HTML for the templates."""
        return {
            "heatmaps": {head: Markup(svg) for head, svg in self.heatmaps.items()},  # noqa: S704
            "curves": {
                head: [Markup(svg) for svg in drawn]  # noqa: S704
                for head, drawn in self.curves.items()
            },
            "calibration": Markup(self.calibration),  # noqa: S704
        }


def run_page(
    report: RunReport,
    model: ModelEvidence | None,
    thumbnails: Mapping[str, Thumbnail],
    drawings: Drawings,
) -> str:
    """Write the page of a run: its pictures by SHA-256, and its model where it has one."""
    return _render(
        "run.html.j2",
        report=report,
        model=model,
        thumbnails=thumbnails,
        drawings=drawings.trusted(),
        graded=any(guess.truth for sample in report.samples for guess in sample.guesses),
    )


def model_page(model: ModelEvidence, drawings: Drawings) -> str:
    """Write the page of a model."""
    return _render("model.html.j2", model=model, drawings=drawings.trusted())


def engagement_page(
    report: EngagementReport,
    model: ModelEvidence | None,
    thumbnails: Mapping[str, Thumbnail],
    drawings: Drawings,
) -> str:
    """Write the page of a run over posts: its pictures by SHA-256, and its model where it has one.

    Such a run without a model is about metadata alone.
    """
    return _render(
        "engagement.html.j2",
        report=report,
        rule=rule_in_words(report.review.rule, report.bars),
        model=model,
        classifier=classifier_card(model.card) if model else None,
        thumbnails=thumbnails,
        drawings=drawings.trusted(),
    )


def classifier_page(model: ModelEvidence, review: "Review", drawings: Drawings) -> str:
    """Write the page of a classifier and of the posts that it learned from."""
    classifier = classifier_card(model.card)
    return _render(
        "classifier.html.j2",
        review=review,
        rule=rule_in_words(review.rule, classifier.bars),
        model=model,
        classifier=classifier,
        drawings=drawings.trusted(),
    )


def facts(model: ModelEvidence) -> list[tuple[str, str]]:
    """Name what a card says of the making of its model, in words."""
    card = model.card
    learned = {name: value for name, value in card.trained_on.items() if value is not None}
    return [
        ("Trained", stamp(card.created)),
        ("Backbone", card.backbone),
        ("Started from", _plain(card.weights)),
        ("Picture size", f"{card.image_size} \N{MULTIPLICATION SIGN} {card.image_size} pixels"),
        ("Parameters", count(card.parameters)),
        *((words(name).capitalize(), _plain(value)) for name, value in learned.items()),
    ]


def words(name: str) -> str:
    """Read a name from code or a column as words."""
    return name.replace("_", " ")


def count(number: int | None) -> str:
    """Write a whole number with its thousands apart."""
    return UNDEFINED if number is None else f"{number:,}"


def points(share: float | None) -> str:
    """Write a difference of two shares in percentage points."""
    return UNDEFINED if share is None else f"{100 * share:+.1f}"


def percent(share: float | None, decimals: int = 1) -> str:
    """Write a share, 0 to 1, in per cent."""
    return UNDEFINED if share is None else f"{share:.{decimals}%}"


def decimal(number: float | None, decimals: int = 3) -> str:
    """Write a number to so many places."""
    return UNDEFINED if number is None else f"{number:.{decimals}f}"


def interval(ends: tuple[float, float] | None) -> str:
    """Write an interval of shares, 0 to 1, in per cent."""
    return UNDEFINED if ends is None else f"{ends[0]:.1%} to {ends[1]:.1%}"


def spread(ends: tuple[float, float] | None, decimals: int = 3) -> str:
    """Write two numbers as a range, or as one number where they are the same."""
    if ends is None:
        return UNDEFINED
    low, high = (decimal(end, decimals) for end in ends)
    return low if low == high else f"{low} to {high}"


def ends(low: float | None, high: float | None) -> str:
    """Write the interval of an area under a curve."""
    return UNDEFINED if low is None or high is None else f"{low:.3f} to {high:.3f}"


def bar(amount: float | None) -> str:
    """Write the number that a post's likes are compared with."""
    return UNDEFINED if amount is None else number(amount)


def cut(text: str, longest: int) -> str:
    """Shorten a text of the outside world to what a line can hold."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def moment(time: datetime) -> str:
    """Write a time in UTC, to the minute."""
    return time.astimezone(UTC).strftime("%d %b %Y, %H:%M UTC").lstrip("0")


def stamp(iso: str) -> str:
    """Write a time in ISO 8601, as cards have it, to the minute."""
    return iso[:16].replace("T", " ")


def duration(seconds: float) -> str:
    """Write a stretch of time in the units one would say."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _css_share(share: float) -> str:
    """Write a share, 0 to 1, as a length of a style sheet."""
    return f"{100 * min(max(share, 0.0), 1.0):.1f}%"


def _css_area(area: float) -> str:
    """Write an area under a curve as a place on the ladder's scale."""
    low, high = LADDER
    return _css_share((area - low) / (high - low))


def _paint(place: int, parts: Sequence[Any], name: str) -> str:
    """Name the colour of a tile's part: what went wrong is always the third."""
    wrong = name in {"rejected", "failed", "untagged", "unscored", "unknown"}
    return "three" if wrong else ("one", "two")[min(place, len(parts)) - 1]


def _plain(value: object) -> str:
    """Write one value of a card."""
    return count(value) if isinstance(value, int) else SHA256.sub(r"\1", str(value))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = (words, count, points, percent, decimal, interval, spread, ends, bar, cut, stamp)
    environment.filters |= {each.__name__: each for each in (*shown, moment, duration)}
    environment.filters |= {"css_share": _css_share, "css_area": _css_area, "paint": _paint}
    environment.globals |= {"most_classes": MOST_CLASSES, "facts": facts, "measures": measures}
    environment.globals |= {"reasons": REASONS, "rungs": RUNGS, "ladder_ends": LADDER}
    return environment


def _render(template: str, **values: object) -> str:
    return _environment().get_template(template).render(values)
