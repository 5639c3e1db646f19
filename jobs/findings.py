"""What `catalog doctor` finds: one line a thing, and what to do about what is wrong."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from jobs.tables import aligned

OK, NOTE, WRONG = "ok", "note", "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: a note is worth knowing, what is wrong needs `next` done."""

    state: Literal["ok", "note", "wrong"]
    about: str
    told: str
    next: str | None = None


@dataclass(frozen=True)
class Diagnosis:
    """All findings, in the order in which they were made."""

    findings: Sequence[Finding]

    @property
    def exit_code(self) -> int:
        """1 when something is wrong."""
        return int(any(finding.state == WRONG for finding in self.findings))

    def as_json(self) -> str:
        """One JSON array."""
        return json.dumps([asdict(finding) for finding in self.findings], ensure_ascii=False)

    def __str__(self) -> str:
        rows: list[tuple[str, str, str]] = []
        for finding in self.findings:
            rows.append((finding.state, finding.about, finding.told))
            if finding.next:
                rows.append(("", "", f"Next: {finding.next}"))
        return aligned(rows)


def ok(about: str, told: str) -> Finding:
    """Something that is as it should be."""
    return Finding("ok", about, told)


def note(about: str, told: str, next_step: str | None = None) -> Finding:
    """Something that stops nothing, and that somebody may wonder about later."""
    return Finding("note", about, told, next_step)


def wrong(about: str, told: str, next_step: str) -> Finding:
    """Something that will stop a run, or spoil it."""
    return Finding("wrong", about, told, next_step)
