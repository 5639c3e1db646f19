"""From the kept figures of posts to a page: draws, and renders in a language."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment
from markupsafe import Markup

from catalog.models.artefact import ModelRefused
from engagement.classes import CLASSES
from engagement.findings import Curves, Evaluation
from reports import post_findings, post_verdict
from reports.classifier import choices, classifier_card
from reports.drawn import learning_curves, small_copies
from reports.engagement import LEAST_IN_BAND, LEAST_KNOWN, ClassifierReport, EngagementReport
from reports.evidence import ModelEvidence, card_evidence, model_evidence
from reports.hours import LEAST_ACCOUNTS, LEAST_POSTS, level_of
from reports.language import Language
from reports.measures import measures
from reports.pages import css_share, environment, facts, svg
from reports.wording import (
    cause_in_words,
    finding_in_words,
    head_in_words,
    label_in_words,
    note_in_words,
    rule_in_words,
    rung_in_words,
    split_in_words,
    unknown_reason,
)

FINDINGS = (
    "calibration_finding",
    "confusion_finding",
    "extremes_finding",
    "hours_finding",
    "ladder_finding",
    "recall_finding",
    "roc_finding",
    "sizes_finding",
    "threshold_finding",
)

LADDER = (0.4, 1.0)
"""The ends of the scale on which areas are drawn: hardly one is below, and chance is inside."""


def draw_engagement(
    report: EngagementReport,
    model_folder: Path | None,
    picture: Callable[[str], Path],
    language: Language,
) -> str:
    """Draw the page of a run over posts, as HTML.

    `model_folder` is that of `report.run.model`, None when it is gone or there was none; where it
    can't be read the page says so and shows the rest. `picture` says where the bytes with a SHA-256
    lie (Store.picture).
    """
    model = _read(card_evidence, model_folder)
    shown = [post.picture for post in report.extremes] + [post.picture for post in report.samples]
    return (
        _environment(language)
        .get_template("engagement.html.j2")
        .render(
            report=report,
            review=report.review,
            verdict=(
                post_verdict.done(language, report),
                rule_in_words(language, report.review.rule, report.bars),
                *post_verdict.changed(language, report),
            ),
            next_steps=post_verdict.next_steps(language, report),
            thumbnails=small_copies(shown, picture),
            drawings=_reviewed(language, report.review.evaluation, report.review.curves)
            | _of_posts(language, report),
            **_model(language, model),
        )
    )


def draw_classifier(folder: Path, report: ClassifierReport, language: Language) -> str:
    """Draw the page of the classifier in a folder; `report` is of the posts it learned from.

    Its figures are out of fold: each post was scored by a head that had not learned from it. Where
    the folder can't be read the page says so and shows the rest.
    """
    model, review = _read(model_evidence, folder), report.review
    shown = _model(language, model)
    classifier = shown["classifier"]
    return (
        _environment(language)
        .get_template("classifier.html.j2")
        .render(
            review=review,
            name=model.card.model if model else f"{folder.parent.name}/{folder.name}",
            meaning=rule_in_words(language, review.rule, classifier.bars if classifier else None),
            advice=post_verdict.advice(language, review, pictured=True),
            learned=learning_curves(model, language),
            drawings=_reviewed(language, review.evaluation, review.curves),
            **shown,
        )
    )


def _read(evidence: Callable[[Path], ModelEvidence], folder: Path | None) -> ModelEvidence | None:
    """What lies in a model's folder; None where it is gone or can't be read."""
    try:
        return evidence(folder) if folder else None
    except ModelRefused:
        return None


def _model(language: Language, model: ModelEvidence | None) -> Mapping[str, Any]:
    """What a page says of the making of a classifier; nothing where there is no folder of it."""
    if model is None:
        return {"model": None, "classifier": None, "made": ()}
    classifier = classifier_card(model.card)
    return {
        "model": model,
        "classifier": classifier,
        "made": (*facts(language, model), *choices(language, classifier)),
    }


def _reviewed(
    language: Language, found: Evaluation | None, curves: Curves | None
) -> dict[str, Markup]:
    """Draw how right the scores of a review are."""
    if found is None or not found.n:
        return {}
    # Loaded here: matplotlib takes a third of a second, and most nights have something else to do.
    from reports.figures import calibration, heatmap  # noqa: PLC0415
    from reports.post_figures import precision_recall, roc_curve  # noqa: PLC0415

    labels = [label_in_words(language, name) for name in CLASSES]
    drawn = {
        "confusion": heatmap(labels, np.array(found.confusion), language, largest=84),
        "calibration": calibration(
            found.reliability,
            language,
            across=language.gettext("score"),
            up=language.gettext("share that was high"),
            line=language.gettext("posts, by score"),
        ),
    }
    if curves and found.base_rate:
        drawn |= {
            "roc": roc_curve(curves, found.high, found.n - found.high, language),
            "recalls": precision_recall(curves, found.base_rate, language),
        }
    return {name: svg(drawing) for name, drawing in drawn.items()}


def _of_posts(language: Language, report: EngagementReport) -> dict[str, Markup]:
    """Draw what goes with engagement."""
    if not report.hours and not report.sizes:
        return {}
    from reports.post_figures import hours_of_posting, rates_by_size  # noqa: PLC0415

    drawn = {}
    if report.hours:
        drawn["hours"] = svg(hours_of_posting(report.hours, language))
    if report.sizes:
        drawn["sizes"] = svg(rates_by_size(report.sizes, language))
    return drawn


@cache
def _environment(language: Language) -> Environment:
    """Make what renders pages about posts: their words beside those of every page."""
    made = environment(language).overlay()
    made.filters = made.filters | {"css_area": _css_area}
    said: dict[str, Callable[..., Any]] = {
        "finding_in_words": finding_in_words,
        "head_in_words": head_in_words,
        "label_in_words": label_in_words,
        "measures": measures,
        "note_in_words": note_in_words,
        "rung_in_words": rung_in_words,
        "split_in_words": split_in_words,
        "unknown_reason": unknown_reason,
        "cause": cause_in_words,
        "size_in_words": post_findings.size_in_words,
    }
    by_name = {name: getattr(post_findings, name) for name in FINDINGS}
    own = {name: partial(say, language) for name, say in (said | by_name).items()}
    made.globals = (
        made.globals
        | own
        | {
            "ladder_ends": LADDER,
            "clock": post_findings.clock,
            "level_of": level_of,
            "least_an_hour": {"posts": LEAST_POSTS, "accounts": LEAST_ACCOUNTS},
            "least_in_band": LEAST_IN_BAND,
            "least_known": LEAST_KNOWN,
        }
    )
    return made


def _css_area(area: float) -> str:
    """Write an area under a curve as a place on the ladder's scale."""
    low, high = LADDER
    return css_share((area - low) / (high - low))
