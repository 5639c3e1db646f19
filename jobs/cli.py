"""The command `catalog`: each command parses, calls one function, prints and exits."""

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from catalog.images.formats import HEAD, SUFFIXES, sniff
from jobs import fetch_commands, keeping_commands
from jobs.console import Console
from jobs.inputs import Catalogue
from jobs.options import (
    AS_JSON,
    FILE,
    LANG,
    MAX_FAILED,
    Context,
    catalogue_of,
    engagement_options,
    input_options,
    overridden,
    posts_of,
    with_input,
)
from jobs.query_command import query
from jobs.serve_command import serve
from jobs.settings import Settings, load, store_of
from jobs.summary import DONE, TOO_MANY_FAILED, Summary
from jobs.tracking_commands import tracking
from jobs.train_commands import recipes, train

_asked_to_stop: list[bool] = []  # by a signal
_INTERRUPTED = "Query interrupted"  # what DuckDB makes of Ctrl-C, in a plain RuntimeError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--store", type=FILE, help="The store's folder [CATALOG_STORE, else ./store].")
@click.option("--config", type=FILE, help="Settings [catalog.toml in the working directory].")
@click.option("--quiet", is_flag=True, help="Say nothing but the result.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text")
@click.version_option(package_name="vitrina")
@click.pass_context
def cli(
    context: click.Context, store: Path | None, config: Path | None, quiet: bool, log_format: Any
) -> None:
    """Tag what a shop sells, and measure what it posts, from the pictures."""
    context.obj = Context(load(config, store), Console(quiet, log_format))


@cli.command()
@click.argument("inputs", nargs=-1, required=True, type=FILE, metavar="PRODUCTS_CSV | PICTURE...")
@input_options
@click.option(
    "--model", help="NAME/VERSION of the store, a model's folder, or starter [current one]."
)
@click.option("--train", "retrain", is_flag=True, help="Train a tagger on the CSV first.")
@MAX_FAILED
@LANG
@AS_JSON
@click.pass_obj
def tag(
    context: Context,
    /,
    inputs: tuple[Path, ...],
    model: str | None,
    retrain: bool,
    max_failed: float | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Tag the products of a CSV, or print what the model says about single pictures."""
    settings = with_input(context.settings, given)
    if all(map(_is_picture, inputs)):
        _tag_pictures(settings, inputs, model, as_json)
        return
    if len(inputs) > 1:
        raise click.UsageError("give one products CSV, or pictures only")
    from jobs.tag import Tagging, tag_or_train  # noqa: PLC0415 - so that --help starts at once

    job = Tagging(catalogue_of(inputs[0], given, settings), model, given["refetch"], retrain)
    summary = tag_or_train(job, settings, context.console)
    click.echo(summary.as_json() if as_json else summary)
    sys.exit(summary.exit_code(settings.max_failed if max_failed is None else max_failed))


@cli.command()
@click.argument("products_csv", type=FILE)
@input_options
@click.option("--model", help="NAME/VERSION of the store, or a model's folder [current one].")
@AS_JSON
@click.pass_obj
def check(
    context: Context, /, products_csv: Path, model: str | None, as_json: bool, **given: Any
) -> None:
    """Tell what would be accepted and refused, and what a run would do. Writes nothing."""
    from jobs.check import check as run  # noqa: PLC0415

    settings = with_input(context.settings, given)
    found = run(catalogue_of(products_csv, given, settings), model, settings, given["refetch"])
    click.echo(found.as_json() if as_json else found)


@cli.command()
@click.argument("posts_csv", type=FILE)
@input_options
@engagement_options
@click.option("--metadata-only", is_flag=True, help="Look at no picture, and need none.")
@click.option("--model", help="NAME/VERSION of the store, or a model's folder [current one].")
@click.option("--train", "retrain", is_flag=True, help="Train a classifier on the CSV first.")
@MAX_FAILED
@LANG
@AS_JSON
@click.pass_obj
def engage(
    context: Context,
    /,
    posts_csv: Path,
    metadata_only: bool,
    model: str | None,
    retrain: bool,
    max_failed: float | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Tell which posts of a CSV were high, and what their pictures have to do with it."""
    from jobs.engage import Engaging, engage_or_train  # noqa: PLC0415

    settings = with_input(context.settings, given)
    job = Engaging(
        posts_of(posts_csv, given, settings, metadata_only=metadata_only),
        overridden(settings.engagement, given),
        model,
        given["refetch"],
        retrain,
        metadata_only,
    )
    summary = engage_or_train(job, settings, context.console)
    click.echo(summary.as_json() if as_json else summary)
    sys.exit(summary.exit_code(settings.max_failed if max_failed is None else max_failed))


@cli.group(invoke_without_command=True)
@AS_JSON
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the models of the store; `use` makes one current, `show` and `compare` tell more."""
    if context.invoked_subcommand is None:
        from jobs.models import listing  # noqa: PLC0415

        told = listing(store_of(context.obj.settings))
        click.echo(told.as_json() if as_json else told)


@models.command("use")
@click.argument("name", metavar="NAME/VERSION")
@AS_JSON
@click.pass_obj
def use_model(context: Context, /, name: str, as_json: bool) -> None:
    """Let the model NAME/VERSION serve its task from now on."""
    from jobs.using import use  # noqa: PLC0415

    told = use(store_of(context.settings), name)
    click.echo(told.as_json() if as_json else told)


for command in (query, fetch_commands.fetch, fetch_commands.retry, train, recipes, tracking, serve):
    cli.add_command(command)
keeping_commands.add_to(cli, models)


@cli.command()
@click.pass_obj
def demo(context: Context) -> None:
    """Run the main job on a small catalogue drawn on the spot and served on loopback."""
    from jobs.demo import run_demo  # noqa: PLC0415
    from jobs.tag import Tagging, tag_or_train  # noqa: PLC0415

    def tag_sample(csv: Path, settings: Settings) -> Summary:
        return tag_or_train(Tagging(Catalogue.of(csv, None, settings)), settings, context.console)

    click.echo(run_demo(context.settings.store, context.console, tag_sample))


def _is_picture(path: Path) -> bool:
    """By its bytes; one that is damaged, or a pipe, by its name."""
    try:
        if path.suffix.lower() in SUFFIXES:
            return True
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return sniff(file.read(HEAD)) is not None
    except OSError:
        return False  # told as a CSV that can't be read


def _tag_pictures(
    settings: Settings, pictures: Sequence[Path], model: str | None, as_json: bool
) -> None:
    from jobs.models import TAGGER, find_model, model_for  # noqa: PLC0415
    from jobs.single import look_at  # noqa: PLC0415
    from jobs.starter import NAME  # noqa: PLC0415

    store = store_of(settings)
    found = find_model(store, TAGGER, model)
    if found is None:
        found = model_for(store, TAGGER, NAME)
        click.echo("the store has no tagger: the one that comes with the catalog looks", err=True)
    looks = look_at(pictures, found, settings.decode)
    for look in looks:
        click.echo(look.as_json() if as_json else look)
    sys.exit(DONE if all(look.heads for look in looks) else TOO_MANY_FAILED)


def main() -> NoReturn:
    """The entry point: what ends a job, ends it with one line and an exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not so under nohup
        signal.signal(signal.SIGINT, _interrupt)
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort) as error:
        # click raises an Abort of its own from what a command raised.
        _stop(str(error.__cause__ or error))
    except OSError as error:
        click.echo(f"Error: {error}\nNext: see that it is there and may be written", err=True)
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - whatever it is, a cron mail gets one line of it
        # DuckDB, and a library that is being loaded, make another error of it.
        if _asked_to_stop or _INTERRUPTED in str(error):
            _stop("")
        click.echo(f"Error: {_unexpected()}", err=True)
        sys.exit(1)
    sys.exit(0)


def _stop(why: str) -> NoReturn:
    """End at once: threads may still wait for servers, and DuckDB prints what they hold."""
    told = why or "interrupted: what was finished is kept, the next run goes on"
    click.echo(told, err=True)
    sys.stdout.flush()
    os._exit(1)


def _unexpected() -> str:
    """Keep the traceback of a fault of ours in a file, and say where."""
    kept = Path(tempfile.gettempdir()) / f"catalog-error-{os.getpid()}.txt"
    kept.write_text(traceback.format_exc(), encoding="utf-8")
    last = traceback.format_exc().strip().splitlines()[-1]
    return f"{last}\nThis is a fault of Vitrina's; its details are in {kept}"


def _interrupt(*_: object) -> NoReturn:
    """Cron's and systemd's way to stop a job is Ctrl-C's."""
    _asked_to_stop.append(True)
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
