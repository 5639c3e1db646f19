"""What is said about each product in the end: its pictures' scores together, and what was given."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.attributes import Vocabulary
from catalog.decisions import Decided, Decisions
from catalog.decoding import combine
from jobs.plan import doubt_tags
from jobs.run import Run
from sql import statements
from sql.schemas import tags_schema

PRODUCTS_PER_BATCH = 20_000


def decide_tags(
    run: Run,
    con: duckdb.DuckDBPyConnection,
    *,
    source: str,
    model: str,
    vocabulary: Vocabulary,
    decisions: Decisions,
    attributes: Sequence[str],
    causes: Mapping[str, str],
) -> int:
    """Write the tags of every staged product whose tags changed; gives their number.

    `causes` says what a change of model is called, by the model that tagged before: `model`, or
    `vocabulary` when the labels themselves are others. Memory is bounded by a batch of products.
    """
    names = list(dict.fromkeys([*attributes, *vocabulary]))
    schema = tags_schema(names)
    count = 0
    for changes in _changes(con, source, model, run.work / "changes.parquet"):
        seen = _Seen.of(con, model, changes, decisions)
        decided = decisions.decide(seen.scores(con, model, vocabulary), vocabulary)
        columns = _fixed_columns(run, source, model, changes, causes)
        columns["not_a_product"] = seen.not_a_product
        for name in names:
            columns |= _attribute_columns(name, changes, decided.get(name), vocabulary)
        run.write("tags", pa.table(columns).select(schema.names).cast(schema))
        count += changes.num_rows
    return count


def _changes(
    con: duckdb.DuckDBPyConnection, source: str, model: str, path: Path
) -> Iterator[pa.Table]:
    """The products to decide on, batch by batch; kept on disk meanwhile, not in memory."""
    doubt_tags(con, source, model)
    reader = statements.batches(
        con, "untagged_changes", PRODUCTS_PER_BATCH, source=source, model=model
    )
    with pq.ParquetWriter(path, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
    for batch in pq.ParquetFile(path).iter_batches(PRODUCTS_PER_BATCH):
        yield pa.Table.from_batches([batch])


@dataclass(frozen=True)
class _Seen:
    """The pictures of a batch of products, one row a product and picture."""

    products: int
    product: np.ndarray  # int64 [rows], the place of its product
    picture: pa.Array  # text [rows]
    strange: np.ndarray | None  # bool [rows]: unlike any product; None where nobody can tell

    @classmethod
    def of(
        cls, con: duckdb.DuckDBPyConnection, model: str, changes: pa.Table, decisions: Decisions
    ) -> Self:
        """Those of the products that are to be decided on."""
        lists = changes["pictures"].combine_chunks()
        product = np.repeat(np.arange(len(lists)), pc.list_value_length(lists).to_numpy())
        picture = pc.list_flatten(lists)
        likeness, strange = decisions.likeness, None
        if likeness:
            found = _asked(con, "embeddings_of", model, picture)
            values = pc.list_flatten(found["embedding"]).to_numpy()
            width = len(likeness.deviations)
            near = ~likeness.strange(values.reshape(-1, width))
            like = found["picture"].combine_chunks().filter(pa.array(near))
            strange = ~pc.is_in(picture, like).to_numpy(zero_copy_only=False)
        return cls(len(lists), product, picture, strange)

    def scores(
        self, con: duckdb.DuckDBPyConnection, model: str, vocabulary: Vocabulary
    ) -> dict[str, np.ndarray]:
        """Mean scores of the products: head to float64 [products, labels], NaN unseen.

        Pictures that are unlike any product have no say.
        """
        found = _asked(con, "scores_of", model, self.picture)
        count = np.ones(len(self.product), bool) if self.strange is None else ~self.strange
        means = {}
        for head, labels in vocabulary.items():
            rows = found.filter(pc.equal(found["head"], head))
            values = pc.list_flatten(rows["scores"]).to_numpy().reshape(-1, len(labels))
            place = pc.index_in(self.picture, rows["picture"].combine_chunks()).to_numpy()
            means[head] = combine(values[place[count]], self.product[count], self.products)
        return means

    @property
    def not_a_product(self) -> pa.Array:
        """For each product whether all its pictures are strange; null without any, or unknown."""
        if self.strange is None:
            return pa.nulls(self.products, pa.bool_())
        pictures = np.bincount(self.product, minlength=self.products)
        strange = np.bincount(self.product, self.strange, minlength=self.products)
        return pa.array(strange == pictures, mask=pictures == 0)


def _asked(con: duckdb.DuckDBPyConnection, step: str, model: str, pictures: pa.Array) -> pa.Table:
    """What a step tells of these pictures."""
    con.register("asked_pictures", pa.table({"picture": pc.unique(pictures)}))
    found = statements.table(con, step, model=model)
    con.unregister("asked_pictures")
    return found


def _fixed_columns(
    run: Run, source: str, model: str, changes: pa.Table, causes: Mapping[str, str]
) -> dict[str, pa.Array]:
    count = changes.num_rows
    tagged = pc.greater(pc.list_value_length(changes["pictures"]), 0)
    cause = [
        causes.get(before, why) if why == "model" else why
        for why, before in zip(
            changes["cause"].to_pylist(), changes["model_before"].to_pylist(), strict=True
        )
    ]
    return {
        "source": pa.repeat(source, count),
        "id": changes["id"],
        "model": pc.if_else(tagged, model, pa.scalar(None, pa.string())),
        "cause": pa.array(cause, pa.string()),
        "pictures": changes["pictures"],
        "tagged": tagged,
        "tagged_at": pa.repeat(pa.scalar(run.started), count),
    }


def _attribute_columns(
    name: str, changes: pa.Table, decided: Decided | None, vocabulary: Vocabulary
) -> dict[str, pa.Array]:
    """The five columns of one attribute; nothing is predicted for one without a head."""
    count = changes.num_rows
    given = pc.map_lookup(changes["given"].combine_chunks(), name, "first")
    if decided is None:
        predicted = pa.nulls(count, pa.string())
        confidence = pa.nulls(count, pa.float32())
        review = pa.nulls(count, pa.bool_())
    else:
        unseen = decided.codes < 0
        codes = pa.array(decided.codes, mask=unseen)
        predicted = pa.array(vocabulary[name], pa.string()).take(codes)
        confidence = pa.array(decided.confidence.astype(np.float32), mask=unseen)
        known = decided.review is not None
        review = pa.array(decided.review, mask=unseen) if known else pa.nulls(count, pa.bool_())
    return {
        f"{name}_given": given,
        f"{name}_predicted": predicted,
        f"{name}_confidence": confidence,
        f"{name}_review": pc.and_(review, pc.is_null(given)),
        name: pc.coalesce(given, predicted),
    }
