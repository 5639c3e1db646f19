"""A model's card: read whole or refused with a reason."""

import json
from dataclasses import replace

import pytest

from catalog.models import artefact
from catalog.models.artefact import (
    CARD,
    Card,
    ModelRefused,
    hashes,
    load_card,
    save_card,
    verify,
)

CARD_OF_TINY = Card(
    task="tagger",
    name="tagger",
    version="20260101-1",
    created="2026-01-01T00:00:00+00:00",
    vocabulary={"colour": ("Red", "Blue é")},
    image_size=32,
    backbone="cnn",
    weights="none",
    embedding_size=8,
    settings={"seed": 0},
    trained_on={"pictures": 3},
    split={"rule": "by group"},
    metrics={"test": {"loss": 0.5}},
    files={},
    parameters=12,
    versions={"keras": "3"},
    notes=("colour only",),
)


def written(tmp_path, **changes):
    """A folder whose card has these fields changed in the file itself."""
    save_card(tmp_path, CARD_OF_TINY)
    content = json.loads((tmp_path / CARD).read_text(encoding="utf-8"))
    (tmp_path / CARD).write_text(json.dumps(content | changes), encoding="utf-8")
    return tmp_path


def test_card_round_trip(tmp_path):
    """What was saved is what is loaded, label order and all."""
    save_card(tmp_path, CARD_OF_TINY)
    assert load_card(tmp_path) == CARD_OF_TINY
    assert load_card(tmp_path).model == "tagger/20260101-1"


def test_folder_without_card(tmp_path):
    """A folder that is no model is refused by name."""
    with pytest.raises(ModelRefused, match=f"no model in {tmp_path}"):
        load_card(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": 2}', "\ufeff{}", "[" * 10**5])
def test_damaged_card(tmp_path, text):
    """What is not a card is refused, and the message names the file."""
    (tmp_path / CARD).write_text(text, encoding="utf-8")
    with pytest.raises(ModelRefused, match=CARD):
        load_card(tmp_path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"vocabulary": {"colour": ["Red"]}}, "two labels"),
        ({"vocabulary": {"colour": ["Red", "Red"]}}, "each once"),
        ({"vocabulary": {"colour": "Red"}}, "list of names"),
        ({"vocabulary": ["colour"]}, "vocabulary is of the wrong kind"),
        ({"image_size": 100_000}, "image_size"),
        ({"image_size": True}, "image_size"),
        ({"image_size": "32"}, "image_size is of the wrong kind"),
        ({"files": {"../../etc/passwd": "0"}}, "not a plain name"),
        ({"files": {"model.tflite": 7}}, "files"),
        ({"version": ".."}, "not a plain name"),
        ({"name": "a/b"}, "not a plain name"),
        ({"notes": "none"}, "notes is of the wrong kind"),
    ],
)
def test_senseless_card(tmp_path, changes, reason):
    """Each field is of its kind and within bounds, or the card is refused."""
    with pytest.raises(ModelRefused, match=reason):
        load_card(written(tmp_path, **changes))


def test_card_that_lacks_a_field(tmp_path):
    """An incomplete card is refused, and told what it lacks."""
    save_card(tmp_path, CARD_OF_TINY)
    content = json.loads((tmp_path / CARD).read_text(encoding="utf-8"))
    del content["vocabulary"]
    (tmp_path / CARD).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ModelRefused, match="lacks vocabulary"):
        load_card(tmp_path)


def test_unknown_fields_of_a_newer_card_are_ignored(tmp_path):
    """A later version may say more."""
    assert load_card(written(tmp_path, calibration={"colour": 1.2})) == CARD_OF_TINY


def test_verified_bytes(tmp_path):
    """The bytes that the card names are given; others are refused, and so is what it omits."""
    (tmp_path / "model.tflite").write_bytes(b"network")
    card = replace(CARD_OF_TINY, files=hashes(tmp_path))
    assert verify(tmp_path, "model.tflite", card) == b"network"
    with pytest.raises(ModelRefused, match="does not name"):
        verify(tmp_path, "model.keras", card)
    (tmp_path / "model.tflite").write_bytes(b"another")
    with pytest.raises(ModelRefused, match="not the file that its card describes"):
        verify(tmp_path, "model.tflite", card)
    (tmp_path / "model.tflite").unlink()
    with pytest.raises(ModelRefused, match="can't be read"):
        verify(tmp_path, "model.tflite", card)


def test_a_figure_that_is_no_number_is_none(tmp_path):
    """JSON has no NaN: a card says null, and is read by everyone."""
    save_card(
        tmp_path, replace(CARD_OF_TINY, metrics={"x": [float("nan"), {"y": float("inf")}, 1]})
    )
    assert load_card(tmp_path).metrics == {"x": [None, {"y": None}, 1]}


def test_a_card_beyond_the_bound_is_refused(tmp_path, monkeypatch):
    """One byte too many is too many."""
    save_card(tmp_path, CARD_OF_TINY)
    monkeypatch.setattr(artefact, "LARGEST_CARD", (tmp_path / CARD).stat().st_size - 1)
    with pytest.raises(ModelRefused, match="larger than"):
        load_card(tmp_path)
