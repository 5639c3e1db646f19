"""Inference with the exported LiteRT file. TensorFlow and Keras are never imported here."""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.models.artefact import LITERT, Card, ModelRefused, load_card, verify

# Measured with MobileNetV2-224 on four cores: four threads with an interpreter each look at 300 to
# 330 pictures a second, two at a time (four: 290; eight: 240). One interpreter with four threads
# of its own: 180, 16 at a time, for a third more CPU, as those wait for each other at every layer.
BATCH = 2
EMBEDDING = "embedding"
PIXELS = "pixels"

_HUSHING = threading.Lock()  # the descriptor is the whole process's


@dataclass(frozen=True, slots=True)
class Output:
    """What a model says about n pictures."""

    scores: Mapping[str, np.ndarray]  # head to float32 [n, labels], in the card's label order
    embedding: np.ndarray  # float32 [n, embedding_size]


class Runtime:
    """A model folder, loaded. Any number of threads may use it: each has its own interpreter."""

    def __init__(self, folder: Path) -> None:
        self.card: Card = load_card(folder)
        self._data = verify(folder, LITERT, self.card)
        self._own = threading.local()
        try:
            network = self._network()
        except (ValueError, RuntimeError) as error:
            raise ModelRefused(f"{folder / LITERT} can't be loaded: {error}") from error
        _check_outputs(folder, self.card, network)

    def run(self, pixels: np.ndarray) -> Output:
        """Scores and embeddings of pictures, uint8 [n, side, side, 3]; any n, BATCH at a time."""
        side = self.card.image_size
        if pixels.dtype != np.uint8 or pixels.shape[1:] != (side, side, 3):
            raise ValueError(
                f"pictures must be uint8 [n, {side}, {side}, 3],"
                f" not {pixels.dtype} {list(pixels.shape)}"
            )
        whole = self._network().run(pixels)
        return Output({head: whole[head] for head in self.card.vocabulary}, whole[EMBEDDING])

    def _network(self) -> "Network":
        """The interpreter of the thread that calls."""
        if not hasattr(self._own, "network"):
            self._own.network = Network(self._data, threads=1)
        network: Network = self._own.network
        return network


class Network:
    """The interpreter with its tensors found by signature name: their order is scrambled."""

    def __init__(self, data: bytes, threads: int) -> None:
        # Loaded here: `catalog --help` and runs with nothing to do never need it.
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415

        with _HUSHING, _hushed():
            self._interpreter = Interpreter(model_content=data, num_threads=threads)
            self._interpreter.allocate_tensors()
            runner = self._interpreter.get_signature_runner()
            inputs, outputs = runner.get_input_details(), runner.get_output_details()
            self._input = int(inputs[PIXELS]["index"]) if PIXELS in inputs else -1
            self.side = int(inputs[PIXELS]["shape"][1]) if PIXELS in inputs else -1
            self._outputs = {name: int(detail["index"]) for name, detail in outputs.items()}
            self.widths = {name: int(detail["shape"][-1]) for name, detail in outputs.items()}
        self._size = 0

    def run(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """Every output for uint8 [n, side, side, 3], by name; BATCH pictures at a time."""
        starts = range(0, len(pixels), BATCH)
        batches = [self._run(pixels[start : start + BATCH]) for start in starts]
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


def _check_outputs(folder: Path, card: Card, network: Network) -> None:
    expected = {head: len(labels) for head, labels in card.vocabulary.items()}
    expected[EMBEDDING] = card.embedding_size
    if network.widths != expected or network.side != card.image_size:
        raise ModelRefused(f"{folder / LITERT} does not answer what its card says")


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep LiteRT's own chatter ("Created TensorFlow Lite XNNPACK delegate") off the terminal.

    It is written by C++ to descriptor 2 at loading, and no setting turns it off.
    """
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, not a path of ours
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
