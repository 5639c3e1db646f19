"""Columns by name, case and synonym; rows into products; where pictures may lie."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.attributes import DEFAULT, Attribute
from catalog.products import MAX_PICTURES, Folders, Product, find_columns, read_products
from catalog.tables import Reason, Reject, Row, RowRefused, TableRefused

CSV = Path("/shop/data/products.csv")


def product(header, cells, *, overrides=None, image_root=None, attributes=DEFAULT):
    """What one row comes to."""
    columns = find_columns(header.split(","), overrides or {}, attributes)
    rows = [Row(2, cells)]
    return next(read_products(rows, columns, Folders.of(CSV, image_root)))


@pytest.mark.parametrize(
    "header",
    [
        "ProductId,Gender,Category,SubCategory,ProductType,Colour,ProductTitle,Image",
        "id,gender,masterCategory,subCategory,articleType,baseColour,productDisplayName,image",
        "SKU,GENDER,master_category,sub-category,Article Type,Color,title,image_url",
        "product_id,gender,category,sub category,product_type,base_color,Name,ImageURL",
    ],
)
def test_columns_are_found_by_name_case_and_synonym(header):
    """The headers of the shops we know need no setting."""
    row = ["00001", "Girls", "Apparel", "Topwear", "Tops", "Red", "A top", "http://x.test/1.jpg"]
    assert product(header, row) == Product(
        id="00001",
        title="A top",
        given={
            "gender": "Girls",
            "category": "Apparel",
            "subcategory": "Topwear",
            "product_type": "Tops",
            "colour": "Red",
        },
        pictures=("http://x.test/1.jpg",),
        extra={},
        line=2,
    )


def test_blank_is_absent_and_nothing_else_is():
    """NA and null are what the shop wrote; blanks are left out."""
    row = ["NA", " ", "null", "", "a.jpg", "  "]
    got = product("id,title,colour,gender,image,season", row)
    assert (got.id, got.title, got.given, got.extra) == ("NA", None, {"colour": "null"}, {})


def test_ids_are_composed_text():
    """Two ways to write an accent are one id; leading zeros and inner spaces stay."""
    assert product("id,image", [" 007 cafe\u0301 ", "a.jpg"]).id == "007 café"


def test_other_columns_are_kept():
    """Also those of one name; one without a name is nothing."""
    got = product("id,image,season,,season", ["1", "a.jpg", " Fall ", "x", "2010"])
    assert got.extra == {"season": "Fall", "season (column 5)": "2010"}


def test_attributes_of_the_settings():
    """An attribute of another name is found as the five are, and what it takes is no title."""
    fabric = (Attribute("fabric", ("name",)),)
    got = product("id,image,Name,colour", ["1", "a.jpg", "Wool", "Red"], attributes=fabric)
    assert (got.given, got.title, got.extra) == ({"fabric": "Wool"}, None, {"colour": "Red"})


def test_overrides_win():
    """What the user names is taken, and leaves what it displaced among the other columns."""
    overrides = {"id": ["code"], "image": ["Image"], "colour": ["tone"]}
    row = ["c", "i", "a.jpg", "http://x.test/a.jpg", "Red", "Teal"]
    got = product("Code,id,Image,ImageURL,colour,tone", row, overrides=overrides)
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
        find_columns(header.split(","), overrides, DEFAULT)


def test_the_hint_of_a_refusal_works():
    """Columns that differ in case only can be told apart as the hint says."""
    columns = find_columns(["id", "image", "Colour", "colour"], {"colour": ["colour"]}, DEFAULT)
    assert columns.attributes == {"colour": 3}


def test_several_pictures_in_columns_and_cells():
    """Numbered columns go by number, | separates, each picture counts once, blanks do not."""
    row = ["1", "c.jpg", " a.jpg | b.jpg||a.jpg", "", "d.jpg"]
    got = product("id,image10,Image,image_2,IMAGE 3", row)
    names = [Path(picture).name for picture in got.pictures]
    assert names == ["a.jpg", "b.jpg", "d.jpg", "c.jpg"]


def test_several_pictures_by_override():
    """--column image= may be given again, in the order that counts."""
    overrides = {"image": ["back", "front"]}
    got = product("id,front,back", ["1", "f.jpg", "b.jpg"], overrides=overrides)
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
    assert product("sku,image", cells) == refused


def test_pictures_of_a_row_are_bounded():
    """A cell can't make a product of a million pictures."""
    names = [f"{number}.jpg" for number in range(MAX_PICTURES + 1)]
    assert len(product("id,image", ["1", "|".join(names[1:])]).pictures) == MAX_PICTURES
    assert product("id,image", ["1", "|".join(names)]).reason is Reason.TOO_MANY_PICTURES


def test_refused_rows_pass_through():
    """What could not be read stays in its place."""
    columns = find_columns(["id", "image"], {}, DEFAULT)
    reject = Reject(7, Reason.TOO_FEW_FIELDS)
    assert list(read_products([reject], columns, Folders.of(CSV))) == [reject]


@pytest.mark.parametrize(
    ("cell", "location"),
    [
        ("HTTPS://cdn.test/a b.jpg?x=1#y", "HTTPS://cdn.test/a b.jpg?x=1#y"),
        ("a.jpg", "/shop/data/a.jpg"),
        ("./images//x/../a.jpg", "/shop/data/images/a.jpg"),
        (r"images\a.jpg", "/shop/data/images/a.jpg"),
        ("/shop/data/a.jpg", "/shop/data/a.jpg"),
        ("~/a.jpg", "/shop/data/~/a.jpg"),
        ("%2e%2e/a.jpg", "/shop/data/%2e%2e/a.jpg"),
        ("..a.jpg", "/shop/data/..a.jpg"),
        ("./ab:c.jpg", "/shop/data/ab:c.jpg"),
    ],
)
def test_locations(cell, location):
    """URLs stay as they are; paths are beside the CSV."""
    assert Folders.of(CSV).locate(cell) == location


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("../a.jpg", Reason.PATH_OUTSIDE),
        ("images/../../data2/a.jpg", Reason.PATH_OUTSIDE),
        ("../data-secret/a.jpg", Reason.PATH_OUTSIDE),
        (r"..\..\etc\passwd", Reason.PATH_OUTSIDE),
        ("/etc/passwd", Reason.PATH_OUTSIDE),
        ("/shop/data/../x", Reason.PATH_OUTSIDE),
        (r"C:\images\a.jpg", Reason.PATH_OUTSIDE),
        (r"\\server\share\a.jpg", Reason.PATH_OUTSIDE),
        (".", Reason.PATH_OUTSIDE),
        ("file:///shop/data/a.jpg", Reason.PICTURE_SCHEME),
        ("data:image/png;base64,AAAA", Reason.PICTURE_SCHEME),
        ("JavaScript:alert(1)", Reason.PICTURE_SCHEME),
        ("//cdn.test/a.jpg", Reason.PICTURE_SCHEME),
        ("http:/a.jpg", Reason.PICTURE_INVALID),
        ("https:///a.jpg", Reason.PICTURE_INVALID),
        ("http://", Reason.PICTURE_INVALID),
        ("http://x.test/a\r\nHost: y", Reason.PICTURE_INVALID),
        ("a\nb.jpg", Reason.PICTURE_INVALID),
    ],
)
def test_hostile_locations(cell, reason):
    """Nothing but http, https and files in the folders that the user gave."""
    with pytest.raises(RowRefused) as refused:
        Folders.of(CSV).locate(cell)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("cell", "location"),
    [
        ("a.jpg", "/pictures/a.jpg"),
        ("/pictures/a.jpg", "/pictures/a.jpg"),
        ("/shop/data/a.jpg", "/shop/data/a.jpg"),
        ("../../pictures/a.jpg", "/pictures/a.jpg"),
    ],
)
def test_image_root_counts_first(cell, location):
    """With an image root, relative paths are under it, or lead into it from the CSV."""
    assert Folders.of(CSV, Path("/pictures")).locate(cell) == location


def test_the_whole_disk_can_be_the_image_root():
    """A root of / holds everything, and is a choice of the user."""
    assert Folders.of(CSV, Path("/")).locate("/etc/hosts") == "/etc/hosts"


@given(st.text(st.sampled_from("ab./\\:~ "), min_size=1, max_size=20))
def test_no_path_leaves_the_folder(cell):
    """Whatever is accepted lies under the CSV's folder."""
    try:
        location = Folders.of(CSV).locate(cell)
    except RowRefused:
        return
    assert location.startswith("/shop/data/")
    assert ".." not in location.split("/")
