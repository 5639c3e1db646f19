"""What the pipeline does with a picture between its stages."""

import io
import threading
import time

import pytest

from catalog.images import fetch
from catalog.images.blobs import Blobs
from catalog.images.decoders import Decoder
from catalog.images.settings import FetchSettings
from jobs import looking
from jobs.looking import Due, Got
from jobs.run import open_run
from sql.store import Store
from tests.tiny_model import draw


def test_picture_that_gets_its_name_just_now_is_looked_at(tmp_path, monkeypatch):
    """Its draft is gone when the decoder comes to it: then it lies under its name."""
    store, data = Store(tmp_path), io.BytesIO()
    draw(1)[0].save(data, "PNG")
    with Blobs(store) as blobs, Decoder(32) as decoder:
        picture = blobs.keep(data.getvalue())
        before = blobs.place(picture)
        blobs.flush()
        monkeypatch.setattr(blobs, "place", lambda _: before)
        one = Got(Due("/1.png", "new", None, None, None), picture=picture, here=True, first=True)
        decoded = looking._decoded(decoder, store, blobs, one)
    assert decoded.outcome == "ok"


@pytest.fixture
def slow_mount(tmp_path, monkeypatch):
    """How to get so many files from a mount on which each takes so many seconds."""
    read = fetch._read_local

    def get(files, seconds, advance):
        monkeypatch.setattr(
            fetch, "_read_local", lambda *given: time.sleep(seconds) or read(*given)
        )
        due = [Due(f"{tmp_path}/{n}.png", "new", None, None, None) for n in range(files)]
        with open_run(Store(tmp_path / "store"), "fetch") as run:
            looking.get(run, due, fetch.Fetcher(FetchSettings()), advance)

    return get


def test_few_files_are_read_side_by_side(slow_mount):
    """A night that has sixteen waits as long as for one."""
    started = time.monotonic()
    slow_mount(16, 0.5, lambda _: None)
    assert time.monotonic() - started < 0.5 * 8


def test_threads_that_read_files_leave_in_the_middle(slow_mount):
    """After Ctrl-C none goes on with its handful, nor with one that waits for its turn."""
    before = set(threading.enumerate())
    had = []

    def interrupt(more):
        had.append(more)
        if len(had) > looking.READ_AT_ONCE * looking.FILES_TOGETHER:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        slow_mount(900, 0.4, interrupt)
    assert not set(threading.enumerate()) - before
