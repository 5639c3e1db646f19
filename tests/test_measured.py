"""What was measured of a tagger, as values: counted by hand."""

import numpy as np
import pytest

from catalog.models.metrics import OUTSIDE, Averages, Share, encode, score_head
from reports.measured import (
    BINS,
    LEAST_ROWS,
    MISTAKES,
    PAIRS,
    Measured,
    evaluate,
    gathered,
    graded,
    macro,
)


def rows_of(labels, counts, head="colour", score=0.75):
    """Rows by how many of each truth got each guess: {(truth, guess): rows}."""
    pairs = [pair for pair, rows in counts.items() for _ in range(rows)]
    scores = np.full((len(pairs), len(labels)), (1 - score) / max(len(labels) - 1, 1), np.float32)
    scores[np.arange(len(pairs)), [labels.index(guess) for _, guess in pairs]] = score
    return Measured(
        head=head,
        labels=labels,
        ids=[f"p{number}" for number in range(len(pairs))],
        truths=[truth for truth, _ in pairs],
        scores=scores,
        held_out=len(pairs),
        trained_on=0,
    )


def scored(labels, truth, guess):
    """A head whose guesses are these codes."""
    return score_head("colour", labels, np.array(truth), np.eye(len(labels))[guess])


def test_rare_classes_are_named_and_left_out_of_macro():
    """Red (20 rows) and Blue (30) are averaged; Green (19 rows) is named, and counts nowhere."""
    counts = {
        ("Red", "Red"): 15,
        ("Red", "Green"): 5,
        ("Blue", "Blue"): 30,
        ("Green", "Green"): 1,
        ("Green", "Blue"): 18,
    }
    [head] = evaluate([rows_of(("Red", "Green", "Blue"), counts)]).heads
    averages = head.macro
    assert (averages.least, averages.classes, averages.left_out, averages.rare) == (
        20,
        2,
        1,
        ("Green",),
    )
    assert averages.averages.recall == pytest.approx((15 / 20 + 1) / 2)
    assert averages.averages.precision == pytest.approx((1 + 30 / 48) / 2)
    red_f1, blue_f1 = 2 * 15 / (15 + 20), 2 * 30 / (48 + 30)
    assert averages.averages.f1 == pytest.approx((red_f1 + blue_f1) / 2)
    areas = {each.label: each.roc_auc for each in head.classes}
    assert averages.roc_auc == pytest.approx((areas["Red"] + areas["Blue"]) / 2)
    assert head.weighted.recall == pytest.approx(46 / 69) == head.accuracy


def test_no_class_with_rows_enough_has_no_macro_average():
    """With every class rare there is no average, and all are named, the commonest first."""
    averages = macro(scored(("Red", "Blue"), [0, 1, 1], [0, 1, 0]))
    assert (averages.averages, averages.roc_auc, averages.classes) == (None, None, 0)
    assert averages.rare == ("Blue", "Red")


def test_exactly_enough_rows_are_enough():
    """A class of 20 rows counts, one of 19 does not."""
    truth = [0] * LEAST_ROWS + [1] * (LEAST_ROWS - 1)
    averages = macro(scored(("Red", "Blue"), truth, truth))
    assert averages.averages == Averages(1.0, 1.0, 1.0)
    assert averages.rare == ("Blue",)


def test_weakest_classes_are_of_all_heads():
    """The classes of the lowest recall, whichever head they are of; rare ones are never weak."""
    colour = rows_of(("Red", "Blue"), {("Red", "Blue"): 15, ("Red", "Red"): 5, ("Blue", "Red"): 5})
    kind = rows_of(
        ("Bag", "Shoe"),
        {("Bag", "Bag"): 20, ("Shoe", "Bag"): 12, ("Shoe", "Shoe"): 12},
        head="kind",
    )
    weakest = evaluate([colour, kind]).weakest
    assert [(each.head, each.scores.label) for each in weakest] == [
        ("colour", "Red"),
        ("kind", "Shoe"),
        ("kind", "Bag"),
    ]
    assert weakest[0].recall == Share(5, 20)


def test_commonest_confusions_come_first_with_products_to_see():
    """Pairs of all heads by their rows, each with up to three products that it befell."""
    colour = rows_of(("Red", "Blue"), {("Blue", "Red"): 2, ("Red", "Blue"): 5, ("Red", "Red"): 1})
    kind = rows_of(("Bag", "Shoe"), {("Bag", "Shoe"): 4, ("Bag", "Bag"): 4}, head="kind")
    first, second, third = evaluate([colour, kind]).confused
    assert (first.head, first.truth, first.guess, first.rows, first.n) == (
        "colour",
        "Red",
        "Blue",
        5,
        6,
    )
    assert [shown.id for shown in first.examples] == ["p2", "p3", "p4"]
    assert (second.truth, second.rows, second.n, third.rows) == ("Bag", 4, 8, 2)


def test_nothing_confused_is_no_pair():
    """A head without a mistake gives no pair, and no surest mistake."""
    evaluation = evaluate([rows_of(("Red", "Blue"), {("Red", "Red"): 3})])
    assert (evaluation.confused, evaluation.mistakes) == ((), ())


def test_surest_mistakes_are_wrong_and_sorted():
    """Wrong guesses by their score; a product stands once, with its surest mistake."""
    colour = rows_of(("Red", "Blue"), {("Red", "Blue"): 2, ("Red", "Red"): 9}, score=0.6)
    kind = rows_of(("Bag", "Shoe"), {("Bag", "Shoe"): 1}, head="kind", score=0.9)
    mistakes = evaluate([colour, kind]).mistakes
    assert [(each.product.id, each.guess.head) for each in mistakes] == [
        ("p0", "kind"),
        ("p1", "colour"),
    ]
    assert mistakes[0].guess.score == pytest.approx(0.9)
    assert mistakes[0].guess.truth_score == pytest.approx(0.1)


def test_truth_that_was_never_learned_is_a_mistake_without_a_probability():
    """An unknown label counts as wrong, apart, and has no score of its own."""
    rows = rows_of(("Red", "Blue"), {("Teal", "Blue"): 1, ("Red", "Red"): 1})
    assert encode(rows.truths, rows.labels)[0] == OUTSIDE
    evaluation = evaluate([rows])
    [mistake] = evaluation.mistakes
    assert (mistake.guess.truth, mistake.guess.truth_score) == ("Teal", None)
    assert (evaluation.heads[0].outside, evaluation.heads[0].share) == (1, Share(1, 2))
    assert evaluation.confused == ()


def test_reliability_sets_how_sure_beside_how_often_right():
    """60 rows of which 45 are right, all told with 0.9: one bin, surer by 0.15."""
    rows = rows_of(("Red", "Blue"), {("Red", "Red"): 45, ("Red", "Blue"): 15}, score=0.9)
    [head] = evaluate([rows]).heads
    [bin_] = head.reliability
    assert (bin_.score, bin_.share, bin_.n) == (pytest.approx(0.9), 0.75, 60)
    assert head.calibration_error == pytest.approx(0.15)
    assert head.overconfidence == pytest.approx(0.15)


@pytest.mark.parametrize(("rows", "bins"), [(10, 1), (45, 2), (1000, BINS)])
def test_bins_have_rows_enough(rows, bins):
    """Fifteen bins of equal mass, or fewer, so that none has less than twenty rows."""
    random = np.random.default_rng(2)
    scores = random.dirichlet((1, 1), rows).astype(np.float32)
    truths = ["Red"] * rows
    measured = Measured("c", ("Red", "Blue"), list(map(str, range(rows))), truths, scores, rows, 0)
    [head] = evaluate([measured]).heads
    assert len(head.reliability) == bins
    assert sum(each.n for each in head.reliability) == rows
    assert all(each.n >= LEAST_ROWS for each in head.reliability) or bins == 1


def test_rare_classes_of_a_matrix_become_others():
    """Beyond the bound the rarer classes are put together, and no row is lost."""
    truth = [code for code in range(30) for _ in range(30 - code)]
    confusion = gathered(scored([f"c{code}" for code in range(30)], truth, truth), most=20)
    assert confusion.labels[:2] == ("c0", "c1")
    assert (len(confusion.labels), confusion.others, len(confusion.counts)) == (19, 11, 20)
    assert sum(map(sum, confusion.counts)) == len(truth)


def test_classes_that_never_occur_are_left_out():
    """A class that is neither truth nor guess has no row."""
    confusion = gathered(scored(("Red", "Green", "Blue"), [0, 0], [0, 2]))
    assert confusion.labels == ("Red", "Blue")
    assert confusion.counts == ((1, 1), (0, 0))


def test_rows_of_a_matrix_name_what_each_class_was_taken_for():
    """The table beside a heatmap: truth, rows, guesses by how often; others have no name."""
    confusion = gathered(scored(("Red", "Green", "Blue"), [0, 0, 0, 1, 2], [0, 2, 2, 0, 2]), most=2)
    assert list(confusion.rows) == [
        ("Red", 3, [(None, 2), ("Red", 1)]),
        (None, 2, [("Red", 1), (None, 1)]),
    ]


def test_nothing_measured_has_no_figure():
    """A head without a row has none of anything, and no rank."""
    empty = Measured("colour", ("Red", "Blue"), (), (), np.empty((0, 2), np.float32), 0, 7)
    evaluation = evaluate([empty])
    [head] = evaluation.heads
    assert (head.accuracy, head.calibration_error, head.overconfidence) == (None, None, None)
    assert (head.trained_on, evaluation.ranked, evaluation.weakest) == (7, (), ())


def two_heads(colours, genders):
    """Colour right for all of so many rows, gender for half of so many."""
    colour = rows_of(("Red", "Blue"), {("Red", "Red"): colours})
    wrong = {("Men", "Men"): genders // 2, ("Men", "Women"): genders - genders // 2}
    return evaluate([colour, rows_of(("Men", "Women"), wrong, head="gender")])


def test_only_heads_of_rows_enough_are_ranked():
    """Twenty rows make a rank, nineteen none: colour, right for 1 of 1, is not the best."""
    assert [head.head for head in two_heads(LEAST_ROWS, 40).ranked] == ["colour", "gender"]
    few = two_heads(LEAST_ROWS - 1, 40)
    assert [head.head for head in few.ranked] == ["gender"]
    assert [head.head for head in few.unranked] == ["colour"]


def test_right_at_once_is_over_the_heads_that_have_rows():
    """Of 40 products 20 are right in both; a head of one row, or of none, takes no product away."""
    kind = rows_of(("Bag", "Shoe"), {("Bag", "Bag"): 40}, head="kind")
    colour = rows_of(("Red", "Blue"), {("Red", "Red"): 20, ("Red", "Blue"): 20})
    one = rows_of(("Men", "Women"), {("Men", "Women"): 1}, head="gender")
    none = Measured("fit", ("Slim",), (), (), np.empty((0, 1), np.float32), 0, 0)
    evaluation = evaluate([kind, one, colour, none])
    assert evaluation.rows == Share(20, 40)
    assert [head.head for head in evaluation.together] == ["kind", "colour"]
    assert evaluate([kind, none]).rows == Share(0, 0)


def test_few_rows_are_told_together_where_no_head_has_more():
    """With three rows of each head all of them count."""
    kind = rows_of(("Bag", "Shoe"), {("Bag", "Bag"): 3}, head="kind")
    colour = rows_of(("Red", "Blue"), {("Red", "Red"): 1, ("Red", "Blue"): 2})
    assert evaluate([kind, colour]).rows == Share(1, 3)


def test_lists_are_capped():
    """However many ways to be wrong, a report keeps a few."""
    labels = tuple(f"c{code:02}" for code in range(40))
    counts = {(truth, labels[code - 1]): 1 + code % 3 for code, truth in enumerate(labels)}
    evaluation = evaluate([rows_of(labels, counts)])
    assert (len(evaluation.confused), len(evaluation.mistakes)) == (PAIRS, MISTAKES)


def test_products_to_look_at_are_wrong_first():
    """Wrong somewhere, then right throughout; each with what every head said."""
    colour = rows_of(("Red", "Blue"), {("Red", "Red"): 2, ("Red", "Blue"): 1})
    chosen = graded([colour], wrong=5, right=1)
    assert list(chosen) == ["p2", "p0"]
    assert chosen["p2"][0].label == "Blue"
