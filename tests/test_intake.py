"""A CSV taken in: nothing lost, repeated ids settled, memory bounded."""

import csv
import subprocess
import sys
import unicodedata
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import intake
from catalog.attributes import DEFAULT, Attribute
from catalog.intake import take_in
from catalog.products import PRODUCTS
from catalog.records import MAX_PICTURES, Layout, Reading
from catalog.tables import Reason, TableRefused
from sql.schemas import TABLES

SHOP = Reading(PRODUCTS, DEFAULT)
# Rows that need no picture.
BARE = Reading(
    Layout("post", {"id": ("id",), "image": ("image",)}, ("likes",)), (Attribute("likes"),)
)


@pytest.fixture
def taken(tmp_path):
    """Take a CSV's text in: the counts, the products and the rejects."""

    def taken(text: str, reading: Reading = SHOP, name: str = "shop.csv"):
        path, folder = tmp_path / name, tmp_path / "work"
        path.write_text(text)
        folder.mkdir(exist_ok=True)
        got = take_in(path, "shop", reading, folder)
        assert got.rows == got.accepted + got.rejected
        records = pq.read_table(got.records).to_pylist(maps_as_pydicts="strict")
        rejects = pq.read_table(got.rejects).to_pylist()
        assert (len(records), len(rejects)) == (got.record_count, got.rejected)
        return got, records, rejects

    return taken


def test_a_product_and_a_reject(taken, tmp_path):
    """Everything about a row arrives, as text, with its physical line."""
    text = 'id,image,title,colour,season\n00001,"a.jpg|b.jpg","A\ntop",NA,\n2,/etc/passwd,,,\n'
    got, products, rejects = taken(text)
    assert (got.rows, got.accepted, got.rejected) == (2, 1, 1)
    assert (got.attributes, got.labelled) == (("colour",), {"colour": 1})
    assert got.reasons == {"path_outside": 1}
    digest = products[0].pop("row_hash")
    assert len(digest) == 64
    assert products == [
        {
            "source": "shop",
            "id": "00001",
            "title": "A top",
            "given": {"colour": "NA"},
            "pictures": [str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")],
            "extra": {},
            "line": 2,
            "gone": False,
        }
    ]
    assert rejects == [
        {
            "source": "shop",
            "file": str(tmp_path / "shop.csv"),
            "line": 4,
            "first_line": None,
            "column": "image",
            "reason": "path_outside",
            "detail": "/etc/passwd",
        }
    ]


def test_files_fit_the_tables(taken):
    """Names and types are those of the store's tables, but for when a product was seen."""
    got, _, _ = taken("id,image\n1,a.jpg\n1,b.jpg,c\n")
    for path, table in ((got.records, "products"), (got.rejects, "rejects")):
        kinds = {column.name: column.type for column in pq.read_schema(path)}
        expected = {column.name: column.type for column in TABLES[table]}
        expected.pop("seen_at", None)
        assert kinds == expected


def test_rows_that_differ_in_the_picture_are_one_product(taken):
    """Also when they are not adjacent; each picture once, in the order of the rows."""
    text = "id,image,colour\n1,b.jpg,Red\n2,x.jpg,Red\n1,a.jpg|b.jpg,Red\n1,c.jpg, Red \n"
    got, products, _ = taken(text)
    assert (got.rows, got.accepted, got.rejected, got.record_count) == (4, 4, 0, 2)
    pictures = {row["id"]: [Path(one).name for one in row["pictures"]] for row in products}
    assert pictures == {"1": ["b.jpg", "a.jpg", "c.jpg"], "2": ["x.jpg"]}
    assert [row["line"] for row in products] == [2, 3]
    assert got.labelled == {"colour": 2}


def test_repeated_ids_tell_both_lines(taken):
    """The first wins, whatever comes after it agrees with it or is refused."""
    text = "id,image,title\n1,a.jpg,Top\n1,b.jpg,Shoe\n 1 ,c.jpg,Top\n1,d.jpg,Shoe\n"
    got, products, rejects = taken(text)
    assert (got.accepted, got.rejected, got.reasons) == (2, 2, {"duplicate_id": 2})
    assert [Path(one).name for one in products[0]["pictures"]] == ["a.jpg", "c.jpg"]
    told = [(r["line"], r["first_line"], r["column"], r["detail"]) for r in rejects]
    assert told == [(3, 2, "id", "1"), (5, 2, "id", "1")]


def test_a_refused_row_is_not_the_first_of_its_id(taken):
    """An id counts from the first row that can be accepted."""
    got, products, _ = taken("id,image,title\n1,,Top\n1,b.jpg,Shoe\n")
    assert (got.reasons, products[0]["title"]) == ({"picture_empty": 1}, "Shoe")


def test_unused_picture_columns_may_differ(taken):
    """A column that looks like a picture, and was not chosen, does not part a product's rows."""
    text = "id,Image,ImageURL\n1,a.jpg,http://x.test/a\n1,b.jpg,http://x.test/b\n"
    got, products, _ = taken(text, Reading(PRODUCTS, DEFAULT, {"image": ["Image"]}))
    assert (got.rejected, len(products[0]["pictures"])) == (0, 2)
    assert products[0]["extra"] == {"ImageURL": "http://x.test/a"}


def test_rows_of_an_id_are_bounded(taken):
    """A million rows of one id do not make a product of a million pictures."""
    rows = "".join(f"1,{number}.jpg\n" for number in range(MAX_PICTURES + 2))
    got, products, rejects = taken("id,image\n" + rows)
    assert got.reasons == {"too_many_pictures": 2}
    assert len(products[0]["pictures"]) == MAX_PICTURES
    assert {row["first_line"] for row in rejects} == {2}


def test_repeated_ids_without_pictures(taken):
    """Rows that agree are one record, and one that disagrees is refused, with and without pictures.

    A record is there once, and keeps the pictures that any of its rows has.
    """
    text = "id,image,likes\n1,,5\n1,,5\n1,,6\n2,,7\n3,,8\n3,a.jpg,8\n"
    got, records, rejects = taken(text, BARE)
    assert (got.kind, got.accepted, got.reasons) == ("post", 5, {"duplicate_id": 1})
    found = [(row["id"], row["line"], len(row["pictures"])) for row in records]
    assert found == [("1", 2, 0), ("2", 5, 0), ("3", 6, 1)]
    assert [(row["line"], row["first_line"]) for row in rejects] == [(4, 2)]


def test_records_without_ids(taken):
    """Each row is a record of its own, however equal, known by its line."""
    got, records, _ = taken("likes,note\n5,x\n5,x\n1,2,3\n", BARE)
    assert [row["id"] for row in records] == ["line 2", "line 3"]
    assert (got.labelled, got.reasons) == ({"likes": 2}, {"too_many_fields": 1})


@pytest.mark.parametrize(
    "changed",
    [
        "id,image,title,colour,season,ImageURL\n1,b.jpg,Top,Red,Fall,u\n",
        "id,image,title,colour,season,ImageURL\n1,a.jpg|b.jpg,Top,Red,Fall,u\n",
        "id,image,title,colour,season,ImageURL\n1,a.jpg,Tops,Red,Fall,u\n",
        "id,image,title,colour,season,ImageURL\n1,a.jpg,Top,red,Fall,u\n",
        "id,image,title,colour,season,ImageURL\n1,a.jpg,Top,,Fall,u\n",
        "id,image,title,colour,season,ImageURL\n1,a.jpg,Top,Red,Spring,u\n",
        "id,image,title,colour,season,ImageURL\n1,a.jpg,Top,Red,Fall,v\n",
        "id,image,title,gender,season,ImageURL\n1,a.jpg,Top,Red,Fall,u\n",
    ],
)
def test_the_hash_tells_any_change(taken, changed):
    """Picture, title, label, attribute and other columns all count."""
    reading = Reading(PRODUCTS, DEFAULT, {"image": ["image"]})
    _, before, _ = taken("id,image,title,colour,season,ImageURL\n1,a.jpg,Top,Red,Fall,u\n", reading)
    _, after, _ = taken(changed, reading)
    assert before[0]["row_hash"] != after[0]["row_hash"]


def test_the_hash_tells_nothing_else(taken):
    """Line, spaces and the order of columns and rows do not make a product another one."""
    _, before, _ = taken("id,image,title,size,brand\n1,a.jpg,Top,M,B\n")
    _, after, _ = taken("brand,size,Title,Image,ID\nC,L,Shoe,b.jpg,0\nB, M,Top , a.jpg,1\n")
    assert before[0]["row_hash"] == after[1]["row_hash"]


def test_another_attribute(taken):
    """The settings' attributes are found, labelled and counted as the five are."""
    reading = Reading(PRODUCTS, (Attribute("fabric", ("Material",)), Attribute("fit")))
    got, products, _ = taken("id,image,material\n1,a.jpg,Wool\n2,b.jpg,\n", reading)
    assert (got.attributes, got.labelled) == (("fabric",), {"fabric": 1})
    assert [row["given"] for row in products] == [{"fabric": "Wool"}, {}]


def test_a_header_alone_is_no_rows(taken):
    """Zero is a case."""
    got, products, rejects = taken("id,image,colour\n")
    assert (got.rows, products, rejects, got.labelled) == (0, [], [], {"colour": 0})


def test_names_with_quotes(taken):
    """An apostrophe in a path or a source is no SQL."""
    got, _, _ = taken("id,image\n1,a.jpg\n1,b,c\n", name="l'été; drop.csv")
    assert (got.accepted, got.rejected) == (1, 1)


def test_a_table_that_is_refused_at_its_end(tmp_path):
    """A byte that is not text refuses the whole file, however late."""
    path = tmp_path / "shop.csv"
    path.write_bytes(b"id,image\n" + b"1,a.jpg\n" * 20_000 + b"2,\xe9\n")
    with pytest.raises(TableRefused, match="0xE9"):
        take_in(path, "shop", SHOP, tmp_path)


def test_batches_are_bounded_by_text_too(monkeypatch, taken):
    """Rows of many characters go to disk a few at a time, and all arrive."""
    monkeypatch.setattr(intake, "_BATCH_TEXT", 1000)
    rows = "".join(f"{number},a.jpg,{'x' * 600}\n" for number in range(50))
    got, _, _ = taken("id,image,note\n" + rows)
    read = pq.ParquetFile(got.records.with_name("read.parquet"))
    assert (got.record_count, read.metadata.num_row_groups) == (50, 25)


IDS = st.sampled_from(["1", "2", " 2", "é", "e\u0301", "", "NA"])
IMAGES = st.sampled_from(["a.jpg", "b.jpg|a.jpg", "", "../x", "http://x.test/1", "ftp://x"])
ROWS = st.lists(
    st.one_of(
        st.tuples(IDS, IMAGES, st.sampled_from(["", "T", "U\nV"])),
        st.lists(st.text(max_size=4), min_size=1, max_size=5),
    ),
    max_size=12,
)


def by_hand(rows):
    """Count products and refusals of rows (id, image, title) with a dict."""
    first, refused = {}, 0
    for key, image, title in rows:
        name = unicodedata.normalize("NFC", key).strip()
        pictures = image.split("|")
        good = all(one.endswith(".jpg") or one.startswith("http:") for one in pictures)
        folded = " ".join(title.split())
        refused += not (name and good and first.setdefault(name, folded) == folded)
    return len(first), refused


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(IDS, IMAGES, st.sampled_from(["", "T", " T", "U\nV"])), max_size=15))
def test_counts_are_those_made_by_hand(tmp_path_factory, rows):
    """Products and refused rows are as many as a plain reading of the rules gives."""
    folder = tmp_path_factory.mktemp("intake")
    with (folder / "shop.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "image", "title"), *rows])
    got = take_in(folder / "shop.csv", "shop", SHOP, folder)
    assert (got.record_count, got.rejected) == by_hand(rows)
    assert (got.rows, got.accepted) == (len(rows), len(rows) - got.rejected)


@settings(max_examples=25, deadline=None)
@given(ROWS, st.binary(max_size=40))
def test_accepted_and_refused_are_the_rows(tmp_path_factory, rows, tail):
    """Whatever the cells hold, every row is accepted or refused for a reason of the list."""
    folder = tmp_path_factory.mktemp("intake")
    path = folder / "shop.csv"
    with path.open("w", newline="", errors="replace") as file:
        csv.writer(file).writerows([("id", "image", "title"), *rows])
    with path.open("ab") as file:
        file.write(tail)
    try:
        got = take_in(path, "shop", SHOP, folder)
    except TableRefused:
        return
    assert got.rows == got.accepted + got.rejected
    assert set(got.reasons) <= set(Reason)
    assert sum(got.reasons.values()) == got.rejected == pq.read_metadata(got.rejects).num_rows


def test_taking_in_is_light(tmp_path):
    """Neither pandas nor TensorFlow is loaded, however the arrays are made."""
    (tmp_path / "shop.csv").write_text("id,image\n1,a.jpg\n1,b\n2,c,d\n")
    code = (
        "import sys; from pathlib import Path; from catalog.intake import take_in;"
        "from catalog.records import Reading; from catalog.products import PRODUCTS;"
        "take_in(Path('shop.csv'), 's', Reading(PRODUCTS, ()), Path());"
        "sys.exit(str({'pandas', 'tensorflow', 'keras', 'sklearn'} & set(sys.modules) or ''))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.stderr.strip() == ""


def test_real_catalogues(shared_data, tmp_path):
    """Both real catalogues are accepted to the last row."""
    fashion = shared_data / "fashion-images" / "fashion.csv"
    with pytest.raises(TableRefused, match="--column image=Image or --column image=ImageURL"):
        take_in(fashion, "fashion", SHOP, tmp_path)
    reading = Reading(PRODUCTS, DEFAULT, {"image": ["Image"]}, fashion.parent / "images")
    got = take_in(fashion, "fashion", reading, tmp_path)
    assert (got.rows, got.record_count, got.labelled["colour"]) == (2319, 2319, 2319)
    pictures = pq.read_table(got.records, columns=["pictures"]).to_pylist()
    assert all(Path(row["pictures"][0]).is_file() for row in pictures)
    products = shared_data / "fashion-products" / "products.csv"
    assert take_in(products, "myntra", SHOP, tmp_path).record_count == 22_325
