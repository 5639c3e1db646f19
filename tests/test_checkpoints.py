"""Where interrupted trainings leave what they learned."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from jobs.checkpoints import KEPT_SECONDS, checkpoints
from jobs.errors import BadInput
from sql.store import Store

HERE = Path(__file__).resolve().parent.parent

HOLD = """
import sys
from jobs.checkpoints import checkpoints
from sql.store import Store
with checkpoints(Store(sys.argv[1]), {"seed": 0}) as folder:
    (folder / "learned").write_text("much")
    print("learning", flush=True)
    sys.stdin.read()
"""


def test_the_same_training_finds_what_it_learned(tmp_path):
    """An error leaves the folder, other facts have another one, and a good end removes it."""
    store = Store(tmp_path)
    with suppress(KeyError), checkpoints(store, {"seed": 0}) as folder:
        (folder / "learned").write_text("much")
        raise KeyError
    with checkpoints(store, {"seed": 1}) as other:
        assert not (other / "learned").exists()
    with checkpoints(store, {"seed": 0}) as again:
        assert (again / "learned").read_text() == "much"
    assert list(store.trainings.iterdir()) == []


def test_two_processes_are_not_at_one_training(tmp_path):
    """The second is told; when the first is killed, its folder is there to go on from."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=HERE, **pipes) as first:
        assert first.stdout.readline() == "learning\n"
        with pytest.raises(BadInput, match="another process"):
            checkpoints(Store(tmp_path), {"seed": 0}).__enter__()
        first.kill()
    with checkpoints(Store(tmp_path), {"seed": 0}) as folder:
        assert (folder / "learned").exists()


def test_what_nobody_goes_on_with_is_removed(tmp_path):
    """After a week; a younger one stays."""
    store = Store(tmp_path)
    for name, age in (("old", KEPT_SECONDS + 60), ("young", KEPT_SECONDS - 60)):
        folder = store.trainings / name
        folder.mkdir(parents=True)
        for path in (folder / "learned", folder):
            if path != folder:
                path.write_text("much")
            os.utime(path, (time.time() - age,) * 2)
    with checkpoints(store, {"seed": 0}):
        assert {path.name for path in store.trainings.iterdir()} > {"young"}
        assert not (store.trainings / "old").exists()
