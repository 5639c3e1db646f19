"""The named queries: one question a file in queries/, whose header this module reads.

-- Which classes does the tagger recognise least often?           the question: one sentence
-- One row a class, the lowest recall first.                      the grain, on as many lines
-- $head (text, optional): only this attribute                    a line for each parameter
-- $top (whole number, default 20): at most so many rows

A parameter is text, or a whole number; it has a default, or is required, or is null when it is
left out (optional).
"""

import re
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path

_QUERIES = Path(__file__).parent / "queries"
_PARAMETER = re.compile(r"\$(\w+) \((text|whole number), (required|optional|default (.+?))\): (.+)")
_KINDS: dict[str, type[str] | type[int]] = {"text": str, "whole number": int}


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a query wants to be told; `default` is None when it is required or optional."""

    name: str
    kind: type[str] | type[int]
    required: bool
    default: str | int | None
    meaning: str


@dataclass(frozen=True, slots=True)
class Query:
    """One of queries/*.sql, and what its header says."""

    name: str
    question: str
    grain: str
    parameters: tuple[Parameter, ...]
    sql: str


def names() -> list[str]:
    """Tell the named queries, by name."""
    return sorted(path.stem for path in _QUERIES.glob("*.sql"))


@cache
def read(name: str) -> Query:
    """Read a named query; a header in another form is a ValueError."""
    return parse(name, (_QUERIES / f"{name}.sql").read_text(encoding="utf-8"))


def parse(name: str, text: str) -> Query:
    """Read the header of a query; one in another form is a ValueError that says what it lacks."""
    header = takewhile(lambda line: line.startswith("-- "), text.splitlines())
    lines = [line.removeprefix("-- ") for line in header]
    said = [line for line in lines if not line.startswith("$")]
    if not said or not said[0].endswith("?"):
        raise ValueError(f"the query {name} does not begin with a question of one line")
    if len(said) == 1 or not said[1].startswith("One row a"):
        raise ValueError(f"the query {name} does not say its grain after its question")
    parameters = tuple(_parameter(name, line) for line in lines if line.startswith("$"))
    return Query(name, said[0], " ".join(said[1:]), parameters, text)


def _parameter(query: str, line: str) -> Parameter:
    found = _PARAMETER.fullmatch(line)
    if found is None:
        raise ValueError(f"the query {query} has a parameter in another form: {line}")
    name, kind, need, default, meaning = found.groups()
    convert = _KINDS[kind]
    given = None if default is None else convert(default)
    return Parameter(name, convert, need == "required", given, meaning)
