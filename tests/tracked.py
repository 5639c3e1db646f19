"""A store with a tiny model to track, and a database of MLflow's that is there already."""

import shutil
import socket
from pathlib import Path

import pytest
from filelock import FileLock

from jobs.tracking import VARIABLE, check
from sql import manifests
from sql.manifests import Manifest
from sql.store import Store

NAME = "tiny/1"
PAGE = "<html>the report</html>"


def store_with(model: Path, folder: Path, database: Path) -> Store:
    """A store with this model, the run that trained it, and this database of MLflow's."""
    store = Store(folder / "store")
    shutil.copytree(model, store.model(*NAME.split("/")))
    page = store.report("r1")
    page.parent.mkdir(parents=True)
    page.write_text(PAGE, encoding="utf-8")
    store.runs.mkdir()
    manifests.write(
        store,
        Manifest(
            id="r1",
            job="train",
            started="2026-01-05T10:00:00+00:00",
            finished="2026-01-05T10:30:00+00:00",
            version="0",
            model=NAME,
            report="reports/r1/index.html",
        ),
    )
    (store.root / "tracking").mkdir()
    shutil.copy(database, store.root / "tracking" / "mlflow.db")
    return store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's database as `check` makes it, once for all workers: it takes seconds."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if shared.name.startswith("popen-") else shared
    made = shared / "tracking.db"
    with FileLock(shared / "tracking.lock"), pytest.MonkeyPatch.context() as patch:
        if not made.exists():
            patch.delenv(VARIABLE, raising=False)
            store = Store(shared / "tracking-store")
            check(store, "mlflow")
            (store.root / "tracking" / "mlflow.db").rename(made)
    return made


@pytest.fixture
def tracked_store(
    tmp_path: Path, tiny_model: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> Store:
    """A store with a model that nothing has tracked yet."""
    monkeypatch.delenv(VARIABLE, raising=False)
    return store_with(tiny_model, tmp_path, empty_database)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
