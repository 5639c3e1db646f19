"""Attributes: their names, the form of their labels, the order of a vocabulary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.attributes import DEFAULT, Attribute, fold_label, from_settings, learn_vocabulary


def test_default_attributes():
    """Five attributes are looked for unless told."""
    names = [attribute.name for attribute in DEFAULT]
    assert names == ["gender", "category", "subcategory", "product_type", "colour"]


@pytest.mark.parametrize("name", ["", "Colour", "2nd", "a b", "a/b", "größe", "a" * 41, "a\n"])
def test_a_name_that_could_not_be_a_column_is_refused(name):
    """A name becomes a column and a layer, so only plain ones are taken."""
    with pytest.raises(ValueError, match="can't name an attribute"):
        Attribute(name)


@pytest.mark.parametrize("name", ["id", "image", "title"])
def test_an_attribute_is_not_one_of_the_products_own_columns(name):
    """--column could not tell them apart."""
    with pytest.raises(ValueError, match="own column"):
        Attribute(name)


def test_attributes_come_from_settings():
    """Settings say name and columns; no code changes for another attribute."""
    assert from_settings({"fabric": ["Material"]}) == (Attribute("fabric", ("Material",)),)


def test_labels_are_compared_without_their_spaces():
    """Composed and decomposed letters, and any spaces, make no difference; case does."""
    assert fold_label("  Cafe\u0301 \u00a0 noir\n") == "Café noir" != fold_label("café noir")


@pytest.mark.parametrize("label", ["NA", "null", "None", "nan", "0"])
def test_nothing_but_blank_is_absent(label):
    """A colour called NA is a colour."""
    assert fold_label(label) == label


@given(st.text())
def test_folding_a_label_again_changes_nothing(text):
    """Folded labels are equal to themselves folded."""
    assert fold_label(fold_label(text)) == fold_label(text)


def test_vocabulary_has_the_frequent_labels_first():
    """By count, equals by name; an attribute without labels has no vocabulary."""
    rows = [{"colour": "Red"}, {"colour": "Blue"}, {"colour": "Red"}, {"colour": "Aqua"}, {}]
    assert learn_vocabulary(rows, DEFAULT) == {"colour": ("Red", "Aqua", "Blue")}
