"""A year of nights made one: the views say the same, and nobody who reads is disturbed."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from jobs import keeping
from jobs.errors import BadInput, JobError
from jobs.keeping import compact, rebuild
from sql.database import VIEWS
from sql.files import StoreFull
from sql.manifests import parts_of, read_all, visible
from sql.parts import PartWriter, keep_journal
from sql.publish import is_published, publish
from sql.schemas import TABLES, tags_schema
from sql.store import Store, make_current
from tests.test_database import add_model
from tests.warehouse import add_rows, add_run

LATER = datetime.now(UTC) + timedelta(days=8)


def products(*ids: str, gone: tuple[str, ...] = (), **said: Any) -> list[dict[str, Any]]:
    """Rows of products that show the picture of their own name."""
    return [
        {"id": id_, "pictures": [f"/{id_}"], "gone": id_ in gone, "given": [("colour", "Red")]}
        | said
        for id_ in ids
    ]


def night(store: Store, number: int, ids: Sequence[str], **said: Any) -> None:
    """A run of `tag` and one of `engage` that say something in every table about these ids."""
    run, other = f"{number:04}", f"{number + 1:04}"
    told = {"colour_given": "Red", "colour_predicted": "Blue", "colour_confidence": 0.75}
    tags = [
        {"id": id_, "colour": f"Red {number}", "model": "tagger/1", "pictures": [id_]} | told
        for id_ in ids
    ]
    facts = {
        "fetches": [{"location": f"/{id_}", "picture": id_} for id_ in ids],
        "pictures": [{"picture": id_} for id_ in ids],
        "scores": [{"picture": id_, "scores": [0.75, 0.25]} for id_ in ids if number == 10],
        "predictions": [{"picture": id_, "label": "Red"} for id_ in ids if number == 10],
        "embeddings": [{"picture": id_, "embedding": [0.5]} for id_ in ids if number == 10],
        "products": products(*ids, **said),
        "rejects": [{"line": number}],
        "results": [{"part": "run", "value": str(number)}],
    }
    writers = [add_rows(store, run, table, rows) for table, rows in facts.items()]
    writers.append(add_rows(store, run, "tags", tags, tags_schema(["colour"])))
    add_run(store, run, *writers, counts={"products": len(ids)})
    posted = {
        "posts": [{"id": id_, "pictures": [f"/{id_}"], "likes": number} for id_ in ids],
        "engagement": [{"id": id_, "label": "high", "bar": float(number)} for id_ in ids],
        "engagement_evaluation": [{"value": number / 100}],
        "engagement_ladder": [{"roc_auc": number / 100}],
        "rejects": [{"line": number + 1}],
    }
    writers = [add_rows(store, other, table, rows) for table, rows in posted.items()]
    add_run(store, other, *writers, job="engage")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of three nights, with rows in every table, a tagger, and a path that is awkward."""
    store = Store(tmp_path / "it's a [shop]" / "run=9")
    add_model(
        store,
        "1",
        {"task": "tagger", "vocabulary": {"colour": ["Red", "Blue"]}},
        [{"picture": "a", "side": "test"}],
    )
    make_current(store, "tagger", "tagger/1")
    night(store, 10, "abc")
    night(store, 20, "bc", title="Renamed")
    night(store, 30, "c", line=7)
    publish(store, read_all(store))
    return store


def shown(store: Store, *schemas: str) -> dict[str, list[str]]:
    """Every row of every view, but for the runs that compacted."""
    wanted = schemas or tuple(VIEWS)
    with duckdb.connect(str(store.database), read_only=True) as con:
        found = {}
        for view in wanted:
            rows = con.sql(f"from {view}" + (" where job <> 'compact'" * (view == "runs")))
            table = rows.select(*map(duckdb.ColumnExpression, sorted(rows.columns)))
            found[view] = [
                str(table.columns),
                *sorted(map(str, table.to_arrow_table().to_pylist())),
            ]
        return found


def files(store: Store) -> set[str]:
    """The parts that lie in the store."""
    return {store.relative(path) for path in store.root.glob("*/run=*/*.parquet")}


def test_every_view_says_the_same(store):
    """Row by row and column by column, the run that wrote a row too; and again and again."""
    before = shown(store)
    assert all(
        len(rows) > 1 for view, rows in before.items() if view not in {"failures", "troubles"}
    )
    told = compact(store)
    assert shown(store) == before
    assert told.rows < told.rows_before
    assert told.parts == len(TABLES)
    night(store, 40, "bd")
    publish(store, read_all(store))
    with_more = shown(store)
    assert with_more != before
    assert compact(store).run is not None
    assert shown(store) == with_more


def test_new_runs_say_the_same_on_top(store):
    """A store that was compacted and one that was not go on alike."""
    other = Store(store.root.with_name("other"))
    shutil.copytree(store.root, other.root)
    compact(store)
    for one in (store, other):
        night(one, 40, "bd", title="Newer")
        add_run(one, "0050", add_rows(one, "0050", "products", products("c", gone=("c",))))
        publish(one, read_all(one))
    assert shown(store) == shown(other)


def test_a_product_that_comes_back_has_its_tags(store):
    """The newest tags of a product that is gone live on, as they would without a compaction."""
    add_run(store, "0050", add_rows(store, "0050", "products", products("c", gone=("c",))))
    publish(store, read_all(store))
    compact(store)
    assert not [row for row in shown(store, "tags")["tags"][1:] if "'id': 'c'" in row]
    add_run(store, "0060", add_rows(store, "0060", "products", products("c")))
    publish(store, read_all(store))
    assert [row for row in shown(store, "tags")["tags"][1:] if "Red 30" in row]


def test_what_nobody_shows_any_more_is_forgotten(store):
    """Facts of a picture go when its product and post left over a week ago; b stays, and its."""
    leaving = add_rows(store, "0050", "products", products("a", "c", gone=("a", "c")))
    posts = [{"id": id_, "pictures": [f"/{id_}"], "gone": True} for id_ in "ac"]
    add_run(store, "0050", leaving, add_rows(store, "0050", "posts", posts))
    publish(store, read_all(store))
    before = shown(store)
    compact(store)
    after = shown(store)
    differing = {view for view in VIEWS if after[view] != before[view]}
    assert differing == {"fetches", "images", "predictions", "embeddings"}
    # The model was tested on a: it stays.
    for view in differing:
        lost = set(map(str, before[view])) - set(map(str, after[view]))
        assert len(lost) == 1
        assert "'c'" in lost.pop()


def test_what_left_lately_is_not_forgotten(store):
    """A CSV that lacks a product for some nights costs no look."""
    now = datetime.now(UTC)
    gone = [row | {"seen_at": now} for row in products("b", gone=("b",))]
    add_run(store, "0050", add_rows(store, "0050", "products", gone))
    posts = [{"id": "b", "pictures": ["/b"], "gone": True}]
    add_run(store, "0051", add_rows(store, "0051", "posts", posts), job="engage")
    publish(store, read_all(store))
    before = shown(store)
    compact(store)
    assert shown(store) == before


def test_facts_of_a_model_that_is_gone_are_forgotten(store):
    """They go with the next compaction, once no tag rests on them, as if nothing else changed."""
    compact(store)
    shutil.rmtree(store.model("tagger", "1"))
    (store.models / "tagger.current").unlink()
    publish(store, read_all(store))
    before = shown(store)
    assert compact(store).run is None  # `--model` may name a folder outside the store
    other = [{"id": id_, "colour": "Blue", "model": "tagger/2"} for id_ in "abc"]
    add_run(store, "0050", add_rows(store, "0050", "tags", other, tags_schema(["colour"])))
    publish(store, read_all(store))
    assert compact(store).run is not None
    after = shown(store)
    assert len(before["predictions"]) > len(after["predictions"]) == 1
    assert after["images"] == before["images"]


def test_the_old_parts_stay_for_the_grace(store, monkeypatch):
    """Who has the old database open reads on for a week; then a later call removes them."""
    old, before = files(store), shown(store)
    with duckdb.connect(str(store.database), read_only=True) as analyst:
        query = "select count(*), max(likes) from history.posts"
        said = analyst.sql(query).fetchall()
        compact(store)
        assert old < files(store)
        assert compact(store).removed_bytes == 0
        assert analyst.sql(query).fetchall() == said
        monkeypatch.setattr(keeping, "datetime", _Later)
        told = compact(store)
        assert told.removed_bytes > 0
        assert not old & files(store)
        with pytest.raises(duckdb.IOException):  # positive control: it did read the old parts
            analyst.sql(query).fetchall()
    assert shown(store) == before
    assert read_all(store)[0].parts  # the runs stay listed, with what they did


class _Later(datetime):
    """A clock that is eight days ahead."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # noqa: ARG003
        return LATER


def test_a_database_that_lagged_is_given_the_grace(store, monkeypatch):
    """A kill before publishing leaves the old parts shown: they go no sooner for that."""
    assert dies_after(store, len(TABLES) + 1).returncode == 9
    monkeypatch.setattr(keeping, "datetime", _Later)
    old = files(store)
    assert compact(store).removed_bytes == 0
    assert old <= files(store)
    assert compact(store).removed_bytes > 0


DOOMED = """
import os, sys
from pathlib import Path
from jobs.keeping import compact
from sql.store import Store

rename, left = Path.replace, int(sys.argv[2])

def dying(path, target):
    global left
    if left == 0:
        os._exit(9)
    left -= 1
    return rename(path, target)

Path.replace = dying
compact(Store(Path(sys.argv[1])))
print(left)
"""


def dies_after(store: Store, renames: int) -> subprocess.CompletedProcess[str]:
    """A compaction in a process of its own that is gone before its next rename."""
    command = [sys.executable, "-c", DOOMED, str(store.root), str(renames)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


# A rename each for the parts, then one for the manifest, the database, and what it shows.
@pytest.mark.parametrize(
    "renames", [0, 1, len(TABLES) - 1, len(TABLES), len(TABLES) + 1, len(TABLES) + 2]
)
def test_a_kill_before_any_rename_leaves_the_old_or_the_new_whole(store, renames):
    """The views say the same after it, after the nightly run, and after the next compaction."""
    before = shown(store)
    assert dies_after(store, renames).returncode == 9
    assert shown(store) == before
    # The nightly run comes first: nothing of the half compaction may be adopted.
    with keeping.open_run(store, "tag") as run:
        assert run.adopted == []
        run.republish()
    assert is_published(store, read_all(store))
    assert shown(store) == before
    assert {part.path for one in read_all(store) for part in one.parts} == files(store)
    compact(store)
    assert shown(store) == before
    assert len(visible(read_all(store))) == 1


def test_there_are_no_more_renames_than_those(store):
    """Positive control: with all of them done the compaction has ended by itself."""
    done = dies_after(store, len(TABLES) + 3)
    assert (done.returncode, done.stdout) == (0, "0\n")


def test_what_a_killed_run_finished_is_left_for_the_next(store):
    """A compaction neither takes over nor drops what the nightly run will adopt."""
    writer = add_rows(store, "0070", "fetches", [{"location": "/z", "picture": "z"}])
    keep_journal(store, "0070", writer.parts)
    compact(store)
    with keeping.open_run(store, "tag") as run:
        assert run.adopted == writer.parts


def test_a_full_disk_takes_nothing(store, monkeypatch):
    """One clear line, no part left behind, and the views as they were."""
    old, before = files(store), shown(store)
    flush = PartWriter.flush

    def full(writer: PartWriter) -> None:
        if writer._table == "scores":
            raise StoreFull(store.root)
        flush(writer)

    monkeypatch.setattr(PartWriter, "flush", full)
    with pytest.raises(JobError, match="no room left"):
        compact(store)
    assert files(store) == old
    assert shown(store) == before


def test_rows_of_a_newer_version_are_not_lost(store):
    """A column that this version does not know stops the compaction, before anything is written."""
    [part, *_] = parts_of(store, read_all(store), "rejects")
    table = pq.read_table(part)
    pq.write_table(table.append_column("mood", table["reason"]), part)
    old = files(store)
    with pytest.raises(JobError, match="mood"):
        compact(store)
    assert files(store) == old


def test_a_row_of_an_older_version_may_lack_a_column(store):
    """Rows from before a column was thought of are kept, with null in it."""
    [part, *_] = parts_of(store, read_all(store), "posts")
    pq.write_table(pq.read_table(part).drop_columns(["comments", "row_hash"]), part)
    publish(store, read_all(store))
    before = shown(store)
    compact(store)
    assert shown(store) == before


def test_a_store_that_moved_is_rebuilt(store, tmp_path):
    """Its database names the old folder; after a rebuild it says the same from the new one."""
    compact(store)
    before = shown(store)
    store.root.rename(tmp_path / "elsewhere")
    moved = Store(tmp_path / "elsewhere")
    with pytest.raises(duckdb.IOException):
        shown(moved)
    assert rebuild(moved).runs == len(read_all(moved))
    assert shown(moved) == before


def test_a_database_that_was_spoilt_is_rebuilt(store):
    """Whatever lies in its place."""
    before = shown(store)
    store.database.write_bytes(b"not a database")
    assert is_published(store, read_all(store))
    rebuild(store)
    assert shown(store) == before


def test_no_store_is_not_made_one(tmp_path):
    """A wrong --store is told, and nothing is left there."""
    for job in (rebuild, compact):
        with pytest.raises(BadInput, match="no store"):
            job(Store(tmp_path / "nowhere"))
    assert list(tmp_path.iterdir()) == []
