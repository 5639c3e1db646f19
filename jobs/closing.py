"""The end of a run of `catalog tag`: snapshots, report, commit."""

from dataclasses import replace

import duckdb
import pyarrow.parquet as pq

from catalog.intake import Intake
from jobs.inputs import Catalogue
from jobs.models import Model, causes
from jobs.plan import Plan
from jobs.report import write_report
from jobs.run import Run
from jobs.settings import Settings
from jobs.summary import Summary, summarise
from jobs.tags import decide_tags
from sql import statements

ROWS = 20_000  # of a batch between DuckDB and Parquet


def close(
    run: Run,
    catalogue: Catalogue,
    settings: Settings,
    model: Model,
    intake: Intake,
    plan: Plan,
) -> Summary:
    """Turn the facts of a run into what people read, and make it visible."""
    with run.views(intake) as con:
        _write_products(run, con, catalogue.source)
        for batch in pq.ParquetFile(intake.rejects).iter_batches():
            run.write("rejects", batch)
        decide_tags(
            run,
            con,
            source=catalogue.source,
            model=model.name,
            vocabulary=model.card.vocabulary,
            attributes=[attribute.name for attribute in settings.attributes],
            causes=causes(run.store, model),
        )
    run.flush()
    with run.views(intake) as con:
        report = run.store.report(run.id)
        summary = summarise(run, con, catalogue.source, intake, plan, report)
        write_report(run, con, catalogue, model, summary)
    run.commit(
        summary.counts,
        arguments={"csv": str(catalogue.csv.absolute()), "asks": dict(plan.asks)},
        source=catalogue.source,
        model=model.name,
        report=report,
    )
    return replace(summary, seconds=round(run.seconds, 3))


def _write_products(run: Run, con: duckdb.DuckDBPyConnection, source: str) -> None:
    """A product row for each product that is new, changed or gone."""
    for step in ("changed_products", "gone_products"):
        for batch in statements.batches(con, step, ROWS, source=source, seen_at=run.started):
            run.write("products", batch)
