"""Test accuracy of the tagger over five folds by picture group, on fashion-images.

    python tests/benchmarks/tagger_folds.py --out folds [--folds 0 1 2 3 4]

Each fold trains as `catalog train tagger` does, tests on another fifth of the groups, and leaves
its result in --out: a fold that is there is not trained again, so that an interrupted run goes on.
"""

import argparse
import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq
from measure import arguments, machine, table, verdict
from rows import fashion, image_root, labels_of
from taggers import WEIGHTS

from catalog.images.decoders import Decoder
from catalog.models.artefact import TEST_SCORES, load_card, sha256
from catalog.models.metrics import encode, score_head
from catalog.models.provenance import Origin
from catalog.models.settings import TrainSettings
from catalog.tagger_training import Example, train_tagger
from sql.files import write_text

FOLDS = 5
SMALL = 32  # pixels a side: only the fingerprint is wanted
STUDENT_95 = 2.776  # the two-sided 95 % point of Student's t with four degrees of freedom
BARS = {
    "gender": 0.89,
    "category": 0.995,
    "subcategory": 0.945,
    "product_type": 0.78,
    "colour": 0.65,
}


def main() -> None:
    """Train what is missing, then print the table."""
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    recipe = f"{options.backbone}-{options.image_size}"
    print(machine(), flush=True)
    for fold in options.folds:
        path = options.out / f"{recipe}-fold-{fold}.json"
        if not path.exists():
            write_text(path, json.dumps(train_fold(options, fold), indent=1))
            print(f"fold {fold} is in {path}", flush=True)
    results = [
        json.loads(path.read_text()) for path in sorted(options.out.glob(f"{recipe}-fold-*.json"))
    ]
    rows = [head_row(head, [result[head] for result in results]) for head in BARS]
    header = ("head", "n", "classes", "majority", "mean", "95 % interval", "each fold")
    print(table(header, rows))
    for head, bar in BARS.items():
        mean = statistics.mean(result[head]["accuracy"] for result in results)
        print(verdict(f"{head}, mean of {len(results)} folds:", mean, bar, least=True))


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the folds' results")
    parser.add_argument("--folds", type=int, nargs="+", default=list(range(FOLDS)))
    parser.add_argument("--backbone", default="mobilenetv2")
    parser.add_argument("--weights", help="default: MobileNetV2's in the data folder")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--fine-tune-layers", type=int)
    return parser.parse_args()


def head_row(head: str, folds: Sequence[Mapping[str, float]]) -> list[object]:
    """One line of the table, accuracies in percent; n counts a product once over all folds."""
    accuracies = [100 * fold["accuracy"] for fold in folds]
    mean = statistics.mean(accuracies)
    half = STUDENT_95 * statistics.stdev(accuracies) / FOLDS**0.5 if len(folds) == FOLDS else None
    return [
        head,
        int(sum(fold["n"] for fold in folds)),
        int(max(fold["classes"] for fold in folds)),
        f"{statistics.mean(100 * fold['majority'] for fold in folds):.1f}",
        f"{mean:.1f}",
        f"{mean - half:.1f} to {mean + half:.1f}" if half is not None else "needs all folds",
        " ".join(f"{accuracy:.1f}" for accuracy in accuracies),
    ]


def train_fold(options: argparse.Namespace, fold: int) -> dict[str, dict[str, float]]:
    """Train one fold; gives n, classes, majority baseline and accuracy of each head."""
    chosen = {
        "epochs": options.epochs,
        "fine_tune_layers": options.fine_tune_layers,
        "weights": options.weights or str(Path(options.data) / "weights" / WEIGHTS),
    }
    settings = TrainSettings(
        backbone=options.backbone,
        image_size=options.image_size,
        fold=fold,
        **{name: value for name, value in chosen.items() if value is not None},
    )
    csv = options.data / "fashion-images" / "fashion.csv"
    origin = Origin("folds", f"fold-{fold}", "fashion", sha256(csv))
    pictures = list(examples(options.data))
    with TemporaryDirectory() as scratch:
        places = [Path(scratch) / name for name in ("work", "kept", "model")]
        for place in places:
            place.mkdir()
        train_tagger(pictures, settings, *places, say, origin=origin)
        return dict(tested(places[-1], pictures))


def say(text: str) -> None:
    """Print a line of the training's progress at once."""
    print(text, flush=True)


def examples(data: Path) -> Iterator[Example]:
    """Every product of the set, as the training job takes it from the store."""
    with Decoder(SMALL) as decoder:
        for row in fashion(data):
            path = image_root(data) / row["Image"]
            yield Example(
                product=row["ProductId"],
                picture=sha256(path),
                path=path,
                labels=labels_of(row),
                fingerprint=str(decoder.decode(path).fingerprint),
                title=row["ProductTitle"],
            )


def tested(folder: Path, pictures: Sequence[Example]) -> Iterator[tuple[str, dict[str, float]]]:
    """The figures of each head over the products whose pictures the fold kept aside.

    Training keeps a picture once; here every product counts, also those that share a picture.
    """
    kept = pq.read_table(folder / TEST_SCORES).to_pylist()
    for head, labels in load_card(folder).vocabulary.items():
        scores = {row["picture"]: row["scores"] for row in kept if row["head"] == head}
        rows = [one for one in pictures if one.picture in scores and head in one.labels]
        truths = encode([one.labels[head] for one in rows], labels)
        found = np.array([scores[one.picture] for one in rows], np.float32)
        figures = score_head(head, labels, truths, found).as_dict()
        yield (
            head,
            {
                "n": figures["n"],
                "classes": figures["classes"],
                "majority": figures["majority"]["value"],
                "accuracy": figures["accuracy"],
            },
        )


if __name__ == "__main__":
    main()
