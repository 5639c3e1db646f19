"""The end of a run of `catalog tag`: snapshots, report, commit."""

from dataclasses import replace
from pathlib import Path

import duckdb

from catalog.intake import Intake
from jobs.inputs import Catalogue
from jobs.models import Model, causes
from jobs.plan import Plan
from jobs.report import facts, run_before, write_index, write_report
from jobs.run import Run
from jobs.settings import Settings
from jobs.snapshots import write_snapshot
from jobs.summary import Summary, summarise
from jobs.tags import decide_tags


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
        write_snapshot(run, con, catalogue.source, intake)
        decide_tags(
            run,
            con,
            source=catalogue.source,
            model=model.name,
            vocabulary=model.card.vocabulary,
            decisions=model.decisions,
            attributes=[attribute.name for attribute in settings.attributes],
            causes=causes(run.store, model),
        )
    run.flush()
    with run.views(intake, finished=True) as con:
        summary = summarise(run, con, catalogue.source, intake, plan, run.store.report(run.id))
        report = _report(run, con, catalogue, model, summary, settings.lang)
    run.commit(
        summary.counts,
        arguments={"csv": str(catalogue.csv.absolute()), "asks": dict(plan.asks)},
        model=model.name,
        report=report,
    )
    write_index(run.store, settings.lang)
    return replace(summary, seconds=round(run.seconds, 3))


def _report(
    run: Run,
    con: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    model: Model,
    summary: Summary,
    lang: str,
) -> Path:
    from reports.results import run_report  # noqa: PLC0415 - a run with nothing to do has none

    source = catalogue.source
    gathered = run_report(
        con,
        facts(run, catalogue, model, summary),
        model.card.vocabulary,
        run_before(run),
    )
    return write_report(run, "tag", source, gathered, model, lang)
