"""The exported file answers alone, quickly, and only when it is what its card says."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from catalog.models.artefact import CARD, LITERT, ModelRefused, load_card, save_card, sha256
from catalog.models.runtime import Runtime, at_once


def pixels(count: int) -> np.ndarray:
    """Noise as the decoder would give it: uint8 [count, 32, 32, 3]."""
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)


def test_outputs_by_name(tiny_model):
    """Every head gives probabilities over its labels; the embedding is at most 128 numbers."""
    runtime = Runtime(tiny_model)
    output = runtime.run(pixels(3))
    assert list(output.scores) == ["shape", "colour"]
    for head, labels in runtime.card.vocabulary.items():
        assert output.scores[head].shape == (3, len(labels))
        assert output.scores[head].dtype == np.float32
        assert np.allclose(output.scores[head].sum(axis=1), 1, atol=1e-5)
    assert output.embedding.shape == (3, runtime.card.embedding_size)
    assert runtime.card.embedding_size <= 128


def test_any_number_of_pictures(tiny_model):
    """No batch border shows: each picture scores as it does alone."""
    runtime = Runtime(tiny_model)
    step = at_once(runtime.card.image_size)
    many = pixels(2 * step + 5)
    together = runtime.run(many)
    for row in (0, step - 1, step, 2 * step + 4):
        alone = runtime.run(many[row : row + 1])
        assert np.allclose(alone.scores["colour"][0], together.scores["colour"][row], atol=1e-5)
        assert np.allclose(alone.embedding[0], together.embedding[row], atol=1e-3)
    assert runtime.run(many[:0]).scores["colour"].shape == (0, 3)


def test_results_are_not_overwritten(tiny_model):
    """What one call gave stays as it is while the next one runs."""
    runtime = Runtime(tiny_model)
    first = runtime.run(pixels(4)).scores["colour"]
    kept = first.copy()
    runtime.run(255 - pixels(4))
    assert np.array_equal(first, kept)


@pytest.mark.parametrize("wrong", [pixels(2).astype(np.float32), pixels(2)[:, :16], pixels(2)[0]])
def test_wrong_pixels_are_refused(tiny_model, wrong):
    """Pixels of another kind or size would give nonsense without a word."""
    with pytest.raises(ValueError, match="uint8"):
        Runtime(tiny_model).run(wrong)


def test_changed_file_is_refused(tiny_model, tmp_path):
    """The file that is loaded every night is hashed every night."""
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    with (folder / LITERT).open("r+b") as file:
        file.seek(1000)
        file.write(b"\0\1\2\3")
    with pytest.raises(ModelRefused, match="not the file that its card describes"):
        Runtime(folder)


def test_senseless_file_is_refused(tiny_model, tmp_path):
    """A file whose hash is right but that is no network is refused too."""
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    (folder / LITERT).write_bytes(b"no network at all" * 100)
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    card["files"][LITERT] = sha256(folder / LITERT)
    (folder / CARD).write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ModelRefused, match="can't be loaded"):
        Runtime(folder)


def test_card_of_another_model_is_refused(tiny_model, tmp_path):
    """Labels are never read off the wrong outputs."""
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    card = load_card(folder)
    card.vocabulary["colour"] += ("Mauve",)  # type: ignore[index, operator]
    save_card(folder, card)
    with pytest.raises(ModelRefused, match="does not answer what its card says"):
        Runtime(folder)


def test_tensorflow_is_never_imported(tiny_model):
    """Tagging loads the model without TensorFlow or Keras, and says nothing."""
    code = (
        "import sys, pathlib, numpy\n"
        "from catalog.models.runtime import Runtime\n"
        f"runtime = Runtime(pathlib.Path({str(tiny_model)!r}))\n"
        "runtime.run(numpy.zeros((2, 32, 32, 3), numpy.uint8))\n"
        "print([name for name in ('tensorflow', 'keras', 'sklearn', 'pandas')"
        " if name in sys.modules])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("[]\n", "")
