"""What the report of a run over 100,000 products costs: time, memory, and the page's size.

    python tests/benchmarks/report_scale.py [--products 100000]

The products have five attributes and up to 140 classes, half of them all labels; their store has
two nights and is made first, which does not count. Then a process of its own gathers the report as
`catalog tag` does at its end, keeps it, gives it back, and draws it in both languages. All pictures
of the page are copies of one, of 800 by 1,000 pixels.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from big_store import LABELS, PRODUCTS_SOURCE, TAGGER, VOCABULARIES, Size, big_store
from measure import MIB, arguments, machine, measured, scratch, table, verdict
from PIL import Image

from catalog.models.artefact import Card, hashes, save_card
from jobs.run import LIMITS
from reports.draw import draw_run
from reports.language import LANGUAGES, language
from reports.results import RunFacts, RunReport, run_report
from reports.stored import as_rows, restore
from sql.database import create_views
from sql.manifests import read_all
from sql.store import Store

EPOCHS = 30
BYTES = 5_000_000


def main() -> None:
    """Make the store, measure a process that draws, and print the table and the bounds."""
    parser = arguments(__doc__)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--draw", action="store_true", help="be the process that is measured")
    options = parser.parse_args()
    if options.draw:
        draw(options.work)
        return
    place = machine()
    with scratch(options.work) as work:
        size = Size(options.products, posts=1_000, nights=2, retried=10, posted=10)
        store = big_store(work, size).store
        _give_looks(store)
        _add_evidence(store.model(*TAGGER.split("/")))
        Image.effect_noise((800, 1000), 90).convert("RGB").save(work / "picture.jpg")
        draw_it = [sys.executable, __file__, "--draw", "--work", work]
        cost = measured(draw_it, memory=True)
        sizes = [(work / f"{code}.html").stat().st_size for code in LANGUAGES]
    print(place)
    print(f"{cost.output}{cost.cpu_seconds:.1f} CPU seconds in all")
    print(verdict("seconds, start-up and both pages:", cost.seconds, 60, least=False))
    print(verdict("peak MB:", cost.peak_bytes / 1e6, 500, least=False))
    print(verdict("MB of HTML:", max(sizes) / 1e6, BYTES / 1e6, least=False))


def draw(work: Path) -> None:
    """Gather, keep, restore and draw; prints what each took."""
    store, steps = Store(work / "store"), Steps()
    with duckdb.connect(config=LIMITS | {"temp_directory": str(work / "spill")}) as connection:
        with steps.timed("views"):
            create_views(connection, store, read_all(store))
        before, run = read_all(store)
        with steps.timed("gather"):
            report = run_report(connection, _facts(run.id), VOCABULARIES[TAGGER], before.id)
    with steps.timed("keep and restore"):
        report = _kept(report, steps)
    folder = store.model(*TAGGER.split("/"))
    for code in LANGUAGES:
        with steps.timed(f"draw, {code}"):
            page = draw_run(report, folder, lambda _: work / "picture.jpg", language(code))
        (work / f"{code}.html").write_text(page, encoding="utf-8")
        steps.rows.append((f"{code}.html, MiB", len(page.encode()) / MIB))
    print(table(("step", "seconds or MiB"), steps.rows))


class Steps:
    """What each step took."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float]] = []

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Note how many seconds the block takes."""
        started = time.perf_counter()
        yield
        self.rows.append((name, time.perf_counter() - started))


def _kept(report: RunReport, steps: Steps) -> RunReport:
    """The report as the table gives it back."""
    rows = as_rows("tag", report.run.source, report)
    rows = [row | {"run": report.run.id} for row in rows]
    steps.rows.append(("kept as JSON, MiB", sum(len(row["value"]) for row in rows) / MIB))
    with duckdb.connect() as connection:
        connection.execute("create schema history")
        connection.register("given", pa.Table.from_pylist(rows))
        connection.execute("create table history.results as from given")
        return restore(connection, report.run.id, "tag", RunReport)


def _facts(run: str) -> RunFacts:
    counts = {"rows": 100_000, "accepted": 99_980, "rejected": 20, "unchanged": 99_480}
    counts |= {"pictures": 110_000, "fetched": 200, "cached": 108_000, "failed": 1_800}
    counts |= {"products": 99_980, "tagged": 99_000, "untagged": 980}
    now = datetime.now(UTC)
    return RunFacts(run, PRODUCTS_SOURCE, "products.csv", now, 60.0, "0", TAGGER, counts)


def _give_looks(store: Store) -> None:
    """Give the pictures fingerprints as a shop's have them: variations of some, a few near copies.

    Two of one look differ in a fifth of 512 bits, each twentieth picture in 3 from the one before.
    """
    rng = np.random.default_rng(1)
    looks = rng.integers(0, 2, (64, 512), np.uint8)
    for path in sorted(store.root.glob("pictures/*/*.parquet")):
        part = pq.read_table(path)
        count = len(part)
        bits = looks[rng.integers(0, len(looks), count)] ^ (rng.random((count, 512)) < 0.12)
        bits[20::20] = bits[19:-1:20]
        bits[20::20, :3] ^= 1
        shown = [row.tobytes().hex() for row in np.packbits(bits, axis=1)]
        place = part.schema.get_field_index("fingerprint")
        part = part.set_column(place, part.schema.field(place), pa.array(shown))
        pq.write_table(part, path, compression="zstd")


def _add_evidence(folder: Path) -> None:
    """Give the store's tagger, which is but a card, the history of a training."""
    rng = np.random.default_rng(1)
    names = ("loss", "val_loss", "accuracy", "val_accuracy")
    epochs = [
        {
            "epoch": epoch,
            **dict.fromkeys(names, 0.5),
            "heads": {
                head: dict(zip(names, rng.random(4).tolist(), strict=True)) for head in LABELS
            },
        }
        for epoch in range(1, EPOCHS + 1)
    ]
    phases = [{"phase": "heads", "epochs": epochs}, {"phase": "fine-tuning", "epochs": epochs}]
    (folder / "history.json").write_text(json.dumps({"phases": phases}))
    accuracy = dict.fromkeys(LABELS, 0.8)
    made = Card(
        task="tagger",
        name="tagger",
        version="1",
        created="2025-01-01T02:30:00+00:00",
        vocabulary={head: tuple(labels) for head, labels in VOCABULARIES[TAGGER].items()},
        image_size=224,
        backbone="mobilenetv2",
        weights="imagenet",
        embedding_size=128,
        settings={},
        trained_on={"source": PRODUCTS_SOURCE, "products": 80_000},
        split={"rule": "by group", "sides": {}},
        metrics={side: {"loss": 1.0, "accuracy": accuracy} for side in ("train", "test")},
        files={},
        parameters=2_500_000,
        versions={},
        notes=(),
    )
    save_card(folder, replace(made, files=hashes(folder)))


if __name__ == "__main__":
    main()
