"""What the named queries answer, on stores of a few rows whose answers are plain to see."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sql import questions
from sql.manifests import read_all
from sql.publish import is_published, publish
from sql.schemas import tags_schema
from sql.store import Store, make_current
from tests.warehouse import START, add_rows, add_run

ATTRIBUTES = ["category", "product_type", "colour"]
PLACEHOLDER = re.compile(r"\$(\w+)")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store without a run."""
    return Store(tmp_path / "store")


def ask(store: Store, name: str, columns: str = "*", **given: Any) -> list[tuple[Any, ...]]:
    """Publish what is not, and answer a named query; what is not given has its default."""
    if not is_published(store, read_all(store)):
        publish(store, read_all(store))
    query = questions.read(name)
    params = {one.name: one.default for one in query.parameters} | given
    with duckdb.connect(str(store.database), read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        return con.sql(query.sql, params=params).project(columns).fetchall()


def add_tagger(store: Store, version: str, **card: Any) -> None:
    """Put a tagger of two colours in the store that is nothing but a card, and let it serve."""
    folder = store.model("tagger", version)
    folder.mkdir(parents=True)
    content = {"task": "tagger", "vocabulary": {"colour": ["Red", "Blue"]}} | card
    (folder / "card.json").write_text(json.dumps(content), encoding="utf-8")
    make_current(store, "tagger", f"tagger/{version}")


@pytest.mark.parametrize("name", questions.names())
def test_empty_store_has_no_answers(store, name):
    """Before the first run every question is answered, with no rows."""
    given = {one.name: "x" for one in questions.read(name).parameters if one.required}
    assert ask(store, name, **given) == []


@pytest.mark.parametrize("name", questions.names())
def test_parameters_are_those_of_the_header(name):
    """A query uses the parameters that its header tells, and no other."""
    query = questions.read(name)
    body = "\n".join(line for line in query.sql.splitlines() if not line.startswith("-- "))
    assert set(PLACEHOLDER.findall(body)) == {one.name for one in query.parameters}


@pytest.mark.parametrize("name", questions.names())
def test_top_bounds_the_rows(name):
    """Every answer that may be long is cut off by a parameter, and sorted."""
    query = questions.read(name)
    assert "order by" in query.sql
    assert name == "best_hours" or "top" in {one.name for one in query.parameters}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("select 1", "question"),
        ("-- All products.\n-- One row a product.\nselect 1", "question"),
        ("-- Which products?\nselect 1", "grain"),
        ("-- Which products?\n-- $top: so many\n-- One row a product.\nselect 1", "another form"),
        ("-- Which products?\n-- One row a x.\n-- $top (number): so many\nselect 1", "other form"),
        (
            "-- Which products?\n-- One row a x.\n-- $top (whole number, default ten): n\n",
            "invalid literal",
        ),
    ],
)
def test_header_in_another_form(text, complaint):
    """A header that can't be read is refused, with what it lacks."""
    with pytest.raises(ValueError, match=complaint):
        questions.parse("some", text)


def test_header():
    """A header gives the question, the grain over lines, and parameters of each kind."""
    query = questions.parse(
        "some",
        "-- Which?\n-- One row a thing,\n-- no more.\n-- $a (text, required): first\n"
        "-- $b (text, optional): second\n-- $c (whole number, default 7): third\n"
        "-- $d (text, default x y): fourth\nselect 1\n-- $e (text, required): no header\n",
    )
    assert (query.question, query.grain) == ("Which?", "One row a thing, no more.")
    assert [(one.name, one.kind, one.required, one.default) for one in query.parameters] == [
        ("a", str, True, None),
        ("b", str, False, None),
        ("c", int, False, 7),
        ("d", str, False, "x y"),
    ]
    assert query.parameters[3].meaning == "fourth"


@pytest.fixture
def troubled(store: Store) -> Store:
    """Two hosts with dead, late and unreadable pictures, wanted by products and a post."""
    late = START + timedelta(days=9)
    failed = {"outcome": "failed", "next_try": late}
    fetches = [
        {"location": "a/1", "host": "a", "reason": "timeout", **failed, "attempts": 3},
        {"location": "a/2", "host": "a", "reason": "timeout", **failed},
        {"location": "a/3", "host": "a", "reason": "not_found", **failed, "dead": True},
        {"location": "b/1", "host": "b", "picture": "bb", "next_try": START},
        {"location": "b/2", "host": "b", "picture": "b2"},
    ]
    add_run(
        store,
        "1",
        add_rows(
            store,
            "1",
            "products",
            [
                {"id": "p", "pictures": ["a/1", "a/2"]},
                {"id": "q", "pictures": ["a/1", "a/3", "b/2"]},
                {"id": "r", "pictures": ["b/1"]},
                {"id": "left", "pictures": ["a/1"], "gone": True},
            ],
        ),
        add_rows(store, "1", "posts", [{"id": "p", "pictures": ["a/1"]}]),
        add_rows(store, "1", "fetches", fetches),
        add_rows(
            store,
            "1",
            "pictures",
            [{"picture": "bb", "outcome": "failed", "reason": "truncated"}, {"picture": "b2"}],
        ),
    )
    return store


def test_failures_by_host(troubled):
    """Locations are counted once, with the products and posts that want them."""
    columns = "host, stage, reason, locations, products, posts, dead"
    assert ask(troubled, "failures_by_host", columns) == [
        ("a", "fetch", "timeout", 2, 2, 1, 0),
        ("a", "fetch", "not_found", 1, 1, 0, 1),
        ("b", "decode", "truncated", 1, 1, 0, 0),
    ]


def test_pictures_to_retry(troubled):
    """What is dead is not tried again; what comes next comes first."""
    columns = "location, reason, attempts, day(next_try), products, posts"
    assert ask(troubled, "pictures_to_retry", columns) == [
        ("b/1", "truncated", 1, 1, 1, 0),
        ("a/1", "timeout", 3, 10, 2, 1),
        ("a/2", "timeout", 1, 10, 1, 0),
    ]
    assert len(ask(troubled, "pictures_to_retry", top=1)) == 1


@pytest.fixture
def judged(store: Store) -> Store:
    """Eight products with a colour, of which the tagger gets three wrong, and two that it knew."""
    truths = ["Red"] * 4 + ["Blue"] * 3 + ["Mauve"]
    scores = [[0.75, 0.25]] * 3 + [[0.25, 0.75]] + [[0.0, 1.0]] * 2 + [[1.0, 0.0], [0.5, 0.25]]
    known = ["Red", "Red"]
    products = [
        {"id": str(number), "pictures": [str(number)], "given": [("colour", truth)]}
        for number, truth in enumerate([*truths, *known])
    ]
    told = [
        {"picture": f"s{number}", "scores": one, "trained_on": number >= len(truths)}
        for number, one in enumerate([*scores, [0.0, 1.0], [0.0, 1.0]])
    ]
    older = [row | {"model": "tagger/0", "scores": [0.0, 1.0]} for row in told]
    tags = [
        {
            "id": str(number),
            "model": "tagger/1",
            "pictures": [f"s{number}"],
            "colour_given": truth,
            "colour_predicted": "Red" if red >= blue else "Blue",
            "colour_confidence": max(red, blue),
            "colour": truth,
        }
        for number, (truth, (red, blue)) in enumerate(
            zip([*truths, *known], [*scores, [0.0, 1.0], [0.0, 1.0]], strict=True)
        )
    ]
    add_run(
        store,
        "1",
        add_rows(store, "1", "products", products),
        add_rows(
            store,
            "1",
            "fetches",
            [{"location": str(n), "picture": f"s{n}"} for n in range(len(products))],
        ),
        add_rows(store, "1", "scores", [*told, *older]),
        add_rows(store, "1", "tags", tags, tags_schema(["colour"])),
    )
    add_tagger(store, "0")
    add_tagger(store, "1")
    return store


def test_weakest_classes(judged):
    """Recall and precision of the current tagger, on products that it was not trained on."""
    columns = "class, products, found, recall, precision, f1"
    # Guessed Red: three Reds, a Blue and the Mauve; guessed Blue: two Blues and a Red.
    assert ask(judged, "weakest_classes", columns, fewest=1) == [
        ("Mauve", 1, 0, 0.0, None, 0.0),
        ("Blue", 3, 2, 0.6667, 0.6667, 0.6667),
        ("Red", 4, 3, 0.75, 0.6, 0.6667),
    ]
    assert ask(judged, "weakest_classes", "class", fewest=4, head="colour") == [("Red",)]
    assert ask(judged, "weakest_classes", fewest=1, head="shape") == []


def test_confused_pairs(judged):
    """Each kind of mistake with its share of the products of the class."""
    columns = "truth, guess, products, labelled, share, mean_confidence"
    assert ask(judged, "confused_pairs", columns) == [
        ("Mauve", "Red", 1, 1, 1.0, 0.5),
        ("Blue", "Red", 1, 3, 0.3333, 1.0),
        ("Red", "Blue", 1, 4, 0.25, 0.75),
    ]
    assert ask(judged, "confused_pairs", head="shape") == []


def tag(identity: str, given: list[tuple[str, str]] | None = None, **labels: str) -> dict[str, Any]:
    """A row of tags in which the tagger says these labels with certainty falling by column."""
    confidences = (0.875, 0.75, 0.5)
    row: dict[str, Any] = {"id": identity}
    for (attribute, label), confidence in zip(labels.items(), confidences, strict=False):
        row |= {
            f"{attribute}_predicted": label,
            f"{attribute}_confidence": confidence,
            attribute: label,
        }
    for attribute, label in given or ():
        row |= {f"{attribute}_given": label, attribute: label}
    return row


def test_review_list(store):
    """Only labels that nobody gave, of products still sold, the least sure first."""
    products = [
        {"id": "a", "title": "A", "pictures": ["x", "y"], "given": [("category", "Shoes")]},
        {"id": "b", "given": [("colour", "Red")]},
        {"id": "left", "gone": True},
    ]
    tags = [
        tag("a", [("category", "Shoes")], category="Shoes", product_type="Boots"),
        tag("b", [("colour", "Red")], category="Hats", product_type="Caps", colour="Blue"),
        tag("left", category="Hats"),
    ]
    add_run(
        store,
        "1",
        add_rows(store, "1", "products", products),
        add_rows(store, "1", "tags", tags, tags_schema(ATTRIBUTES)),
    )
    assert ask(store, "review_list", "* exclude (source)") == [
        ("a", "A", "product_type", "Boots", 0.75, None, "x"),
        ("b", None, "product_type", "Caps", 0.75, None, None),
        ("b", None, "category", "Hats", 0.875, None, None),
    ]
    assert ask(store, "review_list", "id", attribute="category") == [("b",)]
    assert len(ask(store, "review_list", top=2)) == 2


def test_review_list_begins_with_what_is_to_review(store):
    """What is to review comes first, however sure; what is accepted is not there."""
    surer = {"category_confidence": 0.9375, "category_review": True}
    tags = [
        tag("a", category="Hats", product_type="Caps", colour="Red") | {"category_review": True},
        tag("b", category="Hats", colour="Red") | {"category_review": False},
        tag("c", category="Hats", colour="Red") | surer,
    ]
    add_run(
        store,
        "1",
        add_rows(store, "1", "products", [{"id": row["id"]} for row in tags]),
        add_rows(store, "1", "tags", tags, tags_schema(ATTRIBUTES)),
    )
    assert ask(store, "review_list", "id, attribute, confidence, review") == [
        ("a", "category", 0.875, True),
        ("c", "category", 0.9375, True),
        ("a", "colour", 0.5, None),
        ("a", "product_type", 0.75, None),
        ("b", "colour", 0.75, None),
        ("c", "colour", 0.75, None),
    ]


def test_contradicting_labels(store):
    """A pair that no product was given is told, unless both labels were, or one is unknown."""
    shoes = [("category", "Shoes"), ("product_type", "Boots")]
    odd = [("category", "Hats"), ("product_type", "Sandals")]
    products = [
        *({"id": f"s{number}", "given": shoes} for number in range(3)),
        {"id": "odd but given", "given": odd},
        {"id": "guessed", "title": "G"},
        {"id": "half", "given": [("product_type", "Sandals")]},
        {"id": "new type"},
        {"id": "right"},
        {"id": "left", "gone": True},
    ]
    tags = [
        tag("odd but given", odd, category="Hats", product_type="Sandals"),
        tag("guessed", category="Hats", product_type="Boots"),
        tag("half", odd[1:], category="Shoes", product_type="Boots"),
        tag("new type", category="Shoes", product_type="Clogs"),
        tag("right", category="Shoes", product_type="Boots"),
        tag("left", category="Hats", product_type="Boots"),
    ]
    add_run(
        store,
        "1",
        add_rows(store, "1", "products", products),
        add_rows(store, "1", "tags", tags, tags_schema(ATTRIBUTES)),
    )
    assert ask(store, "contradicting_labels", "* exclude (source)") == [
        ("guessed", "G", "Hats", "Boots", False, False, "Shoes", 3),
        ("half", None, "Shoes", "Sandals", False, True, "Hats", 1),
    ]
    assert ask(store, "contradicting_labels", upper="colour") == []


@pytest.fixture
def retagged(store: Store) -> Store:
    """Three runs: the second changes one product's colour, the third another's and adds one."""
    nights: list[list[dict[str, Any]]] = [
        [tag("a", colour="Red"), tag("b", colour="Red"), tag("c", colour="Red")],
        [tag("a", colour="Blue") | {"cause": "picture"}, tag("c", colour="Red")],
        [tag("b", colour="Pink") | {"cause": "model", "model": "tagger/2"}, tag("d", colour="Red")],
    ]
    for number, rows in enumerate(nights, start=1):
        schema = tags_schema(["category", "colour"])
        add_run(store, str(number), add_rows(store, str(number), "tags", rows, schema))
    return store


def test_changed_tags_of_the_newest_run(retagged):
    """By default what the newest run that tagged made of what was there before it."""
    add_run(retagged, "4")
    assert ask(retagged, "changed_tags", "* exclude (source)") == [
        ("b", "colour", "Red", "Pink", "model", "tagger/2", "3")
    ]


def test_changed_tags_between_runs(retagged):
    """Between any two runs, the labels that differ and why; a row that says the same is none."""
    columns = "id, label_before, label_after, cause"
    both = [("a", "Red", "Blue", "picture"), ("b", "Red", "Pink", "model")]
    assert ask(retagged, "changed_tags", columns, since="1") == both
    assert ask(retagged, "changed_tags", columns, until="2") == both[:1]
    assert ask(retagged, "changed_tags", columns, since="2", until="2") == []
    assert ask(retagged, "changed_tags", columns, until="1") == []


def test_coverage(store):
    """Products by any column of the CSV, with how many have tags and how many a failure."""
    products = [
        {"id": "a", "extra": [("Brand", "Nube")], "pictures": ["x"]},
        {"id": "b", "extra": [("Brand", "Nube")], "given": [("colour", "Red")]},
        {"id": "c", "extra": [("Brand", "Isla")]},
        {"id": "d"},
        {"id": "left", "extra": [("Brand", "Isla")], "gone": True},
    ]
    tags = [{"id": "a", "tagged": False}, {"id": "b"}, {"id": "c"}]
    add_run(
        store,
        "1",
        add_rows(store, "1", "products", products),
        add_rows(store, "1", "fetches", [{"location": "x", "outcome": "failed"}]),
        add_rows(store, "1", "tags", tags, tags_schema(["colour"])),
    )
    assert ask(store, "coverage", column="Brand") == [
        ("Nube", 2, 1, 0.5, 1),
        ("Isla", 1, 1, 1.0, 0),
        (None, 1, 0, 0.0, 0),
    ]
    assert ask(store, "coverage", "value, products", column="colour") == [(None, 3), ("Red", 1)]


def add_posts(store: Store, posts: list[dict[str, Any]], labels: dict[str, str]) -> None:
    """A run that brings posts, their labels, and a picture a post that its id names."""
    whole = [{"pictures": [f"at {post['id']}"]} | post for post in posts]
    decided = [{"id": id_, "label": label, "score": 0.5} for id_, label in labels.items()]
    unknown = [{"id": post["id"], "reason": post.get("why")} for post in posts if post.get("why")]
    add_run(
        store,
        "1",
        add_rows(store, "1", "posts", whole),
        add_rows(store, "1", "engagement", [*decided, *unknown]),
        add_rows(
            store,
            "1",
            "fetches",
            [{"location": f"at {post['id']}", "picture": f"of {post['id']}"} for post in posts],
        ),
        add_rows(store, "1", "pictures", [{"picture": f"of {post['id']}"} for post in posts]),
        add_rows(
            store,
            "1",
            "predictions",
            [{"picture": f"of {post['id']}", "label": post.get("shows", "Red")} for post in posts],
        ),
        job="engage",
    )


def test_high_share_by_attribute(store):
    """Shares over the labelled posts that show a label, with Wilson's interval."""
    reds = [{"id": f"r{number}"} for number in range(10)]
    blues = [{"id": f"b{number}", "shows": "Blue"} for number in range(2)]
    unknown = [{"id": "u", "shows": "Blue", "why": "hidden"}]
    labels = {post["id"]: "high" if post["id"] in {"r0", "b0", "b1"} else "low" for post in reds}
    labels |= {"b0": "high", "b1": "high"}
    add_posts(store, [*reds, *blues, *unknown], labels)
    add_tagger(store, "1")
    columns = "* exclude (source)"
    assert ask(store, "high_share_by_attribute", columns, fewest=1) == [
        ("colour", "Blue", 2, 2, 1.0, 0.3424, 1.0),
        ("colour", "Red", 10, 1, 0.1, 0.0179, 0.4042),
    ]
    assert ask(store, "high_share_by_attribute", "label", fewest=3) == [("Red",)]
    assert ask(store, "high_share_by_attribute", fewest=1, attribute="shape") == []


def test_best_and_worst_posts(store):
    """Both ends of an account's posts by likes, each post once, unknown likes not at all."""
    posts = [
        *({"id": f"q{likes}", "account": "nube", "likes": likes} for likes in (5, 50, 7, 70, 1)),
        {"id": "hidden", "account": "nube", "likes": -1},
        {"id": "young", "account": "nube", "likes": 0, "why": "too_young"},
        {"id": "other", "account": "isla", "likes": 0},
        {"id": "left", "account": "nube", "likes": 900, "gone": True},
    ]
    add_posts(store, posts, {"q70": "high"})
    columns = 'place, "end", id, likes, label, of_posts'
    assert ask(store, "best_and_worst_posts", columns, account="nube", top=2) == [
        (1, "best", "q70", 70, "high", 5),
        (2, "best", "q50", 50, None, 5),
        (4, "worst", "q5", 5, None, 5),
        (5, "worst", "q1", 1, None, 5),
    ]
    everything = ask(store, "best_and_worst_posts", 'place, "end"', account="nube")
    assert everything == [(place, "best") for place in range(1, 6)]


def test_best_hours(store):
    """Shares by hour of the asked zone, with the posts that they are over."""
    times = {"a": 22, "b": 22, "c": 9, "young": 9}
    posts = [
        {
            "id": id_,
            "account": id_,
            "likes": hour,
            "posted_at": datetime(2026, 1, 5, hour, tzinfo=UTC),
        }
        for id_, hour in times.items()
    ]
    posts[3]["why"] = "too_young"
    add_posts(
        store,
        [*posts, {"id": "timeless"}],
        {"a": "high", "b": "low", "c": "high", "timeless": "low"},
    )
    assert ask(store, "best_hours") == [(9, 1, 1, 1.0, 9.0), (22, 2, 1, 0.5, 22.0)]
    assert ask(store, "best_hours", "hour", zone="Europe/Madrid", fewest=2) == [(23,)]
    assert ask(store, "best_hours", "hour, share", account="b") == [(22, 0.0)]


@pytest.fixture
def posted(store: Store) -> Store:
    """Products of which one is posted, and posts of which one shows a product that is there."""
    add_run(
        store,
        "1",
        add_rows(
            store,
            "1",
            "products",
            [
                {"id": "p1", "title": "shown"},
                {"id": "p2", "title": "not"},
                {"id": "p3", "gone": True},
            ],
        ),
        add_rows(
            store,
            "1",
            "posts",
            [
                {"id": "a", "product_id": "p1"},
                {"id": "b", "product_id": "p2", "gone": True},
                {"id": "c", "product_id": "p3", "likes": 5},
                {"id": "d", "product_id": "p9", "likes": 7},
                {"id": "e"},
            ],
        ),
    )
    return store


def test_products_never_posted(posted):
    """A post that has left its CSV shows nothing any more."""
    assert ask(posted, "products_never_posted", "id, title") == [("p2", "not")]


def test_posts_without_product(posted):
    """Posts that name no product, one that never was, or one that has left."""
    assert ask(posted, "posts_without_product", "id, product_id, why") == [
        ("d", "p9", "unknown"),
        ("c", "p3", "gone"),
        ("e", None, "none"),
    ]


def test_metric_history(store):
    """Figures of the cards, newest first, and of engage, every run that measured."""
    for version, accuracy in (("1", 0.5), ("2", 0.75)):
        metrics = {"test": {"accuracy": {"colour": accuracy, 'a "b"': 1}, "losses": {"colour": 2}}}
        add_tagger(
            store,
            version,
            metrics=metrics,
            created=f"2026-01-0{version}T00:00:00+00:00",
            split={"sides": {"test": {"examples": 9}}},
        )
    for night in "34":
        rows = [{"metric": "accuracy", "value": 0.625, "low": 0.5, "model": "engagement/1"}]
        add_run(store, night, add_rows(store, night, "engagement_evaluation", rows))
    columns = "day(measured_at), told_by, model, what, value, low, n"
    assert ask(store, "metric_history", columns)[:3] == [
        (5, "engage", "engagement/1", "shop", 0.625, 0.5, 50),
        (4, "engage", "engagement/1", "shop", 0.625, 0.5, 50),
        (2, "card", "tagger/2", 'a "b"', 1.0, None, 9),
    ]
    assert ask(store, "metric_history", "model, value", top=4)[3] == ("tagger/2", 0.75)
    losses = ask(store, "metric_history", "model, value", metric="loss")
    assert losses == [("tagger/2", 2.0), ("tagger/1", 2.0)]


def test_run_costs(store):
    """Time, tries, bytes and pictures of each run, none for a run that did none of it."""
    fetches = [
        {"location": "x", "picture": "1", "size": 100, "attempts": 2, "seconds": 0.5},
        {"location": "y", "outcome": "failed", "seconds": 1.0},
        {"location": "z", "picture": "2", "outcome": "unchanged", "size": 900},
    ]
    seen = [{"picture": "1", "label": "Red", "rank": rank} for rank in (1, 2)]
    seen += [{"picture": "1", "label": "Hat", "head": "type"}, {"picture": "2", "label": "Red"}]
    add_run(
        store,
        "1",
        add_rows(store, "1", "fetches", fetches),
        add_rows(store, "1", "predictions", seen),
        seconds=5.0,
    )
    add_run(store, "2", job="train", seconds=7.0)
    columns = (
        "run, seconds, rows_written, locations_asked, tries, fetch_seconds, bytes_fetched,"
        " pictures_looked_at, seconds_per_1000_pictures"
    )
    assert ask(store, "run_costs", columns) == [
        ("2", 7.0, 0, 0, 0, 0.0, 0, 0, None),
        ("1", 5.0, 7, 3, 4, 1.6, 100, 2, 2500.0),
    ]
    assert ask(store, "run_costs", "run", job="tag") == [("1",)]
