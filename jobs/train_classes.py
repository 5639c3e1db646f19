"""Training a recipe whose pictures have one class each: from folders or idx files to a model."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from catalog.class_settings import ClassSettings
from jobs.checkpoints import GoOn, going_on
from jobs.console import Console
from jobs.errors import BadInput
from jobs.recipe import Recipe, by_seeds
from jobs.report import write_index, write_model_report
from jobs.run import open_run
from jobs.settings import Settings, store_of
from jobs.training import Trained, check_weights, hush_tensorflow, keep, origin, outcome


@dataclass(frozen=True)
class Training:
    """One training of a recipe of classes on the data in a folder."""

    folder: Path
    train: ClassSettings
    recipe: Recipe

    @property
    def arguments(self) -> dict[str, Any]:
        """What the manifests say of it."""
        return {
            "recipe": self.recipe.name,
            "data": str(self.folder.absolute()),
            "train": asdict(self.train),
        }


def train(job: Training, settings: Settings, console: Console) -> Trained:
    """Train on what the folder has; the store is free while it trains."""
    since = time.monotonic()
    store = store_of(settings)
    if not job.train.small:
        check_weights(job.train)
    source = job.recipe.data.name
    if not job.folder.is_dir():
        raise BadInput(f"{job.folder} is not a folder", hint=f"its data: {job.recipe.data.where}")
    with open_run(store, "train", source):
        pass  # a store that can't be written is told before hours of training
    with (
        tempfile.TemporaryDirectory(prefix="vitrina-training-") as scratch,
        going_on(store) as go_on,
    ):
        one = partial(_train, go_on, job, console)
        folder = by_seeds(job.recipe, job.train, Path(scratch), one)
        write = partial(write_model_report, source=source, lang=settings.lang)
        trained = keep(store, folder, write, source, job.arguments, since, serve=False)
    write_index(store, settings.lang)
    return replace(trained, servable=False)


def _check_names(named: Sequence[str], found: Sequence[str]) -> None:
    """ValueError when a recipe names its classes, and the folder has others."""
    if named and set(named) != set(found):
        wanted, there = (", ".join(names)[:200] for names in (named, found))
        raise ValueError(f"its classes are {wanted}, and there are {there}")


def _train(
    go_on: GoOn, job: Training, console: Console, train: ClassSettings, scratch: Path
) -> Path:
    """The folder of the new model, complete, outside the store."""
    hush_tensorflow()
    # Loaded here, after the refusals: TensorFlow takes seconds.
    from catalog.class_folders import read_folders  # noqa: PLC0415
    from catalog.class_training import train_classes  # noqa: PLC0415
    from catalog.idx_files import is_idx, read_idx  # noqa: PLC0415

    work, folder = scratch / "work", scratch / "model"
    work.mkdir()
    folder.mkdir()
    classes: Sequence[str] = job.recipe.data.classes
    try:
        data = read_idx(job.folder, classes) if is_idx(job.folder) else read_folders(job.folder)
        _check_names(classes, data.classes)
        console.say(
            f"training {train.backbone} at {train.image_size} px on {data.train.count:,} pictures"
            f" of {len(data.classes)} classes, seed {train.seed}"
        )
        facts = {**outcome(train), "data": data.sha256, "classes": data.classes}
        train_classes(
            data,
            train,
            work,
            go_on(facts),
            folder,
            console.say,
            origin=origin(job.recipe.name, job.recipe.data.name, data.sha256),
        )
    except ValueError as error:
        raise BadInput(
            f"the recipe {job.recipe.name} can't be trained on {job.folder}: {error}",
            hint=f"its data: {job.recipe.data.where}",
        ) from error
    return folder
