"""Experiment tracking: a model of the store recorded as a run of MLflow.

A run is made from the model's folder alone, so that it can be made when the training ends, or at
any time later. The folder's files become plain artifacts below model/: MLflow's own packing of
Keras models would load TensorFlow to save the same network a second time.
"""

import fcntl
import json
import logging
import os
import re
import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from catalog.models.artefact import ModelRefused
from jobs.errors import BadInput, JobError
from jobs.models import Model, card_of, folder_of
from sql.files import replacing
from sql.store import Store

Tracker = Literal["mlflow"]

VARIABLE = "MLFLOW_TRACKING_URI"
SQLITE = "sqlite:///"

SILENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # nothing goes to anybody but the tracking store
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
"""What MLflow must find in the environment, before it is loaded."""

# MLflow would try for minutes; a tracking server that is down is told at once instead.
HURRIED = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "5", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
# An upload may take its time, but nobody is made to wait an hour by a busy server's answer.
PATIENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
}
LOCKED_SECONDS = 10.0
LONGEST_REASON = 300


@dataclass(frozen=True)
class Place:
    """Where runs are recorded: a tracking server, or a database with a folder beside it."""

    uri: str
    artifacts: Path  # of new experiments, where no server decides

    @property
    def remote(self) -> bool:
        """Whether it is a server that has a page of its own."""
        return self.uri.startswith(("http://", "https://"))

    @property
    def database(self) -> Path | None:
        """The file of an SQLite database."""
        path = self.uri.partition("?")[0]
        return Path(path.removeprefix(SQLITE)) if path.startswith(SQLITE) else None

    def __str__(self) -> str:
        return _without_secrets(self.uri)


@dataclass(frozen=True)
class Tracked:
    """Which run of MLflow a model has, and where to look at it."""

    model: str
    experiment: str
    run: str
    where: str
    new: bool  # False: it had been recorded before

    def as_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def __str__(self) -> str:
        said = "tracked" if self.new else "tracked before:"
        return f"{said} {self.model} in MLflow's experiment {self.experiment}: {self.where}"


def place_of(store: Store) -> Place:
    """What MLFLOW_TRACKING_URI names, else a database in the store."""
    folder = store.root / "tracking"
    named = os.environ.get(VARIABLE, "").strip().rstrip("/")
    return Place(named or f"{SQLITE}{folder / 'mlflow.db'}", folder / "artifacts")


def check(store: Store, track: Tracker | None) -> None:
    """Before a training: BadInput when what it comes to could not be recorded.

    Answers within seconds; a database that is not there yet is made, which takes four.
    """
    if track is None:
        return
    need_mlflow()
    place = place_of(store)
    try:
        with _quiet(HURRIED):
            _check_writable(place)
            _client(place).search_experiments(max_results=1)
    except Exception as error:  # MLflow's own, SQLAlchemy's, SQLite's, the disk's
        raise BadInput(
            f"nothing can be tracked at {place}: {_reason(error)}",
            hint=f"mend that, or name another place in {VARIABLE}; without --track none is needed",
        ) from error


def track(store: Store, name: str, report: Path | None = None, lang: str = "en") -> Tracked:
    """Record a model of the store (<name>/<version>) as a run, with its report and its figures.

    `report` is the page of its training, looked up in the store where it is not given; `lang` is
    of the figures. A model that has a run already keeps it; a run that was cut short is finished.
    BadInput for a model that can't be trusted; JobError when MLflow can't be had or fails, which
    leaves the model as it was.
    """
    need_mlflow()
    card, place = card_of(store, name), place_of(store)
    try:
        with _quiet(PATIENT):
            from jobs.tracking_run import record  # noqa: PLC0415 - loads MLflow

            _check_writable(place)
            model = Model(folder_of(store, name), card)
            return record(_client(place), store, model, place, report, lang)
    except ModelRefused as error:
        raise BadInput(str(error), hint=f"`catalog models verify {name}` tells more") from error
    except Exception as error:  # as above
        raise JobError(
            f"{name} is kept, but could not be tracked at {place}: {_reason(error)}",
            hint=f"`catalog tracking add {name}` once that is mended",
        ) from error


def need_mlflow() -> None:
    """BadInput when MLflow is not installed."""
    if find_spec("mlflow") is None:
        raise BadInput(
            "tracking needs MLflow, which is not installed",
            hint="pip install 'vitrina[mlflow]'",
        )


def _client(place: Place) -> Any:
    from mlflow import MlflowClient  # noqa: PLC0415 - takes two seconds

    if place.database:
        _make_database(place.database)
    return MlflowClient(place.uri)


def _make_database(path: Path) -> None:
    """MLflow's tables, whole, by one process: two at once, or one that is killed, would spoil them.

    It takes seconds, once.
    """
    from mlflow import MlflowClient  # noqa: PLC0415 - as above

    with path.with_name(f".{path.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            with replacing(path) as draft:
                MlflowClient(f"{SQLITE}{draft}")


def _check_writable(place: Place) -> None:
    """Tell of an SQLite database within seconds, where MLflow would try for minutes.

    sqlite3.Error, OSError or ValueError when it can't be written.
    """
    if place.database is None:
        return
    if "%" in place.uri:  # SQLAlchemy 2.1 takes it for a coded letter, MLflow and 2.0 do not
        raise ValueError("MLflow can't use a database in a folder with a % in its name")
    place.database.parent.mkdir(parents=True, exist_ok=True)
    if place.database.exists():
        with closing(sqlite3.connect(place.database, LOCKED_SECONDS)) as con:
            con.execute("begin immediate")
            con.rollback()


@contextmanager
def _quiet(patience: Mapping[str, str]) -> Iterator[None]:
    """MLflow's chatter is no message to a user; what it should wait for holds for the block."""
    before = {name: os.environ.get(name) for name in patience}
    os.environ.update({**SILENT, **patience})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import mlflow  # noqa: F401, PLC0415 - its logging is set up by loading it

            for name in ("mlflow", "alembic"):
                logging.getLogger(name).setLevel(logging.CRITICAL)
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _reason(error: Exception) -> str:
    """What an error says, in one line that holds no password: where it began, if that is known."""
    first: BaseException = error
    while before := first.__cause__ or first.__context__:
        first = before
    told = first if isinstance(first, (OSError, sqlite3.Error)) else error
    said = _without_secrets(" ".join(str(told).split())) or type(told).__name__
    return said if len(said) <= LONGEST_REASON else f"{said[: LONGEST_REASON - 1]}…"


def _without_secrets(text: str) -> str:
    return re.sub(r"://[^/\s]*@", "://", text)
