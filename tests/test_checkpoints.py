"""Where interrupted trainings leave what they learned."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from jobs.checkpoints import KEPT_SECONDS, going_on
from jobs.errors import BadInput
from sql.store import Store

HERE = Path(__file__).resolve().parent.parent

HOLD = """
import sys
from jobs.checkpoints import going_on
from sql.store import Store
with going_on(Store(sys.argv[1])) as go_on:
    (go_on({"seed": 0}) / "learned").write_text("much")
    print("learning", flush=True)
    sys.stdin.read()
"""


def test_the_same_training_finds_what_it_learned(tmp_path):
    """An error leaves the folder, other facts have another one, and a good end removes it."""
    store = Store(tmp_path)
    with suppress(KeyError), going_on(store) as go_on:
        (go_on({"seed": 0}) / "learned").write_text("much")
        raise KeyError
    with going_on(store) as go_on:
        assert not (go_on({"seed": 1}) / "learned").exists()
    with going_on(store) as go_on:
        assert (go_on({"seed": 0}) / "learned").read_text() == "much"
    assert list(store.trainings.iterdir()) == []


def test_two_processes_are_not_at_one_training(tmp_path):
    """The second is told; when the first is killed, its folder is there to go on from."""
    store = Store(tmp_path)
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=HERE, **pipes) as first:
        assert first.stdout.readline() == "learning\n"
        with pytest.raises(BadInput, match="another process"), going_on(store) as go_on:
            go_on({"seed": 0})
        first.kill()
    with going_on(store) as go_on:
        assert (go_on({"seed": 0}) / "learned").exists()


def test_what_nobody_goes_on_with_is_removed(tmp_path):
    """After a week; a younger one stays, and so does one that a training has just taken up."""
    store = Store(tmp_path)
    with suppress(KeyError), going_on(store) as go_on:
        taken = go_on({"seed": 0})
        raise KeyError
    places = [taken, store.trainings / "old", store.trainings / "young"]
    for folder in places:
        folder.mkdir(exist_ok=True)
        (folder / "learned").write_text("much")
        age = KEPT_SECONDS + (60 if folder != places[-1] else -60)
        for path in (*folder.iterdir(), folder):
            os.utime(path, (time.time() - age,) * 2)
    os.utime(taken, (time.time() - KEPT_SECONDS + 60,) * 2)
    (store.trainings / "no folder").write_text("")
    with suppress(KeyError), going_on(store) as go_on:
        assert go_on({"seed": 0}) == taken
        for path in (*taken.iterdir(), taken):
            os.utime(path, (0, 0))
        with going_on(store):  # another training begins: this one has its folder still
            assert (taken / "learned").exists()
        raise KeyError
    assert (taken / "learned").exists()
    assert not (store.trainings / "old").exists()
    assert (store.trainings / "young").exists()
