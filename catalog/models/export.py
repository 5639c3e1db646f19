"""From a trained network to the files that are loaded later, and back."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
from PIL import Image

from catalog.models.artefact import (
    KERAS,
    LITERT,
    SUMMARY,
    Card,
    ModelRefused,
    NotExported,
    verify,
)
from catalog.models.inspection import inspect
from catalog.models.runtime import EMBEDDING, Network
from catalog.models.training import spread_of
from sql.files import write_text

LARGEST_EMBEDDING = 128

COMPARED = 64
"""Test pictures on which the exported file is compared with the trained network."""

TOLERANCE = 1e-3
"""Difference of a score between Keras and LiteRT above which an export is no good."""


class ExportFailed(ValueError):  # noqa: N818 - reads as the outcome it is
    """The exported file does not say what the network says."""


def with_embedding(
    name: str, network: keras.Model, features: keras.Model, measured: np.ndarray
) -> keras.Model:
    """The network with one more output: its pooled features, standardised, reduced by a PCA.

    `features` shares the network's layers and input; `measured` is what it makes of the pictures
    trained on, float32 [n, d]. The embedding has at most 128 numbers, the first vary most.
    """
    embedding = principal_components(measured)(features.output)
    outputs = {**network.output, EMBEDDING: embedding}
    return keras.Model(network.input, outputs, name=name)


def embedded(network: keras.Model, measured: np.ndarray) -> np.ndarray:
    """What `with_embedding`'s network makes of features [n, d] that are known already."""
    kernel, bias = network.get_layer(EMBEDDING).get_weights()
    reduced: np.ndarray = measured @ kernel + bias
    return reduced


def principal_components(measured: np.ndarray) -> keras.layers.Layer:
    """The fixed dense layer that turns features [n, d] into their principal components.

    Of the standardised features: a texture that hardly varies among products tells a picture of
    something else better than what varies most.
    """
    mean = measured.mean(axis=0, dtype=np.float64)
    spread = spread_of(measured.astype(np.float64))
    centred = (measured - mean) / spread
    count = min(LARGEST_EMBEDDING, len(measured), measured.shape[1])
    kernel = _axes(centred)[:, :count]
    # An axis has no direction of its own: its largest part is positive, so runs agree.
    kernel = kernel * np.sign(kernel[np.abs(kernel).argmax(axis=0), np.arange(count)])
    kernel /= spread[:, None]
    layer = keras.layers.Dense(count, name=EMBEDDING, trainable=False)
    layer.build(measured.shape)
    layer.set_weights([kernel, -mean @ kernel])
    return layer


def _axes(centred: np.ndarray) -> np.ndarray:
    """The principal axes of rows [n, d] as columns, the one that varies most first."""
    if len(centred) < centred.shape[1]:  # d x d would be the longer way
        return np.linalg.svd(centred, full_matrices=False)[2].T
    _, axes = np.linalg.eigh(centred.T @ centred)
    return axes[:, ::-1]


def check_backend() -> None:
    """NotExported where Keras computes with what can't write LiteRT files: all but TensorFlow."""
    if (backend := keras.backend.backend()) != "tensorflow":
        raise NotExported(f"it is trained, but Keras on {backend} can't write {LITERT}")


def save(network: keras.Model, folder: Path) -> None:
    """Write model.keras, model.tflite and summary.txt into a model's folder."""
    network.save(folder / KERAS)
    network.export(folder / LITERT, format="litert", verbose=False)
    lines: list[str] = []
    network.summary(expand_nested=True, print_fn=lines.append)
    write_text(folder / SUMMARY, "\n".join(lines) + "\n")


def compared(count: int) -> list[int]:
    """COMPARED places from the first of `count` to the last: of all classes, where by class."""
    return sorted(set(np.linspace(0, count - 1, COMPARED).astype(int).tolist()))


def pixels_of(files: Sequence[Path]) -> np.ndarray:
    """Pictures that were laid out, uint8 [n, side, side, c]."""
    stacked = np.stack([np.asarray(Image.open(path)) for path in files])
    return stacked if stacked.ndim == 4 else stacked[..., None]


def agreement(folder: Path, pixels: np.ndarray, expected: Mapping[str, np.ndarray]) -> Any:
    """Compare the LiteRT file with what Keras made of the same pictures, for the card.

    pixels: uint8 [n, side, side, c]; expected: every output of these pictures, by name.
    ExportFailed when a score differs by more than TOLERANCE.
    """
    answers = Network((folder / LITERT).read_bytes(), threads=2).run(pixels)
    heads = [name for name in expected if name != EMBEDDING]
    differences = {head: float(np.abs(answers[head] - expected[head]).max()) for head in heads}
    if not max(differences.values()) <= TOLERANCE:
        raise ExportFailed(f"{LITERT} differs from the trained network by {differences}")
    same = [np.argmax(answers[head], 1) == np.argmax(expected[head], 1) for head in heads]
    return {
        "pictures": len(pixels),
        "largest_difference": max(differences.values()),
        "labels_equal": float(np.mean(same)),
    }


def load_keras(folder: Path, card: Card) -> keras.Model:
    """The trained network of a model folder; ModelRefused unless it is what the card names.

    The bytes that were hashed are the ones that are opened, without code in them (safe mode), and
    not before they were looked at: Keras builds whatever a configuration asks for.
    """
    data = verify(folder, KERAS, card)
    inspect(folder / KERAS, data)
    with TemporaryDirectory() as private:
        copy = Path(private) / KERAS
        copy.write_bytes(data)
        try:
            return keras.saving.load_model(copy, compile=False, safe_mode=True)
        except Exception as error:  # a stranger's file may stumble over anything in Keras
            raise ModelRefused(f"{folder / KERAS} can't be loaded: {error}") from error
