"""Labels in the language of a page, where the card of a model has names for them.

Data, files and what is kept of a run have the labels themselves; only a page says their names.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from catalog.models.artefact import Card
from catalog.models.metrics import ClassScores
from reports.change import Relabelled
from reports.evidence import CLASS_HEAD, CLASSES, SheetPicture
from reports.language import Language
from reports.measured import ConfusedPair, Confusion, Guess, HeadResult, Macro
from reports.pages import words
from reports.tested import Bar
from reports.thumbnails import Enlarged, Thumbnail

Value = TypeVar("Value")

_LABELS: Mapping[type, tuple[str, ...]] = {
    HeadResult: ("majority_label",),
    Macro: ("rare",),
    Confusion: ("labels",),
    ClassScores: ("label", "taken_for"),
    ConfusedPair: ("truth", "guess"),
    Guess: ("label", "truth"),
    Relabelled: ("before", "after"),
    Bar: ("label",),
}
"""Which fields hold labels; SheetPicture.labels does besides."""
_WITHOUT = (Card, Thumbnail, Enlarged)


def class_names(card: Card, language: Language) -> dict[str, str]:
    """Give the names of labels in a language, as far as a card has them.

    Classes are often called as their folders are: what has no name of its own is read as words.
    """
    folders = card.vocabulary.get(CLASS_HEAD, ()) if card.task == CLASSES else ()
    read = {label: words(label) for label in folders}
    names = card.settings.get("class_names")
    spoken = names.get(language.code) if isinstance(names, dict) else None
    if not isinstance(spoken, dict):
        return read
    return read | {label: name for label, name in spoken.items() if isinstance(name, str) and name}


def named(value: Value, labels: Mapping[str, str], heads: Mapping[str, str]) -> Value:
    """Put names for labels, and for heads, wherever a value that is shown holds one."""
    changed: Any = value
    if isinstance(value, tuple):
        return tuple(named(each, labels, heads) for each in value)  # type: ignore[return-value]
    if isinstance(value, SheetPicture):
        said = {head: labels.get(label, label) for head, label in value.labels.items()}
        changed = replace(changed, labels=said)
    elif is_dataclass(value) and not isinstance(value, _WITHOUT):
        changed = replace(
            changed,
            **{field.name: _named(value, field.name, labels, heads) for field in fields(value)},
        )
    return changed  # type: ignore[no-any-return] # of the same type


def _named(
    value: object, field: str, labels: Mapping[str, str], heads: Mapping[str, str]
) -> object:
    """Give a field of a dataclass, with its names."""
    held = getattr(value, field)
    if field in _LABELS.get(type(value), ()):
        return _renamed(held, labels)
    return _renamed(held, heads) if field == "head" else named(held, labels, heads)


def _renamed(held: Any, names: Mapping[str, str]) -> Any:
    if isinstance(held, tuple):
        return tuple(names.get(each, each) for each in held)
    return names.get(held, held)
