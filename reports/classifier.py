"""What the card of a classifier says besides what every model's says: its heads, fine-tuning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.models.artefact import Card
from engagement.findings import Auc, Note, NoteCode
from reports.language import Language


@dataclass(frozen=True, slots=True)
class Head:
    """What a head needs to say high: the bar that its training set, and its frozen threshold."""

    name: str
    bar: float | None
    threshold: float | None


@dataclass(frozen=True, slots=True)
class FineTuning:
    """What training the last layers too came to, on the one fold where it was done.

    `before` is the frozen phase on the same posts, None where that is what was kept.
    """

    kept: bool
    tested_on: str
    before: Auc | None
    after: Auc


@dataclass(frozen=True, slots=True)
class ClassifierCard:
    """The choices of a classifier's training that a report shows."""

    heads: tuple[Head, ...]
    fine_tuning: FineTuning | None
    settings: Mapping[str, Any]
    notes: tuple[Note, ...]

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
        settings=settings,
        notes=_notes(card),
    )


def _fine_tuning(said: Mapping[str, Any] | None) -> FineTuning | None:
    if not said:
        return None
    before = said.get("frozen")
    return FineTuning(
        kept=said["kept"],
        tested_on=said["tested_on"],
        before=Auc(**before) if before else None,
        after=Auc(**said["classifier"]),
    )


def choices(language: Language, classifier: ClassifierCard) -> list[tuple[str, str]]:
    """Name the choices of the training that a reader may ask about."""
    settings = classifier.settings
    layers, hours = settings.get("fine_tune_layers"), settings.get("min_age_hours")
    told = {
        language.gettext("Least age of a labelled post"): None
        if hours is None
        else language.gettext("%(hours)s hours") % {"hours": language.bar(hours)},
        language.gettext("Epochs at most"): settings.get("epochs"),
        language.gettext("Fine-tuned"): language.gettext("last %(layers)s layers")
        % {"layers": language.count(layers)}
        if layers
        else language.gettext("no"),
    }
    return [(name, str(value)) for name, value in told.items() if value is not None]


def _notes(card: Card) -> tuple[Note, ...]:
    """What a reader must know besides; an older card has it in sentences only."""
    split, tuning = card.split, card.metrics.get("fine_tuning")
    if "aside" not in split:
        fallback = split.get("fallback")  # the review tells it
        return tuple(Note("said", text=note) for note in card.notes if note != fallback)
    counted: tuple[NoteCode, ...] = ("aside", "unpictured", "undecodable")
    notes = [Note(name, n=split[name]) for name in counted if split[name]]
    if tuning and tuning["kept"] and len(card.vocabulary) > 1:
        notes.append(Note("fine_tuned"))
    return tuple(notes)
