"""`catalog doctor`: each thing that would stop or spoil a night is found, and told."""

import json
import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from types import SimpleNamespace

import pyarrow as pa
import pytest
from PIL import features

from catalog.images.decoders import Decoded, Decoder
from catalog.images.reasons import Reason
from catalog.models.artefact import LITERT, SPLIT
from catalog.models.settings import TrainSettings
from jobs import doctor, machine_checks, store_checks
from jobs.findings import Diagnosis, note, ok, wrong
from jobs.settings import Settings
from sql.locks import hold
from sql.manifests import read_all
from sql.parts import PartWriter, keep_journal
from sql.publish import publish
from sql.schemas import TABLES
from sql.store import Store, make_current
from tests.shop import Shop
from tests.workbench import Bench


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny_model):
    """A store that has one finished run; a test takes a copy."""
    with Shop() as shop:
        bench = Bench(tmp_path_factory.mktemp("finished"), shop)
        bench.fill(4)
        bench.use_model(tiny_model)
        bench.tag()
        yield bench


@pytest.fixture
def kept(finished, tmp_path):
    """A bench whose store has one finished run, in a place of its own."""
    bench = Bench(tmp_path, finished.shop, list(finished.rows))
    shutil.copytree(finished.store.root, bench.store.root)
    publish(bench.store, read_all(bench.store))
    return bench


def states(findings):
    """What was found, by state and thing."""
    return [(finding.state, finding.about) for finding in findings]


def only(findings):
    """The one finding."""
    [finding] = findings
    return finding


def test_a_healthy_store_is_told_in_one_screen(kept):
    """Everything is looked at without a network, nothing is wrong, and the exit code is 0."""
    asked = len(kept.shop.asked)
    result = kept.run("doctor", "--json")
    told = {found["about"]: found for found in json.loads(result.stdout)}
    assert result.exit_code == 0
    assert {found["state"] for found in told.values()} == {"ok", "note"}
    assert told["store"]["state"] == told["model tagger"]["state"] == told["lock"]["state"] == "ok"
    assert "float32" in told["gpu"]["told"] or "float16" in told["gpu"]["told"]
    assert len(kept.shop.asked) == asked
    assert len(told) <= 20


def test_what_is_wrong_is_an_exit_code_and_a_next_step():
    """One wrong finding is enough for exit 1; its next step stands below it."""
    fine = Diagnosis([ok("a", "as it should be"), note("b", "worth knowing")])
    bad = Diagnosis([*fine.findings, wrong("c", "is broken", "mend it")])
    assert (fine.exit_code, bad.exit_code) == (0, 1)
    assert str(bad).splitlines()[-2:] == ["wrong  c  is broken", "          Next: mend it"]


def test_a_check_that_fails_itself_is_a_finding(monkeypatch, tmp_path):
    """What can't be looked at is wrong, and the other checks go on."""
    monkeypatch.setattr(machine_checks, "check_gpu", lambda: iter([ok("gpu", "none")]))

    def faint():
        raise ZeroDivisionError("too much")
        yield

    monkeypatch.setattr(machine_checks, "check_packages", faint)
    found = doctor.examine(Settings(store=tmp_path / "store")).findings
    fainted = next(finding for finding in found if finding.about == "packages")
    assert fainted.state == "wrong"
    assert "ZeroDivisionError: too much" in fainted.told
    assert ("ok", "room") in states(found)


def test_there_need_be_no_store(tmp_path):
    """Before the first run a store, its models and its lock are nothing to complain of."""
    store = Store(tmp_path / "not" / "yet")
    assert states(store_checks.check_store(store)) == [("note", "store")]
    assert states(store_checks.check_lock(store)) == [("ok", "lock")]
    assert states(store_checks.check_clock(store)) == [("ok", "clock")]
    assert states(store_checks.check_file_system(store)) == [("ok", "file system")]
    assert not store.root.exists()


def damage_part(store):
    """Cut a part short."""
    part = next(part for run in read_all(store) for part in run.parts if part.table == "tags")
    os.truncate(store.root / part.path, 10)


def remove_part(store):
    """Remove a part."""
    part = next(part for run in read_all(store) for part in run.parts if part.table == "tags")
    (store.root / part.path).unlink()


def blank_part(store):
    """Write over a part with as many zeros."""
    part = next(part for run in read_all(store) for part in run.parts if part.table == "tags")
    (store.root / part.path).write_bytes(bytes(part.bytes))


def damage_manifest(store):
    """Leave half a manifest."""
    path = next(store.runs.glob("*.json"))
    path.write_text(path.read_text()[:50])


def damage_database(store):
    """Write over the database."""
    store.database.write_bytes(b"x" * 4096)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (damage_part, "1 of"),
        (remove_part, "gone or damaged"),
        (blank_part, "gone or damaged"),
        (damage_manifest, "is damaged"),
        (damage_database, "catalog.duckdb can't be read"),
        (lambda store: store.database.unlink(), "does not show the last run"),
    ],
    ids=["cut", "gone", "blank", "manifest", "database", "unpublished"],
)
def test_a_damaged_store_is_found(kept, damage, told):
    """A part, a manifest or a database that was damaged is told, with what helps."""
    damage(kept.store)
    finding = only(store_checks.check_store(kept.store))
    assert finding.state == "wrong"
    assert told in finding.told
    assert finding.next


def test_a_run_at_work_is_no_fault(kept):
    """What is unfinished while somebody holds the store is not told as damage."""
    kept.store.published.unlink()
    assert only(store_checks.check_store(kept.store)).state == "wrong"
    with hold(kept.store, "tag"):
        assert only(store_checks.check_store(kept.store)).state == "ok"


def test_an_analyst_at_work_is_no_fault(kept):
    """A database that another process has open to write it is not told as damage."""
    code = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print(flush=True); input()"
    command = [sys.executable, "-c", code, str(kept.store.database)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as analyst:
        analyst.stdout.readline()
        assert only(store_checks.check_store(kept.store)).state == "ok"
        analyst.stdin.close()


def test_a_store_that_is_a_file_is_found(tmp_path):
    """A path that names a file is wrong, and its lock is nobody's."""
    (tmp_path / "store").touch()
    assert only(store_checks.check_store(Store(tmp_path / "store"))).state == "wrong"
    assert only(store_checks.check_lock(Store(tmp_path / "store"))).state == "ok"


def test_what_a_killed_run_left_is_a_note(kept):
    """Finished parts without a manifest wait for the next run."""
    writer = PartWriter(kept.store, "20990101T000000Z-dead", "fetches", TABLES["fetches"], 10)
    row = dict.fromkeys(TABLES["fetches"].names) | {
        "location": "x",
        "outcome": "failed",
        "attempts": 1,
        "seconds": 0.1,
        "fetched_at": datetime.now(UTC),
        "dead": False,
    }
    writer.write(pa.RecordBatch.from_pylist([row], schema=TABLES["fetches"]))
    writer.flush()
    keep_journal(kept.store, "20990101T000000Z-dead", writer.parts)
    found = list(store_checks.check_store(kept.store))
    assert states(found) == [("ok", "store"), ("note", "store")]
    assert "finished 1 parts" in found[1].told


@pytest.mark.parametrize("file", [LITERT, SPLIT])
def test_a_model_that_was_altered_is_found(kept, file):
    """What a night loads of the tagger is hashed, and must be what its card names."""
    (kept.store.model("tiny", "1") / file).write_bytes(b"another")
    found = list(store_checks.check_models(kept.store))
    assert states(found) == [("wrong", "model tagger"), ("note", "model engagement")]
    assert "not the file that its card describes" in found[0].told


def test_a_model_of_another_task_is_found(kept):
    """A tagger that was made the classifier by hand is wrong there."""
    make_current(kept.store, "engagement", "tiny/1")
    found = list(store_checks.check_models(kept.store))
    assert states(found) == [("ok", "model tagger"), ("wrong", "model engagement")]


def test_the_holder_is_named_and_not_disturbed(kept):
    """Who holds the store is told, and the next run still gets it."""
    with hold(kept.store, "tag"):
        finding = only(store_checks.check_lock(kept.store))
    assert finding.state == "note"
    assert f"held by tag (process {os.getpid()}" in finding.told
    assert kept.tag()["exit_code"] == 0


def test_a_killed_holder_holds_nothing(kept):
    """The name that a killed run left in the lock file is nobody's."""
    kept.store.lock.write_text('{"pid": 1, "job": "tag", "since": "2020-01-01T00:00:00+00:00"}')
    assert only(store_checks.check_lock(kept.store)).state == "ok"


def test_a_clock_that_went_back_is_found(kept):
    """A run that ended later than now means that the clock is wrong."""
    later = (datetime.now(UTC) + timedelta(days=1)).timestamp()
    os.utime(next(kept.store.runs.glob("*.json")), (later, later))
    assert only(store_checks.check_clock(kept.store)).state == "wrong"


def test_a_disk_whose_clock_differs_is_found(tmp_path, monkeypatch):
    """Times that a file server gives must be this machine's."""
    drifted = SimpleNamespace(time=lambda: datetime.now(UTC).timestamp() + 3600)
    monkeypatch.setattr(store_checks, "time", drifted)
    found = list(store_checks.check_file_system(Store(tmp_path)))
    assert states(found) == [("ok", "file system"), ("wrong", "clock")]


@pytest.mark.parametrize(
    ("free", "names", "told"),
    [(1 << 20, 10**6, "0.0 GiB free"), (1 << 40, 9, "9 files more fit")],
)
def test_little_room_is_found(tmp_path, monkeypatch, free, names, told):
    """Less than a gigabyte is too little for a night, and so are few names: pictures are files."""
    assert only(store_checks.check_room(Store(tmp_path))).state == "ok"
    disk = SimpleNamespace(f_bavail=free, f_frsize=1, f_files=10**7, f_favail=names)
    monkeypatch.setattr(store_checks.os, "statvfs", lambda _: disk)
    finding = only(store_checks.check_room(Store(tmp_path)))
    assert finding.state == "wrong"
    assert told in finding.told


def test_a_place_that_cannot_be_written_is_found():
    """A store where nothing can be written is wrong before the night."""
    finding = only(store_checks.check_file_system(Store("/proc/store")))
    assert finding.state == "wrong"
    assert "/proc can't be written" in finding.told


def test_locks_that_do_not_hold_are_found(tmp_path, monkeypatch):
    """A file system that lets a second process in is wrong."""
    monkeypatch.setattr(store_checks, "_TRY_LOCK", "")
    assert only(store_checks.check_file_system(Store(tmp_path))).state == "wrong"


def test_a_network_file_system_is_noted(tmp_path, monkeypatch):
    """Locks may hold here and be unknown to another machine."""
    monkeypatch.setattr(store_checks, "_kind", lambda _: "nfs4")
    assert only(store_checks.check_file_system(Store(tmp_path))).state == "note"


def test_the_kind_of_a_file_system_is_the_nearest_mounts():
    """What lies below several mount points is on the deepest."""
    assert store_checks._kind(store_checks.nearest(store_checks.Path("/proc/self"))) == "proc"


def test_the_kind_is_unknown_where_nobody_tells(monkeypatch, tmp_path):
    """A system without /proc still gets its other answers."""

    def missing(*_args, **_kwargs):
        raise FileNotFoundError

    monkeypatch.setattr(store_checks.Path, "read_text", missing)
    assert store_checks._kind(tmp_path) == "unknown"


def test_an_old_python_is_found(monkeypatch):
    """A Python outside the range is told with the range."""
    assert only(machine_checks.check_python()).state == "ok"
    monkeypatch.setattr(platform, "python_version", lambda: "3.9.1")
    finding = only(machine_checks.check_python())
    assert finding.state == "wrong"
    assert "3.9.1" in finding.told
    assert ">=3.11" in finding.told


@pytest.mark.parametrize(
    ("name", "there", "told"),
    [
        ("keras", "3.11.2", "safe mode can be got round"),
        ("duckdb", "1.5.6", "times without seconds"),
        ("requests", "2.32.3", "CVE-2024-47081"),
        ("pyarrow", None, "pyarrow is not installed"),
    ],
)
def test_a_bad_version_is_found(name, there, told, monkeypatch):
    """What is too old, known to be bad or missing is told by name and version."""

    def pretended(package):
        if package != name:
            return version(package)
        if there is None:
            raise machine_checks.PackageNotFoundError(package)
        return there

    assert only(machine_checks.check_packages()).state == "ok"
    monkeypatch.setattr(machine_checks, "version", pretended)
    found = list(machine_checks.check_packages())
    assert {finding.state for finding in found} == {"wrong"}
    assert any(told in finding.told for finding in found)


def test_a_missing_codec_is_found(monkeypatch):
    """A Pillow that was built without AVIF can't read a shop's AVIF."""
    assert only(machine_checks.check_decoding(Settings())).state == "ok"
    monkeypatch.setattr(features, "check", lambda codec: codec != "avif")
    finding = only(machine_checks.check_decoding(Settings()))
    assert (finding.state, finding.told) == ("wrong", "Pillow can't read AVIF")


def test_a_decoder_that_does_not_decode_is_found(monkeypatch):
    """A worker that fails a plain picture is told with its reason."""
    dead = Decoded("failed", Reason.DECODER_DIED)
    monkeypatch.setattr(Decoder, "decode", lambda *_: dead)
    assert "decoder_died" in only(machine_checks.check_decoding(Settings())).told


@pytest.mark.parametrize(
    ("train", "state"),
    [
        (TrainSettings(weights="none"), "note"),
        (TrainSettings(weights="/nowhere/w.h5"), "wrong"),
        (TrainSettings(weights=__file__), "ok"),
        (TrainSettings(), "note"),
    ],
)
def test_weights_are_looked_for(train, state, monkeypatch, tmp_path):
    """Where a training would start from is told, and a named file that is missing is wrong."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    found = list(machine_checks.check_weights(Settings(train=train)))
    assert states(found) == [(state, "weights tagger"), ("note", "weights engagement")]


def test_weights_of_imagenet_are_found_where_keras_keeps_them(monkeypatch, tmp_path):
    """A file in Keras's cache needs no download."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    path = machine_checks.cached("efficientnetb0", 128)
    path.parent.mkdir()
    path.touch()
    assert next(machine_checks.check_weights(Settings())).state == "ok"
