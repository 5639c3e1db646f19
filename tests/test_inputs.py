"""A CSV as a job reads it: products by the settings, posts by their own columns."""

from pathlib import Path

import pytest

from jobs.errors import BadInput
from jobs.inputs import Catalogue
from jobs.settings import Settings

POSTS = "post_id,image,likes,colour\np1,a.jpg,5,Red\np2,,6,Red\n"


@pytest.fixture
def posts(tmp_path):
    """Write posts.csv, and tell where it is."""

    def posts(text: str = POSTS) -> Path:
        path = tmp_path / "posts.csv"
        path.write_text(text)
        return path

    return posts


def test_posts_know_nothing_of_the_columns_of_products(posts, tmp_path):
    """What catalog.toml says of a catalogue's columns neither refuses posts nor reads them."""
    settings = Settings(columns={"colour": ("Tone",), "image": ("Front",)})
    intake = Catalogue.of_posts(posts(), None, settings, {}).take_in(tmp_path)
    assert (intake.kind, intake.accepted, intake.reasons) == ("post", 1, {"picture_empty": 1})
    assert intake.attributes == ("likes",)


def test_posts_by_override(posts, tmp_path):
    """What --column says counts for posts as it does for products."""
    path = posts("a,b,likes,like_count\n1,x.jpg,7,8\n")
    columns = {"id": ["a"], "image": ["b"], "likes": ["like_count"]}
    catalogue = Catalogue.of_posts(path, "feed", Settings(), columns)
    catalogue.check_header()
    assert catalogue.source == "feed"
    assert catalogue.take_in(tmp_path).labelled == {"likes": 1}


def test_pictures_are_not_wanted_for_metadata(posts, tmp_path):
    """With metadata only a row without a picture is accepted."""
    path = posts()
    catalogue = Catalogue.of_posts(path, None, Settings(), {}, metadata_only=True)
    assert (catalogue.source, catalogue.take_in(tmp_path).accepted) == ("posts", 2)


@pytest.mark.parametrize("text", ["id,image\n1,a.jpg\n", "id,image,likes,num_likes\n1,a.jpg,1,1\n"])
def test_posts_that_can_not_be_read_are_refused_at_once(posts, text):
    """The header is enough to tell, before anything is written."""
    with pytest.raises(BadInput, match="likes"):
        Catalogue.of_posts(posts(text), None, Settings(), {}).check_header()
