"""What a person or a log reads while a job runs: bars on a terminal, plain lines elsewhere."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

SECONDS_BETWEEN_LINES = 10.0

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Console:
    """Says things on standard error, so that standard output stays the result."""

    quiet: bool = False
    log_format: Literal["text", "json"] = "text"

    def say(self, text: str, **facts: object) -> None:
        """One line that a person or a log collector can read."""
        if self.quiet:
            return
        if self.log_format == "json":
            line = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "message": text}
            text = json.dumps(line | facts, default=str, ensure_ascii=False)
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is where lines are printed

    @contextmanager
    def progress(self, title: str, total: int) -> Iterator[Advance]:
        """Yield a function that is told how many more are done."""
        if self.quiet or total == 0:
            yield lambda _: None
        elif self.log_format == "text" and sys.stderr.isatty():
            with _bar(title, total) as advance:
                yield advance
        else:
            yield self._lines(title, total)

    def _lines(self, title: str, total: int) -> Advance:
        """Say how far it is every ten seconds: a log is no place for a bar."""
        started = said = time.monotonic()
        done = 0

        def advance(more: int) -> None:
            nonlocal done, said
            done += more
            now = time.monotonic()
            if now - said >= SECONDS_BETWEEN_LINES:
                said = now
                rate = done / (now - started)
                left = (total - done) / rate if rate else 0.0
                self.say(
                    f"{title}: {done:,} of {total:,}, {rate:,.0f} a second, {left:,.0f} s left",
                    done=done,
                    total=total,
                )

        return advance


@contextmanager
def _bar(title: str, total: int) -> Iterator[Advance]:
    # Loaded here because a run with nothing to do draws no bar.
    from rich.console import Console as Terminal  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Terminal(stderr=True)) as bars:
        task = bars.add_task(title, total=total, rate="")

        def advance(more: int) -> None:
            bars.update(task, advance=more)
            speed = bars.tasks[0].speed
            bars.update(task, rate=f"{speed:,.0f}/s" if speed else "")

        yield advance
