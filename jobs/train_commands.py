"""The commands that train: `train tagger`, `train engagement`, `train --recipe`, and `recipes`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalog.models.settings import TrainSettings
from catalog.models.weights import BACKBONES, NONE
from engagement.settings import TRAINING
from jobs.options import (
    AS_JSON,
    FILE,
    LANG,
    Context,
    catalogue_of,
    engagement_options,
    input_options,
    overridden,
    posts_of,
    train_options,
    with_input,
)
from jobs.settings import Settings, store_of
from jobs.tracking_commands import TRACK

if TYPE_CHECKING:
    from jobs.training import Trained


@click.group(invoke_without_command=True, subcommand_metavar="[tagger|engagement] [ARGS]...")
@click.option("--recipe", "name", metavar="NAME", help="Train this one of `catalog recipes`.")
@click.option("--data", type=FILE, help="The folder of its data, or their CSV.")
@click.option("--download", is_flag=True, help="Fetch the data where they are not here.")
@click.option("--image-root", type=FILE, help="Folder of relative pictures [the recipe's].")
@click.option("--backbone", type=click.Choice(BACKBONES), help="Instead of the recipe's.")
@click.option("--weights", help="imagenet, none or a file [the recipe's].")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Only this one [the recipe's].")
@LANG
@TRACK
@AS_JSON
@click.pass_context
def train(context: click.Context, /, name: str | None, **given: Any) -> None:
    """Train a model: a tagger, a classifier of posts, or what a recipe says."""
    if context.invoked_subcommand is not None:
        if name is not None or any(given.values()):
            raise click.UsageError("flags between `train` and its command are those of --recipe")
        return
    if name is None:
        raise click.UsageError("say what: tagger, engagement, or --recipe NAME", context)
    _train_recipe(context.obj, name, given)


def _train_recipe(context: Context, name: str, given: dict[str, Any]) -> None:
    from jobs import recipe, train_recipe  # noqa: PLC0415 - so that --help starts at once

    settings = replace(
        context.settings,
        image_root=given["image_root"] or context.settings.image_root,
        lang=given["lang"] or context.settings.lang,
    )
    asked = recipe.read(name)
    if given["image_root"] and asked.kind == "classes":
        raise click.UsageError("--image-root is for recipes whose data are a CSV")
    changed = [flag for flag in ("backbone", "seed") if given[flag] is not None]
    changed += ["weights"] if given["weights"] == NONE else []  # a file may well hold the same
    asked = replace(asked, train=overridden(asked.train, given), changed=tuple(changed))
    if given["seed"] is not None:
        asked = replace(asked, seeds=(asked.train.seed,))
    job = train_recipe.Asked(asked, given["data"], given["download"])
    _finish(settings, given, lambda: train_recipe.train(job, settings, context.console))


@train.command("tagger")
@click.argument("products_csv", type=FILE)
@input_options
@train_options(TrainSettings())
@click.option("--dense-units", type=int, help="Of a dense layer in each branch [none].")
@LANG
@TRACK
@AS_JSON
@click.pass_obj
def train_tagger(context: Context, /, products_csv: Path, **given: Any) -> None:
    """Train a tagger on the labelled products of a CSV."""
    from jobs import train_tagger as job  # noqa: PLC0415

    settings = with_input(context.settings, given)
    settings = replace(settings, train=overridden(settings.train, given))
    catalogue = catalogue_of(products_csv, given, settings)
    asked = job.Training((catalogue,), settings.train, given["refetch"])
    _finish(settings, given, lambda: job.train(asked, settings, context.console))


@train.command("engagement")
@click.argument("posts_csv", type=FILE)
@input_options
@engagement_options
@train_options(TRAINING)
@LANG
@TRACK
@AS_JSON
@click.pass_obj
def train_engagement(context: Context, /, posts_csv: Path, **given: Any) -> None:
    """Train a classifier of high and low on the posts of a CSV."""
    from jobs import train_engagement as job  # noqa: PLC0415

    settings = with_input(context.settings, given)
    asked = job.Training(
        posts_of(posts_csv, given, settings),
        overridden(settings.train_engagement, given),
        overridden(settings.engagement, given),
        given["refetch"],
    )
    _finish(settings, given, lambda: job.train(asked, settings, context.console))


def _finish(settings: Settings, given: dict[str, Any], train: "Callable[[], Trained]") -> None:
    """Train, record it where that was asked for, and print what came of it.

    What was trained is kept and told, whether or not it can be recorded.
    """
    from jobs.tracking import check, track  # noqa: PLC0415

    store = store_of(settings)
    check(store, given["track"])
    try:
        trained = train()
    except KeyboardInterrupt as error:
        told = "interrupted: what was learned so far is kept, the same command goes on from it"
        raise KeyboardInterrupt(told) from error
    try:
        if given["track"]:
            tracked = track(store, trained.model, trained.report, settings.lang)
            trained = replace(trained, tracked=str(tracked))
    finally:
        click.echo(trained.as_json() if given["as_json"] else trained)


@click.command()
@AS_JSON
def recipes(*, as_json: bool) -> None:
    """List the recipes: trainings as their sources describe them, and ours beside them."""
    from jobs.train_recipe import recipes as told  # noqa: PLC0415

    click.echo(told().as_json() if as_json else told())
