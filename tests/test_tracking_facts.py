"""What tracking is told of a model, read from its folder."""

import json
from dataclasses import replace

import pytest

from catalog.models.artefact import hashes, load_card
from jobs.tracking_facts import Measure, experiment_of, measures_of, parameters_of, phases_told

HEADS = {"class": {"loss": 0.5, "val_loss": 0.6, "accuracy": 0.8, "val_accuracy": 0.7}}


@pytest.fixture
def folder(tmp_path):
    """A model's folder that has but a history: of two phases, the first of two epochs."""
    epochs = [
        {
            "epoch": number,
            "learning_rate": 0.1,
            "loss": 1.0,
            "val_loss": number / 10,
            "heads": HEADS,
        }
        for number in (1, 2, 3)
    ]
    empty = {"phase": "none", "epochs": []}
    phases = [
        {"phase": "heads", "epochs": epochs[:2]},
        empty,
        {"phase": "fine-tuning", "epochs": [epochs[2] | {"epoch": 1, "loss": float("nan")}]},
    ]
    (tmp_path / "history.json").write_text(json.dumps({"phases": phases}))
    return tmp_path


@pytest.fixture
def card(folder, tiny_model):
    """The tiny model's card with that history."""
    return replace(load_card(tiny_model), files=hashes(folder))


def named(measures, name):
    """The steps and values of one measure."""
    return [(each.step, each.value) for each in measures if each.name == name]


def test_epochs_count_on_from_phase_to_phase(folder, card):
    """The curves of two phases are one line; the phase is told; what is no number is left out."""
    measures = measures_of(folder, card)
    assert named(measures, "val_loss") == [(1, 0.1), (2, 0.2), (3, 0.3)]
    assert named(measures, "phase") == [(1, 1), (2, 1), (3, 2)]
    assert named(measures, "class/val_accuracy") == [(1, 0.7), (2, 0.7), (3, 0.7)]
    assert named(measures, "loss") == [(1, 1.0), (2, 1.0)]
    assert phases_told(folder, card) == "heads: 1 to 2; fine-tuning: 3 to 3"


def test_seeds_and_phases_are_measures(folder, card):
    """Each seed is a step; the test after each phase is a measure of its own."""
    seeds = [{"seed": seed, "right": 9, "n": 10, "value": 0.9} for seed in (0, 7)]
    after = [{"phase": "heads", "right": 8, "n": 10, "value": 0.8, "interval": [0.7, 0.9]}]
    metrics = {**card.metrics, "seeds": seeds, "after_phase": after}
    measures = measures_of(folder, replace(card, metrics=metrics))
    assert named(measures, "seeds/value") == [(0, 0.9), (7, 0.9)]
    assert named(measures, "after_phase/heads") == [(0, 0.8)]
    low = card.metrics["heads"]["shape"]["interval"][0]
    assert Measure("test/shape/interval_low", low) in measures
    assert Measure("gap/loss", card.metrics["gap"]["loss"]) in measures


def test_a_recipe_has_an_experiment_of_its_own(card):
    """Variants of a recipe are compared with each other; a name that is none is not taken."""
    recipe = {"name": "fashion-mnist-cnn", "variant": "ours", "published": 0.91, "least": None}
    asked = {"recipe": recipe, "class_names": {"es": {"Bag": "Bolso"}}, "weights": "/home/x.h5"}
    of_recipe = replace(card, settings={**card.settings, **asked})
    assert (experiment_of(card), experiment_of(of_recipe)) == ("tiny", "fashion-mnist-cnn")
    odd = replace(card, settings={"recipe": {"name": "../up"}})
    assert experiment_of(odd) == "tiny"
    told = parameters_of(of_recipe)
    assert (told["recipe.variant"], told["recipe.published"]) == ("ours", "0.91")
    assert told["weights"] == card.weights  # not the path of a file of this machine
    assert not [name for name in told if "least" in name or "class_names" in name]


def test_names_and_values_are_such_as_mlflow_takes(folder, card):
    """A head may be called anything, and a setting may be long."""
    metrics = {"heads": {"tono (día)": {"accuracy": 0.5}}}
    odd = replace(card, metrics=metrics, settings={"a*b": "x" * 900})
    assert Measure("test/tono _día_/accuracy", 0.5) in measures_of(folder, odd)
    assert parameters_of(odd)["a_b"] == "x" * 499 + "…"


def test_a_history_that_makes_no_sense_is_told(folder, card):
    """A ValueError, which tracking tells in a line."""
    (folder / "history.json").write_text("[]")
    with pytest.raises(ValueError, match=r"history.json or the card's metrics"):
        measures_of(folder, replace(card, files=hashes(folder)))
