"""Columns by name, case and synonym; rows into records."""

from pathlib import Path

import pytest

from catalog.attributes import DEFAULT, Attribute
from catalog.places import Folders
from catalog.products import PRODUCTS
from catalog.records import (
    MAX_PICTURES,
    Layout,
    Reading,
    find_columns,
    read_records,
)
from catalog.tables import Reason, Reject, Row, TableRefused

CSV = Path("/shop/data/products.csv")
# A kind whose rows need nothing but a size.
LOOSE = Layout("thing", {"id": ("id",), "image": ("image",)}, ("size",))
SIZE = (Attribute("size", ("width",)),)


def record(header, cells, *, overrides=None, attributes=DEFAULT, layout=PRODUCTS):
    """What one row comes to."""
    columns = find_columns(header.split(","), Reading(layout, attributes, overrides or {}))
    return next(read_records([Row(2, cells)], columns, Folders.of(CSV)))


def test_blank_is_absent_and_nothing_else_is():
    """NA and null are what the shop wrote; blanks are left out."""
    row = ["NA", " ", "null", "", "a.jpg", "  "]
    got = record("id,title,colour,gender,image,season", row)
    assert (got.id, got.title, got.given, got.extra) == ("NA", None, {"colour": "null"}, {})


def test_ids_are_composed_text():
    """Two ways to write an accent are one id; leading zeros and inner spaces stay."""
    assert record("id,image", [" 007 cafe\u0301 ", "a.jpg"]).id == "007 café"


def test_other_columns_are_kept():
    """Also those of one name; one without a name is nothing."""
    got = record("id,image,season,,season", ["1", "a.jpg", " Fall ", "x", "2010"])
    assert got.extra == {"season": "Fall", "season (column 5)": "2010"}


def test_attributes_of_the_settings():
    """An attribute of another name is found as the five are, and what it takes is no title."""
    fabric = (Attribute("fabric", ("name",)),)
    got = record("id,image,Name,colour", ["1", "a.jpg", "Wool", "Red"], attributes=fabric)
    assert (got.given, got.title, got.extra) == ({"fabric": "Wool"}, None, {"colour": "Red"})


def test_overrides_win():
    """What the user names is taken, and leaves what it displaced among the other columns."""
    overrides = {"id": ["code"], "image": ["Image"], "colour": ["tone"]}
    row = ["c", "i", "a.jpg", "http://x.test/a.jpg", "Red", "Teal"]
    got = record("Code,id,Image,ImageURL,colour,tone", row, overrides=overrides)
    assert (got.id, got.pictures, got.given) == ("c", ("/shop/data/a.jpg",), {"colour": "Teal"})
    assert got.extra == {"id": "i", "ImageURL": "http://x.test/a.jpg", "colour": "Red"}


@pytest.mark.parametrize(
    ("header", "overrides", "message"),
    [
        ("id,Image,ImageURL", {}, "--column image=Image or --column image=ImageURL"),
        ("id,image,Main Colour,colour,Color", {}, "--column colour=colour or .*colour=Color"),
        ("id,image,title,Name", {}, "2 columns could be title"),
        ("id,image,picture_2", {}, "--column image=image or --column image=picture_2"),
        ("id,image_2,Image2", {}, "--column image=image_2 or --column image=Image2"),
        ("id,Product Id,image", {}, "--column id=id or --column 'id=Product Id'"),
        ("id,image,image", {}, "the column 'image' for image more than once"),
        ("id,id,image", {}, "the column 'id' for id more than once"),
        ("id,title", {}, "no column for image .*--column image=COLUMN"),
        ("42,a.jpg", {}, "no column for id .*; no column for image .*has '42', 'a.jpg'"),
        ("id,image", {"image": ["photo"]}, "no column 'photo'; the header has 'id', 'image'"),
        ("id,image,x,x", {"title": ["x"]}, "'x' stands more than once"),
        ("id,image", {"size": ["id"]}, "'size' can't be given a column; only gender"),
        ("id,image,a,b", {"title": ["a", "b"]}, "only image may have several columns, not title"),
    ],
)
def test_headers_that_leave_a_doubt_are_refused(header, overrides, message):
    """The refusal says what to type."""
    with pytest.raises(TableRefused, match=message):
        find_columns(header.split(","), Reading(PRODUCTS, DEFAULT, overrides))


def test_the_hint_of_a_refusal_works():
    """Columns that differ in case only can be told apart as the hint says."""
    reading = Reading(PRODUCTS, DEFAULT, {"colour": ["colour"]})
    columns = find_columns(["id", "image", "Colour", "colour"], reading)
    assert columns.attributes == {"colour": 3}


def test_several_pictures_in_columns_and_cells():
    """Numbered columns go by number, | separates, each picture counts once, blanks do not."""
    row = ["1", "c.jpg", " a.jpg | b.jpg||a.jpg", "", "d.jpg"]
    got = record("id,image10,Image,image_2,IMAGE 3", row)
    names = [Path(picture).name for picture in got.pictures]
    assert names == ["a.jpg", "b.jpg", "d.jpg", "c.jpg"]


def test_several_pictures_by_override():
    """--column image= may be given again, in the order that counts."""
    overrides = {"image": ["back", "front"]}
    got = record("id,front,back", ["1", "f.jpg", "b.jpg"], overrides=overrides)
    assert got.pictures == ("/shop/data/b.jpg", "/shop/data/f.jpg")


@pytest.mark.parametrize(
    ("cells", "refused"),
    [
        ([" ", "a.jpg"], Reject(2, Reason.ID_EMPTY, "sku")),
        (["1", " | "], Reject(2, Reason.PICTURE_EMPTY, "image")),
        (["1", "a.jpg|ftp://x/b.jpg"], Reject(2, Reason.PICTURE_SCHEME, "image", "ftp://x/b.jpg")),
        (["1", "../" * 99], Reject(2, Reason.PATH_OUTSIDE, "image", ("../" * 99)[:200])),
    ],
)
def test_refused_rows_say_column_and_cell(cells, refused):
    """Line, reason, column, and the cell cut to 200 characters."""
    assert record("sku,image", cells) == refused


def test_pictures_of_a_row_are_bounded():
    """A cell can't make a record of a million pictures."""
    names = [f"{number}.jpg" for number in range(MAX_PICTURES + 1)]
    assert len(record("id,image", ["1", "|".join(names[1:])]).pictures) == MAX_PICTURES
    assert record("id,image", ["1", "|".join(names)]).reason is Reason.TOO_MANY_PICTURES


def test_refused_rows_pass_through():
    """What could not be read stays in its place."""
    columns = find_columns(["id", "image"], Reading(PRODUCTS, DEFAULT))
    reject = Reject(7, Reason.TOO_FEW_FIELDS)
    assert list(read_records([reject], columns, Folders.of(CSV))) == [reject]


def test_what_a_kind_does_not_require_may_be_missing():
    """Without a column of ids the line is the id; without pictures there are none."""
    got = record("width,note", ["12", "x"], attributes=SIZE, layout=LOOSE)
    assert (got.id, got.title, got.given) == ("line 2", None, {"size": "12"})
    assert (got.pictures, got.extra) == ((), {"note": "x"})


def test_what_a_kind_does_not_require_is_read_where_it_is():
    """An id counts, and must be filled in; a picture may be blank or invalid, and is none then."""
    header, kind = "id,image,size", {"attributes": SIZE, "layout": LOOSE}
    got = record(header, ["7", "a.jpg", ""], **kind)
    assert (got.id, got.pictures) == ("7", ("/shop/data/a.jpg",))
    assert record(header, ["7", " ", "3"], **kind).pictures == ()
    assert record(header, ["7", "ftp://x", "3"], **kind).pictures == ()
    assert record(header, ["", "a.jpg", "3"], **kind).reason is Reason.ID_EMPTY


def test_an_attribute_may_be_required():
    """Its column must be there, by one of its names; a kind without titles has none to tell."""
    with pytest.raises(TableRefused, match=r"no column for size \(size, width\)"):
        record("id,image", ["7", "a.jpg"], attributes=SIZE, layout=LOOSE)
    with pytest.raises(TableRefused, match="'title' can't be given a column; only size, id, image"):
        record("size", ["7"], attributes=SIZE, layout=LOOSE, overrides={"title": ["size"]})
