"""How much of a source has tags, and where its labels come from."""

from dataclasses import dataclass

import duckdb

from reports.asking import ask, each
from reports.measured import Shown

UNSURE = 0.5
"""The confidence, 0 to 1, below which a label that the tagger alone gave wants a person's eye."""
MOST_KINDS = 500
MOST_ROWS = 10
MOST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Covered:
    """Of the products with one value of a column (None: none, or all): those that have tags."""

    value: str | None
    products: int
    tagged: int
    with_failures: int

    @property
    def untagged(self) -> int:
        """Products that no picture could be looked at of."""
        return self.products - self.tagged


@dataclass(frozen=True, slots=True)
class LabelledBy:
    """Of all `products`, those whose label the shop gave, and those that the tagger alone gave.

    `unsure` of the latter have a confidence below UNSURE. Where the model knows how sure is enough,
    `accepted` of them are so, and `to_review` are not.
    """

    attribute: str
    given: int
    predicted: int
    unsure: int
    products: int
    accepted: int | None = None
    to_review: int | None = None

    @property
    def missing(self) -> int:
        """Products that have no label at all."""
        return self.products - self.given - self.predicted


@dataclass(frozen=True, slots=True)
class Coverage:
    """A source as a whole, by the kinds of one `column` of its CSV (if any sorts it), by attribute.

    `other_kinds` of the column are not in `kinds`. Of `not_products` products no picture looks like
    one (None where that can't be told), and `others` are some of these.
    """

    whole: Covered
    column: str | None
    kinds: tuple[Covered, ...]
    other_kinds: int
    attributes: tuple[LabelledBy, ...]
    not_products: int | None = None
    others: tuple[Shown, ...] = ()

    @property
    def accepted(self) -> int:
        """Labels of the tagger alone that are sure enough, where it is known what is."""
        return sum(each.accepted or 0 for each in self.attributes)

    @property
    def to_review(self) -> int:
        """Labels of the tagger alone that are not, so that they want a person's eye."""
        return sum(each.to_review or 0 for each in self.attributes)

    @property
    def is_reviewed(self) -> bool:
        """Whether it is known of any attribute how sure is enough."""
        return any(each.to_review is not None for each in self.attributes)

    @property
    def unsure(self) -> int:
        """Labels that want a person's eye for their low confidence, as nothing else is known."""
        return sum(each.unsure for each in self.attributes if each.to_review is None)


def coverage(connection: duckdb.DuckDBPyConnection, source: str) -> Coverage:
    """Tell how much of a source has tags."""
    columns = ask(connection, "extra_columns", {"source": source, "most": MOST_KINDS}).to_pylist()
    column = columns[0]["name"] if columns else None
    [whole] = _covered(connection, source, None) or (Covered(None, 0, 0, 0),)
    kinds = _covered(connection, source, column) if column else ()
    asked = {"source": source, "below": UNSURE}
    [others] = ask(connection, "not_products", {"source": source, "most": MOST_SHOWN}).to_pylist()
    return Coverage(
        whole=whole,
        column=column,
        kinds=kinds[:MOST_ROWS],
        other_kinds=len(kinds[MOST_ROWS:]),
        attributes=each(LabelledBy, ask(connection, "labelled_by", asked)),
        not_products=others["products"],
        others=tuple(map(Shown, others["some"] or ())),
    )


def _covered(
    connection: duckdb.DuckDBPyConnection, source: str, column: str | None
) -> tuple[Covered, ...]:
    return each(Covered, ask(connection, "covered", {"source": source, "column": column}))
