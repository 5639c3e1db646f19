"""The columns of products.csv and their rules."""

import os
import re
import shlex
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import shorten
from types import MappingProxyType
from typing import Self

from catalog.attributes import DEFAULT, Attribute, fold_label
from catalog.tables import Reason, Reject, Row, RowRefused, TableRefused, fold_name

IMAGE = ("Image", "image_url", "picture")
# What a product has besides attributes, and the names that its columns go by.
FIXED = MappingProxyType(
    {
        "id": ("ProductId", "id", "sku"),
        "image": IMAGE,
        "title": ("ProductTitle", "productDisplayName", "title", "name"),
    }
)

# So many in a row, and so many rows of one id: bounds what a product can cost.
MAX_PICTURES = 100

_URL = re.compile(r"https?://[^/?#\\\s]", re.IGNORECASE)
# A scheme has two letters at least, or it is a Windows drive; //host is a URL without one.
_SCHEME = re.compile(r"//|[a-z][a-z0-9+.\-]+:", re.IGNORECASE)
_DRIVE = re.compile(r"[a-z]:", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,4}\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Product:
    """One row of products.csv; what the shop left blank is absent.

    `pictures` are locations, at least one: URLs, or absolute paths of local files.
    """

    id: str
    title: str | None
    given: Mapping[str, str]
    pictures: tuple[str, ...]
    extra: Mapping[str, str]
    line: int


@dataclass(frozen=True)
class Reading:
    """How a shop wants its CSV read.

    `overrides` names columns for "id", "image", "title" or an attribute, more than one for
    "image" only. Relative pictures are looked for under `image_root`, else beside the CSV.
    """

    attributes: tuple[Attribute, ...] = DEFAULT
    overrides: Mapping[str, Sequence[str]] = field(default_factory=dict)
    image_root: Path | None = None
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a row each thing stands, by position from 0.

    `extra` are the named columns that are nothing else, by name; `other_pictures` those of them
    that look like a picture's column without having been chosen as one.
    """

    header: tuple[str, ...]
    id: int
    images: tuple[int, ...]
    title: int | None
    attributes: Mapping[str, int]
    extra: Mapping[str, int]
    other_pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders that a CSV's local pictures may lie in: absolute paths that end in a slash."""

    paths: tuple[str, ...]

    @classmethod
    def of(cls, csv: Path, image_root: Path | None = None) -> Self:
        """Take the image root, when there is one, and the folder of the CSV."""
        folders = (image_root, csv.absolute().parent)
        absolute = [os.path.normpath(folder.absolute()) for folder in folders if folder]
        return cls(tuple(f"{folder.rstrip('/')}/" for folder in absolute))

    def locate(self, picture: str) -> str:
        """Turn what a cell says into a location: a URL as it is, a path as an absolute one.

        Goes by the text alone, never by what is on the disk, so that equal cells stay equal. A
        path counts from the first folder from which it stays inside one of them. `RowRefused`
        when it never does, or when this is neither an http or https URL nor a path.
        """
        if _CONTROL.search(picture):
            raise RowRefused(Reason.PICTURE_INVALID)
        if _URL.match(picture):
            return picture
        if _SCHEME.match(picture):
            known = picture.lower().startswith(("http:", "https:"))
            raise RowRefused(Reason.PICTURE_INVALID if known else Reason.PICTURE_SCHEME)
        path = picture.replace("\\", "/")
        for folder in self.paths:
            location = os.path.normpath(path if path.startswith("/") else folder + path)
            if location.startswith(self.paths) and not _DRIVE.match(path):
                return location
        raise RowRefused(Reason.PATH_OUTSIDE)


def find_columns(
    header: Sequence[str],
    overrides: Mapping[str, Sequence[str]],
    attributes: Iterable[Attribute],
) -> Columns:
    """Find each thing's column: the one that `overrides` names, else by name, case and synonym.

    `TableRefused` when the id or the image has no column, when an override names none, or when
    several columns go by the names of one thing, which only an override can decide.
    """
    names = {attribute.name: (attribute.name, *attribute.synonyms) for attribute in attributes}
    found = _told(header, overrides, {**names, **FIXED})
    taken = {position for positions in found.values() for position in positions}
    problems = []
    for thing, synonyms in {**names, **FIXED}.items():
        if thing in found:
            continue
        groups = _groups(header, synonyms, taken, numbered=thing == "image")
        taken |= {position for group in groups for position in group}
        found[thing] = groups[0] if groups else ()
        if len(groups) > 1:
            problems.append(_ambiguous(header, thing, groups))
        elif not groups and thing in ("id", "image"):
            problems.append(_missing(header, thing, synonyms))
    if problems:
        raise TableRefused("; ".join(problems))
    return _columns(header, found)


def read_products(
    rows: Iterable[Row | Reject], columns: Columns, folders: Folders
) -> Iterator[Product | Reject]:
    """Make each row a product, or say why it is none."""
    for row in rows:
        if isinstance(row, Reject):
            yield row
            continue
        try:
            yield _product(row, columns, folders)
        except RowRefused as refused:
            yield Reject.of(row.line, refused)


def _product(row: Row, columns: Columns, folders: Folders) -> Product:
    cells = row.cells
    key = unicodedata.normalize("NFC", cells[columns.id]).strip()
    if not key:
        raise RowRefused(Reason.ID_EMPTY, columns.header[columns.id])
    given = {name: fold_label(cells[at]) for name, at in columns.attributes.items()}
    extra = {name: cells[at].strip() for name, at in columns.extra.items()}
    return Product(
        id=key,
        title=None if columns.title is None else fold_label(cells[columns.title]) or None,
        given=_filled(given),
        pictures=_pictures(cells, columns, folders),
        extra=_filled(extra),
        line=row.line,
    )


def _filled(cells: dict[str, str]) -> dict[str, str]:
    """Leave out what is blank."""
    return cells if all(cells.values()) else {name: text for name, text in cells.items() if text}


def _pictures(cells: Sequence[str], columns: Columns, folders: Folders) -> tuple[str, ...]:
    """Locate all pictures of a row, each once, in the order of their columns."""
    locations: dict[str, None] = {}
    for position in columns.images:
        for part in cells[position].split("|"):
            if not (picture := part.strip()):
                continue
            try:
                locations[folders.locate(picture)] = None
            except RowRefused as refused:
                raise RowRefused(refused.reason, columns.header[position], picture) from None
    if not locations:
        raise RowRefused(Reason.PICTURE_EMPTY, columns.header[columns.images[0]])
    if len(locations) > MAX_PICTURES:
        raise RowRefused(Reason.TOO_MANY_PICTURES, detail=f"{len(locations)} pictures")
    return tuple(locations)


def _told(
    header: Sequence[str], overrides: Mapping[str, Sequence[str]], things: Iterable[str]
) -> dict[str, tuple[int, ...]]:
    """Find the columns that the user names: exactly so, else with case and marks folded."""
    if unknown := sorted(overrides.keys() - set(things)):
        raise TableRefused(
            f"{', '.join(map(repr, unknown))} can't be given a column; only {', '.join(things)} can"
        )
    if several := [t for t, columns in overrides.items() if len(columns) > 1 and t != "image"]:
        raise TableRefused(f"only image may have several columns, not {', '.join(several)}")
    return {
        thing: tuple(_position(header, column) for column in columns)
        for thing, columns in overrides.items()
        if columns
    }


def _position(header: Sequence[str], column: str) -> int:
    """Find the one column of a name."""
    exact = [position for position, name in enumerate(header) if name == column]
    key = fold_name(column)
    found = exact or [position for position, name in enumerate(header) if fold_name(name) == key]
    if not found:
        raise TableRefused(f"there is no column {column!r}; {_listed(header)}")
    if len(found) > 1:
        raise TableRefused(f"the column {column!r} stands more than once in the header")
    return found[0]


def _groups(
    header: Sequence[str], synonyms: Iterable[str], taken: Collection[int], *, numbered: bool
) -> list[tuple[int, ...]]:
    """Find the free columns that go by one of the names.

    Each is a group of its own, but that `numbered` ones of one name (image, image_2, image3)
    are together, by number.
    """
    wanted = {fold_name(synonym) for synonym in synonyms}
    groups = defaultdict[tuple[str, int], list[tuple[int, int]]](list)
    seen = Counter[tuple[str, int]]()
    for position, name in enumerate(header):
        base, number = _numbered(name) if numbered else (fold_name(name), 0)
        if position not in taken and base in wanted:
            groups[base, seen[base, number]].append((number, position))
            seen[base, number] += 1
    return [tuple(position for _, position in sorted(group)) for group in groups.values()]


def _numbered(name: str) -> tuple[str, int]:
    """Split a column's folded name from the number at its end, 0 where it has none."""
    folded = fold_name(name)
    number = _NUMBER.search(folded)
    return (folded[: number.start()], int(number[0])) if number else (folded, 0)


def _columns(header: Sequence[str], found: Mapping[str, tuple[int, ...]]) -> Columns:
    taken = {position for positions in found.values() for position in positions}
    extra: dict[str, int] = {}
    for position, name in enumerate(header):
        if name and position not in taken:
            extra[f"{name} (column {position + 1})" if name in extra else name] = position
    pictures = {fold_name(synonym) for synonym in IMAGE}
    return Columns(
        header=tuple(header),
        id=found["id"][0],
        images=found["image"],
        title=found["title"][0] if found["title"] else None,
        attributes={
            thing: positions[0]
            for thing, positions in found.items()
            if positions and thing not in FIXED
        },
        extra=dict(sorted(extra.items())),
        other_pictures=tuple(
            name for name, at in sorted(extra.items()) if _numbered(header[at])[0] in pictures
        ),
    )


def _ambiguous(header: Sequence[str], thing: str, groups: Iterable[tuple[int, ...]]) -> str:
    """Say which columns could be meant, and how to tell which one is."""
    names = [header[position] for group in groups for position in group]
    if len(set(names)) < len(names):
        return f"the header has the column {names[0]!r} for {thing} more than once"
    hints = " or ".join(f"--column {shlex.quote(f'{thing}={name}')}" for name in names)
    return f"{len(names)} columns could be {thing}: give {hints}"


def _missing(header: Sequence[str], thing: str, synonyms: Iterable[str]) -> str:
    return (
        f"no column for {thing} ({', '.join(synonyms)}): name it with --column {thing}=COLUMN; "
        f"{_listed(header)}"
    )


def _listed(header: Sequence[str]) -> str:
    """Name the columns there are, as many as fit a line or two."""
    return f"the header has {shorten(', '.join(map(repr, filter(None, header))), 300)}"
