"""The tagger that comes along: for a shop without a model and without labels, and offline."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import catalog
from catalog.models.artefact import load_card, save_card
from catalog.models.runtime import Runtime
from jobs import shipping, starter
from jobs.cli import cli
from sql.store import make_current
from tests.tiny_model import draw


@pytest.fixture(autouse=True)
def shipped(tiny_model, tmp_path, monkeypatch):
    """A tiny tagger in place of the one that comes with the catalog."""
    monkeypatch.setattr(starter, "FOLDER", tmp_path / "starter")
    shipping.ship(tiny_model)
    save_card(starter.FOLDER, replace(load_card(starter.FOLDER), name=starter.NAME))
    return starter.FOLDER


@pytest.fixture
def shop(bench):
    """A served catalogue of twelve products, and a store without any model."""
    shutil.rmtree(bench.store.models)
    return bench


def test_what_is_shipped_is_what_tagging_needs(shipped, tiny_model):
    """Its card names the files that came along, and says all that it said."""
    assert {path.name for path in shipped.iterdir()} == {
        *("card.json", "model.tflite", "split.parquet"),
    }
    card, trained = load_card(shipped), load_card(tiny_model)
    assert card.metrics["heads"] == trained.metrics["heads"]
    assert any("section of the shop" in note for note in card.notes)
    assert set(card.files) == {"model.tflite", "split.parquet"}


def test_what_is_shipped_is_smaller_and_says_the_same(shipped, tiny_model):
    """Its dense layers are in float16: fewer bytes, and not one label differs."""
    sizes = [(folder / "model.tflite").stat().st_size for folder in (shipped, tiny_model)]
    assert sizes[0] < sizes[1]
    assert load_card(shipped).metrics["litert"]["labels_equal"] == 1


def test_the_tagger_that_comes_along_is_whole_and_small():
    """The real one: at most 12 MB with its card, loadable, and it says what gender means."""
    folder = Path(catalog.__file__).parent / starter.NAME
    card = Runtime(folder).card
    taken = sum((folder / name).stat().st_size for name in ("model.tflite", "card.json"))
    assert taken <= 12_000_000
    assert set(card.vocabulary) == {"gender", "category", "subcategory", "product_type", "colour"}
    assert any("section of the shop" in note for note in card.notes)
    assert "/" not in card.settings["weights"]


def loudly(shop, *arguments):
    """The command as people give it."""
    config = shop.folder / "catalog.toml"
    words = ["--store", shop.store.root, "--config", config, *arguments]
    return CliRunner().invoke(cli, list(map(str, words)))


def test_a_shop_without_labels_is_tagged_on_its_first_day(shop):
    """Twelve labels are no training: the starter serves, is told, listed, verified, and stays."""
    shop.run("models")  # writes catalog.toml
    asked = ("tag", shop.write(), "--allow-host", shop.shop.host)
    first = loudly(shop, *asked)
    assert "labelled products: 100 are the least" in first.stderr
    assert "starter/1, which comes with the catalog, serves instead" in first.stderr
    assert shop.ask("select count(*), count(distinct model) from tags where tagged") == [(12, 1)]
    assert "* starter/1" in shop.run("models").stdout
    assert "starter/1  ok" in shop.run("models", "verify").stdout
    again = loudly(shop, *asked)
    assert again.stdout == "nothing to do: 12 products are as they were\n"
    assert "labelled" not in again.stderr


def test_check_says_that_the_starter_would_serve(shop):
    """And installs nothing."""
    assert "none yet: the starter would serve" in shop.run("check", shop.write()).stdout
    assert not shop.store.models.exists()


def test_asked_to_train_it_does_not_make_do(shop):
    """--train on too few labels is refused, as before."""
    refused = shop.run("tag", shop.write(), "--train")
    assert refused.exit_code == 2
    assert "100 are the least" in refused.stderr
    assert not shop.store.models.exists()


def test_it_can_be_asked_for(bench):
    """--model starter tags with it, and the store's own model goes on serving."""
    own = bench.store.models / "own" / "1"
    shutil.copytree(bench.store.models / "tiny" / "1", own)
    save_card(own, replace(load_card(own), name="own"))
    make_current(bench.store, "tagger", "own/1")
    assert bench.tag("--model", "starter")["tagged"] == 12
    assert bench.ask("select distinct model from tags") == [("starter/1",)]
    assert "* own/1" in bench.run("models").stdout


def test_a_picture_needs_no_store(shop, tmp_path):
    """Nothing is installed to look at one picture."""
    picture = tmp_path / "one.png"
    draw(3)[0].save(picture)
    said = shop.run("tag", picture)
    assert "shape" in said.stdout
    assert "the one that comes with the catalog looks" in said.stderr
    assert not shop.store.models.exists()


def test_a_picture_of_nothing_is_told_so(shop, shipped, tmp_path):
    """Where the model can tell, the answer says that the picture is like no product it knows."""
    picture = tmp_path / "one.png"
    draw(3)[0].save(picture)
    told = json.loads(shop.run("tag", picture, "--json").stdout)
    assert told["not_a_product"] is None
    card = load_card(shipped)
    for threshold, strange in ((1e9, False), (0.0, True)):
        likeness = {"deviations": [1.0] * card.embedding_size, "threshold": threshold}
        save_card(shipped, replace(card, decisions=card.decisions | {"likeness": likeness}))
        assert json.loads(shop.run("tag", picture, "--json").stdout)["not_a_product"] is strange
        assert ("like no product" in shop.run("tag", picture).stdout) is strange
