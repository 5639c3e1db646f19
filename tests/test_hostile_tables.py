"""Hostile CSV files: no row is lost, no cell is shifted, and every refusal is told by its line."""

import codecs
import csv
import io
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.attributes import DEFAULT
from catalog.intake import take_in
from catalog.places import Folders
from catalog.products import PRODUCTS
from catalog.records import Reading, find_columns, read_records
from catalog.tables import Reject, Row, TableRefused, open_table
from tests.hostile_tables import cases
from tests.naive_tables import ENDLESS, WAYS, failure
from tests.test_architecture import ROOT

SEED = int(os.environ.get("CATALOG_SEED", "20261122"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A scratch folder that all cases share."""
    return tmp_path_factory.mktemp("tables")


@pytest.mark.parametrize("case", cases(SEED), ids=lambda case: case.name)
def test_hostile_file(case, folder):
    """Rows and lines are told right, or the file is refused with the words that help."""
    path = folder / "shop.csv"
    path.write_bytes(case.data)
    reading = Reading(PRODUCTS, DEFAULT, encoding=case.encoding)
    if case.message or case.name.startswith("noise"):
        with pytest.raises(TableRefused) as refused:
            take_in(path, "shop", reading, folder)
        assert case.message in str(refused.value)
        return
    got = take_in(path, "shop", reading, folder)
    told = pq.read_table(got.rejects, columns=["line", "reason"]).to_pylist()
    assert tuple(sorted((row["line"], row["reason"]) for row in told)) == case.refused
    assert tuple(pq.read_table(got.records)["id"].to_pylist()) == case.ids
    assert (got.rows, got.accepted) == (case.taken + len(case.refused), case.taken)


def test_there_are_enough():
    """Fifty at the least, and another seed makes others."""
    assert len(cases(SEED)) > 100
    assert [case.data for case in cases(1)] == [case.data for case in cases(1)]
    assert [case.data for case in cases(1)] != [case.data for case in cases(2)]


def test_the_naive_reading_fails(folder):
    """Positive control: pandas.read_csv goes wrong on most of these files, in every way there is.

    Not on those that are plain, or that it refuses as we do.
    """
    ways: Counter[str | None] = Counter()
    for case in (case for case in cases(SEED) if case.name not in ENDLESS):
        path = folder / "naive.csv"
        path.write_bytes(case.data)
        ways[failure(case, path)] += 1
    assert {way for way in WAYS if not ways[way]} == set()
    assert sum(ways[way] for way in WAYS) > 60, ways


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_what_is_no_file_is_refused_at_once(make, tmp_path):
    """A pipe that nobody writes to is not waited for."""
    make(tmp_path / "shop.csv")
    with pytest.raises(TableRefused, match="there is no file"), open_table(tmp_path / "shop.csv"):
        pass


@pytest.mark.parametrize(
    "rest", [b"", b"id,image\n1,a.jpg\n" * 3, b"id,image\n" + b"9,a.jpg\n" * 30_000]
)
def test_a_file_that_is_being_written_is_refused(rest, tmp_path):
    """What is not in it yet, or not any more, would count as gone from the shop."""
    path = tmp_path / "shop.csv"
    path.write_bytes(b"id,image\n" + b"1,a.jpg\n" * 20_000)
    with open_table(path) as table:
        rows = table.rows()
        next(rows)
        path.write_bytes(rest)
        with pytest.raises(TableRefused, match="changed while it was read"):
            list(rows)


def test_a_link_out_of_the_folders_is_taken_by_its_name(tmp_path):
    """Rows go by the text alone; that nothing is read through the link is the fetcher's task."""
    (tmp_path / "a.jpg").symlink_to("/etc/passwd")
    assert Folders.of(tmp_path / "shop.csv").locate("a.jpg") == f"{tmp_path}/a.jpg"


def test_large_rows_take_little_memory(tmp_path):
    """A line of 256 MiB is refused in the memory that any other takes."""
    path = tmp_path / "shop.csv"
    with path.open("wb") as file:
        file.write(b"id,image\n")
        file.truncate(2**28)
        file.seek(0, os.SEEK_END)
        file.write(b"\n1,a.jpg\n")
    code = (
        "import resource, sys; from pathlib import Path; from catalog.tables import open_table\n"
        "start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "with open_table(Path(sys.argv[1])) as table: rows = list(table.rows())\n"
        "grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start\n"
        "print([(row.line, str(getattr(row, 'reason', ''))) for row in rows], grown < 64 * 1024)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[(2, 'row_too_large'), (3, '')] True\n"


CELLS = st.text(
    st.one_of(
        st.sampled_from("\",;\t\n\r\x85\u2028 ='|\\"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=6,
)


@settings(derandomize=True, deadline=None)
@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6),
    st.sampled_from(",;\t"),
    # With another line end than this, Python 3.11 leaves a CR or LF in a cell without quotes.
    st.sampled_from(
        [
            ("\r\n", csv.QUOTE_MINIMAL),
            ("\r\n", csv.QUOTE_ALL),
            ("\n", csv.QUOTE_ALL),
            ("\r", csv.QUOTE_ALL),
        ]
    ),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_any_table_comes_back_cell_by_cell(folder, rows, delimiter, ends, codec):
    """What Python's csv writes is read as it was, each row at the line that it was written on."""
    text = io.StringIO(newline="")
    end, quoting = ends
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(["id", "image", "note"])
    expected = []
    for row in rows:
        line = len(io.StringIO(text.getvalue(), newline=None).readlines()) + 1
        expected.append(Row(line, row))
        writer.writerow(row)
    path = folder / "written.csv"
    path.write_bytes(text.getvalue().encode(codec))
    with open_table(path, None if codec.startswith("utf-8") else codec) as table:
        assert list(table.rows()) == expected


PIECES = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(
        [b"1,a.jpg,x\n", b'"', b'2,"a\nb.jpg",x\r\n', b"\n\n", b"\0", b"\r", codecs.BOM_UTF8]
    ),
)


@settings(derandomize=True, deadline=None)
@given(st.lists(PIECES, max_size=12), st.sampled_from([None, "latin-1", "utf-16", "cp1252"]))
def test_any_bytes_are_rows_and_refusals(folder, pieces, encoding):
    """Nothing but TableRefused is raised; each row is a record or a refusal, in order of lines."""
    path = folder / "any.csv"
    path.write_bytes("id,image,brand\n".encode(encoding or "utf-8") + b"".join(pieces))
    reading = Reading(PRODUCTS, DEFAULT, encoding=encoding)
    try:
        with open_table(path, encoding) as table:
            found = list(table.rows())
        with open_table(path, encoding) as table:
            columns = find_columns(table.header, reading)
            records = list(read_records(table.rows(), columns, Folders.of(path)))
    except TableRefused:
        return
    assert [row.line for row in found] == [row.line for row in records]
    assert [row.line for row in found] == sorted({row.line for row in found})
    assert all(row in records for row in found if isinstance(row, Reject))


@settings(derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(["1,a.jpg,x", "2", "3,b,c,d", "", "  ", "4,../x,y", ",b,z"])))
def test_every_line_that_is_not_blank_is_a_row(folder, lines):
    """Without quotes, accepted and refused rows are as many as lines that say something."""
    path = folder / "lines.csv"
    path.write_text("id,image,brand\n" + "\n".join(lines))
    with open_table(path) as table:
        said = [row.line for row in table.rows()]
    assert said == [number for number, line in enumerate(lines, 2) if line.strip()]
