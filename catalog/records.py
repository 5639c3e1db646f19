"""The rules by which the rows of a CSV become records, be they products or posts."""

import re
import shlex
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import shorten

from catalog.attributes import Attribute, fold_label
from catalog.places import Folders
from catalog.tables import Reason, Reject, Row, RowRefused, TableRefused, fold_name

# So many in a row, and so many rows of one id: bounds what a record can cost.
MAX_PICTURES = 100

_NUMBER = re.compile(r"[0-9]{1,4}\Z")


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a CSV: a product or a post; what was left blank is absent.

    `pictures` are locations: URLs, or absolute paths of local files.
    """

    id: str
    title: str | None
    given: Mapping[str, str]
    pictures: tuple[str, ...]
    extra: Mapping[str, str]
    line: int


@dataclass(frozen=True)
class Layout:
    """What the rows of one kind of CSV are.

    `kind` says what a row is, product or post; the store keeps them in the table of that name's
    plural. `names` are those that the columns of "id", "image" and, where the kind has one,
    "title" go by. `required` are the things, attributes too, that must have a column. Where the
    id need not have one, it is the line; where the image need not, a row may be without pictures.
    """

    kind: str
    names: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """How a CSV is to be read: as what, and where its things stand.

    `overrides` names columns for what the layout has or for an attribute, more than one for
    "image" only. Relative pictures are looked for under `image_root`, else beside the CSV.
    """

    layout: Layout
    attributes: tuple[Attribute, ...]
    overrides: Mapping[str, Sequence[str]] = field(default_factory=dict)
    image_root: Path | None = None
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a row each thing stands, by position from 0.

    `extra` are the named columns that are nothing else, by name; `other_pictures` those of them
    that look like a picture's column without having been chosen as one. `must_picture` tells
    whether a row without a picture is refused.
    """

    header: tuple[str, ...]
    id: int | None
    images: tuple[int, ...]
    title: int | None
    attributes: Mapping[str, int]
    extra: Mapping[str, int]
    other_pictures: tuple[str, ...]
    must_picture: bool


def find_columns(header: Sequence[str], reading: Reading) -> Columns:
    """Find each thing's column: the one that an override names, else by name, case and synonym.

    `TableRefused` when something required has no column, when an override names none, or when
    several columns go by the names of one thing, which only an override can decide.
    """
    layout = reading.layout
    attributes = {one.name: (one.name, *one.synonyms) for one in reading.attributes}
    things = {**attributes, **layout.names}
    found = _told(header, reading.overrides, things)
    taken = {position for positions in found.values() for position in positions}
    problems = []
    for thing, synonyms in things.items():
        if thing in found:
            continue
        groups = _groups(header, synonyms, taken, numbered=thing == "image")
        taken |= {position for group in groups for position in group}
        found[thing] = groups[0] if groups else ()
        if len(groups) > 1:
            problems.append(_ambiguous(header, thing, groups))
        elif not groups and thing in layout.required:
            problems.append(_missing(header, thing, synonyms))
    if problems:
        raise TableRefused("; ".join(problems))
    return _columns(header, found, layout)


def read_records(
    rows: Iterable[Row | Reject], columns: Columns, folders: Folders
) -> Iterator[Record | Reject]:
    """Make each row a record, or say why it is none."""
    for row in rows:
        if isinstance(row, Reject):
            yield row
            continue
        try:
            yield _record(row, columns, folders)
        except RowRefused as refused:
            yield Reject.of(row.line, refused)


def _record(row: Row, columns: Columns, folders: Folders) -> Record:
    cells = row.cells
    given = {name: fold_label(cells[at]) for name, at in columns.attributes.items()}
    extra = {name: cells[at].strip() for name, at in columns.extra.items()}
    return Record(
        id=_id(row, columns),
        title=None if columns.title is None else fold_label(cells[columns.title]) or None,
        given=_filled(given),
        pictures=_pictures(cells, columns, folders),
        extra=_filled(extra),
        line=row.line,
    )


def _id(row: Row, columns: Columns) -> str:
    """Read the id, in the form in which ids are compared; the line serves where none has one."""
    if columns.id is None:
        return f"line {row.line}"
    key = unicodedata.normalize("NFC", row.cells[columns.id]).strip()
    if not key:
        raise RowRefused(Reason.ID_EMPTY, columns.header[columns.id])
    return key


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
                if columns.must_picture:
                    raise RowRefused(refused.reason, columns.header[position], picture) from None
    if not locations and columns.must_picture:
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


def _columns(
    header: Sequence[str], found: Mapping[str, tuple[int, ...]], layout: Layout
) -> Columns:
    taken = {position for positions in found.values() for position in positions}
    extra: dict[str, int] = {}
    for position, name in enumerate(header):
        if name and position not in taken:
            extra[f"{name} (column {position + 1})" if name in extra else name] = position
    pictures = {fold_name(synonym) for synonym in layout.names["image"]}
    return Columns(
        header=tuple(header),
        id=_only(found["id"]),
        images=found["image"],
        title=_only(found.get("title", ())),
        attributes={
            thing: positions[0]
            for thing, positions in found.items()
            if positions and thing not in layout.names
        },
        extra=dict(sorted(extra.items())),
        other_pictures=tuple(
            name for name, at in sorted(extra.items()) if _numbered(header[at])[0] in pictures
        ),
        must_picture="image" in layout.required,
    )


def _only(positions: tuple[int, ...]) -> int | None:
    return positions[0] if positions else None


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
