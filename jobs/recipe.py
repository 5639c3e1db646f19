"""Recipes: trainings written down as settings files, with the figure that their source tells.

The project's own lie in jobs/recipes; a file of one's own has the same form.
"""

import shutil
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from catalog.class_settings import ClassSettings
from catalog.models.artefact import PLAIN_NAME, Card, load_card, save_card
from catalog.models.metrics import Share
from catalog.models.settings import TrainSettings
from engagement.settings import EngagementSettings
from jobs.errors import BadInput

LARGEST_SEED = 2**32 - 1  # as Keras has it

HERE = Path(__file__).resolve().parent / "recipes"

Kind = Literal["tagger", "engagement", "classes"]
Variant = Literal["faithful", "ours"]

Chosen = TypeVar("Chosen", bound=TrainSettings)
Part = TypeVar("Part", bound="Data | Table")


@dataclass(frozen=True)
class Table:
    """A CSV that a recipe is trained on, and the pictures that it names."""

    file: str  # the CSV, or its folder and it
    images: str = ""  # the folder of its pictures, beside it
    columns: Mapping[str, str] = field(default_factory=dict)  # where their names don't tell

    def __post_init__(self) -> None:
        if not isinstance(self.columns, Mapping):
            raise ValueError("columns is a table")  # noqa: TRY004 - one kind of error for a recipe
        texts = {"file": self.file, "images": self.images, **self.columns}
        if wrong := [name for name, value in texts.items() if not isinstance(value, str)]:
            raise ValueError(f"{wrong[0]} of a CSV must be a text")


@dataclass(frozen=True)
class Data:
    """What a recipe is trained on, and where people get it."""

    name: str  # of the folder, and the source that runs are kept under
    where: str  # in words
    tables: tuple[Table, ...] = ()  # of kinds that are trained on CSVs
    classes: tuple[str, ...] = ()  # their names; idx files have numbers only
    keras: str = ""  # name of the set in keras.datasets
    url: str = ""  # of an archive
    hash: str = ""  # of the archive: its MD5 or SHA-256, in hex
    unpacked: str = ""  # the folder in the archive

    def __post_init__(self) -> None:
        if not isinstance(self.classes, tuple):
            raise ValueError("data.classes is a list")  # noqa: TRY004 - one kind of error for a recipe
        names = {each.name for each in fields(self)} - {"tables", "classes"}
        texts = {name: getattr(self, name) for name in names}
        texts |= {f"classes.{place}": name for place, name in enumerate(self.classes)}
        if wrong := [name for name, value in texts.items() if not isinstance(value, str)]:
            raise ValueError(f"data.{wrong[0]} must be a text")


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
    published_classes: int | None = None  # of how many classes; None for those of the data
    least: float | None = None  # what is asked of it here
    least_classes: int | None = None  # likewise
    seeds: tuple[int, ...] = (0,)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # see `renamed`
    class_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by language
    changed: tuple[str, ...] = ()  # what of it the command line says otherwise

    def __post_init__(self) -> None:
        if not PLAIN_NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} can't be the name of a model")
        for name in ("published", "least"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, float | int) and 0 <= value <= 1):
                raise ValueError(f"{name} is a share from 0 to 1, not {value!r}")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds are one number or more, each once")
        if not all(type(seed) is int and 0 <= seed <= LARGEST_SEED for seed in self.seeds):
            raise ValueError(f"seeds are whole numbers from 0 to {LARGEST_SEED}")
        if self.kind == "engagement" and len(self.seeds) > 1:
            raise ValueError("an engagement recipe has one seed: its figures have intervals")
        if self.kind == "classes" and self.data.tables:
            raise ValueError("a recipe of classes has folders or idx files, no data.tables")
        if self.kind == "engagement" and len(self.data.tables) != 1:
            raise ValueError("an engagement recipe has one of data.tables")
        if self.kind == "tagger" and not self.data.tables:
            raise ValueError("a tagger's recipe has one of data.tables or more")
        _check_names("labels", self.labels)
        _check_names("class_names", self.class_names)

    def renamed(self, given: Mapping[str, str]) -> dict[str, str]:
        """The labels of a product as the recipe spells them; others stay as they are.

        `labels` has a table of spellings for each attribute that needs one: what two shops call
        differently becomes one label.
        """
        return {
            attribute: self.labels.get(attribute, {}).get(label, label)
            for attribute, label in given.items()
        }

    def told(self, classes: int) -> dict[str, Any]:
        """What a card of a model of so many classes says of the recipe.

        A figure that holds for another number of classes is no measure of it.
        """
        said = {name: getattr(self, name) for name in ("name", "variant", "title", "source")}
        said["published"] = self.published if self.published_classes in {None, classes} else None
        said["least"] = self.least if self.least_classes in {None, classes} else None
        if self.changed:
            said["variant"] = f"{self.variant} but for {', '.join(self.changed)}"
        return said


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
    except (TypeError, ValueError, KeyError, AttributeError) as error:
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
        folder = one(replace(train, seed=seed), place)
        for rest in set(place.iterdir()) - {folder}:  # gigabytes of pictures, maybe
            shutil.rmtree(rest)
        folders.append(folder)
    cards = [load_card(folder) for folder in folders]
    save_card(folders[0], _marked(recipe, cards))
    return folders[0]


def figure(card: Card) -> Share:
    """What a recipe's figure is of: the test rows that are right in every head at once."""
    counted = card.metrics["whole_row"]
    return Share(counted["right"], counted["n"])


def _marked(recipe: Recipe, cards: Sequence[Card]) -> Card:
    first = cards[0]
    classes = max(map(len, first.vocabulary.values()))
    names = {language: dict(each) for language, each in recipe.class_names.items()}
    settings = {**first.settings, "recipe": recipe.told(classes), "class_names": names}
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
        data=_data(content.pop("data")),
        train=_changed(train, content.pop("train")),
        engagement=_changed(EngagementSettings(), content.pop("engagement", {})),
        class_names=content.pop("class_names", {}),
        seeds=tuple(content.pop("seeds", (0,))),
        **content,
    )


def _data(said: Mapping[str, Any]) -> Data:
    rest = {name: value for name, value in said.items() if name != "tables"}
    tables = said.get("tables", [])
    return replace(_of(Data, rest), tables=tuple(_of(Table, table) for table in tables))


def _check_names(what: str, names: Mapping[str, Mapping[str, str]]) -> None:
    tables = names.values() if isinstance(names, Mapping) else [None]
    if not all(isinstance(each, Mapping) for each in tables):
        raise ValueError(f"{what} has a table of names for each of its keys")
    texts = [text for each in names.values() for text in each.values()]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{what} has names that are no text")


def _changed(before: Any, said: Mapping[str, Any]) -> Any:
    known = set(asdict(before))
    if unknown := said.keys() - known:
        raise ValueError(f"unknown setting {min(unknown)}; known: {', '.join(sorted(known))}")
    return replace(before, **_frozen(said))


def _of(kind: type[Part], said: Mapping[str, Any]) -> Part:
    if unknown := said.keys() - {each.name for each in fields(kind)}:
        raise ValueError(f"unknown setting {kind.__name__.lower()}.{min(unknown)}")
    return kind(**_frozen(said))


def _frozen(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in said.items()}
