"""Training a tagger: from labelled pictures to a model folder that carries its evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np

from catalog.attributes import DEFAULT, Attribute, Vocabulary
from catalog.deciding import cool, decided_figures, decisions_of, likeness_figures, truths
from catalog.decisions import likeness_of
from catalog.models import backbones, export, metrics, provenance, splits, weights
from catalog.models.artefact import SPLIT, Card, hashes, save_card
from catalog.models.datasets import in_order, lay_out, outputs_of, read
from catalog.models.provenance import Origin
from catalog.models.runtime import EMBEDDING
from catalog.models.settings import TrainSettings
from catalog.models.sides import FlatSide
from catalog.models.splits import SIDES, TEST, TRAIN, VALIDATE, Member
from catalog.models.training import Learned, Lesson, Progress, learn
from catalog.other_pictures import other_pictures
from catalog.tagger import TASK, Heads, heads_to_learn, targets

OTHERS = 50
"""Pictures of each kind that shows no product, by which the likeness is checked."""


@dataclass(frozen=True, slots=True)
class Example:
    """A picture of a product, and what the shop says about the product."""

    product: str
    picture: str  # SHA-256 of its bytes
    path: Path
    labels: Mapping[str, str]  # attribute to label; a blank one is absent
    fingerprint: str
    title: str | None


@dataclass(frozen=True)
class Lot:
    """The examples of one side of the split, laid out as PNG: example k is the k-th file."""

    examples: Sequence[Example]
    folder: Path

    @property
    def labels(self) -> list[Mapping[str, str]]:
        """What the shop says, example by example."""
        return [example.labels for example in self.examples]

    @property
    def files(self) -> list[Path]:
        """The pictures, example by example."""
        return sorted(self.folder.glob("*.png"))

    def side(self, vocabulary: Vocabulary, changes: Sequence[str]) -> FlatSide:
        """The lot as training wants it."""
        what = targets(self.labels, vocabulary)
        return FlatSide(self.folder, what, len(self.examples), changes)


def train_tagger(
    examples: Sequence[Example],
    settings: TrainSettings,
    work: Path,
    kept: Path,
    folder: Path,
    progress: Progress,
    *,
    origin: Origin,
    attributes: Sequence[Attribute] = DEFAULT,
    earlier: Sequence[Member] = (),
) -> Card:
    """Train a tagger and leave it, complete, in the empty folder `folder`.

    `work` is an empty folder for what lives only as long as the training, and `kept` one from
    whose checkpoints an interrupted training of the same things goes on; `earlier` is the split
    of the model before this one, whose sides are kept. ValueError when there is too little to
    learn from, WeightsUnavailable when the backbone's weights can't be had.
    """
    weights.check(settings.backbone, settings.weights, settings.image_size)
    keras.utils.set_random_seed(settings.seed)
    examples = distinct(examples)
    members = splits.split([_member(example) for example in examples], earlier, settings.fold)
    lots = _lay_out(examples, members, settings, work, progress)
    vocabulary, notes = heads_to_learn(lots[TRAIN].labels, attributes)
    _refuse_too_little(lots, vocabulary)
    sides = {name: lot.side(vocabulary, settings.changes) for name, lot in lots.items()}
    backbone = backbones.build(settings.backbone, settings.weights, settings.image_size)
    learned = learn(
        backbone,
        lambda standard: Heads(vocabulary, settings.dense_units, standard),
        Lesson(sides[TRAIN], sides[VALIDATE], settings, kept, progress),
    )

    export.check_backend()
    progress("measuring and exporting")
    said = _ask(learned, lots, settings)
    temperatures = cool(learned.network, vocabulary, lots[VALIDATE].labels, said, VALIDATE)
    decisions = decisions_of(vocabulary, lots[TRAIN].labels, lots[VALIDATE].labels, said[VALIDATE])
    unreduced = said[TRAIN][EMBEDDING]
    network = export.with_embedding(TASK, learned.network, learned.features, unreduced)
    seen = {side: export.embedded(network, said[side][EMBEDDING]) for side in SIDES}
    likeness = likeness_of(seen[TRAIN], seen[VALIDATE])
    decisions = replace(decisions, likeness=likeness)
    others = _others(learned, network, lots[TRAIN], settings) if likeness else {}
    export.save(network, folder)
    provenance.write_history(folder, learned.phases)
    splits.write_split(folder / SPLIT, members)
    provenance.write_test_scores(folder, _test_rows(lots[TEST], vocabulary, said[TEST]))
    provenance.write_sample(folder, _sample_rows(lots[TRAIN], settings.seed))
    shown = _shown_rows(lots[TEST], vocabulary, said[TEST], settings.seed)
    provenance.write_test_pictures(folder, shown)
    measured = {name: _measure(lots[name], vocabulary, said[name]) for name in SIDES}
    card = Card(
        task=TASK,
        name=origin.name,
        version=origin.version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        vocabulary=vocabulary,
        image_size=settings.image_size,
        backbone=settings.backbone,
        weights=provenance.weights_of(settings),
        embedding_size=network.output[EMBEDDING].shape[-1],
        settings={
            **asdict(settings),
            "attributes": [attribute.name for attribute in attributes],
            "policy": backbone.policy,
        },
        trained_on=_trained_on(origin, members, lots),
        split=_split(members, lots, settings),
        metrics={
            **metrics.by_side(measured, TRAIN, TEST),
            "decided": decided_figures(decisions, vocabulary, lots[TEST].labels, said[TEST]),
            "likeness": likeness_figures(likeness, seen[TEST], others),
            "temperatures": temperatures,
            "litert": _agreement(folder, lots[TEST], said[TEST]),
        },
        files=hashes(folder),
        parameters=network.count_params(),
        versions=provenance.versions(),
        notes=(*notes, *_unreadable(examples, lots), *learned.notes),
        decisions=decisions.as_dict(),
    )
    save_card(folder, card)
    return card


def distinct(examples: Sequence[Example]) -> list[Example]:
    """The examples without those that repeat a picture with the very same labels."""
    seen = {(one.picture, tuple(sorted(one.labels.items()))): one for one in reversed(examples)}
    return list(reversed(seen.values()))


def _member(example: Example) -> Member:
    return Member(example.picture, example.fingerprint, example.title)


def _lay_out(
    examples: Sequence[Example],
    members: Sequence[Member],
    settings: TrainSettings,
    work: Path,
    progress: Progress,
) -> dict[str, Lot]:
    """Each side's pictures as PNG in a folder of its own; unreadable ones are left out."""
    side_of = {member.picture: member.side for member in members}
    lots = {}
    for side in SIDES:
        chosen = [example for example in examples if side_of[example.picture] == side]
        files = in_order(work / side, len(chosen))
        kept = lay_out([example.path for example in chosen], files, settings.image_size)
        lots[side] = Lot([chosen[row] for row in kept], work / side)
        progress(f"{len(kept)} pictures laid out for {side}")
    return lots


def _refuse_too_little(lots: Mapping[str, Lot], vocabulary: Vocabulary) -> None:
    if not vocabulary:
        raise ValueError("too little to learn from: no attribute has enough labelled pictures")
    for side, lot in lots.items():
        if not lot.examples:
            raise ValueError(
                f"too little to learn from: no picture is left for {side},"
                " as alike pictures and equal titles stay on one side"
            )


def _ask(
    learned: Learned, lots: Mapping[str, Lot], settings: TrainSettings
) -> dict[str, dict[str, np.ndarray]]:
    """For each side its scores of every head, and the unreduced features as EMBEDDING."""
    outputs = {**learned.network.output, EMBEDDING: learned.features.output}
    network = keras.Model(learned.network.input, outputs)
    return {
        side: outputs_of(network, read(lot.folder, settings.image_size), settings)
        for side, lot in lots.items()
    }


def _others(
    learned: Learned, network: keras.Model, lot: Lot, settings: TrainSettings
) -> dict[str, np.ndarray]:
    """The embeddings of pictures that show no product, by kind."""
    features = keras.Model(learned.features.input, {EMBEDDING: learned.features.output})
    pictures = other_pictures(read(lot.folder, settings.image_size), OTHERS, settings.seed)
    said = outputs_of(features, np.concatenate(list(pictures.values())), settings)[EMBEDDING]
    each = np.split(export.embedded(network, said), len(pictures))
    return dict(zip(pictures, each, strict=True))


def _measure(
    lot: Lot, vocabulary: Vocabulary, said: Mapping[str, np.ndarray]
) -> tuple[list[metrics.HeadScores], metrics.Share]:
    """Each head over its labelled examples, and the examples right in all of them."""
    heads, right = [], []
    for head, labels in vocabulary.items():
        labelled, truth = truths(lot.labels, head, labels)
        scores = said[head][labelled]
        heads.append(metrics.score_head(head, labels, truth, scores))
        right.append(dict(zip(labelled.tolist(), scores.argmax(axis=1) == truth, strict=True)))
    return heads, metrics.whole_row(right)


def _agreement(folder: Path, lot: Lot, said: Mapping[str, np.ndarray]) -> Any:
    """Compare the exported file with the network on some pictures of a side."""
    files, rows = lot.files, export.compared(len(lot.examples))
    pixels = export.pixels_of([files[row] for row in rows])
    return export.agreement(folder, pixels, {name: each[rows] for name, each in said.items()})


def _test_rows(
    lot: Lot, vocabulary: Vocabulary, said: Mapping[str, np.ndarray]
) -> list[dict[str, Any]]:
    return [
        {
            "picture": example.picture,
            "id": example.product,
            "head": head,
            "truth": example.labels[head],
            "scores": said[head][row],
        }
        for head in vocabulary
        for row, example in enumerate(lot.examples)
        if head in example.labels
    ]


def _sample_rows(lot: Lot, seed: int) -> list[dict[str, Any]]:
    """Some training pictures by chance, with their labels."""
    files = lot.files
    return [
        {
            "picture": lot.examples[row].picture,
            "id": lot.examples[row].product,
            "labels": list(lot.examples[row].labels.items()),
            "png": files[row].read_bytes(),
        }
        for row in provenance.sampled(len(lot.examples), seed)
    ]


def _shown_rows(
    lot: Lot, vocabulary: Vocabulary, said: Mapping[str, np.ndarray], seed: int
) -> list[dict[str, Any]]:
    """Some of the pictures kept aside that have a label; wrong in any head, or right in all."""
    wrong, labelled = np.zeros((2, len(lot.examples)), bool)
    for head, labels in vocabulary.items():
        for row, given in enumerate(lot.labels):
            if head in given:
                labelled[row] = True
                wrong[row] |= labels[int(said[head][row].argmax())] != given[head]
    rows, files = np.flatnonzero(labelled), lot.files
    return [
        {
            "picture": lot.examples[row].picture,
            "id": lot.examples[row].product,
            "png": files[row].read_bytes(),
        }
        for row in rows[provenance.shown(wrong[rows], seed)].tolist()
    ]


def _trained_on(
    origin: Origin, members: Sequence[Member], lots: Mapping[str, Lot]
) -> dict[str, Any]:
    """What the model has seen: the training side and the one that chose its epochs."""
    seen = [*lots[TRAIN].examples, *lots[VALIDATE].examples]
    pictures = {example.picture for example in seen}
    return {
        "source": origin.source,
        "csv_sha256": origin.csv_sha256,
        "products": len({example.product for example in seen}),
        "pictures": len(pictures),
        "groups": len({member.group for member in members if member.picture in pictures}),
    }


def _split(
    members: Sequence[Member], lots: Mapping[str, Lot], settings: TrainSettings
) -> dict[str, Any]:
    """How the sides were chosen, and how large they are."""
    group_of = {member.picture: member.group for member in members}
    return {
        "rule": (
            f"by picture group: fingerprints at most {splits.DISTANCE} of 512 bits apart, joined"
            f" with equal titles, at most {splits.CAP} pictures by joining; an earlier model's"
            f" sides are kept; else fifth {settings.fold} of the groups' hashes tests"
        ),
        "sides": {
            side: {
                "examples": len(lot.examples),
                "pictures": len({example.picture for example in lot.examples}),
                "groups": len({group_of[example.picture] for example in lot.examples}),
            }
            for side, lot in lots.items()
        },
    }


def _unreadable(examples: Sequence[Example], lots: Mapping[str, Lot]) -> list[str]:
    left_out = len(examples) - sum(len(lot.examples) for lot in lots.values())
    return [f"{left_out} pictures could not be decoded and were left out"] if left_out else []
