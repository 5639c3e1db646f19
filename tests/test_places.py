"""Where pictures may lie: what a cell may say."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.places import Folders
from catalog.tables import Reason, RowRefused

CSV = Path("/shop/data/products.csv")


@pytest.mark.parametrize(
    ("cell", "location"),
    [
        ("HTTPS://cdn.test/a b.jpg?x=1#y", "HTTPS://cdn.test/a b.jpg?x=1#y"),
        ("a.jpg", "/shop/data/a.jpg"),
        ("./images//x/../a.jpg", "/shop/data/images/a.jpg"),
        (r"images\a.jpg", "/shop/data/images/a.jpg"),
        ("/shop/data/a.jpg", "/shop/data/a.jpg"),
        ("~/a.jpg", "/shop/data/~/a.jpg"),
        ("%2e%2e/a.jpg", "/shop/data/%2e%2e/a.jpg"),
        ("..a.jpg", "/shop/data/..a.jpg"),
        ("./ab:c.jpg", "/shop/data/ab:c.jpg"),
    ],
)
def test_locations(cell, location):
    """URLs stay as they are; paths are beside the CSV."""
    assert Folders.of(CSV).locate(cell) == location


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("../a.jpg", Reason.PATH_OUTSIDE),
        ("images/../../data2/a.jpg", Reason.PATH_OUTSIDE),
        ("../data-secret/a.jpg", Reason.PATH_OUTSIDE),
        (r"..\..\etc\passwd", Reason.PATH_OUTSIDE),
        ("/etc/passwd", Reason.PATH_OUTSIDE),
        ("/shop/data/../x", Reason.PATH_OUTSIDE),
        (r"C:\images\a.jpg", Reason.PATH_OUTSIDE),
        (r"\\server\share\a.jpg", Reason.PATH_OUTSIDE),
        (".", Reason.PATH_OUTSIDE),
        ("file:///shop/data/a.jpg", Reason.PICTURE_SCHEME),
        ("data:image/png;base64,AAAA", Reason.PICTURE_SCHEME),
        ("JavaScript:alert(1)", Reason.PICTURE_SCHEME),
        ("//cdn.test/a.jpg", Reason.PICTURE_SCHEME),
        ("http:/a.jpg", Reason.PICTURE_INVALID),
        ("https:///a.jpg", Reason.PICTURE_INVALID),
        ("http://", Reason.PICTURE_INVALID),
        ("http://x.test/a\r\nHost: y", Reason.PICTURE_INVALID),
        ("a\nb.jpg", Reason.PICTURE_INVALID),
    ],
)
def test_hostile_locations(cell, reason):
    """Nothing but http, https and files in the folders that the user gave."""
    with pytest.raises(RowRefused) as refused:
        Folders.of(CSV).locate(cell)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("cell", "location"),
    [
        ("a.jpg", "/pictures/a.jpg"),
        ("/pictures/a.jpg", "/pictures/a.jpg"),
        ("/shop/data/a.jpg", "/shop/data/a.jpg"),
        ("../../pictures/a.jpg", "/pictures/a.jpg"),
    ],
)
def test_image_root_counts_first(cell, location):
    """With an image root, relative paths are under it, or lead into it from the CSV."""
    assert Folders.of(CSV, Path("/pictures")).locate(cell) == location


def test_the_whole_disk_can_be_the_image_root():
    """A root of / holds everything, and is a choice of the user."""
    assert Folders.of(CSV, Path("/")).locate("/etc/hosts") == "/etc/hosts"


@given(st.text(st.sampled_from("ab./\\:~ "), min_size=1, max_size=20))
def test_no_path_leaves_the_folder(cell):
    """Whatever is accepted lies under the CSV's folder."""
    try:
        location = Folders.of(CSV).locate(cell)
    except RowRefused:
        return
    assert location.startswith("/shop/data/")
    assert ".." not in location.split("/")
