"""What a model's folder says of how it was made and how good it was, as frozen values.

catalog/models/artefact.py lists the folder's files; each is read only as its card describes it.
What a folder lacks is empty, so that an older model's page shows less and never fails.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from PIL import Image

from catalog.decisions import Decisions
from catalog.models.artefact import (
    HISTORY,
    SAMPLE,
    SUMMARY,
    Card,
    ModelRefused,
    load_card,
    verify,
)
from catalog.models.kept import kept_table
from catalog.models.metrics import Share
from catalog.models.provenance import SAMPLE_SCHEMA
from catalog.models.weights import BACKBONES, PLAIN
from reports.decided import Decided, decided_of
from reports.measured import Evaluation, Measured
from reports.sureness import Sureness, sureness_of
from reports.tested import TestedPictures, measured_heads, tested_pictures, tested_rows
from reports.thumbnails import Small, shrink

SIDES = ("train", "validation", "test")
LONGEST_SUMMARY = 60_000  # letters

# As catalog/classes.py calls them, which loads Keras.
CLASSES, CLASS_HEAD = "classes", "class"

_PRETRAINED = set(BACKBONES) - {PLAIN}

# What reading a file raises that is something else.
_OTHER = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OSError,
    RecursionError,
    pa.ArrowException,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Line:
    """One measure by epoch, over the pictures trained on and over those kept for validation."""

    train: tuple[float, ...]
    validation: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Curves:
    """How a head learned; the head "" is several together, which have no accuracy."""

    head: str
    loss: Line
    accuracy: Line | None

    @property
    def measures(self) -> tuple[tuple[str, Line], ...]:
        """What there is to draw, by name."""
        loss = ("loss", self.loss)
        return (loss,) if self.accuracy is None else (loss, ("accuracy", self.accuracy))


@dataclass(frozen=True, slots=True)
class SheetPicture:
    """One training picture, as the model saw it, with the labels that were learned from it.

    `id` is that of the product, or post, that it came with.
    """

    id: str
    labels: Mapping[str, str]
    thumbnail: Small


@dataclass(frozen=True, slots=True)
class SideSize:
    """How large a side of the split is, and the loss on it (nats, summed over the heads)."""

    side: str
    pictures: int | None
    groups: int | None
    loss: float | None


@dataclass(frozen=True, slots=True)
class HeadSides:
    """Accuracy of a head, 0 to 1, on what it learned from and on what it never saw.

    `tested` rows are on the test side; None where the card doesn't say.
    """

    head: str
    train: float | None
    validation: float | None
    test: float | None
    tested: int | None = None

    @property
    def gap(self) -> float | None:
        """How much better it is on what it learned from than on the test side."""
        return None if self.train is None or self.test is None else self.train - self.test

    @property
    def by_heart(self) -> bool:
        """Whether the test side is worse by more than so few rows make it by chance."""
        if self.train is None or self.test is None or not self.tested:
            return False
        interval = Share(round(self.test * self.tested), self.tested).interval
        return interval is not None and self.train > interval[1]


@dataclass(frozen=True, eq=False, slots=True)
class ModelEvidence:
    """Everything that is shown of one model; `tested` was measured on the pictures kept aside."""

    card: Card
    curves: tuple[Curves, ...]
    phases: tuple[int, ...]
    """How many epochs each phase of the training had."""
    tested: Evaluation | None
    sides: tuple[SideSize, ...]
    gaps: tuple[HeadSides, ...]
    sheet: tuple[SheetPicture, ...]
    summary: str
    pictures: TestedPictures | None = None
    """Some of the pictures kept aside, to look at."""
    decided: Decided | None = None
    """How its labels are decided; None for a classifier, and for a model of before."""
    sureness: tuple[Sureness, ...] = ()
    """How sure each head was of the pictures kept aside."""

    @property
    def loss_gap(self) -> float | None:
        """How much larger the loss is on the test side than on the one learned from, in nats."""
        losses = {side.side: side.loss for side in self.sides}
        train, test = losses.get("train"), losses.get("test")
        return None if train is None or test is None else test - train

    @property
    def from_scratch(self) -> bool:
        """Whether a backbone that there are weights for began with random numbers."""
        own = self.of_classes and self.card.backbone not in _PRETRAINED
        return self.card.weights == "none" and not own

    @property
    def of_classes(self) -> bool:
        """Whether it tells one class of a picture, rather than attributes of a product."""
        return self.card.task == CLASSES


Learned = tuple[tuple[Curves, ...], tuple[int, ...]]
"""Curves, and the epochs of each phase."""


def model_evidence(folder: Path) -> ModelEvidence:
    """Read what a model's folder has; ModelRefused when even its card can't be read."""
    card = load_card(folder)
    nothing: tuple[Measured, ...] = ()
    heads = _or(nothing, lambda: measured_heads(folder, card))
    return replace(
        _learned(folder, card),
        tested=_or(None, lambda: tested_rows(heads)),
        pictures=_or(None, lambda: tested_pictures(folder, card, heads)),
        decided=_or(None, lambda: decided_of(card)),
        sureness=_or((), lambda: sureness_of(heads, Decisions.of(card.decisions, card.vocabulary))),
        sheet=_or((), lambda: _sheet(folder, card)),
        summary=_bytes(folder, SUMMARY, card).decode("utf-8", "replace")[:LONGEST_SUMMARY],
    )


def card_evidence(folder: Path) -> ModelEvidence:
    """Read what the page of a night shows of a model it did not train: its card and its curves."""
    return _learned(folder, load_card(folder))


def _learned(folder: Path, card: Card) -> ModelEvidence:
    nothing: Learned = ((), ())
    curves, phases = _or(nothing, lambda: _history(folder, card))
    return ModelEvidence(
        card=card,
        curves=curves,
        phases=phases,
        tested=None,
        sides=_sides(card),
        gaps=_gaps(card),
        sheet=(),
        summary="",
    )


def _bytes(folder: Path, filename: str, card: Card) -> bytes:
    """Give a file's content if it is the one that the card names, else nothing."""
    with suppress(ModelRefused):
        return verify(folder, filename, card)
    return b""


def _or(nothing: T, read: Callable[[], T]) -> T:
    """Give what is read, or nothing where a file is not what it should be."""
    with suppress(*_OTHER):
        return read()
    return nothing


def _history(folder: Path, card: Card) -> Learned:
    """Give the curves of the training, and how many epochs each phase of it had."""
    phases = json.loads(verify(folder, HISTORY, card))["phases"]
    phases = [phase for phase in phases if phase["epochs"]]
    lengths = tuple(len(phase["epochs"]) for phase in phases)
    return _curves(phases, tuple(card.vocabulary)), lengths


def _curves(history: Sequence[Mapping[str, Any]], heads: Sequence[str]) -> tuple[Curves, ...]:
    epochs = [epoch for phase in history for epoch in phase["epochs"]]
    if not epochs:
        return ()
    alone = [
        Curves(head, _line(rows, "loss"), _line(rows, "accuracy"))
        for head in heads
        if (rows := [epoch["heads"][head] for epoch in epochs if head in epoch["heads"]])
    ]
    together = (Curves("", _line(epochs, "loss"), None),) if len(alone) > 1 else ()
    return (*together, *alone)


def _line(rows: Sequence[Mapping[str, float]], measure: str) -> Line:
    return Line(
        tuple(float(row[measure]) for row in rows),
        tuple(float(row[f"val_{measure}"]) for row in rows),
    )


def _sides(card: Card) -> tuple[SideSize, ...]:
    sizes = card.split.get("sides", {})
    return tuple(
        SideSize(
            side,
            sizes.get(side, {}).get("pictures"),
            sizes.get(side, {}).get("groups"),
            card.metrics.get(side, {}).get("loss"),
        )
        for side in SIDES
        if side in sizes or side in card.metrics
    )


def _gaps(card: Card) -> tuple[HeadSides, ...]:
    sides = [card.metrics.get(side, {}).get("accuracy", {}) for side in SIDES]
    train, validation, test = sides
    tested = card.metrics.get("heads", {})
    return tuple(
        HeadSides(
            head=head,
            train=train.get(head),
            validation=validation.get(head),
            test=test.get(head),
            tested=tested.get(head, {}).get("n"),
        )
        for head in card.vocabulary
        if any(head in side for side in sides)
    )


def _sheet(folder: Path, card: Card) -> tuple[SheetPicture, ...]:
    rows = kept_table(folder, SAMPLE, card, SAMPLE_SCHEMA).to_pylist()
    return tuple(SheetPicture(row["id"], dict(row["labels"]), shrink(row["png"])) for row in rows)
