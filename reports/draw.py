"""From tables and a model's folder to a page: gathers the values, draws, and renders."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from catalog.models.metrics import HeadScores
from reports.engagement import engagement_report
from reports.evidence import ModelEvidence, card_evidence, model_evidence
from reports.pages import Drawings, classifier_page, engagement_page, model_page, run_page
from reports.results import RunFacts, run_report
from reports.thumbnails import Thumbnail, thumbnails

if TYPE_CHECKING:
    from engagement.review import Review


def draw_run(
    connection: duckdb.DuckDBPyConnection,
    run: RunFacts,
    model_folder: Path | None,
    picture: Callable[[str], Path],
) -> str:
    """Draw the page of a run, as HTML.

    `connection` shows the store as it will be once the run is committed, `model_folder` is that of
    `run.model`, and `picture` says where the bytes with a SHA-256 lie (Store.picture).
    """
    model = card_evidence(model_folder) if model_folder else None
    report = run_report(connection, run, model.card.vocabulary if model else {})
    small = _small((sample.picture for sample in report.samples), picture)
    measured = [head.scores for head in report.evaluation.heads] if report.evaluation else []
    return run_page(report, model, small, _drawings(measured, model))


def draw_model(folder: Path) -> str:
    """Draw the page of the model in a folder, as HTML."""
    model = model_evidence(folder)
    return model_page(model, _drawings(model.heads, model))


def draw_engagement(
    connection: duckdb.DuckDBPyConnection,
    run: RunFacts,
    review: "Review",
    model_folder: Path | None,
    picture: Callable[[str], Path],
) -> str:
    """Draw the page of a run over posts, as HTML; the arguments are as for draw_run.

    A run over metadata alone has neither a model nor its folder.
    """
    model = card_evidence(model_folder) if model_folder else None
    report = engagement_report(connection, run, review)
    small = _small((sample.picture for sample in report.samples), picture)
    return engagement_page(report, model, small, _reviewed(review, None))


def draw_classifier(folder: Path, review: "Review") -> str:
    """Draw the page of the classifier in a folder; `review` is that of the posts it learned from.

    Its figures are out of fold: each post was scored by a head that had not learned from it.
    """
    model = model_evidence(folder)
    return classifier_page(model, review, _reviewed(review, model))


def _small(shown: Iterable[str | None], picture: Callable[[str], Path]) -> Mapping[str, Thumbnail]:
    """Small copies of the pictures that can be read, by SHA-256."""
    named = list(dict.fromkeys(sha for sha in shown if sha))
    small = thumbnails(picture(sha) for sha in named)
    return {sha: each for sha, each in zip(named, small, strict=True) if each}


def _reviewed(review: "Review", model: ModelEvidence | None) -> Drawings:
    """Draw how right the scores of a review are, and how its classifier learned."""
    drawings = _drawings((), model)
    if not review.evaluation or not review.evaluation.n:
        return drawings
    from reports.figures import calibration, heatmap  # noqa: PLC0415

    counts = np.array(review.evaluation.confusion)
    return replace(
        drawings,
        heatmaps={"engagement": heatmap(("low", "high"), counts, largest=84)},
        calibration=calibration(review.evaluation.reliability),
    )


def _drawings(measured: Iterable[HeadScores], model: ModelEvidence | None) -> Drawings:
    heads = [scores for scores in measured if scores.n]
    curves = model.curves if model else ()
    if not heads and not curves:
        return Drawings()
    # Loaded here, for seaborn takes two seconds and most nights have something else to do.
    from reports.figures import confusion_heatmap, learning_curve  # noqa: PLC0415

    phases = model.phases if model else ()
    return Drawings(
        {scores.head: confusion_heatmap(scores) for scores in heads},
        {
            each.head: [learning_curve(name, line, phases) for name, line in each.measures]
            for each in curves
        },
    )
