"""The embedded sample: what it promises to hold, and that it is the same each time."""

import csv
import hashlib
import time
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from jobs import sample
from jobs.garments import cut_corners, symmetric
from jobs.painting import COLOURS, SIZE

ORIGIN = "http://127.0.0.1:8765"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one drawn sample."""
    folder = tmp_path_factory.mktemp("sample")
    sample.draw(folder, ORIGIN)
    return folder


def rows_of(folder: Path) -> list[dict[str, str]]:
    """The CSV's rows that have as many cells as its header."""
    with (folder / "products.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if None not in row]


def products_of(folder: Path) -> list[dict[str, str]]:
    """The rows of the products themselves: the first of each id."""
    return list({row["ProductId"]: row for row in reversed(rows_of(folder))}.values())[::-1]


def test_every_label_is_pictured_often_enough_to_learn(drawn):
    """Each section, type and colour has at least ten labelled products."""
    rows = rows_of(drawn)
    for column, names in (("Gender", 3), ("ProductType", 14), ("Colour", 9)):
        counts = Counter(row[column] for row in rows if row[column])
        assert len(counts) == names
        assert min(counts.values()) >= 10, counts


def test_some_rows_are_unlabelled(drawn):
    """About an eighth of the products have no label at all, and some lack one."""
    blanks = Counter(
        sum(not row[label] for label in sample.LABELS) for row in rows_of(drawn) if row["ProductId"]
    )
    assert 0.08 < blanks[5] / sample.PRODUCTS < 0.18
    assert 5 < blanks[1] < 40
    assert set(blanks) == {0, 1, 5}


def test_broken_rows_are_there(drawn):
    """One id comes twice, one is empty, and one row has a field too many."""
    with (drawn / "products.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert len(rows) == sample.PRODUCTS + sample.REFUSED
    assert Counter(len(row) for row in rows) == {9: len(rows) - 1, 10: 1}
    ids = Counter(row[0] for row in rows)
    assert ids[""] == 1
    assert max(ids.values()) == 2


def test_titles_are_unique(drawn):
    """Equal titles would join pictures into one group, which the sample does not mean."""
    products = [row for row in products_of(drawn) if row["ProductId"]]
    assert len({row["ProductTitle"] for row in products}) == sample.PRODUCTS


def test_broken_pictures_are_there(drawn):
    """One picture is missing, one is cut short, one is text; all others can be read whole."""
    wrong = {}
    for row in products_of(drawn):
        for url in row["Image"].split("|"):
            try:
                Image.open(drawn / url.removeprefix(f"{ORIGIN}/")).load()
            except OSError as error:
                wrong[url.rpartition("/")[2]] = type(error).__name__
    assert wrong == {
        "001021.jpg": "FileNotFoundError",
        "001051.jpg": "OSError",
        "001081.jpg": "UnidentifiedImageError",
    }


def test_other_formats_are_there(drawn):
    """There is a WebP, a PNG that is see-through, and a product with two pictures."""
    pictures = drawn / "pictures"
    assert Image.open(pictures / "001111.webp").size == SIZE
    assert Image.open(pictures / "001141.png").mode == "RGBA"
    assert [row["ProductId"] for row in rows_of(drawn) if "|" in row["Image"]] == ["001171"]


def test_same_seed_draws_the_same(drawn, tmp_path):
    """A second drawing has the very same bytes, and takes a few seconds at most."""
    started = time.process_time()
    sample.draw(tmp_path, ORIGIN)
    assert time.process_time() - started < 8  # about 3.5 on a quiet core

    def bytes_of(folder: Path) -> dict[str, str]:
        files = (path for path in folder.rglob("*") if path.is_file())
        return {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        }

    assert bytes_of(tmp_path) == bytes_of(drawn)


def test_pictures_differ(drawn):
    """No picture is drawn twice."""
    files = list((drawn / "pictures").iterdir())
    assert len({path.read_bytes() for path in files}) == len(files) == sample.PRODUCTS


def test_colours_show(drawn):
    """The middle of a plain T-shirt has the colour that its row names."""
    plain = [
        row
        for row in products_of(drawn)
        if row["ProductType"] == "T-Shirts" and row["Colour"] and "ed T-" not in row["ProductTitle"]
    ]
    near = 0
    for row in plain:
        picture = (
            Image.open(drawn / row["Image"].removeprefix(f"{ORIGIN}/")).convert("RGB").reduce(32)
        )
        seen = picture.getpixel((3, 4))
        distances = {
            name: sum((a - b) ** 2 for a, b in zip(ink, seen, strict=True))
            for name, ink in COLOURS.items()
        }
        near += min(distances, key=distances.__getitem__) == row["Colour"]
    assert len(plain) > 5
    assert near / len(plain) > 0.6  # badges and folds lie in the middle of some


def test_corners_are_cut_to_quarters():
    """One round over a unit square leaves an octagon inside it."""
    square = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    octagon = cut_corners(square, 1, closed=True)
    assert len(octagon) == 8
    assert octagon[:2] == [(0.25, 0.0), (0.75, 0.0)]


def test_lines_keep_their_ends():
    """Cutting the corners of a line moves neither of its ends."""
    line = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]
    cut = cut_corners(line, 2, closed=False)
    assert (cut[0], cut[-1]) == (line[0], line[-1])


def test_halves_are_mirrored():
    """Every point of a symmetric outline has its twin on the other side."""
    outline = symmetric([(0.5, -1.0), (0.7, 0.0), (0.4, 1.0)])
    assert {(-x, y) for x, y in outline} == set(outline)
