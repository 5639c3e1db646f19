"""What a run's report shows, as plain frozen values: read from tables, never drawn here.

Everything is asked of a DuckDB connection that has the store's views (or tables of the same
columns) and concerns one source. Lists are capped and samples are taken by hash, so that a
report of a hundred thousand products needs no more memory, nor bytes, than that of ten thousand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.decoding import combine
from catalog.models.metrics import Share
from reports.alike import Alike, alike
from reports.asking import ask, keep
from reports.change import Change, change_since
from reports.coverage import Coverage, coverage
from reports.evidence import model_evidence
from reports.headline import Figure, Headline
from reports.leftovers import Leftovers, leftovers
from reports.measured import (
    LEAST_ROWS,
    Evaluation,
    Guess,
    Measured,
    Shown,
    evaluate,
    graded,
    mapped,
    shown_in,
)

MOST_ROWS = 10_000
"""Labelled products that are measured at most; more are sampled by hash, and the page says so."""
MOST_CELLS = 5_000_000
"""Scores held at once at most (rows times labels of all heads): 20 MB."""
WRONG_SHOWN = 12
RIGHT_SHOWN = 8
LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the job knows of its own run.

    `counts` holds the summary's whole numbers: rows = accepted + rejected; pictures = fetched +
    cached + failed; unchanged; of products = tagged + untagged, or of posts = scored + unscored
    = labelled + unknown.
    """

    id: str
    source: str
    csv: str
    started: datetime
    seconds: float
    version: str
    model: str | None
    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """One product of the picture grid, and what was guessed of it."""

    product: Shown
    guesses: tuple[Guess, ...]

    @property
    def wrong(self) -> int:
        """How many heads were wrong about it."""
        return sum(guess.right is False for guess in self.guesses)


@dataclass(frozen=True, slots=True)
class RunReport:
    """Everything that the page of one run shows.

    `change` is None for the first run of a source, `evaluation` where no product has both a label
    of the shop's and a guess.
    """

    run: RunFacts
    headline: Headline
    evaluation: Evaluation | None
    coverage: Coverage
    change: Change | None
    samples: tuple[Sample, ...]
    left: Leftovers
    alike: Alike

    @property
    def graded(self) -> bool:
        """Whether any guess of the grid has a truth beside it."""
        return any(guess.truth is not None for each in self.samples for guess in each.guesses)


def run_report(
    connection: duckdb.DuckDBPyConnection,
    run: RunFacts,
    vocabulary: Mapping[str, Sequence[str]],
    before: str | None,
) -> RunReport:
    """Gather what the page of `run` shows.

    `vocabulary` is its model's, in output order; `before` is the id of the last run of the same
    source before it, if there is one.
    """
    # First, while what measuring loads does not take its share of memory yet.
    looks = alike(connection, run.source)
    # Kept for three questions: of a large store the view takes its time.
    keep(connection, "measurable", {"source": run.source, "model": run.model})
    last = _last(connection, vocabulary)
    heads = _measured(connection, run, vocabulary, last)
    connection.execute("drop table measurable")
    evaluation = evaluate(heads) if heads else None
    said = graded(heads, WRONG_SHOWN, RIGHT_SHOWN) or _guessed(connection, run, vocabulary)
    change = before and change_since(connection, run.source, run.id, heads, before, last)
    report = RunReport(
        run=run,
        headline=headline(evaluation),
        evaluation=evaluation,
        coverage=coverage(connection, run.source),
        change=change or None,
        samples=tuple(Sample(Shown(row), guesses) for row, guesses in said.items()),
        left=leftovers(connection, "product", run.source),
        alike=looks,
    )
    return _looked_up(report, connection, run.source)


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What is kept of a training: the model measured on the pictures kept aside.

    Its page shows more, of the model's folder.
    """

    headline: Headline
    tested: Evaluation | None


def model_report(folder: Path) -> ModelReport:
    """Measure the model in a folder; ModelRefused where there is none."""
    model = model_evidence(folder)
    chosen = headline(model.tested)
    if model.of_classes:
        chosen = Headline(tuple(replace(figure, name="accuracy") for figure in chosen.figures))
    return ModelReport(chosen, model.tested)


def headline(evaluation: Evaluation | None) -> Headline:
    """Choose the figures to tell first: all attributes right at once, the best, the weakest.

    Only those of LEAST_ROWS rows or more: of fewer, a figure says nothing.
    """
    if evaluation is None or not evaluation.ranked:
        return Headline(())
    shares = {}
    if evaluation.rows.n >= LEAST_ROWS:
        shares["whole_row"] = evaluation.rows
    for head in (evaluation.ranked[0], evaluation.ranked[-1]):
        shares[f"accuracy:{head.head}"] = head.share
    return Headline(tuple(_figure(name, share) for name, share in shares.items()))


def _figure(name: str, share: Share) -> Figure:
    low, high = share.interval or (None, None)
    return Figure(name, share.value, low, high, share.n)


def _last(
    connection: duckdb.DuckDBPyConnection, vocabulary: Mapping[str, Sequence[str]]
) -> str | None:
    """Tell the hash of the last product to measure: MOST_ROWS and MOST_CELLS at most."""
    labels = sum(map(len, vocabulary.values()))
    most = min(MOST_ROWS, MOST_CELLS // max(labels, 1))
    [last] = ask(connection, "measurable_last", {"most": most})["last"].to_pylist()
    return last  # type: ignore[no-any-return] # text


def _measured(
    connection: duckdb.DuckDBPyConnection,
    run: RunFacts,
    vocabulary: Mapping[str, Sequence[str]],
    last: str | None,
) -> tuple[Measured, ...]:
    """Truths and scores by head, of the products up to `last` in the order of their hash.

    None where no product of the source has both a label and a guess.
    """
    asked = ask(connection, "measurable_counts", {}).to_pylist()
    if run.model is None or not asked:
        return ()
    counts = {row["head"]: row for row in asked}
    rows = ask(connection, "measurable_rows", {"last": last})
    scores = _Scores(connection, run.source, run.model, pc.unique(rows["id"]))
    return tuple(
        _head(rows, head, labels, scores, counts.get(head, {}))
        for head, labels in vocabulary.items()
    )


class _Scores:
    """What a model says of some products, as the mean over the pictures of each.

    Asked for by picture: through the view of evaluations it takes all products' memory.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, source: str, model: str, ids: pa.Array
    ) -> None:
        self._ids = ids
        shown = ask(connection, "pictures_of", {"source": source, "ids": ids.to_pylist()})
        pictures = {"pictures": pc.unique(shown["picture"]).to_pylist()}
        self._said = ask(connection, "scores_of", {"model": model, **pictures})
        self._shown = shown

    def of(self, head: str, ids: pa.ChunkedArray, labels: int) -> np.ndarray:
        """Scores float32 [n, labels] of a head."""
        said = self._said.filter(pc.equal(self._said["head"], head))
        place = pc.index_in(self._shown["picture"], said["picture"].combine_chunks())
        looked_at = self._shown.filter(place.is_valid())
        scores = said["scores"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        product = pc.index_in(looked_at["id"], self._ids).to_numpy()
        flat = scores.reshape(-1, labels)[place.drop_null().to_numpy()]
        means = combine(flat, product, len(self._ids))
        asked = means[pc.index_in(ids, self._ids).to_numpy()]
        return np.asarray(asked, np.float32)


def _head(
    table: pa.Table, head: str, labels: Sequence[str], scores: _Scores, counts: Mapping[str, int]
) -> Measured:
    rows = table.filter(pc.equal(table["head"], head))
    return Measured(
        head=head,
        labels=labels,
        ids=tuple(rows["id"].to_pylist()),
        truths=tuple(rows["truth"].to_pylist()),
        scores=scores.of(head, rows["id"], len(labels)),
        held_out=counts.get("held_out", 0),
        trained_on=counts.get("trained_on", 0),
    )


def _guessed(
    connection: duckdb.DuckDBPyConnection, run: RunFacts, vocabulary: Mapping[str, Sequence[str]]
) -> dict[str, tuple[Guess, ...]]:
    """Tagged products without a truth to compare with: what was decided of them."""
    most = WRONG_SHOWN + RIGHT_SHOWN
    params = {"source": run.source, "model": run.model, "most": most}
    ids = ask(connection, "tagged_sample", params)["id"].to_pylist()
    rows = ask(connection, "decided_labels", {"source": run.source, "ids": ids}).to_pylist()
    said = {(row["id"], row["head"]): row for row in rows}
    return {
        each: tuple(
            Guess(head, row["label"], row["score"], review=row["review"])
            for head in vocabulary
            if (row := said.get((each, head)))
        )
        for each in ids
    }


def _looked_up(report: RunReport, connection: duckdb.DuckDBPyConnection, source: str) -> RunReport:
    """Give every product that is shown its title and its picture."""
    ids = {shown.id for shown in shown_in(report)}
    rows = _products(connection, source, sorted(ids))

    def named(shown: Shown) -> Shown:
        row = rows.get(shown.id)
        if row is None:
            return shown
        title = row["title"] and row["title"][:LONGEST_TITLE]
        return replace(shown, title=title, picture=shown.picture or row["picture"])

    return mapped(report, named)


def _products(
    connection: duckdb.DuckDBPyConnection, source: str, ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Tell title and first readable picture of some products, by id."""
    params = {"source": source, "ids": list(ids)}
    rows = ask(connection, "product_pictures", params).to_pylist() if ids else []
    return {row["id"]: row for row in rows}
