"""What `catalog serve` asks of the published database, anew for every question.

The database is opened for one question and closed again, so that the nightly run may put a new one
in its place at any time; the next question sees that one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.query import answer
from sql.store import Store

MOST_COMPARED = 200_000  # pictures; 128 numbers of each take 100 MiB
MOST_ROWS = 500
NEAREST = 6
SMALLEST = 1e-12  # so that an embedding of nothing but zeros is far from everything

Identity = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Near:
    """A product of the catalogue, and how far its picture is from the one asked about.

    The distance is 1 less the cosine of the two embeddings, 0 to 2; `distance` 0 is the same.
    """

    source: str
    id: str
    title: str | None
    picture: str  # SHA-256
    distance: float


@dataclass(frozen=True, slots=True)
class Seen:
    """The pictures of the catalogue as one model sees them: float32 [n, d], each of length 1."""

    pictures: tuple[str, ...]
    directions: np.ndarray

    def nearest(self, embedding: np.ndarray, most: int) -> list[tuple[str, float]]:
        """The nearest pictures to an embedding [d], nearest first, with their distances."""
        asked = embedding / max(float(np.linalg.norm(embedding)), SMALLEST)
        distances = 1 - self.directions @ asked.astype(np.float32)
        order = np.argsort(distances, kind="stable")[:most]
        return [(self.pictures[place], max(0.0, float(distances[place]))) for place in order]


@dataclass
class Catalogue:
    """The published database of a store; what one model sees is kept until either changes."""

    store: Store
    _kept: tuple[tuple[str, Identity], Seen] | None = field(default=None, init=False)
    # DuckDB has one instance of a file in a process, and the first question locks its settings.
    _asking: Lock = field(default_factory=Lock, init=False)

    @property
    def is_there(self) -> bool:
        """Whether there is a database to ask."""
        return self.store.database.is_file()

    def ask(self, query: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """The answer to one of reports/queries; JobError when there is no database to ask."""
        text = resources.files("reports").joinpath("queries", f"{query}.sql").read_text("utf-8")
        with self._asking, answer(self.store, text, params) as rows:
            return rows.read_all()

    def nearest(self, model: str, embedding: np.ndarray) -> list[Near]:
        """The NEAREST products by what `model` sees, the nearest first; none without any."""
        if not self.is_there:
            return []
        # Several pictures may be one product's, and one picture several products'.
        found = self._seen(model).nearest(embedding, 4 * NEAREST)
        distances = dict(found)
        rows = self.ask("serve_products", {"pictures": list(distances)}).to_pylist()
        rows.sort(key=lambda row: distances[row["picture"]])
        near: dict[tuple[str, str], Near] = {}
        for row in rows:
            one = Near(**row, distance=distances[row["picture"]])
            near.setdefault((one.source, one.id), one)
        return list(near.values())[:NEAREST]

    def _seen(self, model: str) -> Seen:
        said = self.store.database.stat()
        key = model, (said.st_dev, said.st_ino, said.st_mtime_ns)
        if self._kept is None or self._kept[0] != key:
            table = self.ask("serve_embeddings", {"model": model, "most": MOST_COMPARED})
            self._kept = key, _seen(table)
        return self._kept[1]


def _seen(table: pa.Table) -> Seen:
    pictures = tuple(table["picture"].to_pylist())
    if not pictures:
        return Seen((), np.empty((0, 0), np.float32))
    lists = table["embedding"].combine_chunks()
    rows = lists.flatten().to_numpy().reshape(len(pictures), -1).astype(np.float32)
    lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), SMALLEST)
    return Seen(pictures, rows / lengths)
