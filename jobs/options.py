"""Flags that several commands share, and what they make of the settings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from catalog.models.settings import TrainSettings
from catalog.models.weights import BACKBONES
from engagement.settings import MIN_AGE_HOURS, RULE, SPLITS
from jobs.console import Console
from jobs.inputs import Catalogue
from jobs.settings import LANGUAGES, Settings

FILE = click.Path(path_type=Path)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
LANG = click.option("--lang", type=click.Choice(LANGUAGES), help="Of the report [en].")
MAX_FAILED = click.option(
    "--max-failed", type=click.FloatRange(0, 1), help="Share that exits 3 [0.1]."
)
ALLOW_HOST = click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="HOST:PORT",
    help="Let pictures come from a private address or an odd port; again for more.",
)

T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """What every command gets from the flags before it."""

    settings: Settings
    console: Console


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
        ALLOW_HOST,
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
        click.option(
            "--fine-rate", type=float, help=f"Of learning, in phase two [{defaults.fine_rate:g}]."
        ),
        click.option("--fine-epochs", type=int, help="At the most, in phase two [epochs]."),
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


def with_input(settings: Settings, given: dict[str, Any]) -> Settings:
    """The settings with what the flags of `input_options` add or override."""
    columns = dict(settings.columns) | _columns(given["columns"])
    return replace(
        with_hosts(settings, given["allow_hosts"]),
        columns=columns,
        image_root=given["image_root"] or settings.image_root,
        encoding=given["encoding"] or settings.encoding,
        lang=given.get("lang") or settings.lang,
    )


def with_hosts(settings: Settings, allow_hosts: Sequence[str]) -> Settings:
    """The settings with more hosts that may be asked."""
    allowed = (*settings.fetch.allow_hosts, *allow_hosts)
    try:
        return replace(settings, fetch=replace(settings.fetch, allow_hosts=allowed))
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def overridden(settings: T, given: dict[str, Any]) -> T:
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


def catalogue_of(csv: Path, given: dict[str, Any], settings: Settings) -> Catalogue:
    """The products of a CSV, as the flags and the settings want them read."""
    return Catalogue.of(csv, given["source"], settings)


def posts_of(
    csv: Path, given: dict[str, Any], settings: Settings, *, metadata_only: bool = False
) -> Catalogue:
    """Likewise the posts, whose columns only the flags name."""
    columns = _columns(given["columns"])
    return Catalogue.of_posts(csv, given["source"], settings, columns, metadata_only=metadata_only)
