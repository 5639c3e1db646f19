"""What was measured of a tagger, as plain values: drawn now, or restored and drawn years later.

The same values hold what a run measured over a catalogue and what a training measured over the
pictures that it kept aside.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np

from catalog.models.calibration import Bin, expected_error, reliability
from catalog.models.metrics import (
    Averages,
    ClassScores,
    Codes,
    HeadScores,
    Share,
    encode,
    macro_over,
    score_head,
    whole_row,
)

LEAST_ROWS = 20
"""A class with fewer rows is named, and left out of macro averages; a head is not ranked."""
BINS = 15
"""Bins of a reliability curve, fewer where one would have less than LEAST_ROWS rows."""
MOST_CLASSES = 60
"""Classes of a head whose figures are kept, the commonest."""
MOST_DRAWN = 20
"""Classes of a confusion matrix; beyond them the rarer ones become one."""
MOST_NAMED = 40
WEAKEST = 5
PAIRS = 10
EXAMPLES = 3
MISTAKES = 12

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Shown:
    """A product to look at; `picture` is a SHA-256, None where no picture of it can be read."""

    id: str
    title: str | None = None
    picture: str | None = None


@dataclass(frozen=True, slots=True)
class Guess:
    """What a head said of a product (score 0 to 1), and the truth where the shop gave one.

    `truth_score` is what it gave to the truth; None where it never learned that label. `review`
    is whether somebody should look; None where nobody knows, or there is a truth to compare with.
    """

    head: str
    label: str
    score: float
    truth: str | None = None
    truth_score: float | None = None
    review: bool | None = None

    @property
    def right(self) -> bool | None:
        """Whether the guess is the truth; None where there is no truth to compare with."""
        return None if self.truth is None else self.label == self.truth


@dataclass(frozen=True, slots=True)
class Macro:
    """Figures averaged over the `classes` of at least `least` rows, each weighing the same.

    `left_out` classes have fewer: `rare` names them, the commonest first, MOST_NAMED at most.
    """

    least: int
    classes: int
    averages: Averages | None
    roc_auc: float | None
    left_out: int
    rare: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Confusion:
    """How truths met guesses: `counts` has a row a truth, a column a guess, in one order.

    The first classes are `labels`, commonest truth first; where there are `others`, so many
    classes are put together as the last row and column.
    """

    labels: tuple[str, ...]
    others: int
    counts: tuple[tuple[int, ...], ...]

    @property
    def rows(self) -> Iterator[tuple[str | None, int, list[tuple[str | None, int]]]]:
        """Each truth, its rows, and the guesses it met with their rows; None for the others."""
        names: tuple[str | None, ...] = (*self.labels, None)
        for truth, counts in zip(names, self.counts, strict=False):
            met = [(guess, n) for guess, n in zip(names, counts, strict=False) if n]
            if met:
                yield truth, sum(counts), sorted(met, key=lambda each: -each[1])


@dataclass(frozen=True, slots=True)
class HeadResult:
    """What was measured of one head over `share.n` labelled rows.

    `held_out` rows could have been measured, `trained_on` ones are left out for the model knows
    them. `outside` rows have a truth that the model never learned, and count as wrong. Of its
    `vocabulary` classes `present` occur among the truths; `classes` has the commonest of these.
    `log_loss` is in nats, over rows whose truth is in the vocabulary. `reliability` sets how sure
    the best guess is beside the share of right guesses.
    """

    head: str
    share: Share
    held_out: int
    trained_on: int
    outside: int
    vocabulary: int
    present: int
    macro: Macro
    weighted: Averages | None
    log_loss: float | None
    majority: Share
    majority_label: str | None
    reliability: tuple[Bin, ...]
    classes: tuple[ClassScores, ...]
    confusion: Confusion

    @property
    def n(self) -> int:
        """How many labelled rows were measured."""
        return self.share.n

    @property
    def accuracy(self) -> float | None:
        """The share of rows guessed right, or None where there were no rows."""
        return self.share.value

    @property
    def calibration_error(self) -> float | None:
        """How far how sure it is lies from how often it is right, on average, 0 to 1."""
        return expected_error(self.reliability)

    @property
    def overconfidence(self) -> float | None:
        """How much surer it is than it is right, on average; below 0 it is less sure."""
        rows = sum(each.n for each in self.reliability)
        return (
            sum(each.n * (each.score - each.share) for each in self.reliability) / rows
            if rows
            else None
        )


@dataclass(frozen=True, slots=True)
class WeakClass:
    """A class that is recognised seldom, among those of LEAST_ROWS rows or more."""

    head: str
    scores: ClassScores

    @property
    def recall(self) -> Share:
        """Its rows that were guessed right."""
        return Share(self.scores.right, self.scores.n)


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """`rows` of the `n` products that are `truth` were taken for `guess`; some of them to see."""

    head: str
    truth: str
    guess: str
    rows: int
    n: int
    examples: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong guess that the model was sure of."""

    product: Shown
    guess: Guess


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The model measured over labelled products whose picture group it never trained on."""

    heads: tuple[HeadResult, ...]
    rows: Share
    """Products labelled in every head of `together`, and those right in all of them at once."""
    measured: int
    """Products measured in one head or more."""
    weakest: tuple[WeakClass, ...]
    confused: tuple[ConfusedPair, ...]
    mistakes: tuple[Mistake, ...]

    @property
    def n(self) -> int:
        """How many labels were compared, all heads together."""
        return sum(head.n for head in self.heads)

    @property
    def sampled(self) -> bool:
        """Whether fewer products were measured than could have been."""
        return any(head.n < head.held_out for head in self.heads)

    @property
    def ranked(self) -> tuple[HeadResult, ...]:
        """The heads of LEAST_ROWS rows or more, the best first."""
        known = [head for head in self.heads if head.n >= LEAST_ROWS]
        return tuple(sorted(known, key=lambda head: -head.share.right / head.n))

    @property
    def unranked(self) -> tuple[HeadResult, ...]:
        """The heads of which too few rows were measured to rank them."""
        return tuple(head for head in self.heads if 0 < head.n < LEAST_ROWS)

    @property
    def together(self) -> tuple[HeadResult, ...]:
        """The heads that a product must be right in to be right in all at once."""
        return tuple(telling(self.heads, lambda head: head.n))


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """The rows of one head to measure: whose they are, what is so, what the model said.

    `held_out` and `trained_on` are as in HeadResult.
    """

    head: str
    labels: Sequence[str]
    ids: Sequence[str]
    truths: Sequence[str]
    scores: np.ndarray  # float32 [n, labels]
    held_out: int
    trained_on: int

    @property
    def guesses(self) -> Codes:
        """The place [n] of each row's best label; of equal scores the first wins."""
        return np.asarray(self.scores.argmax(axis=1), np.int64)

    @property
    def right(self) -> np.ndarray:
        """Whether each row's best label is the truth, bool [n]."""
        return np.asarray(encode(self.truths, self.labels) == self.guesses)

    def guess(self, place: int) -> Guess:
        """What the model said of a row, and what is so."""
        truth, scores = self.truths[place], self.scores[place]
        code = int(scores.argmax())
        known = float(scores[self.labels.index(truth)]) if truth in self.labels else None
        return Guess(self.head, self.labels[code], float(scores[code]), truth, known)


def telling(heads: Sequence[Value], rows: Callable[[Value], int]) -> list[Value]:
    """Choose the heads that are told together: those of LEAST_ROWS rows, or else of any.

    A head of a few rows would leave no more products that all of them can be measured on.
    """
    return [head for head in heads if rows(head) >= LEAST_ROWS] or [
        head for head in heads if rows(head)
    ]


def evaluate(heads: Sequence[Measured]) -> Evaluation:
    """Measure every head, and find where they are wrong; the rows come in an order of chance."""
    scored = [
        score_head(each.head, each.labels, encode(each.truths, each.labels), each.scores)
        for each in heads
    ]
    return Evaluation(
        heads=tuple(map(_result, scored, heads)),
        rows=_at_once(heads),
        measured=len({row for each in heads for row in each.ids}),
        weakest=weakest(scored),
        confused=_confused(scored, heads),
        mistakes=_mistakes(heads),
    )


def _at_once(heads: Sequence[Measured]) -> Share:
    """Count the products right in all heads at once; of a single head there is nothing to add."""
    told = telling(heads, lambda head: len(head.ids))
    right = [dict(zip(head.ids, head.right.tolist(), strict=True)) for head in told]
    return whole_row(right) if len(right) > 1 else Share(0, 0)


def macro(scores: HeadScores, least: int = LEAST_ROWS) -> Macro:
    """Average the classes with rows enough, and name those without."""
    enough = [each for each in scores.present if each.n >= least]
    rare = [each.label for each in scores.present if each.n < least]
    areas = [each.roc_auc for each in enough if each.roc_auc is not None]
    return Macro(
        least=least,
        classes=len(enough),
        averages=macro_over(scores.classes, least),
        roc_auc=sum(areas) / len(areas) if areas else None,
        left_out=len(rare),
        rare=tuple(rare[:MOST_NAMED]),
    )


def gathered(scores: HeadScores, most: int = MOST_DRAWN) -> Confusion:
    """Count how truths met guesses, class by class; beyond `most` the rarer ones together.

    Classes that are neither a truth nor a guess are left out.
    """
    met = [code for code, each in enumerate(scores.classes) if each.n or each.guessed]
    met.sort(key=lambda code: (-scores.classes[code].n, -scores.classes[code].guessed, code))
    alone = met if len(met) <= most else met[: most - 1]
    rest = met[len(alone) :]
    groups = [[code] for code in alone] + ([rest] if rest else [])
    return Confusion(
        labels=tuple(scores.labels[code] for code in alone),
        others=len(rest),
        counts=tuple(
            tuple(int(scores.confusion[np.ix_(truth, guess)].sum()) for guess in groups)
            for truth in groups
        ),
    )


def weakest(scored: Sequence[HeadScores], least: int = LEAST_ROWS) -> tuple[WeakClass, ...]:
    """Find the classes of rows enough that are recognised least often, over all heads."""
    enough = [
        WeakClass(head.head, each) for head in scored for each in head.present if each.n >= least
    ]
    enough.sort(key=lambda each: (each.scores.recall, -each.scores.n, each.head))
    return tuple(enough[:WEAKEST])


def _result(scores: HeadScores, rows: Measured) -> HeadResult:
    sure = np.asarray(rows.scores.max(axis=1, initial=0.0), np.float64)
    bins = min(BINS, max(1, len(sure) // LEAST_ROWS))
    return HeadResult(
        head=scores.head,
        share=scores.share,
        held_out=rows.held_out,
        trained_on=rows.trained_on,
        outside=scores.outside,
        vocabulary=len(scores.labels),
        present=len(scores.present),
        macro=macro(scores),
        weighted=scores.weighted,
        log_loss=scores.log_loss,
        majority=scores.majority,
        majority_label=scores.majority_label,
        reliability=reliability(rows.right, sure, bins),
        classes=scores.present[:MOST_CLASSES],
        confusion=gathered(scores),
    )


def _confused(scored: Sequence[HeadScores], heads: Sequence[Measured]) -> tuple[ConfusedPair, ...]:
    """The mistakes made most often, over all heads, each with some products that it befell."""
    pairs = [
        (int(count), scores, rows, truth, guess)
        for scores, rows in zip(scored, heads, strict=True)
        for count, truth, guess in _wrong(scores)
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1].classes[pair[3]].n))
    return tuple(
        ConfusedPair(
            head=scores.head,
            truth=scores.labels[truth],
            guess=scores.labels[guess],
            rows=count,
            n=scores.classes[truth].n,
            examples=tuple(_examples(rows, truth, guess)),
        )
        for count, scores, rows, truth, guess in pairs[:PAIRS]
    )


def _wrong(scores: HeadScores) -> Iterator[tuple[int, int, int]]:
    """The commonest mistakes of a head: rows, truth, guess."""
    counts = scores.confusion - np.diag(scores.confusion.diagonal())
    commonest = np.argsort(-counts, axis=None, kind="stable")[:PAIRS]
    for truth, guess in zip(*np.unravel_index(commonest, counts.shape), strict=True):
        if counts[truth, guess]:
            yield int(counts[truth, guess]), int(truth), int(guess)


def _examples(rows: Measured, truth: int, guess: int) -> Iterator[Shown]:
    here = (encode(rows.truths, rows.labels) == truth) & (rows.guesses == guess)
    for place in np.flatnonzero(here)[:EXAMPLES]:
        yield Shown(rows.ids[place])


def _mistakes(heads: Sequence[Measured]) -> tuple[Mistake, ...]:
    """The wrong guesses of the highest score, over all heads; a product only once."""
    worst: dict[str, Guess] = {}
    for rows in heads:
        wrong = np.flatnonzero(~rows.right)
        surest = wrong[np.argsort(-rows.scores.max(axis=1, initial=0.0)[wrong], kind="stable")]
        for place in surest[:MISTAKES].tolist():
            guess, earlier = rows.guess(place), worst.get(rows.ids[place])
            if earlier is None or earlier.score < guess.score:
                worst[rows.ids[place]] = guess
    ordered = sorted(worst.items(), key=lambda each: -each[1].score)
    return tuple(Mistake(Shown(row), guess) for row, guess in ordered[:MISTAKES])


def graded(heads: Sequence[Measured], wrong: int, right: int) -> dict[str, tuple[Guess, ...]]:
    """Choose rows to look at: some that are wrong somewhere, then some that are right throughout.

    Gives all guesses of each, by id.
    """
    is_wrong: dict[str, bool] = {}
    for rows in heads:
        for row, good in zip(rows.ids, rows.right.tolist(), strict=True):
            is_wrong[row] = is_wrong.get(row, False) or not good
    chosen = [row for row, bad in is_wrong.items() if bad][:wrong]
    chosen += [row for row, bad in is_wrong.items() if not bad][:right]
    guesses: Mapping[str, list[Guess]] = {row: [] for row in chosen}
    for rows in heads:
        for place, row in enumerate(rows.ids):
            if row in guesses:
                guesses[row].append(rows.guess(place))
    return {row: tuple(said) for row, said in guesses.items()}


def shown_in(value: object) -> Iterator[Shown]:
    """Find every product that is shown anywhere in a report."""
    if isinstance(value, Shown):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from shown_in(each)
    elif is_dataclass(value):
        for field in fields(value):
            yield from shown_in(getattr(value, field.name))


def mapped(value: Value, change: Callable[[Shown], Shown]) -> Value:
    """Change every product that is shown anywhere in a value, and nothing else."""
    changed: Any = value
    if isinstance(value, Shown):
        changed = change(value)
    elif isinstance(value, tuple):
        changed = tuple(mapped(each, change) for each in value)
    elif is_dataclass(value):
        changed = replace(
            changed,
            **{each.name: mapped(getattr(value, each.name), change) for each in fields(value)},
        )
    return changed  # type: ignore[no-any-return] # of the same type
