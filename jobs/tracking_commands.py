"""`catalog tracking`, and the flag of the trainings that are tracked."""

import click

from jobs.options import AS_JSON, LANG, Context
from jobs.settings import store_of

TRACK = click.option(
    "--track", type=click.Choice(["mlflow"]), help="Record the training for MLflow, too."
)


@click.group(invoke_without_command=True)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=5000, help="Of the page, on loopback [5000]."
)
@click.pass_context
def tracking(context: click.Context, /, port: int) -> None:
    """Open MLflow's page over the trainings that were tracked; `add` records a model there."""
    if context.invoked_subcommand is None:
        from jobs.tracking_page import open_page  # noqa: PLC0415

        open_page(store_of(context.obj.settings), port, context.obj.console)


@tracking.command("add")
@click.argument("name", metavar="NAME/VERSION")
@LANG
@AS_JSON
@click.pass_obj
def add(context: Context, /, name: str, lang: str | None, as_json: bool) -> None:
    """Record a model of the store for MLflow."""
    from jobs.tracking import track  # noqa: PLC0415

    settings = context.settings
    told = track(store_of(settings), name, lang=lang or settings.lang)
    click.echo(told.as_json() if as_json else told)
