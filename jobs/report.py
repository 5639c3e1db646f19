"""The pages that jobs leave behind: about runs of `tag` and `engage`, and about trainings."""

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from jobs.inputs import Catalogue
from jobs.models import Model
from jobs.post_summary import PostSummary
from jobs.run import Run
from jobs.summary import RunCounts, Summary
from sql.files import write_text

if TYPE_CHECKING:
    from engagement.review import Review
    from reports.results import RunFacts


def write_engagement_report(
    run: Run,
    con: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    model: Model | None,
    summary: PostSummary,
    review: "Review",
) -> None:
    """Draw the report of a run of `catalog engage` whose decisions are flushed."""
    from reports.draw import draw_engagement  # noqa: PLC0415

    facts = _facts(run, catalogue, model, summary)
    page = draw_engagement(con, facts, review, model.folder if model else None, run.store.picture)
    write_text(run.store.report(run.id), page)


def write_classifier_report(run: Run, model: Model, review: "Review") -> Path:
    """Draw the page about a classifier that was just trained; gives where it is."""
    from reports.draw import draw_classifier  # noqa: PLC0415

    page = run.store.report(run.id)
    write_text(page, draw_classifier(model.folder, review))
    return page


def write_report(
    run: Run,
    con: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    model: Model,
    summary: Summary,
) -> None:
    """Draw the report of a run whose facts and snapshots are flushed."""
    # Loaded here, as below: a run with nothing to do draws nothing.
    from reports.draw import draw_run  # noqa: PLC0415

    facts = _facts(run, catalogue, model, summary)
    page = draw_run(con, facts, model.folder, run.store.picture)
    write_text(run.store.report(run.id), page)


def write_model_report(run: Run, model: Model) -> Path:
    """Draw the page about a model that was just trained; gives where it is."""
    from reports.draw import draw_model  # noqa: PLC0415

    page = run.store.report(run.id)
    write_text(page, draw_model(model.folder))
    return page


def _facts(run: Run, catalogue: Catalogue, model: Model | None, summary: RunCounts) -> "RunFacts":
    from reports.results import RunFacts  # noqa: PLC0415

    return RunFacts(
        id=run.id,
        source=catalogue.source,
        csv=catalogue.csv.name,
        started=run.started,
        seconds=summary.seconds,
        version=run.version,
        model=model.name if model else None,
        counts=summary.counts,
    )
