"""From scores to labels: several pictures to one product, scores to names. NumPy only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BEST = 5
LEAST = 1e-12  # of a score, for a logarithm is to be taken


@dataclass(frozen=True, slots=True)
class Guess:
    """One label that a head proposes, with its probability."""

    label: str
    score: float


def combine(scores: np.ndarray, product_index: np.ndarray, products: int) -> np.ndarray:
    """Mean scores of each product over its pictures.

    scores: float [pictures, labels]; product_index: int [pictures], the product of each picture.
    Gives float64 [products, labels]; a product without pictures has NaN throughout.
    """
    pictures = np.bincount(product_index, minlength=products)
    total = np.zeros((products, scores.shape[1]))
    np.add.at(total, product_index, scores)
    return np.divide(
        total, pictures[:, None], out=np.full_like(total, np.nan), where=pictures[:, None] > 0
    )


def decode(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best label of each row and how sure the head is of it.

    scores: float [rows, labels]. Gives codes int64 [rows], -1 where the row is NaN (nothing was
    looked at), and confidence float64 [rows], NaN there. Of equal scores the first label wins.
    """
    empty = np.isnan(scores).any(axis=1)
    codes = np.where(empty, -1, np.argmax(np.nan_to_num(scores, nan=-1.0), axis=1))
    confidence = np.where(empty, np.nan, scores.max(axis=1))
    return codes, confidence


def decode_jointly(
    scores: Sequence[np.ndarray], combinations: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The best labels of several heads together, of those that go together.

    scores: a float [rows, labels] of each head; combinations: int [m, heads], the codes that do.
    Gives codes int64 [rows, heads] of the combination whose scores have the largest product, and
    each head's own score of its code, float64 [rows, heads]; -1 and NaN where a row is NaN.
    """
    together = np.zeros((len(scores[0]), len(combinations)))
    for head, each in enumerate(scores):
        together += np.log(np.maximum(each, LEAST))[:, combinations[:, head]]
    codes, _ = decode(together)
    unseen = codes < 0
    chosen = np.where(unseen[:, None], -1, combinations[codes])
    rows = np.arange(len(chosen))
    sure = np.stack([each[rows, chosen[:, head]] for head, each in enumerate(scores)], axis=1)
    return chosen, np.where(unseen[:, None], np.nan, sure)


def ranked(scores: np.ndarray, best: int = BEST) -> tuple[np.ndarray, np.ndarray]:
    """The best labels of each row, best first: codes int64 and scores, both [rows, <= best].

    Of equal scores the label that comes first in the vocabulary ranks first.
    """
    order = np.argsort(-scores, axis=1, kind="stable")[:, :best]
    return order, np.take_along_axis(scores, order, axis=1)


def guesses(scores: np.ndarray, labels: Sequence[str], best: int = BEST) -> list[list[Guess]]:
    """`ranked` with names: for each row of scores [rows, labels] its best labels."""
    codes, values = ranked(scores, best)
    return [
        [Guess(labels[code], float(value)) for code, value in zip(row, row_values, strict=True)]
        for row, row_values in zip(codes, values, strict=True)
    ]
