"""The stages of the pipeline that compute: pure, batch in, batch out.

Any engine can call them on batches of its own; every array travels with the ids of its rows.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from catalog.decoding import ranked
from catalog.models.runtime import Output
from sql.schemas import TABLES


def joined(outputs: Sequence[Output]) -> Output:
    """What a model said of several batches, as of one."""
    return Output(
        {head: np.concatenate([one.scores[head] for one in outputs]) for head in outputs[0].scores},
        np.concatenate([one.embedding for one in outputs]),
    )


def score_rows(
    pictures: Sequence[str],
    trained_on: np.ndarray,
    output: Output,
    model: str,
) -> pa.RecordBatch:
    """All scores of n pictures, one row a picture and head; trained_on is bool [n]."""
    heads = list(output.scores)
    lists = [_lists(output.scores[head]) for head in heads]
    return pa.RecordBatch.from_arrays(
        [
            _repeated(pictures, len(heads)),
            pa.repeat(model, len(pictures) * len(heads)),
            pa.array(np.repeat(heads, len(pictures))),
            pa.concat_arrays(lists),
            pa.array(np.tile(trained_on, len(heads))),
        ],
        schema=TABLES["scores"],
    )


def prediction_rows(
    pictures: Sequence[str],
    output: Output,
    vocabulary: Mapping[str, Sequence[str]],
    model: str,
) -> pa.RecordBatch:
    """The best five labels of n pictures, one row a picture, head and rank."""
    batches = [
        _head_rows(pictures, head, scores, vocabulary[head], model)
        for head, scores in output.scores.items()
    ]
    return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]


def embedding_rows(pictures: Sequence[str], output: Output, model: str) -> pa.RecordBatch:
    """What the model saw in n pictures, one row a picture."""
    return pa.RecordBatch.from_arrays(
        [
            pa.array(pictures, pa.string()),
            pa.repeat(model, len(pictures)),
            _lists(output.embedding),
        ],
        schema=TABLES["embeddings"],
    )


def _head_rows(
    pictures: Sequence[str], head: str, scores: np.ndarray, labels: Sequence[str], model: str
) -> pa.RecordBatch:
    codes, values = ranked(scores)
    count, best = codes.shape
    return pa.RecordBatch.from_arrays(
        [
            pa.array(np.repeat(np.asarray(pictures, object), best), pa.string()),
            pa.repeat(model, count * best),
            pa.repeat(head, count * best),
            pa.array(np.tile(np.arange(1, best + 1, dtype=np.int8), count)),
            pa.array(labels, pa.string()).take(pa.array(codes.ravel())),
            pa.array(values.ravel().astype(np.float32)),
        ],
        schema=TABLES["predictions"],
    )


def _repeated(pictures: Sequence[str], times: int) -> pa.Array:
    return pa.concat_arrays([pa.array(pictures, pa.string())] * times)


def _lists(values: np.ndarray) -> pa.Array:
    """float32 [n, k] as n lists of k."""
    count, width = values.shape
    offsets = pa.array(np.arange(0, (count + 1) * width, width, dtype=np.int32))
    return pa.ListArray.from_arrays(offsets, pa.array(values.ravel().astype(np.float32)))
