"""Pictures are kept once, whole, under their own hash."""

import errno
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catalog.images.blobs import Blobs
from sql.files import StoreFull
from sql.store import Store


def files(store):
    """Everything under images/."""
    return sorted(path for path in (store.root / "images").rglob("*") if path.is_file())


def keep(store, data):
    """Keep one picture, durably."""
    with Blobs(store) as blobs:
        picture = blobs.keep(data)
        blobs.flush()
    return picture


def test_picture_lies_under_its_hash(tmp_path):
    """images/ab/ab12… holds exactly the bytes, and no draft stays behind."""
    store = Store(tmp_path)
    picture = keep(store, b"bytes of a picture")
    assert picture == hashlib.sha256(b"bytes of a picture").hexdigest()
    assert files(store) == [tmp_path / "images" / picture[:2] / picture]
    assert store.picture(picture).read_bytes() == b"bytes of a picture"


def test_picture_has_no_name_before_it_is_flushed(tmp_path):
    """Until then it is a draft apart from the big tree, which can be read all the same."""
    store = Store(tmp_path)
    with Blobs(store) as blobs:
        picture = blobs.keep(b"bytes")
        assert not store.picture(picture).exists()
        assert blobs.place(picture).parent == store.picture_drafts
        assert blobs.place(picture).read_bytes() == b"bytes"
        blobs.flush()
        assert blobs.place(picture) == store.picture(picture)
        assert store.picture(picture).read_bytes() == b"bytes"


def test_what_was_not_flushed_is_dropped(tmp_path):
    """No draft outlives the run that wrote it."""
    with Blobs(Store(tmp_path)) as blobs:
        blobs.keep(b"bytes")
        assert len(files(Store(tmp_path))) == 1
    assert files(Store(tmp_path)) == []


def test_every_picture_is_flushed_before_it_has_its_name(tmp_path, monkeypatch):
    """The bytes reach the disk, then the name appears, then the folder is flushed too."""
    calls = []
    flush, rename = os.fsync, os.replace

    def flushed(descriptor):
        calls.append(("flush", Path(f"/proc/self/fd/{descriptor}").readlink()))
        flush(descriptor)

    def renamed(draft, path):
        calls.append(("rename", Path(draft), Path(path)))
        rename(draft, path)

    store = Store(tmp_path)
    with Blobs(store) as blobs:
        pictures = [blobs.keep(bytes([number]) * 9) for number in range(20)]
        drafts = {picture: blobs.place(picture) for picture in pictures}
        monkeypatch.setattr(os, "fsync", flushed)
        monkeypatch.setattr(os, "replace", renamed)
        blobs.flush()
    for picture, draft in drafts.items():
        named = calls.index(("rename", draft, store.picture(picture)))
        assert ("flush", draft) in calls[:named]
        assert ("flush", store.picture(picture).parent) in calls[named:]


def test_known_picture_is_not_written_again(tmp_path):
    """The second keeping touches nothing."""
    store = Store(tmp_path)
    place = store.picture(keep(store, b"same"))
    os.utime(place, (1, 1))
    keep(store, b"same")
    assert place.stat().st_mtime == 1


def test_damaged_picture_is_written_again(tmp_path):
    """A file of the wrong length, as a failing disk may leave, is repaired."""
    store = Store(tmp_path)
    place = store.picture(keep(store, b"whole"))
    place.write_bytes(b"who")
    keep(store, b"whole")
    assert place.read_bytes() == b"whole"


def test_many_threads_keep_one_picture(tmp_path):
    """The same bytes from 16 threads at once, and flushes meanwhile, are one file."""
    store = Store(tmp_path)
    with Blobs(store) as blobs, ThreadPoolExecutor(16) as pool:
        kept = pool.map(lambda _: blobs.keep(b"x" * 100_000), range(64))
        blobs.flush()
        names = set(kept)
        blobs.flush()
        assert len(names) == 1
        assert [path.stat().st_size for path in files(store)] == [100_000]


def test_a_failed_flush_can_be_tried_again(tmp_path, monkeypatch):
    """What has its name by then is not asked for a second time, and its folder is flushed."""
    store, flush, flushed = Store(tmp_path), os.fsync, []

    def full(descriptor):
        if Path(f"/proc/self/fd/{descriptor}").readlink() == draft:
            raise OSError(errno.ENOSPC, "full")
        flush(descriptor)

    def noted(descriptor):
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        flush(descriptor)

    with Blobs(store) as blobs:
        pictures = [blobs.keep(bytes([number]) * 9) for number in range(40)]
        draft = blobs.place(pictures[7])
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(StoreFull):
            blobs.flush()
        assert draft.exists()
        assert any(store.picture(picture).exists() for picture in pictures)
        monkeypatch.setattr(os, "fsync", noted)
        blobs.flush()
    assert all(store.picture(picture).read_bytes() for picture in pictures)
    assert {store.picture(picture).parent for picture in pictures} <= set(flushed)


def test_folder_of_a_picture_that_is_there_is_flushed(tmp_path, monkeypatch):
    """A killed run may have given it its name and not made that durable."""
    store, flush, flushed = Store(tmp_path), os.fsync, []
    picture = keep(store, b"there")

    def noted(descriptor):
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    keep(store, b"there")
    assert flushed == [store.picture(picture).parent]


def test_nothing_is_left_of_what_is_kept_too_late(tmp_path):
    """A thread that still fetches when the run is over leaves no draft."""
    store = Store(tmp_path)
    with Blobs(store) as blobs:
        pass
    blobs.keep(b"late")
    assert files(store) == []
