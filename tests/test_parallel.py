"""The threads of one pipeline stage."""

import threading
import time

import pytest

from jobs.parallel import Stopped, parallel


@pytest.fixture
def stop():
    """One event for the stages of a test, set at its end."""
    event = threading.Event()
    yield event
    event.set()


def test_every_item_comes_out_once(stop):
    """Two chained stages lose nothing and double nothing."""
    doubled = parallel(lambda n: n * 2, range(1000), threads=8, ahead=4, stop=stop)
    halved = parallel(lambda n: n // 2, doubled, threads=3, ahead=4, stop=stop)
    assert sorted(halved) == list(range(1000))


def test_stages_overlap(stop):
    """Eight threads that wait take about an eighth of the time."""
    started = time.monotonic()
    list(parallel(lambda _: time.sleep(0.2), range(32), threads=8, ahead=8, stop=stop))
    assert time.monotonic() - started < 0.2 * 32 / 2


def test_the_source_is_not_read_far_ahead(stop):
    """A slow reader holds the source back, so memory stays flat."""
    taken = []

    def source():
        for n in range(1000):
            taken.append(n)
            yield n

    stage = parallel(lambda n: n, source(), threads=2, ahead=4, stop=stop)
    next(stage)
    time.sleep(0.3)
    assert len(taken) < 20


@pytest.mark.parametrize("where", ["source", "work"])
def test_an_exception_reaches_the_reader(stop, where):
    """What goes wrong in a thread is raised where the results are read."""

    def source():
        yield 1
        if where == "source":
            raise OSError("disk")

    def work(_):
        if where == "work":
            raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        list(parallel(work, source(), threads=2, ahead=2, stop=stop))


def test_stop_ends_every_thread(stop):
    """After stop the reader is told and no thread is left behind."""
    before = threading.active_count()
    endless = parallel(lambda n: n, iter(int, 1), threads=4, ahead=2, stop=stop)
    later = parallel(lambda n: n, endless, threads=4, ahead=2, stop=stop)
    next(later)
    stop.set()
    with pytest.raises(Stopped):
        list(later)
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= before
