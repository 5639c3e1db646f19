"""The steps about posts: text into numbers and times, and what the arithmetic is given."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.inputs import Catalogue
from jobs.run import staged_views
from jobs.settings import Settings
from sql import statements
from sql.manifests import read_all
from sql.store import Store
from tests.warehouse import add_rows, add_run


@contextmanager
def staged(folder: Path, header: str, *rows: str, metadata_only: bool = True):
    """A connection that sees these rows of a posts.csv, and the store of the folder."""
    path, work = folder / "posts.csv", folder / "work"
    path.write_text("\n".join([header, *rows]) + "\n")
    work.mkdir(exist_ok=True)
    catalogue = Catalogue.of_posts(path, "shop", Settings(), {}, metadata_only=metadata_only)
    store = Store(folder / "store")
    with staged_views(store, read_all(store), catalogue.take_in(work), work) as con:
        yield con


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        (" 12 ", 12),
        ("0", 0),
        ("-1", -1),
        ("-1.0", -1),
        ("+5", 5),
        ("007", 7),
        ("10047.0", 10047),
        ("10047.00", 10047),
        ("9223372036854775807", 2**63 - 1),
        # What may mean another number, or none, is none.
        *((text, None) for text in ("10.000", "1.5", '"1,234"', "1 234", "1_000", "12.", ".0")),
        *((text, None) for text in ("1e3", "1e999", "nan", "inf", "NA", "12k", "0x10", "٣", "-")),
        *((text, None) for text in ("9223372036854775808", "9" * 400, '"1\n2"', "--1", "")),
    ],
)
def test_numbers_of_posts(tmp_path, text, number):
    """A whole number is one, however an export wrote it; anything else is unknown, and stays."""
    with staged(tmp_path, "likes,followers,comments", f"{text},{text},{text}") as con:
        query = "select likes, followers, comments, given['likes'] from staged"
        [(likes, followers, comments, given)] = con.sql(query).fetchall()
    assert (likes, followers, comments) == (number, number, number)
    assert given == (" ".join(text.strip('"').split()) or None)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-05T02:09:20Z", (2026, 1, 5, 2, 9, 20)),
        ("2026-01-05t02:09:20z", (2026, 1, 5, 2, 9, 20)),
        ("2026-01-05 02:09:20", (2026, 1, 5, 2, 9, 20)),
        ("2026-01-05  02:09", (2026, 1, 5, 2, 9)),
        ("2026-01-05", (2026, 1, 5)),
        ("2026-01-05T02:09:20+02:00", (2026, 1, 5, 0, 9, 20)),
        ("2026-01-05T02:09:20-0530", (2026, 1, 5, 7, 39, 20)),
        ("2026-01-05 02:09:20 +00", (2026, 1, 5, 2, 9, 20)),
        ("2017-04-29T05:00:00.250Z", (2017, 4, 29, 5, 0, 0, 250_000)),
        ("2017-04-29T05:00:00.123456789", (2017, 4, 29, 5, 0, 0, 123_456)),
        *((text, None) for text in ("", "yesterday", "05/01/2026", "2026-02-30", "2026-1-5")),
        *((text, None) for text in ("2026-01-05T25:00Z", "2026-01-05T02:09+99:99")),
        ("1767578960", (2026, 1, 5, 2, 9, 20)),
        ("1767578960250", (2026, 1, 5, 2, 9, 20, 250_000)),
        *((text, None) for text in ("infinity", "epoch", "2026-01-05T02:09 CET", "2026-01-05Z")),
    ],
)
def test_times_of_posts(tmp_path, text, time):
    """ISO 8601, with a zone or in UTC, a day alone (midnight UTC), or seconds since 1970."""
    with staged(tmp_path, "likes,posted_at,collected_at", f"1,{text},{text}") as con:
        rows = con.sql("select posted_at, collected_at from staged").to_arrow_table().to_pylist()
    expected = time and datetime(*time, tzinfo=UTC)
    assert rows == [{"posted_at": expected, "collected_at": expected}]


def test_times_without_a_zone_are_utc_anywhere(tmp_path):
    """Neither the machine's zone nor the session's moves a post."""
    code = (
        "import json, sys; from pathlib import Path; from tests.test_steps import staged\n"
        "rows = ('1,2026-07-05 02:09', '2,2026-07-05')\n"
        "with staged(Path(sys.argv[1]), 'likes,posted_at', *rows) as con:\n"
        "    zone = con.sql(\"select current_setting('timezone')\").fetchall()\n"
        "    con.execute(sys.argv[2]).fetchall()\n"
        "    times = con.sql('select epoch(posted_at) from staged order by line').fetchall()\n"
        "    print(json.dumps([zone, times]))\n"
    )
    for session in ("select 1", "set timezone = 'Asia/Kathmandu'"):
        run = subprocess.run(
            [sys.executable, "-c", code, tmp_path, session],
            env=os.environ | {"TZ": "America/New_York"},
            capture_output=True,
            text=True,
            check=True,
        )
        zone, times = json.loads(run.stdout)
        assert zone == [["America/New_York"]]
        day = datetime(2026, 7, 5, tzinfo=UTC).timestamp()
        assert times == [[day + 2 * 3600 + 9 * 60], [day]]


def test_frame_of_posts(tmp_path):
    """One row a post in the order of the CSV, its readable pictures in their order, each once."""
    fetches = [
        {"location": f"http://x.test/{name}", "picture": picture}
        for name, picture in (("a", "11"), ("b", "22"), ("copy", "22"), ("bad", "33"))
    ]
    fetches.append({"location": "http://x.test/dead", "outcome": "failed"})
    decoded = [{"picture": "11"}, {"picture": "22"}, {"picture": "33", "outcome": "failed"}]
    store = Store(tmp_path / "store")
    add_run(
        store,
        "1",
        add_rows(store, "1", "fetches", fetches),
        add_rows(store, "1", "pictures", decoded),
        # A post of the source that is no longer in its CSV.
        add_rows(store, "1", "posts", [{"id": "left"}]),
    )
    url = "http://x.test/"
    with staged(
        tmp_path,
        "post_id,image,likes,account",
        f"z,{url}copy|{url}dead|{url}a|{url}b,many,ann",
        f"a,{url}b,3.0,",
        f"m,{url}bad,,ann",
        "n,,-1,ann",
    ) as con:
        frame = statements.table(con, "posts_frame")
    assert frame.column_names == [
        *("id", "line", "account", "followers", "likes", "likes_given", "comments"),
        *("posted_at", "collected_at", "caption", "product_id", "time_unread"),
        "pictures",
    ]
    told = frame.select(["id", "line", "account", "likes", "likes_given", "pictures"]).to_pylist()
    assert [tuple(row.values()) for row in told] == [
        ("z", 2, "ann", None, "many", ["22", "11"]),
        ("a", 3, None, 3, "3.0", ["22"]),
        ("m", 4, "ann", None, None, []),
        ("n", 5, "ann", -1, "-1", []),
    ]
