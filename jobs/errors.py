"""How a job ends when it can't go on: what is wrong, and what to do next."""

import click

from sql.files import StoreFull, StoreTrouble


class JobError(click.ClickException):
    """Ends the job with exit code 1; `hint` says what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"{message}\nNext: {hint}" if hint else message)
        self.said = message


class BadInput(JobError):  # noqa: N818 - reads as the outcome it is
    """What was given can't be used: nothing was written."""

    exit_code = 2


class Busy(JobError):  # noqa: N818 - likewise
    """Another run holds the store (EX_TEMPFAIL of sysexits.h)."""

    exit_code = 75


def disk_error(trouble: StoreTrouble, left: str) -> JobError:
    """What the disk did, how that left things, and what to do next."""
    full = isinstance(trouble, StoreFull)
    first = "make room" if full else "see what the system's log says of that disk"
    return JobError(f"{trouble}; {left}", hint=f"{first} and run again: it will go on")
