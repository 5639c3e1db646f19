"""What the views say."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sql.database import KEYS, VIEWS, _column_comments, view_sql
from sql.manifests import read_all
from sql.publish import is_published, publish
from sql.schemas import SPLITS, TABLES, tags_schema
from sql.store import Store, make_current
from tests.warehouse import START, add_rows, add_run

URL = "https://shop.example/"


def ask(store: Store, query: str) -> list[Any]:
    """Publish, and ask the database as an analyst would; rows of one column come bare."""
    if not is_published(store, read_all(store)):
        publish(store, read_all(store))
    with duckdb.connect(str(store.database), read_only=True) as con:
        # Not fetchall: for times it needs pytz, which nothing here depends on.
        rows = con.sql(query).to_arrow_table().to_pylist()
    return [tuple(row.values()) if len(row) > 1 else next(iter(row.values())) for row in rows]


def add_model(
    store: Store, version: str, card: dict[str, Any], split: list[dict[str, Any]]
) -> None:
    """Put a model in the store that has a card and a split, which is all that views read."""
    folder = store.model("tagger", version)
    folder.mkdir(parents=True)
    (folder / "card.json").write_text(json.dumps(card))
    whole = [{name: row.get(name) for name in SPLITS.names} for row in split]
    pq.write_table(pa.Table.from_pylist(whole, SPLITS), folder / "split.parquet")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store whose path is as awkward as paths get."""
    return Store(tmp_path / "it's a [shop] *{a,b} $x" / "run=9" / "id=7")


@pytest.fixture
def full(store: Store) -> Iterator[Store]:
    """Return a store with a row in every table, and a model."""
    tables = {
        "fetches": [{"location": URL, "picture": "a"}],
        "pictures": [{"picture": "a"}],
        "scores": [{"picture": "a", "scores": [1.0]}],
        "predictions": [{"picture": "a", "label": "Red"}],
        "embeddings": [{"picture": "a", "embedding": [1.0]}],
        "products": [{"id": "p", "pictures": [URL], "given": [("colour", "Red")]}],
        "rejects": [{}],
        "posts": [{"id": "q", "pictures": [URL]}],
        "engagement": [{"id": "q"}],
        "engagement_evaluation": [{}],
        "engagement_ladder": [{}],
    }
    writers = [add_rows(store, "1", table, rows) for table, rows in tables.items()]
    told = {"colour_given": "Red", "colour_predicted": "Red", "colour_confidence": 0.9}
    tags = [{"id": "p", "model": "tagger/1", "pictures": ["a"], "colour": "Red"} | told]
    writers.append(add_rows(store, "1", "tags", tags, tags_schema(["colour"])))
    add_run(store, "1", *writers)
    card = {"task": "tagger", "vocabulary": {"colour": ["Red"]}}
    add_model(store, "1", card, [{"picture": "a", "side": "test"}])
    make_current(store, "tagger", "tagger/1")
    return store


def test_no_runs_no_rows(store):
    """Before the first run every view is there, typed and empty."""
    for view in VIEWS:
        assert ask(store, f"from {view}") == []
    kind = "select column_type from (describe products) where column_name = 'given'"
    assert ask(store, kind) == ["MAP(VARCHAR, VARCHAR)"]


def test_every_view_has_its_file():
    """A file in views/ is a view, and the reverse."""
    files = Path(__file__).parent.parent / "sql" / "views"
    assert sorted(path.stem for path in files.glob("*.sql")) == sorted(VIEWS)


def test_every_view_and_column_is_commented(full):
    """Nothing in the database is without a word of explanation, and views tell their grain."""
    views = ask(full, "select view_name, comment from duckdb_views() where not internal")
    split = {f"{table}_{half}" for table in KEYS for half in ("first", "later")}
    assert {name for name, _ in views} == {*VIEWS, *TABLES, *split, "splits", "manifests", "cards"}
    assert all("One row a" in comment for _, comment in views)
    bare = (
        "select table_name || '.' || column_name from duckdb_columns()"
        " where not internal and comment is null"
    )
    assert ask(full, bare) == []


@pytest.mark.parametrize("view", VIEWS)
def test_header_comments_name_columns(full, view):
    """A comment in a view's header is about a column that the view has."""
    columns = ask(full, f"select column_name from (describe {view})")  # noqa: S608
    assert set(_column_comments(view_sql(view))) <= set(columns)


def test_every_view_has_its_row(full):
    """A path with quotes, blanks, wildcards and equals signs is just a path."""
    empty = {"troubles", "failures"}
    for view in VIEWS:
        assert len(ask(full, f"from {view}")) == (view not in empty), view
    assert ask(full, "select run from tags") == ["1"]


def test_database_under_another_name(full):
    """The database works when it is attached beside others, as analysts do."""
    publish(full, read_all(full))
    with duckdb.connect() as con:
        con.execute(f"attach '{str(full.database).replace(chr(39), 2 * chr(39))}' as other")
        assert con.execute("select id from other.tags").fetchall() == [("p",)]


def test_newest_product(store):
    """A product is as its newest run saw it, per source; one that left is marked gone."""
    add_run(
        store, "1", add_rows(store, "1", "products", [{"id": "a", "title": "old"}, {"id": "b"}])
    )
    other = [{"id": "a", "source": "outlet", "title": "other"}]
    add_run(store, "2", add_rows(store, "2", "products", other), source="outlet")
    changed = [{"id": "a", "title": "new"}, {"id": "b", "gone": True}]
    add_run(store, "3", add_rows(store, "3", "products", changed))
    assert ask(store, "select source, id, title, gone, run from products order by all") == [
        ("outlet", "a", "other", False, "2"),
        ("shop", "a", "new", False, "3"),
        ("shop", "b", None, True, "3"),
    ]
    assert ask(store, "select count(*) from history.products") == [5]


def test_newest_post(store):
    """A post is as its newest run saw it, beside a product of the same source and id."""
    add_run(
        store,
        "1",
        add_rows(store, "1", "products", [{"id": "a"}]),
        add_rows(store, "1", "posts", [{"id": "a", "likes": 5}, {"id": "b", "likes": -1}]),
        job="engage",
    )
    changed = [{"id": "a", "likes": 7}, {"id": "b", "gone": True}]
    add_run(store, "2", add_rows(store, "2", "posts", changed), job="engage")
    assert ask(store, "select source, id, likes, gone, run from posts order by all") == [
        ("shop", "a", 7, False, "2"),
        ("shop", "b", None, True, "2"),
    ]
    assert ask(store, "select gone from products") == [False]


def test_engagement_of_posts_that_are_left(store):
    """The newest decision on each post that is still in its CSV."""
    posts = [{"id": "a"}, {"id": "b"}]
    scored = [{"id": one, "score": 0.25} for one in "ab"]
    add_run(
        store,
        "1",
        add_rows(store, "1", "posts", posts),
        add_rows(store, "1", "engagement", [*scored, {"id": "a", "source": "elsewhere"}]),
    )
    add_run(
        store,
        "2",
        add_rows(store, "2", "posts", [{"id": "b", "gone": True}]),
        add_rows(store, "2", "engagement", [{"id": "a", "score": 0.75}]),
    )
    assert ask(store, "select source, id, score, run from engagement") == [("shop", "a", 0.75, "2")]
    assert ask(store, "select count(*) from history.engagement") == [4]


@pytest.mark.parametrize(
    ("view", "key"), [("engagement_evaluation", "metric"), ("engagement_ladder", "rung")]
)
def test_measures_of_the_newest_run(store, view, key):
    """Each source shows what its newest run that measured found, and nothing of older ones."""

    def measured(run_id, *rows, source="shop"):
        parts = {"engagement_evaluation": [{"metric": "posts_measured", "source": source}]}
        parts[view] = [*parts.get(view, []), *rows]
        writers = [add_rows(store, run_id, table, told) for table, told in parts.items()]
        add_run(store, run_id, *writers, source=source)

    measured("1", {key: "old"}, {key: "left out later"})
    measured("2", {key: "theirs", "source": "outlet"}, source="outlet")
    measured("3", {key: "new"})
    add_run(store, "4")
    shown = ask(store, f"select source, {key} from {view} order by all")  # noqa: S608
    shown = [row for row in shown if row[1] != "posts_measured"]
    assert shown == [("outlet", "theirs"), ("shop", "new")]


def test_tags_of_posts(store):
    """The current tagger's best labels for the first picture of each post that can be read."""
    posts = [
        {"id": "a", "pictures": ["dead", "broken", "x", "y"]},
        {"id": "b", "pictures": ["y"]},
        {"id": "unseen", "pictures": ["z"]},
        {"id": "bare"},
        {"id": "gone", "pictures": ["x"], "gone": True},
    ]
    fetches = [
        {"location": "dead", "outcome": "failed"},
        {"location": "broken", "picture": "0"},
        *({"location": one, "picture": f"{one}{one}"} for one in "xyz"),
    ]
    decoded = [{"picture": "0", "outcome": "failed"}, *({"picture": 2 * one} for one in "xyz")]
    predictions = [
        {"picture": "xx", "label": "Red", "score": 0.75},
        {"picture": "xx", "label": "Blue", "score": 0.25, "rank": 2},
        {"picture": "xx", "label": "Hat", "score": 1.0, "head": "type"},
        {"picture": "yy", "label": "Pink", "score": 0.5},
        {"picture": "yy", "label": "Teal", "score": 1.0, "model": "tagger/2"},
        {"picture": "yy", "label": "high", "score": 1.0, "model": "engagement/1"},
        {"picture": "zz", "label": "Teal", "score": 1.0, "model": "tagger/2"},
    ]
    add_run(
        store,
        "1",
        add_rows(store, "1", "posts", posts),
        add_rows(store, "1", "fetches", fetches),
        add_rows(store, "1", "pictures", decoded),
        add_rows(store, "1", "predictions", predictions),
    )
    assert ask(store, "from post_tags") == []
    add_model(store, "1", {"task": "tagger"}, [])
    add_model(store, "2", {"task": "tagger"}, [])
    make_current(store, "tagger", "tagger/1")
    columns = "source, id, attribute, label, score, picture, model"
    assert ask(store, f"select {columns} from post_tags order by all") == [  # noqa: S608
        ("shop", "a", "colour", "Red", 0.75, "xx", "tagger/1"),
        ("shop", "a", "type", "Hat", 1.0, "xx", "tagger/1"),
        ("shop", "b", "colour", "Pink", 0.5, "yy", "tagger/1"),
    ]


def test_tags_of_products_that_are_left(store):
    """Tags are the newest of each product still sold; attributes may differ between runs."""
    products = [{"id": "a"}, {"id": "b"}]
    tags = [{"id": "a", "colour": "Red"}, {"id": "b", "colour": "Blue"}]
    add_run(
        store,
        "1",
        add_rows(store, "1", "products", products),
        add_rows(store, "1", "tags", tags, tags_schema(["colour"])),
    )
    add_run(
        store,
        "2",
        add_rows(store, "2", "products", [{"id": "b", "gone": True}]),
        add_rows(
            store,
            "2",
            "tags",
            [{"id": "a", "colour": "Pink", 'neck"line': "V"}],
            tags_schema(["colour", 'neck"line']),
        ),
    )
    assert ask(store, 'select id, colour, "neck""line" from tags') == [("a", "Pink", "V")]
    history = 'select id, colour, "neck""line" from history.tags order by run, id'
    assert ask(store, history) == [("a", "Red", None), ("b", "Blue", None), ("a", "Pink", "V")]
    comment = "select comment from duckdb_columns() where column_name = 'neck\"line_predicted'"
    assert set(ask(store, comment)) == {'neck"line that the model sees'}


def test_column_that_no_part_has(store):
    """A column that a newer version has added is null in what older ones wrote."""
    old = TABLES["pictures"].remove(TABLES["pictures"].get_field_index("fingerprint"))
    add_run(store, "1", add_rows(store, "1", "pictures", [{"picture": "ab12"}], old))
    assert ask(store, "select picture, fingerprint, file from images") == [
        ("ab12", None, "images/ab/ab12")
    ]


def test_rejects_of_the_newest_run(store):
    """Each source shows what its newest tag run refused: maybe nothing."""
    add_run(store, "1", add_rows(store, "1", "rejects", [{"line": 2}, {"line": 3}]))
    outlet = add_rows(store, "2", "rejects", [{"line": 4, "source": "outlet"}])
    add_run(store, "2", outlet, source="outlet")
    assert ask(store, "select source, line from rejects order by all") == [
        ("outlet", 4),
        ("shop", 2),
        ("shop", 3),
    ]
    add_run(store, "3")
    add_run(store, "4", job="train", source="outlet")
    assert ask(store, "select source, line from rejects") == [("outlet", 4)]


def test_rejects_of_products_and_posts(store):
    """A source that is both a CSV of products and one of posts shows what each refused last."""
    add_run(store, "1", add_rows(store, "1", "rejects", [{"line": 2}]))
    add_run(store, "2", add_rows(store, "2", "rejects", [{"line": 3}]), job="engage")
    columns = "select kind, source, line from rejects order by all"
    assert ask(store, columns) == [("post", "shop", 3), ("product", "shop", 2)]
    add_run(store, "3", job="engage")
    assert ask(store, columns) == [("product", "shop", 2)]


def test_failures_of_posts(store):
    """What a post can't show is told as a post's, beside a product's of the same id."""
    broken = {"id": "a", "pictures": ["x"]}
    left = {"id": "b", "pictures": ["x"], "gone": True}
    add_run(
        store,
        "1",
        add_rows(store, "1", "products", [broken]),
        add_rows(store, "1", "posts", [broken, left]),
        add_rows(store, "1", "fetches", [{"location": "x", "outcome": "failed", "reason": "dns"}]),
    )
    assert ask(store, "select kind, id, reason from failures order by all") == [
        ("post", "a", "dns"),
        ("product", "a", "dns"),
    ]


def test_failures_of_products(store):
    """A picture that can't be had, or read, is told for each product that wants it."""
    pictures = {"a": ["ok", "dead"], "b": ["broken", "dead", "dead"], "c": ["dead"], "d": ["late"]}
    products = [
        {"id": id_, "pictures": found, "gone": id_ == "c"} for id_, found in pictures.items()
    ]
    fetches = [
        {"location": "ok", "picture": "1"},
        {"location": "broken", "picture": "2", "next_try": START},
        {"location": "dead", "outcome": "failed", "reason": "not_found", "dead": True},
        {"location": "late", "outcome": "failed", "reason": "timeout"},
    ]
    decoded = [{"picture": "1"}, {"picture": "2", "outcome": "failed", "reason": "truncated"}]
    add_run(
        store,
        "1",
        add_rows(store, "1", "products", products),
        add_rows(store, "1", "fetches", fetches),
        add_rows(store, "1", "pictures", decoded),
    )
    columns = "id, location, picture, stage, reason, dead, next_try is not null"
    assert ask(store, f"select {columns} from failures order by all") == [  # noqa: S608
        ("a", "dead", None, "fetch", "not_found", True, False),
        ("b", "broken", "2", "decode", "truncated", False, True),
        ("b", "dead", None, "fetch", "not_found", True, False),
        ("d", "late", None, "fetch", "timeout", False, False),
    ]
    late = [{"location": "late", "picture": "1"}]
    add_run(store, "2", add_rows(store, "2", "fetches", late))
    assert ask(store, "select count(*) from failures where location = 'late'") == [0]


@pytest.fixture
def judged(store: Store) -> Store:
    """Return a store whose model has looked at labelled products."""
    products = [
        {"id": "one", "pictures": ["x"], "given": [("colour", "Red"), ("type", "Hat")]},
        {"id": "two", "pictures": ["x", "y", "y"], "given": [("colour", "Blue")]},
        {"id": "new", "pictures": ["x"], "given": [("colour", "Mauve")], "title": "A hat"},
        {"id": "unlabelled", "pictures": ["x"]},
        {"id": "unseen", "pictures": ["nowhere"], "given": [("colour", "Red")]},
        {"id": "gone", "pictures": ["x"], "given": [("colour", "Red")], "gone": True},
    ]
    scores = [
        {"picture": "1", "scores": [0.75, 0.25]},
        {"picture": "1", "scores": [1.0], "head": "type", "trained_on": True},
        {"picture": "2", "scores": [0.0, 1.0], "trained_on": True},
    ]
    add_run(
        store,
        "1",
        add_rows(store, "1", "products", products),
        add_rows(
            store,
            "1",
            "fetches",
            [{"location": "x", "picture": "1"}, {"location": "y", "picture": "2"}],
        ),
        add_rows(store, "1", "scores", scores),
    )
    return store


def test_evaluations(judged):
    """Truth meets guess for each label given; scores are the mean over a product's pictures."""
    card = {"vocabulary": {"colour": ["Red", "Blue"], "type": ["Hat"]}}
    split = [
        {"picture": "9", "title": "A hat", "side": "validation"},
        {"picture": "8", "title": None, "side": "train"},
    ]
    add_model(judged, "1", card, split)
    columns = "id, head, truth, guess, confidence, correct, scores, pictures, trained_on"
    assert ask(judged, f"select {columns} from evaluations order by id, head") == [  # noqa: S608
        ("new", "colour", "Mauve", "Red", 0.75, False, [0.75, 0.25], 1, True),
        ("one", "colour", "Red", "Red", 0.75, True, [0.75, 0.25], 1, False),
        ("one", "type", "Hat", "Hat", 1.0, True, [1.0], 1, True),
        ("two", "colour", "Blue", "Blue", 0.625, True, [0.375, 0.625], 2, True),
    ]


@pytest.mark.parametrize("card", [None, {}, {"vocabulary": ["Red"]}])
def test_evaluations_without_a_vocabulary(judged, card):
    """A model whose card is gone or says nothing has scores, and no guess."""
    if card is not None:
        add_model(judged, "1", card, [])
    assert ask(judged, "select distinct guess from evaluations") == [None]


def test_split_of_the_test_side_is_not_trained_on(judged):
    """A title that the model was only tested on says nothing against a row."""
    add_model(judged, "1", {}, [{"picture": "9", "title": "A hat", "side": "test"}])
    assert ask(judged, "select trained_on from evaluations where id = 'new'") == [False]


def test_runs(store):
    """A run is a row, with its counts and arguments as JSON, however odd its text."""
    counts = {"it's": 'a "count"\n\\ü'}
    writer = add_rows(store, "1", "rejects", [{}, {}])
    add_run(store, "1", writer, counts=counts, adopted=["0", "it's"], seconds=1.5, source=None)
    add_run(store, "2")
    [row] = ask(
        store,
        "select run, job, source, seconds, rows, bytes > 0, adopted, counts,"
        " started = timestamptz '2026-01-02 00:00:00+00' from runs where run = '1'",
    )
    assert row[:7] == ("1", "tag", None, 1.5, 2, True, ["0", "it's"])
    assert json.loads(row[7]) == counts
    assert row[8]
    assert ask(store, "select rows from runs where run = '2'") == [0]


def test_models(store):
    """A model is a row with what its card says; one with a damaged card is a row all the same."""
    card = {"task": "tagger", "image_size": 128, "vocabulary": {"type": ["a"], "colour": ["b"]}}
    add_model(store, "1", card, [])
    add_model(store, "2", {}, [])
    (store.model("tagger", "2") / "card.json").write_text("{damaged")
    make_current(store, "tagger", "tagger/1")
    columns = "model, name, version, task, current, image_size, heads, card is null"
    assert ask(store, f"select {columns} from models order by model") == [  # noqa: S608
        ("tagger/1", "tagger", "1", "tagger", True, 128, ["colour", "type"], False),
        ("tagger/2", "tagger", "2", None, False, None, None, True),
    ]


@pytest.mark.parametrize("table", ["products", "posts", "engagement"])
def test_year_of_nights(store, table):
    """Hundreds of runs and parts are no trouble."""
    number_of = {"products": "title", "posts": "caption", "engagement": "guess"}[table]
    add_run(store, "000", add_rows(store, "000", "posts", [{"id": f"p{n}"} for n in range(7)]))
    for number in range(1, 301):
        rows = [{"id": f"p{number % 7}", number_of: str(number)}]
        add_run(store, f"{number:03}", add_rows(store, f"{number:03}", table, rows))
    newest = f"select max({number_of}::int), count(*) from {table}"  # noqa: S608
    assert ask(store, newest) == [(300, 7)]
    assert ask(store, "select count(*) from runs") == [301]
