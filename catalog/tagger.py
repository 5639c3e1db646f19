"""The multi-output tagger: what it is to learn, and the network that learns it."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from catalog.attributes import Attribute, Vocabulary, learn_vocabulary
from catalog.models.datasets import Targets

TASK = "tagger"

FEWEST_LABELLED = 10
"""Labelled training pictures below which a head is left out."""

DROPOUT = 0.3  # of the features
DENSE_DROPOUT = 0.5  # of the dense layer, where there is one
DECAY = 0.03  # L2 penalty of a head's kernel; a tenth where there is a dense layer
CLIP = 4.0  # standard deviations beyond which a feature says no more

RESERVED = ("embedding", "pixels")
"""Names of the network's own outputs and inputs."""


def heads_to_learn(
    labels: Sequence[Mapping[str, str]], attributes: Sequence[Attribute]
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """The vocabulary of the heads worth learning from these pictures, and a note for each other.

    A head with a single label would answer it with certainty, whatever it sees.
    """
    if taken := {attribute.name for attribute in attributes} & set(RESERVED):
        raise ValueError(f"an attribute can't be named {min(taken)}: the model has its own")
    vocabulary = learn_vocabulary(labels, attributes)
    kept, notes = {}, []
    for name in (attribute.name for attribute in attributes):
        words = vocabulary.get(name, ())
        labelled = sum(name in row for row in labels)
        if len(words) >= 2 and labelled >= FEWEST_LABELLED:
            kept[name] = words
        else:
            notes.append(
                f"{name} is left out: {labelled} labelled training pictures"
                f" with {len(words)} different labels"
            )
    return kept, notes


def targets(labels: Sequence[Mapping[str, str]], vocabulary: Vocabulary) -> Targets:
    """Codes and weights of each head; a label that the vocabulary lacks counts as blank."""
    codes, weights = {}, {}
    for head, words in vocabulary.items():
        places = {word: place for place, word in enumerate(words)}
        found = np.array([places.get(row.get(head, ""), -1) for row in labels], np.int32)
        codes[head] = np.maximum(found, 0)
        weights[head] = (found >= 0).astype(np.float32)
    return Targets(codes, weights)


class Heads:
    """One branch an attribute on shared features, to be put on several networks at once.

    Features are standardised and clipped, then each branch is dropout, a dense layer of
    `dense_units` (none for 0), and a softmax named after the attribute.
    """

    def __init__(
        self, vocabulary: Vocabulary, dense_units: int, standard: keras.layers.Layer | None = None
    ) -> None:
        self._standard = standard
        self._branches = {
            head: _branch(head, len(words), dense_units) for head, words in vocabulary.items()
        }

    def __call__(self, features: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        """Probabilities [n, labels] of each head from features [n, d]."""
        if self._standard:
            features = keras.ops.clip(self._standard(features), -CLIP, CLIP)
        return {head: _through(layers, features) for head, layers in self._branches.items()}


def build(features: keras.Model, heads: Heads) -> keras.Model:
    """Raw uint8 pixels in, one probability vector an attribute out."""
    return keras.Model(features.input, heads(features.output), name=TASK)


def _branch(head: str, labels: int, dense_units: int) -> list[keras.layers.Layer]:
    decay = keras.regularizers.L2(DECAY / 10 if dense_units else DECAY)
    return [
        keras.layers.Dropout(DROPOUT, name=f"{head}-dropout"),
        *(_dense(head, dense_units, decay) if dense_units else []),
        keras.layers.Dense(labels, activation="softmax", kernel_regularizer=decay, name=head),
    ]


def _dense(head: str, units: int, decay: keras.regularizers.L2) -> list[keras.layers.Layer]:
    return [
        keras.layers.Dense(
            units, activation="relu", kernel_regularizer=decay, name=f"{head}-dense"
        ),
        keras.layers.Dropout(DENSE_DROPOUT, name=f"{head}-dense-dropout"),
    ]


def _through(layers: Sequence[keras.layers.Layer], tensor: keras.KerasTensor) -> keras.KerasTensor:
    for layer in layers:
        tensor = layer(tensor)
    return tensor
