"""CSV files as they come: encodings, delimiters, quotes, physical lines."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.tables import MAX_ROW, Reason, Reject, Row, TableRefused, fold_name, open_table


@pytest.fixture
def read(tmp_path):
    """Write bytes to a CSV and read it: its header, then its rows and rejects."""

    def read(data: bytes, encoding: str | None = None):
        path = tmp_path / "shop.csv"
        path.write_bytes(data)
        with open_table(path, encoding) as table:
            return table.header, list(table.rows())

    return read


def reasons(rows):
    """What came of each row: its line, and the reason if it was refused."""
    return [(row.line, row.reason if isinstance(row, Reject) else None) for row in rows]


def test_everything_is_text(read):
    """No cell is turned into a number or a missing value."""
    _, rows = read(b"id,brand,size\n00001,NA,1e5\n,null,\n")
    assert rows == [Row(2, ["00001", "NA", "1e5"]), Row(3, ["", "null", ""])]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiter_is_told_by_the_header(read, delimiter):
    """Comma, semicolon and tab all work, whatever the rows hold."""
    header, rows = read(f"id{delimiter}image\n1{delimiter}a b\n".encode())
    assert (header, rows) == (("id", "image"), [Row(2, ["1", "a b"])])


def test_delimiter_is_the_one_that_splits_most(read):
    """A semicolon inside a name of a comma file does not mislead."""
    assert read(b"id,price; EUR,image\n")[0] == ("id", "price; EUR", "image")


def test_ambiguous_delimiter_is_refused(read):
    """Where two would do equally well, none is guessed."""
    with pytest.raises(TableRefused, match="can be split by ',' or by ';'"):
        read(b"id;name,image\n")


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("\ufeffid,image\r\n1,é\r\n".encode(), None),
        ("\ufeffid,image\n1,é\n".encode(), "UTF-8"),
        ("id,image\n1,é\n".encode("latin-1"), "latin-1"),
        ("id,image\n1,é\n".encode("utf-16"), "utf-16"),
        ("\ufeffid,image\n1,é\n".encode("utf-16-le"), "utf-16-le"),
        ("id,image\r1,é\r".encode(), None),
    ],
)
def test_encodings_and_line_ends(read, data, encoding):
    """A byte order mark is no part of the first name, and any line end ends a line."""
    assert read(data, encoding) == (("id", "image"), [Row(2, ["1", "é"])])


def test_wrong_encoding_names_the_byte(read):
    """A latin-1 file is refused with byte, offset, line and what to do, however late it shows."""
    good = b"id,image\r\n" + b'1,"a\nb"\r\n' * 30_000
    with pytest.raises(TableRefused) as refused:
        read(good + b"2,caf\xe9\r\n")
    assert f"byte 0xE9 at offset {len(good) + 5} (line 60002)" in str(refused.value)
    assert "--encoding cp1252" in str(refused.value)


def test_wrong_byte_counts_the_byte_order_mark(read):
    """The offset is that in the file, as an editor shows it."""
    with pytest.raises(TableRefused, match=r"byte 0xFF at offset 6 \(line 1\)"):
        read("\ufeffid,".encode() + b"\xff\n")


@pytest.mark.parametrize("end", [b"\xc3", b"\xe2\x82", b"\xed\xa0\x80"])
def test_half_a_character_is_refused(read, end):
    """A file cut inside a character, or with half a surrogate pair, is not UTF-8."""
    with pytest.raises(TableRefused, match=r"at offset 11 \(line 2\)"):
        read(b"id,image\n1," + end)


@pytest.mark.parametrize(
    ("data", "encoding", "message"),
    [
        (b"", None, "is empty"),
        (b"\xef\xbb\xbf\n \n", None, "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", None, "not a text file"),
        (b"PK\x03\x04\x14\0,\0\n", None, "an Excel workbook or a ZIP file"),
        ("id,image".encode("utf-16"), None, "--encoding utf-16"),
        (b"id,image\n", "utf-17", "no text encoding called 'utf-17'"),
        (b"id,image\n", "base64", "no text encoding called 'base64'"),
        (b"id,image\n", "utf-16", "--encoding"),
        (b"id,caf\xc3\xa9\n", "ascii", "is not ascii: byte 0xC3"),
        (b",,\n1,2,3\n", None, "no header"),
        (b'"id,image\n1,2\n', None, "header can't be read"),
    ],
)
def test_what_is_no_table_is_refused(read, data, encoding, message):
    """One clear sentence says why."""
    with pytest.raises(TableRefused, match=message):
        read(data, encoding)


def test_missing_file_and_folder_are_refused(tmp_path):
    """Neither is a file to read."""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(TableRefused, match="there is no file"), open_table(path):
            pass


def test_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    """What the system says is passed on."""
    path = tmp_path / "shop.csv"
    path.write_text("id,image\n")

    def denied(*_: object, **__: object):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(TableRefused, match="can't be read: Permission denied"), open_table(path):
        pass


def test_rows_are_never_shifted(read):
    """A row with a field too many or too few is refused; its neighbours are not."""
    _, rows = read(b"id,image\n1,a\n2\n3,b,c\n4,d\n")
    assert reasons(rows) == [
        (2, None),
        (3, Reason.TOO_FEW_FIELDS),
        (4, Reason.TOO_MANY_FIELDS),
        (5, None),
    ]
    assert rows[2].detail == "3 fields, the header has 2"


def test_lines_are_physical(read):
    """A row is known by the line that it starts at; blank lines count as lines, not as rows."""
    data = b'\nid,"ima\nge"\r\n1,"a\nb\r\nc"\n\n  \n2,d\n'
    assert read(data) == (("id", "ima\nge"), [Row(4, ["1", "a\nb\r\nc"]), Row(9, ["2", "d"])])


def test_nul_is_refused_row_by_row(read):
    """A NUL costs its own row."""
    _, rows = read(b"id,image\n1,a\n2,\0b\n3,c\n")
    assert reasons(rows) == [(2, None), (3, Reason.NOT_TEXT), (4, None)]
    assert rows[1].detail == "2,\ufffdb"


def test_half_surrogates_are_refused_row_by_row(read):
    """Some codecs let through what no UTF-8 file can hold."""
    _, rows = read(b"id,image\n1,+2AA-\n2,c\n", "utf-7")
    assert reasons(rows) == [(2, Reason.NOT_TEXT), (3, None)]


@pytest.mark.parametrize("rest", [b"3,c\n4,d\n", b'3,"c"\n4,"d\ne"\n', b"3,c\n\n4,d"])
def test_open_quote_costs_one_row(read, rest):
    """A quote that is never closed does not swallow the rows below it."""
    _, rows = read(b'id,image\n1,a\n2,"b\n' + rest)
    assert reasons(rows) == [(2, None), (3, Reason.QUOTE_BROKEN), *reasons(rows)[2:]]
    assert [row.cells[0] for row in rows[2:]] == ["3", "4"]


def test_text_after_a_quote_is_refused(read):
    """What a lenient reader would glue together is not guessed at."""
    _, rows = read(b'id,image\n1,"a"b\n2,c"d\n')
    assert reasons(rows) == [(2, Reason.QUOTE_BROKEN), (3, None)]
    assert rows[1].cells == ["2", 'c"d']


def test_lines_below_an_open_quote_keep_the_rules(read):
    """They are rows like any other: counted, checked, skipped when blank."""
    _, rows = read(b'id,image\n1,"a\n2\n\n3,\0\n4,b\n5,"c"\n')
    assert reasons(rows) == [
        (2, Reason.QUOTE_BROKEN),
        (3, Reason.TOO_FEW_FIELDS),
        (5, Reason.NOT_TEXT),
        (6, None),
        (7, None),
    ]


def test_row_without_an_end_is_refused(read):
    """A line beyond the limit costs its own row, and no more memory than the limit."""
    _, rows = read(b"id,image\n1," + b"a" * (3 * MAX_ROW) + b"\n2,b\n")
    assert reasons(rows) == [(2, Reason.ROW_TOO_LARGE), (3, None)]
    assert len(rows[0].detail) == 200


def test_large_cell_is_read(read):
    """Python's own limit of 131,072 characters a cell is not ours."""
    _, rows = read(b"id,image\n1," + b"a" * 500_000 + b"\n")
    assert reasons(rows) == [(2, None)]


def test_hostile_quotes_take_no_more_than_a_few_readings(read):
    """Quotes that open again on every line are read in time that grows with the file only."""
    lines = 140_000
    _, rows = read(b"id,image\n" + b'x","z\n' * lines)
    assert [row.line for row in rows] == list(range(2, lines + 2))
    assert {row.reason for row in rows} == {Reason.QUOTE_BROKEN}


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(
    st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=8),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_what_csv_writes_is_read_back(tmp_path_factory, rows, delimiter, end, mark):
    """Each row comes back as it was, at the line that it was written on."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "image"])
    expected = []
    for row in rows:
        written = text.getvalue()
        line = len(io.StringIO(written, newline=None).readlines()) + 1
        expected.append(Row(line, row))
        writer.writerow(row)
    path = tmp_path_factory.mktemp("csv") / "shop.csv"
    path.write_bytes(text.getvalue().encode("utf-8-sig" if mark else "utf-8"))
    with open_table(path) as table:
        assert list(table.rows()) == expected


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_refused(tmp_path_factory, data):
    """Whatever the file holds, nothing but `TableRefused` is raised, and lines only go up."""
    path = tmp_path_factory.mktemp("csv") / "shop.csv"
    path.write_bytes(b"id,image\n" + data)
    try:
        with open_table(path) as table:
            lines = [row.line for row in table.rows()]
    except TableRefused:
        return
    assert lines == sorted(set(lines))


@given(st.text(st.sampled_from('a",\n\r;'), max_size=60))
def test_no_line_is_lost_to_quotes(tmp_path_factory, text):
    """Every line that is not blank belongs to the row that starts there, or to one before it."""
    path = tmp_path_factory.mktemp("csv") / "shop.csv"
    path.write_bytes(b"id,image\n" + text.encode() + b"\nlast,one\n")
    with open_table(path) as table:
        rows = list(table.rows())
    last = rows[-1]
    assert isinstance(last, Reject) or last.cells[-1].strip().endswith("one")


@pytest.mark.parametrize("name", ["Product Id", "\ufeffproduct_id", " PRODUCT-ID ", "productId"])
def test_names_of_columns_are_folded(name):
    """Case, spaces, underscores, hyphens and a byte order mark make no difference."""
    assert fold_name(name) == "productid"


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("longer", [-2, -1, 0, 1])
def test_a_line_cut_at_its_end_counts_once(tmp_path, end, longer):
    """A row as long as rows may be, or hardly more, leaves the lines after it their numbers."""
    path = tmp_path / "long.csv"
    rows = ["id,title", "1," + "x" * (MAX_ROW - 2 + longer), "2,y", "3,z"]
    path.write_bytes("".join(row + end for row in rows).encode())
    with open_table(path) as table:
        found = list(table.rows())
    assert [(one.line, one.cells[0]) for one in found if isinstance(one, Row)][-2:] == [
        (3, "2"),
        (4, "3"),
    ]
