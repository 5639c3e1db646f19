"""The manifest of a run: written last, and the run exists once it is there."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sql.files import write_text
from sql.store import Store

# A manifest that replaces others is of schema 2: a version that knows nothing of it must not show
# their rows beside its own.
PLAIN, REPLACING = 1, 2
# Beside a report that is about to be removed: the database forgets it first.
WITHDRAWN = ".withdrawn"


@dataclass(frozen=True, slots=True)
class Part:
    """A finished Parquet file of a table; `path` is relative to the store."""

    table: str
    path: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a finished run did, and the parts it makes visible.

    `started` and `finished` are ISO 8601 in UTC, `seconds` is wall time. `parts` holds the
    adopted parts too; `adopted` names the killed runs that they come from. `replaces` names the
    runs whose parts these stand for: a compaction wrote what lives of them anew.
    """

    id: str
    job: str
    started: str
    finished: str
    version: str
    source: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    model: str | None = None
    report: str | None = None
    seconds: float = 0.0
    replaces: list[str] = field(default_factory=list)


def write(store: Store, manifest: Manifest) -> None:
    """Commit a run: everything it names must lie on the disk by now."""
    content = {"schema": REPLACING if manifest.replaces else PLAIN, **asdict(manifest)}
    if not manifest.replaces:
        del content["replaces"]  # older versions read it too
    text = json.dumps(content, indent=1, ensure_ascii=False)
    write_text(store.manifest(manifest.id), text + "\n")


def read_all(store: Store) -> list[Manifest]:
    """Read the manifests of a store, oldest first (ids sort by time).

    One that can't be read is a ValueError that names the file.
    """
    return [_read(path) for path in sorted(store.runs.glob("[!.]*.json"))]


def parts_of(store: Store, manifests: Iterable[Manifest], table: str) -> list[Path]:
    """Tell where the visible parts of a table lie, oldest run first."""
    return [
        store.root / part.path
        for manifest in visible(manifests)
        for part in manifest.parts
        if part.table == table
    ]


def visible(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Tell the runs whose parts are shown: those that none replaces."""
    manifests = list(manifests)
    replaced = {run_id for manifest in manifests for run_id in manifest.replaces}
    return [manifest for manifest in manifests if manifest.id not in replaced]


def shown_report(store: Store, manifest: Manifest) -> str | None:
    """Tell where the report of a run lies, relative to the store; None once it is to go."""
    if manifest.report is None:
        return None
    page = store.root / manifest.report
    return manifest.report if page.exists() and not (page.parent / WITHDRAWN).exists() else None


def _read(path: Path) -> Manifest:
    try:
        found = json.loads(path.read_bytes())
        schema = found.pop("schema")
        if schema in {PLAIN, REPLACING}:
            parts = [Part(**part) for part in found.pop("parts")]
            return Manifest(parts=parts, **found)
    except (ValueError, TypeError, KeyError, AttributeError) as err:
        raise ValueError(f"the manifest {path} is damaged: {err}") from err
    raise ValueError(f"the manifest {path} has schema {schema}, which this version can't read")
