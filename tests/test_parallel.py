"""The threads of one pipeline stage."""

import threading
import time
from contextlib import closing

import pytest

from jobs.parallel import Pipeline, Stopped


@pytest.fixture
def pipeline():
    """One for the stages of a test, left at its end."""
    with closing(Pipeline()) as made:
        yield made


def test_every_item_comes_out_once(pipeline):
    """Two chained stages lose nothing and double nothing."""
    doubled = pipeline.stage(lambda n: n * 2, range(1000), threads=8, ahead=4)
    halved = pipeline.stage(lambda n: n // 2, doubled, threads=3, ahead=4)
    assert sorted(halved) == list(range(1000))


def test_stages_overlap(pipeline):
    """Eight threads that wait take about an eighth of the time."""
    started = time.monotonic()
    list(pipeline.stage(lambda _: time.sleep(0.2), range(32), threads=8, ahead=8))
    assert time.monotonic() - started < 0.2 * 32 / 2


def test_the_source_is_not_read_far_ahead(pipeline):
    """A slow reader holds the source back, so memory stays flat."""
    taken = []

    def source():
        for n in range(1000):
            taken.append(n)
            yield n

    stage = pipeline.stage(lambda n: n, source(), threads=2, ahead=4)
    next(stage)
    time.sleep(0.3)
    assert len(taken) < 20


@pytest.mark.parametrize("where", ["source", "work"])
def test_an_exception_reaches_the_reader(pipeline, where):
    """What goes wrong in a thread is raised where the results are read."""

    def source():
        yield 1
        if where == "source":
            raise OSError("disk")

    def work(_):
        if where == "work":
            raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        list(pipeline.stage(work, source(), threads=2, ahead=2))


def test_no_thread_is_left_behind():
    """Once it is closed every thread has left, and who still reads is told."""
    before = set(threading.enumerate())
    with closing(Pipeline()) as pipeline:
        endless = pipeline.stage(lambda n: n, iter(int, 1), threads=4, ahead=2)
        later = pipeline.stage(lambda n: n, endless, threads=4, ahead=2)
        next(later)
        assert set(threading.enumerate()) - before
    assert not set(threading.enumerate()) - before
    with pytest.raises(Stopped):
        list(later)


def test_a_thread_that_can_not_start_is_what_is_told(monkeypatch):
    """There may be no more threads to be had; those that there are leave."""
    start, started = threading.Thread.start, []

    def scarce(thread):
        if len(started) == 3:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", scarce)
    with pytest.raises(RuntimeError, match="can't start"), closing(Pipeline()) as pipeline:
        list(pipeline.stage(lambda n: n, range(9), threads=9, ahead=2))
    assert not any(thread.is_alive() for thread in started)


def test_a_thread_that_hangs_does_not_keep_the_job(monkeypatch):
    """A disk or a server that never answers is left to the end of the process."""
    monkeypatch.setattr("jobs.parallel.LEAVING_SECONDS", 0.3)
    hangs = threading.Event()
    started = time.monotonic()
    with closing(Pipeline()) as pipeline:
        stage = pipeline.stage(lambda n: n and hangs.wait(60), range(9), threads=2, ahead=2)
        next(stage)
    assert time.monotonic() - started < 10
    hangs.set()
