"""The networks that look at pictures: how each wants its pixels, and what of it is features."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras

from catalog.models import precision
from catalog.models.colours import colour_features
from catalog.models.weights import IMAGENET, NONE, WeightsUnavailable, check

TORCH_STDDEV = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Recipe:
    """What differs between backbones, and nothing more."""

    make: Callable[[int, str | None], keras.Model]  # pixels a side, weights -> network
    scale: float  # what the network expects is pixel * scale + offset
    offset: float
    taps: tuple[str, ...]  # layers whose pooled outputs are features too, beside the last one's


@dataclass(frozen=True)
class Backbone:
    """A network that turns raw pixels into features.

    `network` is the trunk alone, whose last layers fine-tuning changes; `features` is the whole
    way from uint8 pixels [n, side, side, 3] to pooled features float32 [n, d].
    """

    name: str
    weights: str
    network: keras.Model
    features: keras.Model
    policy: str  # in which precision the trunk computes; what stands on it is float32

    @property
    def pretrained(self) -> bool:
        """Whether it has learned anything before."""
        return self.weights != NONE


def build(name: str, weights: str, image_size: int, *, last_only: bool = False) -> Backbone:
    """The backbone `name`, starting from `weights`: imagenet, none, or the path of a file.

    With `last_only` the features are the global average of its last layer and nothing else. Gives
    WeightsUnavailable at once when ImageNet weights are neither kept here nor to be had.
    """
    check(name, weights, image_size)
    recipe = RECIPES[name]
    policy = precision.policy()
    with precision.computing_in(policy):
        network = recipe.make(image_size, IMAGENET if weights == IMAGENET else None)
    if weights not in (IMAGENET, NONE):
        _load(name, network, Path(weights))
    scale = _scale(recipe, network, from_file=weights not in (IMAGENET, NONE))
    features = _last(network, scale) if last_only else _features(recipe, network, scale)
    return Backbone(name, weights, network, features, policy)


def freeze(network: keras.Model) -> None:
    """Fix every layer."""
    network.trainable = False


def unfreeze_last(network: keras.Model, layers: int) -> None:
    """Let the last `layers` layers learn, but for batch normalisation.

    A frozen BatchNormalization keeps its moving statistics. `training=False` at the call would
    not: Keras 3.15's `fit` overrides it inside a functional model.
    """
    network.trainable = True
    first = len(network.layers) - layers
    for place, layer in enumerate(network.layers):
        norm = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = place >= first and not norm


def _last(network: keras.Model, scale: keras.layers.Layer) -> keras.Model:
    pixels = keras.Input(network.input_shape[1:], dtype="uint8", name="pixels")
    features = keras.layers.GlobalAveragePooling2D()(network(scale(pixels)))
    return keras.Model(pixels, features, name="pixels-to-features")


def _features(recipe: Recipe, network: keras.Model, scale: keras.layers.Layer) -> keras.Model:
    pixels = keras.Input(network.input_shape[1:], dtype="uint8", name="pixels")
    taps = [network.get_layer(name).output for name in recipe.taps]
    trunk = keras.Model(network.input, [*taps, network.output], name="network-with-taps")
    outputs = trunk(scale(pixels))
    means = [_mean(output) for output in outputs]
    peaks = [keras.layers.GlobalMaxPooling2D()(output) for output in outputs[: len(taps)]]
    colours = colour_features(keras.layers.Rescaling(1.0, name="pixel-values")(pixels))
    joined = keras.layers.Concatenate(name="pooled-features")([*means, *peaks, colours])
    return keras.Model(pixels, joined, name="pixels-to-features")


def _mean(output: keras.KerasTensor) -> keras.KerasTensor:
    """The mean of a square map [n, side, side, d] over its cells, in two steps.

    In one, a float32 sum over 112 x 112 cells is off by 1e-4, and by how much depends on who adds.
    """
    side = output.shape[1]
    step = max(divisor for divisor in range(1, math.isqrt(side) + 1) if side % divisor == 0)
    parts = keras.layers.AveragePooling2D(step)(output)
    return keras.layers.GlobalAveragePooling2D()(parts)


def _scale(recipe: Recipe, network: keras.Model, *, from_file: bool) -> keras.layers.Layer:
    """The layer between raw pixels and the network.

    keras.applications builds one more rescaling into EfficientNet when it loads ImageNet weights
    by name, and leaves it out when the same weights come from a file (x / sqrt(stddev) after the
    normalisation). Here the same is put before it.
    """
    if network.name != "efficientnetb0" or not from_file:
        return keras.layers.Rescaling(recipe.scale, offset=recipe.offset, name="pixel-scale")
    inside = next(x for x in network.layers if isinstance(x, keras.layers.Normalization))
    mean = keras.ops.convert_to_numpy(inside.mean).ravel()
    factors = [stddev**-0.5 for stddev in TORCH_STDDEV]
    offsets = [255 * float(m) * (1 - f) for m, f in zip(mean, factors, strict=True)]
    return keras.layers.Rescaling(factors, offset=offsets, name="pixel-scale")


def _load(name: str, network: keras.Model, path: Path) -> None:
    try:
        with warnings.catch_warnings(action="ignore"):  # one for each layer that is not there
            network.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise WeightsUnavailable(
            f"{path} does not hold weights of {name}: --backbone names the network that it is for"
        ) from error


def _efficientnetb0(side: int, weights: str | None) -> keras.Model:
    return keras.applications.EfficientNetB0(
        input_shape=(side, side, 3), include_top=False, weights=weights
    )


def _mobilenetv2(side: int, weights: str | None) -> keras.Model:
    return keras.applications.MobileNetV2(
        input_shape=(side, side, 3), include_top=False, weights=weights
    )


def _cnn(side: int, weights: str | None) -> keras.Model:  # noqa: ARG001 - all have this signature
    """A small network to be trained from nothing: five halvings at the most, 32 to 192 channels."""
    pixels = keras.Input((side, side, 3))
    x = pixels
    for place, channels in enumerate((32, 64, 96, 128, 192)):
        x = keras.layers.Conv2D(
            channels, 3, strides=2, padding="same", use_bias=False, name=f"conv_{place}"
        )(x)
        # 0.99 would need hundreds of steps before the moving statistics mean anything.
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"norm_{place}")(x)
        x = keras.layers.ReLU(name=f"relu_{place}")(x)
    return keras.Model(pixels, x, name="cnn")


# The layers whose pooled outputs are features besides the last one's: the first tell colours and
# textures, the last things. On the fashion images (five folds by group) they add 5 points to
# gender, 3 to product type and 2 to colour, and the colour features 3 more to colour.
RECIPES = {
    # EfficientNet scales inside and expects 0 to 255: dividing first is a bug that still trains.
    "efficientnetb0": Recipe(
        _efficientnetb0,
        1.0,
        0.0,
        tuple(f"block{block}_expand_activation" for block in ("2a", "3a", "4a", "6a")),
    ),
    "mobilenetv2": Recipe(
        _mobilenetv2,
        1 / 127.5,
        -1.0,
        tuple(f"block_{block}_expand_relu" for block in (1, 3, 6, 13)),
    ),
    "cnn": Recipe(_cnn, 1 / 127.5, -1.0, ()),
}
