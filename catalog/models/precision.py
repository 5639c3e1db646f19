"""In which precision a network computes: half of it on a GPU, never on a CPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras

FULL, MIXED = "float32", "mixed_float16"


def policy() -> str:
    """The dtype policy for this machine: on a CPU mixed precision is a third slower.

    Only TensorFlow's: what another of Keras's backends learns, TensorFlow takes up to export it.
    """
    on_tensorflow = keras.backend.backend() == "tensorflow"
    return MIXED if on_tensorflow and keras.distribution.list_devices("gpu") else FULL


@contextmanager
def computing_in(name: str) -> Iterator[None]:
    """Let layers that are made in the block compute by this policy; their weights stay float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def scaled(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """An optimiser that gradients of half precision do not vanish in."""
    return keras.optimizers.LossScaleOptimizer(optimizer)


def in_full(network: keras.Model) -> None:
    """Let every layer of a network compute in float32 from now on, as exported files do.

    A function that was compiled before keeps what it was compiled with.
    """
    for layer in network.layers:
        layer.dtype_policy = FULL
