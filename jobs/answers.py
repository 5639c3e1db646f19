"""The rows of an answer as text or as a file: table, markdown, CSV, JSON, Parquet.

CSV, JSON and Parquet are written as the rows come; a table needs all of them for its widths.
"""

import csv
import html
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.errors import JobError
from sql.files import StoreTrouble, replacing

WIDEST = 60  # characters of a cell of a table; the other forms have every character

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_MARKUP = re.compile(r"([\\`*\[\]|])")
# OWASP, CSV injection: a spreadsheet takes text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def table(rows: pa.RecordBatchReader) -> Iterator[str]:
    """Columns side by side, numbers to the right; what would move a terminal's cursor is spelt."""
    names = [_on_one_line(name) for name in rows.schema.names]
    cells = [[_clipped(_on_one_line(_text(value))) for value in row] for row in _rows(rows)]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    aligned = [str.rjust if _is_number(kind) else str.ljust for kind in rows.schema.types]

    def line(row: Sequence[str]) -> str:
        padded = (
            align(cell, width) for align, cell, width in zip(aligned, row, widths, strict=True)
        )
        return "  ".join(padded).rstrip() + "\n"

    yield line(names)
    yield "  ".join("-" * width for width in widths) + "\n"
    yield from map(line, cells)
    if not cells:
        yield "no rows\n"


def markdown(rows: pa.RecordBatchReader) -> Iterator[str]:
    """A table in which nothing of the data is markup."""
    names = [_without_markup(name) for name in rows.schema.names]
    rules = ["---:" if _is_number(kind) else "---" for kind in rows.schema.types]
    for row in (names, rules):
        yield f"| {' | '.join(row)} |\n"
    for values in _rows(rows):
        yield f"| {' | '.join(_without_markup(_text(value)) for value in values)} |\n"


def comma_separated(rows: pa.RecordBatchReader) -> Iterator[str]:
    """CSV (RFC 4180, but for bare line feeds); text that a spreadsheet would run gets a quote."""
    yield _csv_line([_harmless(name) for name in rows.schema.names])
    for row in _rows(rows):
        yield _csv_line(
            [_harmless(value) if isinstance(value, str) else _text(value) for value in row]
        )


def as_json(rows: pa.RecordBatchReader) -> Iterator[str]:
    """An array of objects; what JSON has no number for (NaN, infinity) is null."""
    between = "["
    for row in _rows(rows):
        named = dict(zip(rows.schema.names, row, strict=True))
        yield f"{between}\n{json.dumps(named, ensure_ascii=False, allow_nan=False)}"
        between = ","
    yield "[]\n" if between == "[" else "\n]\n"


WRITERS: dict[str, Callable[[pa.RecordBatchReader], Iterator[str]]] = {
    "table": table,
    "csv": comma_separated,
    "json": as_json,
    "markdown": markdown,
}
PARQUET = "parquet"  # has no text


def save(rows: pa.RecordBatchReader, form: str, path: Path) -> None:
    """Write the rows to a file, whole or not at all; JobError when the disk won't."""
    try:
        with replacing(path) as draft:
            if form == PARQUET:
                with pq.ParquetWriter(draft, rows.schema, compression="zstd") as file:
                    for batch in rows:
                        file.write_batch(batch)
            else:
                with draft.open("w", encoding="utf-8", newline="") as file:
                    file.writelines(WRITERS[form](rows))
    except StoreTrouble as error:
        raise JobError(f"{error}; {path} is as it was") from error


def _rows(rows: pa.RecordBatchReader) -> Iterator[tuple[Any, ...]]:
    """Every row in values that JSON knows; by place, since two columns may have one name."""
    kinds = rows.schema.types
    for batch in rows:
        columns = [
            [_plain(value, kind) for value in column.to_pylist()]
            for column, kind in zip(batch.columns, kinds, strict=True)
        ]
        yield from zip(*columns, strict=True)


def _plain(value: Any, kind: pa.DataType) -> Any:
    """A value of Arrow as JSON would have it: times in ISO 8601, bytes in hex, maps as objects."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | dict):
        return _nested(value, kind)
    if isinstance(value, float | Decimal):
        return _number(value, kind)
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _nested(value: Any, kind: pa.DataType) -> Any:
    if pa.types.is_map(kind):
        return {
            str(_plain(key, kind.key_type)): _plain(item, kind.item_type) for key, item in value
        }
    if pa.types.is_struct(kind):
        return {field.name: _plain(value[field.name], field.type) for field in kind}
    return [_plain(item, kind.value_type) for item in value]


def _number(value: float | Decimal, kind: pa.DataType) -> float | int | None:
    """The shortest number that is read back as this one; None for what is none."""
    if not math.isfinite(value):
        return None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return float(str(np.float32(value))) if pa.types.is_float32(kind) else value


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def _clipped(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _on_one_line(text: str) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _without_markup(text: str) -> str:
    return _MARKUP.sub(r"\\\1", html.escape(_on_one_line(text), quote=False))


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv_line(cells: Sequence[str]) -> str:
    line = StringIO()
    # Told to end lines with "\n", Python writes a "\r" without quotes, and a row is two.
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().removesuffix("\r\n") + "\n"
