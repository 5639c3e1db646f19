"""`catalog fetch products.csv` and `catalog retry`: pictures are got, and nothing looks at them."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.images.guard import Guard, Missed
from jobs.console import Console
from jobs.errors import BadInput
from jobs.inputs import Catalogue
from jobs.keeping import existing
from jobs.pictures import get_only, rules_of
from jobs.plan import BATCH_ROWS, DUE, make_plan
from jobs.run import Run, open_run
from jobs.settings import Settings, store_of
from jobs.summary import DONE, RETRY, TOO_MANY_FAILED, in_words
from sql import statements


@dataclass(frozen=True)
class Asked:
    """How the locations ended that a run asked for.

    asked = fetched + unchanged + failed; of those that failed, `dead` are not asked again.
    `run` is None when nothing was asked for.
    """

    run: str | None
    asked: int
    fetched: int
    unchanged: int
    failed: int
    dead: int
    reasons: dict[str, int]
    seconds: float
    database: Path

    @property
    def counts(self) -> dict[str, int]:
        """What was counted, without what is about the run."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, int)}

    def exit_code(self, max_failed: float) -> int:
        """3 when more than this share of what was asked for failed."""
        return TOO_MANY_FAILED if self.failed > max_failed * self.asked else DONE

    def as_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), default=str)

    def __str__(self) -> str:
        if self.run is None:
            return "nothing to ask for"
        why = in_words(self.reasons)
        lines = [
            (
                f"pictures  {self.asked:,} asked for = {self.fetched:,} fetched"
                f" + {self.unchanged:,} unchanged + {self.failed:,} failed"
            ),
        ]
        if self.failed:
            lines.append(f"failed    {why}; {self.dead:,} of them are not asked for again")
        lines += [f"run       {self.run}, {self.seconds:.1f} s", f"database  {self.database}"]
        return "\n".join(lines)


@dataclass(frozen=True)
class AskedForCsv(Asked):
    """Likewise of a CSV: rows = accepted + rejected, which name so many pictures."""

    rows: int
    accepted: int
    rejected: int
    pictures: int
    missing: int  # of them, as things are now

    @property
    def _missing(self) -> str:
        return f", {self.missing:,} of them failed: {RETRY}" if self.missing else ""

    def exit_code(self, max_failed: float) -> int:
        """3 when more than this share of the rows was refused or of the pictures failed."""
        over = self.rejected > max_failed * self.rows or self.failed > max_failed * self.pictures
        return TOO_MANY_FAILED if over else DONE

    def __str__(self) -> str:
        rows = f"rows      {self.rows:,} = {self.accepted:,} accepted + {self.rejected:,} rejected"
        if self.run is None:
            return (
                f"{rows}\nnothing to do: {self.pictures:,} pictures are as they were{self._missing}"
            )
        return f"{rows}\n{super().__str__()}"


def fetch(
    catalogue: Catalogue, settings: Settings, console: Console, *, refetch: bool
) -> AskedForCsv:
    """Get the pictures of a CSV that are new or due."""
    store = store_of(settings)
    catalogue.check_header()
    # The run is of no source: the rows of this CSV are the next `tag`'s to take.
    with open_run(store, "fetch") as run:
        intake = catalogue.take_in(run.work)
        with run.views(intake) as con:
            rules = rules_of(settings, refetch=refetch, looks=False)
            plan = make_plan(con, catalogue.source, None, rules, run.work, kind=intake.kind)
        total = sum(plan.asks.values())
        console.say(f"{plan.pictures:,} pictures, {total:,} to ask for")
        if total:
            get_only(run, plan.due, total, settings, console)
        with run.views(intake) as con:
            missing = statements.count(con, "missing")
        told = AskedForCsv(
            **_told(run),
            missing=missing,
            rows=intake.rows,
            accepted=intake.accepted,
            rejected=intake.rejected,
            pictures=plan.pictures,
        )
        _close(run, told, {"csv": str(catalogue.csv.absolute()), "asks": dict(plan.asks)})
    return told


def retry(settings: Settings, console: Console, source: str | None) -> Asked:
    """Ask again for what failed and may pass, of one source or of all, however long ago it was."""
    with open_run(existing(store_of(settings)), "fetch") as run:
        due = run.work / "retry.parquet"
        with run.store_views() as con:
            _check_source(con, source)
            total, refused = _write_retryable(con, due, source, Guard(settings.fetch.allow_hosts))
        console.say(f"{total:,} pictures to ask for again")
        if refused:
            console.say(f"{refused:,} more lie where only --allow-host lets them be asked for")
        if total:
            get_only(run, due, total, settings, console)
        told = Asked(**_told(run))
        _close(run, told, {"retry": True, "source": source})
    return told


def _write_retryable(
    con: duckdb.DuckDBPyConnection, due: Path, source: str | None, guard: Guard
) -> tuple[int, int]:
    """Write what may pass this time to a file: how many that is, and how many our rules refuse."""
    total = refused = 0
    with pq.ParquetWriter(due, DUE) as writer:
        for batch in statements.batches(con, "retryable", BATCH_ROWS, source=source):
            found = batch.to_pylist()
            rows = [row for row in found if _may_pass(row["location"], guard)]
            writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=DUE))
            total += len(rows)
            refused += len(found) - len(rows)
    return total, refused


def _may_pass(location: str, guard: Guard) -> bool:
    """Whether our own rules let a location be asked for, as far as it tells without a look-up.

    What they refuse keeps the reason that it failed for when they did not.
    """
    parts = urlsplit(location)
    if not parts.hostname:
        return True  # a file
    try:
        guard.check(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
    except Missed:
        return False
    return True


def _check_source(con: duckdb.DuckDBPyConnection, source: str | None) -> None:
    """BadInput for a source that has no products and no posts."""
    known = con.sql("select source from products union select source from posts order by source")
    names = [name for (name,) in known.fetchall()]
    if source is not None and source not in names:
        raise BadInput(
            f"the store has nothing of the source {source!r}; it has {', '.join(names) or 'none'}",
            hint="without --source everything that failed is asked for again",
        )


def _told(run: Run) -> dict[str, Any]:
    """What `Asked` holds, by name."""
    with run.store_views() as con:
        found = statements.table(con, "asked", run=run.id).to_pylist()
    ended: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for row in found:
        ended[row["outcome"]] += row["locations"]
        if row["outcome"] == "failed":
            reasons[row["reason"]] += row["locations"]
    return {
        "run": run.id if found else None,
        "asked": ended.total(),
        "fetched": ended["fetched"],
        "unchanged": ended["unchanged"],
        "failed": ended["failed"],
        "dead": sum(row["locations"] for row in found if row["dead"]),
        "reasons": dict(reasons.most_common()),
        "seconds": round(run.seconds, 3),
        "database": run.store.database,
    }


def _close(run: Run, told: Asked, arguments: dict[str, Any]) -> None:
    """Make the run visible; one that asked for nothing, and found nothing left over, is none."""
    if told.run or run.adopted:
        run.commit(told.counts, arguments=arguments)
    else:
        run.republish()
