"""What a run's report shows, as frozen values: read from the published tables, never drawn here.

Everything is asked of a DuckDB connection that has the store's views (or tables of the same
columns) and concerns one source. Lists are capped and samples are taken by hash, so that a
report of a hundred thousand products needs no more memory, nor bytes, than that of ten thousand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.models.metrics import HeadScores, Share, encode, score_head, whole_row
from reports.asking import ask, many
from reports.leftovers import Leftovers, leftovers

MOST_ROWS = 10_000
"""Labelled products that are measured at most; more are sampled by hash, and the page says so."""
MOST_CELLS = 5_000_000
"""Scores held at once at most (rows times labels of all heads): 20 MB."""
WRONG_SHOWN = 12
RIGHT_SHOWN = 8


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


@dataclass(frozen=True, eq=False, slots=True)
class HeadResult:
    """What was measured of one head, and how many labelled products were left out and why."""

    scores: HeadScores
    held_out: int
    trained_on: int


@dataclass(frozen=True, eq=False, slots=True)
class Evaluation:
    """The model measured over labelled products whose picture group it never trained on."""

    heads: tuple[HeadResult, ...]
    rows: Share
    """Products labelled in every head, and those right in all of them at once."""
    measured: int
    """Products measured in one head or more."""

    @property
    def n(self) -> int:
        """How many labels were compared, all heads together."""
        return sum(head.scores.n for head in self.heads)

    @property
    def sampled(self) -> bool:
        """Whether fewer products were measured than could have been."""
        return any(head.scores.n < head.held_out for head in self.heads)


@dataclass(frozen=True, slots=True)
class Guess:
    """What a head said of a product (score 0 to 1), and the truth where the shop gave one."""

    head: str
    label: str
    score: float
    truth: str | None = None
    truth_score: float | None = None

    @property
    def right(self) -> bool | None:
        """Whether the guess is the truth; None where there is no truth to compare with."""
        return None if self.truth is None else self.label == self.truth


@dataclass(frozen=True, slots=True)
class Sample:
    """One product of the picture grid; `picture` is None where no picture of it can be read."""

    id: str
    title: str | None
    picture: str | None
    guesses: tuple[Guess, ...]

    @property
    def wrong(self) -> int:
        """How many heads were wrong about it."""
        return sum(guess.right is False for guess in self.guesses)


@dataclass(frozen=True, eq=False, slots=True)
class RunReport:
    """Everything that the page of one run shows."""

    run: RunFacts
    left: Leftovers
    evaluation: Evaluation | None
    samples: tuple[Sample, ...]

    @property
    def verdict(self) -> tuple[str, ...]:
        """The run in a few sentences: what was done, how good it is, what is left to do."""
        return tuple(filter(None, (_done(self.run), _quality(self.evaluation), self.left.sentence)))


def run_report(
    connection: duckdb.DuckDBPyConnection,
    run: RunFacts,
    vocabulary: Mapping[str, Sequence[str]],
) -> RunReport:
    """Gather what the page of `run` shows; `vocabulary` is its model's, in output order."""
    measured = _scores(connection, run, vocabulary)
    evaluation = _evaluation(connection, run, vocabulary, measured)
    samples = _graded(measured, vocabulary) or _guessed(connection, run, vocabulary)
    return RunReport(
        run=run,
        left=leftovers(connection, "product", run.source),
        evaluation=evaluation,
        samples=_pictured(connection, run, samples),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Measured:
    """The labelled products of one head that the model never trained on, in hash order."""

    ids: tuple[str, ...]
    truths: tuple[str, ...]
    scores: np.ndarray  # float32 [n, labels]

    def right(self, labels: Sequence[str]) -> dict[str, bool]:
        """Tell by product id whether the best guess is the truth."""
        right = encode(self.truths, labels) == self.scores.argmax(axis=1)
        return dict(zip(self.ids, right.tolist(), strict=True))


def _scores(
    connection: duckdb.DuckDBPyConnection, run: RunFacts, vocabulary: Mapping[str, Sequence[str]]
) -> dict[str, _Measured]:
    """Truths and scores by head, of at most MOST_ROWS products and MOST_CELLS scores."""
    if run.model is None:
        return {}
    labels = sum(map(len, vocabulary.values()))
    most = min(MOST_ROWS, MOST_CELLS // max(labels, 1))
    params = {"source": run.source, "model": run.model}
    [last] = ask(connection, "held_out_last", params | {"most": most})["last"].to_pylist()
    table = ask(connection, "held_out_scores", params | {"last": last})
    return {head: _measured(table, head, len(vocabulary[head])) for head in vocabulary}


def _measured(table: pa.Table, head: str, labels: int) -> _Measured:
    rows = table.filter(pc.equal(table["head"], head))
    scores = rows["scores"].combine_chunks()
    return _Measured(
        ids=tuple(rows["id"].to_pylist()),
        truths=tuple(rows["truth"].to_pylist()),
        scores=scores.flatten().to_numpy(zero_copy_only=False).reshape(-1, labels),
    )


def _evaluation(
    connection: duckdb.DuckDBPyConnection,
    run: RunFacts,
    vocabulary: Mapping[str, Sequence[str]],
    measured: Mapping[str, _Measured],
) -> Evaluation | None:
    """Measure every head; None where no product of the source has both a label and a guess."""
    asked = ask(connection, "evaluated_counts", {"source": run.source, "model": run.model})
    counts = {row["head"]: row for row in asked.to_pylist()}
    if not counts:
        return None
    return Evaluation(
        heads=tuple(
            HeadResult(
                score_head(head, labels, encode(rows.truths, labels), rows.scores),
                counts.get(head, {}).get("held_out", 0),
                counts.get(head, {}).get("trained_on", 0),
            )
            for (head, labels), rows in zip(vocabulary.items(), measured.values(), strict=True)
        ),
        rows=whole_row([rows.right(vocabulary[head]) for head, rows in measured.items()]),
        measured=len({each for rows in measured.values() for each in rows.ids}),
    )


def _graded(
    measured: Mapping[str, _Measured], vocabulary: Mapping[str, Sequence[str]]
) -> list[Sample]:
    """Products with truths: some that are wrong somewhere, then some that are right throughout."""
    wrong: dict[str, bool] = {}
    for head, rows in measured.items():
        for each, right in rows.right(vocabulary[head]).items():
            wrong[each] = wrong.get(each, False) or not right
    chosen = [each for each, is_wrong in wrong.items() if is_wrong][:WRONG_SHOWN]
    chosen += [each for each, is_wrong in wrong.items() if not is_wrong][:RIGHT_SHOWN]
    guesses: dict[str, list[Guess]] = {each: [] for each in chosen}
    for head, rows in measured.items():
        places = {each: place for place, each in enumerate(rows.ids) if each in guesses}
        for each, place in places.items():
            truth, scores = rows.truths[place], rows.scores[place]
            guesses[each].append(_guess(head, vocabulary[head], truth, scores))
    return [Sample(each, None, None, tuple(guesses[each])) for each in chosen]


def _guess(head: str, labels: Sequence[str], truth: str, scores: np.ndarray) -> Guess:
    code = int(scores.argmax())
    known = float(scores[labels.index(truth)]) if truth in labels else None
    return Guess(head, labels[code], float(scores[code]), truth, known)


def _guessed(
    connection: duckdb.DuckDBPyConnection, run: RunFacts, vocabulary: Mapping[str, Sequence[str]]
) -> list[Sample]:
    """Tagged products without a truth to compare with: what the model says of their picture."""
    most = WRONG_SHOWN + RIGHT_SHOWN
    params = {"source": run.source, "model": run.model, "most": most}
    ids = ask(connection, "tagged_sample", params)["id"].to_pylist()
    pictures = _pictures(connection, run, ids)
    shown = [row["picture"] for row in pictures.values() if row["picture"]]
    rows = ask(connection, "best_guesses", {"model": run.model, "pictures": shown}).to_pylist()
    said = {(row["picture"], row["head"]): row for row in rows}
    return [
        Sample(
            each,
            None,
            None,
            tuple(
                Guess(head, said[key]["label"], said[key]["score"])
                for head in vocabulary
                if (key := (pictures[each]["picture"], head)) in said
            ),
        )
        for each in ids
    ]


def _pictured(
    connection: duckdb.DuckDBPyConnection, run: RunFacts, samples: Sequence[Sample]
) -> tuple[Sample, ...]:
    """Give the samples the titles and pictures of their products."""
    rows = _pictures(connection, run, [sample.id for sample in samples])
    return tuple(
        replace(sample, title=rows[sample.id]["title"], picture=rows[sample.id]["picture"])
        for sample in samples
    )


def _pictures(
    connection: duckdb.DuckDBPyConnection, run: RunFacts, ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    params = {"source": run.source, "ids": list(ids)}
    rows = ask(connection, "product_pictures", params).to_pylist() if ids else []
    return {row["id"]: row for row in rows}


def _done(run: RunFacts) -> str:
    counts = run.counts
    told = f"{many(counts.get('tagged', 0), 'product')} of {counts.get('products', 0):,} tagged"
    return f"{told}." if run.model is None else f"{told} by {run.model}."


def _quality(evaluation: Evaluation | None) -> str:
    if evaluation is None:
        return "Nothing to measure: no product has both a label of the shop's and a guess."
    if not evaluation.n:
        return "Nothing to measure: the model trained on every labelled product of this catalogue."
    known = [head.scores for head in evaluation.heads if head.scores.accuracy is not None]
    best = max(known, key=lambda head: head.accuracy or 0)
    worst = min(known, key=lambda head: head.accuracy or 0)
    told = f"On {many(evaluation.measured, 'labelled product')} that the model never trained on, "
    if best is worst:
        return f"{told}{_spaced(best.head)} is right for {best.accuracy:.1%}."
    return (
        f"{told}{_spaced(best.head)} is right for {best.accuracy:.1%}"
        f" and {_spaced(worst.head)}, the weakest attribute, for {worst.accuracy:.1%}."
    )


def _spaced(name: str) -> str:
    return name.replace("_", " ")
