"""What the card of a classifier says besides what every model's says: its heads, fine-tuning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.models.artefact import Card


@dataclass(frozen=True, slots=True)
class Head:
    """What a head needs to say high: the bar that its training set, and its frozen threshold."""

    name: str
    bar: float | None
    threshold: float | None


@dataclass(frozen=True, slots=True)
class Area:
    """A ROC-AUC with its 95 % interval, over `n` posts of `units` accounts or picture groups."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    units: int


@dataclass(frozen=True, slots=True)
class FineTuning:
    """What training the last layers too came to, on the one fold where it was done.

    `before` is the frozen phase on the same posts, None where that is what was kept.
    """

    kept: bool
    tested_on: str
    before: Area | None
    after: Area


@dataclass(frozen=True, slots=True)
class ClassifierCard:
    """The choices of a classifier's training that a report shows."""

    heads: tuple[Head, ...]
    fine_tuning: FineTuning | None
    choices: tuple[tuple[str, str], ...]

    @property
    def thresholds(self) -> tuple[float, float] | None:
        """The lowest and the highest of the heads' thresholds."""
        known = [head.threshold for head in self.heads if head.threshold is not None]
        return (min(known), max(known)) if known else None

    @property
    def bars(self) -> tuple[float, float] | None:
        """The lowest and the highest of the heads' bars; None where every account has its own."""
        known = [head.bar for head in self.heads if head.bar is not None]
        return (min(known), max(known)) if known else None


def classifier_card(card: Card) -> ClassifierCard:
    """Read a classifier's card; what an older one lacks is left out."""
    settings = card.settings
    bars, thresholds = settings.get("bars", {}), settings.get("thresholds", {})
    return ClassifierCard(
        heads=tuple(Head(name, bars.get(name), thresholds.get(name)) for name in card.vocabulary),
        fine_tuning=_fine_tuning(card.metrics.get("fine_tuning")),
        choices=_choices(settings),
    )


def _fine_tuning(said: Mapping[str, Any] | None) -> FineTuning | None:
    if not said:
        return None
    before = said.get("frozen")
    return FineTuning(
        kept=said["kept"],
        tested_on=said["tested_on"],
        before=Area(**before) if before else None,
        after=Area(**said["classifier"]),
    )


def _choices(settings: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The choices that a reader may ask about, in words."""
    layers = settings.get("fine_tune_layers")
    told = {
        "Computed in": settings.get("policy"),
        "Least age of a labelled post": _hours(settings.get("min_age_hours")),
        "Epochs at most": settings.get("epochs"),
        "Fine-tuned": f"last {layers} layers" if layers else "no",
    }
    return tuple((name, str(value)) for name, value in told.items() if value is not None)


def _hours(hours: float | None) -> str | None:
    return None if hours is None else f"{hours:g} hours"
