"""From tables and a model's folder to a page: gathers the values, draws, and renders."""

from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb

from catalog.models.metrics import HeadScores
from reports.evidence import ModelEvidence, card_evidence, model_evidence
from reports.pages import Drawings, model_page, run_page
from reports.results import RunFacts, run_report
from reports.thumbnails import thumbnails


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
    shown = [sample.picture for sample in report.samples if sample.picture]
    small = thumbnails(picture(sha) for sha in shown)
    measured = [head.scores for head in report.evaluation.heads] if report.evaluation else []
    return run_page(
        report,
        model,
        {sha: each for sha, each in zip(shown, small, strict=True) if each},
        _drawings(measured, model),
    )


def draw_model(folder: Path) -> str:
    """Draw the page of the model in a folder, as HTML."""
    model = model_evidence(folder)
    return model_page(model, _drawings(model.heads, model))


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
