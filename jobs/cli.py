"""The command `catalog`: each command parses, calls one function, prints and exits."""

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from catalog.images.formats import HEAD, sniff
from catalog.models.settings import TrainSettings
from catalog.models.weights import BACKBONES
from engagement.settings import MIN_AGE_HOURS, RULE, SPLITS, TRAINING
from jobs.console import Console
from jobs.inputs import Catalogue
from jobs.keeping_commands import LANG, add_to
from jobs.query_command import query
from jobs.settings import Settings, load, store_of
from jobs.summary import DONE, TOO_MANY_FAILED, Summary

FILE = click.Path(path_type=Path)

T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """What every command gets from the flags before it."""

    settings: Settings
    console: Console


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


def input_options(command: Callable[..., None]) -> Callable[..., None]:
    """The flags that say how a CSV is read and its pictures are got."""
    options = (
        click.option(
            "--column",
            "columns",
            multiple=True,
            metavar="NAME=COLUMN",
            help="Which column holds what (id, image, an attribute, likes…); again for more.",
        ),
        click.option("--image-root", type=FILE, help="Folder of relative pictures [the CSV's]."),
        click.option("--source", help="The name that the rows are kept under [file's stem]."),
        click.option("--encoding", help="Of the CSV [utf-8]."),
        click.option(
            "--allow-host",
            "allow_hosts",
            multiple=True,
            metavar="HOST:PORT",
            help="Let pictures come from a private address or an odd port; again for more.",
        ),
        click.option("--refetch", is_flag=True, help="Ask for every picture now."),
    )
    return _with(command, options)


def train_options(defaults: TrainSettings) -> Callable[..., Any]:
    """The flags that say how a model is trained; a section of catalog.toml has the same names."""
    options = (
        click.option("--backbone", type=click.Choice(BACKBONES), help=f"[{defaults.backbone}]"),
        click.option("--weights", help=f"imagenet, none or a file [{defaults.weights}]."),
        click.option("--image-size", type=int, help=f"Pixels a side [{defaults.image_size}]."),
        click.option("--epochs", type=int, help=f"At the most, a phase [{defaults.epochs}]."),
        click.option("--batch-size", type=int, help=f"[{defaults.batch_size}]"),
        click.option(
            "--fine-tune-layers",
            type=int,
            help=f"Unfrozen in phase two [{defaults.fine_tune_layers}].",
        ),
        click.option("--seed", type=int, help=f"[{defaults.seed}]"),
    )
    return lambda command: _with(command, options)


def engagement_options(command: Callable[..., None]) -> Callable[..., None]:
    """The flags that say what is high, and how it is measured; [engagement] has them too."""
    options = (
        click.option(
            "--high",
            help=f'What is high: "likes > 10000", "rate > 0.03", "top 30%" or'
            f' "above account median" [{RULE}].',
        ),
        click.option(
            "--min-age",
            "min_age_hours",
            type=float,
            help=f"Hours that a post must be old to be labelled [{MIN_AGE_HOURS:g}].",
        ),
        click.option(
            "--split",
            type=click.Choice(SPLITS),
            help=f"What keeps training and test apart [{SPLITS[0]}].",
        ),
    )
    return _with(command, options)


def _with(
    command: Callable[..., None], options: Sequence[Callable[..., Any]]
) -> Callable[..., None]:
    for option in reversed(options):
        command = option(command)
    return command


@cli.command()
@click.argument("inputs", nargs=-1, required=True, type=FILE, metavar="PRODUCTS_CSV | PICTURE...")
@input_options
@click.option("--model", help="NAME/VERSION of the store, or a model's folder [current one].")
@click.option("--train", "retrain", is_flag=True, help="Train a tagger on the CSV first.")
@click.option("--max-failed", type=click.FloatRange(0, 1), help="Share that exits 3 [0.1].")
@LANG
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
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

    job = Tagging(_catalogue(inputs[0], given, settings), model, given["refetch"], retrain)
    summary = tag_or_train(job, settings, context.console)
    click.echo(summary.as_json() if as_json else summary)
    sys.exit(summary.exit_code(settings.max_failed if max_failed is None else max_failed))


@cli.command()
@click.argument("products_csv", type=FILE)
@input_options
@click.option("--model", help="NAME/VERSION of the store, or a model's folder [current one].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def check(
    context: Context, /, products_csv: Path, model: str | None, as_json: bool, **given: Any
) -> None:
    """Tell what would be accepted and refused, and what a run would do. Writes nothing."""
    from jobs.check import check as run  # noqa: PLC0415

    settings = with_input(context.settings, given)
    found = run(_catalogue(products_csv, given, settings), model, settings, given["refetch"])
    click.echo(found.as_json() if as_json else found)


@cli.group()
def train() -> None:
    """Train a model."""


@train.command("tagger")
@click.argument("products_csv", type=FILE)
@input_options
@train_options(TrainSettings())
@click.option("--dense-units", type=int, help="Of a dense layer in each branch [none].")
@LANG
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def train_tagger(context: Context, /, products_csv: Path, as_json: bool, **given: Any) -> None:
    """Train a tagger on the labelled products of a CSV."""
    from jobs import train_tagger as job  # noqa: PLC0415

    settings = with_input(context.settings, given)
    settings = replace(settings, train=_overridden(settings.train, given))
    catalogue = _catalogue(products_csv, given, settings)
    asked = job.Training(catalogue, settings.train, given["refetch"])
    trained = job.train(asked, settings, context.console)
    click.echo(trained.as_json() if as_json else trained)


@train.command("engagement")
@click.argument("posts_csv", type=FILE)
@input_options
@engagement_options
@train_options(TRAINING)
@LANG
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def train_engagement(context: Context, /, posts_csv: Path, as_json: bool, **given: Any) -> None:
    """Train a classifier of high and low on the posts of a CSV."""
    from jobs import train_engagement as job  # noqa: PLC0415

    settings = with_input(context.settings, given)
    asked = job.Training(
        _posts(posts_csv, given, settings),
        _overridden(settings.train_engagement, given),
        _overridden(settings.engagement, given),
        given["refetch"],
    )
    trained = job.train(asked, settings, context.console)
    click.echo(trained.as_json() if as_json else trained)


@cli.command()
@click.argument("posts_csv", type=FILE)
@input_options
@engagement_options
@click.option("--metadata-only", is_flag=True, help="Look at no picture, and need none.")
@click.option("--model", help="NAME/VERSION of the store, or a model's folder [current one].")
@click.option("--train", "retrain", is_flag=True, help="Train a classifier on the CSV first.")
@click.option("--max-failed", type=click.FloatRange(0, 1), help="Share that exits 3 [0.1].")
@LANG
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
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
        _posts(posts_csv, given, settings, metadata_only=metadata_only),
        _overridden(settings.engagement, given),
        model,
        given["refetch"],
        retrain,
        metadata_only,
    )
    summary = engage_or_train(job, settings, context.console)
    click.echo(summary.as_json() if as_json else summary)
    sys.exit(summary.exit_code(settings.max_failed if max_failed is None else max_failed))


@cli.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the models of the store; `use` makes one current, `show` and `compare` tell more."""
    if context.invoked_subcommand is None:
        from jobs.models import listing  # noqa: PLC0415

        told = listing(store_of(context.obj.settings))
        click.echo(told.as_json() if as_json else told)


@models.command("use")
@click.argument("name", metavar="NAME/VERSION")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def use_model(context: Context, /, name: str, as_json: bool) -> None:
    """Let the model NAME/VERSION serve its task from now on."""
    from jobs.models import use  # noqa: PLC0415

    told = use(store_of(context.settings), name)
    click.echo(told.as_json() if as_json else told)


cli.add_command(query)
add_to(cli, models)


@cli.command()
@click.pass_obj
def demo(context: Context) -> None:
    """Run the main job on a small catalogue drawn on the spot and served on loopback."""
    from jobs.demo import run_demo  # noqa: PLC0415
    from jobs.tag import Tagging, tag_or_train  # noqa: PLC0415

    def tag_sample(csv: Path, settings: Settings) -> Summary:
        return tag_or_train(Tagging(Catalogue.of(csv, None, settings)), settings, context.console)

    click.echo(run_demo(context.settings.store, context.console, tag_sample))


def with_input(settings: Settings, given: dict[str, Any]) -> Settings:
    """The settings with what the flags of `input_options` add or override."""
    columns = dict(settings.columns) | _columns(given["columns"])
    allowed = (*settings.fetch.allow_hosts, *given["allow_hosts"])
    try:
        fetch = replace(settings.fetch, allow_hosts=allowed)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return replace(
        settings,
        columns=columns,
        fetch=fetch,
        image_root=given["image_root"] or settings.image_root,
        encoding=given["encoding"] or settings.encoding,
        lang=given.get("lang") or settings.lang,
    )


def _overridden(settings: T, given: dict[str, Any]) -> T:
    """A section of the settings with the flags of the same names that were given."""
    names = {field.name for field in fields(settings)}  # type: ignore[arg-type] # a dataclass
    asked = {name: value for name, value in given.items() if name in names and value is not None}
    try:
        return replace(settings, **asked)  # type: ignore[type-var]
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _columns(pairs: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals:
            raise click.UsageError(f"--column takes NAME=COLUMN, not {pair!r}")
        found[name] = (*found.get(name, ()), column)
    return found


def _catalogue(csv: Path, given: dict[str, Any], settings: Settings) -> Catalogue:
    return Catalogue.of(csv, given["source"], settings)


def _posts(
    csv: Path, given: dict[str, Any], settings: Settings, *, metadata_only: bool = False
) -> Catalogue:
    columns = _columns(given["columns"])
    return Catalogue.of_posts(csv, given["source"], settings, columns, metadata_only=metadata_only)


def _is_picture(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return sniff(file.read(HEAD)) is not None
    except OSError:
        return False  # told as a CSV that can't be read


def _tag_pictures(
    settings: Settings, pictures: Sequence[Path], model: str | None, as_json: bool
) -> None:
    from jobs.models import TAGGER, model_for  # noqa: PLC0415
    from jobs.single import look_at  # noqa: PLC0415

    looks = look_at(pictures, model_for(store_of(settings), TAGGER, model))
    for look in looks:
        click.echo(look.as_json() if as_json else look)
    sys.exit(DONE if all(look.heads for look in looks) else TOO_MANY_FAILED)


def main() -> NoReturn:
    """The entry point: what ends a job, ends it with one line and an exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted: what was finished is kept, the next run goes on", err=True)
        # At once: threads may still wait for servers, and DuckDB prints what they hold.
        sys.stdout.flush()
        os._exit(1)
    except OSError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except Exception:  # noqa: BLE001 - whatever it is, a cron mail gets one line of it
        click.echo(f"Error: {_unexpected()}", err=True)
        sys.exit(1)
    sys.exit(0)


def _unexpected() -> str:
    """Keep the traceback of a fault of ours in a file, and say where."""
    kept = Path(tempfile.gettempdir()) / f"catalog-error-{os.getpid()}.txt"
    kept.write_text(traceback.format_exc(), encoding="utf-8")
    last = traceback.format_exc().strip().splitlines()[-1]
    return f"{last}\nThis is a fault of Vitrina's; its details are in {kept}"


def _interrupt(*_: object) -> NoReturn:
    """Cron's and systemd's way to stop a job is Ctrl-C's."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
