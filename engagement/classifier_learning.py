"""How the classifier learns: features once, a head for each fold, then the last layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np
from numpy.typing import NDArray

from catalog.models import precision
from catalog.models.backbones import Backbone
from catalog.models.datasets import Targets, outputs_of
from catalog.models.sides import ClassSide
from catalog.models.splits import TRAIN
from catalog.models.training import (
    Curve,
    Known,
    Learned,
    Lesson,
    fine_tune,
    frozen,
    joined,
    learn_heads,
    learn_whole,
    pooled,
    standardiser,
)
from engagement.classes import HEAD
from engagement.classifier import Head, trunk
from engagement.exams import Question

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Rows = Mapping[str, NDArray[np.int64]]


@dataclass
class Trained:
    """The network of all heads, and what each head says: P(high) [n], NaN where it was not asked.

    `tested_by` names the head that answers for the test posts of each question.
    """

    network: keras.Model
    features: keras.Model
    measured: np.ndarray  # float32 [train, d], what `features` makes of the training pictures
    scores: dict[str, Floats]
    learned: Learned
    tested_by: tuple[str, ...]
    tuned: bool | None  # whether fine-tuning was kept; None where there was none
    frozen: Floats | None  # what `engagement` said before fine-tuning, where that was kept
    policy: str


def learn_classifier(
    questions: Sequence[Question],
    lesson: Lesson,
    sides: Mapping[str, ClassSide],
    rows: Rows,
) -> Trained:
    """Train what answers the questions; `rows` tells which post each picture of a side is.

    On a backbone that has learned before, the features of all pictures are computed once, and a
    head learns from them for each question; `engagement` is the first one's head, whose last layers
    are then fine-tuned. A network from nothing answers the first question only.
    """
    count = len(questions[0].exam.high)
    backbone = trunk(lesson.settings)
    if not backbone.pretrained:
        return _learned_whole(backbone, lesson, sides, rows, count)
    still = frozen(backbone)
    features = _placed(
        {name: pooled(still, side, lesson.settings) for name, side in sides.items() if side.count},
        rows,
        count,
    )
    lesson.progress(f"features of {count:,} pictures computed, once for all epochs and folds")
    taught = [learn_question(question, features, lesson) for question in questions]
    main = taught[0][0].again(HEAD)
    learned = joined(backbone, main)
    learned.phases.append(_renamed(taught[0][1], questions[0].head))
    # One question needs no head of its own; several need the trunk as it was.
    others = [head for head, _ in taught] if len(taught) > 1 else []
    scores = {head.name: answers(head, features) for head in (main, *others)}
    before = scores[HEAD]
    tuned = fine_tune(learned, backbone, lesson) if lesson.settings.fine_tune_layers else None
    precision.in_full(backbone.network)
    below = trunk(lesson.settings) if tuned and others else backbone
    precision.in_full(below.network)
    pixels = backbone.features.input
    seen = below.features.output if below is backbone else below.features(pixels)
    outputs = dict(learned.network.output)
    for head in others:
        outputs |= head(seen)
    measured = features[rows[TRAIN]]
    if tuned:
        scores[HEAD] = _asked(learned.network, lesson, sides, rows, count)
    if tuned and not others:
        measured = pooled(frozen(backbone), lesson.train, lesson.settings)
    return Trained(
        network=keras.Model(pixels, outputs),
        features=keras.Model(pixels, seen),
        measured=measured,
        scores=scores,
        learned=learned,
        tested_by=tuple(head.name for head in others) or (HEAD,),
        tuned=tuned,
        frozen=before if tuned else None,
        policy=backbone.policy,
    )


def _learned_whole(
    backbone: Backbone, lesson: Lesson, sides: Mapping[str, ClassSide], rows: Rows, count: int
) -> Trained:
    learned = joined(backbone, Head(HEAD))
    learn_whole(learned, backbone, lesson)
    precision.in_full(backbone.network)
    return Trained(
        network=learned.network,
        features=backbone.features,
        measured=pooled(frozen(backbone), lesson.train, lesson.settings),
        scores={HEAD: _asked(learned.network, lesson, sides, rows, count)},
        learned=learned,
        tested_by=(HEAD,),
        tuned=None,
        frozen=None,
        policy=backbone.policy,
    )


def learn_question(question: Question, features: np.ndarray, lesson: Lesson) -> tuple[Head, Curve]:
    """A head that learned to answer one question from features [n, d]."""
    exam = question.exam
    standard = standardiser(features[exam.train], f"{question.head}-standard")
    head = Head(question.head, standard)
    codes = exam.high.astype(np.int32)

    def known(rows: Bools) -> Known:
        weights = np.ones(int(rows.sum()), np.float32)
        return Known(features[rows], Targets({head.name: codes[rows]}, {head.name: weights}))

    quiet = replace(lesson, progress=lambda _: None)
    curve = learn_heads(head.name, head, known(exam.train), known(question.validation), quiet)
    lesson.progress(
        f"{head.name}: best of {len(curve['epochs'])} epochs is {curve['best_epoch']},"
        f" loss on validation {curve['best_validation_loss']:.3f}"
    )
    return head, curve


def _renamed(curve: Curve, name: str) -> Curve:
    """The curve of the first question's head as that of the classifier's phase one."""
    epochs = [{**row, "heads": {HEAD: row["heads"][name]}} for row in curve["epochs"]]
    return {**curve, "phase": "heads", "epochs": epochs}


def answers(head: Head, features: np.ndarray) -> Floats:
    """P(high) [n] by a head on features [n, d]."""
    given = keras.Input(features.shape[1:])
    return np.asarray(keras.Model(given, head(given))(features)[head.name], np.float64)[:, 1]


def _asked(
    network: keras.Model,
    lesson: Lesson,
    sides: Mapping[str, ClassSide],
    rows: Rows,
    count: int,
) -> Floats:
    """P(high) [n] by a whole network, which looks at every picture once more."""
    said = {
        name: outputs_of(network, side.pixels(lesson.settings), lesson.settings)[HEAD]
        for name, side in sides.items()
        if side.count
    }
    return _placed(said, rows, count)[:, 1].astype(np.float64)


def _placed(values: Mapping[str, np.ndarray], rows: Rows, count: int) -> np.ndarray:
    """What is known of each picture of each side, float32 [count, d], by post."""
    width = next(iter(values.values())).shape[1]
    whole = np.full((count, width), np.nan, np.float32)
    for name, found in values.items():
        whole[rows[name]] = found
    return whole
