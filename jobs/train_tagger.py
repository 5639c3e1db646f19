"""`catalog train tagger products.csv`: pictures first, then a model that carries its evidence."""

import hashlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from catalog.intake import Intake
from catalog.models.artefact import sha256
from catalog.models.settings import TrainSettings
from jobs.checkpoints import GoOn, going_on
from jobs.console import Console
from jobs.errors import BadInput
from jobs.inputs import Catalogue
from jobs.models import TAGGER, Model, find_model
from jobs.recipe import Recipe, by_seeds
from jobs.report import write_index, write_model_report
from jobs.settings import Settings, store_of
from jobs.starter import NAME as STARTER
from jobs.training import (
    Trained,
    check_weights,
    get_pictures,
    hush_tensorflow,
    keep,
    origin,
    outcome,
)
from sql import statements
from sql.store import Store

FEWEST_LABELLED = 100  # products; fewer leave nothing to test on


class TooFewLabels(BadInput):
    """There is nothing that a model could learn from and be tested on."""


@dataclass(frozen=True)
class Training:
    """One call of `catalog train tagger`."""

    catalogues: tuple[Catalogue, ...]  # one shop's, or those that a recipe names
    train: TrainSettings
    refetch: bool = False
    recipe: Recipe | None = None

    @property
    def source(self) -> str:
        """What the runs are kept as."""
        if self.recipe:
            return self.recipe.data.name
        return self.catalogues[0].source

    @property
    def csvs(self) -> str:
        """The files, for people."""
        return " and ".join(str(catalogue.csv) for catalogue in self.catalogues)

    @property
    def arguments(self) -> dict[str, Any]:
        """What the manifests say of it."""
        named = {"recipe": self.recipe.name} if self.recipe else {}
        csvs = [str(catalogue.csv.absolute()) for catalogue in self.catalogues]
        return {"csv": ", ".join(csvs), "train": asdict(self.train), **named}


def train(job: Training, settings: Settings, console: Console) -> Trained:
    """Train a tagger on the labelled products of its CSVs; the store is free while it trains."""
    since = time.monotonic()
    store = store_of(settings)
    for catalogue in job.catalogues:
        catalogue.check_header()
    _check_labels(job, settings)
    pictures = [
        {**row, "source": catalogue.source}
        for catalogue in job.catalogues
        for row in _pictures(store, job, catalogue, settings, console)
    ]
    if not pictures:
        raise BadInput(
            f"no labelled product of {job.csvs} has a picture that can be read",
            hint="`catalog check` tells what became of them; --image-root names their folder",
        )
    with (
        tempfile.TemporaryDirectory(prefix="vitrina-training-") as scratch,
        going_on(store) as go_on,
    ):
        one = partial(_train, go_on, store, job, settings, pictures, console)
        folder = by_seeds(job.recipe, job.train, Path(scratch), one)
        write = partial(write_model_report, source=job.source, lang=settings.lang)
        serve = job.recipe is None
        trained = keep(store, folder, write, job.source, job.arguments, since, serve=serve)
    write_index(store, settings.lang)
    return trained


def _check_labels(job: Training, settings: Settings) -> None:
    """BadInput when the recipe spells labels of what is no attribute."""
    labels = job.recipe.labels if job.recipe else {}
    names = [attribute.name for attribute in settings.attributes]
    if unknown := labels.keys() - set(names):
        raise BadInput(
            f"the recipe spells labels of {min(unknown)}, which is no attribute",
            hint=f"the attributes are {', '.join(names)}; [attributes] in catalog.toml names them",
        )


def _pictures(
    store: Store, job: Training, catalogue: Catalogue, settings: Settings, console: Console
) -> list[dict[str, Any]]:
    """The labelled products of a CSV that have a picture, and what is known of it."""
    return get_pictures(
        store,
        catalogue,
        settings,
        console,
        partial(_refuse, job, catalogue),
        lambda con: statements.table(con, "training_pictures").to_pylist(),
        refetch=job.refetch,
        arguments=job.arguments,
    )


def _refuse(
    job: Training, catalogue: Catalogue, _: duckdb.DuckDBPyConnection, intake: Intake
) -> None:
    """Before anything is fetched: too few labels, or weights that can't be had."""
    labelled = max(intake.labelled.values(), default=0)
    if labelled < FEWEST_LABELLED:
        raise TooFewLabels(
            f"{catalogue.csv} has {labelled} labelled products:"
            f" {FEWEST_LABELLED} are the least to train and test on",
            hint="fill in more labels, or name a model with --model",
        )
    check_weights(job.train, "" if job.recipe else "; `catalog tag --model starter` trains nothing")


def _train(
    go_on: GoOn,
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
    before = _before(store)
    console.say(f"training {train.backbone} at {train.image_size} px on {len(pictures):,} pictures")
    examples = [
        Example(
            product=_name(job, row),
            picture=row["picture"],
            path=store.picture(row["picture"]),
            labels=_labels(job, row),
            fingerprint=row["fingerprint"],
            title=row["title"],
        )
        for row in pictures
    ]
    earlier = split_of(before.folder, before.card) if before else []
    attributes = settings.attributes
    facts = {
        **outcome(train),
        "examples": [(one.picture, dict(one.labels), one.title) for one in examples],
        "earlier": [asdict(one) for one in earlier],
        "attributes": [one.name for one in attributes],
    }
    try:
        train_tagger(
            examples,
            train,
            work,
            go_on(facts),
            folder,
            console.say,
            origin=origin(
                job.recipe.name if job.recipe else TAGGER,
                job.source,
                _digest(job.catalogues),
            ),
            attributes=attributes,
            earlier=earlier,
        )
    except ValueError as error:
        raise BadInput(f"no tagger can be trained on {job.csvs}: {error}") from error
    return folder


def _before(store: Store) -> Model | None:
    """The model whose sides of the split are kept; the starter's are of other shops' pictures."""
    before = find_model(store, TAGGER, None)
    return None if before and before.card.name == STARTER else before


def _name(job: Training, row: dict[str, Any]) -> str:
    """A product's id; that of one of several shops with the shop's name."""
    product: str = row["id"]
    return product if len(job.catalogues) == 1 else f"{row['source']}/{product}"


def _labels(job: Training, row: dict[str, Any]) -> dict[str, str]:
    given = dict(row["given"])
    return job.recipe.renamed(given) if job.recipe else given


def _digest(catalogues: Sequence[Catalogue]) -> str:
    """The SHA-256 of the CSV; of several, that of theirs one after the other."""
    digests = [sha256(catalogue.csv) for catalogue in catalogues]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()
