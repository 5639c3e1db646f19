"""What a tagger's scores come to: labels that go together, and which of them to rely on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from catalog.attributes import Vocabulary
from catalog.decoding import decode, decode_jointly

TOGETHER = ("category", "subcategory", "product_type")
"""Attributes of which one is part of the other: not every label goes with every label."""

RIGHT = 0.95
"""The share of accepted labels that shall be right."""

COST = 0.01
"""The share of products that may be taken for something else."""

LEAST_DEVIATION = 1e-6

BINS = 15
"""Of equal mass, in which confidences are compared with how often they were right."""

FEWEST = 100
"""Labelled pictures below which nothing is said about how far a head can be relied on."""


@dataclass(frozen=True, slots=True)
class Line:
    """The confidence from which a head's labels are accepted; None where none can be.

    `share` of `n` labelled pictures were accepted when it was drawn.
    """

    threshold: float | None
    share: float
    n: int


@dataclass(frozen=True, slots=True)
class Likeness:
    """How far from all products a picture may lie, by its embedding, and still be one.

    The distance is Mahalanobis's (Lee et al., 2018), squared, a dimension: about 1 for a product.
    """

    deviations: tuple[float, ...]  # of each dimension of the embedding, over products
    threshold: float

    def distances(self, embedding: np.ndarray) -> np.ndarray:
        """Of each embedding [n, d], float64 [n]."""
        squares = (np.asarray(embedding, np.float64) / np.array(self.deviations)) ** 2
        distances: np.ndarray = squares.mean(axis=1)
        return distances

    def strange(self, embedding: np.ndarray) -> np.ndarray:
        """Which of the embeddings [n, d] are of no product, bool [n]."""
        strange: np.ndarray = self.distances(embedding) > self.threshold
        return strange


@dataclass(frozen=True)
class Decided:
    """What is said of n rows about one attribute."""

    codes: np.ndarray  # int64 [n], places in the vocabulary; -1 where nothing was looked at
    confidence: np.ndarray  # float64 [n], NaN there
    review: np.ndarray | None  # bool [n]: not sure enough; None where it is not known what is


@dataclass(frozen=True)
class Decisions:
    """How a model's scores are to be decided on; without anything known each head for itself."""

    together: tuple[str, ...] = ()  # heads
    combinations: tuple[tuple[str, ...], ...] = ()  # labels of these heads that go together
    lines: Mapping[str, Line] = field(default_factory=dict)
    likeness: Likeness | None = None

    def decide(
        self, scores: Mapping[str, np.ndarray], vocabulary: Vocabulary
    ) -> dict[str, Decided]:
        """Labels from the scores [n, labels] of each head.

        Of a head without a line it is not known what is for review.
        """
        said = {head: decode(each) for head, each in scores.items()}
        if self.together:
            codes, sure = decode_jointly(
                [scores[head] for head in self.together], self._codes(vocabulary)
            )
            said |= {
                head: (codes[:, place], sure[:, place]) for place, head in enumerate(self.together)
            }
        return {head: Decided(*each, self._doubtful(head, each[1])) for head, each in said.items()}

    @classmethod
    def of(cls, content: Mapping[str, Any], vocabulary: Vocabulary) -> Self:
        """Those that a card keeps, or none; ValueError when they do not fit the vocabulary."""
        if not content:
            return cls()
        try:
            decisions = cls(
                tuple(content["together"]),
                tuple(tuple(labels) for labels in content["combinations"]),
                {head: Line(**line) for head, line in content["lines"].items()},
                _likeness(content.get("likeness")),
            )
            nothing = {head: np.zeros((1, len(labels))) for head, labels in vocabulary.items()}
            decisions.decide(nothing, vocabulary)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
            raise ValueError(f"the card's decisions make no sense: {error!r}") from error
        if decisions.lines.keys() - vocabulary.keys():
            raise ValueError("the card's decisions are about heads that it has not")
        return decisions

    def as_dict(self) -> dict[str, Any]:
        """The decisions as a card keeps them."""
        return {
            "together": list(self.together),
            "combinations": [list(labels) for labels in self.combinations],
            "lines": {
                head: {"threshold": line.threshold, "share": line.share, "n": line.n}
                for head, line in self.lines.items()
            },
            "likeness": self.likeness
            and {
                "deviations": list(self.likeness.deviations),
                "threshold": self.likeness.threshold,
            },
        }

    def _codes(self, vocabulary: Vocabulary) -> np.ndarray:
        places = [
            {label: code for code, label in enumerate(vocabulary[head])} for head in self.together
        ]
        return np.array(
            [
                [place[label] for place, label in zip(places, labels, strict=True)]
                for labels in self.combinations
            ]
        )

    def _doubtful(self, head: str, confidence: np.ndarray) -> np.ndarray | None:
        line = self.lines.get(head)
        if line is None:
            return None
        threshold = np.inf if line.threshold is None else line.threshold
        doubtful: np.ndarray = confidence < threshold  # never what was not looked at
        return doubtful


def combinations_of(
    labels: Sequence[Mapping[str, str]], vocabulary: Vocabulary
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The heads of TOGETHER, and which of their labels stand together in these rows.

    Nothing where there are fewer than two such heads, or no row has labels of all of them.
    """
    heads = tuple(head for head in TOGETHER if head in vocabulary)
    known = {head: set(vocabulary[head]) for head in heads}
    found = {
        tuple(row[head] for head in heads)
        for row in labels
        if all(row.get(head) in known[head] for head in heads)
    }
    return (heads, tuple(sorted(found))) if len(heads) > 1 and found else ((), ())


def likeness_of(learned: np.ndarray, others: np.ndarray) -> Likeness | None:
    """The likeness of products to those `learned` from, by embeddings [n, d] of both.

    COST of `others`, which were not learned from, are taken for strangers. None for fewer than
    FEWEST of them.
    """
    if len(others) < FEWEST:
        return None
    deviations = np.maximum(learned.std(axis=0, dtype=np.float64), LEAST_DEVIATION)
    free = Likeness(tuple(deviations.tolist()), np.inf)
    return replace(free, threshold=float(np.quantile(free.distances(others), 1 - COST)))


def _likeness(content: Mapping[str, Any] | None) -> Likeness | None:
    if content is None:
        return None
    deviations = tuple(float(each) for each in content["deviations"])
    if not deviations or min(deviations) <= 0:
        raise ValueError("a deviation is not above 0")
    return Likeness(deviations, float(content["threshold"]))


def line_of(confidence: np.ndarray, right: np.ndarray) -> Line | None:
    """Draw the line above which RIGHT of the labels are right, and accepted are the most.

    confidence: float [n]; right: bool [n]. None where there are fewer than FEWEST rows.
    """
    if len(right) < FEWEST:
        return None
    order = np.argsort(-confidence, kind="stable")
    confidence, right = confidence[order], right[order]
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    # Equal confidences are accepted together: only the last of them may be the line.
    last = np.append(confidence[1:] < confidence[:-1], True)
    good = np.flatnonzero(last & (precision >= RIGHT))
    if not len(good):
        return Line(None, 0.0, len(right))
    return Line(float(confidence[good[-1]]), float((good[-1] + 1) / len(right)), len(right))
