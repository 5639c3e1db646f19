"""What a script would do with a shop's CSV: pandas.read_csv, and believe it."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tests.hostile_tables import Case

# The ways in which the naive reading fails, worst last.
WAYS = (
    "takes what is no table",
    "stops at a file that has good rows",
    "has no ids",
    "changes ids",
    "loses ids",
    "takes refused rows",
    "counts products twice",
)

# Files that pandas takes minutes over.
ENDLESS = ("a million columns", "half a million commas")


def failure(case: Case, path: Path) -> str | None:
    """How the naive reading of a case's file fails; None when it does not."""
    try:
        found = ids(path, case.encoding)
    except (ValueError, LookupError, OSError):
        return None if case.message else "stops at a file that has good rows"
    if case.message:
        return "takes what is no table"
    return None if found is not None and tuple(found) == case.ids else _fault(found, case)


def ids(path: Path, encoding: str | None) -> Sequence[str] | None:
    """The ids as pandas gives them, as text; None when there is no such column."""
    frame = pd.read_csv(path, encoding=encoding or "utf-8", low_memory=False)
    column = next((name for name in frame.columns if str(name).lower() in {"id", "sku"}), None)
    return None if column is None else list(map(str, frame[column]))


def _fault(found: Sequence[str] | None, case: Case) -> str:
    """Name the worst of what went wrong."""
    if found is None:
        return "has no ids"
    strange = set(found) - set(case.ids)
    if set(case.ids) - set(found):
        return "changes ids" if strange else "loses ids"
    return "takes refused rows" if strange or case.refused else "counts products twice"
