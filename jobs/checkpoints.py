"""Where an interrupted training leaves what it learned, so that the same command goes on."""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from catalog.models.artefact import NotExported
from jobs.errors import BadInput
from sql.store import Store

KEPT_SECONDS = 7 * 24 * 3600.0
"""For so long an interrupted training can go on."""

MADE_BY = ("vitrina", "keras")

GoOn = Callable[[Mapping[str, Any]], Path]
"""From all that a training's outcome depends on, as JSON, to the folder of its checkpoints."""


@contextmanager
def going_on(store: Store) -> Iterator[GoOn]:
    """Gives folders for what trainings learn; they go at the block's good end, and only then.

    The same facts give the same folder. BadInput while another process trains on the very same.
    """
    _sweep(store.trainings)
    taken = []
    with ExitStack() as locks:

        def folder_of(facts: Mapping[str, Any]) -> Path:
            folder = store.trainings / _key(facts)
            folder.mkdir(parents=True, exist_ok=True)
            os.utime(folder)  # a week from now
            if not _held(locks.enter_context((folder / ".lock").open("a"))):
                raise BadInput(
                    "another process is at this very training",
                    hint="let it finish; if it is killed, this command goes on where it was",
                )
            taken.append(folder)
            return folder

        try:
            yield folder_of
        except NotExported as error:
            raise BadInput(
                str(error),
                hint="run the same command with KERAS_BACKEND=tensorflow: it goes on from here",
            ) from error
        for folder in taken:
            shutil.rmtree(folder)


def _key(facts: Mapping[str, Any]) -> str:
    told = {**facts, "made_by": {name: version(name) for name in MADE_BY}}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _held(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sweep(trainings: Path) -> None:
    """Remove what nobody went on with, and nothing that a training is at."""
    for folder in trainings.glob("*/"):
        with suppress(OSError):  # what another process removes meanwhile is no trouble of ours
            last = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
            if time.time() - last > KEPT_SECONDS:
                with (folder / ".lock").open("a") as lock:
                    if _held(lock):
                        shutil.rmtree(folder)
