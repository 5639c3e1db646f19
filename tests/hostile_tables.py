"""CSV files that a shop's export might be, each with what must become of it.

`python -m tests.hostile_tables FOLDER SEED` writes them into a folder. The same seed makes the
same files.
"""

import codecs
import gzip
import io
import random
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from catalog.tables import MAX_ROW, Reason

TOP = "id,image,brand\n"
Refusals = tuple[tuple[int, Reason], ...]


@dataclass(frozen=True)
class Case:
    """A file, and either what becomes of its rows or words of the refusal of all of it.

    `ids` are those of the products, in order; `accepted` counts rows, of which several may make
    one product; `refused` has the physical line and reason of each refused row, by line.
    """

    name: str
    data: bytes
    ids: tuple[str, ...] = ()
    refused: Refusals = ()
    message: str = ""
    encoding: str | None = None
    accepted: int | None = None

    @property
    def taken(self) -> int:
        """How many rows are accepted."""
        return len(self.ids) if self.accepted is None else self.accepted


def cases(seed: int) -> list[Case]:
    """All cases of a seed."""
    chance = random.Random(seed)
    return [
        *_encodings(),
        *_line_ends(),
        *_quotes(),
        *_shapes(),
        *_headers(),
        *_ids(),
        *_pictures(),
        *_no_tables(chance),
        *_sizes(),
        *_floods(chance),
    ]


def _text(name: str, text: str, *ids: str, refused: Refusals = (), **more: object) -> Case:
    return Case(name, text.encode(), ids, refused, **more)  # type: ignore[arg-type]


def _no(name: str, data: bytes | str, message: str, encoding: str | None = None) -> Case:
    return Case(
        name,
        data.encode() if isinstance(data, str) else data,
        message=message,
        encoding=encoding,
    )


def _encodings() -> Iterator[Case]:
    rows = f"{TOP}1,a.jpg,Été\n2,b.jpg,x\n"
    yield _text("byte order mark", f"\ufeff{rows}", "1", "2")
    yield _text("two byte order marks", f"\ufeff\ufeff{rows}", "1", "2")
    yield _text("quoted name after a mark", '\ufeff"id",image,brand\n1,a.jpg,x\n', "1")
    for codec, mark in (("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE)):
        data = rows.encode(codec)
        yield _no(f"{codec} with a mark", mark + data, "give --encoding utf-16")
        yield _no(f"{codec} without a mark", data, "not a text file")
        yield Case(f"{codec} as told", mark + data, ("1", "2"), encoding="utf-16")
    yield _no("cp1252", rows.encode("cp1252"), "byte 0xC9 at offset 23 (line 2)")
    yield Case("cp1252 as told", rows.encode("cp1252"), ("1", "2"), encoding="cp1252")
    yield _text("line separators in cells", f"{TOP}1,a.jpg,x\x85y\u2028z\u2029\x0b\x0c\n", "1")
    yield Case(
        "next line of Latin-1", b"id,image,brand\n1,a.jpg,x\x85y\n", ("1",), encoding="latin-1"
    )
    yield _text(
        "NUL in a row", f"{TOP}1,a.jpg,\0\n2,b.jpg,x\n", "2", refused=((2, Reason.NOT_TEXT),)
    )
    yield _no("NUL in the header", "id,im\0age\n1,a.jpg\n", "NUL byte")
    yield _no("CESU-8 surrogates", TOP.encode() + b"1,a.jpg,\xed\xa0\x80\n", "byte 0xED")
    yield _no("overlong slash", TOP.encode() + b"1,a.jpg,..\xc0\xaf\n", "byte 0xC0")
    yield _no("cut in a character", TOP.encode() + b"1,a.jpg,\xe2\x82", "byte 0xE2")
    yield _text("emoji and right to left", f"{TOP}👗,a.jpg,\u202e\u05e9\u05dc\n", "👗")
    yield _no("unknown encoding", rows, "no text encoding called 'klingon'", "klingon")


def _line_ends() -> Iterator[Case]:
    for name, end in (("CR", "\r"), ("LF", "\n"), ("CRLF", "\r\n"), ("LFCR", "\n\r")):
        text = f"id,image,brand{end}1,a.jpg{end}2,b.jpg,x{end}"
        # After LF a CR is a blank line of its own.
        line = 3 if end == "\n\r" else 2
        yield _text(f"lines end in {name}", text, "2", refused=((line, Reason.TOO_FEW_FIELDS),))
    mixed = "id,image,brand\r\n1,a.jpg,x\r2,b.jpg\n3,c.jpg,x"
    yield _text("mixed line ends", mixed, "1", "3", refused=((3, Reason.TOO_FEW_FIELDS),))
    for name, end in (("CR", "\r"), ("LF", "\n"), ("CRLF", "\r\n")):
        text = f'{TOP}1,a.jpg,"x{end}y{end}"\n2,b.jpg\n'
        yield _text(f"quoted {name}", text, "1", refused=((5, Reason.TOO_FEW_FIELDS),))
    yield _text("no final line end", f"{TOP}1,a.jpg,x", "1")


def _quotes() -> Iterator[Case]:
    broken = Reason.QUOTE_BROKEN
    yield _text(
        "open quote at the end", f'{TOP}1,a.jpg,x\n2,b.jpg,"y\n', "1", refused=((3, broken),)
    )
    text = f'{TOP}1,a.jpg,"x\n2,b.jpg,y\n3,c.jpg,z\n'
    yield _text("open quote on top", text, "2", "3", refused=((2, broken),))
    text = f'{TOP}1,a.jpg,"x\n2,b.jpg,"y"\n3,c.jpg,z\n'
    yield _text("open quote before a quote", text, "2", "3", refused=((2, broken),))
    yield _text("quote in a plain cell", f'{TOP}1,a.jpg,5" heel\n', "1")
    yield _text("space before a quote", f'{TOP}1,a.jpg, "x"\n', "1")
    text = f'{TOP}1,a.jpg, "x,y"\n2,b.jpg,z\n'
    yield _text("space before a quoted comma", text, "2", refused=((2, Reason.TOO_MANY_FIELDS),))
    yield _text("doubled quotes", f'{TOP}1,a.jpg,"the ""best"" one"\n', "1")
    text = f'{TOP}1,a.jpg,"x"y\n2,b.jpg,z\n'
    yield _text("text after a quote", text, "2", refused=((2, broken),))
    yield _no("open quote in the header", 'id,"image\n1,a.jpg\n', "a quote left open")


def _shapes() -> Iterator[Case]:
    few, many = Reason.TOO_FEW_FIELDS, Reason.TOO_MANY_FIELDS
    text = f"{TOP}1,a.jpg,x,y\n2,b.jpg\n3,c.jpg,z\n"
    yield _text("a field too many and too few", text, "3", refused=((2, many), (3, few)))
    text = f"{TOP}1,a.jpg,x,\n2,b.jpg,y,\n"
    yield _text("delimiters behind every row", text, refused=((2, many), (3, many)))
    yield _text("delimiters behind all", "id,image,brand,\n1,a.jpg,x,\n", "1")
    yield _text("blank lines", f"\n\n{TOP}\n1,a.jpg,x\n   \n\n2,b.jpg,y\n\n\n", "1", "2")
    yield _text(
        "lines of delimiters", f"{TOP}1,a.jpg,x\n,,\n", "1", refused=((3, Reason.ID_EMPTY),)
    )
    yield _text("semicolons", "id;image;brand\n1;a.jpg;x,y\n", "1")
    yield _text("tabs", "id\timage\tbrand\n1\ta.jpg\tx,y\n", "1")
    yield _text("prices with commas", "id;image;price\n1;a.jpg;1,5\n2;b.jpg;2,5\n", "1", "2")
    yield _text("formulas", f"{TOP}1,a.jpg,\"=cmd|'/C calc'!A0\"\n2,b.jpg,@SUM(1)\n", "1", "2")
    yield _text("header again", f"{TOP}1,a.jpg,x\n{TOP}2,b.jpg,y\n", "1", "id", "2")


def _headers() -> Iterator[Case]:
    yield _text("header only", TOP)
    yield _text("header in other cases", " Product_ID ,IMAGE-url,Brand\n1,a.jpg,x\n", "1")
    yield _text("hard space in a name", "id\u00a0,\u00a0image,brand\n1,a.jpg,x\n", "1")
    yield _no("names of no width", "\u200bid,image\n1,a.jpg\n", r"no column for id")
    yield _no("right-to-left mark", "id,image\u200f\n1,a.jpg\n", r"no column for image")
    yield _no("no picture", "id,brand\n1,x\n", "no column for image")
    yield _no("two ids", "id,id,image\n1,2,a.jpg\n", "'id' for id more than once")
    yield _no("ids in other words", "id,sku,image\n1,2,a.jpg\n", "2 columns could be id")
    yield _text("a brand twice", "id,image,brand,brand\n1,a.jpg,x,y\n", "1")
    yield _no("Excel's first line", "sep=;\nid;image\n1;a.jpg\n", "no column for id")
    yield _no("names but no delimiter", "id|image\n1|a.jpg\n", "no column for id")
    yield _no("two delimiters", "id;image,brand\n1;a.jpg,x\n", "can be split by")


def _ids() -> Iterator[Case]:
    twice, empty = Reason.DUPLICATE_ID, Reason.ID_EMPTY
    text = f"{TOP}00001,a.jpg,x\n1,b.jpg,x\n01,c.jpg,x\n1.0,d.jpg,x\n"
    yield _text("leading zeros", text, "00001", "1", "01", "1.0")
    text = f"{TOP}NA,a.jpg,NA\nnull,b.jpg,null\nnan,c.jpg,nan\nNone,d.jpg,\n"
    yield _text("words for nothing", text, "NA", "null", "nan", "None")
    text = f"{TOP}1e5,a.jpg,x\n100000,b.jpg,x\nTrue,c.jpg,x\n"
    yield _text("numbers in other words", text, "1e5", "100000", "True")
    big = "9" * 30
    yield _text("more digits than a number has", f"{TOP}{big},a.jpg,x\n", big)
    yield _text("case tells ids apart", f"{TOP}a,a.jpg,x\nA,b.jpg,x\n", "a", "A")
    text = f"{TOP}é,a.jpg,x\ne\u0301,b.jpg,x\n"
    yield _text("one accent in two forms", text, "é", accepted=2)
    text = f"{TOP}é,a.jpg,x\ne\u0301,b.jpg,y\n"
    yield _text("one accent, two brands", text, "é", refused=((3, twice),))
    yield _text("spaces around", f"{TOP} 7 ,a.jpg,x\n7,b.jpg,x\n", "7", accepted=2)
    yield _text("empty ids", f"{TOP},a.jpg,x\n  ,b.jpg,x\n", refused=((2, empty), (3, empty)))
    text = f"{TOP}1,a.jpg,x\n2,b.jpg,x\n1,a.jpg,y\n1,c.jpg,x\n"
    yield _text("ids again", text, "1", "2", refused=((4, twice),), accepted=3)
    rows = "".join(f"1,{number}.jpg,x\n" for number in range(200))
    many = tuple((line, Reason.TOO_MANY_PICTURES) for line in range(102, 202))
    yield _text("200 rows of an id", TOP + rows, "1", refused=many, accepted=100)
    yield _text("very long id", f"{TOP}{'7' * 1_000_000},a.jpg,x\n", "7" * 1_000_000)


PICTURES = (
    ("file:///etc/passwd", Reason.PICTURE_SCHEME),
    ("FILE:/etc/passwd", Reason.PICTURE_SCHEME),
    ("ftp://x.test/a.jpg", Reason.PICTURE_SCHEME),
    ("data:image/png;base64 AAAA", Reason.PICTURE_SCHEME),
    ("javascript:alert(1)", Reason.PICTURE_SCHEME),
    ("gopher://x.test:70/_x", Reason.PICTURE_SCHEME),
    ("//x.test/a.jpg", Reason.PICTURE_SCHEME),
    ("../../etc/passwd", Reason.PATH_OUTSIDE),
    ("a/../../x.jpg", Reason.PATH_OUTSIDE),
    ("/etc/passwd", Reason.PATH_OUTSIDE),
    (r"\\host\share\a.jpg", Reason.PATH_OUTSIDE),
    (r"C:\a.jpg", Reason.PATH_OUTSIDE),
    ("c:a.jpg", Reason.PATH_OUTSIDE),
    ("http:///a.jpg", Reason.PICTURE_INVALID),
    ("https:a.jpg", Reason.PICTURE_INVALID),
    ("http://x.test/\x1b[2J", Reason.PICTURE_INVALID),
    ("http://x.test/\x7f", Reason.PICTURE_INVALID),
    ('"http://x.test/\nHost: y"', Reason.PICTURE_INVALID),
    ("a.jpg|file:///etc/passwd", Reason.PICTURE_SCHEME),
    ("a.jpg|../../b.jpg", Reason.PATH_OUTSIDE),
    ("", Reason.PICTURE_EMPTY),
    (" | | ", Reason.PICTURE_EMPTY),
    ("|".join(f"{number}.jpg" for number in range(200)), Reason.TOO_MANY_PICTURES),
    ("~/a.jpg", None),
    ("%2e%2e/%2e%2e/etc/passwd", None),
    ("http://user:pass@x.test/a.jpg", None),
    ("http://пример.test/é.jpg", None),
    ("http://x.test/" + "a" * 8192, None),
    ("HTTPS://X.TEST/A.JPG|b.jpg|| c.jpg ", None),
)


def _pictures() -> Iterator[Case]:
    for number, (picture, reason) in enumerate(PICTURES):
        refused = () if reason is None else ((2, reason),)
        ids = ("1", "2") if reason is None else ("2",)
        # A newline in the first picture's cell puts the second row a line further down.
        yield _text(f"picture {number}", f"{TOP}1,{picture},x\n2,a.jpg,y\n", *ids, refused=refused)


def _no_tables(chance: random.Random) -> Iterator[Case]:
    good = f"{TOP}1,a.jpg,x\n".encode()
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr(zipfile.ZipInfo("[Content_Types].xml"), "<Types/>")
    yield _no("empty", b"", "is empty")
    yield _no("a mark alone", codecs.BOM_UTF8, "is empty")
    yield _no("blank lines alone", b"\n \n\t\n", "is empty")
    yield _no("delimiters alone", b",,,\n1,2,3,4\n", "no header")
    yield _no("gzip", gzip.compress(good, mtime=0), "gzip")
    yield _no("Excel workbook", book.getvalue(), "Excel")
    yield _no("PNG", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + chance.randbytes(500), "a picture")
    yield _no("old Excel workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "Excel")
    yield _no("web page", b"<!DOCTYPE html>\n<html><body>503</body></html>\n", "no column for id")
    yield _no("JSON", b'{"id": 1, "image": "a.jpg"}\n', "no column for id")
    for number in range(5):
        yield _no(f"noise {number}", b"\xff" + chance.randbytes(4096), "")


def _sizes() -> Iterator[Case]:
    large = Reason.ROW_TOO_LARGE
    cell = "x" * 1_000_000
    yield _text("cell of 1 MB", f"{TOP}1,a.jpg,{cell}\n2,b.jpg,y\n", "1", "2")
    text = f"{TOP}1,a.jpg,{cell}{cell}\n2,b.jpg,y\n"
    yield _text("row of 2 MB", text, "2", refused=((2, large),))
    text = f"{TOP}{'x' * (16 * MAX_ROW)}\n2,b.jpg,y"
    yield _text("line of 16 MB", text, "2", refused=((2, large),))
    yield _no("a million columns", "id,image" + ",x" * 1_000_000 + "\n", "too long to be a header")
    names = ",".join(f"c{number}" for number in range(10_000))
    cells = ",".join("x" * 10_000)
    text = f"id,image,{names}\n1,a.jpg,{cells}\n2,b.jpg,{cells},\n"
    yield _text("10,000 columns", text, "1", refused=((3, Reason.TOO_MANY_FIELDS),))
    commas = f"{TOP}{',' * 500_000}\n2,b.jpg,y\n"
    yield _text("half a million commas", commas, "2", refused=((2, Reason.TOO_MANY_FIELDS),))
    # Each opens a cell that the next one closes: 5,000 rows of two cells.
    quotes = TOP + '1,"\n' * 10_000
    lost = tuple((line, Reason.TOO_FEW_FIELDS) for line in range(2, 10_002, 2))
    yield _text("10,000 open quotes", quotes, refused=lost)
    marks = f"{TOP}e{chr(0x301) * 100_000},a.jpg,x\n"
    yield _text("100,000 accents on a letter", marks, "é" + chr(0x301) * 99_999)


ROWS = (
    ("{n},a.jpg,x", None),
    ("{n},a.jpg", Reason.TOO_FEW_FIELDS),
    ("{n},a.jpg,x,y", Reason.TOO_MANY_FIELDS),
    ('{n},a.jpg,"x"y', Reason.QUOTE_BROKEN),
    (" ,a.jpg,x", Reason.ID_EMPTY),
    ("{n},,x", Reason.PICTURE_EMPTY),
    ("{n},file:///x,x", Reason.PICTURE_SCHEME),
    ("{n},../x,x", Reason.PATH_OUTSIDE),
    ("{n},a.jpg,\0", Reason.NOT_TEXT),
    ("p0,a.jpg,another", Reason.DUPLICATE_ID),
)


def _floods(chance: random.Random) -> Iterator[Case]:
    """Thousands of rows of every kind, mixed, with blank lines and any line end between them."""
    for number in range(3):
        lines, ids, refused = [TOP + "p0,a.jpg,x"], ["p0"], []
        at = 2
        for row in range(2000):
            blanks = chance.choice((0, 0, 0, 1, 2))
            lines.extend([""] * blanks)
            text, reason = chance.choice(ROWS)
            at += 1 + blanks
            lines.append(text.format(n=f"r{row}"))
            if reason is None:
                ids.append(f"r{row}")
            else:
                refused.append((at, reason))
        data = "".join(line + chance.choice(("\n", "\r\n")) for line in lines)
        yield _text(f"flood {number}", data, *ids, refused=tuple(refused))


def main(folder: Path, seed: int) -> None:
    """Write all files of a seed."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(cases(seed)):
        (folder / f"{number:03d} {case.name.replace('/', ' ')}.csv").write_bytes(case.data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
