"""Inference with the exported LiteRT file. TensorFlow and Keras are never imported here."""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from catalog.models.artefact import (
    LARGEST_SIDE,
    LITERT,
    Card,
    ModelRefused,
    load_card,
    verify,
)
from catalog.models.hushing import hushed

# Pixels at a time. Measured with MobileNetV2-224 on four cores: four threads with an interpreter
# each look at 300 to 330 pictures a second, two at a time (four: 290; eight: 240). One interpreter
# with four threads of its own: 180, 16 at a time, for a third more CPU, as those wait for each
# other at every layer. At 128 pixels eight at a time take a tenth less CPU than two.
AT_ONCE = 2**17
MOST_AT_ONCE = 8
EMBEDDING = "embedding"
PIXELS = "pixels"

# What all tensors of a network may take, in bytes: MobileNetV2 has 49 MiB at 224 pixels, of which
# 15 are weights, so 0.7 KiB a pixel; other networks have up to thrice that.
ROOM = 64 * 2**20
ROOM_PER_PIXEL = 4 * 2**10

# What the networks trained here are made of once exported. None makes more numbers than it is
# given but by their shapes, which are known before it runs.
OPERATIONS = {
    "ADD",
    "AVERAGE_POOL_2D",
    "CAST",
    "CONCATENATION",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "DEQUANTIZE",
    "DIV",
    "FULLY_CONNECTED",
    "LOGISTIC",
    "MAXIMUM",
    "MAX_POOL_2D",
    "MEAN",
    "MINIMUM",
    "MUL",
    "PACK",
    "REDUCE_MAX",
    "RELU",
    "RELU6",
    "RESHAPE",
    "REVERSE_V2",
    "SHAPE",
    "SOFTMAX",
    "SQRT",
    "STRIDED_SLICE",
    "SUB",
}

TRIED = 2
"""Pictures of chance that a network must answer before it is used."""

PROBABILITY = 1e-3
"""How far from 1 the scores of a head may sum up."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a model says about n pictures."""

    scores: Mapping[str, np.ndarray]  # head to float32 [n, labels], in the card's label order
    embedding: np.ndarray  # float32 [n, embedding_size]


def at_once(side: int) -> int:
    """How many pictures of so many pixels a side a network looks at together."""
    return min(MOST_AT_ONCE, max(1, AT_ONCE // side**2))


class Runtime:
    """A model folder, loaded. As many threads may use it at once as like to.

    There are as many interpreters as threads were ever in it together.
    """

    def __init__(self, folder: Path) -> None:
        self.card: Card = load_card(folder)
        self._data = verify(folder, LITERT, self.card)
        self._idle: deque[Network] = deque()
        path = folder / LITERT
        with _refusing(path):
            network = self._new_network()
        _check_shapes(path, self.card, network)
        # Some faults show only when it runs, and the night must not end in the middle of them.
        with _refusing(path):
            said = network.run(_noise(network.side, network.channels))
        _check_answers(path, self.card, said)
        self._idle.append(network)

    def run(self, pixels: np.ndarray) -> Output:
        """Scores and embeddings of pictures, uint8 [n, side, side, c], whatever their number."""
        side, channels = self.card.image_size, self.card.channels
        if pixels.dtype != np.uint8 or pixels.shape[1:] != (side, side, channels):
            raise ValueError(
                f"pictures must be uint8 [n, {side}, {side}, {channels}],"
                f" not {pixels.dtype} {list(pixels.shape)}"
            )
        try:
            network = self._idle.pop()
        except IndexError:
            network = self._new_network()
        try:
            whole = network.run(pixels)
        finally:
            self._idle.append(network)
        return Output({head: whole[head] for head in self.card.vocabulary}, whole[EMBEDDING])

    def _new_network(self) -> "Network":
        return Network(self._data, threads=1, side=self.card.image_size)


class Network:
    """The interpreter with its tensors found by signature name: their order is scrambled.

    ValueError or RuntimeError when the bytes are no network, or one that wants more memory than
    a network for pictures of `side` pixels does.
    """

    def __init__(self, data: bytes, threads: int, side: int = LARGEST_SIDE) -> None:
        # Loaded here: `catalog --help` and runs with nothing to do never need it.
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415

        with hushed():  # LiteRT tells of its delegate
            self._interpreter = Interpreter(model_content=data, num_threads=threads)
            _refuse_huge(self._interpreter.get_tensor_details(), len(data), side)
            _refuse_unknown(self._interpreter)
            self._interpreter.allocate_tensors()
            # Again: the shapes that a file tells are worked out anew.
            _refuse_huge(self._interpreter.get_tensor_details(), len(data), side)
            runner = self._interpreter.get_signature_runner()
            inputs, outputs = runner.get_input_details(), runner.get_output_details()
        found = {name: (int(x["index"]), _shape(x)) for name, x in {**inputs, **outputs}.items()}
        self._input, shape = found.get(PIXELS, (-1, ()))
        self.side, self.channels = (shape[1], shape[3]) if len(shape) == 4 else (-1, -1)
        self._outputs = {name: found[name][0] for name in outputs}
        self.widths = {name: (found[name][1] or (0,))[-1] for name in outputs}
        self._size = 0

    def run(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """Every output for uint8 [n, side, side, c], by name; `at_once` pictures at a time."""
        step = at_once(self.side)
        batches = [self._run(pixels[start : start + step]) for start in range(0, len(pixels), step)]
        none = {name: np.empty((0, width), np.float32) for name, width in self.widths.items()}
        return {name: np.concatenate([none[name], *(b[name] for b in batches)]) for name in none}

    def _run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        if len(batch) != self._size:
            self._interpreter.resize_tensor_input(self._input, batch.shape)
            self._interpreter.allocate_tensors()
            self._size = len(batch)
        self._interpreter.set_tensor(self._input, batch)
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(at) for name, at in self._outputs.items()}


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, RuntimeError, MemoryError) as error:
        raise ModelRefused(f"{path} can't be loaded: {error}") from error


def _refuse_huge(tensors: Iterable[Mapping[str, Any]], size: int, side: int) -> None:
    """Look at what the tensors would take before they are made."""
    most = size + ROOM + ROOM_PER_PIXEL * side**2
    wanted = sum(math.prod(map(abs, _shape(x))) * np.dtype(x["dtype"]).itemsize for x in tensors)
    if wanted > most:
        raise ValueError(f"its tensors want {wanted >> 20:,} MiB, more than {most >> 20:,}")


def _refuse_unknown(interpreter: Any) -> None:
    """Refuse operations that no network of this project has: some make tensors of any size."""
    told = interpreter._get_ops_details()  # noqa: SLF001 - nothing public tells
    if unknown := {x["op_name"] for x in told} - OPERATIONS:
        raise ValueError(f"{', '.join(sorted(unknown))[:200]} has no place in it")


def _shape(tensor: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(map(int, tensor["shape"]))


def _check_shapes(path: Path, card: Card, network: Network) -> None:
    expected = {head: len(labels) for head, labels in card.vocabulary.items()}
    expected[EMBEDDING] = card.embedding_size
    looks_at = (card.image_size, card.channels)
    if network.widths != expected or (network.side, network.channels) != looks_at:
        raise ModelRefused(f"{path} does not answer what its card says")


def _check_answers(path: Path, card: Card, said: Mapping[str, np.ndarray]) -> None:
    """A row of finite numbers a picture, which are probabilities but for the embedding."""
    for name, rows in said.items():
        if rows.shape[:-1] != (TRIED,) or not np.isfinite(rows).all():
            raise ModelRefused(f"{path} gives no finite numbers as {name}")
        if name in card.vocabulary and not _are_probabilities(rows):
            raise ModelRefused(f"{path} gives no probabilities as {name}")


def _noise(side: int, channels: int) -> np.ndarray:
    """Pictures of chance, the same each time: uint8 [TRIED, side, side, c]."""
    return np.random.default_rng(0).integers(0, 256, (TRIED, side, side, channels), np.uint8)


def _are_probabilities(rows: np.ndarray) -> bool:
    return bool((rows >= 0).all() and np.allclose(rows.sum(axis=1), 1, atol=PROBABILITY))
