"""The reports of runs: what they show is kept in the warehouse first, then drawn from there."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from catalog.models.artefact import CARD
from jobs.errors import BadInput, JobError
from jobs.inputs import Catalogue
from jobs.models import Model
from jobs.query import answer
from jobs.run import Run, open_run
from jobs.runs import find_run
from jobs.summary import RunCounts
from sql.files import write_text
from sql.publish import publish
from sql.store import Store

if TYPE_CHECKING:
    from reports.language import Language
    from reports.results import RunFacts

Parts = Mapping[str, str]
"""A report as it is kept: its parts' values as JSON."""


@dataclass(frozen=True)
class Redrawn:
    """Which report was drawn again, and where it is."""

    run: str
    report: Path

    def as_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), default=str)

    def __str__(self) -> str:
        return f"report {self.report}"


def facts(run: Run, catalogue: Catalogue, model: Model | None, summary: RunCounts) -> "RunFacts":
    """What a run knows of itself, for its report."""
    from reports.results import RunFacts  # noqa: PLC0415

    return RunFacts(
        id=run.id,
        source=catalogue.source,
        csv=catalogue.csv.name,
        started=run.started,
        seconds=summary.seconds,
        version=run.version,
        model=model.name if model else None,
        counts=summary.counts,
    )


def run_before(run: Run) -> str | None:
    """The newest finished run of the same command over the same source."""
    ran = [past.id for past in run.past if (past.job, past.source) == (run.job, run.source)]
    return max(ran, default=None)


def write_report(
    run: Run, page: str, source: str, report: object, model: Model | None, lang: str
) -> Path:
    """Keep what a report shows in table `results`, and draw it from what is kept."""
    from reports.stored import as_rows  # noqa: PLC0415 - a run with nothing to do draws nothing

    rows = as_rows(page, source, report)
    run.write("results", rows)
    kept = {row["part"]: row["value"] for row in rows}
    place = run.store.report(run.id)
    write_text(place, _drawn(run.store, page, kept, model.folder if model else None, lang))
    return place


def write_model_report(run: Run, model: Model, source: str, lang: str) -> Path:
    """Keep and draw what a training says of a tagger that now lies in the store."""
    from reports.results import model_report  # noqa: PLC0415

    return write_report(run, "tagger", source, model_report(model.folder), model, lang)


def write_index(store: Store, lang: str) -> None:
    """Draw the page that lists all runs, beside their reports."""
    from reports.index import run_lines, runs_index  # noqa: PLC0415
    from reports.language import language  # noqa: PLC0415

    # As an analyst opens it: in one process DuckDB opens a file in one way only.
    with duckdb.connect(str(store.database), read_only=True) as con:
        runs = run_lines(con)
    write_text(store.index, runs_index(runs, language(lang)))


def redraw(store: Store, run_id: str, lang: str, output: Path | None) -> Redrawn:
    """Draw the report of a finished run again from what is kept of it; no model is asked.

    It takes the place of the old page, or goes to the file `output`. BadInput for a run that there
    is not, JobError where nothing is kept of it, Busy while another run writes the store.
    """
    manifest = find_run(store, run_id)
    page, kept = _kept(store, run_id)
    drawn = _drawn(store, page, kept, _folder(store, manifest.model), lang)
    if output:
        try:
            write_text(output, drawn)
        except OSError as error:
            raise BadInput(f"{output} can't be written: {error.strerror}") from error
        return Redrawn(run_id, output)
    place = store.report(run_id)
    with open_run(store, "report") as run:
        was_there = place.exists()
        write_text(place, drawn)
        if not was_there:  # the database and the index had forgotten it
            publish(store, run.past)
            write_index(store, lang)
    return Redrawn(run_id, place)


def _kept(store: Store, run_id: str) -> tuple[str, Parts]:
    """Which kind of report a run left, and its parts."""
    kept = _rows(store, run_id)
    if not kept or kept[0]["page"] not in _PAGES:
        raise JobError(
            f"the store keeps no figures of the run {run_id}",
            hint="it drew nothing, or another version ran it; `catalog runs` lists the runs",
        )
    return kept[0]["page"], {row["part"]: row["value"] for row in kept}


def _rows(store: Store, run_id: str) -> list[dict[str, str]]:
    try:
        with answer(store, _KEPT, {"run": run_id}) as rows:
            kept: list[dict[str, str]] = rows.read_all().to_pylist()
            return kept
    except BadInput as error:
        if "results does not exist" in str(error):  # an older version published last
            return []
        raise


def _folder(store: Store, model: str | None) -> Path | None:
    """Where a model of the store lies; None when it is gone or retired, or was never in it."""
    folder = store.models / model if model else None
    return folder if folder and (folder / CARD).is_file() else None


def _drawn(store: Store, page: str, kept: Parts, folder: Path | None, lang: str) -> str:
    from reports.language import language  # noqa: PLC0415
    from reports.stored import ReportLost  # noqa: PLC0415

    try:
        return _PAGES[page](store, kept, folder, language(lang))
    except ReportLost as error:
        raise JobError(f"the report can't be drawn: {error}") from error


def _tag(store: Store, kept: Parts, folder: Path | None, language: "Language") -> str:
    from reports.draw import draw_run  # noqa: PLC0415
    from reports.results import RunReport  # noqa: PLC0415
    from reports.stored import revive  # noqa: PLC0415

    return draw_run(revive(kept, RunReport), folder, store.picture, language)


def _engage(store: Store, kept: Parts, folder: Path | None, language: "Language") -> str:
    from reports.draw_posts import draw_engagement  # noqa: PLC0415
    from reports.engagement import EngagementReport  # noqa: PLC0415
    from reports.stored import revive  # noqa: PLC0415

    return draw_engagement(revive(kept, EngagementReport), folder, store.picture, language)


def _tagger(_: Store, __: Parts, folder: Path | None, language: "Language") -> str:
    from reports.draw import draw_model  # noqa: PLC0415

    return draw_model(_there(folder), language)


def _classifier(_: Store, kept: Parts, folder: Path | None, language: "Language") -> str:
    from reports.draw_posts import draw_classifier  # noqa: PLC0415
    from reports.engagement import ClassifierReport  # noqa: PLC0415
    from reports.stored import revive  # noqa: PLC0415

    return draw_classifier(_there(folder), revive(kept, ClassifierReport), language)


def _there(folder: Path | None) -> Path:
    if folder is None:
        raise JobError("the report of a training can't be drawn: its model is no longer there")
    return folder


_PAGES: Mapping[str, Callable[[Store, Parts, Path | None, "Language"], str]] = {
    "tag": _tag,
    "engage": _engage,
    "tagger": _tagger,
    "classifier": _classifier,
}
_KEPT = "select page, part, value from history.results where run = $run"
