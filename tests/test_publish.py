"""Publishing swaps the database whole; readers neither notice nor block."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from sql import publish as publishing
from sql.files import StoreFull
from sql.manifests import read_all
from sql.publish import is_published, publish
from sql.store import Store, make_current
from tests.warehouse import add_rows, add_run

READER = """
import sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=len(sys.argv) == 2)
for line in sys.stdin:
    print(con.execute("select count(*) from products").fetchall()[0][0], flush=True)
"""


def night(store: Store, number: int) -> None:
    """Commit a run that saw one more product, and publish it."""
    add_run(store, str(number), add_rows(store, str(number), "products", [{"id": f"p{number}"}]))
    publish(store, read_all(store))


def count(store: Store) -> int:
    """Count the products that a new reader sees."""
    with duckdb.connect(str(store.database), read_only=True) as con:
        [(products,)] = con.execute("select count(*) from products").fetchall()
    return int(products)


@pytest.mark.parametrize("mode", [[], ["read-write"]])
def test_reader_stays_open_overnight(tmp_path, mode):
    """A process that keeps the file open sees its own night, and a new one the next."""
    store = Store(tmp_path)
    night(store, 1)
    command = [sys.executable, "-c", READER, str(store.database), *mode]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        for number in (2, 3):
            reader.stdin.write("\n")
            assert reader.stdout.readline() == "1\n"
            night(store, number)
            assert count(store) == number
        reader.stdin.write("\n")
        assert reader.stdout.readline() == "1\n"
        reader.stdin.close()


def test_open_reader_blocks_a_writer_in_place(tmp_path):
    """The positive control: written in place, the open reader locks the night out."""
    store = Store(tmp_path)
    night(store, 1)
    command = [sys.executable, "-c", READER, str(store.database)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        reader.stdin.write("\n")
        reader.stdout.readline()
        with pytest.raises(duckdb.IOException, match="lock"):
            duckdb.connect(str(store.database))
        reader.stdin.close()


def test_run_is_visible_once_published(tmp_path):
    """A manifest makes a run, publishing shows it; until then the database lags and says so."""
    store = Store(tmp_path)
    assert not is_published(store, [])
    night(store, 1)
    assert is_published(store, read_all(store))
    add_run(store, "2", add_rows(store, "2", "products", [{"id": "p2"}]))
    assert not is_published(store, read_all(store))
    assert count(store) == 1
    publish(store, read_all(store))
    assert is_published(store, read_all(store))
    assert count(store) == 2


def test_database_that_was_deleted_is_not_published(tmp_path):
    """Who deletes the database gets a new one."""
    store = Store(tmp_path)
    night(store, 1)
    store.database.unlink()
    assert not is_published(store, read_all(store))


def test_another_model_is_published(tmp_path):
    """A new model, and another current one, are reasons to publish."""
    store = Store(tmp_path)
    night(store, 1)
    store.model("tagger", "1").mkdir(parents=True)
    (store.model("tagger", "1") / "card.json").write_text(json.dumps({"task": "tagger"}))
    assert not is_published(store, read_all(store))
    publish(store, read_all(store))
    make_current(store, "tagger", "tagger/1")
    assert not is_published(store, read_all(store))


def test_other_views_are_published(tmp_path, monkeypatch):
    """A new version of the catalog, with other views, publishes them at its first run."""
    store = Store(tmp_path / "store")
    night(store, 1)
    shutil.copytree(publishing._SQL, tmp_path / "sql")
    monkeypatch.setattr(publishing, "_SQL", tmp_path / "sql")
    assert is_published(store, read_all(store))
    (tmp_path / "sql" / "views" / "products.sql").write_text("select 1")
    assert not is_published(store, read_all(store))


def test_store_that_moved(tmp_path):
    """A store under another name is published anew, and then works from there."""
    night(Store(tmp_path / "old"), 1)
    (tmp_path / "old").rename(tmp_path / "new")
    store = Store(tmp_path / "new")
    assert not is_published(store, read_all(store))
    publish(store, read_all(store))
    assert count(store) == 1


def test_missing_part_is_named(tmp_path):
    """A part that somebody deleted is named, and the database stays as it was."""
    store = Store(tmp_path)
    night(store, 1)
    gone = add_rows(store, "2", "products", [{"id": "p2"}])
    add_run(store, "2", gone)
    (tmp_path / gone.parts[0].path).unlink()
    with pytest.raises(ValueError, match="run=2"):
        publish(store, read_all(store))
    assert count(store) == 1
    assert not [name for name in os.listdir(tmp_path) if "draft" in name]  # noqa: PTH208


def test_full_disk_publishes_nothing(tmp_path, monkeypatch):
    """DuckDB's own words for a full disk become StoreFull; the database stays as it was."""
    store = Store(tmp_path)
    night(store, 1)

    def connect() -> duckdb.DuckDBPyConnection:
        raise duckdb.IOException("IO Error: Could not write file: No space left on device")

    add_run(store, "2", add_rows(store, "2", "products", [{"id": "p2"}]))
    monkeypatch.setattr(duckdb, "connect", connect)
    with pytest.raises(StoreFull, match=str(tmp_path)):
        publish(store, read_all(store))
    monkeypatch.undo()
    assert count(store) == 1


def test_leavings_of_an_analyst_do_no_harm(tmp_path):
    """A killed session's write-ahead log is not replayed into the next night's file."""
    store = Store(tmp_path)
    night(store, 1)
    code = f"""
import duckdb, os
con = duckdb.connect({str(store.database)!r})
con.execute("create table mine as select 42")
os._exit(1)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    assert Path(f"{store.database}.wal").exists()
    night(store, 2)
    assert count(store) == 2


def test_nothing_to_do_is_known_without_duckdb(tmp_path):
    """Asking whether all is published loads neither DuckDB nor Arrow."""
    night(Store(tmp_path), 1)
    code = """
import sys
from sql.manifests import read_all
from sql.publish import is_published
from sql.store import Store
store = Store(sys.argv[1])
assert is_published(store, read_all(store))
assert not {"duckdb", "pyarrow"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
