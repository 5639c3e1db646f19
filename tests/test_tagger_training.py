"""A trained model carries its evidence, and the evidence adds up."""

import io
import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from catalog.models.artefact import (
    HISTORY,
    SAMPLE,
    TEST_SCORES,
    hashes,
    load_card,
)
from catalog.models.runtime import Runtime
from catalog.models.splits import TEST, TrainedGroups, split_of
from catalog.tagger_training import Example, distinct
from tests.tiny_model import SETTINGS, examples, train


def test_card_tells_the_whole_story(tiny_model):
    """What it learned, from what, in how many pictures, and what it left out."""
    card = load_card(tiny_model)
    assert (card.task, card.model) == ("tagger", "tiny/1")
    assert list(card.vocabulary) == ["shape", "colour"]
    assert card.settings["attributes"] == ["shape", "colour", "season"]
    sides = card.split["sides"]
    assert sum(side["pictures"] for side in sides.values()) == 40
    assert card.trained_on["pictures"] == 40 - sides[TEST]["pictures"]
    assert any(note.startswith("season is left out") for note in card.notes)
    assert any("started without weights" in note for note in card.notes)
    assert card.files == hashes(tiny_model)
    assert card.metrics["litert"]["labels_equal"] == 1


def test_measures_of_the_test_side(tiny_model):
    """Each head is measured over its labelled test pictures; loss and gap agree with that."""
    card = load_card(tiny_model)
    scores = pq.read_table(tiny_model / TEST_SCORES).to_pylist()
    for head, measured in card.metrics["heads"].items():
        rows = [row for row in scores if row["head"] == head]
        labels = card.vocabulary[head]
        right = [labels[int(np.argmax(row["scores"]))] == row["truth"] for row in rows]
        assert measured["n"] == len(rows)
        assert measured["accuracy"] == pytest.approx(np.mean(right))
        gap = card.metrics["train"]["accuracy"][head] - measured["accuracy"]
        assert card.metrics["gap"]["accuracy"][head] == pytest.approx(gap)
    losses = card.metrics["test"]["losses"].values()
    assert card.metrics["test"]["loss"] == pytest.approx(sum(losses))


def test_split_and_scores_are_about_the_same_pictures(tiny_model):
    """Test scores are of test pictures only, and none of those counts as trained on."""
    split = split_of(tiny_model, load_card(tiny_model))
    tested = {member.picture for member in split if member.side == TEST}
    scored = set(pq.read_table(tiny_model / TEST_SCORES)["picture"].to_pylist())
    assert scored == tested
    known = TrainedGroups.of_model(tiny_model, load_card(tiny_model)).contains(
        [member.fingerprint for member in split]
    )
    assert known.tolist() == [member.side != TEST for member in split]


def test_kept_scores_are_the_models(tiny_model, tmp_path):
    """The scores that were kept are what the exported file says of those pictures."""
    runtime = Runtime(tiny_model)
    paths = {example.picture: example.path for example in examples(tmp_path)}
    row = pq.read_table(tiny_model / TEST_SCORES).to_pylist()[0]
    from catalog.images.decoders import Decoder  # noqa: PLC0415 - a worker process

    with Decoder(32) as decoder:
        pixels = decoder.decode(paths[row["picture"]]).pixels
    said = runtime.run(pixels[None]).scores[row["head"]][0]
    assert np.allclose(said, row["scores"], atol=1e-5)


def test_history_and_sample(tiny_model):
    """The curves of each epoch, and labelled training pictures at the model's size, are kept."""
    phases = json.loads((tiny_model / HISTORY).read_text(encoding="utf-8"))["phases"]
    assert [len(phase["epochs"]) for phase in phases] == [SETTINGS.epochs]
    assert set(phases[0]["epochs"][0]["heads"]) == {"shape", "colour"}
    sample = pq.read_table(tiny_model / SAMPLE).to_pylist()
    assert 0 < len(sample) <= 24
    assert Image.open(io.BytesIO(sample[0]["png"])).size == (32, 32)
    assert dict(sample[0]["labels"])["shape"] in ("Ball", "Box")


def test_repeated_pictures_count_once():
    """A picture under several products with equal labels is one example, the first of them."""
    first = Example("1", "a", None, {"colour": "Red"}, "", None)
    again = replace(first, product="2")
    other = replace(first, product="3", labels={"colour": "Blue"})
    assert distinct([first, again, other]) == [first, other]


def test_too_little_to_learn_from(tmp_path):
    """Nine labelled pictures are refused before anything is built."""
    with pytest.raises(ValueError, match="too little to learn from"):
        train(tmp_path / "training", examples(tmp_path / "pictures", 9))


def test_alike_pictures_can_not_be_split(tmp_path):
    """When everything is one group, nothing is left to test on, and the message says why."""
    alike = [replace(one, fingerprint="0" * 128) for one in examples(tmp_path / "pictures", 12)]
    with pytest.raises(ValueError, match="no picture is left for"):
        train(tmp_path / "training", alike)
