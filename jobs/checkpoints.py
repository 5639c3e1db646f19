"""Where an interrupted training leaves what it learned, so that the same command goes on."""

import fcntl
import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jobs.errors import BadInput
from sql.store import Store

KEPT_SECONDS = 7 * 24 * 3600.0
"""For so long an interrupted training can go on."""

MADE_BY = ("vitrina", "keras")


@contextmanager
def checkpoints(store: Store, facts: Mapping[str, Any]) -> Iterator[Path]:
    """A folder for what a training of these facts learns; only its good end removes it.

    `facts` are JSON: all that the outcome depends on. BadInput while another process trains on
    the very same ones.
    """
    _sweep(store.trainings)
    told = {**facts, "made_by": {name: version(name) for name in MADE_BY}}
    text = json.dumps(told, sort_keys=True, default=str)
    folder = store.trainings / hashlib.sha256(text.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadInput(
                "another process is at this very training",
                hint="let it finish; if it is killed, this command goes on where it was",
            ) from error
        yield folder
        shutil.rmtree(folder)


def _sweep(trainings: Path) -> None:
    """Remove what nobody went on with."""
    for folder in trainings.glob("*"):
        last = max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
        if time.time() - last > KEPT_SECONDS:
            shutil.rmtree(folder)
