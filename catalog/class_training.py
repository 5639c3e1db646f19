"""Training a classifier of pictures by class: from the pictures to a folder with its evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from catalog.class_data import ClassData, Pictures
from catalog.class_settings import ClassSettings
from catalog.classes import HEAD, TASK, ClassHead
from catalog.models import (
    backbones,
    export,
    metrics,
    precision,
    provenance,
    schedules,
    small_networks,
    weights,
)
from catalog.models.artefact import Card, hashes, save_card
from catalog.models.backbones import Backbone
from catalog.models.datasets import outputs_of
from catalog.models.provenance import Origin
from catalog.models.runtime import EMBEDDING
from catalog.models.sides import ClassSide
from catalog.models.splits import SIDES, TEST, TRAIN, VALIDATE
from catalog.models.training import (
    Known,
    Learned,
    Lesson,
    Manner,
    Progress,
    fine_tune,
    frozen,
    joined,
    learn_heads,
    learn_whole,
    pooled,
    standardiser,
)

SCHEDULES = {
    "constant": schedules.constant,
    "cosine": schedules.cosine,
    "exponential": schedules.exponential,
}


@dataclass(frozen=True)
class Lot:
    """The pictures of one side, laid out in a folder a class; in the order of `side.files`."""

    names: Sequence[str]
    codes: NDArray[np.int64]
    side: ClassSide


@dataclass(frozen=True)
class Trained:
    """What came of a training, before it is written down."""

    lots: Mapping[str, Lot]
    learned: Learned
    network: keras.Model  # with its embedding
    policy: str
    before: metrics.Share | None  # right on the test side after phase one, where two were
    said: Mapping[str, Mapping[str, np.ndarray]]  # side to output to what it is of each picture
    left_out: int


def train_classes(
    data: ClassData,
    settings: ClassSettings,
    work: Path,
    kept: Path,
    folder: Path,
    progress: Progress,
    *,
    origin: Origin,
) -> Card:
    """Train a classifier and leave it, complete, in the empty folder `folder`.

    `work` is an empty folder for what lives only as long as the training, and `kept` one from
    whose checkpoints an interrupted training of the same things goes on. A share of the training
    set, the same of each class, chooses the epoch; the test set is looked at once, at the end.
    ValueError when what can be read leaves too little, WeightsUnavailable without the weights.
    """
    if not settings.small:
        weights.check(settings.backbone, settings.weights, settings.image_size)
    keras.utils.set_random_seed(settings.seed)
    lots, unreadable = _lay_out(data, settings, work, progress)
    if left_out := unreadable + data.unreadable:
        progress(f"{left_out:,} pictures could not be decoded and are left out")
    lesson = Lesson(
        lots[TRAIN].side,
        lots[VALIDATE].side,
        settings,
        kept,
        progress,
        SCHEDULES[settings.schedule],
        judged_by="log_loss",
        manner=Manner(
            heads_rate=settings.rate,
            whole_rate=settings.rate,
            smoothing=settings.smoothing,
            keep_best=settings.keep_best,
        ),
    )
    backbone = _backbone(settings)
    learned, phase_one = _learn(backbone, len(data.classes), lesson, settings)

    export.check_backend()
    progress("measuring and exporting")
    once = learned.network
    if settings.mirrored:
        learned = _mirrored(learned)
    before = _before(once, learned.network, phase_one, lots[TEST], settings)
    said = _ask(learned, lots, settings)
    unreduced = said[TRAIN][EMBEDDING]
    network = export.with_embedding(TASK, learned.network, learned.features, unreduced)
    trained = Trained(lots, learned, network, backbone.policy, before, said, left_out)
    _write(trained, data, settings, folder)
    card = _card(trained, data, settings, folder, origin)
    save_card(folder, card)
    return card


def _write(trained: Trained, data: ClassData, settings: ClassSettings, folder: Path) -> None:
    """Every file of the model but its card."""
    lots, tested = trained.lots, trained.said[TEST][HEAD]
    export.save(trained.network, folder)
    provenance.write_history(folder, trained.learned.phases)
    provenance.write_test_scores(folder, _test_rows(lots[TEST], data.classes, tested))
    provenance.write_sample(folder, _sample_rows(lots[TRAIN], data.classes, settings.seed))
    provenance.write_test_pictures(folder, _shown_rows(lots[TEST], tested, settings.seed))


def _card(
    trained: Trained, data: ClassData, settings: ClassSettings, folder: Path, origin: Origin
) -> Card:
    """The card of the model whose other files are in the folder."""
    lots, network = trained.lots, trained.network
    measured = {
        side: _measure(lots[side], data.classes, trained.said[side][HEAD]) for side in SIDES
    }
    chose = "chose the epoch" if settings.keep_best else "were looked at, and chose nothing"
    return Card(
        task=TASK,
        name=origin.name,
        version=origin.version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        vocabulary={HEAD: data.classes},
        image_size=settings.image_size,
        backbone=settings.backbone,
        weights=weights.NONE if settings.small else provenance.weights_of(settings),
        embedding_size=network.output[EMBEDDING].shape[-1],
        settings={**settings.used, "policy": trained.policy},
        trained_on={
            "source": origin.source,
            "data": data.kind,
            "data_sha256": data.sha256,
            "pictures": sum(len(lots[side].names) for side in _seen(settings)),
        },
        split={
            "rule": f"{data.rule} tests; of the rest {settings.validation:.0%} of each class"
            f" {chose}",
            "sides": {
                side: {"examples": len(lot.names), "pictures": len(lot.names)}
                for side, lot in lots.items()
            },
        },
        metrics={
            **metrics.by_side(measured, TRAIN, TEST),
            **_after_phases(trained.before, measured[TEST][1]),
            "litert": _agreement(folder, lots[TEST], trained.said[TEST]),
        },
        files=hashes(folder),
        parameters=network.count_params(),
        versions=provenance.versions(),
        notes=(*_notes(trained.left_out), *trained.learned.notes),
    )


def _seen(settings: ClassSettings) -> tuple[str, ...]:
    """The sides that have a part in what the network knows."""
    return (TRAIN, VALIDATE) if settings.keep_best else (TRAIN,)


def divide(codes: NDArray[np.int32], share: float, seed: int) -> NDArray[np.bool_]:
    """Which pictures [n] validate: a share of each class by chance, at least one of each."""
    chosen = np.zeros(len(codes), bool)
    rng = np.random.default_rng(seed)
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        chosen[rng.permutation(rows)[: max(1, round(share * len(rows)))]] = True
    return chosen


def _lay_out(
    data: ClassData, settings: ClassSettings, work: Path, progress: Progress
) -> tuple[dict[str, Lot], int]:
    """Each side's pictures as PNG in a folder a class, and how many could not be read."""
    validates = divide(data.train.codes, settings.validation, settings.seed)
    sides = {
        TRAIN: (data.train, np.flatnonzero(~validates)),
        VALIDATE: (data.train, np.flatnonzero(validates)),
        TEST: (data.test, np.arange(data.test.count)),
    }
    lots = {}
    for side, (pictures, rows) in sides.items():
        changes = settings.changes if side == TRAIN else ()
        lots[side] = _lot(pictures, rows, data.classes, settings, work / side, changes)
        progress(f"{len(lots[side].names):,} pictures laid out for {side}")
        if not lots[side].names:
            raise ValueError(f"no picture can be read for {side}")
    read = sum(len(lot.names) for lot in lots.values())
    return lots, data.train.count + data.test.count - read


def _lot(
    pictures: Pictures,
    rows: NDArray[np.int64],
    classes: Sequence[str],
    settings: ClassSettings,
    folder: Path,
    changes: Sequence[str],
) -> Lot:
    # Folders are named by number: a class may be called what no folder can be.
    folders = [f"{code:04d}" for code in range(len(classes))]
    for name in folders:
        (folder / name).mkdir(parents=True)
    files = [folder / folders[pictures.codes[row]] / f"{row:08d}" for row in rows]
    pictures.save(rows.tolist(), files, settings.image_size, settings.channels)
    side = ClassSide(folder, folders, HEAD, settings.channels, changes)
    kept = [int(path.stem) for path in side.files]
    return Lot([pictures.names[row] for row in kept], pictures.codes[kept].astype(np.int64), side)


def _backbone(settings: ClassSettings) -> Backbone:
    if settings.small:
        return small_networks.build(settings.backbone, settings.image_size, settings.channels)
    return backbones.build(
        settings.backbone,
        settings.weights,
        settings.image_size,
        last_only=not settings.several_depths,
    )


def _learn(
    backbone: Backbone, classes: int, lesson: Lesson, settings: ClassSettings
) -> tuple[Learned, list[np.ndarray] | None]:
    """Train, and give the weights of phase one where a second one followed."""
    if not backbone.pretrained:
        learned = joined(backbone, ClassHead(classes, settings.dropout, settings.decay))
        learn_whole(learned, backbone, lesson)
        precision.in_full(backbone.network)
        return learned, None
    still = frozen(backbone)
    train, validation = (
        pooled(still, side, settings) for side in (lesson.train, lesson.validation)
    )
    lesson.progress(f"features of {len(train) + len(validation):,} pictures computed")
    standard = standardiser(train) if settings.standardised else None
    head = ClassHead(classes, settings.dropout, settings.decay, standard)
    learned = joined(backbone, head)
    given = Known(train, lesson.train.targets), Known(validation, lesson.validation.targets)
    learned.phases.append(learn_heads("heads", head, *given, lesson))
    phase_one = None
    if settings.fine_tune_layers:
        phase_one = learned.network.get_weights()
        fine_tune(learned, backbone, lesson)
    precision.in_full(backbone.network)
    return learned, phase_one


def _mirrored(learned: Learned) -> Learned:
    """The same, saying the mean of what it says of a picture and of its mirror image."""
    pixels = learned.network.input
    # One network for both outputs: Keras saves layers that two networks share only once. And made
    # anew, for the trained one would be saved with its optimiser.
    outputs = {HEAD: learned.network.output[HEAD], EMBEDDING: learned.features.output}
    network = keras.Model(pixels, outputs, name="one-picture")
    both = [network(given) for given in (pixels, keras.ops.flip(pixels, axis=2))]
    mean = keras.layers.Average(name=HEAD, dtype=precision.FULL)([said[HEAD] for said in both])
    features = keras.layers.Average()([said[EMBEDDING] for said in both])
    return replace(
        learned,
        network=keras.Model(pixels, {HEAD: mean}),
        features=keras.Model(pixels, features),
    )


def _before(
    once: keras.Model,
    network: keras.Model,
    phase_one: list[np.ndarray] | None,
    lot: Lot,
    settings: ClassSettings,
) -> metrics.Share | None:
    """What phase one alone makes of the test pictures; `network` answers with `once`'s weights."""
    if phase_one is None:
        return None
    last = once.get_weights()
    once.set_weights(phase_one)
    said = outputs_of(network, lot.side.pixels(settings), settings)[HEAD]
    once.set_weights(last)
    return metrics.Share(int((said.argmax(axis=1) == lot.codes).sum()), len(lot.codes))


def _after_phases(before: metrics.Share | None, after: metrics.Share) -> dict[str, Any]:
    """What each of two phases came to on the test set."""
    if before is None:
        return {}
    pairs = (("heads", before), ("fine-tuning", after))
    return {"after_phase": [{"phase": name, **share.as_dict()} for name, share in pairs]}


def _ask(
    learned: Learned, lots: Mapping[str, Lot], settings: ClassSettings
) -> dict[str, dict[str, np.ndarray]]:
    """For each side its scores, and the unreduced features as EMBEDDING."""
    outputs = {**learned.network.output, EMBEDDING: learned.features.output}
    network = keras.Model(learned.network.input, outputs)
    return {
        side: outputs_of(network, lot.side.pixels(settings), settings) for side, lot in lots.items()
    }


def _measure(
    lot: Lot, classes: Sequence[str], scores: np.ndarray
) -> tuple[list[metrics.HeadScores], metrics.Share]:
    measured = metrics.score_head(HEAD, classes, lot.codes, scores)
    return [measured], measured.share


def _agreement(folder: Path, lot: Lot, said: Mapping[str, np.ndarray]) -> Any:
    """Compare the exported file with the network on some pictures of a side."""
    files, rows = lot.side.files, export.compared(len(lot.names))
    pixels = export.pixels_of([files[row] for row in rows])
    return export.agreement(folder, pixels, {name: each[rows] for name, each in said.items()})


def _test_rows(lot: Lot, classes: Sequence[str], scores: np.ndarray) -> list[dict[str, Any]]:
    return [
        {"picture": name, "id": name, "head": HEAD, "truth": classes[code], "scores": row}
        for name, code, row in zip(lot.names, lot.codes, scores, strict=True)
    ]


def _sample_rows(lot: Lot, classes: Sequence[str], seed: int) -> list[dict[str, Any]]:
    """Some training pictures by chance, with their classes."""
    files = lot.side.files
    return [
        {
            "picture": lot.names[row],
            "id": lot.names[row],
            "labels": [(HEAD, classes[lot.codes[row]])],
            "png": files[row].read_bytes(),
        }
        for row in provenance.sampled(len(lot.names), seed)
    ]


def _shown_rows(lot: Lot, scores: np.ndarray, seed: int) -> list[dict[str, Any]]:
    files = lot.side.files
    wrong = scores.argmax(axis=1) != lot.codes
    return [
        {"picture": lot.names[row], "id": lot.names[row], "png": files[row].read_bytes()}
        for row in provenance.shown(wrong, seed)
    ]


def _notes(unreadable: int) -> list[str]:
    return [f"{unreadable:,} pictures could not be decoded and were left out"] if unreadable else []
