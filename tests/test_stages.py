"""The computing stages: pure, batch in, batch out."""

import numpy as np
import pytest

from catalog.models.runtime import Output
from jobs.stages import embedding_rows, prediction_rows, score_rows

PICTURES = ["aa", "bb", "cc"]
VOCABULARY = {"shape": ("Ball", "Box"), "colour": ("Red", "Green", "Blue", "Grey", "Pink", "Tan")}


@pytest.fixture
def output():
    """What a model said about three pictures."""
    chance = np.random.default_rng(1)
    scores = {
        head: chance.dirichlet(np.ones(len(labels)), 3).astype(np.float32)
        for head, labels in VOCABULARY.items()
    }
    return Output(scores, chance.normal(size=(3, 4)).astype(np.float32))


def test_every_score_keeps_its_picture_and_head(output):
    """One row a picture and head, scores in vocabulary order, nothing joined by position."""
    rows = score_rows(PICTURES, np.array([True, False, True]), output, "tagger/1").to_pylist()
    assert len(rows) == 6
    for row in rows:
        place = PICTURES.index(row["picture"])
        assert row["scores"] == pytest.approx(output.scores[row["head"]][place].tolist())
        assert row["trained_on"] == (place != 1)
        assert row["model"] == "tagger/1"


def test_the_best_five_are_named_best_first(output):
    """A head with fewer labels gives them all; each label has the score of its place."""
    rows = prediction_rows(PICTURES, output, VOCABULARY, "tagger/1").to_pylist()
    assert len(rows) == 3 * (2 + 5)
    for picture, scores in zip(PICTURES, output.scores["colour"], strict=True):
        best = [row for row in rows if (row["picture"], row["head"]) == (picture, "colour")]
        assert [row["rank"] for row in best] == [1, 2, 3, 4, 5]
        assert [row["score"] for row in best] == sorted(scores.tolist(), reverse=True)[:5]
        labels = VOCABULARY["colour"]
        assert all(row["score"] == scores[labels.index(row["label"])] for row in best)


def test_embeddings_keep_their_picture(output):
    """One row a picture."""
    rows = embedding_rows(PICTURES, output, "tagger/1").to_pylist()
    assert [row["picture"] for row in rows] == PICTURES
    assert [row["embedding"] for row in rows] == output.embedding.tolist()
