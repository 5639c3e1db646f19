"""What a training leaves beside the network: where it came from, and what it was tested on."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from catalog.models import weights
from catalog.models.artefact import HISTORY, SAMPLE, TEST_PICTURES, TEST_SCORES, sha256
from catalog.models.settings import TrainSettings
from sql.files import replacing, write_text

SAMPLED = 24
"""Training pictures kept with the model, for its sheet."""

SHOWN = 24
"""Test pictures kept with the model, half of them wrong where there are as many."""

PACKAGES = ("keras", "tensorflow", "ai-edge-litert", "numpy", "pillow")

TEST_SCHEMA = pa.schema(
    [
        pa.field("picture", pa.string(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("head", pa.string(), nullable=False),
        pa.field("truth", pa.string(), nullable=False),
        pa.field("scores", pa.list_(pa.float32()), nullable=False),  # in vocabulary order
    ],
    metadata={b"vitrina.table": b"test_scores", b"vitrina.version": b"1"},
)

SAMPLE_SCHEMA = pa.schema(
    [
        pa.field("picture", pa.string(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("labels", pa.map_(pa.string(), pa.string()), nullable=False),
        pa.field("png", pa.binary(), nullable=False),  # as the model saw it
    ],
    metadata={b"vitrina.table": b"sample", b"vitrina.version": b"1"},
)

TEST_PICTURES_SCHEMA = pa.schema(
    [
        pa.field("picture", pa.string(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("png", pa.binary(), nullable=False),  # as the model saw it
    ],
    metadata={b"vitrina.table": b"test_pictures", b"vitrina.version": b"1"},
)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a model is to be called, and what it comes from."""

    name: str
    version: str
    source: str
    csv_sha256: str


def write_history(folder: Path, phases: Sequence[Mapping[str, Any]]) -> None:
    """Keep the curves of a training."""
    write_text(folder / HISTORY, json.dumps({"phases": list(phases)}, indent=1) + "\n")


def write_test_scores(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Keep truth and scores of what was tested, rows as TEST_SCHEMA has them."""
    _write(folder / TEST_SCORES, rows, TEST_SCHEMA)


def write_sample(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Keep some pictures as the network saw them, rows as SAMPLE_SCHEMA has them."""
    _write(folder / SAMPLE, rows, SAMPLE_SCHEMA)


def sampled(count: int, seed: int) -> list[int]:
    """Which of `count` training pictures to keep: SAMPLED of them by chance, in their order."""
    rng = np.random.default_rng(seed)
    return sorted(rng.choice(count, min(SAMPLED, count), replace=False).tolist())


def shown(wrong: NDArray[np.bool_], seed: int) -> list[int]:
    """Which of the n tested pictures to keep, wrong [n] or not: SHOWN of them by chance.

    Half of them are wrong, or as many as there are, and so with the right ones.
    """
    rng = np.random.default_rng(seed)
    mistakes = rng.permutation(np.flatnonzero(wrong))
    others = rng.permutation(np.flatnonzero(~wrong))
    few = min(len(mistakes), max(SHOWN // 2, SHOWN - len(others)))
    return [*mistakes[:few].tolist(), *others[: SHOWN - few].tolist()]


def write_test_pictures(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Keep some tested pictures as the network saw them, rows as TEST_PICTURES_SCHEMA has them."""
    _write(folder / TEST_PICTURES, rows, TEST_PICTURES_SCHEMA)


def versions() -> dict[str, str]:
    """Of Python and of the packages that make a network what it is."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def weights_of(settings: TrainSettings) -> str:
    """Where the weights came from; a file by its name and hash."""
    if settings.weights in (weights.IMAGENET, weights.NONE):
        return settings.weights
    path = Path(settings.weights)
    return f"{path.name} (SHA-256 {sha256(path)})"


def _write(path: Path, content: list[dict[str, Any]], schema: pa.Schema) -> None:
    with replacing(path) as draft:
        pq.write_table(pa.Table.from_pylist(content, schema), draft, compression="zstd")
