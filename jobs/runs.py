"""`catalog runs`: what was done when, one run whole, and two side by side."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from jobs.errors import BadInput, JobError
from jobs.run import read_manifests
from jobs.tables import aligned
from sql.manifests import Manifest, shown_report
from sql.store import Store

# What a line of the list says of a run, where it was counted: the first few of these.
_HEADLINES = (
    *("products", "posts", "tagged", "scored", "labelled", "new", "fetched", "failed", "rejected"),
    *("parameters", "rows", "parts"),
)
_IN_A_LINE = 4


@dataclass(frozen=True)
class Told:
    """Text for people and the same as a value for scripts."""

    text: str
    value: Any

    def as_json(self) -> str:
        """One JSON value."""
        return json.dumps(self.value, ensure_ascii=False)

    def __str__(self) -> str:
        return self.text


def list_runs(store: Store) -> Told:
    """The finished runs of a store, oldest first."""
    runs = read_manifests(store)
    rows = [
        [run.id, run.job, run.source or "-", _when(run), f"{run.seconds:,.1f} s", _short(run)]
        for run in runs
    ]
    value = [
        {
            "run": run.id,
            "job": run.job,
            "source": run.source,
            "started": run.started,
            "seconds": run.seconds,
            "counts": run.counts,
        }
        for run in runs
    ]
    return Told(aligned(rows) if rows else "no runs yet", value)


def show_run(store: Store, run_id: str) -> Told:
    """One run: what it was asked, what it counted, measured and wrote."""
    run = find_run(store, run_id)
    said = asdict(run) | {"report": shown_report(store, run), "metrics": _metrics(store, run)}
    del said["parts"], said["replaces"]
    said["rows_written"] = {
        table: sum(part.rows for part in run.parts if part.table == table)
        for table in dict.fromkeys(part.table for part in run.parts)
    }
    if run.replaces:
        said["replaces"] = len(run.replaces)
    rows = []
    for name, value in said.items():
        if isinstance(value, Mapping):
            rows += [[f"{name}.{key}", _text(inner)] for key, inner in value.items()]
        elif value not in (None, []):
            rows.append([name, _text(value)])
    return Told(aligned(rows), said)


def compare_runs(store: Store, first: str, second: str) -> Told:
    """What two runs counted and measured, side by side."""
    sides = [_side(store, find_run(store, run_id)) for run_id in (first, second)]
    names = dict.fromkeys([*sides[0], *sides[1]])
    rows = [["", first, second, "change"]]
    rows += [_compared(name, *(side.get(name) for side in sides)) for name in names]
    return Told(aligned(rows), dict(zip((first, second), sides, strict=True)))


def _side(store: Store, run: Manifest) -> dict[str, Any]:
    """What a comparison says of a run."""
    about = {name: getattr(run, name) for name in ("job", "source", "started", "model", "seconds")}
    return about | run.counts | _metrics(store, run)


def find_run(store: Store, run_id: str) -> Manifest:
    """The manifest of a finished run; BadInput when there is none."""
    for run in read_manifests(store):
        if run.id == run_id:
            return run
    raise BadInput(f"the store {store.root} has no run {run_id}", hint="`catalog runs` lists them")


def _metrics(store: Store, run: Manifest) -> dict[str, float | None]:
    """The figures that a run of `engage` measured, as the database has them."""
    if run.job != "engage" or not store.database.exists():
        return {}
    # Loaded here: the list needs no database.
    import duckdb  # noqa: PLC0415

    query = "select metric, value from history.engagement_evaluation where run = $run"
    try:
        with duckdb.connect(str(store.database), read_only=True) as con:
            return dict(con.execute(query, {"run": run.id}).fetchall())
    except duckdb.Error as error:
        raise JobError(
            f"{store.database} can't be read: {error}", hint="`catalog rebuild` makes it again"
        ) from error


def _when(run: Manifest) -> str:
    return f"{datetime.fromisoformat(run.started):%Y-%m-%d %H:%M}"


def _short(run: Manifest) -> str:
    said = [f"{run.counts[name]:,} {name}" for name in _HEADLINES if run.counts.get(name)]
    return ", ".join(said[:_IN_A_LINE])


def _compared(name: str, first: object, second: object) -> list[str]:
    change = ""
    if isinstance(first, int | float) and isinstance(second, int | float):
        change = _text(second - first, sign="+") if second != first else "="
    return [name, _text(first), _text(second), change]


def _text(value: object, sign: str = "") -> str:
    match value:
        case None:
            return "-"
        case bool() | str():
            return str(value)
        case int():
            return f"{value:{sign},}"
        case float():
            return f"{value:{sign}.4g}"
        case _:
            return json.dumps(value, ensure_ascii=False)
