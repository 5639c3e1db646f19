"""The files say what the trained network says, and only trusted ones are opened."""

import json
import shutil
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from catalog.models import export
from catalog.models.artefact import CARD, KERAS, SUMMARY, ModelRefused, hashes, load_card
from catalog.models.export import ExportFailed, agreement, load_keras, principal_components
from catalog.models.runtime import EMBEDDING, Runtime
from catalog.models.training import LEAST_SPREAD


def pixels(count: int) -> np.ndarray:
    """Noise as the decoder would give it: uint8 [count, 32, 32, 3]."""
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)


def test_keras_and_litert_agree(tiny_model):
    """Both files give the same scores and embeddings for the same pixels."""
    network = load_keras(tiny_model, load_card(tiny_model))
    expected = {name: np.asarray(value) for name, value in network(pixels(9)).items()}
    output = Runtime(tiny_model).run(pixels(9))
    for head, scores in output.scores.items():
        assert np.abs(scores - expected[head]).max() < 1e-5
    assert np.allclose(output.embedding, expected[EMBEDDING], atol=1e-3)
    assert agreement(tiny_model, pixels(9), expected)["labels_equal"] == 1


def test_disagreement_is_an_error(tiny_model):
    """An export that says otherwise never leaves the training."""
    output = Runtime(tiny_model).run(pixels(2))
    shifted = {head: scores + 0.01 for head, scores in output.scores.items()}
    with pytest.raises(ExportFailed, match="differs"):
        agreement(tiny_model, pixels(2), shifted)


def test_reloaded_in_a_new_process(tiny_model):
    """The saved network scores the same in a process that knows nothing of this one."""
    code = (
        "import sys, json, pathlib, numpy\n"
        "from catalog.models.artefact import load_card\n"
        "from catalog.models.export import load_keras\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "pixels = numpy.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), numpy.uint8)\n"
        "said = load_keras(folder, load_card(folder))(pixels, training=False)\n"
        "print(json.dumps({name: numpy.asarray(value).tolist() for name, value in said.items()}))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, tiny_model], capture_output=True, text=True, check=True
    )
    said = json.loads(ran.stdout)
    output = Runtime(tiny_model).run(pixels(4))
    for head, scores in output.scores.items():
        assert np.abs(np.array(said[head]) - scores).max() < 1e-5


def test_summary_has_the_layers(tiny_model):
    """The kept summary names the heads and counts the parameters as the card does."""
    summary = (tiny_model / SUMMARY).read_text(encoding="utf-8")
    assert "colour (Dense)" in summary
    assert f"{load_card(tiny_model).parameters:,}" in summary


def test_principal_components():
    """The reduction keeps distances of standardised features, most varying first, centred."""
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(300, 3)) @ rng.normal(size=(3, 200)) + 7).astype(np.float32)
    reduced = np.asarray(principal_components(features)(features))
    assert reduced.shape == (300, 128)
    assert np.allclose(reduced.mean(axis=0), 0, atol=1e-3)
    assert (np.diff(reduced.var(axis=0)[:3]) < 0).all()
    spread = features.std(axis=0) + LEAST_SPREAD * features.std()
    before = np.linalg.norm((features[:50] - features[50:100]) / spread, axis=1)
    after = np.linalg.norm(reduced[:50] - reduced[50:100], axis=1)
    assert np.allclose(before, after, rtol=1e-3)


def test_principal_components_of_few_pictures():
    """There are no more components than pictures."""
    few = np.random.default_rng(0).normal(size=(5, 200)).astype(np.float32)
    assert principal_components(few)(few).shape == (5, 5)


def rewritten(folder, change):
    """The model's configuration changed, and the card's hash with it: a stranger's model."""
    with zipfile.ZipFile(folder / KERAS) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content["config.json"] = change(content["config.json"].decode()).encode()
    with zipfile.ZipFile(folder / KERAS, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    card["files"] = hashes(folder)
    (folder / CARD).write_text(json.dumps(card), encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"units": 4', '"units": 2147483648'),
        lambda text: text.replace('"class_name": "Dense"', '"class_name": "Lambda"'),
        lambda text: text.replace('"module": "keras.layers"', '"module": "os"'),
        lambda _: "{",
    ],
)
def test_hostile_configuration_is_refused(tiny_model, tmp_path, change):
    """Neither a layer of two thousand million units nor code is ever built."""
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    rewritten(folder, change)
    with pytest.raises(ModelRefused):
        load_keras(folder, load_card(folder))


def test_changed_file_is_refused(tiny_model, tmp_path):
    """The bytes are hashed before they are opened."""
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    (folder / KERAS).write_bytes(b"PK")
    with pytest.raises(ModelRefused, match="not the file that its card describes"):
        load_keras(folder, load_card(folder))


def test_embedding_is_one_more_output():
    """The heads are as they were; the embedding comes with them."""
    given = keras.Input((4,), name="pixels")
    features = keras.Model(given, keras.layers.Dense(3)(given))
    network = keras.Model(given, {"a": keras.layers.Dense(2)(features.output)})
    measured = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    joined = export.with_embedding("tagger", network, features, measured)
    assert joined.name == "tagger"
    assert {name: output.shape[-1] for name, output in joined.output.items()} == {
        "a": 2,
        "embedding": 3,
    }
