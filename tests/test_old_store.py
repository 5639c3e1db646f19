"""A store that the code before the engagement half wrote: kept in tests/old_store, small.

Two nights of `catalog tag` over /srv/shop/products.csv, by the parent of the commit that brought
`catalog engage`: six products, of which p1 was renamed and p2 left on the second night, p5 has no
picture, and one row was refused. Its pictures, reports and networks are left out.
"""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from jobs import keeping
from jobs.keeping import compact, rebuild
from sql.manifests import read_all
from sql.store import Store
from tests.test_compaction import shown
from tests.workbench import Bench

OLD = Path(__file__).parent / "old_store"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A copy of the old store, which has no database."""
    shutil.copytree(OLD, tmp_path / "store")
    return Store(tmp_path / "store")


def test_it_is_of_before_posts():
    """Positive control: the old store has no table that came with the engagement half."""
    assert not (OLD / "posts").exists()
    assert not (OLD / "engagement").exists()
    assert [run.job for run in read_all(Store(OLD))] == ["tag", "tag"]


def test_it_is_read(store):
    """Rebuilt, every view answers, and says what it said then."""
    rebuild(store)
    said = {view: len(rows) - 1 for view, rows in shown(store).items()}
    assert said == {
        "products": 6,
        "posts": 0,
        "fetches": 6,
        "images": 5,
        "predictions": 25,
        "embeddings": 5,
        "tags": 5,
        "labels": 10,
        "held_out": 6,  # as many, for it learned from none of them
        "troubles": 1,
        "rejects": 1,
        "failures": 1,
        "runs": 2,
        "models": 1,
        "evaluations": 6,  # two heads of p0, p1 and p4; p3 has no label
        "post_tags": 0,
        "engagement": 0,
        "engagement_evaluation": 0,
        "engagement_ladder": 0,
    }
    [_, *products] = shown(store, "products")["products"]
    assert any("'p1'" in row and "Renamed" in row for row in products)
    assert any("'p2'" in row and "'gone': True" in row for row in products)


def test_it_is_compacted(store, monkeypatch):
    """The views say the same of it before and after, in the week after its second night."""
    monkeypatch.setattr(keeping, "GRACE", timedelta(days=365 * 100))
    rebuild(store)
    before = shown(store)
    compact(store)
    assert shown(store) == before


def test_what_left_it_goes(store):
    """Later, what was known of the picture of p2, and nothing else, is gone."""
    rebuild(store)
    before = shown(store)
    compact(store)
    gone = {view: set(rows) - set(shown(store)[view]) for view, rows in before.items()}
    assert {view: len(rows) for view, rows in gone.items() if rows} == {
        "fetches": 1,
        "images": 1,
        "predictions": 5,
        "embeddings": 1,
    }
    assert "/2.png" in gone["fetches"].pop()


def test_a_run_is_added_to_it(bench: Bench):
    """The same pictures under other locations are known by their bytes: none is looked at again."""
    for folder in OLD.iterdir():
        if folder.name != "models":
            shutil.copytree(folder, bench.store.root / folder.name)
    told = bench.tag()
    assert (told["products"], told["tagged"], told["failed"]) == (12, 12, 0)
    old, new = bench.ask("select min(run), max(run) from runs")[0]
    assert old == "20261122T183253Z-cb0f"
    assert bench.ask("select count(*) from products where gone") == [(0,)]
    looked = "select run, count(*) from embeddings group by all order by all"
    assert bench.ask(looked) == [(old, 5), (new, 7)]
