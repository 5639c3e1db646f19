"""What the tagger learns, and the shape of what learns it."""

import keras
import numpy as np
import pytest

from catalog.attributes import Attribute
from catalog.tagger import FEWEST_LABELLED, Heads, build, heads_to_learn, targets

COLOUR, SHAPE = Attribute("colour"), Attribute("shape")
MANY = [{"colour": "Red"}, {"colour": "Blue", "shape": "Box"}, {"colour": "Red"}] * FEWEST_LABELLED


def test_vocabulary_is_most_frequent_first():
    """The labels are those of the training pictures, in the order of the outputs."""
    vocabulary, notes = heads_to_learn(MANY, [COLOUR])
    assert vocabulary == {"colour": ("Red", "Blue")}
    assert notes == []


def test_head_with_one_label_is_left_out():
    """It would answer with certainty whatever it sees; the note says what there was."""
    vocabulary, notes = heads_to_learn(MANY, [SHAPE, COLOUR])
    assert list(vocabulary) == ["colour"]
    assert notes == [
        f"shape is left out: {FEWEST_LABELLED} labelled training pictures with 1 different labels"
    ]


def test_head_with_few_rows_is_left_out():
    """A handful of rows teaches nothing, and no row nothing at all."""
    vocabulary, notes = heads_to_learn(MANY[: FEWEST_LABELLED - 1], [COLOUR, Attribute("size")])
    assert vocabulary == {}
    assert len(notes) == 2


@pytest.mark.parametrize("name", ["embedding", "pixels"])
def test_names_of_the_models_own_are_refused(name):
    """An attribute can't take the name of another output."""
    with pytest.raises(ValueError, match=name):
        heads_to_learn(MANY, [Attribute(name)])


def test_blank_and_unknown_labels_weigh_nothing():
    """Only a label that the head can say counts, and it counts 1."""
    rows = [{"colour": "Blue"}, {}, {"colour": "Mauve"}, {"colour": "Red", "shape": "Box"}]
    found = targets(rows, {"colour": ("Red", "Blue"), "shape": ("Box", "Ball")})
    assert found.codes["colour"].tolist() == [1, 0, 0, 0]
    assert found.weights["colour"].tolist() == [1, 0, 0, 1]
    assert found.weights["shape"].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("dense_units", [0, 8])
def test_one_softmax_an_attribute(dense_units):
    """Each head is a layer of its own name, and gives probabilities over its labels."""
    pixels = keras.Input((4, 4, 3), dtype="uint8", name="pixels")
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1.0)(pixels))
    vocabulary = {"colour": ("Red", "Green", "Blue"), "shape": ("Box", "Ball")}
    heads = Heads(vocabulary, dense_units)
    network = build(keras.Model(pixels, pooled), heads)
    said = network(np.zeros((2, 4, 4, 3), np.uint8))
    for head, labels in vocabulary.items():
        assert network.get_layer(head).units == len(labels)
        assert np.allclose(np.asarray(said[head]).sum(axis=1), 1)
    dense = [layer.name for layer in network.layers if layer.name.endswith("-dense")]
    assert len(dense) == (2 if dense_units else 0)


def test_heads_are_shared_between_networks():
    """What is learned on cached features is what the whole network then says."""
    heads = Heads({"colour": ("Red", "Blue")}, dense_units=3)
    one, other = keras.Input((5,)), keras.Input((5,))
    first, second = keras.Model(one, heads(one)), keras.Model(other, heads(other))
    first.get_layer("colour").set_weights([np.ones((3, 2)), np.array([1.0, 2.0])])
    features = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    assert np.array_equal(np.asarray(first(features)["colour"]), second(features)["colour"])
