"""Pictures that look alike: near copies of one picture, and one picture under several products."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from catalog.models.splits import groups
from reports.asking import ask
from reports.measured import Shown

MOST_COMPARED = 200_000
MOST_GROUPS = 6
MOST_SHOWN = 4


@dataclass(frozen=True, slots=True)
class AlikeGroup:
    """Different pictures that look alike: how many, of how many products, and some of them."""

    pictures: int
    products: int
    shown: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Alike:
    """What of a source's readable pictures looks alike.

    `compared` of all `pictures` were compared; `alike` of them lie in `groups` groups, of which
    `largest` are some. `shared` pictures are each under several products, `sharing` different
    ones in all.
    """

    pictures: int
    compared: int
    groups: int
    alike: int
    shared: int
    sharing: int
    largest: tuple[AlikeGroup, ...]


def alike(connection: duckdb.DuckDBPyConnection, source: str) -> Alike:
    """Compare the pictures of a source by their fingerprints, as the split of a training does."""
    table = ask(connection, "fingerprints", {"source": source, "most": MOST_COMPARED})
    if not len(table):
        return Alike(0, 0, 0, 0, 0, 0, ())
    fingerprints = table["fingerprint"].to_pylist()
    group = groups(fingerprints, [None] * len(fingerprints))
    products = table["products"].to_numpy()
    size = np.bincount(group)
    several = np.flatnonzero(size > 1)
    largest = several[np.argsort(-size[several], kind="stable")][:MOST_GROUPS]
    return Alike(
        pictures=table["pictures"][0].as_py(),
        compared=len(table),
        groups=len(several),
        alike=int(size[several].sum()),
        shared=int((products > 1).sum()),
        sharing=table["sharing"][0].as_py(),
        largest=_groups(
            connection, source, [table.take(np.flatnonzero(group == each)) for each in largest]
        ),
    )


def _groups(
    connection: duckdb.DuckDBPyConnection, source: str, tables: Sequence[pa.Table]
) -> tuple[AlikeGroup, ...]:
    if not tables:
        return ()
    params = {"source": source, "groups": [table["picture"].to_pylist() for table in tables]}
    showing = ask(connection, "showing", params)["products"].to_pylist()
    return tuple(
        AlikeGroup(
            pictures=len(table),
            products=products,
            shown=tuple(
                Shown(row["product"], None, row["picture"])
                for row in table.slice(0, MOST_SHOWN).to_pylist()
            ),
        )
        for table, products in zip(tables, showing, strict=True)
    )
