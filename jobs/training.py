"""What every training job does: pictures first, then the model, then its place in the store."""

import json
import logging
import multiprocessing
import os
import secrets
import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import duckdb

from catalog.intake import Intake
from catalog.models import weights
from catalog.models.artefact import load_card
from catalog.models.hushing import hushed
from catalog.models.provenance import Origin
from catalog.models.settings import TrainSettings
from jobs.console import Console
from jobs.errors import BadInput, JobError
from jobs.inputs import Catalogue
from jobs.models import Model
from jobs.pictures import get_and_look, rules_of
from jobs.plan import make_plan
from jobs.run import Run, open_run
from jobs.settings import Settings
from jobs.using import use
from sql.files import replacing_folder
from sql.store import Store, current, make_current

PATIENCE_SECONDS = 12 * 3600

T = TypeVar("T")


@dataclass(frozen=True)
class Trained:
    """What a training came to."""

    run: str
    model: str
    current: bool  # whether it serves from now on
    report: Path
    figures: Mapping[str, Any] = field(default_factory=dict)  # for JSON
    told: str = ""  # the same, for people
    servable: bool = True  # whether any command would use it
    tracked: str = ""  # where it was recorded

    def as_json(self) -> str:
        """One JSON object."""
        content = asdict(self)
        del content["told"], content["servable"]
        return json.dumps(content, default=str, ensure_ascii=False)

    def __str__(self) -> str:
        use = f": `catalog models use {self.model}` lets it serve from now on"
        if self.current or not self.servable:
            use = ": serves from now on" if self.current else ""
        lines = [
            self.told,
            f"trained {self.model}{use}",
            f"report {self.report}",
            self.tracked,
        ]
        return "\n".join(filter(None, lines))


def check_weights(train: TrainSettings, instead: str = "") -> None:
    """Weights that can't be had are told before anything is fetched, and what to do `instead`."""
    try:
        weights.check(train.backbone, train.weights, train.image_size)
    except ValueError as error:
        raise BadInput(
            str(error),
            hint="the commands that train take --weights; catalog.toml has it in [train] and"
            f" [train_engagement]{instead}",
        ) from error


def hush_tensorflow() -> None:
    """Load Keras, and TensorFlow with it, whose own chatter is no message to a user."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # It warns of functions that are traced again, as for each head that is measured.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # Else it asks the system for each tensor's memory anew: a third of the CPU of a training.
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "1")
    with hushed():  # it tells of GPUs that are not there, whatever it was told
        import keras  # noqa: F401, PLC0415 - takes seconds, and only trainings need it


def get_pictures(
    store: Store,
    catalogue: Catalogue,
    settings: Settings,
    console: Console,
    check: Callable[[duckdb.DuckDBPyConnection, Intake], None],
    read: Callable[[duckdb.DuckDBPyConnection], T],
    *,
    refetch: bool,
    arguments: dict[str, Any],
) -> T:
    """Get the pictures of a CSV, as a run of their own; then let go of the store.

    `check` may refuse the CSV before anything is fetched; what `read` makes of the connection
    afterwards is given back.
    """
    with open_run(store, "fetch") as run:
        intake = catalogue.take_in(run.work)
        with run.views(intake) as con:
            check(con, intake)
            rules = rules_of(settings, refetch=refetch)
            plan = make_plan(con, catalogue.source, None, rules, run.work, kind=intake.kind)
            console.say(f"pictures to train on: {plan}")
            get_and_look(run, con, plan, settings, None, console)
        run.flush()
        with run.views(intake) as con:
            material = read(con)
        if plan.asks:
            run.commit({"asked": sum(plan.asks.values())}, arguments=arguments)
        else:
            run.republish()
    return material


def outcome(train: TrainSettings) -> dict[str, Any]:
    """What of the settings and of the machine decides what a training comes to, as JSON."""
    from catalog.models import precision, provenance  # noqa: PLC0415 - Keras takes seconds

    weights_are = provenance.weights_of(train)
    return {"train": asdict(train), "weights": weights_are, "policy": precision.policy()}


def origin(name: str, source: str, digest: str) -> Origin:
    """What a new model is to be called; `digest` is the SHA-256 of what it was trained on."""
    return Origin(
        name=name,
        version=f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}",
        source=source,
        csv_sha256=digest,
    )


def keep(
    store: Store,
    folder: Path,
    write_report: Callable[[Run, Model], Path],
    source: str,
    arguments: dict[str, Any],
    since: float,
    *,
    serve: bool = True,
) -> Trained:
    """Put a model into the store whole; the first one of its task serves from now on.

    Unless it is not to `serve`: what a recipe trains is looked at first. `since` is when the
    training began, by time.monotonic().
    """
    # Hours of training are not thrown away because the nightly run is at work just now.
    with open_run(store, "train", source, patience=PATIENCE_SECONDS) as run:
        run.clock = since
        run.started = datetime.now(UTC) - timedelta(seconds=run.seconds)
        card = load_card(folder)
        kept = run.store.model(card.name, card.version)
        with replacing_folder(kept) as draft:
            for path in folder.iterdir():
                shutil.copy2(path, draft / path.name)
        if serve and current(run.store, card.task) is None:
            make_current(run.store, card.task, card.model)
        report = write_report(run, Model(kept, card))
        run.commit(
            {"parameters": card.parameters},
            arguments=arguments,
            model=card.model,
            report=report,
        )
        return Trained(run.id, card.model, current(run.store, card.task) == card.model, report)


def train_first(
    store: Store,
    train: Callable[[Any, Settings, Console], Trained],
    job: object,
    settings: Settings,
    console: Console,
) -> str:
    """Train the model that a job goes on with, make it current, and give its name."""
    trained = in_child(train, job, settings, console)
    use(store, trained.model)
    console.say(str(replace(trained, current=True)))
    return trained.model


def in_child(
    train: Callable[[Any, Settings, Console], Trained],
    job: object,
    settings: Settings,
    console: Console,
) -> Trained:
    """`train` in a process of its own, so that TensorFlow's memory goes when it is done."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    child = spawn.Process(target=_train_and_tell, args=(theirs, train, job, settings, console))
    # Ctrl-C is for this process, which then ends the child itself.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        child.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
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


def _end_with_parent() -> None:
    """Nobody waits for a model whose job was killed: it must not appear in the store later."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _train_and_tell(
    pipe: Connection,
    train: Callable[[Any, Settings, Console], Trained],
    job: object,
    settings: Settings,
    console: Console,
) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        pipe.send(train(job, settings, console))
    except Exception as error:  # noqa: BLE001 - raised again by the parent
        pipe.send(error)
