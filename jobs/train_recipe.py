"""`catalog train --recipe NAME`: a training as a recipe says it, its figure beside its source's.

A recipe never changes which model serves: `catalog models use` does.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from catalog.class_settings import ClassSettings
from catalog.models.artefact import Card, load_card
from catalog.models.metrics import Share
from catalog.models.weights import NONE
from jobs import train_classes, train_engagement, train_tagger
from jobs.console import Console
from jobs.downloads import download, kept
from jobs.errors import BadInput
from jobs.inputs import Catalogue
from jobs.recipe import Recipe, figure, names, read
from jobs.settings import Settings, store_of
from jobs.training import Trained


@dataclass(frozen=True)
class Recipes:
    """The recipes that there are."""

    recipes: tuple[Recipe, ...]

    def as_json(self) -> str:
        """One JSON array."""
        told = [
            {
                "name": one.name,
                "variant": one.variant,
                "title": one.title,
                "source": one.source,
                "published": one.published,
                "least": one.least,
                "kind": one.kind,
                "data": one.data.name,
                "where": one.data.where,
            }
            for one in self.recipes
        ]
        return json.dumps(told, ensure_ascii=False)

    def __str__(self) -> str:
        width = max(len(one.name) for one in self.recipes)
        return "\n".join(
            f"{one.name:<{width}}  {one.variant:<8}  {one.title}{_source(one)}"
            for one in self.recipes
        )


def _source(recipe: Recipe) -> str:
    return f" (the source: {recipe.source})" if recipe.source else ""


def recipes() -> Recipes:
    """Those of the project."""
    return Recipes(tuple(map(read, names())))


@dataclass(frozen=True)
class Asked:
    """One call: which recipe, on which data, and what of it is changed."""

    recipe: Recipe
    data: Path | None = None  # a folder, or the CSV itself
    download: bool = False


def train(asked: Asked, settings: Settings, console: Console) -> Trained:
    """Train what the recipe says; BadInput when its data are nowhere."""
    recipe = asked.recipe
    place = _place(asked)
    otherwise = f", but for {', '.join(recipe.changed)}" if recipe.changed else ""
    console.say(f"recipe {recipe.name}, {recipe.variant}{otherwise}: {recipe.title}")
    if recipe.kind == "classes":
        assert isinstance(recipe.train, ClassSettings)  # noqa: S101 - recipe.read makes it so
        job = train_classes.Training(place, recipe.train, recipe)
        trained = train_classes.train(job, settings, console)
    else:
        trained = _train_csv(recipe, place, settings, console)
    card = load_card(store_of(settings).models / trained.model)
    told = "\n".join(filter(None, [trained.told, *_told(recipe, card)]))
    return replace(trained, figures={**trained.figures, **_figures(recipe, card)}, told=told)


def _train_csv(recipe: Recipe, place: Path, settings: Settings, console: Console) -> Trained:
    if recipe.kind == "tagger":
        catalogues = tuple(
            Catalogue.of(csv, source, read)
            for csv, source, read in _tables(recipe, place, settings)
        )
        job = train_tagger.Training(catalogues, recipe.train, recipe=recipe)
        return train_tagger.train(job, settings, console)
    [(csv, source, settings)] = _tables(recipe, place, settings)
    posts = Catalogue.of_posts(csv, source, settings, {})
    asked = train_engagement.Training(posts, recipe.train, recipe.engagement, recipe=recipe)
    return train_engagement.train(asked, settings, console)


def _tables(
    recipe: Recipe, place: Path, settings: Settings
) -> Iterator[tuple[Path, str, Settings]]:
    """Each CSV of the recipe, the source that it is kept as, and how it is to be read."""
    tables = recipe.data.tables
    if place.is_file() and len(tables) > 1:
        raise BadInput(
            f"the recipe {recipe.name} is trained on {len(tables)} CSVs, and {place} is one",
            hint=f"name the folder that has {', '.join(table.file for table in tables)}",
        )
    for table in tables:
        csv = place if place.is_file() else place / table.file
        columns = {name: (column,) for name, column in table.columns.items()}
        read = replace(settings, columns={**settings.columns, **columns})
        if settings.image_root is None and table.images:
            read = replace(read, image_root=csv.parent / table.images)
        name = "-".join(Path(table.file).with_suffix("").parts)
        yield csv, recipe.data.name if len(tables) == 1 else name, read


def _place(asked: Asked) -> Path:
    """Where the data are."""
    data = asked.recipe.data
    if asked.data is not None:
        if not asked.data.exists():
            raise BadInput(f"there is no {asked.data}", hint=f"{data.name}: {data.where}")
        return asked.data
    loadable = bool(data.keras or data.url)
    if asked.download and loadable:  # Keras knows what it has, and fetches the rest
        return download(data)
    if (place := kept(data)).is_dir():
        return place
    fetch = ", or let --download fetch them" if loadable else ""
    why = f"{data.name} can't be downloaded" if asked.download else f"wants the data {data.name}"
    raise BadInput(
        f"the recipe {asked.recipe.name} {why}" if not asked.download else why,
        hint=f"{data.where}; name their folder with --data{fetch}",
    )


def _told(recipe: Recipe, card: Card) -> list[str]:
    """The figures of the recipe in a few lines."""
    if recipe.kind == "engagement":
        return []
    lines = []
    if recipe.kind == "tagger":
        lines = [
            f"{head}: {_share(_mean_of(head, card))} of {said['n']:,} test pictures"
            f" ({said['classes']} classes; always {said['majority']['label']!r}:"
            f" {_share(said['majority']['value'])})"
            for head, said in card.metrics["heads"].items()
        ]
    right, ours = figure(card), _mean(card)
    what = "all of them at once" if recipe.kind == "tagger" else "accuracy"
    seeds = card.metrics.get("seeds", ())
    by_seed = ", ".join(_share(each["value"]) for each in seeds)
    mean = f" (the mean of {len(seeds)} seeds: {by_seed})" if seeds else ""
    interval = _interval(Share(round(ours * right.n), right.n))
    lines.append(f"{what}: {_share(ours)}{mean}, of {right.n:,} test pictures; {interval}")
    first = f" (seed {card.settings['seed']})" if seeds else ""
    lines += [
        f"after {each['phase']}{first}: {_share(each['value'])}"
        for each in card.metrics.get("after_phase", ())
    ]
    said = card.settings["recipe"]
    if recipe.changed:
        lines.append(f"trained otherwise than the recipe says: {', '.join(recipe.changed)}")
    if recipe.source:
        lines.append(f"the source says {recipe.source}")
    if said["least"] is not None:
        reached = "reached" if ours >= said["least"] else "not reached"
        lines.append(f"asked for: {_share(said['least'])}, {reached}")
    if card.weights == NONE and not _small(recipe):
        lines.append(f"{card.backbone} was trained from nothing: it had no weights to begin with")
    return lines


def _figures(recipe: Recipe, card: Card) -> dict[str, Any]:
    """The same for JSON."""
    said = card.settings["recipe"]
    told: dict[str, Any] = {"recipe": said}
    if recipe.kind == "engagement":
        return told
    ours = _mean(card)
    return {
        **told,
        "accuracy": ours,
        "reached": None if said["least"] is None else ours >= said["least"],
        "first_seed": figure(card).as_dict(),
        "heads": card.metrics["heads"],
        "seeds": card.metrics.get("seeds", []),
        "after_phase": card.metrics.get("after_phase", []),
    }


def _small(recipe: Recipe) -> bool:
    return isinstance(recipe.train, ClassSettings) and recipe.train.small


def _mean(card: Card) -> float:
    seeds: Sequence[Any] = card.metrics.get("seeds", ())
    values: list[float] = [each["value"] for each in seeds] or [figure(card).value or 0.0]
    return sum(values) / len(values)


def _mean_of(head: str, card: Card) -> float | None:
    """The accuracy of a head, over the seeds where there are several."""
    values = [each["heads"][head] for each in card.metrics.get("seeds", ())]
    accuracy: float | None = card.metrics["heads"][head]["accuracy"]
    return sum(values) / len(values) if values and None not in values else accuracy


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}".lstrip("0")


def _interval(share: Share) -> str:
    low, high = share.interval or (0.0, 1.0)
    return f"95 % interval {_share(low)} to {_share(high)}"
