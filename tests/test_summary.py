"""What a run of `catalog tag` says in the end of what a person should look at."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from jobs.summary import Summary
from sql import statements
from sql.manifests import read_all
from sql.publish import publish
from sql.schemas import tags_schema
from sql.store import Store
from tests.warehouse import add_rows, add_run

COUNTS = {
    "run": "r1",
    "rows": 2_319,
    "accepted": 2_319,
    "rejected": 0,
    "refused": {},
    "pictures": 2_319,
    "fetched": 2_319,
    "cached": 0,
    "failed": 0,
    "reasons": {},
    "unchanged": 0,
    "gone": 0,
    "seconds": 20.8,
    "report": Path("reports/r1.html"),
    "database": Path("store/catalog.duckdb"),
    "products": 2_319,
    "tagged": 2_319,
    "untagged": 0,
}


@pytest.mark.parametrize(
    ("to_review", "not_a_product", "said"),
    [
        (412, 3, "412 of 2,319 products have a tag to review, 3 are not a product"),
        (1, 1, "1 of 2,319 products has a tag to review, 1 is not a product"),
        (0, None, "0 of 2,319 products have a tag to review"),
    ],
)
def test_what_is_to_review_is_one_line(to_review, not_a_product, said):
    """It stands after the products, as far as the model can tell, and in JSON."""
    summary = Summary(**COUNTS, to_review=to_review, not_a_product=not_a_product)
    lines = str(summary).splitlines()
    assert lines[2].startswith("products  2,319 = ")
    assert lines[3] == f"review    {said}"
    told = json.loads(summary.as_json())
    assert (told["to_review"], told["not_a_product"]) == (to_review, not_a_product)


def test_a_model_that_can_not_tell_says_nothing():
    """There is no line, JSON has nulls, and the run's counts have nothing of it."""
    summary = Summary(**COUNTS)
    assert "review" not in str(summary)
    assert len(str(summary).splitlines()) == 6
    assert json.loads(summary.as_json())["to_review"] is None
    assert "to_review" not in summary.counts


def counted(store: Store, source: str) -> tuple[int | None, int | None]:
    """Products of a source with a tag to review, and that are not a product."""
    with duckdb.connect(str(store.database), read_only=True) as con:
        [row] = statements.table(con, "to_review", source=source).to_pylist()
    return row["to_review"], row["not_a_product"]


def test_products_are_counted_once(tmp_path):
    """Two tags to review are one product; another source, and what is not known, is none."""
    store = Store(tmp_path / "store")
    tags = [
        {"id": "a", "colour_review": True, "shape_review": True, "not_a_product": False},
        {"id": "b", "colour_review": False, "shape_review": True, "not_a_product": True},
        {"id": "c", "colour_review": False, "shape_review": None},
        {"id": "d", "source": "other"},
    ]
    add_run(store, "1", add_rows(store, "1", "tags", tags, tags_schema(["colour", "shape"])))
    publish(store, read_all(store))
    assert counted(store, "shop") == (2, 1)
    assert counted(store, "other") == (None, None)


def test_what_is_to_review_is_told(bench):
    """Of a model that accepts no colour each one that the shop did not give is to review.

    The summary, the page, the named query and the next run, which has nothing to do, say so.
    """
    told = bench.tag()
    assert (told["to_review"], told["not_a_product"]) == (None, None)
    assert "to review" not in bench.store.report(told["run"]).read_text()
    card = bench.store.model("tiny", "1") / "card.json"
    line = {"threshold": None, "share": 0.0, "n": 200}
    decisions = {"together": [], "combinations": [], "lines": {"colour": line}}
    said = json.loads(card.read_text()) | {"version": "2", "decisions": decisions}
    shutil.copytree(card.parent, bench.store.model("tiny", "2"))
    (bench.store.model("tiny", "2") / "card.json").write_text(json.dumps(said))
    told = bench.tag("--model", "tiny/2")
    assert (told["to_review"], told["not_a_product"]) == (3, None)
    assert (
        "0 tags of the model alone are accepted, 3 to review"
        in bench.store.report(told["run"]).read_text()
    )
    listed = json.loads(bench.run("query", "review_list", "--format", "json").stdout)
    assert [(row["id"], row["attribute"]) for row in listed if row["review"]] == [
        (row["id"], "colour") for row in listed[:3]
    ]
    assert bench.tag("--model", "tiny/2")["to_review"] == 3
