"""How a run saw its CSV: what was new, changed, gone or refused, of products and of posts."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from jobs.inputs import Catalogue
from jobs.plan import Plan, Rules, make_plan
from jobs.run import open_run
from jobs.settings import Settings
from jobs.snapshots import write_snapshot
from sql.store import Store

SOURCE = "shop"


@pytest.fixture
def store(tmp_path):
    """An empty store."""
    return Store(tmp_path / "store")


def snapshot(store: Store, job: str, text: str, rules: Rules | None = None) -> Plan:
    """Take a CSV in as that job does, without a picture, and tell what was planned."""
    path = store.root.with_name(f"{job}.csv")
    path.write_text(text)
    if job == "tag":
        catalogue = Catalogue.of(path, SOURCE, Settings())
    else:
        catalogue = Catalogue.of_posts(path, SOURCE, Settings(), {})
    with open_run(store, job, SOURCE) as run:
        intake = catalogue.take_in(run.work)
        with run.views(intake) as con:
            plan = make_plan(con, SOURCE, None, rules, run.work, kind=intake.kind)
            if not plan.nothing_to_do:
                write_snapshot(run, con, SOURCE, intake)
        if not plan.nothing_to_do:
            run.commit({}, arguments={})
    return plan


def ask(store: Store, query: str) -> list[Any]:
    """Ask the published database."""
    with duckdb.connect(str(store.database), read_only=True) as con:
        return con.execute(query).fetchall()


def test_posts_new_changed_and_gone(store):
    """A row is written for what changed only, with its numbers; what left is marked."""
    header = "id,image,likes\n"
    first = snapshot(store, "engage", f"{header}a,a.jpg,5.0\nb,b.jpg,-1\nc,c.jpg,x\n")
    assert (first.records, first.new, first.gone) == (3, 3, 0)
    assert str(first) == "3 posts: 3 new, 0 changed, 0 gone; 0 pictures: none to fetch"
    assert snapshot(store, "engage", f"{header}c,c.jpg,x\na,a.jpg,5.0\nb,b.jpg,-1\n").nothing_to_do
    second = snapshot(store, "engage", f"{header}a,a.jpg,5.0\nb,b.jpg,7\nd,d.jpg,8\n")
    assert (second.new, second.changed, second.gone, second.unchanged) == (1, 1, 1, 1)
    assert ask(store, "select id, likes, gone from posts order by id") == [
        *(("a", 5, False), ("b", 7, False), ("c", None, True), ("d", 8, False)),
    ]
    assert ask(store, "select given['likes'] from posts where id = 'c'") == [("x",)]
    assert ask(store, "select count(*) from history.posts") == [(6,)]


def test_products_and_posts_of_one_source_leave_each_other_alone(store):
    """Neither marks the other's rows as gone, nor takes its refusals for its own."""
    products = "id,image\np,a.jpg\n,b.jpg\n"
    posts = "id,image,likes\np,a.jpg,5\nq,,6\n"
    snapshot(store, "tag", products)
    assert snapshot(store, "engage", posts).new == 1
    assert snapshot(store, "tag", products).nothing_to_do
    assert snapshot(store, "engage", posts).nothing_to_do
    assert ask(store, "select kind, reason from rejects order by kind") == [
        ("post", "picture_empty"),
        ("product", "id_empty"),
    ]
    corrected = snapshot(store, "engage", "id,image,likes\np,a.jpg,5\n")
    assert (corrected.refused_otherwise, corrected.changed) == (True, 0)
    assert ask(store, "select kind from rejects") == [("product",)]
    assert ask(store, "select gone from products union all select gone from posts") == [
        (False,),
        (False,),
    ]


def test_a_picture_is_planned_for_only_by_rules(store):
    """Without rules no location is due; what must be decided anyway is work all the same."""
    text = "id,image,likes\na,http://x.test/a.jpg|http://x.test/b.jpg,5\n"
    assert snapshot(store, "engage", text).pictures == 0
    rules = Rules(Settings().recheck_after, refetch=False, allow_hosts=())
    planned = snapshot(store, "engage", text, rules)
    assert (planned.pictures, planned.asks, planned.unchanged) == (2, {"new": 2}, 1)


def test_what_is_undecided_is_work(store):
    """A CSV that reads as before is not done with while rows wait for a decision."""
    text = "id,image,likes\na,a.jpg,5\n"
    snapshot(store, "engage", text)
    path = Path(store.root.with_name("engage.csv"))
    with open_run(store, "engage", SOURCE) as run:
        intake = Catalogue.of_posts(path, SOURCE, Settings(), {}).take_in(run.work)
        with run.views(intake) as con:
            plans = [
                make_plan(con, SOURCE, None, None, run.work, kind="post", undecided=count)
                for count in (0, 1)
            ]
    assert [plan.nothing_to_do for plan in plans] == [True, False]
