"""What experiment tracking is told of a model: parameters, measures by epoch, final measures.

All of it is read from the model's folder, without MLflow and without TensorFlow.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.models.artefact import HISTORY, PLAIN_NAME, Card, verify

LONGEST_VALUE = 500
"""Letters of a parameter: what older tracking servers take. The card has it whole."""

LONGEST_NAME = 250
_UNFIT = re.compile(r"[^\w.\- /]")  # in MLflow's names
_NAMES_OF_CLASSES = "class_names"  # a translation: no choice of the training


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of a training; `step` is an epoch (from 1), a seed, or 0 for the final ones."""

    name: str
    value: float
    step: int = 0


def experiment_of(card: Card) -> str:
    """The experiment that a model's run belongs to: its recipe, else what its models are called."""
    recipe = card.settings.get("recipe")
    name = recipe.get("name") if isinstance(recipe, dict) else None
    return name if isinstance(name, str) and PLAIN_NAME.fullmatch(name) else card.name


def parameters_of(card: Card) -> dict[str, str]:
    """Every choice of the training, and what it was given; what lies deeper has a dotted name."""
    chosen = {name: value for name, value in card.settings.items() if name != _NAMES_OF_CLASSES}
    content = {
        **chosen,
        "task": card.task,
        "heads": list(card.vocabulary),
        "backbone": card.backbone,
        "weights": card.weights,  # a file by its name and hash: its path is nobody's business
        "image_size": card.image_size,
        "embedding_size": card.embedding_size,
        "parameters": card.parameters,
        "trained_on": card.trained_on,
        "split": card.split,
        "versions": card.versions,
    }
    return {fit(name): _short(value) for name, value in _flat(content, ".") if value is not None}


def measures_of(folder: Path, card: Card) -> list[Measure]:
    """All measures of a model: by epoch, then the final ones.

    ModelRefused when the history is not the card's; ValueError when it makes no sense.
    """
    try:
        return [*_by_epoch(_phases(folder, card)), *_final(card.metrics)]
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{HISTORY} or the card's metrics are not a training's") from error


def phases_told(folder: Path, card: Card) -> str:
    """Which epochs belong to which phase, such as "heads: 1 to 6; fine-tuning: 7 to 9"."""
    told, before = [], 0
    for phase in _phases(folder, card):
        last = before + len(phase["epochs"])
        told.append(f"{phase['phase']}: {before + 1} to {last}")
        before = last
    return "; ".join(told)


def fit(name: str) -> str:
    """A name as MLflow takes it."""
    return _UNFIT.sub("_", name)[:LONGEST_NAME]


def _phases(folder: Path, card: Card) -> list[dict[str, Any]]:
    """The phases of the training that had an epoch."""
    if HISTORY not in card.files:
        return []
    phases = json.loads(verify(folder, HISTORY, card))["phases"]
    return [phase for phase in phases if phase["epochs"]]


def _by_epoch(phases: list[dict[str, Any]]) -> Iterator[Measure]:
    """Epochs are counted on from phase to phase; the measure "phase" tells which it is, from 1."""
    step = 0
    for number, phase in enumerate(phases, 1):
        for epoch in phase["epochs"]:
            step += 1
            yield Measure("phase", number, step)
            heads = epoch.get("heads", {})
            own = {name: epoch[name] for name in epoch.keys() - {"epoch", "heads"}}
            for name, value in _flat({**dict(sorted(own.items())), **heads}, "/"):
                yield from _measure(name, value, step)


def _final(metrics: Mapping[str, Any]) -> Iterator[Measure]:
    content = dict(metrics)
    for seed in content.pop("seeds", None) or ():
        yield from _measure("seeds/value", seed["value"], seed["seed"])
    for phase in content.pop("after_phase", None) or ():
        yield from _measure(f"after_phase/{phase['phase']}", phase["value"])
    tested = content.pop("heads", {})
    sides = {name: _by_head(value) for name, value in content.items()}
    found = {**dict(_flat(sides, "/")), **dict(_flat({"test": tested}, "/"))}
    for name, value in found.items():
        yield from _measure(name, value)


def _by_head(side: Any) -> Any:
    """Measures of a side with the head before the measure, as those of the tested heads are."""
    if not isinstance(side, dict):
        return side
    named = {name: value for name, value in side.items() if name not in {"accuracy", "losses"}}
    heads: dict[str, dict[str, Any]] = {}
    for given, told in (("accuracy", "accuracy"), ("losses", "loss")):
        values = side.get(given)
        if isinstance(values, dict):
            for head, value in values.items():
                heads.setdefault(head, {})[told] = value
        elif values is not None:
            named[given] = values
    return {**named, **heads}


def _measure(name: str, value: Any, step: int = 0) -> Iterator[Measure]:
    """Nothing where it is no number: a head without a row to test on has none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        yield Measure(fit(name), float(value), step)


def _flat(content: Any, separator: str, name: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested objects with the way to them; an interval is two of them."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from _flat(value, separator, f"{name}{separator}{key}" if name else str(key))
    elif name.endswith(f"{separator}interval") and isinstance(content, (list, tuple)):
        yield from zip((f"{name}_low", f"{name}_high"), content, strict=False)
    else:
        yield name, content


def _short(value: Any) -> str:
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return said if len(said) <= LONGEST_VALUE else f"{said[: LONGEST_VALUE - 1]}…"
