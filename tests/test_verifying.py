"""`catalog models verify`: each model of the store, whole or what is wrong with it."""

import json
import shutil

import pytest

from catalog.models.artefact import HISTORY, KERAS, LITERT, SPLIT, SUMMARY
from tests.hostile_models import card, instead, keras, network, no_numbers


def verdict(bench, folder):
    """What the command says of a folder in the place of tiny/1, and how it ends."""
    result = bench.run("models", "verify")
    assert len(result.stdout.splitlines()) == 1
    return result.exit_code, result.stdout.strip().replace(f"{folder}/", "")


def test_a_whole_model_is_ok(bench):
    """One line a model, and all is well."""
    assert verdict(bench, bench.store.model("tiny", "1")) == (0, "tiny/1  ok")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "card.json").write_text("{"), "card.json is not a model's card: Expecting"),
        (lambda f: (f / SUMMARY).write_text("x"), "summary.txt is not the file that its card"),
        (lambda f: (f / HISTORY).unlink(), "history.json can't be read"),
        (lambda f: card(f, files={}), "card.json does not name model.tflite; "),
        (lambda f: card(f, version="2"), "its card is that of tiny/2"),
        (instead(LITERT, b"no network"), "model.tflite can't be loaded"),
        (network(no_numbers), "model.tflite gives no finite numbers as"),
        (keras(lambda members: members.update({"x": b""})), "model.keras is not a network of"),
        (instead(SPLIT, b"PAR1"), "split.parquet is not the table that it should be"),
    ],
)
def test_what_is_wrong_is_told(bench, spoil, said):
    """In one line, and the command ends with 1."""
    folder = bench.store.model("tiny", "1")
    spoil(folder)
    code, line = verdict(bench, folder)
    assert code == 1
    assert line.startswith(f"tiny/1  {said}")


def test_all_that_is_wrong_is_told_once(bench):
    """A file that is not the one named is not looked into."""
    folder = bench.store.model("tiny", "1")
    instead(LITERT, b"x", vouched=False)(folder)
    instead(KERAS, b"x", vouched=False)(folder)
    assert verdict(bench, folder) == (
        1,
        (
            "tiny/1  model.keras is not the file that its card describes; "
            "model.tflite is not the file that its card describes"
        ),
    )


def test_what_the_card_does_not_name_is_told(bench):
    """It is never opened, so that the model is no worse for it."""
    folder = bench.store.model("tiny", "1")
    (folder / "notes.txt").write_text("mine")
    assert verdict(bench, folder) == (0, "tiny/1  ok (its card does not name notes.txt)")


def test_a_script_reads_the_same(bench):
    """With --json it is an array, of those asked for."""
    shutil.copytree(bench.store.model("tiny", "1"), bench.store.model("tiny", "2"))
    result = bench.run("models", "verify", "tiny/1", "--json")
    assert json.loads(result.stdout) == [
        {"ok": True, "model": "tiny/1", "wrong": [], "unnamed": []}
    ]
    result = bench.run("models", "verify", "tiny/1", "tiny/2", "--json")
    assert [one["ok"] for one in json.loads(result.stdout)] == [True, False]
    assert result.exit_code == 1


@pytest.mark.parametrize("command", ["verify", "show", "use"])
def test_a_model_that_is_not_there(bench, command):
    """One line says which there are; a path out of the store is none of them."""
    for name in ("nosuch/1", "../models/tiny/1"):
        result = bench.run("models", command, name)
        assert result.exit_code == 2
        assert f"the store has no model {name}; it has tiny/1" in result.output


def test_a_store_without_models(bench):
    """Nothing to look at is nothing wrong."""
    shutil.rmtree(bench.store.models)
    assert bench.run("models", "verify").stdout == "no models yet\n"
    result = bench.run("models", "show", "tiny/1")
    assert "the store has no model tiny/1; it has none yet" in result.output


def test_figures_that_make_no_sense(bench):
    """A card may be of the right kinds and yet say nothing."""
    card(bench.store.model("tiny", "1"), metrics={"heads": {"colour": [1]}})
    result = bench.run("models", "show", "tiny/1")
    assert result.exit_code == 2
    assert "the figures in the card of tiny/1 make no sense" in result.output


def test_a_classifier_without_a_rule_is_listed(bench):
    """A stranger's card does not end the listing of the others."""
    card(bench.store.model("tiny", "1"), task="engagement", settings={}, split={})
    result = bench.run("models")
    assert result.exit_code == 0
    assert "high is None, split by None" in result.stdout
