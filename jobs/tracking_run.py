"""How a model becomes a run of MLflow. Loads MLflow: jobs/tracking.py says when."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException

from catalog.models.artefact import CARD, Card, verify
from jobs.models import Model
from jobs.run import read_manifests
from jobs.tracking import Place, Tracked
from jobs.tracking_facts import experiment_of, fit, measures_of, parameters_of, phases_told
from reports.evidence import model_evidence
from reports.language import language
from sql.files import write_text
from sql.manifests import Manifest, shown_report
from sql.store import Store

MODEL_TAG = "vitrina.model"
KIND = {"mlflow.experimentKind": "custom_model_development"}  # else its page shows chats first
DONE, FAILED = "FINISHED", "FAILED"
MOST_PARAMETERS, MOST_METRICS = 100, 1000  # in one request, as MLflow's API has it

T = TypeVar("T")


@dataclass(frozen=True)
class Training:
    """When a model was trained (milliseconds since 1970), and the page that tells of it."""

    started: int
    finished: int
    report: Path | None


def record(
    client: MlflowClient, store: Store, model: Model, place: Place, report: Path | None, lang: str
) -> Tracked:
    """The run of a model: the one that it has, else a new one.

    A run that was cut short is told all again: what it has is told with the same times, which
    MLflow takes for the same. What MLflow, the disk or a damaged model raise passes through.
    """
    name = experiment_of(model.card)
    experiment = _experiment(client, name, place)
    training = _training(store, model.card)
    run = _run_of(client, experiment, model.card)
    new = run is None or run.info.status != DONE
    if run is None:
        run = client.create_run(
            experiment,
            start_time=training.started,
            tags={MODEL_TAG: model.name},
            run_name=model.card.version,
        )
    if new:
        _fill(client, run.info.run_id, model, training, report, lang)
    where = "`catalog tracking` opens its page"
    if place.remote:
        where = f"{place}/#/experiments/{experiment}/runs/{run.info.run_id}"
    return Tracked(model.name, name, run.info.run_id, where, new)


def _experiment(client: MlflowClient, name: str, place: Place) -> str:
    """The number of an experiment, which is made where there is none yet."""
    found = client.get_experiment_by_name(name)
    if found is None:
        folder = None if place.remote else (place.artifacts / name).as_uri()
        try:
            return str(client.create_experiment(name, artifact_location=folder, tags=KIND))
        except MlflowException:
            found = client.get_experiment_by_name(name)  # another training just made it
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise ValueError(
            f"the experiment {name} was deleted there;"
            f" `mlflow experiments restore -x {found.experiment_id}` brings it back"
        )
    return str(found.experiment_id)


def _run_of(client: MlflowClient, experiment: str, card: Card) -> Run | None:
    wanted = f"tags.`{MODEL_TAG}` = '{card.model}'"  # a card's names have no quotes
    found = client.search_runs([experiment], wanted, order_by=["start_time"], max_results=1)
    return found[0] if found else None


def _training(store: Store, card: Card) -> Training:
    """What the store's own record of runs says; a model from elsewhere has its card's date."""
    trained = [run for run in read_manifests(store) if run.model == card.model]
    run = next((run for run in trained if run.job == "train"), None)
    if run is None:
        created = _milliseconds(card.created)
        return Training(created, created, None)
    return Training(_milliseconds(run.started), _milliseconds(run.finished), _report(store, run))


def _report(store: Store, run: Manifest) -> Path | None:
    shown = shown_report(store, run)
    return store.root / shown if shown else None


def _milliseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


def _fill(
    client: MlflowClient,
    run: str,
    model: Model,
    training: Training,
    report: Path | None,
    lang: str,
) -> None:
    """All that is known of a model; the run counts as failed until the last of it is there."""
    try:
        _tell(client, run, model, training.finished)
        _hand_over(client, run, model, report or training.report, lang)
    except Exception:
        with suppress(Exception):  # what failed first is told
            client.set_terminated(run, FAILED, training.finished)
        raise
    client.set_terminated(run, DONE, training.finished)


def _tell(client: MlflowClient, run: str, model: Model, when: int) -> None:
    card = model.card
    tags = {
        MODEL_TAG: model.name,
        "vitrina.task": card.task,
        "vitrina.phases": phases_told(model.folder, card),
        "mlflow.note.content": "\n".join(f"- {note}" for note in card.notes),
        "mlflow.source.name": "vitrina",
    }
    client.log_batch(run, tags=[RunTag(name, value) for name, value in tags.items() if value])
    parameters = [Param(name, value) for name, value in parameters_of(card).items()]
    for some in _lots(parameters, MOST_PARAMETERS):
        client.log_batch(run, params=some)
    measures = [
        Metric(each.name, each.value, when, each.step) for each in measures_of(model.folder, card)
    ]
    for lot in _lots(measures, MOST_METRICS):
        client.log_batch(run, metrics=lot)


def _hand_over(
    client: MlflowClient, run: str, model: Model, report: Path | None, lang: str
) -> None:
    """The files: the model's that are what its card says, the report, the figures."""
    for name in sorted(model.card.files):
        verify(model.folder, name, model.card)
        client.log_artifact(run, str(model.folder / name), "model")
    client.log_artifact(run, str(model.folder / CARD), "model")
    if report:
        client.log_artifact(run, str(report), "report")
    with tempfile.TemporaryDirectory(prefix="vitrina-tracking-") as scratch:
        for name, drawing in _figures(model.folder, lang):
            write_text(Path(scratch, name), drawing)
        client.log_artifacts(run, scratch, "figures")


def _figures(folder: Path, lang: str) -> Iterator[tuple[str, str]]:
    """The learning curves and the confusions of each head, as SVG files by name."""
    from reports.figures import confusion_heatmap, learning_curve  # noqa: PLC0415 - matplotlib

    model, words = model_evidence(folder), language(lang)
    for curves in model.curves:
        for measure, line in curves.measures:
            name = f"{_plain(curves.head or 'all heads')}-{measure}.svg"
            yield name, learning_curve(measure, line, model.phases, words)
    for head in model.tested.heads if model.tested else ():
        if head.n:
            name = f"{_plain(head.head)}-confusion.svg"
            yield name, confusion_heatmap(head.confusion, words)


def _plain(head: str) -> str:
    """A head's name as that of a file."""
    return fit(head).replace("/", "_").strip(". ")


def _lots(content: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(content), most):
        yield content[start : start + most]
