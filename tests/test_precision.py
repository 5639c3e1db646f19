"""Half precision where a GPU can use it and never on a CPU, and files that compute in full."""

from contextlib import suppress

import keras
import numpy as np
import pytest
from PIL import Image

from catalog.models import backbones, precision
from catalog.models.datasets import outputs_of
from catalog.models.runtime import Network
from catalog.models.schedules import exponential
from catalog.models.settings import TrainSettings
from catalog.models.sides import ClassSide
from catalog.models.training import Lesson, learn
from engagement.classifier import Head, trunk

SIDE = 32
CLASSES = ("low", "high")


def pixels():
    """Noise as the decoder would give it: uint8 [4, 32, 32, 3]."""
    return np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3), np.uint8)


@pytest.fixture
def gpu(monkeypatch):
    """Keras says that there is a GPU; half precision can be computed on a CPU too, slowly."""
    monkeypatch.setattr(
        keras.distribution, "list_devices", lambda kind=None: [f"{kind or 'gpu'}:0"]
    )


@pytest.fixture
def cpu(monkeypatch):
    """Keras says that there is none, wherever this test runs."""
    monkeypatch.setattr(keras.distribution, "list_devices", lambda kind=None: ["cpu:0"][: not kind])


def policies(network):
    """The dtypes in which layers compute."""
    return {layer.compute_dtype for layer in network.layers}


@pytest.mark.parametrize("name", backbones.RECIPES)
def test_a_cpu_never_computes_in_half(cpu, name):  # noqa: ARG001 - what Keras finds
    """There it is slower, and no layer does it."""
    backbone = backbones.build(name, "none", SIDE)
    assert backbone.policy == precision.policy() == "float32"
    assert policies(backbone.network) == policies(backbone.features) == {"float32"}


@pytest.mark.parametrize("last_only", [True, False])
@pytest.mark.parametrize("name", ["mobilenetv2", "cnn"])
def test_a_gpu_computes_the_trunk_in_half(gpu, name, last_only):  # noqa: ARG001
    """Weights stay in full, and so does everything that stands on the trunk."""
    backbone = backbones.build(name, "none", SIDE, last_only=last_only)
    assert backbone.policy == "mixed_float16"
    assert policies(backbone.network) == {"float16"}
    assert {weight.dtype for weight in backbone.network.weights} == {"float32"}
    assert np.asarray(backbone.network(np.zeros((1, SIDE, SIDE, 3)))).dtype == np.float16
    assert np.asarray(backbone.features(pixels())).dtype == np.float32
    said = Head("engagement")(backbone.features.output)["engagement"]
    assert said.dtype == "float32"
    assert keras.config.dtype_policy().name == "float32"


def test_the_plain_network_computes_in_half_too(gpu):  # noqa: ARG001
    """It is a trunk like the others."""
    settings = TrainSettings(backbone="cnn", weights="none", image_size=SIDE)
    backbone = trunk(settings)
    assert backbone.policy == "mixed_float16"
    assert policies(backbone.network) == {"float16"}
    assert np.asarray(backbone.features(pixels())).dtype == np.float32


SETTINGS = TrainSettings(image_size=SIDE)


def network(backbone):
    """A network of one head."""
    features = backbone.features
    return keras.Model(features.input, Head("engagement")(features.output))


def test_in_full_brings_the_same_scores(gpu, tmp_path):  # noqa: ARG001
    """A file computes in float32, says nearly what was trained, and exactly what was evaluated."""
    keras.utils.set_random_seed(1)
    backbone = backbones.build("cnn", "none", SIDE, last_only=True)
    for weight in backbone.network.weights:
        if weight.name == "moving_variance":
            weight.assign(0.1 * weight)  # else untrained layers leave little of a picture
    model = network(backbone)
    half = outputs_of(model, pixels(), SETTINGS)["engagement"]
    precision.in_full(backbone.network)
    assert policies(backbone.network) == {"float32"}
    full = outputs_of(model, pixels(), SETTINGS)["engagement"]
    assert 1e-5 < np.abs(full - half).max() < 0.02

    model.export(tmp_path / "model.tflite", format="litert", verbose=False)
    litert = Network((tmp_path / "model.tflite").read_bytes(), threads=1).run(pixels())
    assert np.abs(litert["engagement"] - full).max() < 1e-4
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert np.abs(np.asarray(again(pixels())["engagement"]) - full).max() < 1e-6


@pytest.mark.parametrize("divisor", [1, 0])
def test_the_policy_is_what_it_was_afterwards(divisor):
    """Also when making the layers fails: other layers must not compute in half by accident."""
    with suppress(ZeroDivisionError), precision.computing_in(precision.MIXED):
        assert keras.layers.Dense(1).compute_dtype == "float16"
        assert 1 / divisor
    assert keras.config.dtype_policy().name == "float32"
    assert keras.layers.Dense(1).compute_dtype == "float32"


@pytest.mark.parametrize("pretrained", [True, False])
def test_a_network_learns_in_half(gpu, tmp_path, pretrained):  # noqa: ARG001
    """Gradients are scaled so that they do not vanish; what is left computes in full."""
    for row in range(12):
        path = tmp_path / ("train", "validation")[row % 3 == 0] / CLASSES[row % 2] / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (SIDE, SIDE), (255 * (row % 2), 0, 20 * row)).save(path)
    settings = TrainSettings(image_size=SIDE, epochs=7, batch_size=4, fine_tune_layers=4)
    sides = [ClassSide(tmp_path / name, CLASSES, "engagement") for name in ("train", "validation")]
    lesson = Lesson(*sides, settings, tmp_path, lambda _: None, exponential, judged_by="log_loss")
    backbone = backbones.build("cnn", "none", SIDE, last_only=True)
    if pretrained:
        backbone.network.save_weights(tmp_path / "before.weights.h5")
        backbone = backbones.build("cnn", str(tmp_path / "before.weights.h5"), SIDE, last_only=True)
    learned = learn(backbone, lambda standard: Head("engagement", standard), lesson)
    assert isinstance(learned.network.optimizer, keras.optimizers.LossScaleOptimizer)
    assert backbone.policy == "mixed_float16"
    assert policies(backbone.network) == {"float32"}
    assert len(learned.phases) == 1 + pretrained
    for phase in learned.phases:
        losses = [row["val_loss"] for row in phase["epochs"]]
        assert np.isfinite(losses).all()
        assert min(losses) < losses[0]
        rates = [row["learning_rate"] for row in phase["epochs"]]
        assert rates[0] == rates[4] > rates[5] > rates[6]
