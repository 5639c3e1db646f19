"""Model folders of strangers: each is refused with one line, at once, and nothing in it runs."""

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from catalog.models.artefact import KERAS, LITERT
from catalog.models.inspection import inspect
from catalog.models.runtime import Runtime
from tests.hostile_models import CASES, NAIVE, network, no_numbers
from tests.test_architecture import ROOT, imported, modules

CODE_INSIDE = {"pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"}
MOST_SECONDS, MOST_MEBIBYTES = 3, 64


def test_hostile_folders_are_refused_and_naive_openers_are_not_safe(tiny_model, tmp_path):
    """Whatever is wrong with a folder, ModelRefused says so, soon, and no code in it has run.

    Positive control: opened naively, the same folders run their code, hang, take all memory there
    is, or are taken for good.
    """
    command = [sys.executable, "-m", "tests.hostile_models", tiny_model, tmp_path]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told = json.loads(ran.stdout.splitlines()[-1])
    whole, *ours = told["ours"]
    assert whole["said"] == ""
    assert len(CASES) == len(ours) >= 14
    wrong = [
        outcome
        for case, outcome in zip(CASES, ours, strict=True)
        if case.words not in outcome["said"] or outcome["said"].endswith("!") or too_much(outcome)
    ]
    assert wrong == []
    assert {outcome["case"]: fate(outcome) for outcome in told["naive"]} == {
        **dict.fromkeys(NAIVE, "taken for good"),
        "card is a pipe": "TimeoutError!",
        "a pickle": "ran code",
        "code": "ran code",
        "two wide layers": "ResourceExhaustedError!",
        "split of 20 million": "took all memory",
    }


def too_much(outcome) -> bool:
    """Whether a refusal took long, took memory, or came too late."""
    costly = outcome["seconds"] > MOST_SECONDS or outcome["mebibytes"] > MOST_MEBIBYTES
    return costly or outcome["ran_code"]


def fate(outcome) -> str:
    """What became of a naive opener."""
    # Who asks for the last byte, Arrow or Python, is chance.
    said = {"ArrowMemoryError!": "took all memory", "MemoryError!": "took all memory"}
    told = said.get(outcome["said"], outcome["said"])
    return "ran code" if outcome["ran_code"] else told or "taken for good"


def test_a_file_swapped_after_it_was_hashed_is_never_opened(tiny_model, tmp_path):
    """Interpreters that start later are made of the bytes that were hashed, not of the path.

    Positive control: an interpreter of the path gives the stranger's numbers.
    """
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    runtime = Runtime(folder)
    pixels = np.full((1, 32, 32, 3), 99, np.uint8)
    before = runtime.run(pixels).scores["colour"]
    network(no_numbers)(folder)  # another network, and a card that vouches for it
    later: list[np.ndarray] = []
    thread = threading.Thread(target=lambda: later.append(runtime.run(pixels).scores["colour"]))
    thread.start()
    thread.join()
    assert np.array_equal(before, later[0])
    naive = Interpreter(model_path=str(folder / LITERT)).get_signature_runner()
    assert np.isnan(naive(pixels=pixels)["colour"]).all()


@pytest.mark.parametrize("model", ["tiny_model", "tiny_classifier"])
def test_networks_of_this_project_are_let_through(request, model):
    """The list of what a network may be made of has all that trainings use."""
    path = request.getfixturevalue(model) / KERAS
    inspect(path, path.read_bytes())


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_that_can_hold_code_is_read(path):
    """No module of the project reads pickles, by whatever name."""
    assert code_readers(path.read_text(encoding="utf-8")) == set()


def test_a_reader_of_pickles_is_seen():
    """Positive control: the check above finds them."""
    assert code_readers("def late():\n    from joblib.numpy_pickle import load") == {"joblib"}
    assert code_readers(Path(__file__).with_name("hostile_models.py").read_text()) == {"pickle"}


def code_readers(source: str) -> set[str]:
    """Which of the modules that run what they read a module imports."""
    return {name.split(".")[0] for name in imported(source)} & CODE_INSIDE
