"""Files appear whole or not at all."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sql import files
from sql.files import StoreFull, replacing, replacing_folder, sweep_drafts, write_text


def names(folder: Path) -> list[str]:
    """Tell what lies in a folder."""
    return [path.name for path in folder.iterdir()]


def fail_halfway(path: Path) -> None:
    """Write half of something and fail."""
    path.write_text("half")
    raise KeyError


def dead_process() -> int:
    """Return the number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_file_is_there_after_the_block(tmp_path):
    """What is written to the draft is what the path holds, in folders made for it."""
    write_text(tmp_path / "a" / "b" / "new.txt", "whole")
    assert (tmp_path / "a" / "b" / "new.txt").read_text() == "whole"
    assert names(tmp_path / "a" / "b") == ["new.txt"]


def test_failed_block_keeps_the_old_file(tmp_path):
    """An exception in the block leaves the old file, and no draft."""
    path = tmp_path / "f"
    path.write_text("old")
    with pytest.raises(KeyError), replacing(path) as draft:
        fail_halfway(draft)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["f"]


def kill_while_writing(code: str, folder: Path) -> None:
    """Run Python code that prints once it is in the middle of writing, and kill it there."""
    command = [sys.executable, "-c", code, str(folder / "f")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        writer.kill()


HALF = """
    file.write_text("half")
    print(flush=True)
    time.sleep(60)
"""
WHOLE_OR_NOTHING = f"""
import sys, time, pathlib
from sql.files import replacing
with replacing(pathlib.Path(sys.argv[1])) as file:
{HALF}
"""
NAIVE = f"""
import sys, time, pathlib
file = pathlib.Path(sys.argv[1])
if True:
{HALF}
"""


def test_killed_writer_leaves_no_visible_file(tmp_path):
    """A writer that is killed leaves a draft, which the next sweep removes."""
    kill_while_writing(WHOLE_OR_NOTHING, tmp_path)
    assert not (tmp_path / "f").exists()
    (draft,) = tmp_path.iterdir()
    assert sweep_drafts(tmp_path) == [draft]
    assert list(tmp_path.iterdir()) == []


def test_naive_writer_leaves_half_a_file(tmp_path):
    """The positive control: written in place, the same death leaves half a file."""
    kill_while_writing(NAIVE, tmp_path)
    assert (tmp_path / "f").read_text() == "half"


def test_threads_may_write_one_path(tmp_path):
    """Two threads that write the same path at the same time have a draft each."""
    meet = threading.Barrier(2, timeout=10)
    failed = []

    def write() -> None:
        try:
            with replacing(tmp_path / "same") as draft:
                draft.write_text("same")
                meet.wait()
        except Exception as err:  # noqa: BLE001 - whatever it was, the test fails
            failed.append(err)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert names(tmp_path) == ["same"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_names_the_folder(tmp_path, monkeypatch, number):
    """No room left is StoreFull with the folder; the old file stays and no draft does."""
    write_text(tmp_path / "f", "old")

    def fsync(_descriptor: int) -> None:
        raise OSError(number, "no room")

    monkeypatch.setattr(files.os, "fsync", fsync)
    with pytest.raises(StoreFull, match=str(tmp_path)) as caught:
        write_text(tmp_path / "f", "new")
    assert caught.value.folder == tmp_path
    assert (tmp_path / "f").read_text() == "old"
    assert names(tmp_path) == ["f"]


def test_other_trouble_is_not_a_full_disk(tmp_path):
    """A folder in the way is told as what it is."""
    (tmp_path / "f" / "g").mkdir(parents=True)
    with pytest.raises(OSError, match="f") as caught:
        write_text(tmp_path / "f", "x")
    assert not isinstance(caught.value, StoreFull)


def test_folder_appears_whole(tmp_path):
    """A folder has its name only once all that is in it is written."""
    with replacing_folder(tmp_path / "tagger" / "1") as draft:
        (draft / "deep").mkdir()
        (draft / "deep" / "card.json").write_text("{}")
        assert not (tmp_path / "tagger" / "1").exists()
    assert (tmp_path / "tagger" / "1" / "deep" / "card.json").read_text() == "{}"
    assert names(tmp_path / "tagger") == ["1"]


def test_failed_folder_leaves_nothing(tmp_path):
    """An exception in the block removes what was written."""
    with pytest.raises(KeyError), replacing_folder(tmp_path / "1") as draft:
        fail_halfway(draft / "card.json")
    assert list(tmp_path.iterdir()) == []


def test_folder_is_never_rewritten(tmp_path):
    """A folder that is there, even an empty one, stays as it is."""
    (tmp_path / "1").mkdir()
    with pytest.raises(FileExistsError), replacing_folder(tmp_path / "1"):
        pass


def test_sweep_takes_only_drafts_of_the_dead(tmp_path):
    """Drafts of dead processes go, wherever they may lie; those of the living stay."""
    dead = dead_process()
    gone = [
        tmp_path / f".catalog.duckdb.{dead}.1.draft",
        tmp_path / f".catalog.duckdb.{dead}.1.draft.wal",
        tmp_path / "images" / ".drafts" / f".ab12.{dead}.1.draft",
        tmp_path / "tags" / "run=2" / f".part-00001.parquet.{dead}.1.draft",
        tmp_path / "models" / "tagger" / f".1.{dead}.1.draft" / "card.json",
        tmp_path / "reports" / "2" / f".index.html.{dead}.1.draft",
    ]
    kept = [
        tmp_path / "tags" / "run=2" / f".part-00001.parquet.{os.getppid()}.1.draft",
        tmp_path / "tags" / "run=2" / f".part-00002.parquet.{os.getpid()}.1.draft",
        tmp_path / "tags" / "run=2" / "part-00003.parquet",
        tmp_path / "images" / "ab" / "ab12",
    ]
    for path in [*gone, *kept]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    assert len(sweep_drafts(tmp_path)) == len(gone)
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in kept)


def test_sweep_knows_a_process_number_that_came_round(tmp_path):
    """A draft of this very process number, but older than this process, is a dead one's."""
    draft = tmp_path / f".f.{os.getpid()}.1.draft"
    draft.write_text("x")
    os.utime(draft, (1, 1))
    assert sweep_drafts(tmp_path) == [draft]


def test_sweep_of_no_store(tmp_path):
    """A store that is not there yet has nothing to sweep."""
    assert sweep_drafts(tmp_path / "store") == []
