"""`catalog prune`: what is needed stays, what is not goes, and the dry run tells which."""

import json
import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jobs import keeping, pruning
from jobs.errors import BadInput
from jobs.keeping import compact
from jobs.pruning import prune
from sql.files import write_bytes
from sql.manifests import read_all
from sql.parts import keep_journal
from sql.publish import is_published, publish
from sql.store import Store
from tests.test_compaction import files, night, shown
from tests.warehouse import add_rows, add_run
from tests.workbench import Bench

OLD = time.time() - 8 * 86_400


class Later(datetime):
    """A clock that is eight days ahead."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # noqa: ARG003
        """Tell a time in the future."""
        return datetime.now(UTC) + timedelta(days=8)


def picture(store: Store, name: str, since: float = OLD) -> Path:
    """Put a picture into the store that lies there since then."""
    path = store.picture(name)
    write_bytes(path, name.encode())
    os.utime(path, (since, since))
    return path


def report(store: Store, run: str) -> str:
    """Write the page about a run."""
    path = store.report(run)
    write_bytes(path, b"<html>")
    return store.relative(path)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of three nights with pictures aa, ab, ac behind their products; published."""
    store = Store(tmp_path / "it's a [shop]" / "run=9")
    night(store, 10, ["aa", "ab", "ac"])
    night(store, 20, ["ab", "ac"], title="Renamed")
    for name in ("aa", "ab", "ac"):
        picture(store, name)
    publish(store, read_all(store))
    return store


def told(store: Store, keep: int = 30) -> dict[str, list[str]]:
    """What a dry run would remove, by kind."""
    found: dict[str, list[str]] = {}
    for removal in prune(store, keep, dry_run=True).removals:
        found.setdefault(removal.kind, []).append(removal.path)
    return found


def everything(root: Path) -> set[Path]:
    """Every file of a store, but the lock."""
    return {path for path in root.rglob("*") if path.is_file() and path.name != ".lock"}


def test_a_store_of_what_is_needed_loses_nothing(store):
    """Every file stays, and the text says that there is nothing."""
    before = everything(store.root)
    assert str(prune(store, 1, dry_run=False)) == "nothing to remove"
    assert everything(store.root) == before


def test_a_dry_run_writes_nothing(store):
    """It tells what the real one then removes, to the byte, and touches no file."""
    lost = picture(store, "af" + "0" * 62)
    before = {path: path.stat().st_mtime_ns for path in everything(store.root)}
    dry = prune(store, 30, dry_run=True)
    assert {path: path.stat().st_mtime_ns for path in everything(store.root)} == before
    done = prune(store, 30, dry_run=False)
    assert done.removals == dry.removals
    assert json.loads(done.as_json())["bytes"] == 64
    assert set(before) - everything(store.root) == {lost}
    assert "would be removed" in str(dry)
    assert "pictures" in str(done)


def test_a_picture_that_no_part_names_goes(store):
    """But one that came in lately stays: a run that was killed may have fetched it."""
    picture(store, "af")
    picture(store, "ae", time.time())
    assert told(store) == {"pictures": ["images/af/af"]}


def test_a_picture_that_a_killed_run_fetched_stays(store):
    """The next run takes over the parts that name it."""
    picture(store, "af")
    writer = add_rows(store, "0070", "fetches", [{"location": "/z", "picture": "af"}])
    assert told(store) == {"pictures": ["images/af/af"]}  # positive control: in no journal
    keep_journal(store, "0070", writer.parts)
    assert told(store) == {}


def test_pictures_of_what_is_gone_go_a_week_after_the_compaction(store, monkeypatch):
    """The database shows them until it is compacted, and an open one for a week more."""
    gone = [{"id": id_, "pictures": [f"/{id_}"], "gone": True} for id_ in ("aa",)]
    add_run(store, "0050", add_rows(store, "0050", "products", gone))
    add_run(store, "0051", add_rows(store, "0051", "posts", gone), job="engage")
    publish(store, read_all(store))
    assert told(store) == {}
    compact(store)
    assert told(store) == {}
    monkeypatch.setattr(pruning, "datetime", Later)
    old = {part.path for run in read_all(store)[:-1] for part in run.parts}
    would = told(store)
    assert would["pictures"] == ["images/aa/aa"]
    assert set(would["generations"]) == old
    before = shown(store)
    prune(store, 30, dry_run=False)
    assert not old & files(store)
    assert not store.picture("aa").exists()
    assert store.picture("ab").exists()
    assert shown(store) == before


def test_a_database_that_lagged_keeps_what_it_showed(store, monkeypatch):
    """What was replaced, and the database did not know yet, is not removed at once."""
    compact(store)
    monkeypatch.setattr(pruning, "datetime", Later)
    assert "generations" in told(store)
    store.published.unlink()
    assert told(store) == {}
    prune(store, 30, dry_run=False)
    assert is_published(store, read_all(store))
    assert "generations" in told(store)


def test_reports_of_the_newest_runs_stay(store):
    """The database says no more that there is one where it was removed."""
    for run in ("0060", "0061", "0062"):
        add_run(store, run, report=report(store, run))
    report(store, "0059")  # of a run that was killed
    publish(store, read_all(store))
    assert told(store, 2) == {"reports": ["reports/0059", "reports/0060"]}
    prune(store, 2, dry_run=False)
    assert not store.report("0060").exists()
    query = "select run, report from runs where run between '0060' and '0062' order by run"
    with duckdb.connect(str(store.database), read_only=True) as con:
        said = con.sql(query).fetchall()
    assert said == [
        ("0060", None),
        ("0061", "reports/0061/index.html"),
        ("0062", "reports/0062/index.html"),
    ]
    assert is_published(store, read_all(store))


def test_journals_that_nobody_needs_go(store):
    """Those of parts that a manifest names, or that are no more; not one that may be adopted."""
    writer = add_rows(store, "0070", "fetches", [{"location": "/z", "picture": "aa"}])
    keep_journal(store, "0070", writer.parts)
    keep_journal(store, "0071", read_all(store)[0].parts)
    write_bytes(store.runs / ".0072.journal", b"damaged")
    assert told(store) == {"journals": ["runs/.0071.journal", "runs/.0072.journal"]}
    prune(store, 30, dry_run=False)
    with keeping.open_run(store, "tag") as run:
        assert run.adopted == writer.parts


@pytest.fixture
def models(bench: Bench) -> Bench:
    """A store with the model that tagged, tiny/1, and others that did nothing, tiny/2 and 3."""
    bench.tag()
    for version in ("2", "3"):
        other = bench.store.model("tiny", version)
        shutil.copytree(bench.store.model("tiny", "1"), other)
        card = (
            (other / "card.json").read_text().replace('"version": "1"', f'"version": "{version}"')
        )
        (other / "card.json").write_text(card)
    return bench


def test_a_model_retires_before_it_goes(models, monkeypatch):
    """Out of the database at once; its files stay a week, for whoever has the old one open."""
    models.run("models", "use", "tiny/3")
    store = models.store
    with store_open(models) as analyst:
        assert told(store) == {"retired": ["models/tiny/2"]}
        assert models.run("prune").exit_code == 0
        assert analyst.sql("select count(*) from evaluations").fetchall() != [(0,)]
    assert models.ask("select model from models order by all") == [("tiny/1",), ("tiny/3",)]
    assert store.model("tiny", "2").is_dir()
    assert told(store) == {}
    monkeypatch.setattr(pruning, "datetime", Later)
    assert told(store)["models"] == ["models/tiny/2"]
    prune(store, 30, dry_run=False)
    assert not store.model("tiny", "2").exists()
    assert store.model("tiny", "1").is_dir()
    assert models.tag()["tagged"] == 12


def store_open(bench: Bench) -> duckdb.DuckDBPyConnection:
    """The database as an analyst has it open."""
    publish(bench.store, read_all(bench.store))
    return duckdb.connect(str(bench.store.database), read_only=True)


def test_a_model_that_tags_name_stays(models):
    """Once other tags have taken their place, and the newest runs are others, it goes."""
    models.run("models", "use", "tiny/3")
    assert "models/tiny/1" not in told(models.store, 1)["retired"]
    models.tag()
    assert told(models.store, 1)["retired"] == ["models/tiny/1", "models/tiny/2"]
    # The newest two runs are those of tiny/1 and tiny/3.
    assert told(models.store, 2)["retired"] == ["models/tiny/2"]


def test_the_night_after_has_nothing_to_do(models):
    """Neither a compaction nor a prune makes work for the nightly run."""
    models.run("prune", "--keep", "1")
    models.run("compact")
    asked = len(models.shop.asked)
    assert models.tag()["run"] is None
    assert len(models.shop.asked) == asked


def test_the_commands_say_what_they_did(models):
    """In words, and as JSON."""
    assert "rows" in models.run("compact").stdout
    assert json.loads(models.run("compact", "--json").stdout)["run"] is None
    would = json.loads(models.run("prune", "--dry-run", "--json").stdout)
    assert would["dry_run"]
    assert [one["kind"] for one in would["removals"]] == ["retired", "retired"]
    assert "catalog.duckdb" in models.run("rebuild").stdout
    assert models.run("prune", "--keep", "0").exit_code == 2


@pytest.mark.parametrize("dry_run", [True, False])
def test_no_store_is_not_made_one(tmp_path, dry_run):
    """A wrong --store is told, and nothing is left there."""
    with pytest.raises(BadInput, match="no store"):
        prune(Store(tmp_path / "nowhere"), 30, dry_run=dry_run)
    assert list(tmp_path.iterdir()) == []
