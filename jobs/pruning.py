"""`catalog prune`: what a store keeps without need, and how it goes.

Nothing that the database shows is removed: it is first taken from what the database shows, and
goes once nobody can have that database open any more.
"""

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from catalog.models.artefact import CARD
from jobs.keeping import existing, publish_again
from jobs.models import cards_of
from jobs.report import write_index
from jobs.run import missing_part_told, open_run, read_manifests
from sql.compaction import GRACE, expired
from sql.database import create_views
from sql.manifests import WITHDRAWN, Manifest, Part
from sql.parts import orphans, spent_journals
from sql.publish import is_published
from sql.store import Store, current_models

_RETIRED = "retired-"  # a card under this name: its model is no longer one of the store's
_MOMENT = "%Y%m%dT%H%M%SZ"

# Why each kind of thing goes, as people read it.
REASONS = {
    "reports": "reports of runs before the newest {keep}; a model that stays keeps its own",
    "retired": "models that serve nothing now and gave none of the present tags and scores:"
    " out of the database now, gone in a week",
    "models": "models that were retired over a week ago",
    "pictures": "pictures that no product or post shows any more, nor any part that is kept",
    "generations": "parts that a compaction replaced over a week ago",
    "journals": "notes of runs that were stopped, and taken over since",
}


@dataclass(frozen=True)
class Removal:
    """A file or folder that goes, and the bytes that this frees."""

    kind: str  # of REASONS
    path: str  # relative to the store
    bytes: int


@dataclass(frozen=True)
class Pruned:
    """What was removed, or would be."""

    keep: int
    dry_run: bool
    removals: tuple[Removal, ...]

    def as_json(self) -> str:
        """One JSON object, every path in it."""
        removals = [vars(removal) for removal in self.removals]
        told = {"keep": self.keep, "dry_run": self.dry_run, "bytes": self._bytes(self.removals)}
        return json.dumps(told | {"removals": removals})

    def __str__(self) -> str:
        if not self.removals:
            return "nothing to remove"
        kinds = defaultdict(list)
        for removal in self.removals:
            kinds[removal.kind].append(removal)
        lines = [
            f"{kind:<12}{len(found):>9,}{self._bytes(found):>18,} bytes  "
            + REASONS[kind].format(keep=self.keep)
            for kind, found in kinds.items()
        ]
        named = [f"  {one.path}" for one in self.removals if one.kind in {"retired", "models"}]
        would = "would be removed" if self.dry_run else "removed"
        total = f"{self._bytes(self.removals):,} bytes {would}"
        return "\n".join([*lines, *named, total])

    @staticmethod
    def _bytes(removals: Iterable[Removal]) -> int:
        """What goes now: a model that retires keeps its bytes for a week."""
        return sum(one.bytes for one in removals if one.kind != "retired")


def prune(store: Store, keep: int, *, dry_run: bool, lang: str = "en") -> Pruned:
    """Remove what the store needs no more, or only tell what that is.

    The index of the runs is drawn again, in the language `lang`.
    """
    now = datetime.now(UTC)
    if dry_run:
        past = read_manifests(existing(store))
        lagged = not is_published(store, past)
        found = _removals(store, past, orphans(store, past), keep, now, lagged=lagged)
        return Pruned(keep, dry_run, tuple(found))
    with open_run(existing(store), "prune") as run:
        lagged = publish_again(run)
        removals = list(_removals(store, run.past, run.adopted, keep, now, lagged=lagged))
        for removal in removals:
            _hide(store.root / removal.path, removal.kind, now)
        publish_again(run)
        for removal in removals:
            _remove(store.root / removal.path, removal.kind)
        if store.index.exists():
            write_index(store, lang)
    return Pruned(keep, dry_run, tuple(removals))


def _removals(
    store: Store,
    past: Sequence[Manifest],
    adoptable: Sequence[Part],
    keep: int,
    now: datetime,
    *,
    lagged: bool,
) -> Iterator[Removal]:
    """What goes. When the database lagged, it may have shown what was replaced until now."""
    newest = [run for run in past if run.report or run.model][-keep:]
    models = _kept_models(store, past, newest)
    yield from _reports(store, past, newest, models)
    yield from _models(store, models, now)
    over = [] if lagged else expired(past, now)
    there = [part for part in over if (store.root / part.path).exists()]
    yield from (Removal("generations", part.path, part.bytes) for part in there)
    gone = {part.path for part in over}
    parts = [part for run in past for part in run.parts if part.path not in gone]
    yield from _pictures(store, [*parts, *adoptable], now)
    for journal in spent_journals(store, past):
        yield Removal("journals", store.relative(journal), journal.stat().st_size)


def _reports(
    store: Store, past: Sequence[Manifest], newest: Sequence[Manifest], models: set[str]
) -> Iterator[Removal]:
    """The reports of older runs, and of those that never were."""
    kept = {run.id for run in newest}
    kept |= {run.id for run in past if run.job == "train" and run.model in models}
    for folder in sorted((store.root / "reports").glob("[!.]*/")):
        if folder.name not in kept and (folder / "index.html").exists():
            yield Removal("reports", store.relative(folder), _size(folder))


def _kept_models(store: Store, past: Sequence[Manifest], newest: Sequence[Manifest]) -> set[str]:
    """The models that serve, that the newest runs used, or whose word still counts."""
    with duckdb.connect() as con:
        with missing_part_told():
            create_views(con, store, past)
        referenced = con.sql(
            "select model from tags union select model from engagement"
            " union select model from engagement_evaluation"
            " union select model from engagement_ladder"
        ).fetchall()
    said = {model for (model,) in referenced if model}
    return said | current_models(store) | {run.model for run in newest if run.model}


def _models(store: Store, kept: set[str], now: datetime) -> Iterator[Removal]:
    for card in cards_of(store):
        if card.model not in kept:
            yield Removal("retired", f"models/{card.model}", _size(store.models / card.model))
    for retired in sorted(store.models.glob(f"*/*/{_RETIRED}*.json")):
        since = datetime.strptime(retired.stem, _RETIRED + _MOMENT).replace(tzinfo=UTC)
        if since < now - GRACE:
            yield Removal("models", store.relative(retired.parent), _size(retired.parent))


def _pictures(store: Store, parts: Sequence[Part], now: datetime) -> Iterator[Removal]:
    """The pictures that none of these parts names, once they have lain there for the grace."""
    tables = ("fetches", "pictures")
    paths = [str(store.root / part.path) for part in parts if part.table in tables]
    there = [path for path in paths if Path(path).exists()]
    with duckdb.connect() as con:
        con.execute("create table named (picture varchar)")
        if there:
            con.execute(
                "insert into named select distinct picture"
                " from read_parquet($paths, union_by_name = true) where picture is not null",
                {"paths": there},
            )
        for folder in sorted(store.root.glob("images/[0-9a-f][0-9a-f]/")):
            query = "select picture from named where starts_with(picture, $start)"
            found = con.execute(query, {"start": folder.name}).fetchall()
            yield from _unnamed(store, folder, {picture for (picture,) in found}, now)


def _unnamed(store: Store, folder: Path, named: set[str], now: datetime) -> Iterator[Removal]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            about = entry.stat(follow_symlinks=False)
            if entry.name not in named and about.st_mtime < (now - GRACE).timestamp():
                yield Removal("pictures", store.relative(Path(entry)), about.st_size)


def _hide(path: Path, kind: str, now: datetime) -> None:
    """Take it from what the next publishing shows, in one step."""
    if kind == "retired":
        # Without a card it is no model, and open databases still find its split.
        (path / CARD).rename(path / f"{_RETIRED}{now:{_MOMENT}}.json")
    elif kind == "reports":
        (path / WITHDRAWN).touch()


def _remove(path: Path, kind: str) -> None:
    if kind == "retired":
        return  # for a week
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
        if kind == "generations" and not any(path.parent.iterdir()):
            path.parent.rmdir()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
