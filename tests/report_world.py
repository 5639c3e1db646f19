"""A small store to report on, made of tables drawn here; its words can be made hostile."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from catalog.models.artefact import Card, hashes, save_card
from catalog.models.provenance import SAMPLE_SCHEMA, TEST_SCHEMA
from reports.results import RunFacts, RunReport, run_report
from sql.schemas import tags_schema

MODEL = "tagger/1"
VOCABULARY = {"category": ("Bag", "Shoe"), "colour": ("Red", "Green", "Blue")}
HOSTILE = (
    "<script>document.documentElement.dataset.ran = 1</script>",
    "</style><script>document.documentElement.dataset.ran = 1</script>",
    "<img src=x onerror='document.documentElement.dataset.ran = 1'>",
    '" autofocus onfocus="document.documentElement.dataset.ran = 1',
    "]]>--><svg onload=document.documentElement.dataset.ran=1>",
    "{{ 7 * 7 }} $x_1^2$ %s",
    "\N{RIGHT-TO-LEFT OVERRIDE}\N{ARABIC LETTER MEEM}\N{ARABIC LETTER REH} right to left",
    "n" * 300,
)

NOW = datetime(2026, 11, 22, 3, 15, tzinfo=UTC)


MODEL_BEFORE = "tagger/0"
RUN, BEFORE = "r1", "r0"
NEW = 5
"""Products that the newer run saw first."""


@dataclass(frozen=True)
class World:
    """What a report is drawn from."""

    connection: duckdb.DuckDBPyConnection
    run: RunFacts
    folder: Path
    pictures: Path
    vocabulary: Mapping[str, Sequence[str]]

    def picture(self, sha: str) -> Path:
        """Where a picture lies."""
        return self.pictures / sha

    def report(self, before: str | None = BEFORE) -> RunReport:
        """What the page of the run shows."""
        return run_report(self.connection, self.run, self.vocabulary, before)


def world(
    place: Path,
    *,
    products: int = 40,
    vocabulary: Mapping[str, Sequence[str]] = VOCABULARY,
    title: str = "A thing",
    trained: bool = False,
    reviewed: bool = False,
) -> World:
    """Make a store of `products` products; each fifth was trained on, or all if `trained`.

    The scores put most on the truth, but for each third product, where the colour is wrong. The
    run before said of each even product what is so, and of the others the next label; its model
    was trained on each seventh. Each fourth product's colour was not given by the shop. Where it is
    `reviewed` the model knows how sure is enough, and p2, p12, … show no product.
    """
    place.mkdir(parents=True, exist_ok=True)
    pictures = [keep_picture(place, number) for number in range(products)]
    connection = duckdb.connect()
    numbers = range(products)
    rows = _evaluations(products, vocabulary, trained)
    tags = _tags(products, vocabulary, pictures, reviewed)
    newest = {row["id"]: row for row in tags}
    tables = {
        "products": _products(products, vocabulary, title),
        "fetches": pa.table(
            {"location": [f"/shop/{number}" for number in numbers], "picture": pictures}
        ),
        "images": pa.table(
            {
                "picture": pictures,
                "outcome": ["ok"] * products,
                "width": [30] * products,
                "height": [40] * products,
                "fingerprint": [fingerprint(number) for number in numbers],
            }
        ),
        "evaluations": pa.Table.from_pylist(
            rows + _evaluations_before(products, vocabulary), _EVALUATIONS
        ),
        "tags": pa.Table.from_pylist(list(newest.values()), _tags_schema(vocabulary)),
        "history.tags": pa.Table.from_pylist(tags, _tags_schema(vocabulary)),
        "history.scores": pa.Table.from_pylist(
            [
                {"picture": pictures[int(row["id"][1:])]}
                | {name: row[name] for name in ("model", "head", "scores")}
                for row in rows
            ],
            _SCORES,
        ),
        "history.manifests": pa.table(
            {
                "run": [BEFORE, RUN],
                "started": ["2026-11-21T03:15:00+00:00", NOW.isoformat()],
                "model": [MODEL_BEFORE, MODEL],
            }
        ),
        "predictions": pa.table(
            {
                "picture": pictures,
                "model": [MODEL] * products,
                "head": ["colour"] * products,
                "rank": [1] * products,
                "label": [vocabulary["colour"][0]] * products,
                "score": [0.5] * products,
            }
        ),
        "failures": _failures(title),
        "rejects": _rejects(title),
    }
    connection.execute("create schema history")
    for name, table in tables.items():
        connection.register("given", table)
        connection.execute(f"create table {name} as select * from given")  # noqa: S608 - ours
        connection.unregister("given")
    connection.execute(f"create view labels as {_labels(vocabulary)}")
    counts = {"rows": products + 12, "accepted": products, "rejected": 12}
    counts |= {"pictures": products + 3, "fetched": products, "cached": 0, "failed": 3}
    counts |= {"products": products, "tagged": products - 1, "untagged": 1, "unchanged": 2}
    run = RunFacts(RUN, "shop", f"{title}.csv", NOW, 12.5, "0.1.0", MODEL, counts, (title,))
    folder = model_folder(place, vocabulary, decided=reviewed)
    return World(connection, run, folder, place, vocabulary)


def fingerprint(number: int) -> str:
    """What a picture looks like: those of each ten products in a row differ by a few bits only."""
    alone = np.random.default_rng(number // 10).integers(0, 256, 64, np.uint8)
    alone[0] ^= np.uint8(number % 10)
    return alone.tobytes().hex()


def _products(products: int, vocabulary: Mapping[str, Sequence[str]], title: str) -> pa.Table:
    rows = [
        {
            "source": "shop",
            "id": f"p{number}",
            "title": f"{title} {number}",
            "given": [
                (head, labels[number % len(labels)])
                for head, labels in vocabulary.items()
                if head != "colour" or number % 4
            ],
            "pictures": [f"/shop/missing{number}", f"/shop/{number}"],
            "extra": [("Brand", f"{title} brand {number % 3}" if number % 8 else ""), ("n", "1")],
            "gone": False,
            "run": RUN if number >= products - NEW else BEFORE,
        }
        for number in range(products)
    ]
    return pa.Table.from_pylist(rows, _PRODUCTS)


def _tags(
    products: int,
    vocabulary: Mapping[str, Sequence[str]],
    pictures: Sequence[str],
    reviewed: bool,
) -> list:
    """Rows of both runs; the newer one wrote none for the odd products that were there before."""
    old = [
        _tag(number, vocabulary, pictures, BEFORE, MODEL_BEFORE, "new", number % 2)
        for number in range(products - NEW)
    ]
    changed = [
        _tag(number, vocabulary, pictures, RUN, MODEL, "model", number % 3 == 0)
        for number in range(0, products - NEW, 2)
    ]
    new = [
        _tag(number, vocabulary, pictures, RUN, MODEL, "new", number % 3 == 0)
        for number in range(products - NEW, products)
    ]
    rows = old + changed + new
    return [row | _review(row, vocabulary) for row in rows] if reviewed else rows


def _review(row: dict, vocabulary: Mapping[str, Sequence[str]]) -> dict:
    """What a model says of a row that accepts what it is 0.5 sure of."""
    said = {
        f"{head}_review": row[f"{head}_given"] is None and row[f"{head}_confidence"] < 0.5
        for head in vocabulary
    }
    return said | {"not_a_product": int(row["id"][1:]) % 10 == 2}


def _tags_schema(vocabulary: Mapping[str, Sequence[str]]) -> pa.Schema:
    return tags_schema(vocabulary).append(pa.field("run", pa.string()))


def _labels(vocabulary: Mapping[str, Sequence[str]]) -> str:
    """The view of labels, which stands on the tags."""
    ends = ("given", "predicted", "confidence", "review")
    return " union all ".join(
        f"select source, id, '{head}' as attribute, {head} as label,"  # noqa: S608 - ours
        f" {', '.join(f'{head}_{end} as {end}' for end in ends)} from tags"
        for head in vocabulary
    )


def _tag(
    number: int,
    vocabulary: Mapping[str, Sequence[str]],
    pictures: Sequence[str],
    run: str,
    model: str,
    cause: str,
    off: int,
) -> dict:
    """One row: it predicts the truth, or the colour that is `off` places after it."""
    row = {"source": "shop", "id": f"p{number}", "model": model, "cause": cause, "run": run}
    row |= {"tagged": number != 1, "pictures": [pictures[number]]}
    for head, labels in vocabulary.items():
        truth = labels[number % len(labels)]
        guess = labels[(number + (off if head == "colour" else 0)) % len(labels)]
        given = None if head == "colour" and number % 4 == 0 else truth
        row |= {f"{head}_given": given, f"{head}_predicted": guess, head: given or guess}
        row[f"{head}_confidence"] = 0.25 if number < 8 else 0.75
    return row


def model_folder(
    place: Path, vocabulary: Mapping[str, Sequence[str]], *, decided: bool = False
) -> Path:
    """A model's folder with all the evidence of a training, and no network.

    Its card says how labels are `decided`, or is older than that.
    """
    folder = place / "model"
    folder.mkdir()
    pair = {"loss": 0.5, "val_loss": 0.75, "accuracy": 0.9, "val_accuracy": 0.625}
    epochs = [{"epoch": 1, **pair, "heads": dict.fromkeys(vocabulary, pair)}] * 3
    phases = [{"phase": "heads", "epochs": epochs}, {"phase": "fine-tuning", "epochs": epochs[:1]}]
    (folder / "history.json").write_text(json.dumps({"phases": phases}))
    (folder / "summary.txt").write_text(f"layers </pre>{HOSTILE[0]}")
    rows = [
        {"picture": row["id"], "id": row["id"], **{k: row[k] for k in ("head", "truth", "scores")}}
        for row in _evaluations(20, vocabulary, trained=False)
    ]
    pq.write_table(pa.Table.from_pylist(rows, TEST_SCHEMA), folder / "test_scores.parquet")
    sample = [
        {"picture": "aa", "id": HOSTILE[3], "labels": [("colour", HOSTILE[0])], "png": _png(9)}
    ]
    pq.write_table(pa.Table.from_pylist(sample, SAMPLE_SCHEMA), folder / "sample.parquet")
    accuracy = dict.fromkeys(vocabulary, 0.75)
    card = Card(
        task="tagger",
        name="tagger",
        version="1",
        created="2026-11-22T03:00:00+00:00",
        vocabulary={head: tuple(labels) for head, labels in vocabulary.items()},
        image_size=32,
        backbone="cnn",
        weights="none",
        embedding_size=8,
        settings={},
        trained_on={"source": "shop", "csv_sha256": "ab" * 32, "products": 1234},
        split={"rule": "by group", "sides": {"test": {"pictures": 20, "groups": 18}}},
        metrics={
            "train": {"loss": 1.0, "accuracy": dict.fromkeys(vocabulary, 0.875)},
            "heads": {head: {"n": 200, "accuracy": 0.75} for head in vocabulary},
            "whole_row": {"right": 90, "n": 200},
            "validation": {"loss": 1.5, "accuracy": accuracy},
            "test": {"loss": 1.75, "accuracy": accuracy},
            **(decided_metrics(vocabulary) if decided else {}),
        },
        decisions=decisions(vocabulary) if decided else {},
        files=hashes(folder),
        parameters=12345,
        versions={},
        notes=(HOSTILE[1],),
    )
    save_card(folder, card)
    return folder


def decisions(vocabulary: Mapping[str, Sequence[str]]) -> dict:
    """A card's decisions: its heads go together; the first has a line, the second can have none."""
    thresholds = dict(zip(vocabulary, (0.875, None), strict=False))
    return {
        "together": list(vocabulary),
        "combinations": [[labels[0] for labels in vocabulary.values()]],
        "lines": {
            head: {"threshold": threshold, "share": 0.5, "n": 150}
            for head, threshold in thresholds.items()
        },
    }


def decided_metrics(vocabulary: Mapping[str, Sequence[str]]) -> dict:
    """A card's figures of what is decided so: 160 of 200 right in each head, 110 in all."""
    nothing = {"right": 0, "n": 0}
    accepted = [
        {"accepted": {"right": 120, "n": 200}, "accepted_right": {"right": 108, "n": 120}},
        {"accepted": {"right": 0, "n": 200}, "accepted_right": nothing},
    ]
    heads = {head: {"right": 160, "n": 200, "ece": 0.0625} for head in vocabulary}
    for head, said in zip(vocabulary, accepted, strict=False):
        heads[head] |= said
    return {
        "decided": {"heads": heads, "whole_row": {"right": 110, "n": 200}},
        "temperatures": {head: 1.25 if head == "colour" else None for head in vocabulary},
    }


def keep_picture(place: Path, number: int) -> str:
    """Draw a picture, the same for the same number, and keep it by its SHA-256."""
    data = _png(number)
    name = sha256(data).hexdigest()
    (place / name).write_bytes(data)
    return name


def _png(number: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (30, 40), (number * 6 % 256, 90, 160)).save(file, "PNG")
    return file.getvalue()


def _evaluations(products: int, vocabulary: Mapping[str, Sequence[str]], trained: bool) -> list:
    return [
        {
            "source": "shop",
            "id": f"p{number}",
            "model": MODEL,
            "head": head,
            "truth": labels[number % len(labels)],
            "scores": _scores(labels, number + (head == "colour" and number % 3 == 0)),
            "trained_on": trained or number % 5 == 0,
        }
        for number in range(products)
        for head, labels in vocabulary.items()
    ]


def _scores(labels: Sequence[str], guess: int) -> np.ndarray:
    scores = np.full(len(labels), 0.3 / max(len(labels) - 1, 1), np.float32)
    scores[guess % len(labels)] = 0.7
    return scores


def _failures(word: str) -> pa.Table:
    row = {"kind": "product", "source": "shop", "id": word, "host": "shop.example", "attempts": 3}
    rows = [
        {"location": word, "stage": "fetch", "reason": "not_found", "dead": True, "next_try": None},
        {"location": "b", "stage": "fetch", "reason": "timeout", "dead": False, "next_try": NOW},
        {
            "location": "c",
            "stage": "decode",
            "reason": "truncated",
            "dead": False,
            "next_try": None,
        },
    ]
    rows.append(rows[0] | {"kind": "post"})  # is none of a product's report
    return pa.Table.from_pylist([row | each for each in rows])


def _rejects(word: str) -> pa.Table:
    row = {"kind": "product", "source": "shop", "first_line": None, "column": "id", "detail": word}
    rows = [{"line": line, "reason": "id_empty"} for line in range(2, 13)]
    rows.append({"line": 20, "first_line": 3, "reason": "duplicate_id", "column": None})
    rows.append(rows[0] | {"kind": "post"})  # as above
    return pa.Table.from_pylist([row | each for each in rows])


def _evaluations_before(products: int, vocabulary: Mapping[str, Sequence[str]]) -> list:
    rows = _evaluations(products - NEW, vocabulary, trained=False)
    return [
        row | {"model": MODEL_BEFORE, "trained_on": int(row["id"][1:]) % 7 == 0} for row in rows
    ]


_PRODUCTS = pa.schema(
    {
        "source": pa.string(),
        "id": pa.string(),
        "title": pa.string(),
        "given": pa.map_(pa.string(), pa.string()),
        "pictures": pa.list_(pa.string()),
        "extra": pa.map_(pa.string(), pa.string()),
        "gone": pa.bool_(),
        "run": pa.string(),
    }
)
_SCORES = pa.schema(
    {
        "picture": pa.string(),
        "model": pa.string(),
        "head": pa.string(),
        "scores": pa.list_(pa.float32()),
    }
)
_EVALUATIONS = pa.schema(
    {
        "source": pa.string(),
        "id": pa.string(),
        "model": pa.string(),
        "head": pa.string(),
        "truth": pa.string(),
        "scores": pa.list_(pa.float32()),
        "trained_on": pa.bool_(),
    }
)
