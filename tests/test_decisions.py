"""What a tagger's scores come to: labels that go together, and which of them to rely on."""

import numpy as np
import pytest

from catalog.decisions import (
    FEWEST,
    RIGHT,
    Decisions,
    Line,
    combinations_of,
    line_of,
)

VOCABULARY = {
    "category": ("Apparel", "Footwear"),
    "subcategory": ("Shoe", "Topwear"),
    "product_type": ("Heel", "Shirt", "Top"),
    "colour": ("black", "white"),
}
ROWS = [
    {"category": "Apparel", "subcategory": "Topwear", "product_type": "Shirt"},
    {"category": "Apparel", "subcategory": "Topwear", "product_type": "Top", "colour": "white"},
    {"category": "Footwear", "subcategory": "Shoe", "product_type": "Heel"},
    {"category": "Footwear", "product_type": "Shirt"},  # a row that lacks one says nothing
    {"category": "Footwear", "subcategory": "Boat", "product_type": "Heel"},  # nor does a stranger
]


def scores(category, subcategory, product_type, colour=(0.4, 0.6)):
    """What the four heads say of one picture."""
    said = (category, subcategory, product_type, colour)
    return {head: np.array([row]) for head, row in zip(VOCABULARY, said, strict=True)}


def labels(decided):
    """The names that were decided on."""
    return {head: VOCABULARY[head][int(one.codes[0])] for head, one in decided.items()}


@pytest.fixture
def decisions():
    """Those of ROWS, with a line for two heads."""
    lines = {"category": Line(0.9, 0.8, 200), "product_type": Line(0.7, 0.4, 200)}
    return Decisions(*combinations_of(ROWS, VOCABULARY), lines)


def test_only_what_stood_together_goes_together():
    """Rows that lack a label, or have one that the vocabulary lacks, tell of nothing."""
    heads, found = combinations_of(ROWS, VOCABULARY)
    assert heads == ("category", "subcategory", "product_type")
    assert found == (
        ("Apparel", "Topwear", "Shirt"),
        ("Apparel", "Topwear", "Top"),
        ("Footwear", "Shoe", "Heel"),
    )
    assert combinations_of(ROWS, {"colour": VOCABULARY["colour"]}) == ((), ())
    assert combinations_of([], VOCABULARY) == ((), ())


def test_a_row_does_not_contradict_itself(decisions):
    """Each head for itself would say a shoe that is a shirt; together they say the likeliest."""
    said = scores((0.1, 0.9), (0.45, 0.55), (0.3, 0.4, 0.3))
    alone = labels(Decisions().decide(said, VOCABULARY))
    assert (alone["category"], alone["subcategory"], alone["product_type"]) == (
        *("Footwear", "Topwear", "Shirt"),
    )
    together = labels(decisions.decide(said, VOCABULARY))
    assert together == {
        "category": "Footwear",
        "subcategory": "Shoe",
        "product_type": "Heel",
        "colour": "white",
    }


def test_the_confidence_is_the_heads_own(decisions):
    """How sure the head is of the label that was decided on, not of the one that it preferred."""
    decided = decisions.decide(scores((0.1, 0.9), (0.45, 0.55), (0.3, 0.4, 0.3)), VOCABULARY)
    assert {head: one.confidence[0] for head, one in decided.items()} == {
        "category": 0.9,
        "subcategory": 0.45,
        "product_type": 0.3,
        "colour": 0.6,
    }


def test_an_unsure_type_leaves_a_sure_category_alone(decisions):
    """The row says the category, and the type goes to review; without a line nothing is known."""
    decided = decisions.decide(scores((0.97, 0.03), (0.1, 0.9), (0.1, 0.5, 0.4)), VOCABULARY)
    assert labels(decided)["product_type"] == "Shirt"
    review = {head: one.review for head, one in decided.items()}
    assert (review["category"], review["product_type"]) == ([False], [True])
    assert review["subcategory"] is review["colour"] is None


def test_what_was_not_looked_at_is_not_for_review(decisions):
    """Nobody can check what nothing is said about."""
    unseen = {head: np.full((1, len(words)), np.nan) for head, words in VOCABULARY.items()}
    for one in decisions.decide(unseen, VOCABULARY).values():
        assert one.codes.tolist() == [-1]
        assert np.isnan(one.confidence).all()
        assert one.review is None or not one.review.any()


def test_a_line_accepts_as_many_as_are_right_enough():
    """One more would be too many wrong ones; and as it accepts, so it decides."""
    confidence = np.linspace(1, 0, 200)
    right = np.arange(200) % 10 < 8
    right[:100] = True
    line = line_of(confidence, right)
    accepted = confidence >= line.threshold
    assert right[accepted].mean() >= RIGHT
    assert line.share == accepted.mean() > 0.6
    more = np.cumsum(right) / np.arange(1, 201)
    assert (more[int(accepted.sum()) :] < RIGHT).all()
    review = (
        Decisions(lines={"colour": line})
        .decide({"colour": np.stack([confidence, 1 - confidence], axis=1)}, VOCABULARY)["colour"]
        .review
    )
    assert (review == ~(np.maximum(confidence, 1 - confidence) >= line.threshold)).all()


def test_equals_are_accepted_together():
    """A line can't part pictures of one confidence, whichever of them came first."""
    confidence = np.repeat([0.9, 0.5], 100)
    right = np.array([True] * 150 + [False] * 50)
    assert line_of(confidence, right) == Line(0.9, 0.5, 200)


def test_a_hopeless_head_has_all_for_review():
    """Where no confidence is right often enough nothing is accepted."""
    line = line_of(np.linspace(1, 0, 200), np.arange(200) % 2 == 1)
    assert line == Line(None, 0.0, 200)
    said = Decisions(lines={"colour": line}).decide({"colour": np.array([[1.0, 0.0]])}, VOCABULARY)
    assert said["colour"].review.tolist() == [True]


def test_few_pictures_draw_no_line():
    """Nothing is claimed from fewer than a hundred."""
    assert line_of(np.ones(FEWEST - 1), np.ones(FEWEST - 1, bool)) is None
    assert line_of(np.ones(FEWEST), np.ones(FEWEST, bool)) == Line(1.0, 1.0, FEWEST)


def test_a_card_brings_them_back(decisions):
    """What was kept decides as before; a card of old has none."""
    assert Decisions.of(decisions.as_dict(), VOCABULARY) == decisions
    assert Decisions.of({}, VOCABULARY) == Decisions()


@pytest.mark.parametrize(
    "wrong",
    [
        {"together": ["category"]},
        {"together": ["category", "size"], "combinations": [["Apparel", "S"]], "lines": {}},
        {"together": ["category"], "combinations": [["Furniture"]], "lines": {}},
        {"together": ["category"], "combinations": [], "lines": {}},
        {"together": ["category"], "combinations": [["Apparel", "Shoe"]], "lines": {}},
        {"together": [], "combinations": [], "lines": {"size": {}}},
        {
            "together": [],
            "combinations": [],
            "lines": {"size": {"threshold": 0.5, "share": 1.0, "n": 100}},
        },
        {
            "together": [],
            "combinations": [],
            "lines": {"colour": {"threshold": "high", "share": 1.0, "n": 100}},
        },
        {"together": 5, "combinations": [], "lines": {}},
    ],
)
def test_senseless_decisions_are_refused(wrong):
    """A stranger's card may say anything."""
    with pytest.raises(ValueError, match="the card's decisions"):
        Decisions.of(wrong, VOCABULARY)
