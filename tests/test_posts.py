"""The columns of posts.csv."""

import subprocess
import sys
from pathlib import Path

import pytest

from catalog.places import Folders
from catalog.records import Reading, Record, find_columns, read_records
from catalog.tables import Row, TableRefused
from engagement.posts import FIELDS, METADATA, POSTS


def post(header, cells, layout=POSTS):
    """What one row comes to."""
    columns = find_columns(header.split(","), Reading(layout, FIELDS))
    return next(read_records([Row(2, cells)], columns, Folders.of(Path("/shop/posts.csv"))))


@pytest.mark.parametrize(
    "header",
    [
        "post_id,image,likes,comments,followers,account,posted_at,collected_at,caption,product_id",
        "id,picture,like_count,comment_count,follower_count,username,timestamp,scraped_at,text,sku",
        "Shortcode,DisplayURL,LikeCount,NUM-COMMENTS,FollowerCount,Handle,TakenAt,FetchedAt,Text,Sku",
        "media-id,media_url,num_likes,num_comments,num_followers,shop,date,crawled at,message,SKU",
    ],
)
def test_columns_are_found_by_name_case_and_synonym(header):
    """The headers of usual exports need no setting, and everything travels as text."""
    row = [
        "007",
        "a.jpg",
        " 12 ",
        "3",
        "900",
        "ann",
        "2026-01-05",
        "2026-01-09T06:00Z",
        "Hi\n x",
        "1",
    ]
    assert post(header, row) == Record(
        id="007",
        title=None,
        given={
            "likes": "12",
            "comments": "3",
            "followers": "900",
            "account": "ann",
            "posted_at": "2026-01-05",
            "collected_at": "2026-01-09T06:00Z",
            "caption": "Hi x",
            "product_id": "1",
        },
        pictures=("/shop/a.jpg",),
        extra={},
        line=2,
    )


def test_only_id_picture_and_likes_are_required():
    """Nothing else need be there, and the likes of a row may be blank."""
    assert post("id,image,likes", ["1", "a.jpg", " "]).given == {}
    with pytest.raises(TableRefused) as refused:
        post("caption,followers", [])
    for thing in ("likes", "id", "image"):
        assert f"no column for {thing} " in str(refused.value)


def test_metadata_alone_requires_likes():
    """A table without ids and pictures is known by its lines."""
    got = post("account,likes,several_images", ["ann", "10047.0", "True"], METADATA)
    assert (got.id, got.pictures) == ("line 2", ())
    assert got.given == {"account": "ann", "likes": "10047.0"}
    with pytest.raises(TableRefused, match="no column for likes"):
        post("id,image", ["1", "a.jpg"], METADATA)


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        ("id,image,likes,like_count", "--column likes=likes or --column likes=like_count"),
        (
            "id,image,likes,date,timestamp",
            "--column posted_at=date or --column posted_at=timestamp",
        ),
        ("id,shortcode,image,likes", "--column id=id or --column id=shortcode"),
        ("id,image,media_url,likes", "--column image=image or --column image=media_url"),
    ],
)
def test_columns_that_leave_a_doubt_are_refused(header, hint):
    """The refusal says what to type."""
    with pytest.raises(TableRefused, match=hint):
        post(header, [])


def test_no_name_is_that_of_two_things():
    """A column can be one thing only, whatever the order in which things are looked for."""
    names = [name for field in FIELDS for name in (field.name, *field.synonyms)]
    names += [name for synonyms in POSTS.names.values() for name in synonyms]
    folded = [name.replace("_", "") for name in names]
    assert len(set(folded)) == len(folded)


def test_columns_of_posts_are_light():
    """Reading posts loads neither pandas nor scikit-learn: a run with nothing to do needs none."""
    code = (
        "import sys, engagement.posts;"
        "sys.exit(str({'pandas', 'sklearn', 'numpy'} & set(sys.modules) or ''))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stderr.strip() == ""
