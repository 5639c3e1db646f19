"""Which model a job works with."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from catalog.decisions import Decisions
from catalog.models.artefact import CARD, Card, ModelRefused, load_card
from jobs import starter
from jobs.errors import BadInput
from sql.store import Store, current

# The tasks of models, as their cards say.
TAGGER, CLASSIFIER, CLASSES = "tagger", "engagement", "classes"

TRAININGS = {
    TAGGER: "`catalog train tagger products.csv`",
    CLASSIFIER: "`catalog train engagement posts.csv`",
}


@dataclass(frozen=True)
class Model:
    """A model's folder, what its card says, and the name that its facts carry."""

    folder: Path
    card: Card

    @property
    def name(self) -> str:
        """<name>/<version>."""
        return self.card.model

    @property
    def decisions(self) -> Decisions:
        """How its scores become labels; ValueError when its card makes no sense of that."""
        return Decisions.of(self.card.decisions, self.card.vocabulary)


def find_model(store: Store, task: str, asked: str | None) -> Model | None:
    """The model that was asked for, else the task's current one.

    Asked for is <name>/<version>, a folder, or the starter that comes with the catalog.

    None when nothing was asked for and the store has none; BadInput when it can't be trusted.
    """
    name = asked or current(store, task)
    if name is None:
        return None
    folder = starter.FOLDER if name == starter.NAME else store.models / name
    if not (folder / CARD).is_file():
        folder = Path(name)
    try:
        card = load_card(folder)
    except ModelRefused as error:
        raise BadInput(str(error), hint="`catalog models` lists those of the store") from error
    if card.task != task:
        raise BadInput(f"{name} is a model for {card.task}, not for {task}")
    model = Model(folder, card)
    try:
        model.decisions  # noqa: B018 - asked here, before hours of work
    except ValueError as error:
        raise BadInput(f"{folder}: {error}") from error
    return model


def model_for(store: Store, task: str, asked: str | None) -> Model:
    """`find_model`, or BadInput when there is none."""
    found = find_model(store, task, asked)
    if found is None:
        raise BadInput(
            f"the store {store.root} has no model for {task}",
            hint=f"train one ({TRAININGS[task]}) or name one with --model",
        )
    return found


@dataclass(frozen=True)
class Listed:
    """The models of a store, and the names of those that serve."""

    cards: tuple[Card, ...]
    serving: frozenset[str]

    def as_json(self) -> str:
        """One JSON array."""
        told = [
            {
                "model": card.model,
                "task": card.task,
                "current": card.model in self.serving,
                "created": card.created,
                "backbone": card.backbone,
                "image_size": card.image_size,
                "heads": list(card.vocabulary),
                "rule": card.settings.get("rule"),
                "split": card.split.get("kind"),
            }
            for card in self.cards
        ]
        return json.dumps(told, ensure_ascii=False)

    def __str__(self) -> str:
        lines = []
        for card in self.cards:
            mark = "*" if card.model in self.serving else " "
            lines.append(
                f"{mark} {card.model}  {card.backbone} {card.image_size} px  {_about(card)}"
            )
        return "\n".join(lines) or "no models yet"


def _about(card: Card) -> str:
    """What tells a model from others of its task."""
    if card.task == CLASSIFIER:
        return f"high is {card.settings.get('rule')}, split by {card.split.get('kind')}"
    if card.task == CLASSES:
        return f"{sum(map(len, card.vocabulary.values()))} classes"
    return ", ".join(card.vocabulary)


def listing(store: Store) -> Listed:
    """The models of a store, by name and version."""
    cards = tuple(cards_of(store))
    serving = {card.model for card in cards if current(store, card.task) == card.model}
    return Listed(cards, frozenset(serving))


def causes(store: Store, model: Model) -> dict[str, str]:
    """What tags changed by, for each model of the store that may have given them before.

    Other labels to choose from are a change of vocabulary; else it is the model that changed.
    """
    return {
        card.model: "model" if card.vocabulary == model.card.vocabulary else "vocabulary"
        for card in cards_of(store)
    }


def cards_of(store: Store) -> Iterator[Card]:
    """The cards of a store; one that can't be trusted stops nobody who does not ask for it."""
    for path in sorted(store.models.glob(f"*/*/{CARD}")):
        with suppress(ModelRefused):
            yield load_card(path.parent)


def names_of(store: Store) -> list[str]:
    """The models of a store, <name>/<version>, whether or not they can be trusted."""
    folders = sorted(path for path in store.models.glob("[!.]*/[!.]*") if path.is_dir())
    return [f"{folder.parent.name}/{folder.name}" for folder in folders]


def folder_of(store: Store, name: str) -> Path:
    """The folder of a model of the store; BadInput that tells which there are."""
    names = names_of(store)
    if name not in names:
        known = f"it has {', '.join(names)}" if names else "it has none yet"
        raise BadInput(
            f"the store has no model {name}; {known}", hint="`catalog models` tells about each"
        )
    return store.models / name


def card_of(store: Store, name: str) -> Card:
    """The card of a model of the store; BadInput when it is not there or can't be trusted."""
    try:
        return load_card(folder_of(store, name))
    except ModelRefused as error:
        raise BadInput(str(error), hint=f"`catalog models verify {name}` tells more") from error
