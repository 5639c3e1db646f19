"""What changed since the run before: how right, over the very same products, and which labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import Any

import duckdb

from catalog.models.metrics import Share
from reports.asking import ask
from reports.measured import Measured, Shown, telling

Z = 1.959963984540054
ENOUGH = 0.05
EXAMPLES = 8


@dataclass(frozen=True, slots=True)
class Paired:
    """The same `n` products then and now: `mended` were wrong then, `broken` are wrong now.

    `head` is None for all heads at once. `stands` of the products are right now.
    """

    head: str | None
    n: int
    mended: int
    broken: int
    stands: int

    @property
    def then(self) -> Share:
        """How many were right after the run before."""
        return Share(self.stands - self.mended + self.broken, self.n)

    @property
    def now(self) -> Share:
        """How many are right now."""
        return Share(self.stands, self.n)

    @property
    def difference(self) -> float | None:
        """Accuracy now less then, -1 to 1."""
        return (self.mended - self.broken) / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the difference, by Bonett and Price (2012)."""
        if not self.n:
            return None
        mended, broken = ((count + 1) / (self.n + 2) for count in (self.mended, self.broken))
        middle = mended - broken
        half = Z * sqrt((mended + broken - middle**2) / (self.n + 2))
        return max(-1.0, middle - half), min(1.0, middle + half)

    @property
    def p(self) -> float:
        """How likely so uneven a change is by chance: McNemar's exact test, two-sided."""
        changed = self.mended + self.broken
        if not changed:
            return 1.0
        # Loaded here, for it takes half a second and most nights nothing changed.
        from scipy.stats import binomtest  # type: ignore[import-untyped] # noqa: PLC0415

        return float(binomtest(self.mended, changed).pvalue)


@dataclass(frozen=True, slots=True)
class CauseCount:
    """How many labels changed for a cause (picture, model, vocabulary, labels or human)."""

    cause: str
    labels: int
    products: int


@dataclass(frozen=True, slots=True)
class Relabelled:
    """One label that changed, and why; None where there was, or is, none."""

    product: Shown
    attribute: str
    before: str | None
    after: str | None
    cause: str


@dataclass(frozen=True, slots=True)
class Change:
    """How a run differs from `before`, an earlier one of the same source.

    `heads` were compared where both models can be measured; `rows` is those of `together` at
    once, None where these are fewer than two or have no product in common. `new` products were
    tagged for the first time, `gone` ones have left their CSV.
    """

    before: str
    started: datetime
    model: str | None
    new: int
    gone: int
    heads: tuple[Paired, ...]
    rows: Paired | None
    causes: tuple[CauseCount, ...]
    examples: tuple[Relabelled, ...]

    @property
    def together(self) -> tuple[Paired, ...]:
        """The heads that a product must be right in to be right in all at once."""
        return tuple(telling(self.heads, lambda head: head.n))

    @property
    def certain(self) -> tuple[Paired, ...]:
        """The heads that changed by more than chance, when so many are asked (Bonferroni)."""
        return tuple(head for head in self.heads if head.p * len(self.heads) < ENOUGH)


def change_since(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    run: str,
    heads: Sequence[Measured],
    before: str,
    last: str | None,
) -> Change | None:
    """Compare a run with `before`; None where the store no longer knows that one.

    `last` is the hash of the last product of the sample that is measured, if any is.
    """
    known = ask(connection, "run_before", {"before": before}).to_pylist()
    if not known:
        return None
    [earlier] = known
    span = {"source": source, "run": run, "before": before}
    then = _right_then(connection, source, heads, before, last, earlier["model"])
    paired = tuple(_paired(rows, then.get(rows.head, {})) for rows in heads)
    changed = ask(connection, "relabelled", span | {"most": EXAMPLES}).to_pylist()
    [new] = ask(connection, "new_products", {"source": source, "run": run})["products"].to_pylist()
    [gone] = ask(connection, "gone_products", span)["products"].to_pylist()
    return Change(
        before=before,
        started=earlier["started"],
        model=earlier["model"],
        new=new,
        gone=gone,
        heads=tuple(pair for pair in paired if pair.n),
        rows=at_once(heads, then),
        causes=tuple(CauseCount(row["cause"], row["labels"], row["products"]) for row in changed),
        examples=_examples(changed),
    )


def _right_then(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    heads: Sequence[Measured],
    before: str,
    last: str | None,
    model: str | None,
) -> dict[str, dict[str, bool]]:
    """Tell by head and product whether the earlier run's label was right, by today's truth.

    Only products that the earlier model was not trained on.
    """
    ids = sorted({row for rows in heads for row in rows.ids})
    asked = {"source": source, "model": model, "last": last}
    kept_aside = ask(connection, "held_out_rows", asked).to_pylist()
    fair = {(row["head"], row["id"]) for row in kept_aside}
    truths = {
        (rows.head, row): truth
        for rows in heads
        for row, truth in zip(rows.ids, rows.truths, strict=True)
    }
    labels = ask(connection, "labels_before", {"source": source, "before": before, "ids": ids})
    then: dict[str, dict[str, bool]] = {}
    for row, head, label in zip(
        *(labels[name].to_pylist() for name in labels.column_names), strict=True
    ):
        if (head, row) in fair and (head, row) in truths:
            then.setdefault(head, {})[row] = label == truths[head, row]
    return then


def _paired(rows: Measured, then: Mapping[str, bool]) -> Paired:
    """Set what a head gets right now beside what it got right then, over the same products."""
    now = dict(zip(rows.ids, rows.right.tolist(), strict=True))
    return paired(rows.head, [(then[row], now[row]) for row in rows.ids if row in then])


def at_once(heads: Sequence[Measured], then: Mapping[str, Mapping[str, bool]]) -> Paired | None:
    """Set right in all heads now beside right in all then, over products compared in all of them.

    Of heads told together (`telling`); `then` tells by head and product what was right. None where
    fewer than two are, or they have no product in common.
    """
    told = telling(heads, lambda rows: len(then.get(rows.head, {})))
    now = [dict(zip(rows.ids, rows.right.tolist(), strict=True)) for rows in told]
    before = [then[rows.head] for rows in told]
    everywhere = set.intersection(*map(set, before)) if len(before) > 1 else set()
    if not everywhere:
        return None
    pairs = [
        (all(head[row] for head in before), all(head[row] for head in now)) for row in everywhere
    ]
    return paired(None, pairs)


def paired(head: str | None, pairs: Sequence[tuple[bool, bool]]) -> Paired:
    """Count pairs of right then, right now."""
    counts = Counter(pairs)
    return Paired(
        head,
        len(pairs),
        mended=counts[False, True],
        broken=counts[True, False],
        stands=counts[False, True] + counts[True, True],
    )


def _examples(causes: Sequence[Mapping[str, Any]]) -> tuple[Relabelled, ...]:
    """Take the first of the labels that stand as examples of their causes, by their hash."""
    rows = [(row["cause"], each) for row in causes for each in row["examples"]]
    rows.sort(key=lambda row: str(row[1]["place"]))
    return tuple(
        Relabelled(
            Shown(row["id"]), row["attribute"], row["label_before"], row["label_after"], cause
        )
        for cause, row in rows[:EXAMPLES]
    )
