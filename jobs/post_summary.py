"""What a run of `catalog engage` tells in the end, to people and to scripts."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from catalog.intake import Intake
from jobs.plan import Plan
from jobs.run import Run
from jobs.summary import RunCounts, counted
from sql import statements

if TYPE_CHECKING:
    from engagement.findings import Auc, Review
    from reports.language import Language


@dataclass(frozen=True)
class PostSummary(RunCounts):
    """The counts of a run of `catalog engage`, and what it found.

    posts = scored + unscored, and = labelled + unknown. `figures` is what `as_figures` makes of the
    review, and `told` says it to people; both are empty when there was nothing to do.
    """

    posts: int
    scored: int
    unscored: int
    labelled: int
    unknown: int
    figures: Mapping[str, Any] = field(default_factory=dict)
    told: str = ""

    def as_json(self) -> str:
        """One JSON object."""
        content = asdict(self)
        del content["told"]
        return json.dumps(content, default=str, ensure_ascii=False)

    def __str__(self) -> str:
        if self.run is None:
            return f"nothing to do: {self.posts:,} posts are as they were{self._missing}"
        decided = (
            f"posts     {self.posts:,} = {self.scored:,} scored + {self.unscored:,} unscored;"
            f" {self.labelled:,} labelled, {self.unknown:,} unknown"
        )
        return f"{self.told}\n{self.lines(decided)}"


def summarise_posts(
    run: Run,
    con: duckdb.DuckDBPyConnection,
    source: str,
    intake: Intake,
    plan: Plan,
    report: Path | None,
    review: "Review | None" = None,
) -> PostSummary:
    """Count what a run came to; `con` shows the store as the run leaves it."""
    [decided] = statements.table(con, "decided_counts", source=source).to_pylist()
    return PostSummary(
        **counted(run, con, intake, plan, report),
        posts=plan.records,
        scored=decided["scored"],
        unscored=plan.records - decided["scored"],
        labelled=decided["labelled"],
        unknown=plan.records - decided["labelled"],
        figures=as_figures(review) if review else {},
        told=told(review) if review else "",
    )


def as_figures(review: "Review") -> dict[str, Any]:
    """A review as JSON has it, its sentences in English."""
    # Loaded here, as below: a run with nothing to do tells nothing.
    from reports.wording import finding_in_words, note_in_words, split_in_words  # noqa: PLC0415

    english = _english()
    return {
        "rule": review.rule,
        "split": split_in_words(english, review.split),
        "finding": finding_in_words(english, review.finding),
        "notes": [note_in_words(english, note) for note in review.notes],
        "unknown": dict(review.unknown),
        "ladder": [asdict(rung) for rung in review.ladder],
        "evaluation": asdict(review.evaluation) if review.evaluation else None,
    }


def told(review: "Review") -> str:
    """A review as a terminal shows it: the finding, the ladder, then the classifier."""
    said = as_figures(review)
    lines = [said["finding"], f"High is: {review.rule}. {said['split']}", *said["notes"]]
    if review.ladder:
        lines.append(f"{'':18}  {'ROC-AUC':24}  inside accounts")
    lines += [
        f"{rung.name:18}  {_area(rung.auc):24}  {_area(rung.inside)}" for rung in review.ladder
    ]
    if found := review.evaluation:
        lines.append(
            f"The classifier, {found.n:,} posts that it had not seen ({found.high:,} high):"
            f" precision {_number(found.precision)}, recall {_number(found.recall)},"
            f" F1 {_number(found.f1)}, ROC-AUC {_number(found.roc_auc.value)},"
            f" PR-AUC {_number(found.pr_auc)}"
        )
    return "\n".join(lines)


def _english() -> "Language":
    from reports.language import language  # noqa: PLC0415

    return language("en")


def _area(auc: "Auc") -> str:
    if auc.low is None or auc.high is None:
        return _number(auc.value)
    return f"{_number(auc.value)} ({_number(auc.low)} to {_number(auc.high)})"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
