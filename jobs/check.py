"""`catalog check products.csv`: what a run would accept, refuse and do; nothing is written."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.intake import Intake
from jobs.inputs import Catalogue
from jobs.models import TAGGER, find_model
from jobs.pictures import rules_of
from jobs.plan import Plan, count_untagged, make_plan
from jobs.run import read_manifests, staged_views
from jobs.settings import Settings, store_of
from jobs.train_tagger import FEWEST_LABELLED

LINES_SHOWN = 20


@dataclass(frozen=True)
class Check:
    """What a run over this CSV would do now."""

    intake: Intake
    plan: Plan
    model: str | None  # that would tag; None: one would be trained first, or the starter
    refused: pa.Table  # every refused row: there may be millions

    def as_json(self) -> str:
        """One JSON object, with every refused row."""
        intake, plan = self.intake, self.plan
        told = json.dumps(
            {
                "rows": intake.rows,
                "accepted": intake.accepted,
                "rejected": intake.rejected,
                "labelled": dict(intake.labelled),
                "products": plan.records,
                "new": plan.new,
                "changed": plan.changed,
                "unchanged": plan.unchanged,
                "gone": plan.gone,
                "pictures": plan.pictures,
                "asks": dict(plan.asks),
                "model": self.model,
            },
            ensure_ascii=False,
        )
        rows = (row for batch in self.refused.to_batches(1000) for row in batch.to_pylist())
        refused = ", ".join(json.dumps(row, ensure_ascii=False) for row in rows)
        return f'{told[:-1]}, "refused": [{refused}]}}'

    def __str__(self) -> str:
        intake, plan = self.intake, self.plan
        labelled = ", ".join(f"{name} {count:,}" for name, count in intake.labelled.items())
        lines = [
            (
                f"rows      {intake.rows:,} = {intake.accepted:,} accepted"
                f" + {intake.rejected:,} rejected"
            ),
            *(f"  {_line(row)}" for row in self.refused.slice(0, LINES_SHOWN).to_pylist()),
        ]
        if len(self.refused) > LINES_SHOWN:
            lines.append(f"  and {len(self.refused) - LINES_SHOWN:,} more (--json lists them all)")
        trains = max(intake.labelled.values(), default=0) >= FEWEST_LABELLED
        first = "one would be trained first" if trains else "the starter would serve"
        return "\n".join(
            [
                *lines,
                f"labelled  {labelled or 'nothing'}",
                f"a run     {plan}; {plan.unchanged:,} products unchanged",
                f"model     {self.model or f'none yet: {first}'}",
            ]
        )


def check(catalogue: Catalogue, model: str | None, settings: Settings, refetch: bool) -> Check:
    """Read the CSV and compare it with the store; nothing is written to the store."""
    catalogue.check_header()
    store = store_of(settings)
    tagger = find_model(store, TAGGER, model)
    name = tagger.name if tagger else None
    with tempfile.TemporaryDirectory(prefix="vitrina-check-") as scratch:
        folder = Path(scratch)
        intake = catalogue.take_in(folder)
        with staged_views(store, read_manifests(store), intake, folder) as con:
            rules = rules_of(settings, refetch=refetch)
            undecided = count_untagged(con, catalogue.source, name) if name else 0
            plan = make_plan(con, catalogue.source, name, rules, folder, undecided=undecided)
        refused = pq.read_table(intake.rejects)
    return Check(intake, plan, name, refused)


def _line(row: dict[str, Any]) -> str:
    where = f"{row['file']}:{row['line']}"
    column = f", column {row['column']}" if row["column"] else ""
    repeats = f" (first on line {row['first_line']})" if row["first_line"] else ""
    detail = f": {row['detail']}" if row["detail"] else ""
    return f"{where}{column}: {row['reason']}{repeats}{detail}"
