"""The classifier of pictures into low and high: what it says, and the networks that learn it.

It has several heads: each `fold_…` learned without a fifth of the accounts and answers for those;
`engagement` is the first of them, with its last layers trained as well where that helped, and
answers for accounts that nobody saw.
"""

import keras

from catalog.models import precision
from catalog.models.backbones import Backbone, build
from catalog.models.settings import TrainSettings
from catalog.models.weights import NONE, PLAIN
from engagement.classes import CLASSES

DROPOUT = 0.3
DECAY = 1.0
"""L2 penalty of the kernel. Posts say little about a picture: on the simulated posts (five folds by
account) 1 gives an AUC of .65 where the tagger's .03 gives .62."""

CLIP = 4.0  # standard deviations beyond which a feature says no more
PLAIN_CHANNELS = (32, 64, 128, 128)
PLAIN_UNITS = 64


class Head:
    """Dropout and a softmax over CLASSES, named `name`, on features [n, d], standardised."""

    def __init__(self, name: str, standard: keras.layers.Layer | None = None) -> None:
        self.name = name
        self._standard = standard
        self._dropout = keras.layers.Dropout(DROPOUT, name=f"{name}-dropout")
        decay = keras.regularizers.L2(DECAY) if standard else None
        self.dense = keras.layers.Dense(
            len(CLASSES), activation="softmax", kernel_regularizer=decay, name=name
        )

    def __call__(self, features: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        """P(low) and P(high), [n, 2], under the head's name."""
        if self._standard:
            features = keras.ops.clip(self._standard(features), -CLIP, CLIP)
        return {self.name: self.dense(self._dropout(features))}

    def again(self, name: str) -> "Head":
        """A trained head once more, under another name."""
        other = Head(name, self._standard)
        other.dense.build((None, self.dense.kernel.shape[0]))
        other.dense.set_weights(self.dense.get_weights())
        return other


def trunk(settings: TrainSettings) -> Backbone:
    """What the heads stand on: a backbone's last layer, averaged, or the plain network."""
    if settings.backbone == PLAIN:
        return _plain(settings.image_size)
    return build(settings.backbone, settings.weights, settings.image_size, last_only=True)


def _plain(image_size: int) -> Backbone:
    """Convolutions and max pooling, flattened: what one would write first, to compare with."""
    policy = precision.policy()
    with precision.computing_in(policy):
        given = keras.Input((image_size, image_size, 3))
        x = given
        for place, channels in enumerate(PLAIN_CHANNELS):
            x = keras.layers.Conv2D(
                channels, 3, padding="same", activation="relu", name=f"conv_{place}"
            )(x)
            x = keras.layers.MaxPooling2D(name=f"pool_{place}")(x)
        x = keras.layers.Dropout(DROPOUT)(keras.layers.Flatten()(x))
        network = keras.Model(
            given, keras.layers.Dense(PLAIN_UNITS, activation="relu")(x), name=PLAIN
        )
    pixels = keras.Input((image_size, image_size, 3), dtype="uint8", name="pixels")
    scale = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="pixel-scale")
    # In float32 whatever the policy, as a pooling layer would give it.
    features = keras.layers.Identity(dtype=precision.FULL)(network(scale(pixels)))
    return Backbone(PLAIN, NONE, network, keras.Model(pixels, features), policy)
