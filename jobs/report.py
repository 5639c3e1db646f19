"""The pages that jobs leave behind: about a run of `catalog tag`, and about a training."""

from pathlib import Path

import duckdb

from jobs.inputs import Catalogue
from jobs.models import Model
from jobs.run import Run
from jobs.summary import Summary
from sql.files import write_text


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
    from reports.results import RunFacts  # noqa: PLC0415

    facts = RunFacts(
        id=run.id,
        source=catalogue.source,
        csv=catalogue.csv.name,
        started=run.started,
        seconds=summary.seconds,
        version=run.version,
        model=model.name,
        counts=summary.counts,
    )
    page = draw_run(con, facts, model.folder, run.store.picture)
    write_text(run.store.report(run.id), page)


def write_model_report(run: Run, model: Model) -> Path:
    """Draw the page about a model that was just trained; gives where it is."""
    from reports.draw import draw_model  # noqa: PLC0415

    page = run.store.report(run.id)
    write_text(page, draw_model(model.folder))
    return page
