"""`catalog train tagger products.csv`: pictures first, then a model that carries its evidence."""

import json
import multiprocessing
import os
import secrets
import shutil
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from catalog.models import weights
from catalog.models.artefact import SPLIT, load_card, sha256
from catalog.models.settings import TrainSettings
from jobs.console import Console
from jobs.errors import BadInput, JobError
from jobs.inputs import Catalogue
from jobs.models import TAGGER, Model, find_tagger
from jobs.pictures import get_and_look, rules_of
from jobs.plan import make_plan
from jobs.report import write_model_report
from jobs.run import Run, open_run
from jobs.settings import Settings, store_of
from sql import statements
from sql.files import replacing_folder
from sql.store import Store, current, make_current

PATIENCE_SECONDS = 12 * 3600
FEWEST_LABELLED = 100  # products; fewer leave nothing to test on


@dataclass(frozen=True)
class Training:
    """One call of `catalog train tagger`."""

    catalogue: Catalogue
    train: TrainSettings
    refetch: bool = False


@dataclass(frozen=True)
class Trained:
    """What came of it."""

    run: str
    model: str
    current: bool  # whether `catalog tag` will use it
    report: Path

    def as_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), default=str)

    def __str__(self) -> str:
        use = (
            "tags from now on" if self.current else f"`catalog models use {self.model}` lets it tag"
        )
        return f"trained {self.model}: {use}\nreport {self.report}"


def train(job: Training, settings: Settings, console: Console) -> Trained:
    """Train a tagger on the CSV's labelled products; the store is free while it trains."""
    store = store_of(settings)
    job.catalogue.check_header()
    _check_weights(job.train)
    pictures = _get_pictures(store, job, settings, console)
    with tempfile.TemporaryDirectory(prefix="vitrina-training-") as scratch:
        folder = _train(store, job, settings, pictures, Path(scratch), console)
        # Hours of training are not thrown away because the nightly run is at work just now.
        with open_run(store, "train", patience=PATIENCE_SECONDS) as run:
            return _keep(run, job, folder)


def train_in_child(job: Training, settings: Settings, console: Console) -> Trained:
    """`train` in a process of its own, so that TensorFlow's memory goes when it is done."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    child = spawn.Process(target=_train_and_tell, args=(theirs, job, settings, console))
    child.start()
    theirs.close()
    try:
        outcome = ours.recv()
    except EOFError as error:
        raise JobError(
            "the training process was killed", hint="is there enough memory for it?"
        ) from error
    finally:
        child.terminate()  # it has told what came of it, or we were asked to stop
        child.join()
    if isinstance(outcome, Exception):
        raise outcome
    trained: Trained = outcome
    return trained


def _train_and_tell(pipe: Connection, job: Training, settings: Settings, console: Console) -> None:
    try:
        pipe.send(train(job, settings, console))
    except Exception as error:  # noqa: BLE001 - raised again by the parent
        pipe.send(error)


def _check_weights(train: TrainSettings) -> None:
    """Weights that can't be had are told before anything is fetched."""
    try:
        weights.check(train.backbone, train.weights, train.image_size)
    except ValueError as error:
        raise BadInput(str(error)) from error


def _get_pictures(
    store: Store, job: Training, settings: Settings, console: Console
) -> list[dict[str, Any]]:
    """Get the pictures of the CSV's labelled products, as a run of their own; then let go."""
    with open_run(store, "fetch") as run:
        intake = job.catalogue.take_in(run.work)
        labelled = max(intake.labelled.values(), default=0)
        if labelled < FEWEST_LABELLED:
            raise BadInput(
                f"{job.catalogue.csv} has {labelled} labelled products:"
                f" {FEWEST_LABELLED} are the least to train and test on",
                hint="fill in more labels, or name a model with --model",
            )
        with run.views(intake) as con:
            rules = rules_of(settings, refetch=job.refetch)
            plan = make_plan(con, job.catalogue.source, None, rules, run.work)
            console.say(f"pictures to train on: {plan}")
            get_and_look(run, con, plan, settings, None, console)
        run.flush()
        with run.views(intake) as con:
            pictures: list[dict[str, Any]] = statements.table(con, "training_pictures").to_pylist()
        if plan.asks:
            run.commit(dict(plan.asks), arguments=_arguments(job))
        else:
            run.republish()
    return pictures


def _train(
    store: Store,
    job: Training,
    settings: Settings,
    pictures: list[dict[str, Any]],
    scratch: Path,
    console: Console,
) -> Path:
    """The folder of the new model, complete, outside the store."""
    # TensorFlow's own chatter is no message to a user; it reads this when it is loaded.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Loaded here, after the refusals: TensorFlow takes seconds.
    from catalog.models.splits import read_split  # noqa: PLC0415
    from catalog.tagger_training import Example, Origin, train_tagger  # noqa: PLC0415

    work, folder = scratch / "work", scratch / "model"
    work.mkdir()
    folder.mkdir()
    before = find_tagger(store, None)
    console.say(
        f"training {job.train.backbone} at {job.train.image_size} px on {len(pictures):,} pictures"
    )
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
            job.train,
            work,
            folder,
            console.say,
            origin=Origin(
                name=TAGGER,
                version=f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}",
                source=job.catalogue.source,
                csv_sha256=sha256(job.catalogue.csv),
            ),
            attributes=settings.attributes,
            earlier=read_split(before.folder / SPLIT) if before else (),
        )
    except ValueError as error:
        raise BadInput(f"no tagger can be trained on {job.catalogue.csv}: {error}") from error
    return folder


def _keep(run: Run, job: Training, folder: Path) -> Trained:
    """Put the model into the store whole; the first one serves from now on."""
    card = load_card(folder)
    kept = run.store.model(card.name, card.version)
    with replacing_folder(kept) as draft:
        shutil.copytree(folder, draft, dirs_exist_ok=True)
    if current(run.store, TAGGER) is None:
        make_current(run.store, TAGGER, card.model)
    report = write_model_report(run, Model(kept, card))
    run.commit(
        {"parameters": card.parameters},
        arguments=_arguments(job),
        model=card.model,
        report=report,
    )
    return Trained(run.id, card.model, current(run.store, TAGGER) == card.model, report)


def _arguments(job: Training) -> dict[str, Any]:
    return {"csv": str(job.catalogue.csv.absolute()), "train": asdict(job.train)}
