"""Training the classifier: from labelled posts to a model folder that carries its evidence."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.models import export, metrics, provenance, splits, weights
from catalog.models.artefact import SPLIT, Card, hashes, save_card
from catalog.models.datasets import lay_out, outputs_of
from catalog.models.provenance import Origin
from catalog.models.runtime import EMBEDDING
from catalog.models.schedules import exponential
from catalog.models.settings import TrainSettings
from catalog.models.sides import ClassSide
from catalog.models.splits import SIDES, TEST, TRAIN, VALIDATE, Member
from catalog.models.training import Lesson, Progress
from engagement.bootstrap import roc_auc
from engagement.classes import CLASSES, HEAD, TASK
from engagement.classifier_learning import Trained, learn_classifier
from engagement.evaluation import choose_threshold, evaluate
from engagement.exams import Question, units
from engagement.findings import Evaluation, Split
from engagement.folds import FOLDS, Division
from engagement.material import Material

ASIDE = "aside"
"""Pictures that the first trial leaves out and the others need."""

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def train_classifier(
    material: Material,
    settings: TrainSettings,
    work: Path,
    kept: Path,
    folder: Path,
    progress: Progress,
    *,
    origin: Origin,
) -> Card:
    """Train a classifier and leave it, complete, in the empty folder `folder`.

    `work` is an empty folder for what lives only as long as the training, and `kept` one from
    whose checkpoints an interrupted training of the same things goes on. ValueError when the
    pictures that can be read leave too little, WeightsUnavailable without the backbone's weights.
    """
    weights.check(settings.backbone, settings.weights, settings.image_size)
    keras.utils.set_random_seed(settings.seed)
    read = _lay_out(material, settings, work)
    unreadable = int((~read).sum())
    material = material.without(~read)
    progress(f"{len(material.posts):,} pictures laid out in {'|'.join(SIDES)}/{{low,high}}")
    sides = {
        name: ClassSide(work / name, CLASSES, HEAD, changes=settings.changes)
        for name in (*SIDES, ASIDE)
    }
    lesson = Lesson(
        sides[TRAIN], sides[VALIDATE], settings, kept, progress, exponential, judged_by="log_loss"
    )
    rows = {name: _rows(side, read) for name, side in sides.items()}
    trained = learn_classifier(material.questions, lesson, sides, rows)

    export.check_backend()
    progress("measuring and exporting")
    network = export.with_embedding(TASK, trained.network, trained.features, trained.measured)
    export.save(network, folder)
    provenance.write_history(folder, trained.learned.phases)
    splits.write_split(folder / SPLIT, _members(material, trained))
    tested = _oof(material, trained)
    provenance.write_test_scores(folder, _test_rows(material, tested))
    sample = _sample_rows(material, sides[TRAIN], rows[TRAIN], settings.seed)
    provenance.write_sample(folder, sample)
    card = Card(
        task=TASK,
        name=origin.name,
        version=origin.version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        vocabulary=dict.fromkeys(trained.scores, CLASSES),
        image_size=settings.image_size,
        backbone=settings.backbone,
        weights=provenance.weights_of(settings),
        embedding_size=network.output[EMBEDDING].shape[-1],
        settings=_choices(material, trained, settings),
        trained_on={
            "source": origin.source,
            "csv_sha256": origin.csv_sha256,
            "posts": len(material.posts),
            "pictures": int(material.posts["picture"].nunique()),
            "accounts": int(material.posts["account"].nunique()),
        },
        split=_split(material, trained, tested, unreadable),
        metrics={
            **_by_side(material, trained.scores[HEAD]),
            "out_of_fold": asdict(_evaluation(material, tested)),
            "fine_tuning": _fine_tuning(material, trained),
            "litert": _agreement(folder, network, sides[TEST], settings),
        },
        files=hashes(folder),
        parameters=network.count_params(),
        versions=provenance.versions(),
        notes=(*_notes(material, trained, unreadable), *trained.learned.notes),
    )
    save_card(folder, card)
    return card


def _lay_out(material: Material, settings: TrainSettings, work: Path) -> Bools:
    """Put each picture into side/class of the first trial; tells which could be read, bool [n].

    The files are named by row.
    """
    for side in (*SIDES, ASIDE):
        for name in CLASSES:
            (work / side / name).mkdir(parents=True)
    first = material.questions[0]
    homes = np.full(len(material.posts), ASIDE, object)
    for name, where in zip(SIDES, _sides(first), strict=True):
        homes[where] = name
    classes = [CLASSES[int(high)] for high in first.exam.high]
    files = [
        work / home / name / f"{row:08d}"
        for row, (home, name) in enumerate(zip(homes, classes, strict=True))
    ]
    read = np.zeros(len(files), bool)
    read[lay_out(material.files, files, settings.image_size)] = True
    return read


def _sides(question: Question) -> tuple[Bools, Bools, Bools]:
    """The posts of each of SIDES, bool [n]."""
    return question.exam.train, question.validation, question.exam.test


def _rows(side: ClassSide, read: Bools) -> NDArray[np.int64]:
    """The rows of the posts that could be read, in the order of a side's pictures."""
    place = np.cumsum(read) - 1
    return np.array([place[int(path.stem)] for path in side.files], np.int64)


def _members(material: Material, trained: Trained) -> list[Member]:
    """Each picture once, by the worst that befell it: learned from, chosen by, only tested.

    A picture may be in several posts.
    """
    learned, chose = np.zeros((2, len(material.posts)), bool)
    for question, _ in zip(material.questions, trained.tested_by, strict=False):
        learned |= question.exam.train
        chose |= question.validation
    sides = np.select([learned, chose], [TRAIN, VALIDATE], TEST).tolist()
    members: dict[str, Member] = {}
    for picture, fingerprint, group, side in zip(
        material.posts["picture"], material.fingerprints, material.groups, sides, strict=True
    ):
        before = members.get(picture)
        if before is None or SIDES.index(side) < SIDES.index(before.side):
            members[picture] = Member(picture, fingerprint, None, int(group), side)
    return list(members.values())


def _oof(material: Material, trained: Trained) -> pd.DataFrame:
    """The test posts of all questions that were asked: row, head, truth, score, threshold."""
    parts = []
    for question, head in zip(material.questions, trained.tested_by, strict=False):
        rows = np.flatnonzero(question.exam.test)
        parts.append(
            pd.DataFrame(
                {
                    "row": rows,
                    "head": head,
                    "high": question.exam.high[rows],
                    "score": trained.scores[head][rows],
                    "threshold": _threshold(question, trained.scores[head]),
                }
            )
        )
    return pd.concat(parts, ignore_index=True).sort_values("row", ignore_index=True)


def _threshold(question: Question, score: Floats) -> float:
    """The threshold of a head, by the posts that chose its epoch."""
    rows = question.validation
    return choose_threshold(question.exam.high[rows], score[rows])


def _evaluation(material: Material, tested: pd.DataFrame) -> Evaluation:
    """How right the heads are about posts of the sides that they never saw."""
    posts = material.posts.loc[tested["row"]]
    return evaluate(
        tested["high"].to_numpy(bool),
        tested["score"].to_numpy(float),
        (tested["score"] > tested["threshold"]).to_numpy(bool),
        posts["account"].to_numpy(object),
        units(material.posts, lambda: material.groups)[tested["row"]],
        np.unique(tested["head"].to_numpy(str), return_inverse=True)[1],
    )


def _test_rows(material: Material, tested: pd.DataFrame) -> list[dict[str, Any]]:
    posts = material.posts
    return [
        {
            "picture": posts["picture"][row.row],
            "id": posts["id"][row.row],
            "head": row.head,
            "truth": CLASSES[int(row.high)],
            "scores": [1 - row.score, row.score],
        }
        for row in tested.itertuples()
    ]


def _sample_rows(
    material: Material, side: ClassSide, rows: NDArray[np.int64], seed: int
) -> list[dict[str, Any]]:
    """Some training pictures by chance, with their labels."""
    files, posts = side.files, material.posts
    return [
        {
            "picture": posts["picture"][rows[place]],
            "id": posts["id"][rows[place]],
            "labels": [(HEAD, files[place].parent.name)],
            "png": files[place].read_bytes(),
        }
        for place in provenance.sampled(len(files), seed)
    ]


def _choices(material: Material, trained: Trained, settings: TrainSettings) -> dict[str, Any]:
    """Every choice of the training, and what each head needs to say high: bar and threshold."""
    first = material.questions[0]
    by_head = {HEAD: first} | dict(zip(trained.tested_by, material.questions, strict=False))
    return {
        **asdict(settings),
        "policy": trained.policy,
        "rule": str(material.rule),
        "min_age_hours": material.min_age.total_seconds() / 3600,
        "bars": {head: question.bar for head, question in by_head.items()},
        "thresholds": {
            head: _threshold(question, trained.scores[head]) for head, question in by_head.items()
        },
    }


def _split(
    material: Material, trained: Trained, out_of_fold: pd.DataFrame, unreadable: int
) -> dict[str, Any]:
    """How the posts were divided, and for each account the head that never saw it.

    An account that every head saw has no head (""). `aside` counts the posts on no side of the
    first fold, for the likeness of their pictures. Older versions show `rule` and `fallback`.
    """
    division, posts, first = material.division, material.posts, material.questions[0]
    heads: dict[str, str] = {}
    if division.split is Split.ACCOUNT:
        heads = dict.fromkeys(posts["account"].dropna().unique(), "")
        rows = out_of_fold["row"]
        never = out_of_fold.assign(account=posts["account"].to_numpy()[rows]).dropna()
        heads |= dict(zip(never["account"], never["head"], strict=True))
    tested = min(len(trained.tested_by), len(division.trials))
    return {
        "kind": division.split,
        "asked": division.asked,
        "cut": division.cut.isoformat() if division.cut else None,
        "accounts": division.accounts,
        "aside": _aside(material, trained),
        "unpictured": material.unpictured,
        "undecodable": unreadable,
        "rule": f"by {division.split}: {tested} of {len(division.trials)} tested",
        "fallback": _fallback(division),
        "heads": heads,
        "sides": {
            side: {
                "examples": int(where.sum()),
                "pictures": int(posts["picture"][where].nunique()),
                "groups": len(np.unique(material.groups[where])),
            }
            for side, where in zip(SIDES, _sides(first), strict=True)
        },
    }


def _by_side(material: Material, score: Floats) -> dict[str, Any]:
    """The figures of the classifier's own head on the sides of the first question."""
    first = material.questions[0]
    measured = {}
    for side, where in zip(SIDES, _sides(first), strict=True):
        truth, high = first.exam.high[where].astype(np.int64), score[where]
        scores = np.stack([1 - high, high], axis=1)
        right = metrics.Share(int((scores.argmax(axis=1) == truth).sum()), len(truth))
        measured[side] = ([metrics.score_head(HEAD, CLASSES, truth, scores)], right)
    return metrics.by_side(measured, TRAIN, TEST)


def _fine_tuning(material: Material, trained: Trained) -> dict[str, Any] | None:
    """What fine-tuning came to, on the posts of the one trial on which it was done."""
    if trained.tuned is None:
        return None
    first = material.questions[0]
    rows = first.exam.test
    high, drawn = first.exam.high[rows], units(material.posts, lambda: material.groups)[rows]
    alone = np.zeros(len(high), np.int64)
    figures = {"kept": trained.tuned, "tested_on": first.head}
    for name, score in (("frozen", trained.frozen), ("classifier", trained.scores[HEAD])):
        if score is not None:
            figures[name] = asdict(roc_auc(high, score[rows], drawn, alone))
    return figures


def _agreement(folder: Path, network: keras.Model, side: ClassSide, settings: TrainSettings) -> Any:
    """Compare the exported file with the network on some test pictures."""
    files = side.files
    pixels = export.pixels_of([files[row] for row in export.compared(len(files))])
    return export.agreement(folder, pixels, outputs_of(network, pixels, settings))


def _fallback(division: Division) -> str | None:
    """Why the split is not the one that was asked for."""
    if division.accounts is None:
        return None
    return f"accounts known: {division.accounts}, too few for {FOLDS} folds: split at random"


def _aside(material: Material, trained: Trained) -> int:
    """Posts that the first fold has on no side, and others have."""
    if len(trained.scores) == 1:
        return 0
    return int((~np.any(_sides(material.questions[0]), axis=0)).sum())


def _notes(material: Material, trained: Trained, unreadable: int) -> list[str]:
    """What a reader of the card must know besides, of which the page has words of its own."""
    notes = [] if (fallback := _fallback(material.division)) is None else [fallback]
    if aside := _aside(material, trained):
        notes.append(
            f"{aside:,} posts are on no side of the first fold: pictures like theirs are in its"
            " test or validation. Other folds have them"
        )
    if material.unpictured:
        notes.append(f"{material.unpictured:,} labelled posts have no picture that can be read")
    if unreadable:
        notes.append(f"{unreadable} pictures could not be decoded and were left out")
    if trained.tuned and len(trained.scores) > 1:
        notes.append(
            "fine-tuning was better on validation and is kept; it is evaluated on one fold, and the"
            " out-of-fold figures are those of the frozen phase"
        )
    return notes
