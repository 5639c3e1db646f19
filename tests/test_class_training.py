"""Training a classifier of pictures by class, for real, on small grey pictures drawn here."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from catalog.class_data import DataUnusable
from catalog.class_settings import SMALL_NETWORKS, ClassSettings
from catalog.class_training import divide, train_classes
from catalog.classes import HEAD
from catalog.idx_files import read_idx
from catalog.models import small_networks
from catalog.models.artefact import TEST_PICTURES, TEST_SCORES
from catalog.models.provenance import Origin
from catalog.models.runtime import Runtime
from tests.class_pictures import CLASSES, SIDE, write_idx
from tests.posts_world import SIDE as LARGE

SETTINGS = ClassSettings(
    backbone="residual",
    image_size=SIDE,
    channels=1,
    epochs=3,
    batch_size=16,
    changes=("mirror", "shift", "erase"),
    dropout=0.1,
    schedule="cosine",
    rate=0.01,
    smoothing=0.1,
    mirrored=True,
)

RELOADED = """
import sys, json
from pathlib import Path
import numpy as np
from catalog.models.artefact import load_card
from catalog.models.export import load_keras
folder, pixels = Path(sys.argv[1]), np.load(sys.argv[2])
print(json.dumps(np.asarray(load_keras(folder, load_card(folder))(pixels)["class"]).tolist()))
"""


def teach(root, settings, data, **changes):
    """A model folder of these pictures."""
    places = [root / name for name in ("work", "kept", "model")]
    for place in places:
        place.mkdir(parents=True)
    settings = replace(settings, **changes)
    return train_classes(
        data, settings, *places, lambda _: None, origin=Origin("drawn", "1", "drawn", "0" * 64)
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Ninety pictures of three classes to learn from, thirty to be tested on."""
    return read_idx(write_idx(tmp_path_factory.mktemp("idx")), CLASSES)


@pytest.fixture(scope="module")
def taught(tmp_path_factory, data):
    """A folder with a residual network that has learned them, and its card."""
    root = tmp_path_factory.mktemp("taught")
    return root / "model", teach(root, SETTINGS, data)


def test_small_grey_pictures_are_looked_at_as_they_are(taught):
    """The exported file takes one channel at the pictures' own size, and answers by class."""
    folder, card = taught
    assert (card.image_size, card.channels, card.task) == (SIDE, 1, "classes")
    runtime = Runtime(folder)
    said = runtime.run(np.zeros((3, SIDE, SIDE, 1), np.uint8))
    assert said.scores[HEAD].shape == (3, 3)
    with pytest.raises(ValueError, match="uint8"):
        runtime.run(np.zeros((3, SIDE, SIDE, 3), np.uint8))


def test_the_card_tells_three_sides_and_an_interval(taught):
    """Validation is a share of the training set, each class alike; the test set is the data's."""
    _, card = taught
    sizes = {side: told["pictures"] for side, told in card.split["sides"].items()}
    assert sizes == {"train": 81, "validation": 9, "test": 30}
    head = card.metrics["heads"][HEAD]
    assert (head["n"], card.vocabulary) == (30, {HEAD: CLASSES})
    assert head["interval"][0] <= head["accuracy"] <= head["interval"][1]
    assert card.trained_on["pictures"] == 81
    assert "were looked at, and chose nothing" in card.split["rule"]
    assert card.settings["policy"] == "float32"
    assert card.metrics["litert"]["labels_equal"] == 1


def test_a_picture_and_its_mirror_image_get_one_answer(taught, data, tmp_path):
    """Where answers are the mean over both, turning the picture changes nothing."""
    data.test.save([3], [tmp_path / "a"], SIDE, 1)
    pixels = np.asarray(Image.open(tmp_path / "a.png"))[None, ..., None]
    runtime = Runtime(taught[0])
    turned = (pixels, pixels[:, :, ::-1], pixels[:, ::-1])
    one, other, upside_down = map(runtime.run, turned)
    assert np.abs(one.scores[HEAD] - other.scores[HEAD]).max() < 1e-5
    assert np.abs(one.embedding - other.embedding).max() < 1e-4
    assert np.abs(one.embedding - upside_down.embedding).max() > 1e-3


def test_the_rate_falls_to_nothing_by_the_last_step(taught):
    """The schedule knows how many steps there are."""
    history = json.loads((taught[0] / "history.json").read_text())
    rates = [epoch["learning_rate"] for epoch in history["phases"][0]["epochs"]]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] < 0.01
    assert rates[-1] < 1e-6


def test_small_networks_are_those_that_settings_name():
    """The names stand twice, for loading Keras takes seconds."""
    assert set(SMALL_NETWORKS) == set(small_networks.NETWORKS)


def test_it_learns(taught):
    """Bars and blocks are told apart far better than by chance."""
    assert taught[1].metrics["heads"][HEAD]["accuracy"] > 0.6


def test_a_new_process_says_the_same(taught, data, tmp_path):
    """The saved network, loaded elsewhere, gives the very scores that were tested."""
    folder, card = taught
    rows = pq.read_table(folder / TEST_SCORES).to_pylist()
    numbers = [int(row["id"].split("/")[1]) for row in rows]
    files = [tmp_path / f"{number}" for number in numbers]
    data.test.save(numbers, files, SIDE, 1)
    pixels = np.stack([np.asarray(Image.open(f"{file}.png")) for file in files])[..., None]
    np.save(tmp_path / "pixels.npy", pixels)
    done = subprocess.run(
        [sys.executable, "-c", RELOADED, folder, tmp_path / "pixels.npy"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    again = np.array(json.loads(done.stdout.splitlines()[-1]))
    kept = np.array([row["scores"] for row in rows])
    assert np.abs(again - kept).max() < 1e-5
    right = [
        card.vocabulary[HEAD][s.argmax()] == r["truth"] for s, r in zip(again, rows, strict=True)
    ]
    assert np.mean(right) == card.metrics["heads"][HEAD]["accuracy"]


def test_wrong_pictures_are_shown_on_purpose(taught):
    """Of the tested pictures some are kept; as many wrong ones as there are, up to half."""
    folder, card = taught
    rows = pq.read_table(folder / TEST_SCORES).to_pylist()
    wrong = {r["id"] for r in rows if CLASSES[int(np.argmax(r["scores"]))] != r["truth"]}
    shown = {row["id"] for row in pq.read_table(folder / TEST_PICTURES).to_pylist()}
    assert len(shown) == 24
    assert len(shown & wrong) == min(len(wrong), max(12, 24 - (30 - len(wrong))))
    assert card.metrics["whole_row"]["right"] == 30 - len(wrong)


def test_validation_takes_each_class_alike():
    """A tenth of each class validates, one at least, and a seed repeats it."""
    codes = np.repeat(np.arange(3, dtype=np.int32), [100, 50, 4])
    chosen = divide(codes, 0.1, 0)
    assert np.bincount(codes[chosen]).tolist() == [10, 5, 1]
    assert (chosen == divide(codes, 0.1, 0)).all()
    assert (chosen != divide(codes, 0.1, 1)).any()


def test_the_last_epoch_is_kept_when_the_recipe_says_so(tmp_path, data):
    """As many epochs as asked for are run, whatever validation says, and none is taken back."""
    card = teach(tmp_path, SETTINGS, data, backbone="dense", rate=1e-3, epochs=2, mirrored=False)
    history = json.loads((tmp_path / "model" / "history.json").read_text())
    assert [len(phase["epochs"]) for phase in history["phases"]] == [2]
    last = history["phases"][0]["epochs"][-1]["heads"][HEAD]["val_accuracy"]
    assert card.metrics["validation"]["accuracy"][HEAD] == pytest.approx(last)


def one_phase(weights):
    """The first of two phases, alone."""
    return ClassSettings(
        backbone="cnn",
        weights=str(weights),
        image_size=LARGE,
        mirrored=True,
        epochs=2,
        dropout=0.3,
        fine_tune_layers=0,
    )


def test_two_phases_are_each_tested(tmp_path, data, tiny_weights):
    """Phase two starts where phase one ended, and the card has what each came to."""
    card = teach(
        tmp_path,
        one_phase(tiny_weights),
        data,
        fine_epochs=1,
        fine_tune_layers=5,
        fine_rate=0.05,
    )
    phases = card.metrics["after_phase"]
    assert [each["phase"] for each in phases] == ["heads", "fine-tuning"]
    assert phases[1]["value"] == card.metrics["heads"][HEAD]["accuracy"]
    alone = teach(tmp_path / "alone", one_phase(tiny_weights), data)
    assert phases[0]["right"] == alone.metrics["whole_row"]["right"]
    history = json.loads((tmp_path / "model" / "history.json").read_text())
    assert [len(phase["epochs"]) for phase in history["phases"]] == [2, 1]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"schedule": "none"}, "schedule is"),
        ({"changes": ("hue",)}, "changes are"),
        ({"backbone": "mobilenetv2"}, "channels is 3"),
        ({"channels": 2}, "channels is 3, or 1"),
        ({"weights": "some.h5"}, "it takes no weights"),
        ({"mirrored": "no"}, "mirrored is true or false"),
        ({"rate": 0}, "rate is above 0"),
        ({"dropout": 1.0}, "dropout is a share below 1"),
        ({"validation": 0}, "validation is above 0"),
        ({"image_size": 4}, "image_size must be 8 to 1024"),
    ],
)
def test_settings_that_mean_nothing_are_refused(said, told):
    """One sentence says what a setting may be."""
    with pytest.raises(ValueError, match=told):
        replace(SETTINGS, **said)


def test_unreadable_pictures_are_counted(tmp_path, data):
    """What can't be saved is left out and told; where nothing is left, that is told."""
    some = replace(
        data.train, save=lambda rows, files, *a: data.train.save(rows[1:], files[1:], *a)
    )
    dense = replace(SETTINGS, backbone="dense", epochs=1)
    card = teach(tmp_path / "some", dense, replace(data, train=some))
    assert card.notes[0] == "2 pictures could not be decoded and were left out"
    none = replace(data.test, save=lambda *_: [])
    with pytest.raises((ValueError, DataUnusable), match="no picture can be read for test"):
        teach(tmp_path / "none", dense, replace(data, test=none))
