"""One writer at a time."""

import subprocess
import sys

import pytest

from sql.locks import StoreBusy, hold
from sql.store import Store

HOLD = """
import sys, time
from sql.locks import hold
from sql.store import Store
with hold(Store(sys.argv[1]), "tag"):
    print(flush=True)
    time.sleep(60)
"""


def test_second_run_leaves_at_once_and_knows_the_holder(tmp_path):
    """Who is refused learns the holder's process, job and start; the holder's death frees."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        for _ in range(2):  # being refused doesn't wipe the holder's name
            with pytest.raises(StoreBusy, match=f"tag .process {holder.pid}") as caught:
                hold(Store(tmp_path), "train").__enter__()
            assert caught.value.holder is not None
            assert caught.value.holder.pid == holder.pid
        holder.kill()
    with hold(Store(tmp_path), "tag"):
        pass


def test_lock_is_free_after_the_block(tmp_path):
    """A run that ends, also by an exception, lets the next one in."""
    store = Store(tmp_path / "new")
    with pytest.raises(KeyError), hold(store, "tag"):
        raise KeyError
    with hold(store, "tag") as holder:
        assert holder.job == "tag"
    assert store.lock.read_text() == ""


def test_holder_without_a_name_yet(tmp_path):
    """In the instant before a holder has written its name, it is another run."""
    store = Store(tmp_path)
    with hold(store, "tag"):
        store.lock.write_text("")
        with pytest.raises(StoreBusy, match="held by another run") as caught:
            hold(store, "tag").__enter__()
    assert caught.value.holder is None


def test_child_does_not_keep_the_lock(tmp_path):
    """A worker that outlives its run does not hold the store for it."""
    store = Store(tmp_path)
    with hold(store, "tag"):
        worker = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        with hold(store, "tag"):
            pass
    finally:
        worker.kill()
        worker.communicate()
