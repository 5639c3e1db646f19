"""What `catalog doctor` finds: one line a thing, and what to do about what is wrong."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from textwrap import TextWrapper
from typing import Literal

from jobs.tables import aligned

OK, NOTE, WRONG = "ok", "note", "wrong"
# So that a line, with what stands before it, fits a screen of 100 columns. A path is not broken.
_WRAP = TextWrapper(76, break_long_words=False, break_on_hyphens=False)


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
            following = [f"Next: {finding.next}"] if finding.next else []
            said = [line for text in (finding.told, *following) for line in _WRAP.wrap(text)]
            rows.append((finding.state, finding.about, said[0]))
            rows += [("", "", line) for line in said[1:]]
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
