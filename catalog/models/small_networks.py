"""Small networks for small pictures, trained from nothing: 28 x 28 grey ones stay so."""

from collections.abc import Callable

import keras

from catalog.models import precision
from catalog.models.backbones import Backbone
from catalog.models.weights import NONE

DENSE = 128
STEM = 32
BLOCKS = (64, 128)
LAST = 256
NORM_MOMENTUM = 0.9  # 0.99 would need hundreds of steps before the statistics mean anything


def build(name: str, image_size: int, channels: int) -> Backbone:
    """The network `name` of NETWORKS for raw uint8 pixels [n, side, side, channels], untrained.

    Its features are what its last layer before the classes says, float32 [n, d].
    """
    policy = precision.policy()
    with precision.computing_in(policy):
        given = keras.Input((image_size, image_size, channels))
        network = keras.Model(given, NETWORKS[name](given), name=name)
    pixels = keras.Input((image_size, image_size, channels), dtype="uint8", name="pixels")
    scale = keras.layers.Rescaling(1 / 255, name="pixel-scale")
    # In float32 whatever the policy, as a pooling layer would give it.
    features = keras.layers.Identity(dtype=precision.FULL)(network(scale(pixels)))
    return Backbone(name, NONE, network, keras.Model(pixels, features), policy)


def _dense(x: keras.KerasTensor) -> keras.KerasTensor:
    """Flatten and a dense layer: what one would write first."""
    return keras.layers.Dense(DENSE, activation="relu")(keras.layers.Flatten()(x))


def _convolutions(x: keras.KerasTensor) -> keras.KerasTensor:
    """Three 3 x 3 convolutions with 32, 64 and 128 channels, pooling, and a dense layer."""
    for place, filters in enumerate((32, 64, 128)):
        x = keras.layers.Conv2D(
            filters, 3, padding="same", activation="relu", name=f"conv_{place}"
        )(x)
        x = keras.layers.MaxPooling2D(name=f"pool_{place}")(x)
    return _dense(x)


def _residual(x: keras.KerasTensor) -> keras.KerasTensor:
    """Residual blocks (He et al., 2016) behind strided convolutions, pooled by mean and maximum.

    As wide as a CPU trains in an hour: most of the work is done at a half of a side and less.
    """
    x = _convolved(x, STEM)
    for filters in BLOCKS:
        x = _convolved(x, filters, strides=2)
        x = keras.layers.Add()([x, _convolved(_convolved(x, filters), filters)])
    x = _convolved(x, LAST, strides=2)
    means = keras.layers.GlobalAveragePooling2D()(x)
    peaks = keras.layers.GlobalMaxPooling2D()(x)
    return keras.layers.Concatenate()([means, peaks])


def _convolved(x: keras.KerasTensor, filters: int, strides: int = 1) -> keras.KerasTensor:
    x = keras.layers.Conv2D(
        filters,
        3,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )(x)
    x = keras.layers.BatchNormalization(momentum=NORM_MOMENTUM)(x)
    return keras.layers.ReLU()(x)


NETWORKS: dict[str, Callable[[keras.KerasTensor], keras.KerasTensor]] = {
    "dense": _dense,
    "convolutions": _convolutions,
    "residual": _residual,
}
