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
    """A store that another run holds for a second and a half."""
    store, held = Store(tmp_path), threading.Event()

    def other() -> None:
        with hold(store, "tag"):
            held.set()
            time.sleep(1.5)

    holder = threading.Thread(target=other)
    holder.start()
    held.wait()
    yield store
    holder.join()


def test_a_run_without_patience_leaves_at_once(busy_store):
    """Cron's next line must not pile up behind this one."""
    started = time.monotonic()
    with pytest.raises(Busy, match="tag"), open_run(busy_store, "tag"):
        pass
    assert time.monotonic() - started < 1


def test_a_run_with_patience_gets_the_store_in_the_end(busy_store):
    """A finished training is not thrown away because the nightly run is at work."""
    with open_run(busy_store, "train", patience=20) as run:
        assert run.job == "train"
