"""What DuckDB and the system say of a disk, told as what it is."""

import errno
import os
import pickle
from pathlib import Path

import duckdb
import pytest

from jobs.errors import JobError
from jobs.run import open_run
from sql.disk import disk_trouble
from sql.files import StoreBroken, StoreFull
from sql.store import Store

STORE = Path("/srv/store")


@pytest.mark.parametrize(
    ("error", "trouble", "folder"),
    [
        (OSError(errno.ENOSPC, "no room"), StoreFull, STORE),
        (OSError(errno.EDQUOT, "quota", "/srv/store/runs/a"), StoreFull, STORE / "runs"),
        (OSError(errno.EROFS, "read-only", "/mnt/b/c"), StoreBroken, Path("/mnt/b")),
        (duckdb.IOException("Could not write: No space left on device"), StoreFull, STORE),
        (duckdb.IOException("Could not fsync: Input/output error"), StoreBroken, STORE),
        (duckdb.FatalException("FATAL Error: fsync failed!"), StoreBroken, STORE),
        (duckdb.OutOfMemoryException("'max_temp_directory_size' setting"), StoreFull, STORE),
    ],
)
def test_a_disk_in_trouble_is_known(error, trouble, folder):
    """Whoever says it and however, the folder is told."""
    found = disk_trouble(error, STORE)
    assert type(found) is trouble
    assert found.folder == folder


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOENT, "no such file", "/srv/store/a"),
        duckdb.IOException("No files found that match the pattern"),
        duckdb.OutOfMemoryException("could not allocate block of size 256.0 KiB"),
        ValueError("No space left on device"),
    ],
)
def test_other_trouble_is_not_the_disks(error):
    """A missing file or too little memory is none of the disk's."""
    assert disk_trouble(error, STORE) is None


def test_it_travels_from_a_child_process():
    """A training's child hands its trouble over as it is."""
    trouble = StoreBroken(STORE, errno.EIO)
    assert str(pickle.loads(pickle.dumps(trouble))) == str(trouble)  # noqa: S301 - ours


@pytest.mark.parametrize(
    ("error", "said", "advice"),
    [
        (duckdb.IOException("No space left on device"), "no room left", "make room"),
        (OSError(errno.EIO, os.strerror(errno.EIO)), "Input/output error", "system's log"),
    ],
)
def test_a_run_ends_with_one_line(tmp_path, error, said, advice):
    """The edge adds what the database shows now, and what to do."""
    with pytest.raises(JobError) as caught, open_run(Store(tmp_path), "tag"):
        raise error
    line, following = caught.value.message.splitlines()
    assert said in line
    assert str(tmp_path) in line
    assert advice in following


def test_a_run_tells_no_tales_of_the_disk(tmp_path):
    """What is not the disk's fault goes on as what it is."""
    with pytest.raises(FileNotFoundError), open_run(Store(tmp_path), "tag"):
        raise FileNotFoundError
