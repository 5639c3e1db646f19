"""The end of a run of `catalog engage`: labels and figures, report, commit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.intake import Intake
from catalog.models.artefact import ModelRefused
from engagement.exams import picture_groups
from engagement.findings import Auc, Review, Split
from engagement.review import Reviewed, review_metadata, review_scored
from engagement.scoring import score_posts
from engagement.settings import EngagementSettings
from jobs.errors import BadInput
from jobs.inputs import Catalogue
from jobs.models import Model
from jobs.plan import Plan
from jobs.post_summary import PostSummary, summarise_posts
from jobs.posts import fingerprints, min_age_of, picture_scores, read_posts, rule_of, trial_of
from jobs.report import facts, run_before, write_index, write_report
from jobs.run import Run
from jobs.snapshots import write_snapshot
from reports.engagement import engagement_report
from sql import statements
from sql.schemas import TABLES


@dataclass(frozen=True)
class Closing:
    """What a run knows when all pictures have been looked at."""

    catalogue: Catalogue
    engagement: EngagementSettings
    model: Model | None
    basis: str
    intake: Intake
    plan: Plan
    lang: str

    @property
    def source(self) -> str:
        """The name that the posts are kept under."""
        return self.catalogue.source

    @property
    def model_name(self) -> str | None:
        """<name>/<version> of the classifier, None when only metadata are looked at."""
        return self.model.name if self.model else None


def close(run: Run, closing: Closing) -> PostSummary:
    """Turn the facts of a run into what people read, and make it visible."""
    with run.views(closing.intake) as con:
        write_snapshot(run, con, closing.source, closing.intake)
        posts = read_posts(con)
        reviewed = _reviewed(con, closing, posts)
        _write_decisions(run, con, closing, posts, reviewed)
        review = reviewed.review
        run.write("engagement_evaluation", list(_evaluation_rows(run, closing, review)))
        run.write("engagement_ladder", list(_ladder_rows(run, closing, review)))
    run.flush()
    with run.views(closing.intake, finished=True) as con:
        place = run.store.report(run.id)
        summary = summarise_posts(
            run, con, closing.source, closing.intake, closing.plan, place, review
        )
        report = _report(run, con, closing, summary, review)
    run.commit(
        summary.counts,
        arguments={
            "csv": str(closing.catalogue.csv.absolute()),
            "asks": dict(closing.plan.asks),
            "basis": closing.basis,
        },
        model=closing.model_name,
        report=report,
    )
    write_index(run.store, closing.lang)
    return replace(summary, seconds=round(run.seconds, 3))


def _report(
    run: Run,
    con: duckdb.DuckDBPyConnection,
    closing: Closing,
    summary: PostSummary,
    review: Review,
) -> Path:
    known = facts(run, closing.catalogue, closing.model, summary)
    gathered = engagement_report(con, known, review, run_before(run))
    return write_report(run, "engage", closing.source, gathered, closing.model, closing.lang)


def _reviewed(con: duckdb.DuckDBPyConnection, closing: Closing, posts: pd.DataFrame) -> Reviewed:
    model = closing.model
    if model is None:
        asked = closing.engagement
        split = Split(asked.split or Split.ACCOUNT)
        try:
            return review_metadata(posts, rule_of(asked), min_age_of(asked), split)
        except ValueError as error:
            raise BadInput(
                f"{closing.catalogue.csv} is too little to measure: {error}",
                hint="give more posts, another rule (--high) or another split (--split)",
            ) from error
    said = picture_scores(con, posts["picture"], model.name)
    try:
        trial = trial_of(model.folder, model.card)
    except ModelRefused as error:
        raise BadInput(str(error), hint="`catalog models verify` tells more") from error
    scored = score_posts(posts, model.card, trial, said)
    return review_scored(
        posts,
        model.card,
        scored,
        lambda: picture_groups(fingerprints(con, posts["picture"]), posts["picture"]),
    )


def _write_decisions(
    run: Run,
    con: duckdb.DuckDBPyConnection,
    closing: Closing,
    posts: pd.DataFrame,
    reviewed: Reviewed,
) -> None:
    """A row for each post on which something else was decided than the last time."""
    schema = TABLES["engagement"]
    decided = reviewed.decided.assign(
        source=closing.source,
        id=posts["id"],
        model=closing.model_name,
        rule=reviewed.review.rule,
        pictures=[
            [picture] if np.isfinite(score) else []
            for picture, score in zip(posts["picture"], reviewed.decided["score"], strict=True)
        ],
        decided_at=run.started,
    )
    table = pa.Table.from_pandas(decided, schema, preserve_index=False)
    con.register("decided", table)
    run.write("engagement", statements.table(con, "changed_engagement", source=closing.source))
    con.unregister("decided")


def _common(run: Run, closing: Closing, review: Review) -> dict[str, Any]:
    return {
        "source": closing.source,
        "model": closing.model_name,
        "rule": review.rule,
        "split": str(review.split.kind),
        "evaluated_at": run.started,
    }


def _evaluation_rows(run: Run, closing: Closing, review: Review) -> Iterator[dict[str, Any]]:
    found = review.evaluation
    common = _common(run, closing, review)
    measured = found.n if found else 0
    none = {"low": None, "high": None}
    # Always there, so that the views never show the figures of an earlier run beside it.
    yield common | {"metric": "posts_measured", "value": measured, **none, "n": measured}
    if found is None:
        return
    for name, area in (("roc_auc", found.roc_auc), ("roc_auc_inside_accounts", found.inside)):
        yield common | {"metric": name, **_ends(area), "n": area.n}
    (tn, fp), (fn, tp) = found.confusion
    figures = {
        "precision": found.precision,
        "recall": found.recall,
        "f1": found.f1,
        "accuracy": found.accuracy,
        "majority": found.majority,
        "pr_auc": found.pr_auc,
        "base_rate": found.high / found.n if found.n else None,
        "brier": found.brier,
        "calibration_error": found.ece,
        "true_negatives": tn,
        "false_positives": fp,
        "false_negatives": fn,
        "true_positives": tp,
    }
    for name, value in figures.items():
        yield common | {"metric": name, "value": value, **none, "n": found.n}


def _ladder_rows(run: Run, closing: Closing, review: Review) -> Iterator[dict[str, Any]]:
    for place, rung in enumerate(review.ladder, start=1):
        yield _common(run, closing, review) | {
            "place": place,
            "rung": rung.name,
            "roc_auc": rung.auc.value,
            "roc_auc_low": rung.auc.low,
            "roc_auc_high": rung.auc.high,
            "inside_accounts": rung.inside.value,
            "inside_accounts_low": rung.inside.low,
            "inside_accounts_high": rung.inside.high,
            "n": rung.auc.n,
        }


def _ends(area: Auc) -> dict[str, float | None]:
    return {"value": area.value, "low": area.low, "high": area.high}
