"""From a CSV to products or posts: read once, repeated ids settled, no row lost on the way."""

import hashlib
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import closing
from dataclasses import dataclass
from itertools import accumulate, chain
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.places import Folders
from catalog.records import (
    MAX_PICTURES,
    Columns,
    Reading,
    Record,
    find_columns,
    read_records,
)
from catalog.tables import Reason, Reject, open_table

# A batch is written when it holds so many rows, or so many characters of text.
_BATCH_ROWS = 8192
_BATCH_TEXT = 2**24

_TEXTS = pa.map_(pa.string(), pa.string())
# What was read, before ids are compared. An absent text is an empty one here.
_READ = pa.schema(
    [
        ("id", pa.string()),
        ("title", pa.string()),
        ("given", _TEXTS),
        ("pictures", pa.list_(pa.string())),
        ("extra", _TEXTS),
        ("line", pa.int64()),
        # A digest, equal for rows that agree in everything but the picture.
        ("rest", pa.string()),
        # The cells that look like pictures and were not chosen.
        ("others", pa.string()),
    ]
)
_REFUSED = pa.schema(
    [
        ("line", pa.int64()),
        ("column", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Intake:
    """What a CSV of a kind (see `Layout`) came to: `rows` = `accepted` + `rejected`.

    `records` has one row a product or post, by line: source, id, title, given, pictures, extra,
    line, row_hash and gone, which is false. `rejects` has the columns of the rejects table, one
    row a refused row. A row that only adds a picture to its record is accepted, so there may be
    fewer records than accepted rows. `attributes` are those that have a column; `labelled` tells
    how many records say something of each; `reasons` how many rows were refused for each reason.
    """

    kind: str
    rows: int
    accepted: int
    rejected: int
    record_count: int
    records: Path
    rejects: Path
    attributes: tuple[str, ...]
    labelled: Mapping[str, int]
    reasons: Mapping[str, int]


def take_in(csv: Path, source: str, reading: Reading, folder: Path) -> Intake:
    """Read a CSV into `folder`, which holds records.parquet and rejects.parquet afterwards.

    Memory is bounded, but for an index of the ids. `TableRefused` when the CSV can't be taken
    as what it should be, be it at its last byte; what `folder` holds then means nothing.
    """
    rows = _read(csv, reading, folder)
    with closing(_connect(folder)) as con:
        _settle(con, source, rows)
        return _tell(con, rows)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a CSV as they were read, before ids are compared."""

    csv: Path
    folder: Path
    kind: str
    columns: Columns
    count: int


def _read(csv: Path, reading: Reading, folder: Path) -> _Rows:
    """Stream the CSV into read.parquet (rows to accept) and refused.parquet."""
    with (
        open_table(csv, reading.encoding) as table,
        pq.ParquetWriter(folder / "read.parquet", _READ, compression="zstd") as read,
        pq.ParquetWriter(folder / "refused.parquet", _REFUSED, compression="zstd") as refused,
    ):
        columns = find_columns(table.header, reading)
        count = 0
        rows = read_records(table.rows(), columns, Folders.of(csv, reading.image_root))
        for batch in _batches(rows):
            count += len(batch)
            records = [row for row in batch if isinstance(row, Record)]
            rejects = [row for row in batch if isinstance(row, Reject)]
            read.write_batch(_record_batch(records, columns))
            refused.write_batch(_reject_batch(rejects))
    return _Rows(csv, folder, reading.layout.kind, columns, count)


def _batches(rows: Iterable[Record | Reject]) -> Iterator[list[Record | Reject]]:
    """Gather rows, so many and so much text at a time."""
    batch: list[Record | Reject] = []
    text = 0
    for row in rows:
        batch.append(row)
        if isinstance(row, Record):
            text += sum(map(len, chain(row.pictures, row.extra.values(), row.given.values())))
        if len(batch) == _BATCH_ROWS or text > _BATCH_TEXT:
            yield batch
            batch, text = [], 0
    if batch:
        yield batch


def _record_batch(records: Sequence[Record], columns: Columns) -> pa.RecordBatch:
    apart = columns.other_pictures
    return pa.record_batch(
        [
            _texts([record.id for record in records]),
            _texts([record.title or "" for record in records]),
            _maps([record.given for record in records]),
            _lists([record.pictures for record in records]),
            _maps([record.extra for record in records]),
            _numbers("q", [record.line for record in records]),
            _texts([_rest(record, apart) for record in records]),
            _texts([_others(record, apart) for record in records]),
        ],
        schema=_READ,
    )


def _reject_batch(rejects: Sequence[Reject]) -> pa.RecordBatch:
    return pa.record_batch(
        [
            _numbers("q", [reject.line for reject in rejects]),
            _texts([reject.column or "" for reject in rejects]),
            _texts([reject.reason for reject in rejects]),
            _texts([reject.detail or "" for reject in rejects]),
        ],
        schema=_REFUSED,
    )


# Arrow arrays are made of their buffers here: pa.array() of a list imports pandas, which takes
# half a second and 70 MB that a run with nothing to do has not.


def _numbers(kind: Literal["i", "q"], numbers: Iterable[int]) -> pa.Array:
    """Make an array of 32-bit (i) or 64-bit (q) integers."""
    values = array(kind, numbers)
    arrow = {"i": pa.int32(), "q": pa.int64()}[kind]
    return pa.Array.from_buffers(arrow, len(values), [None, pa.py_buffer(values)])


def _offsets(groups: Iterable[Sized]) -> pa.Array:
    """Tell where each group starts when all of them stand in a row, and where the last ends."""
    return _numbers("i", accumulate(map(len, groups), initial=0))


def _texts(texts: Iterable[str]) -> pa.Array:
    data = list(map(str.encode, texts))
    buffers = [None, _offsets(data).buffers()[1], pa.py_buffer(b"".join(data))]
    return pa.Array.from_buffers(pa.string(), len(data), buffers)


def _lists(texts: Sequence[Sequence[str]]) -> pa.Array:
    return pa.ListArray.from_arrays(_offsets(texts), _texts(chain.from_iterable(texts)))


def _maps(texts: Sequence[Mapping[str, str]]) -> pa.Array:
    values = chain.from_iterable(text.values() for text in texts)
    return pa.MapArray.from_arrays(
        _offsets(texts), _texts(chain.from_iterable(texts)), _texts(values)
    )


def _rest(record: Record, apart: Collection[str]) -> str:
    """Digest what rows must agree in to be of one record: all but the line and the pictures.

    Cells hold no NUL, so that it tells them apart.
    """
    given = chain.from_iterable(record.given.items())
    others = [pair for pair in record.extra.items() if pair[0] not in apart]
    text = "\0".join((record.title or "", *given, "", *chain.from_iterable(others)))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _others(record: Record, apart: Collection[str]) -> str:
    """Join the cells that look like pictures, but were not chosen to be."""
    return "\0".join(record.extra.get(name, "") for name in apart)


def _connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open a database that spills into `folder` rather than grow."""
    return duckdb.connect(
        config={
            "memory_limit": "256MB",
            "temp_directory": str(folder / "spill"),
            "threads": 2,
            "autoinstall_known_extensions": False,
        }
    )


# Ids that stand in several rows, and what the first of them says. One row an id.
_REPEATED = """
create temp table repeated as
select id, min(line) as first_line, arg_min(rest, line) as rest
from read_parquet($read)
where hash(id) in (
    select hash(id) from read_parquet($read) group by hash(id) having count(*) > 1
)
group by id
having count(*) > 1
"""

# The rows that agree with the first of their id, itself among them, up to a number. One row a row.
_AGREEING = """
create temp table agreeing as
select line, id
from read_parquet($read)
join repeated using (id, rest)
qualify row_number() over (partition by id order by line) <= $most
"""

# Their pictures, each once, in the order of the rows. One row an id.
_GATHERED = """
create temp table gathered as
with

places as (

    select
        agreeing.id,
        unnest(pictures) as picture,
        line * 1000 + generate_subscripts(pictures, 1) as place
    from read_parquet($read) as read
    join agreeing using (line)

),

firsts as (

    select id, picture, min(place) as place from places group by all

)

select id, list(picture order by place) as pictures
from firsts
group by id
"""

# Records, by line. One row an id: its first row, with the pictures of all that agree with it.
_RECORDS = """
copy (
    select
        $source as source,
        id,
        nullif(title, '') as title,
        given,
        coalesce(gathered.pictures, read.pictures) as pictures,
        extra,
        line,
        sha256(
            concat_ws(
                chr(10),
                read.rest,
                others,
                array_to_string(coalesce(gathered.pictures, read.pictures), chr(10))
            )
        ) as row_hash,
        false as gone
    from read_parquet($read) as read
    left join repeated using (id)
    left join gathered using (id)
    where repeated.first_line is null or line = repeated.first_line
) to $records (format parquet, compression zstd, row_group_size 16384)
"""

# Refused rows: by line those that could not be read, then by line those whose id an earlier row
# has and that disagree with it in more than the picture, or are too many. One row a refused row.
_REJECTED = """
copy (
    with

    refused as (

        select line, null::bigint as first_line, "column", reason, detail
        from read_parquet($refused)

        union all

        (
            select
                line,
                repeated.first_line,
                $column,
                if(read.rest = repeated.rest, $too_many, $duplicate),
                left(id, 200)
            from read_parquet($read) as read
            join repeated using (id)
            anti join agreeing using (line)
            order by line
        )

    )

    select
        $source as source,
        $file as file,
        line,
        first_line,
        nullif("column", '') as "column",
        reason,
        nullif(detail, '') as detail
    from refused
) to $rejects (format parquet, compression zstd)
"""

# How many records say something of each attribute. One row an attribute.
_LABELLED = """
select attribute, count(*) as records
from (select unnest(map_keys(given)) as attribute from read_parquet($records))
group by attribute
"""

# How many rows were refused for each reason. One row a reason, the most frequent first.
_REASONS = """
select reason, count(*) as refused
from read_parquet($rejects)
group by reason
order by refused desc, reason
"""


def _settle(con: duckdb.DuckDBPyConnection, source: str, rows: _Rows) -> None:
    """Write records.parquet and rejects.parquet out of what was read."""
    read = {"read": str(rows.folder / "read.parquet")}
    con.execute(_REPEATED, read)
    con.execute(_AGREEING, read | {"most": MAX_PICTURES})
    con.execute(_GATHERED, read)
    con.execute(
        _RECORDS, read | {"source": source, "records": str(rows.folder / "records.parquet")}
    )
    con.execute(
        _REJECTED,
        read
        | {
            "source": source,
            "file": str(rows.csv.absolute()),
            # Ids that are lines never repeat.
            "column": "" if rows.columns.id is None else rows.columns.header[rows.columns.id],
            "duplicate": Reason.DUPLICATE_ID,
            "too_many": Reason.TOO_MANY_PICTURES,
            "refused": str(rows.folder / "refused.parquet"),
            "rejects": str(rows.folder / "rejects.parquet"),
        },
    )


def _tell(con: duckdb.DuckDBPyConnection, rows: _Rows) -> Intake:
    """Count what came of the rows."""
    records, rejects = rows.folder / "records.parquet", rows.folder / "rejects.parquet"
    labelled = con.execute(_LABELLED, {"records": str(records)}).fetchall()
    reasons = dict(con.execute(_REASONS, {"rejects": str(rejects)}).fetchall())
    return Intake(
        kind=rows.kind,
        rows=rows.count,
        accepted=rows.count - sum(reasons.values()),
        rejected=sum(reasons.values()),
        record_count=pq.read_metadata(records).num_rows,
        records=records,
        rejects=rejects,
        attributes=tuple(rows.columns.attributes),
        labelled=dict.fromkeys(rows.columns.attributes, 0) | dict(labelled),
        reasons=reasons,
    )
