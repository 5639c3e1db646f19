"""Bytes that nobody would think of, read as a CSV: rows, rejects or one refusal, nothing else.

pip install atheris    (in an environment of its own; the project does without it)
python tests/fuzz/fuzz_tables.py -max_total_time=300 -timeout=10 -max_len=4096
"""

import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["catalog"]):
    from catalog import products
    from catalog.places import Folders
    from catalog.records import Reading, Record, find_columns, read_records
    from catalog.tables import Reject, Row, TableRefused, open_table

ENCODINGS = (None, None, "cp1252", "utf-16", "latin-1")
READING = Reading(products.PRODUCTS, ())
FILE = Path(tempfile.mkdtemp(prefix="vitrina-fuzz-")) / "rows.csv"


def look(data: bytes) -> None:
    """One file; its first byte chooses an encoding."""
    if not data:
        return
    encoding = ENCODINGS[data[0] % len(ENCODINGS)]
    FILE.write_bytes(data[1:])
    try:
        with open_table(FILE, encoding) as table:
            rows = list(table.rows())
            header = table.header
    except TableRefused:
        return
    check_rows(rows, len(header), data.count(b"\n") + data.count(b"\r") + 1)
    check_records(rows, header)


def check_rows(rows: list[Row | Reject], cells: int, lines: int) -> None:
    """Rows follow each other within the file, each as wide as the header."""
    numbers = [row.line for row in rows]
    assert all(a < b for a, b in pairwise(numbers)), numbers
    assert not numbers or (numbers[0] > 1 and numbers[-1] <= lines), (numbers, lines)
    assert all(len(row.cells) == cells for row in rows if isinstance(row, Row))


def check_records(rows: list[Row | Reject], header: tuple[str, ...]) -> None:
    """Each row is a record or a reject, at its own line."""
    try:
        columns = find_columns(header, READING)
    except TableRefused:
        return
    records = list(read_records(rows, columns, Folders.of(FILE)))
    assert [one.line for one in records] == [one.line for one in rows]
    for row, record in zip(rows, records, strict=True):
        assert isinstance(record, Record | Reject)
        assert isinstance(record, Reject) or isinstance(row, Row)


if __name__ == "__main__":
    atheris.Setup(sys.argv, look)
    atheris.Fuzz()
