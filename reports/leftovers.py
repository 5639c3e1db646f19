"""What a run could not do: rows of the CSV that it refused, pictures that it can't have or read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import duckdb

from reports.asking import ask, each, many

MOST_LISTED = 60
EACH_REASON = 8


@dataclass(frozen=True, slots=True)
class FailureReason:
    """How many pictures failed at a stage (fetch, decode) for one reason.

    Those `to_replace` are not tried again, or were had and can't be read.
    """

    stage: str
    reason: str
    pictures: int
    to_replace: int
    hosts: int


@dataclass(frozen=True, slots=True)
class Failure:
    """One picture of a product or post that can't be had or read, and its next try (UTC)."""

    id: str
    location: str
    stage: str
    reason: str
    to_replace: bool
    next_try: datetime | None
    attempts: int | None


@dataclass(frozen=True, slots=True)
class RejectReason:
    """How many rows of the CSV were refused for one reason, and the first line it befell."""

    reason: str
    refused: int
    first_line: int


@dataclass(frozen=True, slots=True)
class Reject:
    """One refused row: its physical line, and the line that a duplicate id repeats."""

    line: int
    first_line: int | None
    column: str | None
    reason: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class Leftovers:
    """The failed pictures and refused rows of a source: counted in full, a few of each listed."""

    failure_reasons: tuple[FailureReason, ...]
    failures: tuple[Failure, ...]
    reject_reasons: tuple[RejectReason, ...]
    rejects: tuple[Reject, ...]

    @property
    def sentence(self) -> str | None:
        """What a person can do next, where there is something."""
        refused = sum(reason.refused for reason in self.reject_reasons)
        pictures = sum(reason.pictures for reason in self.failure_reasons)
        lost = sum(reason.to_replace for reason in self.failure_reasons)
        told = []
        if refused:
            told.append(f"{many(refused, 'row')} to correct in the CSV")
        if lost:
            told.append(f"{many(lost, 'picture')} to replace")
        if pictures > lost:
            told.append(f"{many(pictures - lost, 'picture')} that the next runs will try again")
        return f"Left to do: {', '.join(told)}." if told else None


def leftovers(
    connection: duckdb.DuckDBPyConnection, kind: Literal["product", "post"], source: str
) -> Leftovers:
    """What is left to do about the products, or the posts, of a source."""
    whose = {"kind": kind, "source": source}
    some = whose | {"each": EACH_REASON, "top": MOST_LISTED}
    return Leftovers(
        failure_reasons=each(FailureReason, ask(connection, "failures_by_reason", whose)),
        failures=each(Failure, ask(connection, "failures_sample", some)),
        reject_reasons=each(RejectReason, ask(connection, "rejects_by_reason", whose)),
        rejects=each(Reject, ask(connection, "rejects_sample", some)),
    )
