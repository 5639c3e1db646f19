"""The index of a store's reports: every finished run in a line, the newest first."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any

import duckdb

from reports.asking import ask
from reports.headline import Figure
from reports.language import Language
from reports.pages import cut, render

OPEN = 60
"""Runs that stand open on the page; those before them are folded away by month."""
MOST = 4000
"""Runs of the index at most, of which the page stays under 5 MB; `catalog runs` lists all."""
LATEST = 6
"""Jobs and sources whose latest report is shown above all runs."""
IN_A_LINE = 3
"""Headline figures that a line shows at most."""
LONGEST = 60


@dataclass(frozen=True, slots=True)
class RunLine:
    """A finished run: what it did (job), what it counted, and its headline figures, if any.

    `report` is relative to the folder of the index; None where there is none (any more).
    """

    id: str
    job: str
    started: datetime
    seconds: float
    source: str | None
    model: str | None
    counts: Mapping[str, int]
    figures: tuple[Figure, ...] = ()
    report: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A line of the page, in words."""

    when: str
    job: str
    source: str
    model: str
    counted: tuple[str, ...]
    figures: tuple[str, ...]
    took: str
    report: str | None


@dataclass(frozen=True, slots=True)
class Month:
    """The older runs of one month."""

    name: str
    lines: tuple[Shown, ...]


def run_lines(connection: duckdb.DuckDBPyConnection) -> tuple[RunLine, ...]:
    """Read every finished run from a store's database (views runs, history.results), unordered."""
    return tuple(_line(row) for row in ask(connection, "run_lines", {}).to_pylist())


def runs_index(runs: Sequence[RunLine], language: Language) -> str:
    """Write the page that lists runs, newest first."""
    ordered = sorted(runs, key=lambda run: run.id, reverse=True)
    listed = ordered[:MOST]
    return render(
        "index.html.j2",
        language,
        runs=ordered,
        latest=[_shown(run, language) for run in _latest(ordered)],
        newest=[_shown(run, language) for run in listed[:OPEN]],
        months=tuple(_months(listed[OPEN:], language)),
        listed=len(listed),
    )


def _latest(ordered: Sequence[RunLine]) -> list[RunLine]:
    """Choose the newest run with a report of each job and source, the newest first."""
    found: dict[tuple[str, str | None], RunLine] = {}
    for run in ordered:
        if run.report:
            found.setdefault((run.job, run.source), run)
    return list(found.values())[:LATEST]


def _line(row: Mapping[str, Any]) -> RunLine:
    counts = json.loads(row["counts"] or "{}")
    headline = json.loads(row["headline"] or "{}")
    return RunLine(
        id=row["run"],
        job=row["job"],
        started=row["started"],
        seconds=row["seconds"],
        source=row["source"],
        model=row["model"],
        counts={name: count for name, count in counts.items() if type(count) is int},
        figures=tuple(_figure(said) for said in headline.get("figures", ())),
        report=_link(row["report"]),
    )


def _figure(said: Mapping[str, Any]) -> Figure:
    """Read a figure as reports/stored.py keeps it, of whatever version: what lacks is None."""
    low, high = said.get("low"), said.get("high")
    return Figure(said["name"], said.get("value"), low, high, said.get("n", 0))


def _link(report: str | None) -> str | None:
    """Say where a report lies as its neighbour reports/index.html must."""
    return PurePosixPath(report).relative_to("reports").as_posix() if report else None


def _months(runs: Sequence[RunLine], language: Language) -> Iterator[Month]:
    for name, lines in groupby(runs, key=lambda run: language.month(run.started)):
        yield Month(name, tuple(_shown(run, language) for run in lines))


def _shown(run: RunLine, language: Language) -> Shown:
    known = [figure for figure in run.figures if figure.value is not None]
    return Shown(
        when=language.moment(run.started),
        job=_job(run.job, language),
        source=cut(run.source or "", LONGEST),
        model=cut(run.model or "", LONGEST),
        counted=tuple(_counted(run, language)),
        figures=tuple(_said(figure, language) for figure in known[:IN_A_LINE]),
        took=language.duration(run.seconds),
        report=run.report,
    )


def _job(job: str, language: Language) -> str:
    """Say what a job does; one of another version keeps its name."""
    known = {
        "tag": language.gettext("Products tagged"),
        "engage": language.gettext("Posts measured"),
        "train": language.gettext("Model trained"),
        "fetch": language.gettext("Pictures fetched"),
        "compact": language.gettext("Store compacted"),
    }
    return known.get(job, cut(job, LONGEST))


def _counted(run: RunLine, language: Language) -> Iterator[str]:
    """Say what a run counted, the most important first; what it did not count is left out."""
    counts = run.counts
    if "tagged" in counts:
        said = language.ngettext(
            "%(part)s of %(num)s product tagged",
            "%(part)s of %(num)s products tagged",
            counts.get("products", 0),
        )
        yield said % {"part": language.count(counts["tagged"])}
    if "labelled" in counts:
        said = language.ngettext(
            "%(part)s of %(num)s post has a label",
            "%(part)s of %(num)s posts have a label",
            counts.get("posts", 0),
        )
        yield said % {"part": language.count(counts["labelled"])}
    if counts.get("rejected"):
        yield language.ngettext("%(num)s row refused", "%(num)s rows refused", counts["rejected"])
    if counts.get("failed"):
        yield language.ngettext(
            "%(num)s picture missing", "%(num)s pictures missing", counts["failed"]
        )
    if "parameters" in counts:
        yield language.ngettext("%(num)s parameter", "%(num)s parameters", counts["parameters"])
    if run.job == "fetch":
        asked = counts.get("asked", sum(counts.values()))  # runs of 0.1 counted by kind alone
        yield language.ngettext("%(num)s picture asked for", "%(num)s pictures asked for", asked)
    if run.job == "compact":
        yield language.ngettext("%(num)s row kept", "%(num)s rows kept", counts.get("rows", 0))


def _said(figure: Figure, language: Language) -> str:
    """Write a figure with its name and its 95 % interval: areas as numbers, the rest as shares."""
    area = figure.name.startswith("roc_auc")
    write = language.decimal if area else language.percent
    span = language.span if area else language.percent_span
    said = {"name": _name(figure.name, language), "value": write(figure.value)}
    if figure.low is None or figure.high is None:
        return language.gettext("%(name)s %(value)s") % said
    said["interval"] = span(figure.low, figure.high)
    return language.gettext("%(name)s %(value)s (%(interval)s)") % said


def _name(code: str, language: Language) -> str:
    """Say a figure's name; the accuracy of an attribute names it, as accuracy:colour does."""
    kind, _, attribute = code.partition(":")
    if attribute:
        shown = cut(attribute.replace("_", " "), LONGEST)
        return language.gettext("accuracy of %(attribute)s") % {"attribute": shown}
    known = {
        "whole_row": language.gettext("all attributes right"),
        "accuracy": language.gettext("accuracy"),
        "roc_auc": language.gettext("ROC-AUC"),
        "roc_auc_inside": language.gettext("ROC-AUC inside accounts"),
    }
    return known.get(kind, cut(kind.replace("_", " "), LONGEST))
