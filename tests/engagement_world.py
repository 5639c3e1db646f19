"""A small store of posts to report on, and a review of them whose every figure is another."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import duckdb

from catalog.models.artefact import load_card, save_card
from catalog.models.calibration import Bin
from engagement.findings import (
    Auc,
    Curves,
    Cutoff,
    Evaluation,
    Finding,
    Note,
    Review,
    Rung,
    Split,
    SplitFacts,
)
from reports.results import RunFacts
from sql.manifests import read_all
from sql.publish import publish
from sql.store import Store
from tests.report_world import HOSTILE, NOW, keep_picture, model_folder
from tests.warehouse import add_rows, add_run

MODEL = "engagement/1"
LOTS = {"wrong": 20, "right": 20, "unknown": 10, "seen": 5}
"""Scored posts of each lot; five more have no picture."""

INSIDE = Auc(0.6117, 0.5628, 0.6539, 1912, 38)
REVIEW = Review(
    rule="likes > 10000",
    split=SplitFacts(Split.ACCOUNT, Split.ACCOUNT, 5, None),
    finding=Finding("better", INSIDE),
    notes=(Note("few_accounts", n=3),),
    ladder=(
        Rung("majority", Auc(0.5, None, None, 2011, 39), Auc(0.5, None, None, 1912, 38)),
        Rung("followers only", Auc(0.853, 0.812, 0.894, 2011, 39), Auc(0.5, 0.5, 0.5, 1912, 38)),
        Rung(
            "picture only", Auc(0.623, 0.574, 0.665, 2011, 39), Auc(0.611, 0.562, 0.653, 1912, 38)
        ),
    ),
    evaluation=Evaluation(
        n=2011,
        high=905,
        precision=0.5821,
        recall=0.6142,
        f1=0.5978,
        accuracy=0.6023,
        majority=0.5499,
        roc_auc=Auc(0.6234, 0.5745, 0.6656, 2011, 39),
        inside=INSIDE,
        pr_auc=0.5713,
        brier=0.2331,
        ece=0.0261,
        confusion=((655, 451), (349, 556)),
        reliability=(Bin(0.3127, 0.2914, 1006), Bin(0.5849, 0.6083, 1005)),
        always=None,
    ),
    curves=Curves(
        roc=((0.0, 0.0), (0.1, 0.17), (0.3, 0.41), (1.0, 1.0)),
        recalls=((0.01, 0.83), (0.44, 0.61), (1.0, 0.45)),
        cutoffs=(
            Cutoff(0.2311, 0.2311, 1809, 0.4738, 0.9471, 0.6316),
            Cutoff(0.6713, 0.6713, 202, 0.6634, 0.1481, 0.2421),
        ),
        frozen=Cutoff(0.4127, 0.5238, 1007, 0.5521, 0.6144, 0.5816),
        heads=2,
    ),
    unknown={"hidden": 171, "too_young": 42, "account_hides": 9},
    labelled=2017,
    high=907,
)
METADATA = replace(
    REVIEW,
    finding=Finding("metadata"),
    ladder=REVIEW.ladder[:2],
    evaluation=None,
    curves=None,
)


@dataclass(frozen=True)
class PostWorld:
    """What a report of posts is drawn from."""

    connection: duckdb.DuckDBPyConnection
    run: RunFacts
    folder: Path
    place: Path

    def picture(self, sha: str) -> Path:
        """Where a picture lies."""
        return self.place / sha


def post_world(place: Path, words: Sequence[str] = ("A post",), lots=LOTS) -> PostWorld:
    """Make a store of scored posts, lot by lot, whose every word is one of `words`."""
    place.mkdir(parents=True, exist_ok=True)
    store = Store(place / "store")
    names = [(lot, number) for lot, count in lots.items() for number in range(count)]
    pictures = [keep_picture(place, number) for number in range(len(names))]
    told = [words[number % len(words)] for number in range(len(names))]
    posts = [
        {"id": f"{lot}{number}", "account": word, "caption": word, "likes": 12_000 + number}
        for (lot, number), word in zip(names, told, strict=True)
    ]
    lost = {"id": words[0], "pictures": ["https://shop.example/lost.jpg"]}
    engagement = [_decided(*name, sha) for name, sha in zip(names, pictures, strict=True)]
    engagement += [{"id": f"bare{number}", "label": "low", "bar": 10_500.0} for number in range(5)]
    posts += [{"id": row["id"]} for row in engagement[len(posts) :]]
    failed = {"location": lost["pictures"][0], "outcome": "failed", "dead": True}
    refused = [
        {"line": 20, "first_line": 3, "reason": "duplicate_id"},
        {"line": 7, "reason": "id_empty", "column": "post_id", "detail": words[-1]},
    ]
    writers = [
        add_rows(store, "1", "posts", [*posts, lost]),
        add_rows(store, "1", "engagement", engagement),
        add_rows(store, "1", "fetches", [failed | {"reason": "not_found", "host": words[0]}]),
        add_rows(store, "1", "rejects", refused),
    ]
    add_run(store, "1", *writers, job="engage")
    # The same source as products: none of it belongs into a report of posts.
    products = add_rows(store, "2", "products", [{"id": "p", "pictures": lost["pictures"]}])
    add_run(store, "2", products, add_rows(store, "2", "rejects", [{"reason": "no_columns"}]))
    publish(store, read_all(store))
    connection = duckdb.connect(str(store.database), read_only=True)
    counts = {"rows": 2233, "accepted": 2231, "rejected": 2}
    counts |= {"pictures": 2229, "fetched": 2101, "cached": 127, "failed": 1, "unchanged": 4}
    counts |= {"posts": 2231, "scored": 2230, "unscored": 1, "labelled": 2009, "unknown": 222}
    run = RunFacts("r1", "shop", f"{words[0]}.csv", NOW, 12.5, "0.1.0", MODEL, counts, (words[-1],))
    return PostWorld(connection, run, classifier_folder(place), place)


def classifier_folder(place: Path) -> Path:
    """A classifier's folder with all the evidence of a training, and no network."""
    folder = model_folder(place, {"engagement": ("low", "high")})
    before, after = Auc(0.5931, 0.5412, 0.6443, 401, 8), Auc(0.6044, 0.5535, 0.6556, 401, 8)
    card = load_card(folder)
    changed = replace(
        card,
        task="engagement",
        name="engagement",
        vocabulary=dict.fromkeys(("engagement", "fold_1", "fold_2"), ("low", "high")),
        settings={
            "policy": "float32",
            "epochs": 40,
            "fine_tune_layers": 50,
            "rule": "likes > 10000",
            "min_age_hours": 48.0,
            "bars": {"engagement": 10_000.0, "fold_1": 10_000.0, "fold_2": 10_000.0},
            "thresholds": {"engagement": 0.4127, "fold_1": 0.4127, "fold_2": 0.5238},
        },
        metrics=dict(card.metrics)
        | {
            "fine_tuning": {
                "kept": True,
                "tested_on": "fold_1",
                "frozen": asdict(before),
                "classifier": asdict(after),
            }
        },
        notes=(*card.notes, *HOSTILE),
    )
    save_card(folder, changed)
    return folder


def _decided(lot: str, number: int, picture: str) -> dict:
    """The row of a scored post: the wrong ones are surer the greater their number."""
    score = 0.5 - 0.01 * (number + 1)
    return {
        "id": f"{lot}{number}",
        "label": {"wrong": "high", "unknown": None}.get(lot, "low"),
        "reason": "hidden" if lot == "unknown" else None,
        "score": score,
        "threshold": 0.5,
        "guess": "low",
        "head": "fold_1",
        "evaluated": lot in {"wrong", "right"},
        "model": MODEL,
        "bar": 10_000.0,
        "pictures": [picture],
    }
