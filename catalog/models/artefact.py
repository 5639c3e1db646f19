"""A model's folder: what lies in it, and the card that says what it is.

models/<name>/<version>/
  card.json             everything a later run needs to trust the rest; names the others' hashes
  model.tflite          what tagging loads: uint8 RGB in, one output a head and `embedding` out
  model.keras           the trained network, to go on from
  split.parquet         which pictures were trained on, by group
  test_scores.parquet   truth and all scores of the pictures kept aside
  sample.parquet        some labelled training pictures, as the model saw them
  test_pictures.parquet some of the pictures kept aside, as the model saw them
  history.json          loss and accuracy by epoch and phase
  summary.txt           the network, layer by layer
"""

import hashlib
import json
import math
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NoReturn

from sql.files import write_text

CARD = "card.json"
KERAS = "model.keras"
LITERT = "model.tflite"
SPLIT = "split.parquet"
TEST_SCORES = "test_scores.parquet"
SAMPLE = "sample.parquet"
TEST_PICTURES = "test_pictures.parquet"
HISTORY = "history.json"
SUMMARY = "summary.txt"

SCHEMA = 1
# In bytes. A card of 50,000 labels takes 2 MiB; MobileNetV2 with its heads takes 15.
LARGEST_CARD = 4 * 2**20
LARGEST_NETWORK = 512 * 2**20
LARGEST_FILE = 2 * 2**30
LARGEST_SIDE = 1024
WIDEST_OUTPUT = 65_536
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_LARGEST = {KERAS: LARGEST_NETWORK, LITERT: LARGEST_NETWORK}


class NotExported(RuntimeError):  # noqa: N818 - reads as the outcome it is
    """A network is trained and its checkpoints are kept, but its files can't be written here."""


class ModelRefused(ValueError):  # noqa: N818 - reads as the outcome it is
    """A model folder that can't be trusted: the message says which file and why."""


@dataclass(frozen=True)
class Card:
    """card.json: where a model comes from, what its outputs mean, and how good it was."""

    task: str
    name: str
    version: str
    created: str  # ISO 8601, UTC
    vocabulary: Mapping[str, tuple[str, ...]]  # head to labels, in output order
    image_size: int  # pixels a side, square
    backbone: str
    weights: str  # what the backbone started from
    embedding_size: int
    settings: Mapping[str, Any]  # every choice of the training, and the decoder's
    trained_on: Mapping[str, Any]  # products, pictures, groups, source, sha256 of the CSV
    split: Mapping[str, Any]  # rule, pictures and groups a side
    metrics: Mapping[str, Any]  # losses, the gap between train and test, test figures a head
    files: Mapping[str, str]  # file name to SHA-256
    parameters: int
    versions: Mapping[str, str]
    notes: tuple[str, ...]  # heads left out, a phase that did not help, ...
    decisions: Mapping[str, Any] = field(default_factory=dict)  # how scores become labels

    @property
    def model(self) -> str:
        """The name under which the store keeps it: <name>/<version>."""
        return f"{self.name}/{self.version}"

    @property
    def channels(self) -> int:
        """Of the pictures that it looks at: 1 for grey ones, else 3."""
        return 1 if self.settings.get("channels") == 1 else 3


def load_card(folder: Path) -> Card:
    """The card of a model folder; ModelRefused when it is absent, damaged or makes no sense."""
    path = folder / CARD
    try:
        data = _read(path, LARGEST_CARD)
    except OSError as error:
        raise ModelRefused(f"no model in {folder}: {CARD} can't be read") from error
    try:
        content = json.loads(data, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ModelRefused(f"{path} is not a model's card: {error}") from error
    return _checked(path, content)


def save_card(folder: Path, card: Card) -> None:
    """Write card.json, whole."""
    content = {"schema": SCHEMA, **_finite(asdict(card))}
    write_text(folder / CARD, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a model folder but the card, by file name."""
    found = sorted(path for path in folder.iterdir() if path.is_file() and path.name != CARD)
    return {path.name: sha256(path) for path in found}


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(folder: Path, filename: str, card: Card) -> bytes:
    """The bytes of a file that the card names, hashed as they were read; else ModelRefused.

    Use the bytes, not the path: what is opened later may no longer be what was hashed.
    No more is read than a file of that name can have.
    """
    named = card.files.get(filename)
    if named is None:
        raise ModelRefused(f"{folder / CARD} does not name {filename}")
    try:
        data = _read(folder / filename, _LARGEST.get(filename, LARGEST_FILE))
    except OSError as error:
        raise ModelRefused(f"{folder / filename} can't be read") from error
    if hashlib.sha256(data).hexdigest() != named:
        raise ModelRefused(f"{folder / filename} is not the file that its card describes")
    return data


def _read(path: Path, most: int) -> bytes:
    """A regular file's bytes; OSError when it can't be read, ModelRefused beyond `most` bytes.

    A pipe is refused rather than waited for, and so is a device that never ends.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        said = os.fstat(file.fileno())
        if not stat.S_ISREG(said.st_mode):
            raise ModelRefused(f"{path} is not a file")
        data = file.read(most + 1) if said.st_size <= most else b""
    if max(said.st_size, len(data)) > most:
        raise ModelRefused(f"{path} is larger than {most // 2**20} MiB, the most it may have")
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names differ: readers do not agree on which of two equals counts."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a name stands twice in it")
    return content


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def _finite(content: Any) -> Any:
    """The same with None for each number that JSON does not have."""
    match content:
        case dict():
            return {name: _finite(value) for name, value in content.items()}
        case list() | tuple():
            return [_finite(value) for value in content]
        case float() if not math.isfinite(content):
            return None
    return content


def _checked(path: Path, content: Any) -> Card:
    if not isinstance(content, dict) or content.pop("schema", None) != SCHEMA:
        raise ModelRefused(f"{path} is not a card of schema {SCHEMA}")
    expected = {each.name: each.type for each in fields(Card)}
    optional = {each.name for each in fields(Card) if each.default_factory is not MISSING}
    if missing := expected.keys() - content.keys() - optional:
        raise ModelRefused(f"{path} lacks {', '.join(sorted(missing))}")
    known = {name: content[name] for name in expected if name in content}
    for name, value in known.items():
        if type(value) is not _json_kind(expected[name]):
            raise ModelRefused(f"{path}: {name} is of the wrong kind")
    known["vocabulary"] = _vocabulary(path, known["vocabulary"])
    known["notes"] = tuple(str(note) for note in known["notes"])
    _check_bounds(path, known)
    return Card(**known)


def _json_kind(kind: Any) -> type:
    return {str: str, int: int, tuple[str, ...]: list}.get(kind, dict)


def _vocabulary(path: Path, content: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    for head, labels in content.items():
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise ModelRefused(f"{path}: the labels of {head} are not a list of names")
        if len(labels) < 2 or len(set(labels)) < len(labels):
            raise ModelRefused(f"{path}: {head} needs two labels or more, each once")
    return {head: tuple(labels) for head, labels in content.items()}


def _check_bounds(path: Path, known: Mapping[str, Any]) -> None:
    if not 1 <= known["image_size"] <= LARGEST_SIDE:
        raise ModelRefused(f"{path}: image_size must be 1 to {LARGEST_SIDE} pixels")
    if not (1 <= known["embedding_size"] <= WIDEST_OUTPUT and known["parameters"] >= 0):
        raise ModelRefused(f"{path}: embedding_size or parameters can't be so")
    for text in (known["name"], known["version"], *known["files"]):
        if not PLAIN_NAME.fullmatch(text):
            raise ModelRefused(f"{path}: {text!r} is not a plain name")
    if not all(isinstance(digest, str) for digest in known["files"].values()):
        raise ModelRefused(f"{path}: files needs a hash for each name")
