"""Pictures are kept once, whole, under their own hash."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

from catalog.images.blobs import keep
from sql.store import Store


def files(store):
    """Everything under images/."""
    return sorted(path for path in (store.root / "images").rglob("*") if path.is_file())


def test_picture_lies_under_its_hash(tmp_path):
    """images/ab/ab12… holds exactly the bytes, and no draft stays behind."""
    store = Store(tmp_path)
    picture = keep(store, b"bytes of a picture")
    assert picture == hashlib.sha256(b"bytes of a picture").hexdigest()
    assert files(store) == [tmp_path / "images" / picture[:2] / picture]
    assert store.picture(picture).read_bytes() == b"bytes of a picture"


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
    """The same bytes from 16 threads at once are one file."""
    store = Store(tmp_path)
    with ThreadPoolExecutor(16) as pool:
        names = set(pool.map(lambda _: keep(store, b"x" * 100_000), range(64)))
    assert len(names) == 1
    assert [path.stat().st_size for path in files(store)] == [100_000]
