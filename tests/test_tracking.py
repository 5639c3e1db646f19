"""`--track mlflow` and `catalog tracking add`: models recorded as runs of a real MLflow."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from mlflow import MlflowClient

from catalog.models.artefact import load_card
from jobs import tracking
from jobs.console import Console
from jobs.errors import BadInput, JobError
from jobs.options import Context
from jobs.settings import Settings
from jobs.tracking import VARIABLE, check, place_of, track
from jobs.tracking_commands import tracking as command
from tests.tracked import NAME, PAGE, empty_database, free_port, tracked_store

__all__ = ["empty_database", "tracked_store"]

# What would reach for anything but loopback is told by Python itself.
WATCHED = """
import sys
from pathlib import Path
asked = []
def watch(event, given):
    if event in ("socket.getaddrinfo", "socket.connect"):
        asked.append(str(given))
sys.addaudithook(watch)
if sys.argv[2] == "loud":
    import os, time, mlflow
    mlflow.set_tracking_uri(sys.argv[3])
    mlflow.create_experiment("loud")
    time.sleep(1)
else:
    from jobs.tracking import track
    from sql.store import Store
    track(Store(Path(sys.argv[1])), "tiny/1")
print(asked)
"""
QUIETENING = ("PYTEST_CURRENT_TEST", "CI", "GITHUB_ACTIONS", "GITLAB_CI", *tracking.SILENT)


def runs_of(store, experiment="tiny"):
    """The runs of an experiment, as MLflow's own client gives them."""
    client = MlflowClient(place_of(store).uri)
    found = client.get_experiment_by_name(experiment)
    return client, client.search_runs([found.experiment_id])


def history(client, run, name):
    """A measure by step, as MLflow keeps it."""
    return [(each.step, each.value) for each in client.get_metric_history(run.info.run_id, name)]


def files(client, run, folder=None):
    """The paths of a run's artifacts."""
    found = []
    for each in client.list_artifacts(run.info.run_id, folder):
        found += files(client, run, each.path) if each.is_dir else [each.path]
    return sorted(found)


def test_a_model_becomes_a_run_in_the_store(tracked_store, capfd):
    """Parameters, curves by epoch, final figures, report and files are read back from SQLite."""
    told = track(tracked_store, NAME)
    assert told.new
    assert capfd.readouterr() == ("", "")  # MLflow would say a lot
    client, [run] = runs_of(tracked_store)
    card = load_card(tracked_store.model("tiny", "1"))
    assert (run.info.run_id, run.info.run_name, run.info.status) == (told.run, "1", "FINISHED")
    ten = datetime(2026, 1, 5, 10, tzinfo=UTC).timestamp() * 1000
    assert (run.info.start_time, run.info.end_time) == (ten, ten + 30 * 60_000)
    wanted = {
        "epochs": "2",
        "backbone": "cnn",
        "weights": "none",
        "versions.keras": card.versions["keras"],
    }
    wanted |= {"parameters": str(card.parameters), "heads": '["shape", "colour"]'}
    assert wanted.items() <= run.data.params.items()
    heads = card.metrics["heads"]
    assert run.data.metrics["test/shape/accuracy"] == heads["shape"]["accuracy"]
    assert run.data.metrics["test/colour/macro/f1"] == heads["colour"]["macro"]["f1"]
    assert run.data.metrics["test/shape/roc_auc"] == heads["shape"]["roc_auc"]
    assert run.data.metrics["test/shape/log_loss"] == heads["shape"]["log_loss"]
    [phase] = json.loads((tracked_store.model("tiny", "1") / "history.json").read_text())["phases"]
    losses = [(epoch["epoch"], epoch["val_loss"]) for epoch in phase["epochs"]]
    assert history(client, run, "val_loss") == losses
    rights = [(epoch["epoch"], epoch["heads"]["shape"]["accuracy"]) for epoch in phase["epochs"]]
    assert history(client, run, "shape/accuracy") == rights
    assert history(client, run, "phase") == [(1, 1), (2, 1)]
    assert run.data.tags["vitrina.phases"] == "whole: 1 to 2"
    there = files(client, run)
    assert {f"model/{name}" for name in (*card.files, "card.json")} <= set(there)
    assert {"figures/shape-accuracy.svg", "figures/colour-confusion.svg"} <= set(there)
    page = client.download_artifacts(run.info.run_id, "report/index.html")
    with open(page, encoding="utf-8") as file:  # noqa: PTH123 - MLflow gives a string
        assert file.read() == PAGE


def test_a_model_has_one_run(tracked_store):
    """What was tracked is told to be there, by the command too."""
    first = track(tracked_store, NAME)
    context = Context(Settings(store=tracked_store.root), Console(quiet=True))
    again = CliRunner().invoke(command, ["add", NAME, "--json"], obj=context)
    told = json.loads(again.stdout)
    assert (told["run"], told["new"]) == (first.run, False)
    assert len(runs_of(tracked_store)[1]) == 1


def test_a_failure_midway_leaves_the_model_and_is_made_good(tracked_store):
    """The hint works: the run that failed is finished, and nothing in it is there twice."""
    place_of(tracked_store).artifacts.write_text("in the way")
    with pytest.raises(JobError, match=f"{NAME} is kept, but.*\n.*catalog tracking add {NAME}`"):
        track(tracked_store, NAME)
    client, [run] = runs_of(tracked_store)
    assert run.info.status == "FAILED"
    load_card(tracked_store.model("tiny", "1"))
    place_of(tracked_store).artifacts.unlink()
    assert track(tracked_store, NAME).new
    client, [again] = runs_of(tracked_store)
    assert (again.info.run_id, again.info.status) == (run.info.run_id, "FINISHED")
    assert len(history(client, again, "val_loss")) == 2


def test_a_damaged_model_is_not_tracked(tracked_store):
    """A file that is not the card's goes nowhere, and the refusal says which."""
    (tracked_store.model("tiny", "1") / "model.keras").write_bytes(b"something else")
    with pytest.raises(BadInput, match=r"model.keras is not the file.*\n.*models verify tiny/1"):
        track(tracked_store, NAME)


def test_a_deleted_experiment_is_told(tracked_store):
    """MLflow keeps the name of what was deleted there: the line says how it comes back."""
    track(tracked_store, NAME)
    client, [run] = runs_of(tracked_store)
    client.delete_experiment(run.info.experiment_id)
    with pytest.raises(JobError, match="mlflow experiments restore -x"):
        track(tracked_store, NAME)


def test_a_locked_database_is_told(tracked_store, monkeypatch):
    """Another program that writes the database is named within seconds, before a training."""
    monkeypatch.setattr(tracking, "LOCKED_SECONDS", 0.1)
    database = place_of(tracked_store).database
    with closing(sqlite3.connect(database)) as con:
        con.execute("begin immediate")
        with pytest.raises(BadInput, match=r"nothing can be tracked at .*database is locked"):
            check(tracked_store, "mlflow")
    check(tracked_store, "mlflow")


def test_a_new_database_is_made_once_and_whole(tmp_path, monkeypatch):
    """Two trainings at once wait for each other; one that is stopped leaves no half of it."""
    made = []

    def make(uri):
        draft = Path(uri.removeprefix(tracking.SQLITE))
        draft.write_text("half")
        made.append(uri)
        time.sleep(0.1)
        if len(made) == 1:
            raise KeyboardInterrupt
        draft.write_text("whole")

    monkeypatch.setattr("mlflow.MlflowClient", make)
    database = tmp_path / "mlflow.db"
    with pytest.raises(KeyboardInterrupt):
        tracking._make_database(database)
    assert not database.exists()
    with ThreadPoolExecutor() as pool:
        list(pool.map(tracking._make_database, [database] * 3))
    assert (len(made), database.read_text()) == (2, "whole")


def test_a_percent_sign_is_refused(tmp_path, monkeypatch):
    """SQLAlchemy would look for the database in another folder, for minutes."""
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(BadInput, match="a folder with a % in its name"):
        check(tracking.Store(tmp_path / "a%20b"), "mlflow")


def test_a_server_that_is_down_is_told_at_once(tracked_store, monkeypatch):
    """One line within seconds, and no password in it."""
    monkeypatch.setenv(VARIABLE, f"http://user:secret@127.0.0.1:{free_port()}")
    since = time.monotonic()
    with pytest.raises(BadInput, match="Connection refused") as refused:
        check(tracked_store, "mlflow")
    assert time.monotonic() - since < 45  # minutes otherwise
    assert "secret" not in refused.value.message
    assert len(refused.value.message.splitlines()) == 2  # what is wrong, and what next


@contextmanager
def mute():
    """A server of loopback that takes what it is told, and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_a_server_that_does_not_answer_is_given_up(tracked_store, monkeypatch):
    """It is asked once, and for seconds: MLflow alone would wait a quarter of an hour."""
    monkeypatch.setitem(tracking.HURRIED, "MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with mute() as port:
        monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{port}")
        since = time.monotonic()
        with pytest.raises(BadInput, match="timed out"):
            check(tracked_store, "mlflow")
        assert time.monotonic() - since < 45  # a quarter of an hour otherwise
    assert "MLFLOW_HTTP_REQUEST_TIMEOUT" not in os.environ


def test_without_mlflow_the_way_to_get_it_is_told(tracked_store, monkeypatch):
    """Trainings that are not tracked need none; the others say what to install."""
    monkeypatch.setitem(sys.modules, "mlflow", None)
    check(tracked_store, None)
    for asked in (lambda: check(tracked_store, "mlflow"), lambda: track(tracked_store, NAME)):
        with pytest.raises(BadInput, match=r"pip install 'vitrina\[mlflow\]'"):
            asked()


def test_nothing_is_told_to_anybody_else(tracked_store):
    """MLflow's makers count its use through the network: not here, where no socket is opened."""
    env = {name: value for name, value in os.environ.items() if name not in QUIETENING}
    copy = tracked_store.root.parent / "copy.db"
    shutil.copy(place_of(tracked_store).database, copy)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WATCHED, tracked_store.root, manner, f"sqlite:///{copy}"],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for manner in ("quiet", "loud")
    ]
    quiet, loud = [each.communicate(timeout=120) for each in started]
    assert quiet == ("[]\n", "")
    assert "mlflow" in loud[0]  # positive control
