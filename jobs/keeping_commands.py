"""The commands that keep a store: rebuild, compact, prune, runs, report, and more of models."""

import sys
from pathlib import Path

import click

from jobs.options import AS_JSON, LANG, Context
from jobs.settings import store_of


@click.command()
@AS_JSON
@click.pass_obj
def rebuild(context: Context, /, as_json: bool) -> None:
    """Make catalog.duckdb again, where the store lies now."""
    from jobs.keeping import rebuild as job  # noqa: PLC0415

    told = job(store_of(context.settings))
    click.echo(told.as_json() if as_json else told)


@click.command()
@AS_JSON
@click.pass_obj
def doctor(context: Context, /, as_json: bool) -> None:
    """Tell whether this machine and the store are fit for a run; exit 1 when they are not."""
    from jobs.doctor import examine  # noqa: PLC0415

    told = examine(context.settings)
    click.echo(told.as_json() if as_json else told)
    sys.exit(told.exit_code)


@click.command()
@AS_JSON
@click.pass_obj
def compact(context: Context, /, as_json: bool) -> None:
    """Write the rows that live as one run; what they replace goes a week later."""
    from jobs.keeping import compact as job  # noqa: PLC0415

    told = job(store_of(context.settings))
    click.echo(told.as_json() if as_json else told)


@click.command()
@click.option(
    "--keep", type=click.IntRange(min=1), default=30, help="Newest runs that stay whole [30]."
)
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@AS_JSON
@click.pass_obj
def prune(context: Context, /, keep: int, dry_run: bool, as_json: bool) -> None:
    """Remove what the database does not need; `--dry-run` explains it."""
    from jobs.pruning import prune as job  # noqa: PLC0415

    settings = context.settings
    told = job(store_of(settings), keep, dry_run=dry_run, lang=settings.lang)
    click.echo(told.as_json() if as_json else told)


@click.group(invoke_without_command=True)
@AS_JSON
@click.pass_context
def runs(context: click.Context, as_json: bool) -> None:
    """List the runs of the store; `show` tells one, `compare` two."""
    if context.invoked_subcommand is None:
        from jobs.runs import list_runs  # noqa: PLC0415

        told = list_runs(store_of(context.obj.settings))
        click.echo(told.as_json() if as_json else told)


@runs.command("show")
@click.argument("run", metavar="ID")
@AS_JSON
@click.pass_obj
def show_run(context: Context, /, run: str, as_json: bool) -> None:
    """Tell all about the run ID."""
    from jobs.runs import show_run as job  # noqa: PLC0415

    told = job(store_of(context.settings), run)
    click.echo(told.as_json() if as_json else told)


@runs.command("compare")
@click.argument("first", metavar="ID")
@click.argument("second", metavar="ID")
@AS_JSON
@click.pass_obj
def compare_runs(context: Context, /, first: str, second: str, as_json: bool) -> None:
    """Set what two runs counted and measured side by side."""
    from jobs.runs import compare_runs as job  # noqa: PLC0415

    told = job(store_of(context.settings), first, second)
    click.echo(told.as_json() if as_json else told)


@click.command()
@click.argument("run", metavar="RUN")
@LANG
@click.option("--output", type=click.Path(path_type=Path), help="To this file [the store's page].")
@AS_JSON
@click.pass_obj
def report(
    context: Context, /, run: str, lang: str | None, output: Path | None, as_json: bool
) -> None:
    """Draw the report of the run RUN again, from what the store keeps of it."""
    from jobs.report import redraw  # noqa: PLC0415

    settings = context.settings
    told = redraw(store_of(settings), run, lang or settings.lang, output)
    click.echo(told.as_json() if as_json else told)


@click.command("show")
@click.argument("name", metavar="NAME/VERSION")
@AS_JSON
@click.pass_obj
def show_model(context: Context, /, name: str, as_json: bool) -> None:
    """Tell where a model comes from, and how good it was."""
    from jobs.model_figures import show_model as job  # noqa: PLC0415

    told = job(store_of(context.settings), name)
    click.echo(told.as_json() if as_json else told)


@click.command("compare")
@click.argument("first", metavar="NAME/VERSION")
@click.argument("second", metavar="NAME/VERSION")
@AS_JSON
@click.pass_obj
def compare_models(context: Context, /, first: str, second: str, as_json: bool) -> None:
    """Set the figures of two models side by side."""
    from jobs.model_figures import compare_models as job  # noqa: PLC0415

    told = job(store_of(context.settings), first, second)
    click.echo(told.as_json() if as_json else told)


@click.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME/VERSION]...")
@AS_JSON
@click.pass_obj
def verify_models(context: Context, /, names: tuple[str, ...], as_json: bool) -> None:
    """Tell whether models are what their cards say: all of the store, or these."""
    from jobs.verifying import verify_models as job  # noqa: PLC0415

    told = job(store_of(context.settings), names)
    click.echo(told.as_json() if as_json else told)
    sys.exit(told.exit_code)


def add_to(cli: click.Group, models: click.Group) -> None:
    """Give the program these commands."""
    for command in (doctor, rebuild, compact, prune, runs, report):
        cli.add_command(command)
    for command in (show_model, compare_models, verify_models):
        models.add_command(command)
