"""Tracking servers of loopback: MLflow's own, told of a model, and that of `catalog tracking`."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil
import pytest
import requests
from mlflow import MlflowClient

from jobs.console import Console
from jobs.errors import BadInput, JobError
from jobs.tracking import VARIABLE, check, place_of, track
from jobs.tracking_page import open_page
from tests.tracked import NAME, PAGE, empty_database, free_port, tracked_store

__all__ = ["empty_database", "tracked_store"]

COMMAND = """
import sys
from pathlib import Path
from jobs.console import Console
from jobs.options import Context
from jobs.settings import Settings
from jobs.tracking_commands import tracking
tracking(sys.argv[2:], obj=Context(Settings(store=Path(sys.argv[1])), Console()))
"""


def wait_for(url, process):
    """Until a server answers at `url`; what it said where it ended first."""
    for _ in range(600):
        assert process.poll() is None, process.communicate()
        try:
            return requests.get(url, timeout=30)
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError(url)


@contextmanager
def started(command, port, **more):
    """A process that serves, and the address; ended however the block ends."""
    words = [str(word) for word in command]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, start_new_session=True, **pipes, **more) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process)
            assert process.poll() is None
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)


def test_a_run_on_a_tracking_server(tracked_store, tmp_path, monkeypatch):
    """MLflow's own server is told all of a model through HTTP, and asked for it back."""
    database, port = tmp_path / "server.db", free_port()
    shutil.move(place_of(tracked_store).database, database)
    command = [sys.executable, "-m", "mlflow", "server", "--port", port, "--workers", 1]
    command += ["--backend-store-uri", f"sqlite:///{database}"]
    command += ["--artifacts-destination", tmp_path / "artifacts"]
    monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{port}/")
    env = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # starts sooner
    with started(command, port, cwd=tmp_path, env=env):
        check(tracked_store, "mlflow")
        told = track(tracked_store, NAME)
        assert not track(tracked_store, NAME).new
        client = MlflowClient(f"http://127.0.0.1:{port}")
        run = client.get_run(told.run)
        assert told.where.startswith(f"http://127.0.0.1:{port}/#/experiments/")
        assert (run.info.status, run.data.params["backbone"]) == ("FINISHED", "cnn")
        assert run.data.tags["vitrina.model"] == NAME
        steps = [each.step for each in client.get_metric_history(told.run, "shape/val_loss")]
        assert steps == [1, 2]
        got = client.download_artifacts(told.run, "model", str(tmp_path))
        folder = tracked_store.model("tiny", "1")
        for name in ("model.keras", "model.tflite", "card.json"):
            with open(f"{got}/{name}", "rb") as file:  # noqa: PTH123 - MLflow gives a string
                assert file.read() == (folder / name).read_bytes()
        monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{port}/elsewhere")
        with pytest.raises(BadInput, match="404"):
            check(tracked_store, "mlflow")
    assert not (tracked_store.root / "tracking" / "mlflow.db").exists()
    monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{port}")
    monkeypatch.setattr("jobs.tracking.PATIENT", {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"})
    with pytest.raises(JobError, match=r"is kept, but .*Connection refused"):
        track(tracked_store, NAME)


def test_the_page_opens_and_ends(tracked_store):
    """The page has the run and its report, for loopback alone; SIGTERM leaves no process behind."""
    told = track(tracked_store, NAME)
    port = free_port()
    command = [sys.executable, "-c", COMMAND, tracked_store.root, "--port", port]
    with started(command, port) as process:
        base = f"http://127.0.0.1:{port}"
        assert "<title>MLflow</title>" in requests.get(base, timeout=60).text
        asked = {"run_uuid": told.run, "path": "report/index.html"}
        assert requests.get(f"{base}/get-artifact", asked, timeout=60).text == PAGE
        seen = requests.get(f"{base}/ajax-api/2.0/mlflow/runs/get?run_id={told.run}", timeout=60)
        assert seen.json()["run"]["info"]["status"] == "FINISHED"
        elsewhere = {"Host": f"192.168.1.5:{port}"}  # MLflow alone would answer
        assert requests.get(base, headers=elsewhere, timeout=60).status_code == 403
        counted = requests.get(f"{base}/ajax-api/3.0/mlflow/ui-telemetry", timeout=60).json()
        assert counted["disable_ui_telemetry"] is True
        with pytest.raises(BadInput, match=f"port {port} .* can't be had: Address already in use"):
            open_page(tracked_store, port, Console(quiet=True))
        family = psutil.Process(process.pid).children(recursive=True)
        heard = {each.laddr.ip for one in family for each in one.net_connections("tcp")}
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=120) == (
            "",
            f"MLflow's page: {base} (Ctrl-C ends it)\n",
        )
        assert process.returncode == 0
    assert heard == {"127.0.0.1"}
    assert len(family) == 2
    assert not [each for each in family if each.is_running()]


def test_a_server_elsewhere_is_named(tracked_store, monkeypatch, capsys):
    """Where trainings go to a server, its page is told, without its password."""
    monkeypatch.setenv(VARIABLE, "https://user:secret@mlflow.shop.example/")
    open_page(tracked_store, 5000, Console(log_format="json"))
    told = json.loads(capsys.readouterr().err)
    assert told["message"] == "MLflow's page: https://mlflow.shop.example"
