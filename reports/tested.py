"""The pictures that a training kept aside: truths and scores of all, and some of them to look at.

Scores and pictures are files of the model's folder, read only as its card describes them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.models.artefact import TEST_PICTURES, TEST_SCORES, Card
from catalog.models.kept import kept_table
from catalog.models.provenance import TEST_PICTURES_SCHEMA, TEST_SCHEMA
from reports.measured import Evaluation, Guess, Measured, Shown, evaluate, mapped
from reports.thumbnails import Small, shrink

MOST_PICTURES = 24
CHOSEN = 4
"""Pictures of each kind, wrong and right, of which the probabilities are drawn."""
ALL_DRAWN = 12
"""Classes of a head that are all drawn, in their own order; of more only the BEST are."""
BEST = 5

LIKELIEST = 1.001
"""What a probability may be at most, rounded as float32 is; a NaN is none."""

BETWEEN = "\0"  # no name of a file has one


@dataclass(frozen=True, slots=True)
class TestedPicture:
    """A picture kept aside, and what each head said of it."""

    id: str
    small: Small
    guesses: tuple[Guess, ...]

    @property
    def wrong(self) -> bool:
        """Whether a head was wrong about it."""
        return any(guess.right is False for guess in self.guesses)


@dataclass(frozen=True, slots=True)
class Bar:
    """The probability, 0 to 1, that a head gave to one class."""

    label: str
    score: float
    truth: bool


@dataclass(frozen=True, slots=True)
class Probabilities:
    """What one head gave to its classes for a picture.

    `left_out` classes of less probability have no bar; the truth always has one, if it was learned.
    """

    picture: TestedPicture
    guess: Guess
    bars: tuple[Bar, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class TestedPictures:
    """Some pictures of the test side; it has `n`, and some head is wrong about `mistakes` of them.

    `right` and `wrong` ones were drawn by chance; of the `chosen` the wrong ones come first.
    """

    n: int
    mistakes: int
    wrong: tuple[TestedPicture, ...]
    right: tuple[TestedPicture, ...]
    chosen: tuple[Probabilities, ...]


def measured_heads(folder: Path, card: Card) -> tuple[Measured, ...]:
    """Read truths and scores of the pictures kept aside, by head; rows have the id _key makes.

    ModelRefused, or ValueError and its like, where the file is not what it should be.
    """
    table = kept_table(folder, TEST_SCORES, card, TEST_SCHEMA)
    return tuple(_measured(table, head, labels) for head, labels in card.vocabulary.items())


def tested_rows(heads: Sequence[Measured]) -> Evaluation | None:
    """Measure the pictures kept aside: a row is a product with one of its pictures."""
    return mapped(evaluate(heads), _product) if heads else None


def tested_pictures(folder: Path, card: Card, heads: Sequence[Measured]) -> TestedPictures | None:
    """Read the pictures kept aside that are there to be looked at; None where none has scores."""
    table = kept_table(folder, TEST_PICTURES, card, TEST_PICTURES_SCHEMA)
    rows = {_key(row["picture"], row["id"]): row for row in table[:MOST_PICTURES].to_pylist()}
    places = [{key: place for place, key in enumerate(head.ids) if key in rows} for head in heads]
    shown = {
        key: TestedPicture(row["id"], shrink(row["png"]), guesses)
        for key, row in rows.items()
        if (guesses := _guesses(key, heads, places))
    }
    if not shown:
        return None
    mistakes = {
        key
        for head in heads
        for key, right in zip(head.ids, head.right.tolist(), strict=True)
        if not right
    }
    wrong = {key: each for key, each in shown.items() if each.wrong}
    right = {key: each for key, each in shown.items() if not each.wrong}
    chosen = [(key, _surest_wrong(each)) for key, each in _most_wrong(wrong)]
    chosen += [
        (key, each.guesses[number % len(each.guesses)])
        for number, (key, each) in enumerate(_by_chance(right))
    ]
    by_name = {head.head: (head, place) for head, place in zip(heads, places, strict=True)}
    return TestedPictures(
        n=len({key for head in heads for key in head.ids}),
        mistakes=len(mistakes),
        wrong=tuple(wrong.values()),
        right=tuple(right.values()),
        chosen=tuple(
            _probabilities(shown[key], guess, head, place[key])
            for key, guess in chosen
            for head, place in (by_name[guess.head],)
        ),
    )


def _key(picture: str, row: str) -> str:
    return f"{picture}{BETWEEN}{row}"


def _product(shown: Shown) -> Shown:
    picture, row = shown.id.split(BETWEEN, 1)
    return Shown(row, None, picture)


def _measured(table: pa.Table, head: str, labels: Sequence[str]) -> Measured:
    rows = table.filter(pc.equal(table["head"], head))
    flat = rows["scores"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    if not ((flat >= 0) & (flat <= LIKELIEST)).all():
        raise ValueError(f"scores of {head} are no probabilities")
    keys = zip(rows["picture"].to_pylist(), rows["id"].to_pylist(), strict=True)
    return Measured(
        head=head,
        labels=labels,
        ids=tuple(_key(picture, row) for picture, row in keys),
        truths=tuple(rows["truth"].to_pylist()),
        scores=flat.reshape(-1, len(labels)),
        held_out=len(rows),
        trained_on=0,
    )


def _guesses(
    key: str, heads: Sequence[Measured], places: Sequence[dict[str, int]]
) -> tuple[Guess, ...]:
    return tuple(
        head.guess(place[key]) for head, place in zip(heads, places, strict=True) if key in place
    )


def _surest_wrong(picture: TestedPicture) -> Guess:
    wrong = [guess for guess in picture.guesses if guess.right is False]
    return max(wrong, key=lambda guess: guess.score)


def _most_wrong(wrong: dict[str, TestedPicture]) -> list[tuple[str, TestedPicture]]:
    """Choose the wrong pictures about which a head was surest."""
    surest = sorted(wrong.items(), key=lambda each: -_surest_wrong(each[1]).score)
    return surest[:CHOSEN]


def _by_chance(right: dict[str, TestedPicture]) -> list[tuple[str, TestedPicture]]:
    """Choose some by a hash of their names, the same ones whenever the page is drawn."""
    drawn = sorted(right.items(), key=lambda each: hashlib.sha256(each[0].encode()).digest())
    return drawn[:CHOSEN]


def _probabilities(
    picture: TestedPicture, guess: Guess, head: Measured, place: int
) -> Probabilities:
    scores: Any = head.scores[place].tolist()
    bars = [
        Bar(label, score, label == guess.truth)
        for label, score in zip(head.labels, scores, strict=True)
    ]
    if len(bars) <= ALL_DRAWN:
        return Probabilities(picture, guess, tuple(bars), 0)
    ranked = sorted(bars, key=lambda bar: -bar.score)
    drawn = ranked[:BEST] + [bar for bar in ranked[BEST:] if bar.truth]
    return Probabilities(picture, guess, tuple(drawn), len(bars) - len(drawn))
