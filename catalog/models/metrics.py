"""How right a model was: pure functions from truths and scores to frozen results.

Codes are positions in the vocabulary's order, which is the order of the score columns. A truth
that the vocabulary does not know has the code OUTSIDE: no guess can be right about it, so it
counts as wrong, and it is also counted apart. Rows without a truth never come here.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

OUTSIDE = -1
"""The code of a truth that is not in the vocabulary."""

Row = TypeVar("Row", bound=Hashable)
Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Share:
    """`right` out of `n` rows; nothing out of nothing has no value."""

    right: int
    n: int

    @property
    def value(self) -> float | None:
        """The share, 0 to 1, or None where there were no rows."""
        return self.right / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the share."""
        return self.interval_at(1.959963984540054)

    def interval_at(self, z: float) -> tuple[float, float] | None:
        """The interval of `z` standard errors after Wilson (1927), which never leaves 0 to 1.

        Scipy has it too, behind half a second of imports.
        """
        if not self.n:
            return None
        share, room = self.right / self.n, z * z / self.n
        middle = (share + room / 2) / (1 + room)
        half = z * np.sqrt(share * (1 - share) / self.n + room / (4 * self.n)) / (1 + room)
        # Rounding must not leave the share itself outside, where all or none are right.
        low, high = max(0.0, float(middle - half)), min(1.0, float(middle + half))
        return min(share, low), max(share, high)

    def as_dict(self) -> dict[str, Any]:
        """The share as JSON keeps it."""
        return {"right": self.right, "n": self.n, "value": self.value, "interval": self.interval}


@dataclass(frozen=True, slots=True)
class Averages:
    """Precision, recall and F1, 0 to 1, averaged over classes in one of the two ways."""

    precision: float
    recall: float
    f1: float

    def as_dict(self) -> dict[str, float]:
        """The averages as JSON keeps them."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1}


@dataclass(frozen=True, slots=True)
class ClassScores:
    """One class of a head: `n` rows have it as truth, `guessed` rows got it as guess.

    `taken_for` is the class it is most often mistaken for, in `taken` of its rows.
    """

    label: str
    n: int
    guessed: int
    right: int
    precision: float
    recall: float
    f1: float
    roc_auc: float | None
    taken_for: str | None
    taken: int


@dataclass(frozen=True, eq=False, slots=True)
class HeadScores:
    """Everything measured about one head over `share.n` labelled rows.

    `macro` weighs the classes that occur among the truths equally; `weighted` weighs them by
    their rows, and the rows outside the vocabulary weigh in with zero, so that weighted recall is
    accuracy. `roc_auc` is one against the rest, averaged over the classes that have both kinds of
    rows. `log_loss` is in nats, over rows whose truth is in the vocabulary. `majority` is what
    always answering the commonest class of these very rows would get.
    """

    head: str
    labels: tuple[str, ...]
    share: Share
    outside: int
    macro: Averages | None
    weighted: Averages | None
    roc_auc: float | None
    roc_auc_classes: int
    log_loss: float | None
    majority: Share
    majority_label: str | None
    classes: tuple[ClassScores, ...]
    confusion: NDArray[np.int64]
    """Counts [k, k] of rows with a known truth: truth down the rows, guesses along the columns."""

    @property
    def n(self) -> int:
        """How many labelled rows were measured."""
        return self.share.n

    @property
    def accuracy(self) -> float | None:
        """The share of rows guessed right, or None where there were no rows."""
        return self.share.value

    @property
    def present(self) -> tuple[ClassScores, ...]:
        """The classes that occur among the truths, commonest first."""
        return tuple(
            sorted((c for c in self.classes if c.n), key=lambda each: (-each.n, each.label))
        )

    def as_dict(self) -> dict[str, Any]:
        """The head's figures as card.json keeps them (the confusion counts stay out)."""
        return {
            "n": self.n,
            "classes": len(self.labels),
            "classes_present": len(self.present),
            "outside_vocabulary": self.outside,
            "accuracy": self.accuracy,
            "interval": self.share.interval,
            "macro": self.macro.as_dict() if self.macro else None,
            "weighted": self.weighted.as_dict() if self.weighted else None,
            "roc_auc": self.roc_auc,
            "roc_auc_classes": self.roc_auc_classes,
            "log_loss": self.log_loss,
            "majority": {"label": self.majority_label, "value": self.majority.value},
        }


def encode(truths: Sequence[str], labels: Sequence[str]) -> Codes:
    """The code [n] of each truth: its place in `labels`, or OUTSIDE."""
    places = {label: place for place, label in enumerate(labels)}
    return np.array([places.get(truth, OUTSIDE) for truth in truths], dtype=np.int64)


def confusion(truth: Codes, guess: Codes, classes: int) -> NDArray[np.int64]:
    """Counts [classes, classes] with truth down the rows; truths outside are left out."""
    known = truth != OUTSIDE
    pairs = truth[known] * classes + guess[known]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes).astype(np.int64)


def ratio(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    """Divide part by whole, with 0 where there was nothing to divide; shapes as numpy's."""
    shares: Floats = np.zeros(np.broadcast_shapes(part.shape, whole.shape))
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares


def score_head(head: str, labels: Sequence[str], truth: Codes, scores: NDArray[Any]) -> HeadScores:
    """Measure one head: truth codes [n], scores [n, k] in the order of the k `labels`.

    Raises ValueError when the shapes disagree, a code is no place in `labels`, or a score is no
    number.
    """
    truth = np.asarray(truth, dtype=np.int64)
    scores = np.asarray(scores, dtype=np.float64)
    _check(head, len(labels), truth, scores)
    if not len(truth):
        return _nothing(head, tuple(labels))
    guess = scores.argmax(axis=1)
    counts = confusion(truth, guess, len(labels))
    classes = _classes(labels, truth, guess, scores, counts)
    areas = [each.roc_auc for each in classes if each.roc_auc is not None]
    common = int(counts.sum(axis=1).argmax())
    known = int(counts.sum())
    return HeadScores(
        head=head,
        labels=tuple(labels),
        share=Share(int(counts.trace()), len(truth)),
        outside=len(truth) - known,
        macro=_averages(classes, [int(each.n > 0) for each in classes]),
        weighted=_averages(classes, [each.n for each in classes], len(truth)),
        roc_auc=float(np.mean(areas)) if areas else None,
        roc_auc_classes=len(areas),
        log_loss=_log_loss(truth, scores),
        majority=Share(int(counts[common].sum()), len(truth)),
        majority_label=labels[common] if known else None,
        classes=classes,
        confusion=counts,
    )


def whole_row(right: Sequence[Mapping[Row, bool]]) -> Share:
    """The share of rows that are right in every head at once.

    Each head tells of its own labelled rows, by any key, whether it is right; only rows that are
    labelled in every head count, but a head without any row is not asked.
    """
    asked = [head for head in right if head]
    everywhere = set.intersection(*map(set, asked)) if asked else set()
    return Share(sum(all(head[row] for head in asked) for row in everywhere), len(everywhere))


def macro_over(classes: Sequence[ClassScores], least: int) -> Averages | None:
    """Average the classes of at least `least` rows, each weighing the same; None without one."""
    return _averages(classes, [int(each.n >= least) for each in classes])


def as_dict(heads: Sequence[HeadScores], rows: Share) -> Mapping[str, Any]:
    """All heads, and the rows right in all of them, as card.json keeps them."""
    return {"heads": {each.head: each.as_dict() for each in heads}, "whole_row": rows.as_dict()}


def by_side(
    measured: Mapping[str, tuple[Sequence[HeadScores], Share]], train_side: str, test_side: str
) -> dict[str, Any]:
    """Losses (nats, summed over heads) and accuracies a side, their gap, and all about the test."""
    short = {side: _short(heads) for side, (heads, _) in measured.items()}
    train, test = short[train_side], short[test_side]
    return {
        **short,
        "gap": {
            "loss": test["loss"] - train["loss"],
            "accuracy": {
                head: train["accuracy"][head] - accuracy
                for head, accuracy in test["accuracy"].items()
                if accuracy is not None
            },
        },
        **as_dict(*measured[test_side]),
    }


def _check(head: str, classes: int, truth: Codes, scores: Floats) -> None:
    if len(truth) != len(scores):
        raise ValueError(f"{head}: {len(truth)} truths for {len(scores)} rows of scores")
    if len(truth) and scores.shape != (len(truth), classes):
        raise ValueError(f"{head}: scores of shape {scores.shape} for {classes} labels")
    if ((truth < OUTSIDE) | (truth >= classes)).any():
        raise ValueError(f"{head}: a truth code is not one of the {classes} labels")
    if not np.isfinite(scores).all():
        raise ValueError(f"{head}: a score is not a number")


def _nothing(head: str, labels: tuple[str, ...]) -> HeadScores:
    """A head of which no row was labelled: zero rows, and no value for anything."""
    return HeadScores(
        head=head,
        labels=labels,
        share=Share(0, 0),
        outside=0,
        macro=None,
        weighted=None,
        roc_auc=None,
        roc_auc_classes=0,
        log_loss=None,
        majority=Share(0, 0),
        majority_label=None,
        classes=tuple(
            ClassScores(label, 0, 0, 0, 0.0, 0.0, 0.0, None, None, 0) for label in labels
        ),
        confusion=np.zeros((len(labels), len(labels)), dtype=np.int64),
    )


def _classes(
    labels: Sequence[str],
    truth: Codes,
    guess: Codes,
    scores: Floats,
    counts: NDArray[np.int64],
) -> tuple[ClassScores, ...]:
    # scikit-learn has all this, and takes two and a half seconds to load, every night.
    codes = np.arange(len(labels))
    rows, guessed = counts.sum(axis=1), np.bincount(guess, minlength=len(labels))
    right = counts.diagonal()
    precision, recall = _ratio(right, guessed), _ratio(right, rows)
    f1 = _ratio(2 * right, rows + guessed)
    areas = _areas(truth[:, None] == codes, scores)
    mistakes = counts - np.diag(counts.diagonal())
    taken = mistakes.max(axis=1)
    return tuple(
        ClassScores(
            label=label,
            n=int(rows[code]),
            guessed=int(guessed[code]),
            right=int(right[code]),
            precision=float(precision[code]),
            recall=float(recall[code]),
            f1=float(f1[code]),
            roc_auc=areas[code],
            taken_for=labels[int(mistakes[code].argmax())] if taken[code] else None,
            taken=int(taken[code]),
        )
        for code, label in enumerate(labels)
    )


def _areas(is_truth: NDArray[np.bool_], scores: Floats) -> list[float | None]:
    """The area under each class's ROC curve against the rest; None where one kind is absent."""
    return [
        _area(each, scores[:, code]) if each.any() and not each.all() else None
        for code, each in enumerate(is_truth.T)
    ]


def _area(so: NDArray[np.bool_], score: NDArray[Any]) -> float:
    """The probability that a row of which it is so scores higher than another (Mann-Whitney)."""
    _, places, times = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(times) - (times - 1) / 2)[places]  # equal scores share their mean rank
    ours, others = int(so.sum()), int((~so).sum())
    return float((ranks[so].sum() - ours * (ours + 1) / 2) / (ours * others))


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """Part by whole, 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _averages(
    classes: Sequence[ClassScores], weights: Sequence[int], total: int | None = None
) -> Averages | None:
    """The classes' figures averaged by weight; None where nothing weighs anything."""
    whole = sum(weights) if total is None else total
    if not sum(weights):
        return None
    figures = np.array([(each.precision, each.recall, each.f1) for each in classes])
    precision, recall, f1 = (np.array(weights) @ figures) / whole
    return Averages(float(precision), float(recall), float(f1))


def _log_loss(truth: Codes, scores: Floats) -> float | None:
    """Mean -ln of the truth's score (scikit-learn's refuses a head with a single class)."""
    rows = np.flatnonzero(truth != OUTSIDE)
    if not len(rows):
        return None
    tiny = np.finfo(np.float32).eps
    return float(-np.log(np.clip(scores[rows, truth[rows]], tiny, 1.0)).mean())


def _short(heads: Sequence[HeadScores]) -> dict[str, Any]:
    return {
        "loss": sum(head.log_loss or 0.0 for head in heads),
        "losses": {head.head: head.log_loss for head in heads},
        "accuracy": {head.head: head.accuracy for head in heads},
    }
