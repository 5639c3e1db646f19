"""The classifier's training, for real, on drawn posts: who answers for whom, and with what."""

import json
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from catalog.models import training
from catalog.models.artefact import TEST_SCORES, load_card
from catalog.models.runtime import Runtime
from engagement import classifier_learning, classifier_training
from engagement.classes import CLASSES, HEAD
from engagement.classifier import Head, trunk
from engagement.findings import Split, SplitFacts
from engagement.review import split_of
from tests.posts_world import SIDE, small
from tests.tiny_classifier import POSTS, material, teach

FOLDS = [f"fold_{number}" for number in range(1, 6)]


def scores_of(folder):
    """The test scores of a model folder, by post."""
    rows = pq.read_table(folder / TEST_SCORES).to_pandas()
    return rows.assign(high=rows["scores"].str[1]).set_index("id").sort_index()


def test_every_post_is_scored_by_a_head_that_never_saw_its_account(tiny_classifier):
    """There is a head a fold beside the classifier's own, and each account has its head."""
    card = load_card(tiny_classifier)
    assert dict(card.vocabulary) == dict.fromkeys([HEAD, *FOLDS], CLASSES)
    assert set(card.split["heads"]) == {f"shop_{number}" for number in range(6)}
    rows = scores_of(tiny_classifier)
    assert len(rows) == POSTS
    accounts = material_accounts(rows.index)
    assert [card.split["heads"][account] for account in accounts] == rows["head"].tolist()


def material_accounts(ids):
    """The accounts of drawn posts."""
    return [f"shop_{int(post[1:]) % 6}" for post in ids]


def test_the_card_says_how_it_was_made(tiny_classifier):
    """Rule, bar and threshold a head, precision, split and figures are all there."""
    card = load_card(tiny_classifier)
    assert card.settings["rule"] == "above account median"
    assert card.settings["policy"] == "float32"
    assert set(card.settings["thresholds"]) == set(card.settings["bars"]) == {HEAD, *FOLDS}
    assert card.split["kind"] == "account"
    assert split_of(card) == SplitFacts(Split.ACCOUNT, Split.ACCOUNT, 5, None)
    assert card.split["accounts"] is None
    assert card.metrics["out_of_fold"]["n"] == POSTS
    assert card.metrics["litert"]["largest_difference"] < 1e-4


def test_a_reloaded_classifier_gives_the_same_scores(tiny_classifier):
    """Keras and LiteRT, each in a new process, agree with what training said within 1e-5."""
    rows = scores_of(tiny_classifier).groupby("head").head(2)
    code = (
        "import sys, json, io, pathlib, numpy as np; from PIL import Image;"
        "from catalog.models.artefact import load_card; from catalog.models.runtime import Runtime;"
        "from catalog.images.decoders import Decoder; folder = pathlib.Path(sys.argv[1]);"
        "decoder = Decoder(32).__enter__();"
        "pixels = np.stack([decoder.decode(pathlib.Path(p)).pixels for p in sys.argv[3:]]);"
        "said = Runtime(folder).run(pixels).scores;"
        "from catalog.models.export import load_keras;"
        "again = load_keras(folder, load_card(folder))(pixels);"
        "print(json.dumps({h: [said[h][:, 1].tolist(), np.asarray(again[h])[:, 1].tolist()]"
        " for h in said}))"
    )
    pictures = tiny_classifier.parent / "pictures"
    files = [str(pictures / f"{post[1:]}.png") for post in rows.index]
    told = subprocess.run(
        [sys.executable, "-c", code, str(tiny_classifier), "-", *files],
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(told.stdout.splitlines()[-1])
    for place, (head, score) in enumerate(zip(rows["head"], rows["high"], strict=True)):
        litert, again = said[head]
        assert abs(litert[place] - score) < 1e-5
        assert abs(again[place] - score) < 1e-5


def test_the_names_of_the_folders_change_no_figure(tiny_classifier, tmp_path, tiny_weights):
    """With the folder of the low posts called high and the other way round all scores stay."""
    settings = small(tiny_weights)
    with pytest.MonkeyPatch.context() as patch:
        for module in (classifier_training, sys.modules["engagement.classifier"]):
            patch.setattr(module, "CLASSES", CLASSES[::-1])
        teach(tmp_path / "work", tmp_path / "model", settings, tmp_path / "pictures")
    swapped, straight = scores_of(tmp_path / "model"), scores_of(tiny_classifier)
    assert np.array_equal(swapped["high"], straight["high"])
    assert (swapped["truth"] != straight["truth"]).all()
    after, before = load_card(tmp_path / "model"), load_card(tiny_classifier)
    for name in ("out_of_fold", "train", "test"):
        assert after.metrics[name] == before.metrics[name]


def test_the_folders_are_the_labels(tmp_path):
    """Each picture lies where its side and its label say, and nowhere else."""
    given = material(folder(tmp_path / "pictures"))
    work = folder(tmp_path / "work")
    classifier_training._lay_out(given, small(tmp_path), work)
    files = {path.stem: path.relative_to(work).parts[:2] for path in work.rglob("*.png")}
    assert len(files) == POSTS
    first = given.questions[0]
    for row in range(POSTS):
        side, label = files[f"{row:08d}"]
        assert (label == "high") == first.exam.high[row]
        assert (side == "train") == first.exam.train[row]
        assert (side == "test") == first.exam.test[row]


def folder(path):
    """A new folder."""
    path.mkdir()
    return path


def test_phase_one_looks_at_each_picture_once(tmp_path, tiny_weights, monkeypatch):
    """All epochs and all folds together cost one look at each picture."""
    looked = []
    real = classifier_learning.pooled

    def counted(answer, side, settings):
        looked.append(side.count)
        return real(answer, side, settings)

    monkeypatch.setattr(classifier_learning, "pooled", counted)
    teach(tmp_path / "work", tmp_path / "model", small(tiny_weights), tmp_path / "pictures")
    assert sum(looked) == POSTS


def test_fine_tuning_leaves_the_folds_alone(tmp_path, monkeypatch):
    """MobileNetV2 in both phases: when the second is kept, the folds stand on the first's trunk.

    Every batch normalisation keeps its statistics.
    """
    keras.utils.set_random_seed(3)
    weights = tmp_path / "before.weights.h5"
    before = keras.applications.MobileNetV2((SIDE, SIDE, 3), include_top=False, weights=None)
    before.save_weights(weights)
    monkeypatch.setattr(classifier_learning, "fine_tune", always_kept)
    trained = []

    def stop(network, _):
        trained.append(network)
        raise KeyboardInterrupt  # the export would take half a minute

    monkeypatch.setattr(classifier_training.export, "save", stop)
    settings = small(weights, fine_tune_layers=10, epochs=1)
    with pytest.raises(KeyboardInterrupt):
        teach(tmp_path / "work", tmp_path / "model", settings, tmp_path / "pictures", as_it_is=True)
    trunks = list(found(trained[0], before.name))
    frozen = [one for one in trunks if same(one.get_layer("Conv_1"), before.get_layer("Conv_1"))]
    [tuned] = [one for one in trunks if one not in frozen]
    assert len(frozen) == 1
    assert same(tuned.get_layer("Conv_1_bn"), before.get_layer("Conv_1_bn"))
    assert same(tuned.get_layer("Conv1"), before.get_layer("Conv1"))
    said = trained[0](np.zeros((1, SIDE, SIDE, 3), np.uint8))
    assert not np.array_equal(said[HEAD], said["fold_1"])


def found(network, name):
    """The networks of a name within a network."""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from [layer] if layer.name == name else found(layer, name)


def same(layer, other):
    """Whether two layers have the very same weights."""
    pairs = zip(layer.get_weights(), other.get_weights(), strict=True)
    return all(np.array_equal(one, two) for one, two in pairs)


def always_kept(learned, backbone, lesson):
    """Fine-tuning whose result is kept whatever validation says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("catalog.models.training._loss", lambda *_: float("inf"))
        quick = replace(lesson, settings=replace(lesson.settings, fine_rate=1e-3))
        return training.fine_tune(learned, backbone, quick)


def test_a_plain_network_answers_one_fold(tmp_path):
    """Convolutions from nothing are trained once, so only the first fold's accounts have a head."""
    settings = small("none", backbone="cnn", epochs=1)
    card = teach(tmp_path / "work", tmp_path / "model", settings, tmp_path / "pictures")
    assert list(card.vocabulary) == [HEAD]
    assert sorted(set(card.split["heads"].values())) == ["", HEAD]
    assert split_of(card) == SplitFacts(Split.ACCOUNT, Split.ACCOUNT, 1, None)
    assert any("started without weights" in note for note in card.notes)
    assert set(scores_of(tmp_path / "model")["head"]) == {HEAD}
    kinds = {type(layer).__name__ for layer in trunk(settings).network.layers}
    assert kinds >= {"Conv2D", "MaxPooling2D", "Flatten", "Dropout", "Dense"}


def test_a_split_by_time_has_one_head(tmp_path, tiny_weights):
    """What came before a date is trained on, what came after it is tested, by the classifier."""
    card = teach(
        tmp_path / "work",
        tmp_path / "model",
        small(tiny_weights),
        tmp_path / "pictures",
        split="time",
        rule="likes > 3000",
    )
    assert list(card.vocabulary) == [HEAD]
    cut = pd.Timestamp(card.split["cut"])
    posts = material(tmp_path / "pictures").posts.set_index("id")
    rows = scores_of(tmp_path / "model")
    assert (posts.loc[rows.index, "posted_at"] >= cut).all()
    assert len(rows) == (posts["posted_at"] >= cut).sum()


def test_a_learned_bar_is_that_of_the_training_rows(tmp_path, tiny_weights):
    """`top 30%` gives each head its own bar, and the card keeps them all."""
    given = material(folder(tmp_path / "p"), rule="top 30%")
    card = teach(
        tmp_path / "work",
        tmp_path / "model",
        small(tiny_weights, epochs=1),
        tmp_path / "pictures",
        rule="top 30%",
    )
    likes = given.posts["likes"].to_numpy()
    for question in given.questions:
        bar = card.settings["bars"][question.head]
        assert bar == question.bar
        share = (likes[question.exam.train] > bar).mean()
        assert 0.25 <= share <= 0.30
    assert card.settings["bars"][HEAD] == given.questions[0].bar


def test_a_picture_that_cannot_be_read_is_left_out(tmp_path, tiny_weights, monkeypatch):
    """A broken file costs its post and nothing else, and the card says so."""
    real = classifier_training.lay_out
    monkeypatch.setattr(
        classifier_training,
        "lay_out",
        lambda pictures, files, size: real([tmp_path / "none", *pictures[1:]], files, size),
    )
    card = teach(
        tmp_path / "work", tmp_path / "model", small(tiny_weights, epochs=1), tmp_path / "pictures"
    )
    assert card.trained_on["posts"] == POSTS - 1
    assert "q0" not in scores_of(tmp_path / "model").index
    assert any("1 pictures could not be decoded" in note for note in card.notes)


def test_the_runtime_answers_for_every_head(tiny_classifier):
    """The exported file has each head and an embedding."""
    card = load_card(tiny_classifier)
    said = Runtime(tiny_classifier).run(np.zeros((3, SIDE, SIDE, 3), np.uint8))
    assert {head: scores.shape for head, scores in said.scores.items()} == dict.fromkeys(
        card.vocabulary, (3, 2)
    )
    assert said.embedding.shape == (3, card.embedding_size)


def test_a_head_under_another_name_says_the_same():
    """`again` copies what was learned."""
    features = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    given = keras.Input((6,))
    head = Head("fold_1")
    first = keras.Model(given, head(given))
    other = keras.Model(given, head.again("engagement")(given))
    assert np.array_equal(first(features)["fold_1"], other(features)["engagement"])
