"""What a training leaves beside the network can be read back, and says where it came from."""

import json
import platform
from hashlib import sha256

import keras
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.models import provenance
from catalog.models.artefact import HISTORY, SAMPLE, TEST_SCORES
from catalog.models.provenance import SAMPLE_SCHEMA, TEST_SCHEMA
from catalog.models.settings import TrainSettings

TESTED = {"picture": "sha", "id": "p1", "head": "colour", "truth": "Red", "scores": [0.25, 0.75]}


def test_test_scores_are_read_back_as_they_were(tmp_path):
    """The file says what it is and in which version; none tested is a file too."""
    for rows in ([TESTED], []):
        provenance.write_test_scores(tmp_path, rows)
        found = pq.read_table(tmp_path / TEST_SCORES)
        assert found.to_pylist() == rows
        assert found.schema.names == TEST_SCHEMA.names
        assert found.schema.metadata == TEST_SCHEMA.metadata


def test_a_test_score_without_a_truth_is_refused(tmp_path):
    """What was not labelled was not tested, and no half file is left."""
    with pytest.raises(pa.ArrowInvalid):
        provenance.write_test_scores(tmp_path, [TESTED | {"truth": None}])
    assert list(tmp_path.iterdir()) == []


def test_the_sample_keeps_labels_and_pixels(tmp_path):
    """Labels of a head each, and the picture as the network saw it."""
    row = {"picture": "sha", "id": "p1", "labels": [("colour", "Red")], "png": b"\x89PNG"}
    provenance.write_sample(tmp_path, [row])
    found = pq.read_table(tmp_path / SAMPLE)
    assert found.to_pylist() == [row]
    assert found.schema.metadata == SAMPLE_SCHEMA.metadata


def test_the_history_is_json(tmp_path):
    """A list of phases."""
    phases = ({"phase": "heads", "epochs": [{"epoch": 1, "loss": 0.5}]},)
    provenance.write_history(tmp_path, phases)
    assert json.loads((tmp_path / HISTORY).read_text()) == {"phases": list(phases)}


def test_versions_are_those_that_run():
    """Of Python and of what makes a network what it is."""
    found = provenance.versions()
    assert found["python"] == platform.python_version()
    assert found["keras"] == keras.__version__
    assert set(found) == {"python", *provenance.PACKAGES}


def test_a_weights_file_is_told_by_name_and_hash(tmp_path):
    """Not by where it lay: the folder is nobody's business, and the name proves nothing."""
    path = tmp_path / "base.weights.h5"
    path.write_bytes(b"weights")
    told = provenance.weights_of(TrainSettings(weights=str(path)))
    assert told == f"base.weights.h5 (SHA-256 {sha256(b'weights').hexdigest()})"
    for word in ("imagenet", "none"):
        assert provenance.weights_of(TrainSettings(weights=word)) == word
