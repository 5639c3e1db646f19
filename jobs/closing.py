"""The end of a run of `catalog tag`: snapshots, report, commit."""

from dataclasses import replace

from catalog.intake import Intake
from jobs.inputs import Catalogue
from jobs.models import Model, causes
from jobs.plan import Plan
from jobs.report import write_report
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
