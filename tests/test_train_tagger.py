"""`catalog train tagger products.csv` and the training before a first tagging, for real."""

import json
import logging
import shutil

import pytest

from catalog.models.artefact import load_card
from jobs.training import hush_tensorflow
from sql.locks import hold

SMALL = ("--backbone", "cnn", "--weights", "none", "--image-size", "32", "--epochs", "1")


@pytest.fixture
def shop_without_model(bench):
    """A hundred and thirty products, a hundred of them labelled, and no tagger."""
    shutil.rmtree(bench.store.models)
    bench.rows.clear()
    bench.fill(136)
    return bench


def test_training_keeps_a_model_with_its_evidence(shop_without_model):
    """The model serves at once, its report is there, and a second one waits to be chosen."""
    bench = shop_without_model
    arguments = ("train", "tagger", bench.write(), "--allow-host", bench.shop.host, "--json")
    first = json.loads(bench.run(*arguments, *SMALL).stdout)
    assert first["current"]
    folder = bench.store.models / first["model"]
    card = load_card(folder)
    assert set(card.vocabulary) == {"shape", "colour"}
    assert "trained" in (bench.store.root / first["report"]).read_text()
    assert {path.name for path in folder.iterdir()} >= {
        "card.json",
        "history.json",
        "model.keras",
        "model.tflite",
        "split.parquet",
        "summary.txt",
        "test_scores.parquet",
    }
    asked = len(bench.shop.asked)
    second = json.loads(bench.run(*arguments, *SMALL, "--seed", "2").stdout)
    assert not second["current"]
    assert len(bench.shop.asked) == asked
    assert f"* {first['model']}" in bench.run("models").stdout
    bench.run("models", "use", second["model"])
    assert f"* {second['model']}" in bench.run("models").stdout


def test_what_tensorflow_warns_of_is_no_message_to_a_user():
    """It names functions of its own; its errors are told."""
    hush_tensorflow()
    logger = logging.getLogger("tensorflow")
    assert [logger.isEnabledFor(level) for level in (logging.WARNING, logging.ERROR)] == [
        False,
        True,
    ]


def test_a_first_tagging_trains_where_labels_allow(shop_without_model):
    """Without a model `catalog tag` trains one in a process of its own, then tags with it."""
    bench = shop_without_model
    config = '\n[train]\nbackbone = "cnn"\nweights = "none"\nimage_size = 32\nepochs = 1\n'
    bench.extra_settings = config
    told = bench.tag()
    assert (told["tagged"], told["fetched"], told["cached"]) == (136, 0, 136)
    [(measured, trained_on)] = bench.ask(
        "select count(*) filter (where not trained_on), count(*) filter (where trained_on)"
        " from evaluations where head = 'shape'"
    )
    assert measured + trained_on == 102
    assert 0 < measured < trained_on
    jobs = bench.ask("select job from runs order by run")
    assert jobs == [("fetch",), ("train",), ("tag",)]


def test_too_few_labels_are_refused(bench):
    """There is nothing to train on: one line says how many there are and how many it takes."""
    result = bench.run("train", "tagger", bench.write(), *SMALL)
    assert result.exit_code == 2
    assert "9 labelled products: 100 are the least" in result.output


def test_weights_that_cannot_be_had_are_told_before_anything_is_fetched(shop_without_model):
    """A missing file, or ImageNet without a network, ends at once and says what to do."""
    bench = shop_without_model
    flags = ("--backbone", "mobilenetv2", "--weights", bench.folder / "none.h5")
    result = bench.run("train", "tagger", bench.write(), *flags)
    assert result.exit_code == 2
    assert "none.h5" in result.output
    assert bench.shop.asked == []


def test_the_store_is_free_while_a_model_trains(shop_without_model, monkeypatch):
    """The lock is held for the pictures and for the result, not for the hours between."""
    bench = shop_without_model
    seen = []

    def train(*_: object, **__: object) -> None:
        with hold(bench.store, "other"):
            seen.append("free")
        raise ValueError("enough seen")

    monkeypatch.setattr("catalog.tagger_training.train_tagger", train)
    result = bench.run("train", "tagger", bench.write(), "--allow-host", bench.shop.host, *SMALL)
    assert seen == ["free"]
    assert "enough seen" in result.output
