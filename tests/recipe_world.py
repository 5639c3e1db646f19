"""Folders of models of classes, as a recipe leaves them, but without a network: drawn here."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from catalog.models.artefact import Card, hashes, load_card, save_card
from catalog.models.metrics import Share
from catalog.models.provenance import SAMPLE_SCHEMA, TEST_PICTURES_SCHEMA, TEST_SCHEMA

LABELS = ("T-shirt/top", "Trouser", "Pullover", "Sneaker")
SPANISH = {
    "T-shirt/top": "Camiseta",
    "Trouser": "Pantalón",
    "Pullover": "Jersey",
    "Sneaker": "Zapatilla",
}
WRONG = 8
"""Each so many-th test picture is taken for the next class."""


def class_folder(
    place: Path,
    labels: Sequence[str] = LABELS,
    *,
    names: Mapping[str, str] = SPANISH,
    tested: int = 200,
    recipe: str = "small-cnn",
    source: str = "about .91",
    png: Sequence[bytes] = (),
) -> Path:
    """Make the folder of a model of one head, tested on so many pictures, in three seeds.

    24 of them are kept to be looked at, each half of which is wrong; they, and the pictures that
    were trained on, are `png`, or grey ones of 28 pixels a side.
    """
    folder = place / "classes"
    folder.mkdir(parents=True)
    png = png or [grey_png(number) for number in range(12)]
    rows = [_row(number, labels) for number in range(tested)]
    wrong = [number for number in range(tested) if number % WRONG == 0]
    right = [number for number in range(tested) if number % WRONG]
    shown = [
        {**{name: rows[number][name] for name in ("picture", "id")}, "png": png[number % len(png)]}
        for number in (*wrong[:12], *right[:12])
    ]
    sample = [
        {
            "picture": f"train {number}",
            "id": f"train {number}",
            "labels": [("class", labels[number % len(labels)])],
            "png": png[number % len(png)],
        }
        for number in range(6)
    ]
    write_table(folder / "test_scores.parquet", rows, TEST_SCHEMA)
    write_table(folder / "test_pictures.parquet", shown, TEST_PICTURES_SCHEMA)
    write_table(folder / "sample.parquet", sample, SAMPLE_SCHEMA)
    pair = {"loss": 0.5, "val_loss": 0.75, "accuracy": 0.9, "val_accuracy": 0.85}
    epochs = [{"epoch": 1, **pair, "heads": {"class": pair}}] * 3
    phases = [{"phase": "heads", "epochs": epochs}, {"phase": "fine-tuning", "epochs": epochs[:1]}]
    (folder / "history.json").write_text(json.dumps({"phases": phases}))
    (folder / "summary.txt").write_text("layers")
    share = Share(len(right), tested)
    side = {"examples": tested, "pictures": tested}
    card = Card(
        task="classes",
        name="classes",
        version="1",
        created="2026-11-22T03:00:00+00:00",
        vocabulary={"class": tuple(labels)},
        image_size=28,
        backbone="cnn",
        weights="none",
        embedding_size=8,
        settings={
            "channels": 1,
            "policy": "mixed_float16",
            "class_names": {"es": dict(names)},
            "recipe": {
                "name": recipe,
                "variant": "faithful",
                "title": "A small network",
                "source": source,
                "published": 0.91,
                "least": 0.87,
            },
        },
        trained_on={
            "source": "shop",
            "data": "idx files",
            "data_sha256": "ab" * 32,
            "pictures": 1234,
        },
        split={"rule": "by group", "sides": dict.fromkeys(("train", "validation", "test"), side)},
        metrics={
            "train": {"loss": 0.1, "accuracy": {"class": 0.9}},
            "validation": {"loss": 0.2, "accuracy": {"class": 0.88}},
            "test": {"loss": 0.3, "accuracy": {"class": share.value}},
            "heads": {"class": {"n": tested}},
            "seeds": [
                {"seed": seed, **_said(Share(share.right - 2 * seed, tested))} for seed in range(3)
            ],
            "after_phase": [
                {"phase": "heads", **_said(Share(share.right - tested // 20, tested))},
                {"phase": "fine-tuning", **_said(share)},
            ],
        },
        files=hashes(folder),
        parameters=12345,
        versions={},
        notes=(),
    )
    save_card(folder, card)
    return folder


def with_card(folder: Path, **changes: Any) -> Path:
    """Change what the card of a folder says, and name its files anew."""
    card = load_card(folder)
    save_card(folder, replace(card, files=hashes(folder), **changes))
    return folder


def write_table(path: Path, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> None:
    """Write a table of a model's folder."""
    pq.write_table(pa.Table.from_pylist(list(rows), schema), path)


def grey_png(number: int, side: int = 28) -> bytes:
    """A grey picture, the same for the same number."""
    pixels = np.random.default_rng(number).integers(0, 256, (side, side), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _row(number: int, labels: Sequence[str]) -> dict[str, Any]:
    truth = number % len(labels)
    guess = (truth + (number % WRONG == 0)) % len(labels)
    scores = np.full(len(labels), 0.25 / (len(labels) - 1), np.float32)
    scores[guess] = 0.75
    name = f"t {number}"
    return {
        "picture": name,
        "id": name,
        "head": "class",
        "truth": labels[truth],
        "scores": scores,
    }


def _said(share: Share) -> dict[str, Any]:
    return {"right": share.right, "n": share.n, "value": share.value, "interval": share.interval}
