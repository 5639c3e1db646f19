"""The rules that every CSV is read by: text first, physical lines, nothing shifted or lost.

A file that can't be read as a table is refused whole (`TableRefused`). A row that can't be read
is a `Reject` in its place, so that rows read and rows refused always add up.
"""

import codecs
import csv
import io
import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Self, TextIO

# In characters: bounds what one row can cost. Longer ones are refused.
MAX_ROW = 2**20
MAX_DETAIL = 200
_DELIMITERS = (",", ";", "\t")
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLOCK = 2**16
# How files start that people take for a CSV, and what is to be done with them.
_OTHER_FILES = {
    b"\x1f\x8b": "is packed with gzip: unpack it first",
    b"PK\x03\x04": "is an Excel workbook or a ZIP file: export the table as CSV",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook: export the table as CSV",
    b"\x89PNG": "is a picture, not a text file",
    b"\xff\xd8\xff": "is a picture, not a text file",
}
# Some codecs let half a surrogate pair through, which no UTF-8 file can hold.
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
_UNSHOWABLE = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff]")
_IGNORED_IN_NAMES = re.compile(r"[\s_\-\ufeff]+")


class TableRefused(ValueError):  # noqa: N818 - says what happened
    """The file can't be taken as a table; the message says what is wrong and what helps."""


class Reason(StrEnum):
    """Why a row is refused. The list is closed: reports and queries count by it."""

    TOO_FEW_FIELDS = "too_few_fields"
    TOO_MANY_FIELDS = "too_many_fields"
    ROW_TOO_LARGE = "row_too_large"
    QUOTE_BROKEN = "quote_broken"
    NOT_TEXT = "not_text"
    ID_EMPTY = "id_empty"
    DUPLICATE_ID = "duplicate_id"
    PICTURE_EMPTY = "picture_empty"
    PICTURE_INVALID = "picture_invalid"
    PICTURE_SCHEME = "picture_scheme"
    PATH_OUTSIDE = "path_outside"
    TOO_MANY_PICTURES = "too_many_pictures"


class RowRefused(ValueError):  # noqa: N818 - says what happened
    """A row breaks a rule: which one, in which column, by which cell."""

    def __init__(self, reason: Reason, column: str | None = None, detail: str | None = None):
        super().__init__(reason)
        self.reason = reason
        self.column = column
        self.detail = detail


class Row(NamedTuple):
    """One row: the physical line that it starts at (the file's first is 1), and its cells."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Reject:
    """A refused row: its physical line, the reason, the column at fault and the cell, cut short."""

    line: int
    reason: Reason
    column: str | None = None
    detail: str | None = None

    @classmethod
    def of(cls, line: int, refused: RowRefused) -> Self:
        """Say where the row that was refused stands."""
        detail = refused.detail
        return cls(line, refused.reason, refused.column, detail and _quoted(detail))


@dataclass(frozen=True, slots=True)
class Table:
    """An open CSV: the names of its columns, trimmed, and its rows, which can be read once."""

    path: Path
    header: tuple[str, ...]
    delimiter: str
    _lines: "_Lines"

    def rows(self) -> Iterator[Row | Reject]:
        """Read the rows in order. A blank line is no row.

        `TableRefused` when a byte turns out not to be text of the file's encoding.
        """
        reader = _reader(self._lines, self.delimiter)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _TooLarge) as error:
                yield from self._recover(too_large=isinstance(error, _TooLarge))
                continue
            row = self._checked(cells, *self._lines.close_record())
            if row:
                yield row

    def _checked(self, cells: list[str], line: int, is_text: bool) -> Row | Reject | None:
        """Refuse a row with a field too many or too few, rather than shift its cells."""
        if _is_blank(cells):
            return None
        if not is_text:
            return Reject(line, Reason.NOT_TEXT, detail=_quoted(self.delimiter.join(cells)))
        if len(cells) == len(self.header):
            return Row(line, cells)
        few = len(cells) < len(self.header)
        return Reject(
            line,
            Reason.TOO_FEW_FIELDS if few else Reason.TOO_MANY_FIELDS,
            detail=f"{len(cells)} fields, the header has {len(self.header)}",
        )

    def _recover(self, *, too_large: bool) -> Iterator[Row | Reject]:
        """Refuse the line where a row went wrong, and read again what was read beyond it.

        A quote that is never closed swallows the lines up to the next quote. Those between hold
        none and are read one by one; the last is put back, for it may open a row of several
        lines. So no line is read more than three times, however hostile the quotes.
        """
        line, (broken, *others) = self._lines.break_record()
        reason = Reason.ROW_TOO_LARGE if too_large and not others else Reason.QUOTE_BROKEN
        yield Reject(line, reason, detail=_quoted(broken))
        for number, text in enumerate(others, start=line + 1):
            row = self._alone(number, text)
            if row:
                yield row

    def _alone(self, line: int, text: str) -> Row | Reject | None:
        """Read a line as a row of its own."""
        try:
            cells = next(_reader(iter([text]), self.delimiter))
        except csv.Error:
            return Reject(line, Reason.QUOTE_BROKEN, detail=_quoted(text))
        return self._checked(cells, line, _is_text(text))


@contextmanager
def open_table(path: Path, encoding: str | None = None) -> Iterator[Table]:
    """Open a CSV whose first line that is not blank names the columns.

    `encoding` is UTF-8 unless told; a byte order mark is no part of the first name. Fields are
    delimited by comma, semicolon or tab, whichever splits the header into most names.
    `TableRefused` when there is no such file, or it is empty, not text, or of another encoding.
    """
    with _open_text(path, encoding) as stream:
        _refuse_other_files(path)
        lines = _Lines(_physical_lines(stream, path))
        try:
            first = _first_line(lines)
        except _TooLarge as error:
            raise TableRefused(f"{path}: its first line is too long to be a header") from error
        if first is None:
            raise TableRefused(f"{path} is empty")
        if "\0" in first:
            raise TableRefused(f"{path} is not a text file: there is a NUL byte in its first line")
        delimiter = _sniff(path, first)
        yield Table(path, _read_header(path, lines, delimiter), delimiter, lines)


def fold_name(name: str) -> str:
    """Bring a column's name to the form in which names are compared.

    Case, spaces, underscores, hyphens and a byte order mark make no difference.
    """
    return _IGNORED_IN_NAMES.sub("", unicodedata.normalize("NFC", name)).casefold()


class _TooLarge(Exception):  # noqa: N818 - says what happened
    """A row has grown beyond `MAX_ROW` and is not at its end."""


class _Lines:
    """Physical lines for csv.reader, counted; the last one read can be put back."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self._waiting: str | None = None  # a line put back
        self._before = 0  # lines before the row being read
        self._record: list[str] = []  # the lines of that row so far
        self._size = 0  # their characters

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._waiting
        if line is None:
            line = next(self._source)
        else:
            self._waiting = None
        self._record.append(line)
        self._size += len(line)
        if self._size > MAX_ROW:
            raise _TooLarge
        return line

    def close_record(self) -> tuple[int, bool]:
        """End a row: the line that it began at, and whether all of it is text."""
        first = self._before + 1
        is_text = all(map(_is_text, self._record))
        self._before += len(self._record)
        self._record.clear()
        self._size = 0
        return first, is_text

    def put_back(self) -> None:
        """Hand out the last line once more."""
        self._waiting = self._record.pop()

    def break_record(self) -> tuple[int, list[str]]:
        """End a row that went wrong: the line that it began at, and its lines.

        Of several lines the last is put back.
        """
        if len(self._record) > 1:
            self.put_back()
        lines = list(self._record)
        return self.close_record()[0], lines


def _reader(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    """Read strictly: text after a closing quote is an error, and so is a quote left open."""
    csv.field_size_limit(MAX_ROW)  # Python's own, an eighth of it, is for the whole process too
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _physical_lines(stream: TextIO, path: Path) -> Iterator[str]:
    """Hand out lines with their ends; of one beyond MAX_ROW only the first characters.

    `TableRefused` at the end of a file that somebody is still writing: what is not in it yet
    would count as gone.
    """
    before = _state(stream)
    try:
        begun = ""
        while line := begun + stream.readline(MAX_ROW + 1 - len(begun)):
            yield line
            while len(line) > MAX_ROW and not line.endswith(("\n", "\r")):
                line = stream.readline(MAX_ROW + 1)
            # The bound may have cut a line between its CR and LF.
            begun = stream.readline(1) if len(line) > MAX_ROW and line.endswith("\r") else ""
            begun = begun.removeprefix("\n")
    except UnicodeError as error:
        raise TableRefused(_undecodable(path, stream.encoding, error)) from error
    if _state(stream) != before:
        raise TableRefused(f"{path} changed while it was read; run again when it is whole")


def _state(stream: TextIO) -> tuple[int, int]:
    """Tell how large an open file is, and when it was last written to."""
    said = os.fstat(stream.fileno())
    return said.st_size, said.st_mtime_ns


def _first_line(lines: _Lines) -> str | None:
    """Look at the first line that is not blank, leaving it to be read; None if there is none."""
    for line in lines:
        if line.strip("\ufeff \t\r\n"):
            lines.put_back()
            return line
        lines.close_record()
    return None


def _sniff(path: Path, line: str) -> str:
    """Tell the delimiter that splits the header into most names; two that tie are refused."""
    widths = {mark: len(next(csv.reader([line], delimiter=mark))) for mark in _DELIMITERS}
    widest = max(widths.values())
    best = [mark for mark in _DELIMITERS if widths[mark] == widest]
    if widest > 1 and len(best) > 1:
        raise TableRefused(
            f"{path}: its header can be split by {' or by '.join(map(repr, best))}; "
            "put quotes around the names that hold one of them"
        )
    return best[0]


def _read_header(path: Path, lines: _Lines, delimiter: str) -> tuple[str, ...]:
    """Read the names of the columns; a column may be without one, but not all of them."""
    try:
        cells = next(_reader(lines, delimiter))
    except (csv.Error, _TooLarge) as error:
        raise TableRefused(f"{path}: its header can't be read (a quote left open?)") from error
    lines.close_record()
    header = tuple(cell.strip("\ufeff \t\r\n") for cell in cells)
    if not any(header):
        raise TableRefused(f"{path} has no header: its first line names no column")
    return header


@contextmanager
def _open_text(path: Path, encoding: str | None) -> Iterator[TextIO]:
    """Open a file as text whose line ends are kept as they are."""
    try:
        if not path.is_file():
            raise TableRefused(f"there is no file {path}")
        stream = path.open(encoding=_codec(encoding), newline="")
    except OSError as error:
        raise TableRefused(f"{path} can't be read: {error.strerror}") from error
    with stream:
        yield stream


def _refuse_other_files(path: Path) -> None:
    """Say what a file is that is known by how it starts and is no text."""
    with path.open("rb") as raw:
        start = raw.read(4)
    for mark, what in _OTHER_FILES.items():
        if start.startswith(mark):
            raise TableRefused(f"{path} {what}")


def _codec(encoding: str | None) -> str:
    """Name the codec to read with: UTF-8 takes a byte order mark away."""
    try:
        name = codecs.lookup(encoding or "utf-8").name
        io.TextIOWrapper(io.BytesIO(), encoding=name).close()  # refuses codecs that aren't text
    except (LookupError, ValueError) as error:
        raise TableRefused(f"there is no text encoding called {encoding!r}") from error
    return "utf-8-sig" if name == "utf-8" else name


def _undecodable(path: Path, codec: str, error: UnicodeError) -> str:
    """Say which byte is not text, where it stands and what helps."""
    with path.open("rb") as raw:
        start = raw.read(_BLOCK)
    if start.startswith(_UTF16_MARKS) and codec.startswith("utf-8"):
        return f"{path} looks like UTF-16, not UTF-8: give --encoding utf-16"
    if codec.startswith("utf-8") and b"\0" in start:
        return f"{path} is not a text file: it has a NUL byte at offset {start.index(0)}"
    found = _find_undecodable(path, codec)
    if found is None:
        return f"{path} is not {codec}: {error}; name its encoding with --encoding"
    byte, offset, line = found
    name = "UTF-8" if codec.startswith("utf-8") else codec
    return (
        f"{path} is not {name}: byte 0x{byte:02X} at offset {offset} (line {line}) is no text "
        "in it; name the file's encoding, such as --encoding cp1252"
    )


def _find_undecodable(path: Path, codec: str) -> tuple[int, int, int] | None:
    """Find the first byte that is not text: the byte, its offset from 0, its physical line."""
    # Plain UTF-8: with utf-8-sig the positions leave the byte order mark out.
    decoder = codecs.getincrementaldecoder(codec.removesuffix("-sig"))()
    offset, lines = 0, io.IncrementalNewlineDecoder(None, translate=True)
    ends = 0
    with path.open("rb") as raw:
        block = b"?"
        while block:
            block = raw.read(_BLOCK)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                text = error.object[: error.start].decode(error.encoding, "replace")
                ends += lines.decode(text, final=True).count("\n")
                return error.object[error.start], offset - pending + error.start, ends + 1
            except UnicodeError:  # such as UTF-16 without a byte order mark
                return None
            ends += lines.decode(text).count("\n")
            offset += len(block)
    return None


def _is_text(line: str) -> bool:
    return ("\0" not in line) if line.isascii() else not _UNWRITABLE.search(line)


def _is_blank(cells: list[str]) -> bool:
    return not cells or (len(cells) == 1 and not cells[0].strip())


def _quoted(text: str) -> str:
    """Cut a cell to what a report or a terminal can show: without control characters."""
    return _UNSHOWABLE.sub("\ufffd", text[:MAX_DETAIL].strip())
