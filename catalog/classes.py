"""Pictures of one class each: the task, and what stands on a network to tell the classes."""

import keras

TASK = "classes"
HEAD = "class"

CLIP = 4.0  # standard deviations beyond which a feature says no more


class ClassHead:
    """Dropout and a softmax over `classes` labels on features [n, d].

    `dropout` is the share of features that are left out while learning; `decay` the L2 penalty of
    the kernel. Features are standardised and clipped where a layer is given that does it.
    """

    def __init__(
        self,
        classes: int,
        dropout: float,
        decay: float = 0.0,
        standard: keras.layers.Layer | None = None,
    ) -> None:
        self._standard = standard
        self._dropout = keras.layers.Dropout(dropout, name="class-dropout")
        self._dense = keras.layers.Dense(
            classes,
            activation="softmax",
            kernel_regularizer=keras.regularizers.L2(decay) if decay else None,
            name=HEAD,
            dtype="float32",  # on a GPU too: half precision is too coarse for probabilities
        )

    def __call__(self, features: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        """Probabilities [n, classes] under the head's name."""
        if self._standard:
            features = keras.ops.clip(self._standard(features), -CLIP, CLIP)
        return {HEAD: self._dense(self._dropout(features))}
