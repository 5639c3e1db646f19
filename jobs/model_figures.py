"""`catalog models show` and `compare`: how good a model was where it had not learned."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from catalog.models.artefact import Card
from jobs.errors import BadInput
from jobs.models import card_of
from jobs.runs import Told
from jobs.tables import aligned
from sql.store import Store

# Of the scores that a classifier gave to posts that the scoring head never saw.
_OUT_OF_FOLD = ("roc_auc", "inside", "pr_auc", "accuracy", "precision", "recall", "f1")


@dataclass(frozen=True)
class Figure:
    """A figure of a card with its 95 % interval, where it has one, and what it was measured on."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int

    def __str__(self) -> str:
        if self.value is None:
            return f"not defined, n {self.n:,}"
        ends = "" if self.low is None else f" ({self.low:.3f} to {self.high:.3f})"
        return f"{self.value:.3f}{ends}, n {self.n:,}"


def show_model(store: Store, name: str) -> Told:
    """One model: what its card says, and its figures."""
    card = card_of(store, name)
    figures = _figures(card)
    said = {
        "model": card.model,
        "task": card.task,
        "created": card.created,
        "backbone": f"{card.backbone} ({card.weights}) at {card.image_size} px",
        "parameters": f"{card.parameters:,}",
        "split": card.split.get("rule", ""),
        "heads": ", ".join(
            f"{head} ({len(labels)} labels)" for head, labels in card.vocabulary.items()
        ),
        "trained on": json.dumps(card.trained_on, ensure_ascii=False),
        "versions": ", ".join(f"{name} {version}" for name, version in card.versions.items()),
    }
    rows = [[key, str(value)] for key, value in said.items()]
    rows += [[figure.name, str(figure)] for figure in figures]
    rows += [["note", note] for note in card.notes]
    return Told(aligned(rows), asdict(card) | {"figures": [asdict(figure) for figure in figures]})


def compare_models(store: Store, first: str, second: str) -> Told:
    """The figures of two cards side by side, each with its n and interval."""
    cards = [card_of(store, first), card_of(store, second)]
    sides = [{figure.name: figure for figure in _figures(card)} for card in cards]
    rows = [["", *(card.model for card in cards)]]
    rows += [
        [name, *(str(getattr(card, name)) for card in cards)]
        for name in ("task", "created", "backbone", "image_size", "parameters")
    ]
    rows += [
        [name, *(str(side.get(name, "-")) for side in sides)]
        for name in dict.fromkeys([*sides[0], *sides[1]])
    ]
    value = {
        card.model: [asdict(figure) for figure in side.values()]
        for card, side in zip(cards, sides, strict=True)
    }
    return Told(aligned(rows), value)


def _figures(card: Card) -> list[Figure]:
    """The figures of a card; BadInput when they are not what trainings write."""
    try:
        return _figures_of(card)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise BadInput(f"the figures in the card of {card.model} make no sense") from error


def _figures_of(card: Card) -> list[Figure]:
    """Out of fold where there were folds, else the accuracy of each head on the test side."""
    if honest := card.metrics.get("out_of_fold"):
        return [_out_of_fold(name, honest) for name in _OUT_OF_FOLD if name in honest]
    heads = card.metrics.get("heads", {})
    return [
        Figure(
            f"{head} accuracy", said.get("accuracy"), *_ends(said.get("interval")), said.get("n", 0)
        )
        for head, said in heads.items()
    ]


def _out_of_fold(name: str, honest: Mapping[str, Any]) -> Figure:
    said = honest[name]
    if isinstance(said, Mapping):
        return Figure(name, said["value"], said["low"], said["high"], said["n"])
    return Figure(name, said, None, None, honest["n"])


def _ends(interval: Any) -> tuple[float | None, float | None]:
    return (interval[0], interval[1]) if interval else (None, None)
