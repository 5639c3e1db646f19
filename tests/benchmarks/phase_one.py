"""Ten epochs of phase one: with the frozen features computed once, and the naive way.

    python tests/benchmarks/phase_one.py [--pictures 1000]

Both ways begin with the same laid-out pictures and the same frozen MobileNetV2, and end with ten
epochs of the same head; the naive way sends every picture through the backbone in every epoch.
"""

import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
from measure import arguments, machine, table, verdict
from simulated_posts import laid_out, read_posts, settings

from catalog.models.schedules import exponential
from catalog.models.sides import FlatSide
from catalog.models.training import (
    Known,
    Lesson,
    frozen,
    joined,
    learn_heads,
    learn_whole,
    pooled,
    standardiser,
)
from engagement.classes import HEAD
from engagement.classifier import Head, trunk

EPOCHS = 10
VALIDATION = 8  # one picture in so many


def main() -> None:
    """Measure both ways and print the ratio."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--pictures", type=int, default=1000)
    options = parser.parse_args()
    print(machine(), flush=True)
    posts = read_posts(options.data / "posts-simulated" / "posts_effect.csv")[: options.pictures]
    files = [Path(location) for location in posts["location"]]
    high = (posts["likes"] > posts["likes"].median()).to_numpy()
    chosen = replace(settings(options.data), epochs=EPOCHS)
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        validation = np.arange(len(files)) % VALIDATION == 0
        sides = {
            name: laid_out(
                [file for file, wanted in zip(files, where, strict=True) if wanted],
                folder / name,
                chosen,
                high[where],
            )
            for name, where in (("train", ~validation), ("validation", validation))
        }
        lesson = Lesson(
            sides["train"],
            sides["validation"],
            chosen,
            folder,
            lambda _: None,
            exponential,
            "log_loss",
        )
        cached, naive = seconds(once, lesson, sides), seconds(every_epoch, lesson, sides)
    rows = [["features once", cached, 1.0], ["naive", naive, naive / cached]]
    print(table(("ten epochs of phase one", "seconds", "ratio"), rows))
    print(verdict("features once, as a share of naive:", cached / naive, 0.2, least=False))


def seconds(way: object, lesson: Lesson, sides: dict[str, FlatSide]) -> float:
    """Wall time of one way, with a backbone of its own that is there already."""
    backbone = trunk(lesson.settings)
    started = time.perf_counter()
    way(backbone, lesson, sides)  # type: ignore[operator]
    return time.perf_counter() - started


def once(backbone: object, lesson: Lesson, sides: dict[str, FlatSide]) -> None:
    """As `catalog train engagement` does it."""
    still = frozen(backbone)
    known = {
        name: Known(pooled(still, side, lesson.settings), side.targets)
        for name, side in sides.items()
    }
    head = Head(HEAD, standardiser(known["train"].features))
    curve = learn_heads("heads", head, known["train"], known["validation"], lesson)
    assert len(curve["epochs"]) == EPOCHS


def every_epoch(backbone: object, lesson: Lesson, _: dict[str, FlatSide]) -> None:
    """As one would write it first: fit the whole network, whose backbone is frozen."""
    frozen(backbone)
    standard = standardiser(np.zeros((2, backbone.features.output.shape[-1]), np.float32))
    learned = joined(backbone, Head(HEAD, standard))
    learn_whole(learned, backbone, lesson)
    assert len(learned.phases[0]["epochs"]) == EPOCHS


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    main()
