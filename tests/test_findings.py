"""What is found, in sentences made from the figures."""

from dataclasses import replace

import pytest

from catalog.models.calibration import Bin
from reports import findings
from reports.alike import Alike
from reports.change import Paired
from reports.evidence import HeadSides, model_evidence
from reports.language import language
from reports.measured import Macro
from tests.report_world import VOCABULARY, model_folder, world

ENGLISH, SPANISH = language("en"), language("es")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report of an ordinary run."""
    return world(tmp_path_factory.mktemp("shop")).report()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model's evidence."""
    return model_evidence(model_folder(tmp_path_factory.mktemp("model"), VOCABULARY))


@pytest.mark.parametrize(
    ("sure", "right", "said"),
    [
        (0.9, 0.75, "colour is surer than it is right, by 15.0 points"),
        (0.7, 0.8, "colour is more often right than it is sure, by 10.0 points"),
        (0.7, 0.69, "colour is about as often right as it is sure"),
    ],
)
def test_reliability_is_told_as_sure_or_unsure(report, sure, right, said):
    """A head that is surer than right is told so, and the reverse; small differences are none."""
    head = replace(report.evaluation.heads[1], reliability=(Bin(sure, right, 100),))
    assert findings.reliability(head, ENGLISH) == said


def test_gap_is_a_fault_only_when_wide(model):
    """From ten points on a gap is learning by heart; below it is told as none."""
    assert findings.gap(model, ENGLISH) == (
        "category is right for 88% of what was trained on and for 75% of the test side:"
        " a gap of 12.5 points, learned by heart"
    )
    close = replace(model, gaps=(HeadSides("colour", 0.8, 0.8, 0.75),))
    assert findings.gap(close, ENGLISH).startswith("No attribute is more than 5.0 points better")
    assert findings.gap(replace(model, gaps=()), ENGLISH)


def test_macro_averages_say_what_they_are_over():
    """Which classes count, and which are left out and why."""
    said = findings.macro(Macro(20, 12, None, None, 2, ("Teal", "Rust")), ENGLISH)
    assert said == (
        "Macro over 12 classes of at least 20 rows."
        " 2 rarer ones are left out: \u2068Teal\u2069, \u2068Rust\u2069."
    )
    some = findings.macro(Macro(20, 12, None, None, 50, ("Teal", "Rust")), ENGLISH)
    assert "50 rarer ones are left out, such as" in some
    none = findings.macro(Macro(20, 0, None, None, 1, ("Teal",)), ENGLISH)
    assert none.startswith(
        "No macro average: no class has 20 rows or more. 1 rarer one is left out"
    )
    assert findings.macro(Macro(20, 3, None, None, 0, ()), ENGLISH) == "Macro over all 3 classes."


def test_confusion_names_the_commonest_mistake(report):
    """A heatmap's title is its commonest mistake, or that there is none."""
    category, colour = report.evaluation.heads
    assert findings.confusion(category, ENGLISH) == "No class is taken for another in 32 rows"
    worst = max(colour.classes, key=lambda each: each.taken)
    assert findings.confusion(colour, ENGLISH) == (
        f"\u2068{worst.label}\u2069 is taken for \u2068{worst.taken_for}\u2069"
        f" in {worst.taken} of {worst.n}"
    )


def test_change_is_told_with_its_points(report):
    """Better, worse and just as before are three sentences."""
    since = replace(report.change, rows=Paired(None, 200, mended=10, broken=4, stands=120))
    assert findings.change(since, ENGLISH) == (
        "All attributes at once are right for 60.0% of the same 200 products, before for 57.0%"
        " (+3.0 points)"
    )
    same = replace(since, rows=Paired(None, 200, mended=0, broken=0, stands=120))
    assert findings.change(same, ENGLISH).endswith("60.0% of 200 products, as before")
    assert "No product" in findings.change(replace(since, rows=None), ENGLISH)


def test_pictures_alike_are_counted():
    """How many look like another; or that none does."""
    some = Alike(2000, 1500, 3, 1400, 0, 0, ())
    assert findings.alike(some, ENGLISH) == (
        "1,400 of 1,500 pictures look like another one, in 3 groups"
    )
    assert findings.alike(replace(some, groups=0), ENGLISH) == (
        "None of 1,500 pictures looks like another"
    )


def test_spanish_sentences_have_spanish_numbers(report):
    """A share in Spanish has a comma and a space before its sign."""
    assert "97,5\N{NO-BREAK SPACE}%" in findings.coverage(report.coverage, SPANISH)
