"""One run as the store sees it: who may write, and who waits."""

import threading
import time

import pytest

from jobs.errors import Busy
from jobs.run import open_run
from sql.locks import hold
from sql.store import Store


@pytest.fixture
def busy_store(tmp_path):
    """A store that another run holds until it is told to end, and how to tell it."""
    store, held, ends = Store(tmp_path), threading.Event(), threading.Event()

    def other() -> None:
        with hold(store, "tag"):
            held.set()
            ends.wait(60)

    holder = threading.Thread(target=other)
    holder.start()
    held.wait()
    yield store, ends.set
    ends.set()
    holder.join()


def test_a_run_without_patience_leaves_at_once(busy_store):
    """Cron's next line must not pile up behind this one."""
    store, _ = busy_store
    started = time.monotonic()
    with pytest.raises(Busy, match="tag"), open_run(store, "tag"):
        pass
    assert time.monotonic() - started < 30


def test_a_run_with_patience_gets_the_store_in_the_end(busy_store):
    """A finished training is not thrown away because the nightly run is at work."""
    store, end = busy_store
    threading.Timer(1.5, end).start()
    with open_run(store, "train", patience=60) as run:
        assert run.job == "train"


def test_runs_of_one_second_sort_in_their_order(tmp_path):
    """The views take the greatest run for the newest one."""
    ids = []
    for _ in range(12):
        with open_run(Store(tmp_path), "tag") as run:
            ids.append(run.id)
    assert ids == sorted(set(ids))
