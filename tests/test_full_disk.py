"""A disk that is really full: one clear line, nothing half there, and the next run completes."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import HERE
from tests.full_disk import NAIVE, SPILL, START, Told

SMALL = "64m"
STAGES = ("fetches", "manifest")
FURTHER = (
    START,
    "images",
    "reports",
    "database",
    "pictures",
    "scores",
    "predictions",
    "embeddings",
    "products",
    "tags",
    "published",
)
# What is written where there is no room: the folder that the line names.
FOLDERS = {START: "", "manifest": "/runs", "database": "", "published": "/runs"}

Ask = Callable[..., Told]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Ask:
    """What `tests.full_disk` finds on a small disk; a skip that says why when there is none."""

    def told(*stages: str) -> Told:
        folder = tmp_path_factory.mktemp("full")
        disk = folder / "disk"
        disk.mkdir()
        script = f'mount -t tmpfs -o size={SMALL} none "$1" || exit 42; shift; exec "$@"'
        command = ["unshare", "-Urm", "sh", "-c", script, "sh", disk]
        command += [sys.executable, "-m", "tests.full_disk", folder, tiny_model, *stages]
        words = [str(word) for word in command]
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=HERE)
        except FileNotFoundError:
            pytest.skip("no unshare here")
        if done.returncode == 42 or done.stderr.startswith("unshare"):
            pytest.skip(f"no small disk can be made here: {done.stderr}")
        assert done.returncode == 0, done.stderr
        found: Told = json.loads(done.stdout)
        return found

    return told


def check(told: Told) -> None:
    """The store was whole, and the line names the folder."""
    assert {stage: problem for stage, (_, problem) in told.items() if problem} == {}
    for stage, (said, _) in told.items():
        error, following = said.splitlines()
        assert f"/disk/store{FOLDERS.get(stage, f'/{stage}')}" in error
        assert "make room and run again" in following


def test_a_full_disk_is_one_line_and_loses_nothing(ask):
    """Whatever the disk has no room for, the old or the new run is whole, then and afterwards."""
    told = ask(*STAGES, NAIVE, SPILL)
    # Positive control: written in place, half a manifest is left.
    assert told.pop(NAIVE)[1] is not None
    # DuckDB calls it a limit of its own, and offers settings that nobody here can change.
    said, _ = told.pop(SPILL)
    assert said.startswith("no room left on the disk that holds")
    assert "max_temp_directory_size" not in said
    check(told)


@pytest.mark.sweep
def test_a_full_disk_at_any_stage_is_one_line_and_loses_nothing(ask):
    """Likewise for everything else that a run writes."""
    check(ask(*FURTHER))
