"""`catalog train tagger products.csv`: pictures first, then a model that carries its evidence."""

import tempfile
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from catalog.intake import Intake
from catalog.models.artefact import sha256
from catalog.models.settings import TrainSettings
from jobs.console import Console
from jobs.errors import BadInput
from jobs.inputs import Catalogue
from jobs.models import TAGGER, find_model
from jobs.recipe import Recipe, by_seeds
from jobs.report import write_index, write_model_report
from jobs.settings import Settings, store_of
from jobs.training import Trained, check_weights, get_pictures, hush_tensorflow, keep, origin
from sql import statements
from sql.store import Store

FEWEST_LABELLED = 100  # products; fewer leave nothing to test on


@dataclass(frozen=True)
class Training:
    """One call of `catalog train tagger`."""

    catalogue: Catalogue
    train: TrainSettings
    refetch: bool = False
    recipe: Recipe | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """What the manifests say of it."""
        named = {"recipe": self.recipe.name} if self.recipe else {}
        return {"csv": str(self.catalogue.csv.absolute()), "train": asdict(self.train), **named}

    def check(self, _: duckdb.DuckDBPyConnection, intake: Intake) -> None:
        """BadInput when there is too little to learn from."""
        labelled = max(intake.labelled.values(), default=0)
        if labelled < FEWEST_LABELLED:
            raise BadInput(
                f"{self.catalogue.csv} has {labelled} labelled products:"
                f" {FEWEST_LABELLED} are the least to train and test on",
                hint="fill in more labels, or name a model with --model",
            )


def train(job: Training, settings: Settings, console: Console) -> Trained:
    """Train a tagger on the CSV's labelled products; the store is free while it trains."""
    since = time.monotonic()
    store = store_of(settings)
    job.catalogue.check_header()
    check_weights(job.train)
    pictures = get_pictures(
        store,
        job.catalogue,
        settings,
        console,
        job.check,
        lambda con: statements.table(con, "training_pictures").to_pylist(),
        refetch=job.refetch,
        arguments=job.arguments,
    )
    if not pictures:
        raise BadInput(
            f"no labelled product of {job.catalogue.csv} has a picture that can be read",
            hint="`catalog check` tells what became of them; --image-root names their folder",
        )
    with tempfile.TemporaryDirectory(prefix="vitrina-training-") as scratch:
        one = partial(_train, store, job, settings, pictures, console)
        folder = by_seeds(job.recipe, job.train, Path(scratch), one)
        source = job.catalogue.source
        write = partial(write_model_report, source=source, lang=settings.lang)
        serve = job.recipe is None
        trained = keep(store, folder, write, source, job.arguments, since, serve=serve)
    write_index(store, settings.lang)
    return trained


def _train(
    store: Store,
    job: Training,
    settings: Settings,
    pictures: list[dict[str, Any]],
    console: Console,
    train: TrainSettings,
    scratch: Path,
) -> Path:
    """The folder of the new model, complete, outside the store."""
    hush_tensorflow()
    # Loaded here, after the refusals: TensorFlow takes seconds.
    from catalog.models.splits import split_of  # noqa: PLC0415
    from catalog.tagger_training import Example, train_tagger  # noqa: PLC0415

    work, folder = scratch / "work", scratch / "model"
    work.mkdir()
    folder.mkdir()
    before = find_model(store, TAGGER, None)
    console.say(f"training {train.backbone} at {train.image_size} px on {len(pictures):,} pictures")
    try:
        train_tagger(
            [
                Example(
                    product=row["id"],
                    picture=row["picture"],
                    path=store.picture(row["picture"]),
                    labels=dict(row["given"]),
                    fingerprint=row["fingerprint"],
                    title=row["title"],
                )
                for row in pictures
            ],
            train,
            work,
            folder,
            console.say,
            origin=origin(
                job.recipe.name if job.recipe else TAGGER,
                job.catalogue.source,
                sha256(job.catalogue.csv),
            ),
            attributes=settings.attributes,
            earlier=split_of(before.folder, before.card) if before else (),
        )
    except ValueError as error:
        raise BadInput(f"no tagger can be trained on {job.catalogue.csv}: {error}") from error
    return folder
