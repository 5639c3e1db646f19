"""Recipes: trainings written down as settings files, with the figure that their source tells.

The project's own lie in jobs/recipes; a file of one's own has the same form.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from catalog.class_settings import ClassSettings
from catalog.models.artefact import Card, load_card, save_card
from catalog.models.metrics import Share
from catalog.models.settings import TrainSettings
from engagement.settings import EngagementSettings
from jobs.errors import BadInput

HERE = Path(__file__).resolve().parent / "recipes"

Kind = Literal["tagger", "engagement", "classes"]
Variant = Literal["faithful", "ours"]

Chosen = TypeVar("Chosen", bound=TrainSettings)


@dataclass(frozen=True)
class Data:
    """What a recipe is trained on, and where people get it."""

    name: str  # of the folder, and the source that runs are kept under
    where: str  # in words
    file: str = ""  # the CSV, of kinds that have one
    images: str = ""  # the folder of its pictures
    classes: tuple[str, ...] = ()  # of idx files, which have numbers only
    keras: str = ""  # name of the set in keras.datasets
    url: str = ""  # of an archive
    hash: str = ""  # of the archive: its MD5 or SHA-256, in hex
    unpacked: str = ""  # the folder in the archive


@dataclass(frozen=True)
class Recipe:
    """A training as its file says it."""

    name: str
    title: str
    kind: Kind
    variant: Variant
    data: Data
    train: TrainSettings
    engagement: EngagementSettings = field(default_factory=EngagementSettings)
    source: str | None = None  # what the source tells of its result, in words
    published: float | None = None  # the same as a share
    least: float | None = None  # what is asked of it here
    seeds: tuple[int, ...] = (0,)
    class_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by language

    @property
    def told(self) -> dict[str, Any]:
        """What a card says of the recipe."""
        names = ("name", "variant", "title", "source", "published", "least")
        return {name: getattr(self, name) for name in names}


def names() -> list[str]:
    """The project's own recipes."""
    return sorted(path.stem for path in HERE.glob("*.toml"))


def read(name: str) -> Recipe:
    """A recipe by name, or of a file of one's own; BadInput when there is none or it is wrong."""
    path = HERE / f"{name}.toml" if name in names() else Path(name)
    if not (path.suffix == ".toml" and path.is_file()):
        raise BadInput(
            f"there is no recipe {name}",
            hint=f"`catalog recipes` tells about {', '.join(names())}; a path ends in .toml",
        )
    try:
        return _recipe(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
    except (TypeError, ValueError, KeyError) as error:
        why = f"{error.args[0]} is missing" if isinstance(error, KeyError) else error
        raise BadInput(f"the recipe {path} is no good: {why}") from error
    except OSError as error:
        raise BadInput(f"the recipe {path} can't be read: {error.strerror}") from error


def by_seeds(
    recipe: Recipe | None, train: Chosen, scratch: Path, one: Callable[[Chosen, Path], Path]
) -> Path:
    """Train once, or once for each seed of a recipe; gives the first seed's model folder.

    `one` trains by settings in a folder of its own and gives the model's folder in it. What the
    other seeds came to stands in the first one's card; their models go.
    """
    if recipe is None:
        return one(train, scratch)
    folders = []
    for seed in recipe.seeds:
        place = scratch / f"seed-{seed}"
        place.mkdir()
        folders.append(one(replace(train, seed=seed), place))
    cards = [load_card(folder) for folder in folders]
    save_card(folders[0], _marked(recipe, cards))
    return folders[0]


def figure(card: Card) -> Share:
    """What a recipe's figure is of: the test rows that are right in every head at once."""
    counted = card.metrics["whole_row"]
    return Share(counted["right"], counted["n"])


def _marked(recipe: Recipe, cards: Sequence[Card]) -> Card:
    first = cards[0]
    settings = {**first.settings, "recipe": recipe.told, "class_names": dict(recipe.class_names)}
    if len(cards) == 1 or recipe.kind == "engagement":
        return replace(first, settings=settings)
    seeds = [
        {"seed": card.settings["seed"], **figure(card).as_dict(), "heads": _accuracies(card)}
        for card in cards
    ]
    return replace(first, settings=settings, metrics={**first.metrics, "seeds": seeds})


def _accuracies(card: Card) -> dict[str, float | None]:
    return {head: said["accuracy"] for head, said in card.metrics["heads"].items()}


def _recipe(name: str, content: dict[str, Any]) -> Recipe:
    kind, variant = content.pop("kind"), content.pop("variant")
    for value, known in ((kind, get_args(Kind)), (variant, get_args(Variant))):
        if value not in known:
            raise ValueError(f"{value!r} is none of {', '.join(known)}")
    train = ClassSettings() if kind == "classes" else TrainSettings()
    return Recipe(
        name=name,
        title=content.pop("title"),
        kind=kind,
        variant=variant,
        data=_of(Data, content.pop("data")),
        train=_changed(train, content.pop("train")),
        engagement=_changed(EngagementSettings(), content.pop("engagement", {})),
        class_names=content.pop("class_names", {}),
        seeds=tuple(content.pop("seeds", (0,))),
        **content,
    )


def _changed(before: Any, said: Mapping[str, Any]) -> Any:
    known = set(asdict(before))
    if unknown := said.keys() - known:
        raise ValueError(f"unknown setting {min(unknown)}; known: {', '.join(sorted(known))}")
    return replace(before, **_frozen(said))


def _of(kind: type[Data], said: Mapping[str, Any]) -> Data:
    if unknown := said.keys() - {each.name for each in fields(kind)}:
        raise ValueError(f"unknown setting data.{min(unknown)}")
    return kind(**_frozen(said))


def _frozen(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in said.items()}
