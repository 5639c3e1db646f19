"""Small copies of pictures, encoded by us."""

import io

import numpy as np
from PIL import Image

from reports.thumbnails import SIDE, encode, shrink, thumbnails


def test_thumbnail_is_our_own_small_jpeg(tmp_path):
    """Whatever the picture was, the page gets a JPEG of ours in the picture's own shape."""
    path = tmp_path / "picture"
    Image.new("RGBA", (300, 400), (200, 0, 0, 255)).save(path, "PNG")
    [small] = thumbnails([path])
    with Image.open(io.BytesIO(small.jpeg)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (84, 112))
    assert (small.width, small.height) == (84, 112)
    assert small.uri.startswith("data:image/jpeg;base64,/9j/")


def test_unreadable_picture_has_none(tmp_path):
    """A picture that can't be read has no thumbnail, and the others keep their places."""
    (tmp_path / "good").write_bytes(_png(8))
    (tmp_path / "bad").write_text("<svg onload='alert(1)'/>")
    bad, good, gone = thumbnails([tmp_path / "bad", tmp_path / "good", tmp_path / "gone"])
    assert bad is gone is None
    assert (good.width, good.height) == (SIDE, SIDE)


def test_very_long_picture_stays_visible():
    """The shorter side is never less than a quarter of the longer."""
    small = encode(np.zeros((SIDE, SIDE, 3), np.uint8), 10, 10_000)
    assert (small.width, small.height) == (SIDE // 4, SIDE)


def test_png_of_ours_is_shrunk():
    """A training picture becomes a JPEG no larger than a thumbnail."""
    small = shrink(_png(300))
    assert (small.width, small.height) == (SIDE, SIDE)


def _png(side):
    file = io.BytesIO()
    Image.new("RGB", (side, side)).save(file, "PNG")
    return file.getvalue()
