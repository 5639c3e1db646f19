"""Each backbone sees raw pixels as it was taught to, whatever its weights come from."""

import keras
import numpy as np
import pytest

from catalog.models import backbones
from catalog.models.artefact import KERAS
from catalog.models.inspection import inspect
from catalog.models.weights import WeightsUnavailable

SIDE = 32


def pixels(count: int = 2) -> np.ndarray:
    """Noise as the decoder would give it: uint8 [count, 32, 32, 3]."""
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)


def features(backbone: backbones.Backbone, raw: np.ndarray) -> np.ndarray:
    """What the backbone makes of raw pixels, as when tagging."""
    return np.asarray(backbone.features(raw, training=False))


@pytest.mark.parametrize(
    ("name", "scaled"),
    [
        ("efficientnetb0", lambda raw: raw),  # it scales inside
        ("mobilenetv2", lambda raw: raw / 127.5 - 1),
        ("cnn", lambda raw: raw / 127.5 - 1),
    ],
)
def test_raw_pixels_to_features(name, scaled, tmp_path):
    """Each takes uint8 pixels, and its network sees them as its authors trained it.

    What is saved of it is let through when it is opened again.
    """
    backbone = backbones.build(name, "none", SIDE)
    found = features(backbone, pixels())
    assert found.shape == (2, backbone.features.output.shape[-1])
    assert np.isfinite(found).all()
    assert not backbone.pretrained
    backbone.features.save(tmp_path / KERAS)
    inspect(tmp_path / KERAS, (tmp_path / KERAS).read_bytes())
    layer = backbone.features.get_layer("pixel-scale")
    assert np.allclose(np.asarray(layer(pixels())), scaled(pixels().astype(np.float32)), atol=1e-5)


def test_efficientnet_from_a_file_is_the_one_by_name(tmp_path, monkeypatch):
    """The correction that Keras makes only for weights="imagenet" is made for a file as well."""
    file = tmp_path / "efficientnetb0_notop.h5"
    source = keras.applications.EfficientNetB0(
        input_shape=(SIDE, SIDE, 3), include_top=False, weights=None
    )
    norm = next(x for x in source.layers if isinstance(x, keras.layers.Normalization))
    norm.set_weights(
        [np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225]), np.array(0)]
    )
    source.save_weights(tmp_path / "source.weights.h5")

    from_file = backbones.build("efficientnetb0", str(tmp_path / "source.weights.h5"), SIDE)
    monkeypatch.setattr(backbones, "check", lambda *_: None)
    monkeypatch.setattr(
        "keras.src.applications.efficientnet.file_utils.get_file",
        lambda *_, **__: str(file),
    )
    monkeypatch.setattr(
        keras.Model, "load_weights", lambda self, *_: self.set_weights(source.get_weights())
    )
    by_name = backbones.build("efficientnetb0", "imagenet", SIDE)
    next(
        layer for layer in by_name.network.layers if isinstance(layer, keras.layers.Normalization)
    ).finalize_state()
    assert len(by_name.network.layers) == len(from_file.network.layers) + 1
    expected = features(by_name, pixels())
    assert np.allclose(features(from_file, pixels()), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.filterwarnings("ignore:Skipping nested container")  # Keras, of each layer
def test_weights_of_another_network_are_refused(tmp_path):
    """A file that does not fit is told."""
    path = tmp_path / "cnn.weights.h5"
    backbones.build("cnn", "none", SIDE).network.save_weights(path)
    assert backbones.build("cnn", str(path), SIDE).pretrained
    with pytest.raises(WeightsUnavailable, match="does not hold weights of mobilenetv2"):
        backbones.build("mobilenetv2", str(path), SIDE)
    path.write_bytes(b"no weights")
    with pytest.raises(WeightsUnavailable, match="does not hold weights of cnn"):
        backbones.build("cnn", str(path), SIDE)


def test_last_layers_without_batch_norm():
    """Of the last layers all but batch normalisation learn; before them nothing does."""
    network = backbones.build("mobilenetv2", "none", SIDE).network
    backbones.freeze(network)
    assert network.trainable_variables == []
    backbones.unfreeze_last(network, 20)
    learning = [layer for layer in network.layers if layer.trainable_variables]
    assert learning
    assert set(learning) <= set(network.layers[-20:])
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in learning)
    backbones.unfreeze_last(network, 10**6)
    norms = [x for x in network.layers if isinstance(x, keras.layers.BatchNormalization)]
    assert not any(norm.trainable for norm in norms)


def test_real_weights(shared_data):
    """The ImageNet weights of the shared folder load at a size other than their own."""
    path = shared_data / "weights" / "mobilenet_v2_1.0_224_no_top.weights.h5"
    backbone = backbones.build("mobilenetv2", str(path), 96)
    assert backbone.pretrained
    raw = np.full((1, 96, 96, 3), 200, np.uint8)
    assert np.isfinite(features(backbone, raw)).all()


@pytest.mark.parametrize("side", [1, 7, 50, 112])
def test_mean_of_a_map_is_exact(side):
    """The mean over many cells is that of double precision, whoever adds."""
    cells = np.random.default_rng(0).uniform(0, 9, (1, side, side, 3)).astype(np.float32)
    given = keras.Input(cells.shape[1:])
    found = np.asarray(keras.Model(given, backbones._mean(given))(cells))
    assert np.allclose(found, cells.mean(axis=(1, 2), dtype=np.float64), rtol=1e-6)
