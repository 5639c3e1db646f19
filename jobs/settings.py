"""What `catalog.toml` and the environment ask for; the command line adds to it."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from catalog.attributes import DEFAULT, Attribute, from_settings
from catalog.images.settings import DecodeSettings, FetchSettings
from catalog.models.settings import TrainSettings
from engagement.settings import TRAINING, EngagementSettings
from jobs.errors import BadInput
from sql.schemas import tags_schema
from sql.store import Store

FILE = "catalog.toml"
STORE_VARIABLE = "CATALOG_STORE"
KNOWN = ("store", "image_root", "encoding", "recheck_after_days", "max_failed", "lang")
LANGUAGES = ("en", "es")
LONGEST_DAYS = 36_500
SECTIONS = (
    *("columns", "attributes", "fetch", "decode"),
    *("train", "engagement", "train_engagement"),
)


@dataclass(frozen=True)
class Settings:
    """Everything a job must know besides its input."""

    store: Path = Path("store")
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attributes: tuple[Attribute, ...] = DEFAULT
    fetch: FetchSettings = field(default_factory=FetchSettings)
    decode: DecodeSettings = field(default_factory=DecodeSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    engagement: EngagementSettings = field(default_factory=EngagementSettings)
    train_engagement: TrainSettings = TRAINING
    image_root: Path | None = None
    encoding: str | None = None
    recheck_after: timedelta = timedelta(days=7)
    max_failed: float = 0.1
    lang: str = "en"


def load(config: Path | None, store: Path | None) -> Settings:
    """Settings of `config`, else of catalog.toml in the working directory, else the defaults.

    The store is `store`, else CATALOG_STORE, else what the file says, else ./store. BadInput
    when the file can't be read or says something that means nothing.
    """
    path = config or Path(FILE)
    content = _read(path) if config or path.is_file() else {}
    try:
        settings = _settings(content, path.parent)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{path}: {error}", hint="correct that setting and run again") from error
    named = store or os.environ.get(STORE_VARIABLE) or settings["store"]
    return Settings(**settings | {"store": Path(named)})


def store_of(settings: Settings) -> Store:
    """The store that the settings name; BadInput for a place that can't be one."""
    try:
        return Store(settings.store)
    except ValueError as error:
        raise BadInput(str(error)) from error


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():  # a pipe would be waited for
        raise BadInput(f"there is no file {path}", hint="name another with --config")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise BadInput(f"{path} is not TOML: {error}") from error


def _settings(content: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    _refuse_unknown(content, (*KNOWN, *SECTIONS), "")
    return {
        "store": folder / _typed(content, "store", str, "store"),
        "columns": _lists(content, "columns"),
        "attributes": _attributes(content),
        "fetch": _section(content, "fetch", FetchSettings()),
        "decode": _section(content, "decode", DecodeSettings()),
        "train": _section(content, "train", TrainSettings()),
        "engagement": _section(content, "engagement", EngagementSettings()),
        "train_engagement": _without_dense(_section(content, "train_engagement", TRAINING)),
        "image_root": folder / content["image_root"] if "image_root" in content else None,
        "encoding": _typed(content, "encoding", str, None),
        "recheck_after": _days(_typed(content, "recheck_after_days", float, 7)),
        "max_failed": share(_typed(content, "max_failed", float, 0.1)),
        "lang": _lang(_typed(content, "lang", str, "en")),
    }


def _days(value: float) -> timedelta:
    if not 0 <= value <= LONGEST_DAYS:
        raise ValueError(f"recheck_after_days is 0 to {LONGEST_DAYS}, not {value}")
    return timedelta(days=value)


def _lang(code: str) -> str:
    if code not in LANGUAGES:
        raise ValueError(f"lang is {' or '.join(LANGUAGES)}, not {code!r}")
    return code


def share(value: float) -> float:
    """A share from 0 to 1, else ValueError."""
    if not 0 <= value <= 1:
        raise ValueError(f"max_failed is a share from 0 to 1, not {value}")
    return value


def _refuse_unknown(content: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    if unknown := sorted(content.keys() - set(known)):
        raise ValueError(f"unknown setting {where}{unknown[0]}; known: {', '.join(sorted(known))}")


def _typed(content: Mapping[str, Any], name: str, kind: type, default: Any) -> Any:
    value = content.get(name, default)
    if name in content and not _is(value, kind):
        raise ValueError(f"{name} must be a {kind.__name__}, not {value!r}")
    return value


def _is(value: object, kind: type) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _lists(content: Mapping[str, Any], name: str) -> dict[str, tuple[str, ...]]:
    """A section of names, each with one column or a list of columns."""
    found = {}
    for key, value in _typed(content, name, dict, {}).items():
        columns = [value] if isinstance(value, str) else value
        if not isinstance(columns, list) or not all(isinstance(c, str) for c in columns):
            raise ValueError(f"{name}.{key} must be a column name or a list of them")
        found[key] = tuple(columns)
    return found


def _attributes(content: Mapping[str, Any]) -> tuple[Attribute, ...]:
    named = _lists(content, "attributes")
    tags_schema(named)  # a name that would clash with a column of `tags` is refused here
    return from_settings(named) or DEFAULT


def _without_dense(train: TrainSettings) -> TrainSettings:
    if train.dense_units:
        raise ValueError("train_engagement.dense_units: only a tagger's branches have such a layer")
    return train


def _section(content: Mapping[str, Any], name: str, before: Any) -> Any:
    """The settings `before` with what a section says."""
    values = dict(_typed(content, name, dict, {}))
    _refuse_unknown(values, tuple(f.name for f in fields(before)), f"{name}.")
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
    return replace(before, **values)
