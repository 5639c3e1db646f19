"""Reports as the warehouse keeps them: table `results`, a row for each part, its value as JSON.

A report is a frozen dataclass of plain values (numbers, texts, times, tuples, mappings, other such
dataclasses); a part is one of its fields. What is kept is what is drawn, by the run itself and by
`catalog report` long after, so nothing here is said in a language.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, get_type_hints

import duckdb
from cattrs import Converter
from cattrs.errors import BaseValidationError
from cattrs.preconf.json import make_converter

T = TypeVar("T")

_KEPT = "select part, value from history.results where run = $run and page = $page"


class ReportLost(ValueError):  # noqa: N818 - it says what is the case
    """The figures of a run are not kept, or are of another version."""


def as_rows(page: str, source: str | None, report: object) -> list[dict[str, Any]]:
    """Tell the rows of `results` that keep a report; `page` is which kind of report it is."""
    plain: Mapping[str, Any] = _converter().unstructure(report)
    return [
        {
            "source": source,
            "page": page,
            "part": part,
            "value": json.dumps(value, ensure_ascii=False, allow_nan=False),
        }
        for part, value in plain.items()
    ]


def restore(connection: duckdb.DuckDBPyConnection, run: str, page: str, kind: type[T]) -> T:
    """Give the report of a run back as it was kept; ReportLost when that can't be."""
    rows = connection.sql(_KEPT, params={"run": run, "page": page}).fetchall()
    return revive(dict(rows), kind)


def revive(kept: Mapping[str, str], kind: type[T]) -> T:
    """Make a report of its parts, JSON by name; ReportLost when they are not those of `kind`."""
    hints = get_type_hints(kind)
    try:
        return kind(
            **{
                field.name: _converter().structure(json.loads(kept[field.name]), hints[field.name])
                for field in fields(kind)  # type: ignore[arg-type] # a dataclass
            }
        )
    except (KeyError, ValueError, BaseValidationError) as error:
        raise ReportLost("nothing is kept of it, or another version kept it") from error


@cache
def _converter() -> Converter:
    converter = make_converter()
    # JSON's converter writes times as ISO 8601, but reads those of Python 3.10 only with an offset.
    converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
    return converter
