"""What is said about each product in the end: its pictures' scores together, and what was given."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.attributes import Vocabulary
from catalog.decoding import combine, decode
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
        scores = _scores(con, model, changes, vocabulary)
        columns = _fixed_columns(run, source, model, changes, causes)
        for name in names:
            columns |= _attribute_columns(name, changes, scores.get(name), vocabulary)
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


def _scores(
    con: duckdb.DuckDBPyConnection, model: str, changes: pa.Table, vocabulary: Vocabulary
) -> dict[str, np.ndarray]:
    """Mean scores of the products of a batch: head to float64 [products, labels], NaN unseen."""
    lists = changes["pictures"].combine_chunks()
    product = np.repeat(np.arange(len(lists)), pc.list_value_length(lists).to_numpy())
    asked = pc.list_flatten(lists)
    con.register("asked_pictures", pa.table({"picture": pc.unique(asked)}))
    found = statements.table(con, "scores_of", model=model)
    con.unregister("asked_pictures")
    means = {}
    for head, labels in vocabulary.items():
        rows = found.filter(pc.equal(found["head"], head))
        values = pc.list_flatten(rows["scores"]).to_numpy().reshape(-1, len(labels))
        place = pc.index_in(asked, rows["picture"].combine_chunks()).to_numpy()
        means[head] = combine(values[place], product, len(lists))
    return means


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
    name: str, changes: pa.Table, scores: np.ndarray | None, vocabulary: Vocabulary
) -> dict[str, pa.Array]:
    """The four columns of one attribute; nothing is predicted for one without a head."""
    count = changes.num_rows
    given = pc.map_lookup(changes["given"].combine_chunks(), name, "first")
    if scores is None:
        predicted = pa.nulls(count, pa.string())
        confidence = pa.nulls(count, pa.float32())
    else:
        codes, sure = decode(scores)
        unseen = codes < 0
        predicted = pa.array(vocabulary[name], pa.string()).take(pa.array(codes, mask=unseen))
        confidence = pa.array(sure.astype(np.float32), mask=unseen)
    return {
        f"{name}_given": given,
        f"{name}_predicted": predicted,
        f"{name}_confidence": confidence,
        name: pc.coalesce(given, predicted),
    }
