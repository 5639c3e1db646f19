"""`catalog tracking`: MLflow's own page over what was tracked, on loopback, until it is stopped."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from typing import IO

from jobs.console import Console
from jobs.errors import BadInput, JobError
from jobs.keeping import existing
from jobs.tracking import SILENT, Place, check, need_mlflow, place_of
from sql.store import Store

HOST = "127.0.0.1"
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
START_SECONDS = 120.0
STOP_SECONDS = 10.0


def open_page(store: Store, port: int, console: Console) -> None:
    """Serve MLflow's page and say where, until Ctrl-C, SIGTERM or the end of the terminal.

    The only process that it starts, and what that one starts, are gone when this returns. Where
    MLFLOW_TRACKING_URI names a server there is nothing to serve: its address is told. BadInput
    when MLflow, the store or the port can't be had; JobError when MLflow's server ends by itself.
    """
    need_mlflow()
    place = place_of(existing(store))
    if place.remote:
        console.say(f"MLflow's page: {place}")
        return
    _check_free(port)
    check(store, "mlflow")  # here its fault is told in a line, and a new database is made whole
    with _until_stopped(), tempfile.TemporaryFile() as said, _server(place, port, said) as server:
        _wait_for(server, port, said)
        console.say(f"MLflow's page: http://{HOST}:{port} (Ctrl-C ends it)")
        server.wait()
        raise _ended(said)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise BadInput(
                f"port {port} of {HOST} can't be had: {error.strerror}",
                hint="name another with --port",
            ) from error


@contextmanager
def _until_stopped() -> Iterator[None]:
    """Being asked to stop is how the block ends; asked again while it cleans up, it goes on."""
    asked = False

    def stop(*_: object) -> None:
        nonlocal asked
        if not asked:
            asked = True
            raise KeyboardInterrupt

    before = {one: signal.signal(one, stop) for one in ENDING}
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextmanager
def _server(place: Place, port: int, said: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """MLflow's server in a group of processes of its own, none of which outlives the block."""
    options = {
        "--host": HOST,
        "--port": str(port),
        "--workers": "1",
        "--uvicorn-opts": "--log-level warning --no-access-log --timeout-graceful-shutdown 2",
    }
    command = [sys.executable, "-m", "mlflow", "server", "--no-serve-artifacts"]
    command += [word for pair in options.items() for word in pair]
    server = subprocess.Popen(  # nosec B603  # noqa: S603 - no shell, and nothing that a user said
        command,
        env=_environment(place, port),
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=said,
        start_new_session=True,
    )
    try:
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                server.wait(STOP_SECONDS)
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _environment(place: Place, port: int) -> dict[str, str]:
    """What the server must know. A database's address may hold a password: no argument shows it."""
    return {
        # Unless MLflow was told otherwise: its own default lets a network's addresses in, too.
        "MLFLOW_SERVER_ALLOWED_HOSTS": f"{HOST}:{port},localhost:{port}",
        **os.environ,
        **SILENT,
        "MLFLOW_BACKEND_STORE_URI": place.uri,
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": place.artifacts.as_uri(),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # processes that only language models need
        "MLFLOW_MODEL_CATALOG_URI": "",  # a list of language models, else fetched from elsewhere
    }


def _wait_for(server: subprocess.Popen[bytes], port: int, said: IO[bytes]) -> None:
    """Until it answers; JobError when it ends, or does not answer in time."""
    last = time.monotonic() + START_SECONDS
    while not _answers(port):
        if server.poll() is not None:
            raise _ended(said)
        if time.monotonic() > last:
            raise JobError(f"MLflow's server does not answer within {START_SECONDS:.0f} s")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _ended(said: IO[bytes]) -> JobError:
    """What to tell of a server that ended by itself: its last words."""
    said.seek(0)
    lines = said.read().decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    return JobError(f"MLflow's server ended: {last}")
