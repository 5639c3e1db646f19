"""Two phases that keep what they should: statistics, best weights, and the better phase."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from catalog.models import backbones, training
from catalog.models.checkpoints import Checkpoints
from catalog.models.datasets import Targets, in_order, lay_out
from catalog.models.settings import TrainSettings
from catalog.models.sides import FlatSide, batches
from catalog.models.training import Known, Lesson, learn, standardiser
from tests.tiny_model import SHAPES, draw

SETTINGS = TrainSettings(
    backbone="cnn", weights="none", image_size=32, epochs=2, batch_size=8, fine_tune_layers=6
)


class OneHead:
    """A single softmax on standardised features."""

    def __init__(self, standard):
        self.standard = standard
        self.dense = keras.layers.Dense(2, activation="softmax", name="shape")

    def __call__(self, features):
        """Probabilities of the two shapes."""
        features = self.standard(features) if self.standard else features
        return {"shape": self.dense(features)}


@pytest.fixture
def lesson(pictures, tmp_path):
    """A training of one's own on the pictures."""
    return replace(pictures, kept=tmp_path)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Sixteen pictures to learn the shape from, and eight to choose the epoch by."""
    work = tmp_path_factory.mktemp("lesson")
    sides = {}
    for side, seeds in (("train", range(16)), ("validation", range(16, 24))):
        drawn = [draw(seed) for seed in seeds]
        (work / f"{side}-given").mkdir()
        paths = [work / f"{side}-given" / f"{seed}.png" for seed in seeds]
        for (picture, _), path in zip(drawn, paths, strict=True):
            picture.save(path)
        lay_out(paths, in_order(work / side, len(paths)), 32)
        codes = np.array([SHAPES.index(labels["shape"]) for _, labels in drawn], np.int32)
        targets = Targets({"shape": codes}, {"shape": np.ones(len(drawn), np.float32)})
        sides[side] = FlatSide(work / side, targets, len(drawn))
    return Lesson(sides["train"], sides["validation"], SETTINGS, work, lambda _: None)


@pytest.fixture(scope="module")
def taught(pictures):
    """A network whose backbone had learned before, after both phases; and that backbone."""
    keras.utils.set_random_seed(0)
    path = pictures.kept / "before.weights.h5"
    before = backbones.build("cnn", "none", 32)
    for layer in before.network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([gamma, beta, mean + 0.1, variance * 1.1])
    before.network.save_weights(path)
    backbone = backbones.build("cnn", str(path), 32)
    weights = {layer.name: layer.get_weights() for layer in backbone.network.layers}
    said = []
    learned = learn(backbone, OneHead, replace(pictures, progress=said.append))
    return learned, backbone, weights, said


def test_moving_statistics_are_unchanged(taught):
    """After both fits every batch normalisation is as it came: Keras would otherwise move it."""
    _, backbone, before, _ = taught
    norms = [x for x in backbone.network.layers if isinstance(x, keras.layers.BatchNormalization)]
    assert len(norms) == 5
    for norm in norms:
        for now, then in zip(norm.get_weights(), before[norm.name], strict=True):
            assert np.array_equal(now, then)


def test_fit_moves_statistics_that_are_not_frozen(lesson):
    """The control: trained from nothing, the same layers' statistics do move."""
    backbone = backbones.build("cnn", "none", 32)
    norm = backbone.network.get_layer("norm_0")
    before = norm.get_weights()
    settings = replace(SETTINGS, epochs=1)
    learned = learn(backbone, OneHead, replace(lesson, settings=settings))
    assert not np.array_equal(norm.get_weights()[2], before[2])
    assert [phase["phase"] for phase in learned.phases] == ["whole"]
    assert any("started without weights" in note for note in learned.notes)


def test_each_phase_leaves_its_curve(taught):
    """Loss and accuracy of each side, a head and an epoch, numbered from 1."""
    learned, _, _, said = taught
    assert [phase["phase"] for phase in learned.phases] == ["heads", "fine-tuning"]
    for phase in learned.phases:
        assert [epoch["epoch"] for epoch in phase["epochs"]] == [1, 2]
        for epoch in phase["epochs"]:
            assert set(epoch["heads"]["shape"]) == {
                "loss",
                "val_loss",
                "accuracy",
                "val_accuracy",
            }
            assert 0 <= epoch["heads"]["shape"]["val_accuracy"] <= 1
        losses = [epoch["val_loss"] for epoch in phase["epochs"]]
        assert phase["best_epoch"] == int(np.argmin(losses)) + 1
    assert any("fine-tuning, epoch 2 of at most 2" in line for line in said)


def test_learning_slows_down(taught):
    """The schedule's rate falls from epoch to epoch."""
    for phase in taught[0].phases:
        rates = [epoch["learning_rate"] for epoch in phase["epochs"]]
        assert rates[0] > rates[1]


def test_the_better_phase_is_kept(taught, lesson):
    """The network that is left scores on validation what the best phase scored."""
    learned, _, _, _ = taught
    best = min(phase["best_validation_loss"] for phase in learned.phases)
    validation = batches(lesson.validation, SETTINGS)
    assert training._loss(learned.network, validation, "loss") == pytest.approx(best, abs=1e-4)


def test_worse_fine_tuning_is_undone(taught, lesson):
    """When the second phase is no better its weights go, and a note says so."""
    learned, backbone, _, _ = taught
    before = learned.network.get_weights()
    again = training.Learned(learned.network, learned.features)
    steep = replace(lesson, settings=replace(SETTINGS, fine_rate=10.0))
    assert not training.fine_tune(again, backbone, steep)
    for now, then in zip(learned.network.get_weights(), before, strict=True):
        assert np.array_equal(now, then)
    assert any("weights before it are kept" in note for note in again.notes)


def test_an_epoch_can_be_judged_by_the_loss_without_penalties(lesson, tmp_path):
    """A penalty that shrinks epoch by epoch would make the last look best, whatever it says."""
    codes = np.arange(8, dtype=np.int32) % 2
    known = Known(
        np.eye(2, dtype=np.float32)[codes],
        Targets({"shape": codes}, {"shape": np.ones(8, np.float32)}),
    )
    manner = training.Manner(heads_rate=0.05)
    best = {}
    for judge in ("loss", "log_loss"):
        head = OneHead(None)
        head.dense = keras.layers.Dense(
            2,
            kernel_initializer=keras.initializers.Identity(4),
            kernel_regularizer=keras.regularizers.L2(1.0),
            activation="softmax",
            name="shape",
        )
        (tmp_path / judge).mkdir()
        settings = replace(SETTINGS, epochs=4)
        judged = replace(
            lesson, judged_by=judge, settings=settings, manner=manner, kept=tmp_path / judge
        )
        best[judge] = training.learn_heads("heads", head, known, known, judged)
        said = keras.ops.convert_to_numpy(head.dense(known.features))
        right = said[np.arange(8), codes]
        penalty = (np.asarray(head.dense.kernel) ** 2).sum() if judge == "loss" else 0
        assert best[judge]["best_validation_loss"] == pytest.approx(
            penalty - np.log(right).mean(), rel=1e-4
        )
    assert (best["loss"]["best_epoch"], best["log_loss"]["best_epoch"]) == (4, 1)
    for curve in best.values():
        for epoch in curve["epochs"]:
            assert epoch["heads"]["shape"]["val_loss"] <= epoch["val_loss"] + 1e-6


def test_standardiser_gives_mean_zero_and_spread_one():
    """Features weigh alike whatever their scale, and one that never varies is not blown up."""
    features = np.random.default_rng(0).normal(5, [1, 3, 0], (500, 3)).astype(np.float32)
    found = np.asarray(standardiser(features)(features))
    assert np.allclose(found.mean(axis=0), 0, atol=1e-3)
    assert np.allclose(found.std(axis=0), [1, 1, 0], atol=0.05)


def test_blank_labels_weigh_nothing():
    """The loss is the mean over labelled rows; with none it is zero, not a division by zero."""
    scores = keras.Input((2,), name="scores")
    network = keras.Model(scores, {"shape": keras.layers.Rescaling(1.0)(scores)})
    training._compile(network, 0.0, training.Manner())
    given = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)

    def loss(*weights):
        said = network.evaluate(
            given,
            {"shape": np.zeros(2)},
            sample_weight={"shape": np.array(weights, np.float32)},
            verbose=0,
            return_dict=True,
        )
        return said["loss"]

    assert loss(1, 0) == pytest.approx(-np.log(0.9), rel=1e-4)
    assert loss(1, 1) == pytest.approx(-np.log([0.9, 0.2]).mean(), rel=1e-4)
    assert loss(0, 0) == 0


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": 0}, {"batch_size": 0}, {"image_size": 31}, {"dense_units": -1}, {"seed": -1}],
)
def test_senseless_settings_are_refused(wrong):
    """A setting that can't be meant is told by name."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TrainSettings(**wrong)


def test_an_interrupted_training_goes_on(lesson, tmp_path):
    """Killed in its second epoch it takes up the first one's weights, rate, order and curve."""

    class Killed(Exception):  # noqa: N818 - a test's own
        pass

    def whole(progress, kept=lesson.kept):
        keras.utils.set_random_seed(0)
        said = []

        def tell(line):
            said.append(line)
            progress(line)

        backbone = backbones.build("cnn", "none", 32)
        settings = replace(SETTINGS, epochs=3)
        learned = learn(
            backbone, OneHead, replace(lesson, settings=settings, progress=tell, kept=kept)
        )
        return learned, said

    def kill(line):
        if "epoch 2" in line:
            raise Killed

    with pytest.raises(Killed):
        whole(kill)
    learned, said = whole(lambda _: None)
    assert said[0] == "whole was interrupted: it goes on after epoch 1"
    assert said[1].startswith("whole, epoch 2 of")
    [curve] = learned.phases
    assert [row["epoch"] for row in curve["epochs"]] == [1, 2, 3]
    rates = [row["learning_rate"] for row in curve["epochs"]]
    assert rates == pytest.approx([2e-3 * (1 + np.cos(np.pi * e / 3)) / 2 for e in (1, 2, 3)])
    straight, _ = whole(lambda _: None, tmp_path / "straight")
    for one, other in zip(learned.network.weights, straight.network.weights, strict=True):
        assert np.allclose(one, other, atol=1e-5)
    again, said = whole(lambda _: None)
    assert said == ["whole was done before: its weights are taken up"]
    assert again.phases == learned.phases
    for one, other in zip(learned.network.weights, again.network.weights, strict=True):
        assert np.array_equal(one, other)


def test_the_best_epoch_is_one_that_the_curve_knows(lesson, monkeypatch):
    """Killed after a better epoch was kept and before it was told, the next try forgets it."""
    settings = replace(SETTINGS, epochs=3)
    asked = replace(lesson, settings=settings)
    tell = Checkpoints.tell

    def kill(kept, rows):
        if len(rows) == 2:
            raise KeyboardInterrupt
        tell(kept, rows)

    monkeypatch.setattr(Checkpoints, "tell", kill)
    with pytest.raises(KeyboardInterrupt):
        learn(backbones.build("cnn", "none", 32), OneHead, asked)
    monkeypatch.setattr(Checkpoints, "tell", tell)
    learned = learn(backbones.build("cnn", "none", 32), OneHead, asked)
    [curve] = learned.phases
    validation = batches(lesson.validation, SETTINGS)
    found = training._loss(learned.network, validation, "loss")
    assert found == pytest.approx(curve["best_validation_loss"], abs=1e-4)


def test_patience_outlasts_an_interruption(lesson):
    """Epochs without a better one count from the best one, whoever was killed in between."""
    kept = Checkpoints(lesson.kept, "whole")
    backbone = backbones.build("cnn", "none", 32)
    first = replace(lesson, settings=replace(SETTINGS, epochs=1))
    learn(backbone, OneHead, first)
    [row] = kept.rows
    worse = [{**row, "epoch": 2 + late, "val_loss": 9.0} for late in range(training.PATIENCE)]
    kept.tell([row, *worse])
    (lesson.kept / "whole-done.weights.h5").unlink()
    last = 1 + training.PATIENCE
    (lesson.kept / "whole-after-1.weights.h5").rename(
        lesson.kept / f"whole-after-{last}.weights.h5"
    )
    learned = learn(
        backbones.build("cnn", "none", 32),
        OneHead,
        replace(lesson, settings=replace(SETTINGS, epochs=50)),
    )
    assert len(learned.phases[0]["epochs"]) == last
    assert learned.phases[0]["best_epoch"] == 1
