"""A store as a big shop has it after a year of nights, made with the store's own writers.

A million products of five attributes, 200,000 posts, 365 nights with a run each. `tag` finds a few
hundred products new, changed or gone and tries failed pictures again; every seventh night it is
`engage` that runs and finds the posts of a week. Pictures have no bytes here, and models are
nothing but cards.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from catalog.attributes import DEFAULT
from catalog.intake import take_in
from catalog.models.runtime import Output
from catalog.products import PRODUCTS
from catalog.records import Reading
from jobs.looking import PICTURES_PER_PART
from jobs.run import ROWS_PER_PART
from jobs.stages import embedding_rows, prediction_rows, score_rows
from sql import manifests
from sql.manifests import Manifest
from sql.parts import PartWriter
from sql.publish import publish
from sql.schemas import TABLES, tags_schema
from sql.store import Store, make_current

PRODUCTS_SOURCE, POSTS_SOURCE = "products", "posts"
TAGGER, CLASSIFIER = "tagger/1", "engagement/1"
LABELS = {"gender": 4, "category": 7, "subcategory": 40, "product_type": 140, "colour": 46}
VOCABULARIES = {
    TAGGER: {head: [f"{head} {code}" for code in range(count)] for head, count in LABELS.items()},
    CLASSIFIER: {f"fold_{fold}": ["low", "high"] for fold in range(1, 6)},
}
EMBEDDING = 128
START = datetime(2025, 1, 1, 2, 30, tzinfo=UTC)

_SQL = Path(__file__).parent / "big_store"


@dataclass(frozen=True)
class Size:
    """How much there is in the end, and how much each night brings."""

    products: int = 1_000_000  # in their CSV after the last night
    posts: int = 200_000
    nights: int = 365
    new: int = 200  # products a night
    changed: int = 300
    gone: int = 50
    retried: int = 100  # locations of pictures a night
    posted: int = 150

    @property
    def ever(self) -> int:
        """Products that there ever were."""
        return self.products + self.gone * (self.nights - 1)


@dataclass(frozen=True)
class BigStore:
    """The store, and the CSV of the products for the night that comes next."""

    store: Store
    csv: Path


def big_store(folder: Path, size: Size) -> BigStore:
    """The store in `folder`, made there when it is not; that takes minutes and some GB."""
    made = BigStore(Store(folder / "store"), folder / "products.csv")
    done = folder / "made.json"
    if not done.exists():
        _make(made, folder, size)
        done.write_text(json.dumps(asdict(size)))
    return made


def _make(made: BigStore, folder: Path, size: Size) -> None:
    (folder / "ever").mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute("set enable_progress_bar = false")
        # All that ever was, as the project itself reads it.
        _run(con, "products", ever=size.ever, **_pace(size))
        _write_csv(con, folder / "ever.csv", "true")
        reading = Reading(PRODUCTS, DEFAULT)
        intake = take_in(folder / "ever.csv", PRODUCTS_SOURCE, reading, folder / "ever")
        con.from_parquet(str(intake.records)).create("records")
        _run(con, "posts", posts=size.posts, posted=size.posted, nights=size.nights, ever=size.ever)
        con.execute(_read("pictures"))
        con.execute(_read("shown"))
        for model in VOCABULARIES:
            _add_model(made.store, model)
        for night in range(size.nights):
            if night % 7 == 6:
                _engage(made.store, con, night)
            else:
                _tag(made.store, con, night, size)
        _write_csv(
            con, made.csv, f"came < {size.nights} and left_at is null and number % 20000 > 0"
        )
    publish(made.store, manifests.read_all(made.store))


def _pace(size: Size) -> dict[str, int]:
    return {
        "nights": size.nights,
        "new": size.new,
        "changed": size.changed,
        "gone": size.gone,
    }


def _add_model(store: Store, model: str) -> None:
    name, version = model.split("/")
    folder = store.model(name, version)
    folder.mkdir(parents=True)
    card = {
        "task": name,
        "created": START.isoformat(),
        "vocabulary": VOCABULARIES[model],
        "metrics": {"test": {"accuracy": dict.fromkeys(VOCABULARIES[model], 0.8)}},
    }
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    make_current(store, name, model)


def _tag(store: Store, con: duckdb.DuckDBPyConnection, night: int, size: Size) -> None:
    """The run of one night over the products; everything but a few hundred rows in the first."""
    run = _Run(store, "tag", PRODUCTS_SOURCE, TAGGER, START + timedelta(days=night))
    since = night - 1 if night % 7 == 0 else night
    run.look(con, "product", (since, night), size.retried, [TAGGER])
    params = {"since": since, "night": night}
    con.execute(_read("coming_products"), params)
    for table in ("products", "tags", "rejects"):
        run.write(table, con.sql(_read(table), params=params | {"at": run.at}))
    run.commit()


def _engage(store: Store, con: duckdb.DuckDBPyConnection, night: int) -> None:
    """The run of one night over the posts."""
    run = _Run(store, "engage", POSTS_SOURCE, CLASSIFIER, START + timedelta(days=night))
    since = night - 6
    run.look(con, "post", (since, night), 0, [TAGGER, CLASSIFIER])
    for table in ("posts", "engagement", "engagement_evaluation", "engagement_ladder"):
        name = "post_rows" if table == "posts" else table
        params = {"since": since, "night": night, "at": run.at}
        run.write(table, con.sql(_read(name), params=params))
    run.commit()


class _Run:
    """A run that writes what it is given."""

    def __init__(self, store: Store, job: str, source: str, model: str, at: datetime) -> None:
        self.at = at
        self._id = f"{at:%Y%m%dT%H%M%SZ}-0000"
        self._store = store
        self._said: dict[str, Any] = {"job": job, "source": source, "model": model}
        self._writers: dict[str, PartWriter] = {}

    def write(self, table: str, rows: Any) -> None:
        """Add the rows of a relation, or Arrow's."""
        schema = tags_schema(LABELS) if table == "tags" else TABLES[table]
        if table not in self._writers:
            writer = PartWriter(self._store, self._id, table, schema, ROWS_PER_PART)
            self._writers[table] = writer
        if isinstance(rows, duckdb.DuckDBPyRelation):
            for batch in rows.to_arrow_reader(50_000):
                self._writers[table].write(pa.Table.from_batches([batch]).select(schema.names))
        else:
            self._writers[table].write(rows)

    def look(
        self,
        con: duckdb.DuckDBPyConnection,
        kind: str,
        nights: tuple[int, int],
        retried: int,
        models: list[str],
    ) -> None:
        """Get and look at the pictures that came in these nights, in parts as a run makes them."""
        since, night = nights
        con.execute(
            "create or replace temp table coming as from pictures"
            " where kind = $kind and came between $since and $night order by place",
            {"kind": kind, "since": since, "night": night},
        )
        if retried and night:
            known = {"kind": kind, "night": night, "at": self.at}
            self.write("fetches", con.sql(_read("retried"), params=known | {"retried": retried}))
        [(count,)] = con.execute("select count(*) from coming").fetchall()
        for first in range(0, count, PICTURES_PER_PART):
            part = {"first": first, "last": first + PICTURES_PER_PART}
            for table in ("fetches", "pictures"):
                name = {"pictures": "decoded"}.get(table, table)
                self.write(table, con.sql(_read(name), params=part | {"at": self.at}))
            seen = con.sql(_read("seen"), params=part).fetchnumpy()
            for model in models:
                self._score(seen, model)
            self._flush()

    def _score(self, seen: dict[str, np.ndarray], model: str) -> None:
        pictures = [str(picture) for picture in seen["picture"]]
        if not pictures:
            return
        output = _output(seen, model)
        trained_on = seen["trained_on"].astype(bool)
        self.write("scores", score_rows(pictures, trained_on, output, model))
        self.write("predictions", prediction_rows(pictures, output, VOCABULARIES[model], model))
        self.write("embeddings", embedding_rows(pictures, output, model))

    def _flush(self) -> None:
        for writer in self._writers.values():
            writer.flush()

    def commit(self) -> None:
        """Make the run visible."""
        self._flush()
        parts = [part for writer in self._writers.values() for part in writer.parts]
        at = self.at.isoformat()
        manifest = Manifest(
            self._id, started=at, finished=at, version="0", parts=parts, seconds=60.0, **self._said
        )
        manifests.write(self._store, manifest)


def _output(seen: dict[str, np.ndarray], model: str) -> Output:
    """Scores whose highest is the label that is told, as sure as is told; and noise around it."""
    count = len(seen["picture"])
    rng = np.random.default_rng(int(seen["place"][0]))
    scores = {}
    for head, labels in VOCABULARIES[model].items():
        sure = seen.get(f"{head}_sure", seen["colour_sure"])
        code = seen.get(f"{head}_code", seen["colour_code"] % len(labels))
        noise = rng.random((count, len(labels)), np.float32)
        noise *= (0.9 * np.minimum(sure, 1 - sure))[:, None]
        noise[np.arange(count), code] = sure
        scores[head] = noise.astype(np.float32)
    return Output(scores, rng.standard_normal((count, EMBEDDING), np.float32))


def _write_csv(con: duckdb.DuckDBPyConnection, path: Path, which: str) -> None:
    con.execute(f"copy ({_read('csv').replace('$which', which)}) to '{path}' (header, quote '\"')")


def _run(con: duckdb.DuckDBPyConnection, name: str, **numbers: int) -> None:
    """Carry out a file that makes a table; what it needs to know are variables."""
    for key, value in numbers.items():
        con.execute(f"set variable {key} = {value}")
    con.execute(_read(name if name != "products" else "made"))


def _read(name: str) -> str:
    return (_SQL / f"{name}.sql").read_text(encoding="utf-8")
