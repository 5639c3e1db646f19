"""Recipes: what their files say, and what training one leaves in a store and says."""

import io
import json
import shutil
import signal
import subprocess
import sys
import tarfile
from dataclasses import replace
from functools import partial
from hashlib import md5
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pyarrow.parquet as pq
import pytest

from catalog.models.artefact import load_card, save_card
from jobs import downloads, recipe
from jobs.console import Console
from sql.store import current, make_current
from tests.class_pictures import write_idx, write_listed

HERE = Path(__file__).resolve().parent.parent
DRAWN = """
title = "Drawn bars"
kind = "classes"
variant = "faithful"
source = "about .9"
published = 0.9
least = 0.2
seeds = [0, 3]

[data]
name = "drawn"
where = "they are drawn by the tests"
classes = ["Lying", "Standing", "Block"]

[train]
backbone = "dense"
image_size = 12
channels = 1
epochs = 2
batch_size = 16

[class_names.es]
Lying = "tumbada"
Standing = "de pie"
Block = "bloque"
"""


@pytest.fixture
def drawn(tmp_path):
    """A recipe in a file of one's own; its data lie beside it."""
    path = tmp_path / "drawn.toml"
    path.write_text(DRAWN)
    write_idx(tmp_path / "data")
    return path


def refused(bench, *arguments, code=2):
    """What the command says when it ends with this code."""
    result = bench.run(*arguments)
    assert result.exit_code == code, result.output
    return result


@pytest.mark.parametrize("name", recipe.names())
def test_each_recipe_of_the_project_can_be_read(name):
    """Every file says a training that is known, and where its data are to be had."""
    read = recipe.read(name)
    assert read.name == name
    assert read.data.where
    assert set(read.class_names) <= {"es"}
    if read.variant == "faithful" and read.kind != "engagement":
        assert len(read.seeds) == 3
    for names in read.class_names.values():
        assert not read.data.classes or set(names) == set(read.data.classes)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("kind =", "kin ="), "kind is missing"),
        (('"classes"', '"songs"'), "'songs' is none of"),
        (("epochs", "epoch"), "unknown setting epoch; known: "),
        (("epochs = 2", 'epochs = "2"'), "epochs must be a whole number"),
        (("where", "were"), "unknown setting data.were"),
        (("title =", "name = 3\ntitle ="), "multiple values"),
        (("seeds = [0, 3]", "seeds = ["), "no good: "),
        (("seeds = [0, 3]", "seeds = []"), "seeds are one number or more"),
        (("seeds = [0, 3]", "seeds = [0, 0]"), "each once"),
        (("seeds = [0, 3]", "seeds = [-1]"), "whole numbers from 0"),
        (("least = 0.2", 'least = "x"'), "least is a share"),
        (("[train]", "[trained]"), "train is missing"),
        (("[class_names.es]", "class_names = 3\n[x]"), "no good"),
        (('"Block"]', '"Stone"]\ncolumns = 3'), "no good"),
    ],
)
def test_a_recipe_that_is_wrong_is_told_in_one_line(bench, drawn, change, told):
    """What a file may not say is told with the file."""
    drawn.write_text(DRAWN.replace(*change, 1))
    done = refused(bench, "train", "--recipe", drawn, "--data", drawn.parent / "data", code=2)
    assert told in done.stderr
    assert str(drawn) in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2


def test_recipes_are_listed(bench):
    """Each with whether it is its source's or ours, and the source's figure."""
    lines = bench.run("recipes").stdout.splitlines()
    assert [line.split()[0] for line in lines] == recipe.names()
    [cnn] = [line for line in lines if line.startswith("fashion-mnist-cnn")]
    assert "faithful" in cnn
    assert "about .91" in cnn
    told = json.loads(bench.run("recipes", "--json").stdout)
    assert {each["name"]: each["least"] for each in told}["fashion-mnist-cnn"] == 0.895


def test_a_recipe_trains_and_changes_nothing_that_serves(bench, drawn):
    """Two seeds are trained; the first one's model is kept with both figures, the tagger stays."""
    serving = current(bench.store, "tagger")
    arguments = ("train", "--recipe", drawn, "--data", drawn.parent / "data")
    done = bench.run(*arguments, "--json", "--lang", "es")
    told = json.loads(done.stdout)
    assert not told["current"]
    assert current(bench.store, "tagger") == serving
    assert current(bench.store, "classes") is None
    card = load_card(bench.store.models / told["model"])
    assert (card.name, card.task, card.settings["seed"]) == ("drawn", "classes", 0)
    assert card.settings["recipe"]["published"] == 0.9
    seeds = card.metrics["seeds"]
    assert [each["seed"] for each in seeds] == [0, 3]
    assert seeds[0]["right"] == card.metrics["whole_row"]["right"]
    figures = told["figures"]
    assert figures["accuracy"] == pytest.approx(sum(each["value"] for each in seeds) / 2)
    assert figures["reached"] == (figures["accuracy"] >= 0.2)
    page = (bench.store.root / told["report"]).read_text()
    assert "tumbada" in page
    assert "Lying" not in page
    assert bench.run("models", "verify", told["model"]).stdout.strip() == f"{told['model']}  ok"
    assert "3 classes" in bench.run("models").stdout
    told = refused(bench, "models", "use", told["model"], code=2)
    assert "no command of a store uses it" in told.stderr


def test_a_tagger_recipe_serves_only_when_it_is_told_to(bench, drawn):
    """It is trained on two shops' CSVs with one spelling; `models use` lets the result tag."""
    make_current(bench.store, "tagger", "tiny/1")
    bench.rows.clear()
    bench.fill(272)
    rows, bench.rows = bench.rows, []
    for shop, shouts in (("north", False), ("south", True)):
        bench.rows = [
            {**row, "id": f"p{place}", "colour": row["colour"].upper() if shouts else row["colour"]}
            for place, row in enumerate(rows[shouts * 136 :][:136])
        ]
        (bench.folder / shop).mkdir()
        bench.write(f"{shop}/products.csv")
    drawn.write_text(TAGGER)
    bench.extra_settings = f'\n[fetch]\nallow_hosts = ["{bench.shop.host}"]\n'
    arguments = ("train", "--recipe", drawn, "--data", bench.folder, "--json")
    done = bench.run(*arguments)
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert current(bench.store, "tagger") == "tiny/1"
    assert set(told["figures"]["heads"]) == {"shape", "colour"}
    card = load_card(bench.store.models / told["model"])
    assert set(card.vocabulary["colour"]) == {"Red", "Green", "Blue"}
    tested = pq.read_table(bench.store.models / told["model"] / "test_scores.parquet")
    assert {name.split("/")[0] for name in tested["id"].to_pylist()} == {
        "north-products",
        "south-products",
    }
    bench.run("models", "use", told["model"])
    assert current(bench.store, "tagger") == told["model"]
    told = drawn.read_text()
    drawn.write_text(told.replace("[labels.colour]", "[labels.color]"))
    assert "labels of color, which is no attribute" in refused(bench, *arguments).stderr
    drawn.write_text(told)
    alone = refused(bench, *arguments[:4], bench.folder / "north" / "products.csv")
    assert "is trained on 2 CSVs" in alone.stderr


def test_seeds_of_a_tagger_are_kept_head_by_head(drawn, tiny_model, tmp_path):
    """The first seed's model stays, and its card tells how right each head is in every seed."""
    drawn.write_text(TAGGER.replace('variant = "ours"', 'variant = "ours"\nseeds = [4, 7]'))
    asked = recipe.read(str(drawn))

    def one(train, place):
        folder = shutil.copytree(tiny_model, place / "model")
        card = load_card(folder)
        save_card(folder, replace(card, settings={**card.settings, "seed": train.seed}))
        return folder

    card = load_card(recipe.by_seeds(asked, asked.train, tmp_path, one))
    assert card.settings["seed"] == 4
    assert [each["seed"] for each in card.metrics["seeds"]] == [4, 7]
    for each in card.metrics["seeds"]:
        assert set(each["heads"]) == set(card.vocabulary)


TAGGER = """
title = "Two shops"
kind = "tagger"
variant = "ours"

[data]
name = "shops"
where = "they are the shops'"

[[data.tables]]
file = "north/products.csv"

[[data.tables]]
file = "south/products.csv"

[train]
backbone = "cnn"
weights = "none"
image_size = 32
epochs = 1
fine_tune_layers = 0

[labels.colour]
RED = "Red"
GREEN = "Green"
BLUE = "Blue"
"""


def test_data_that_are_nowhere_are_named(bench, drawn, monkeypatch):
    """The line says where people get them, and that nothing was fetched without asking."""
    monkeypatch.setenv("KERAS_HOME", str(drawn.parent / "keras"))
    told = refused(bench, "train", "--recipe", "fashion-mnist-cnn", code=2)
    assert "wants the data fashion-mnist" in told.stderr
    assert "github.com/zalandoresearch" in told.stderr
    assert "--download" in told.stderr
    told = refused(bench, "train", "--recipe", drawn, "--download", code=2)
    assert "drawn can't be downloaded" in told.stderr
    told = refused(bench, "train", "--recipe", drawn, "--data", drawn.parent / "gone", code=2)
    assert "there is no" in told.stderr
    told = refused(bench, "train", "--recipe", "nothing", code=2)
    assert "there is no recipe nothing" in told.stderr
    told = refused(bench, "train", "--recipe", "../recipes/engagement", code=2)
    assert "there is no recipe" in told.stderr


def test_data_where_keras_keeps_them_need_not_be_named(tmp_path, monkeypatch):
    """What was fetched once is found again."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert downloads.kept(recipe.read("fashion-mnist-cnn").data) == (
        tmp_path / "datasets" / "fashion-mnist"
    )


def test_other_data_than_the_recipes_are_refused(bench, drawn):
    """Class folders of something else are no test of a recipe that names its classes."""
    folder = write_listed(drawn.parent / "food")
    told = refused(bench, "train", "--recipe", drawn, "--data", folder)
    assert "its classes are Lying, Standing, Block, and there are block" in told.stderr
    told = refused(bench, "train", "--recipe", drawn, "--data", drawn)
    assert "is not a folder" in told.stderr
    named = drawn.with_name("my drawn.toml")
    drawn.rename(named)
    told = refused(bench, "train", "--recipe", named, "--data", folder)
    assert "'my drawn' can't be the name of a model" in told.stderr


def test_what_is_changed_is_said(bench, tmp_path):
    """A recipe of whose settings the command line takes some is no longer its source's."""
    drawn = tmp_path / "drawn.toml"
    drawn.write_text(DRAWN.replace("least = 0.2", "least = 0.2\npublished_classes = 5"))
    data = write_idx(tmp_path / "data")
    arguments = ("train", "--recipe", drawn, "--data", data, "--seed", 4)
    lines = bench.run(*arguments).stdout.splitlines()
    assert "trained otherwise than the recipe says: seed" in lines
    [path] = bench.store.models.glob("drawn/*")
    said = load_card(path).settings["recipe"]
    assert said["variant"] == "faithful but for seed"
    assert (said["published"], said["least"]) == (None, 0.2)
    assert "weights" not in load_card(path).settings


def test_an_interrupted_training_goes_on(bench, drawn, monkeypatch):
    """Stopped while it learns, it says that the same command goes on; and that does."""
    drawn.write_text(DRAWN.replace("epochs = 2", "epochs = 40").replace("[0, 3]", "[0]"))
    arguments = ("--store", bench.store.root, "train", "--recipe", drawn)
    arguments = [str(each) for each in (*arguments, "--data", drawn.parent / "data")]
    command = [sys.executable, "-m", "jobs.cli", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=HERE) as first:
        for line in first.stderr:
            if "epoch 3 of" in line:
                first.send_signal(signal.SIGINT)
                break
        last = first.stderr.read().splitlines()[-1]
    assert first.returncode == 1
    assert last.startswith("interrupted: what was learned so far is kept")
    said = []
    monkeypatch.setattr(Console, "say", lambda _, line: said.append(line))
    done = bench.run(*arguments[2:])
    assert done.exit_code == 0, done.output
    assert any(line.startswith("whole was interrupted: it goes on after epoch") for line in said)
    epochs = [int(line.split()[2]) for line in said if line.startswith("whole, epoch")]
    assert epochs == list(range(epochs[0], 41))
    assert epochs[0] >= 3
    assert list(bench.store.trainings.iterdir()) == []


def test_damaged_data_are_told_in_one_line(bench, drawn):
    """The file that is cut short is named, and no model appears."""
    path = drawn.parent / "data" / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:100])
    told = refused(bench, "train", "--recipe", drawn, "--data", path.parent, code=2)
    assert "t10k-images-idx3-ubyte.gz can't be read" in told.stderr
    assert not list(bench.store.models.glob("drawn/*"))


@pytest.mark.parametrize(
    "wrong",
    [
        ("train",),
        ("train", "--recipe", "fashion-mnist-cnn", "tagger", "products.csv"),
        ("train", "--json", "tagger", "products.csv"),
    ],
)
def test_what_to_train_is_said_once(bench, wrong):
    """A recipe, or one of the commands, and no flag that would say nothing."""
    refused(bench, *wrong, code=2)


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and logs nothing."""

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def archive(tmp_path):
    """An archive of listed pictures, served on loopback: its address and its MD5."""
    listed = write_listed(tmp_path / "made" / "food")
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        tar.add(listed, "food")
    served = tmp_path / "served"
    served.mkdir()
    (served / "food.tar.gz").write_bytes(data.getvalue())
    shutil.rmtree(listed)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=served)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/food.tar.gz"
        yield address, md5(data.getvalue()).hexdigest()  # noqa: S324 - as publishers tell it
        server.shutdown()


FOOD = """
title = "Drawn food"
kind = "classes"
variant = "ours"
source = "about .9"
least = 0.2

[data]
name = "food"
where = "it is on loopback"
url = "{url}"
hash = "{hash}"
unpacked = "food"

[train]
backbone = "dense"
image_size = 32
epochs = 1
"""


def test_data_are_fetched_when_asked_for(bench, tmp_path, archive, monkeypatch):
    """The archive is fetched and unpacked once; another seed finds it, and says its figure."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    url, digest = archive
    path = tmp_path / "food.toml"
    path.write_text(FOOD.format(url=url, hash=digest))
    done = bench.run("train", "--recipe", path, "--download", "--json")
    told = json.loads(done.stdout)
    assert told["figures"]["first_seed"]["n"] == 12
    lines = bench.run("train", "--recipe", path, "--seed", 5).stdout.splitlines()
    assert lines[0].startswith("accuracy: ")
    assert "of 12 test pictures; 95 % interval" in lines[0]
    assert lines[1] == "trained otherwise than the recipe says: seed"
    assert lines[2] == "the source says about .9"
    assert lines[3].startswith("asked for: .2000, ")
    assert lines[4].startswith("trained food/")
    assert "serve" not in lines[4]
    seeds = [
        load_card(path.parent).settings["seed"]
        for path in bench.store.models.glob("food/*/card.json")
    ]
    assert sorted(seeds) == [0, 5]


@pytest.mark.parametrize("what", ["hash", "url"])
def test_a_download_that_fails_is_one_line(bench, tmp_path, archive, monkeypatch, what):
    """Another file than the one that is named, or none, ends with a line that says so."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    url, digest = archive
    said = {"url": url, "hash": digest} | (
        {"hash": "0" * 32} if what == "hash" else {"url": f"{url}x"}
    )
    path = tmp_path / "food.toml"
    path.write_text(FOOD.format(**said))
    failed = refused(bench, "train", "--recipe", path, "--download", code=1)
    assert "food could not be downloaded" in failed.stderr
    assert "it is on loopback; name its folder with --data" in failed.stderr
