"""How a tagger's scores are to be decided on: fitted on validation, measured on the test."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from catalog.attributes import Vocabulary
from catalog.decisions import (
    BINS,
    FEWEST,
    Decisions,
    Likeness,
    combinations_of,
    line_of,
)
from catalog.models import calibration, metrics

Labels = Sequence[Mapping[str, str]]
Scores = Mapping[str, np.ndarray]


def cool(
    network: keras.Model,
    vocabulary: Vocabulary,
    labels: Labels,
    said: Mapping[str, dict[str, np.ndarray]],
    side: str,
) -> dict[str, float | None]:
    """Make probabilities of scores: each head's temperature, fitted on a `side` with `labels`.

    It goes into the weights of the head's last layer, and into what was `said` of each side.
    None for a head with fewer than FEWEST labelled pictures there, which stays as it is.
    """
    temperatures: dict[str, float | None] = {}
    for head, words in vocabulary.items():
        rows, truth = truths(labels, head, words)
        known = truth != metrics.OUTSIDE
        temperatures[head] = None
        if known.sum() >= FEWEST:
            heat = calibration.temperature(said[side][head][rows[known]], truth[known])
            layer = network.get_layer(head)
            layer.set_weights([weight / heat for weight in layer.get_weights()])
            for scores in said.values():
                scores[head] = calibration.tempered(scores[head], heat)
            temperatures[head] = heat
    return temperatures


def decisions_of(
    vocabulary: Vocabulary, learned: Labels, labels: Labels, said: Scores
) -> Decisions:
    """What goes together in the labels `learned` from, and how far to rely on each head.

    The latter is measured by what was `said` of pictures with `labels` that were not learned from.
    """
    free = Decisions(*combinations_of(learned, vocabulary))
    decided = free.decide({head: said[head] for head in vocabulary}, vocabulary)
    lines = {}
    for head, words in vocabulary.items():
        rows, truth = truths(labels, head, words)
        one = decided[head]
        if line := line_of(one.confidence[rows], one.codes[rows] == truth):
            lines[head] = line
    return replace(free, lines=lines)


def likeness_figures(
    likeness: Likeness | None, products: np.ndarray, others: Mapping[str, np.ndarray]
) -> dict[str, Any] | None:
    """How many products, and how many pictures of other kinds, are taken for something else."""
    if likeness is None:
        return None
    return {
        "products": _share(likeness.strange(products)),
        "others": {kind: _share(likeness.strange(each)) for kind, each in others.items()},
    }


def decided_figures(
    decisions: Decisions, vocabulary: Vocabulary, labels: Labels, said: Scores
) -> dict[str, Any]:
    """How right the decided labels of n pictures are, and how well their confidence is told.

    `labels` is what is true of each, `said` the scores [n, labels] of each head.
    """
    decided = decisions.decide({head: said[head] for head in vocabulary}, vocabulary)
    heads: dict[str, dict[str, Any]] = {}
    rights = []
    for head, words in vocabulary.items():
        rows, truth = truths(labels, head, words)
        one = decided[head]
        right = one.codes[rows] == truth
        bins = calibration.reliability(right, one.confidence[rows], BINS)
        heads[head] = {**_share(right), "ece": calibration.expected_error(bins)}
        if one.review is not None:
            accepted = ~one.review[rows]
            heads[head]["accepted"] = _share(accepted)
            heads[head]["accepted_right"] = _share(right[accepted])
        rights.append(dict(zip(rows.tolist(), right.tolist(), strict=True)))
    return {"heads": heads, "whole_row": metrics.whole_row(rights).as_dict()}


def truths(labels: Labels, head: str, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The rows that have a label of the head, int64 [n], and its code."""
    rows = np.array([row for row, each in enumerate(labels) if head in each], np.int64)
    return rows, metrics.encode([labels[row][head] for row in rows], words)


def _share(so: np.ndarray) -> dict[str, Any]:
    return metrics.Share(int(so.sum()), len(so)).as_dict()
