"""A training on Keras's JAX backend, where there is no TensorFlow, as on somebody's GPU.

CATALOG_JAX names a folder into which jax and grain were installed (`pip install --target`);
`make jax` does it all.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.test_train_tagger import SMALL, shop_without_model

FOLDER = os.environ.get("CATALOG_JAX", "")
WITHOUT_TENSORFLOW = """
import runpy, sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow":
            raise ModuleNotFoundError("no TensorFlow here", name=name)

folder, *sys.argv[1:] = sys.argv[1:]
sys.path.append(folder)
sys.meta_path.insert(0, Without())
runpy.run_module("jobs.cli", run_name="__main__")
"""

__all__ = ["shop_without_model"]

pytestmark = pytest.mark.skipif(not FOLDER, reason="CATALOG_JAX names no folder; see `make jax`")


def test_what_jax_learned_tensorflow_exports(shop_without_model):
    """It trains to its last checkpoint and says what is missing; with TensorFlow it goes on."""
    bench = shop_without_model
    arguments = ("train", "tagger", bench.write(), "--allow-host", bench.shop.host, *SMALL)
    bench.run("models")  # writes the settings
    settings = ("--config", bench.folder / "catalog.toml")
    words = [*map(str, ("--store", bench.store.root, *settings, *arguments))]
    alone = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, FOLDER, *words],
        env=os.environ | {"KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert alone.returncode == 2, alone.stderr
    assert "is trained, but Keras on jax can't write model.tflite" in alone.stderr
    assert "KERAS_BACKEND=tensorflow" in alone.stderr
    assert "Traceback" not in alone.stderr
    [learned] = bench.store.trainings.glob("*/whole.json")
    epochs = json.loads(learned.read_text())
    told = json.loads(bench.run(*arguments, "--json").stdout)
    [whole] = json.loads((bench.store.models / told["model"] / "history.json").read_text())[
        "phases"
    ]
    assert whole["epochs"] == epochs
    assert not list(bench.store.trainings.glob("*/*.json"))
