"""The tables of a model's folder, read only as its card describes them, and within bounds."""

import io
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.models.artefact import Card, ModelRefused, verify

# What a table may claim to hold: a split of ten million pictures takes two gigabytes inflated.
MOST_ROWS = 10_000_000
LARGEST = 2 * 2**30

# What a table may take once read, in bytes: hashes and scores shrink to a tenth at the best.
ROOM = 32 * 2**20
ROOM_PER_BYTE = 64
ROWS_AT_ONCE = 32


def kept_table(
    folder: Path,
    filename: str,
    card: Card,
    schema: pa.Schema,
    columns: Sequence[str] | None = None,
    *,
    dictionaries: bool = False,
) -> pa.Table:
    """The table in a Parquet file of a model's folder, or some of its columns.

    ModelRefused when it is not the file that the card names, has other columns than `schema`, or
    claims to hold more than such a table does. With `dictionaries` a text that is repeated a
    million times is held once.
    """
    data = verify(folder, filename, card)
    try:
        _check_claims(data, schema)
        names = list(columns or schema.names)
        if not dictionaries:
            _check_inflated(data, names)
        return pq.read_table(
            io.BytesIO(data), columns=names, read_dictionary=names if dictionaries else None
        )
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
        said = str(error)[:200]
        raise ModelRefused(
            f"{folder / filename} is not the table that it should be: {said}"
        ) from error


def _check_claims(data: bytes, schema: pa.Schema) -> None:
    """ValueError when the file's own footer says that it is no such table."""
    said = pq.read_metadata(io.BytesIO(data))
    size = sum(said.row_group(place).total_byte_size for place in range(said.num_row_groups))
    if said.num_rows > MOST_ROWS or not 0 <= size <= LARGEST:
        raise ValueError(f"it claims {said.num_rows:,} rows of {size:,} bytes")
    if not said.schema.to_arrow_schema().equals(schema):
        raise ValueError(f"its columns are not {', '.join(schema.names)}")


def _check_inflated(data: bytes, names: Sequence[str]) -> None:
    """ValueError when the table would take far more than its file: the footer tells less."""
    most = ROOM + ROOM_PER_BYTE * len(data)
    with pq.ParquetFile(io.BytesIO(data)) as file:
        size = 0
        for batch in file.iter_batches(ROWS_AT_ONCE, columns=names, use_threads=False):
            size += batch.nbytes
            if size > most:
                raise ValueError(f"it inflates beyond {most:,} bytes")
