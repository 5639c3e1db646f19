"""What a run could not do: rows of the CSV that it refused, pictures that it can't have or read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import duckdb

from reports.asking import ask, each
from reports.language import Language

MOST_LISTED = 60
EACH_REASON = 8
MOST_HOSTS = 15
ALARMING = 0.1
"""Share of failed pictures, or of rows that left the CSV, of which a person should know."""


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
class HostFailure:
    """How many pictures of one host (None: local files) failed for one reason."""

    host: str | None
    stage: str
    reason: str
    pictures: int
    to_replace: int


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
    """The failed pictures and refused rows of a source: counted in full, a few of each listed.

    `hosts` has the pairs of host and reason by which the most pictures fail; `other_hosts` pairs
    are not in it.
    """

    failure_reasons: tuple[FailureReason, ...]
    hosts: tuple[HostFailure, ...]
    other_hosts: int
    failures: tuple[Failure, ...]
    reject_reasons: tuple[RejectReason, ...]
    rejects: tuple[Reject, ...]

    @property
    def refused(self) -> int:
        """Rows of the CSV that were refused."""
        return sum(reason.refused for reason in self.reject_reasons)

    @property
    def lost(self) -> int:
        """Pictures to replace."""
        return sum(reason.to_replace for reason in self.failure_reasons)

    @property
    def retried(self) -> int:
        """Failed pictures that later runs try again."""
        return sum(reason.pictures for reason in self.failure_reasons) - self.lost


def leftovers(
    connection: duckdb.DuckDBPyConnection, kind: Literal["product", "post"], source: str
) -> Leftovers:
    """What is left to do about the products, or the posts, of a source."""
    whose = {"kind": kind, "source": source}
    some = whose | {"each": EACH_REASON, "top": MOST_LISTED}
    hosts = each(HostFailure, ask(connection, "failures_by_host", whose))
    return Leftovers(
        failure_reasons=each(FailureReason, ask(connection, "failures_by_reason", whose)),
        hosts=hosts[:MOST_HOSTS],
        other_hosts=len(hosts[MOST_HOSTS:]),
        failures=each(Failure, ask(connection, "failures_sample", some)),
        reject_reasons=each(RejectReason, ask(connection, "rejects_by_reason", whose)),
        rejects=each(Reject, ask(connection, "rejects_sample", some)),
    )


def to_do(left: Leftovers, language: Language) -> tuple[str, ...]:
    """Say what is left to do, a sentence each; nothing where there is nothing."""
    told = []
    if left.refused:
        told.append(
            language.ngettext(
                "Correct %(num)s row of the CSV that was refused.",
                "Correct %(num)s rows of the CSV that were refused.",
                left.refused,
            )
        )
    if left.lost:
        told.append(
            language.ngettext(
                "Replace %(num)s picture that will not mend itself.",
                "Replace %(num)s pictures that will not mend themselves.",
                left.lost,
            )
        )
    if left.retried:
        told.append(
            language.ngettext(
                "%(num)s picture that failed will be tried again by later runs.",
                "%(num)s pictures that failed will be tried again by later runs.",
                left.retried,
            )
        )
    return tuple(told)


def alarms(counts: Mapping[str, int], language: Language) -> tuple[str, ...]:
    """Say what no night should bring: many pictures that failed, many rows that left the CSV."""
    failed, pictures = counts.get("failed", 0), counts.get("pictures", 0)
    gone, before = counts.get("gone", 0), counts.get("gone", 0) + counts.get("accepted", 0)
    told = []
    if failed > ALARMING * pictures:
        told.append(
            language.gettext(
                "%(failed)s of %(pictures)s pictures failed: see that their host answers and that"
                " --image-root is right, and run again."
            )
            % {"failed": language.count(failed), "pictures": language.count(pictures)}
        )
    if gone > ALARMING * before:
        told.append(
            language.gettext(
                "%(gone)s rows of the last run have left the CSV, which has %(rows)s now: see that"
                " it is whole."
            )
            % {"gone": language.count(gone), "rows": language.count(counts.get("accepted", 0))}
        )
    return tuple(told)
