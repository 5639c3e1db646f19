"""What a run of `catalog tag` tells in the end, to people and to scripts."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from catalog.intake import Intake
from jobs.plan import Plan
from jobs.run import Run
from sql import statements

DONE = 0
TOO_MANY_FAILED = 3
REFUSED = "the view `rejects` tells which"
RETRY = "`catalog retry` asks for those that may pass now"


def in_words(reasons: Mapping[str, int]) -> str:
    """How many rows or pictures there are for each reason."""
    return ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())


@dataclass(frozen=True)
class RunCounts:
    """What a run counted of a CSV and its pictures.

    rows = accepted + rejected; pictures = fetched + cached + failed; `unchanged` rows read as they
    did the last time, and those that are `gone` have left the CSV since then. `refused` says for
    what how many rows were rejected, and `reasons` why how many pictures failed. `run` and `report`
    are None when there was nothing to do.
    """

    run: str | None
    rows: int
    accepted: int
    rejected: int
    refused: dict[str, int]
    pictures: int
    fetched: int
    cached: int
    failed: int
    reasons: dict[str, int]
    unchanged: int
    gone: int
    seconds: float
    report: Path | None
    database: Path

    @property
    def counts(self) -> dict[str, int]:
        """What was counted, without what is about the run."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, int)}

    def exit_code(self, max_failed: float) -> int:
        """3 when more than this share of the rows was refused or of the pictures failed."""
        if self.run is None:
            return DONE
        over = self.rejected > max_failed * self.rows or self.failed > max_failed * self.pictures
        return TOO_MANY_FAILED if over else DONE

    def as_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), default=str)

    def _since(self) -> str:
        """What became of the rows of the last time."""
        gone = f", {self.gone:,} gone from the CSV" if self.gone else ""
        return f"{self.unchanged:,} unchanged{gone}"

    @property
    def _missing(self) -> str:
        """What to do about pictures that could not be had, and are not due yet."""
        return f", {self.failed:,} pictures of theirs failed: {RETRY}" if self.failed else ""

    def lines(self, decided: str, review: str = "") -> str:
        """The counts a line each, with one about what was decided, and maybe one on its review."""
        return "\n".join(
            [
                (
                    f"rows      {self.rows:,} = {self.accepted:,} accepted"
                    f" + {self.rejected:,} rejected"
                ),
                *([f"rejected  {in_words(self.refused)}: {REFUSED}"] if self.rejected else []),
                (
                    f"pictures  {self.pictures:,} = {self.fetched:,} fetched"
                    f" + {self.cached:,} cached + {self.failed:,} failed"
                ),
                *([f"failed    {in_words(self.reasons)}: {RETRY}"] if self.failed else []),
                f"{decided} ({self._since()})",
                *([f"review    {review}"] if review else []),
                f"run       {self.run}, {self.seconds:.1f} s",
                f"report    {self.report}",
                f"database  {self.database}",
            ]
        )


@dataclass(frozen=True)
class Summary(RunCounts):
    """The counts of a run of `catalog tag`: products = tagged + untagged.

    `to_review` of them have a tag to review, `not_a_product` show none; None where the model can't
    tell.
    """

    products: int
    tagged: int
    untagged: int
    to_review: int | None = None
    not_a_product: int | None = None

    def __str__(self) -> str:
        if self.run is None:
            return f"nothing to do: {self.products:,} products are as they were{self._missing}"
        return self.lines(
            f"products  {self.products:,} = {self.tagged:,} tagged + {self.untagged:,} untagged",
            self._review,
        )

    @property
    def _review(self) -> str:
        """What a person should look at, as far as the model can tell."""
        told = []
        if self.to_review is not None:
            have = "has" if self.to_review == 1 else "have"
            told.append(f"{self.to_review:,} of {self.products:,} products {have} a tag to review")
        if self.not_a_product is not None:
            are = "is" if self.not_a_product == 1 else "are"
            told.append(f"{self.not_a_product:,} {are} not a product")
        return ", ".join(told)


def summarise(
    run: Run,
    con: duckdb.DuckDBPyConnection,
    source: str,
    intake: Intake,
    plan: Plan,
    report: Path | None,
) -> Summary:
    """Count what a run came to; `con` shows the store as the run leaves it."""
    tagged = statements.count(con, "tagged", source=source)
    [review] = statements.table(con, "to_review", source=source).to_pylist()
    return Summary(
        **counted(run, con, intake, plan, report),
        products=plan.records,
        tagged=tagged,
        untagged=plan.records - tagged,
        **review,
    )


def counted(
    run: Run,
    con: duckdb.DuckDBPyConnection,
    intake: Intake,
    plan: Plan,
    report: Path | None,
) -> dict[str, Any]:
    """What `RunCounts` holds, by name."""
    [outcomes] = statements.table(con, "outcomes", since=run.started).to_pylist()
    reasons = outcomes.pop("reasons") or []
    if not plan.wants_pictures:
        outcomes, reasons = dict.fromkeys(outcomes, 0), []
    return {
        "run": run.id if report else None,
        "rows": intake.rows,
        "accepted": intake.accepted,
        "rejected": intake.rejected,
        "refused": dict(intake.reasons),
        **outcomes,
        "reasons": {each["reason"]: each["pictures"] for each in reasons},
        "unchanged": plan.unchanged,
        "gone": plan.gone,
        "seconds": round(run.seconds, 3),
        "report": report,
        "database": run.store.database,
    }
