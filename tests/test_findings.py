"""What is found, in sentences made from the figures."""

from dataclasses import replace

import pytest

from catalog.models.calibration import Bin
from catalog.models.metrics import Share
from reports import findings
from reports.alike import Alike
from reports.change import Paired
from reports.coverage import Covered
from reports.evidence import HeadSides, model_evidence
from reports.language import language
from reports.leftovers import FailureReason, RejectReason
from reports.measured import Macro
from reports.verdict import verdict
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


@pytest.mark.parametrize(
    ("bins", "said"),
    [
        (
            (Bin(0.55, 0.85, 100), Bin(0.97, 0.67, 100)),
            "colour is right for 67% where it is 97% sure, and for 85% where it is 55% sure",
        ),
        (
            (Bin(0.6, 0.7, 40), Bin(0.9, 0.85, 49)),
            "colour is as often right as it is sure, as far as 89 rows can tell",
        ),
        (
            (Bin(0.6, 0.7, 400), Bin(0.9, 0.85, 490)),
            "colour is right for 85% where it is 90% sure, and for 70% where it is 60% sure",
        ),
    ],
)
def test_reliability_is_told_where_signs_differ(report, bins, said):
    """Over-sure here and under-sure there is not "about as often"; a few rows may stray so far."""
    rows = sum(each.n for each in bins)
    head = replace(report.evaluation.heads[1], reliability=bins, share=Share(rows // 2, rows))
    assert findings.reliability(head, ENGLISH) == said


def test_calibration_error_is_told_beside_chance(report):
    """Of 100 rows at 0.5, 0.08 off: chance makes sqrt(2 / pi) of 0.05 on average."""
    bins = (Bin(0.5, 0.58, 100),)
    head = replace(report.evaluation.heads[1], reliability=bins, share=Share(50, 100))
    assert findings.calibration_error(head, ENGLISH) == (
        "Expected calibration error (ECE; bins of equal mass: 1): 0.080. On 100 rows a model whose"
        " probabilities are right has 0.040 on average."
    )


def test_accuracy_has_the_rows_of_each_attribute(report):
    """Category is right for 100 of 100, gender for 29 of 60; colour's one row is no rank."""
    category = replace(report.evaluation.heads[0], share=Share(100, 100))
    gender = replace(category, head="gender", share=Share(29, 60))
    colour = replace(category, head="colour", share=Share(1, 1))
    evaluation = replace(report.evaluation, heads=(category, gender, colour))
    assert findings.accuracy(evaluation, ENGLISH) == (
        "category is right for 100.0% of 100 and gender, the weakest attribute, for 48.3% of 60"
    )
    assert findings.unranked(evaluation, ENGLISH) == ("Not ranked, for fewer than 20 rows: colour.")
    alone = replace(evaluation, heads=(gender, colour))
    assert findings.accuracy(alone, ENGLISH) == "gender is right for 48.3% of 60"
    none = replace(evaluation, heads=(colour,))
    assert findings.accuracy(none, ENGLISH).endswith("no attribute has 20")


def test_truths_that_were_never_learned_are_no_confusion(report):
    """Three rows whose labels the model never learned were all taken for others."""
    category, _ = report.evaluation.heads
    lost = replace(category, share=Share(0, 3), outside=3, classes=())
    assert findings.confusion(lost, ENGLISH) == "The model never learned any label of the 3 rows"
    some = replace(category, outside=2)
    assert findings.confusion(some, ENGLISH) == "No class is taken for another in 30 rows"


def test_gap_of_few_rows_may_be_chance(model):
    """15 of 20 may be 88.8 % by Wilson: a model right for 87.5 % of what it learned is not worse.

    Of 200 rows 150 are 80.5 % at most.
    """
    few = replace(model, gaps=(HeadSides("colour", 0.875, 0.8, 0.75, 20),))
    assert findings.gap(few, ENGLISH) == (
        "colour is right for 88% of what was trained on and for 75% of the test side:"
        " a gap of 12.5 points, which may be chance on 20 rows"
    )
    many = replace(model, gaps=(HeadSides("colour", 0.875, 0.8, 0.75, 200),))
    assert findings.gap(many, ENGLISH).endswith("a gap of 12.5 points, learned by heart")
    unknown = replace(model, gaps=(HeadSides("colour", 0.875, 0.8, 0.75),))
    assert findings.gap(unknown, ENGLISH).endswith("a gap of 12.5 points")


def test_gap_below_zero_is_none(model):
    """A model that is better on the test side is told so, and never by less than nothing."""
    better = replace(model, gaps=(HeadSides("colour", 0.7, 0.8, 0.75, 200),))
    assert findings.gap(better, ENGLISH) == (
        "No attribute is better on what was trained on than on the test side"
    )


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
        "2 attributes at once are right for 60.0% of the same 200 products, before for 57.0%"
        " (+3.0 points)"
    )
    same = replace(since, rows=Paired(None, 200, mended=0, broken=0, stands=120))
    assert findings.change(same, ENGLISH).endswith("60.0% of 200 products, as before")
    one = replace(since, rows=Paired(None, 1, mended=0, broken=0, stands=1))
    assert findings.change(one, ENGLISH).endswith("100.0% of 1 product, as before")
    assert "No product" in findings.change(replace(since, rows=None, heads=()), ENGLISH)


def test_change_is_told_of_an_attribute_where_there_is_nothing_at_once(report):
    """Of 32 products colour is right for 20, before for 12: more sure than what nobody changed."""
    category = Paired("category", 32, mended=0, broken=0, stands=32)
    colour = Paired("colour", 32, mended=8, broken=0, stands=20)
    since = replace(report.change, rows=None, heads=(category, colour))
    assert findings.change(since, ENGLISH) == (
        "colour is right for 62.5% of the same 32 products, before for 37.5% (+25.0 points)"
    )
    same = replace(since, heads=(category,))
    assert findings.change(same, ENGLISH) == (
        "category is right for 100.0% of 32 products, as before"
    )
    told = verdict(replace(report, change=since), ENGLISH)[-1]
    assert findings.change(since, ENGLISH) in told
    assert told.endswith("Changed by more than chance: colour.")


def test_one_of_something_is_told_in_the_singular(report):
    """One product, one refused row and one failed picture are no plurals."""
    whole = Covered(None, products=1, tagged=1, with_failures=0)
    coverage = replace(report.coverage, whole=whole)
    assert findings.coverage(coverage, ENGLISH) == "1 of 1 product has tags (100.0%)"
    left = replace(
        report.left,
        reject_reasons=(RejectReason("id_empty", 1, 2),),
        failure_reasons=(FailureReason("fetch", "not_found", 1, 1, 1),),
    )
    assert findings.refusals(left, ENGLISH).startswith("1 of 1 refused row: ")
    assert findings.failures(left, ENGLISH).startswith("1 of 1 failed picture: ")


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
