"""What is said about a product or a post: the attributes, their columns and their labels."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# A name becomes a layer of the model and columns of the `tags` table.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# What a row has besides attributes.
_RESERVED = ("id", "image", "title")

Vocabulary = Mapping[str, tuple[str, ...]]
"""Attribute to its labels, in the order in which a model gives their scores."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing said about a product or a post, and the names that its column goes by.

    The name itself always counts as a column's name. A name that is not lower case ASCII
    letters, digits and underscores, a letter first, 40 at most, is a ValueError; so are "id",
    "image" and "title".
    """

    name: str
    synonyms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"{self.name!r} can't name an attribute: lower case letters a to z, digits and "
                "underscores, a letter first, 40 at most"
            )
        if self.name in _RESERVED:
            raise ValueError(f"an attribute can't be named {self.name!r}, a product's own column")


DEFAULT = (
    Attribute("gender"),
    Attribute("category", ("masterCategory",)),
    Attribute("subcategory"),
    Attribute("product_type", ("articleType",)),
    Attribute("colour", ("color", "baseColour", "baseColor")),
)


def from_settings(columns: Mapping[str, Sequence[str]]) -> tuple[Attribute, ...]:
    """Make attributes of settings that say, for each name, which columns may hold it."""
    return tuple(Attribute(name, tuple(synonyms)) for name, synonyms in columns.items())


def fold_label(text: str) -> str:
    """Bring a label to the form in which labels are compared: NFC, spaces trimmed and single.

    Case stays. The empty string means that the label is absent; nothing else does, "NA" included.
    """
    return " ".join(unicodedata.normalize("NFC", text).split())


def learn_vocabulary(
    rows: Iterable[Mapping[str, str]], attributes: Iterable[Attribute]
) -> dict[str, tuple[str, ...]]:
    """Collect the labels of each attribute, the most frequent first, equals by name.

    `rows` are the given labels of products; an attribute without any label is left out.
    """
    counts = {attribute.name: Counter[str]() for attribute in attributes}
    for row in rows:
        for name in counts.keys() & row.keys():
            counts[name][row[name]] += 1
    return {
        name: tuple(label for label, _ in sorted(labels.items(), key=lambda one: (-one[1], one[0])))
        for name, labels in counts.items()
        if labels
    }
