"""What a model's folder says of how it was made and how good it was, as frozen values.

catalog/models/artefact.py lists the folder's files; each is read only as its card describes it.
What a folder lacks is empty, so that an older model's page shows less and never fails.
"""

import io
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.models.artefact import (
    HISTORY,
    SAMPLE,
    SUMMARY,
    TEST_SCORES,
    Card,
    ModelRefused,
    load_card,
    verify,
)
from catalog.models.metrics import HeadScores, Share, encode, score_head, whole_row
from reports.thumbnails import Thumbnail, shrink

SIDES = ("train", "validation", "test")
LONGEST_SUMMARY = 60_000  # letters


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

    @property
    def finding(self) -> str:
        """Where the curves ended, in words."""
        if self.accuracy is None:
            return f"loss {self.loss.train[-1]:.2f}, on validation {self.loss.validation[-1]:.2f}"
        train, validation = self.accuracy.train[-1], self.accuracy.validation[-1]
        return f"accuracy {train:.0%}, on validation {validation:.0%}"


@dataclass(frozen=True, slots=True)
class SheetPicture:
    """One training picture, as the model saw it, with the labels that were learned from it.

    `id` is that of the product, or post, that it came with.
    """

    id: str
    labels: Mapping[str, str]
    thumbnail: Thumbnail


@dataclass(frozen=True, slots=True)
class SideSize:
    """How large a side of the split is, and the loss on it (nats, summed over the heads)."""

    side: str
    pictures: int | None
    groups: int | None
    loss: float | None


@dataclass(frozen=True, slots=True)
class HeadSides:
    """Accuracy of a head, 0 to 1, on what it learned from and on what it never saw."""

    head: str
    train: float | None
    validation: float | None
    test: float | None

    @property
    def gap(self) -> float | None:
        """How much better it is on what it learned from than on the test side."""
        return None if self.train is None or self.test is None else self.train - self.test


@dataclass(frozen=True, eq=False, slots=True)
class ModelEvidence:
    """Everything that is shown of one model; `heads` were measured on the pictures kept aside."""

    card: Card
    curves: tuple[Curves, ...]
    phases: tuple[int, ...]
    """How many epochs each phase of the training had."""
    heads: tuple[HeadScores, ...]
    rows: Share
    sides: tuple[SideSize, ...]
    gaps: tuple[HeadSides, ...]
    sheet: tuple[SheetPicture, ...]
    summary: str

    @property
    def loss_gap(self) -> float | None:
        """How much larger the loss is on the test side than on the one learned from, in nats."""
        losses = {side.side: side.loss for side in self.sides}
        train, test = losses.get("train"), losses.get("test")
        return None if train is None or test is None else test - train

    @property
    def from_scratch(self) -> bool:
        """Whether the backbone began with random numbers."""
        return self.card.weights == "none"


def model_evidence(folder: Path) -> ModelEvidence:
    """Read what a model's folder has; ModelRefused when even its card can't be read."""
    card = load_card(folder)
    history = _history(_bytes(folder, HISTORY, card))
    heads, rows = _tested(_bytes(folder, TEST_SCORES, card), card.vocabulary)
    return ModelEvidence(
        card=card,
        curves=_curves(history, tuple(card.vocabulary)),
        phases=tuple(len(phase["epochs"]) for phase in history),
        heads=heads,
        rows=rows,
        sides=_sides(card),
        gaps=_gaps(card),
        sheet=_sheet(_bytes(folder, SAMPLE, card)),
        summary=_bytes(folder, SUMMARY, card).decode("utf-8", "replace")[:LONGEST_SUMMARY],
    )


def card_evidence(folder: Path) -> ModelEvidence:
    """What the card alone tells: all that the page of a night needs of a model it did not train."""
    card = load_card(folder)
    return ModelEvidence(
        card=card,
        curves=(),
        phases=(),
        heads=(),
        rows=Share(0, 0),
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


def _history(content: bytes) -> list[dict[str, Any]]:
    """Give the phases of the training: each has its `epochs`, one dict an epoch."""
    phases = json.loads(content)["phases"] if content else []
    return [phase for phase in phases if phase["epochs"]]


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


def _tested(
    content: bytes, vocabulary: Mapping[str, Sequence[str]]
) -> tuple[tuple[HeadScores, ...], Share]:
    """Measure the pictures kept aside: each head, and those right in every head at once."""
    if not content:
        return (), Share(0, 0)
    table = pq.read_table(io.BytesIO(content))
    measured, right = [], []
    for head, labels in vocabulary.items():
        rows = table.filter(pc.equal(table["head"], head))
        codes = encode(rows["truth"].to_pylist(), labels)
        flat = rows["scores"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        scores = flat.reshape(-1, len(labels))
        measured.append(score_head(head, labels, codes, scores))
        keys = zip(rows["picture"].to_pylist(), rows["id"].to_pylist(), strict=True)
        right.append(dict(zip(keys, (codes == scores.argmax(axis=1)).tolist(), strict=True)))
    return tuple(measured), whole_row(right)


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
    accuracy = [card.metrics.get(side, {}).get("accuracy", {}) for side in SIDES]
    return tuple(
        HeadSides(head, *(side.get(head) for side in accuracy))
        for head in card.vocabulary
        if any(head in side for side in accuracy)
    )


def _sheet(content: bytes) -> tuple[SheetPicture, ...]:
    rows = pq.read_table(io.BytesIO(content)).to_pylist() if content else []
    return tuple(SheetPicture(row["id"], dict(row["labels"]), shrink(row["png"])) for row in rows)
