"""What is read from a model's folder."""

import pytest

from catalog.models.artefact import ModelRefused
from catalog.models.metrics import Share
from reports import findings
from reports.draw import draw_model
from reports.evidence import card_evidence, model_evidence
from reports.language import language
from reports.pages import facts
from tests.report_world import VOCABULARY, model_folder

ENGLISH = language("en")


@pytest.fixture
def folder(tmp_path):
    """A model's folder with every file that training leaves, but the network."""
    return model_folder(tmp_path, VOCABULARY)


def test_curves_go_on_through_the_phases(folder):
    """The epochs of all phases are one curve a head, and one of all heads together."""
    model = model_evidence(folder)
    assert model.phases == (3, 1)
    assert [curves.head for curves in model.curves] == ["", "category", "colour"]
    together, category, _ = model.curves
    assert together.accuracy is None
    assert category.accuracy.validation == (0.625,) * 4
    assert findings.curves(category, ENGLISH) == "category: accuracy 90%, on validation 62%"
    assert findings.curves(together, ENGLISH).endswith("loss 0.50, on validation 0.75")


def test_figures_are_those_of_the_test_side(folder):
    """Each head is measured anew from the scores kept with the model."""
    tested = model_evidence(folder).tested
    assert [(head.head, head.n) for head in tested.heads] == [("category", 20), ("colour", 20)]
    assert tested.heads[0].accuracy == 1.0
    assert tested.rows == Share(13, 20)
    assert {each.product.id for each in tested.mistakes} <= {f"p{number}" for number in range(20)}


def test_gap_is_train_less_test(folder):
    """The gap between train and test is told for accuracy and for loss."""
    model = model_evidence(folder)
    assert [each.gap for each in model.gaps] == [0.125, 0.125]
    assert model.loss_gap == 0.75
    assert "a gap of 12.5 points, learned by heart" in findings.gap(model, ENGLISH)


def test_card_alone_tells_how_it_learned(folder):
    """The page of a night reads neither the tested pictures nor the sheet."""
    model = card_evidence(folder)
    assert (len(model.curves), model.tested, model.sheet, model.summary) == (3, None, (), "")
    assert [each.gap for each in model.gaps] == [0.125, 0.125]


def test_facts_are_words(folder):
    """The card's facts are told in words, with hashes cut and thousands apart."""
    told = dict(facts(ENGLISH, model_evidence(folder)))
    assert told["Parameters"] == "12,345"
    assert told["SHA-256 of the CSV"] == "abababababab"
    assert told["Products"] == "1,234"


def test_missing_file_shows_less(folder):
    """A folder without a file, or with another than its card names, shows the rest."""
    (folder / "history.json").unlink()
    (folder / "sample.parquet").write_bytes(b"something else")
    (folder / "test_scores.parquet").unlink()
    model = model_evidence(folder)
    assert (model.curves, model.sheet, model.tested) == ((), (), None)
    assert model.gaps


def test_real_training_leaves_all_of_it(tiny_model):
    """What a training really wrote is read: curves, figures, sheet, sizes, gap and summary."""
    model = model_evidence(tiny_model)
    heads = list(model.card.vocabulary)
    assert [curves.head for curves in model.curves] == ["", *heads]
    assert [each.head for each in model.tested.heads] == [each.head for each in model.gaps] == heads
    assert [side.side for side in model.sides] == ["train", "validation", "test"]
    assert all(side.pictures and side.groups and side.loss for side in model.sides)
    assert model.sheet[0].labels
    assert model.from_scratch
    assert model.summary
    page = draw_model(tiny_model, ENGLISH)
    assert "Learning curves" in page
    assert "Epoch by epoch" in page


def test_folder_without_a_card_is_no_model(tmp_path):
    """Only a folder with a card has a page."""
    with pytest.raises(ModelRefused):
        model_evidence(tmp_path)
