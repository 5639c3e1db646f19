"""Parts are whole, and a killed run's are adopted or thrown away."""

import errno
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sql import files, parts
from sql.files import StoreFull, sweep_drafts
from sql.manifests import Manifest, read_all
from sql.parts import (
    PartWriter,
    drop_journals,
    keep_journal,
    orphans,
    remove_unfinished,
)
from sql.schemas import TABLES
from sql.store import Store
from tests.warehouse import add_rows, add_run

SCHEMA = pa.schema(
    [pa.field("picture", pa.string(), nullable=False), pa.field("score", pa.float32())],
    metadata={"vitrina.table": "scores"},
)


def rows(start: int, stop: int) -> pa.RecordBatch:
    """Rows numbered from `start` up to `stop`."""
    numbers = range(start, stop)
    return pa.RecordBatch.from_pydict(
        {"score": [float(n) for n in numbers], "picture": [str(n) for n in numbers]}
    )


def test_rows_come_back_in_parts(tmp_path, monkeypatch):
    """Rows are cut into parts and row groups; none is lost or twice, columns as the schema has."""
    monkeypatch.setattr(parts, "_ROW_GROUP", 30)
    writer = PartWriter(Store(tmp_path), "1", "scores", SCHEMA, 100)
    for start in range(0, 250, 10):
        writer.write(rows(start, start + 10))
    assert len(writer.parts) == 2
    writer.write(pa.Table.from_batches([rows(250, 260)]))
    writer.close()
    writer.close()
    assert [part.rows for part in writer.parts] == [100, 100, 60]
    assert [part.path for part in writer.parts] == [
        f"scores/run=1/part-0000{number}.parquet" for number in (1, 2, 3)
    ]
    found = pa.concat_tables(pq.ParquetFile(tmp_path / part.path).read() for part in writer.parts)
    assert found.schema == SCHEMA
    assert found["picture"].to_pylist() == [str(n) for n in range(260)]
    first = pq.read_metadata(tmp_path / writer.parts[0].path)
    assert first.num_row_groups == 4
    assert first.row_group(0).column(0).compression == "ZSTD"
    assert writer.parts[0].bytes == (tmp_path / writer.parts[0].path).stat().st_size


def test_no_rows_no_part(tmp_path):
    """A writer that got nothing, or an empty batch, leaves nothing."""
    writer = PartWriter(Store(tmp_path), "1", "scores", SCHEMA, 100)
    writer.write(rows(0, 0))
    writer.close()
    assert writer.parts == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("row", [{"picture": "a"}, {"picture": "a", "score": "high"}])
def test_wrong_columns_are_refused(tmp_path, row):
    """A column that is missing or of another type does not get in."""
    writer = PartWriter(Store(tmp_path), "1", "scores", SCHEMA, 100)
    with pytest.raises((KeyError, pa.ArrowException)):
        writer.write(pa.RecordBatch.from_pylist([row]))


def test_null_where_there_must_be_a_value_is_refused(tmp_path):
    """A row without its key is never written, nor is a draft left."""
    writer = PartWriter(Store(tmp_path), "1", "scores", SCHEMA, 1)
    with pytest.raises((ValueError, pa.ArrowException)):
        writer.write(pa.RecordBatch.from_pylist([{"picture": None, "score": 1.0}]))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_full_disk_keeps_the_finished_parts(tmp_path, monkeypatch):
    """When the disk is full, the part under way is given up whole and StoreFull is raised."""
    writer = PartWriter(Store(tmp_path), "1", "scores", SCHEMA, 10)
    writer.write(rows(0, 10))

    def fsync(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(files.os, "fsync", fsync)
    with pytest.raises(StoreFull, match="run=1"):
        writer.write(rows(10, 20))
    assert [path.name for path in tmp_path.rglob("*.*")] == ["part-00001.parquet"]
    assert [part.rows for part in writer.parts] == [10]


def test_really_full_disk(tmp_path):
    """On a disk that is really full, the same: one plain exception, nothing half-written."""
    small = tmp_path / "small"
    small.mkdir()
    code = """
import sys, pathlib, numpy, pyarrow as pa
from sql.files import StoreFull
from sql.parts import PartWriter
from sql.store import Store
schema = pa.schema([("x", pa.float64())])
writer = PartWriter(Store(pathlib.Path(sys.argv[1])), "1", "scores", schema, 50_000)
noise = numpy.random.default_rng(0)
try:
    for _ in range(9):
        writer.write(pa.table({"x": noise.random(55_000)}))
except StoreFull as err:
    names = [p.name for p in pathlib.Path(sys.argv[1]).rglob("*.*")]
    print("full", err.folder.name, *names)
"""
    script = 'mount -t tmpfs -o size=800k none "$1" || exit 42; exec "$2" -c "$3" "$1"'
    command = ["unshare", "-Urm", "sh", "-c", script, "sh", str(small), sys.executable, code]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no unshare here")
    if done.returncode == 42 or "unshare" in done.stderr:
        pytest.skip(f"no small disk can be made here: {done.stderr}")
    assert done.stdout.split() == ["full", "run=1", "part-00001.parquet"], done.stderr


KILLED = """
import sys, time
import pyarrow as pa
from sql import parts
from sql.schemas import TABLES
from sql.store import Store

parts._ROW_GROUP = 1
writer = parts.PartWriter(Store(sys.argv[1]), "1", "embeddings", TABLES["embeddings"], 1000)
row = pa.Table.from_pylist([{"picture": "a", "model": "m/1", "embedding": [1.0]}])
writer.write(row)
writer.flush()
parts.keep_journal(Store(sys.argv[1]), "1", writer.parts)
writer.write(row)
print(flush=True)
time.sleep(60)
"""


def test_killed_run(tmp_path):
    """Of a killed run the finished part is an orphan, the part under way is never seen."""
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        writer.kill()
    store = Store(tmp_path)
    left = [path.name for path in (tmp_path / "embeddings" / "run=1").iterdir()]
    assert sorted(left)[1:] == ["part-00001.parquet"]
    assert left != ["part-00001.parquet"]  # the draft was there: the kill came in the middle
    sweep_drafts(store.root)
    remove_unfinished(store, [])
    (orphan,) = orphans(store, [])
    assert (orphan.table, orphan.rows) == ("embeddings", 1)
    assert [path.name for path in tmp_path.rglob("*.parquet")] == ["part-00001.parquet"]


def test_parts_that_do_not_stand_together_are_not_adopted(tmp_path):
    """A run killed between the parts of one flush leaves none of them: no fact lacks its others."""
    store = Store(tmp_path)
    together = [
        *add_rows(store, "1", "pictures", [{"picture": "a"}]).parts,
        *add_rows(store, "1", "embeddings", [{"picture": "a", "embedding": [1.0]}]).parts,
    ]
    keep_journal(store, "1", together)
    late = store.part("pictures", "1", 2)
    late.write_bytes((tmp_path / together[0].path).read_bytes())
    assert remove_unfinished(store, []) == [late]
    assert sorted(orphans(store, []), key=lambda part: part.path) == sorted(
        together, key=lambda part: part.path
    )
    drop_journals(store, ["1"])
    assert orphans(store, []) == []


def test_facts_are_adopted_once(tmp_path):
    """A killed run's facts are orphans until a run's manifest names them."""
    store = Store(tmp_path)
    writer = add_rows(store, "1", "embeddings", [{"picture": "a", "embedding": [1.0]}])
    keep_journal(store, "1", writer.parts)
    assert orphans(store, []) == writer.parts
    add_run(store, "2", writer, adopted=["1"])
    assert orphans(store, read_all(store)) == []
    assert remove_unfinished(store, read_all(store)) == []
    assert (tmp_path / writer.parts[0].path).exists()


def test_snapshots_and_wrecks_are_removed(tmp_path):
    """A killed run's snapshots, unreadable parts and parts of another table go; the rest stays."""
    store = Store(tmp_path)
    kept = add_rows(store, "1", "products", [{"id": "a"}])
    add_run(store, "1", kept)
    good = add_rows(store, "2", "pictures", [{"picture": "a"}])
    unfinished = add_rows(store, "2", "products", [{"id": "b"}])
    keep_journal(store, "2", [*good.parts, *unfinished.parts])
    wreck = store.part("pictures", "2", 2)
    wreck.write_bytes(b"PAR1 but no footer")
    foreign = store.part("pictures", "3", 1)
    foreign.parent.mkdir()
    pq.write_table(TABLES["scores"].empty_table(), foreign)
    known: list[Manifest] = read_all(store)
    assert orphans(store, known) == good.parts
    removed = remove_unfinished(store, known)
    assert sorted(removed) == sorted([tmp_path / unfinished.parts[0].path, wreck, foreign])
    assert not foreign.parent.exists()
    assert remove_unfinished(store, known) == []
    assert (tmp_path / kept.parts[0].path).exists()
