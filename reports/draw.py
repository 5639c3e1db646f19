"""From what a report holds to its page: draws the figures, copies the pictures, and renders."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from catalog.decisions import RIGHT
from catalog.models.artefact import ModelRefused
from reports import findings, recipe_words, verdict
from reports.coverage import UNSURE
from reports.drawn import learning_curves, small_copies
from reports.evidence import CLASS_HEAD, ModelEvidence, card_evidence, model_evidence
from reports.language import Language
from reports.measured import Evaluation, shown_in
from reports.naming import class_names, named
from reports.pages import render, svg
from reports.recipe import recipe_of
from reports.results import RunReport
from reports.sureness import Sureness

RELIABILITY = 200
"""Pixels of an axis of a reliability curve."""


def draw_run(
    report: RunReport,
    model_folder: Path | None,
    picture: Callable[[str], Path],
    language: Language,
) -> str:
    """Draw the page of a run, as HTML.

    `model_folder` is that of the run's model; where it is gone the page says so and shows the
    rest. `picture` says where the bytes with a SHA-256 lie (Store.picture).
    """
    model = _model(model_folder)
    if model:
        report = named(report, class_names(model.card, language), {})
    return render(
        "run.html.j2",
        language,
        report=report,
        model=model,
        of_classes=False,  # it is about products, whatever tagged them
        recipe=None,
        verdict=verdict.verdict(report, language),
        next_steps=verdict.next_steps(report, language),
        unsure=UNSURE,
        right=RIGHT,
        findings=findings,
        thumbnails=small_copies((shown.picture for shown in shown_in(report)), picture),
        heatmaps=_heatmaps(report.evaluation, language),
        reliability=_reliability(report.evaluation, language),
        curves=learning_curves(model, language),
    )


def draw_model(folder: Path, language: Language) -> str:
    """Draw the page of the model in a folder, as HTML; ModelRefused where there is none."""
    model = model_evidence(folder)
    heads = {CLASS_HEAD: language.gettext("the model")} if model.of_classes else {}
    model = named(model, class_names(model.card, language), heads)
    recipe = recipe_of(model.card, model.tested)
    return render(
        "model.html.j2",
        language,
        model=model,
        of_classes=model.of_classes,
        recipe=recipe,
        verdict=verdict.model_verdict(model, recipe, language),
        findings=findings,
        recipe_words=recipe_words,
        thumbnails={},
        heatmaps=_heatmaps(model.tested, language),
        reliability=_reliability(model.tested, language, of_classes=model.of_classes),
        histograms=_histograms(model.sureness, language),
        curves=learning_curves(model, language),
    )


def _model(folder: Path | None) -> ModelEvidence | None:
    if folder is None:
        return None
    try:
        return card_evidence(folder)
    except ModelRefused:
        return None


def _heatmaps(evaluation: Evaluation | None, language: Language) -> Mapping[str, Markup]:
    """Draw how truths met guesses, by head."""
    if evaluation is None or not evaluation.n:
        return {}
    # Loaded here: matplotlib takes a third of a second, and not every page has something to draw.
    from reports.figures import confusion_heatmap  # noqa: PLC0415

    return {
        head.head: svg(confusion_heatmap(head.confusion, language))
        for head in evaluation.heads
        if head.n
    }


def _reliability(
    evaluation: Evaluation | None, language: Language, *, of_classes: bool = False
) -> Mapping[str, Markup]:
    """Draw how often each head is right, by how sure it is."""
    if evaluation is None or not evaluation.n:
        return {}
    from reports.figures import calibration  # noqa: PLC0415

    words = {
        "across": language.gettext("how sure it is of its best guess"),
        "up": language.gettext("share that is right"),
        "line": language.gettext("pictures, by how sure")
        if of_classes
        else language.gettext("products, by how sure"),
    }
    return {
        head.head: svg(calibration(head.reliability, language, size=RELIABILITY, **words))
        for head in evaluation.heads
        if head.n
    }


def _histograms(sureness: Sequence[Sureness], language: Language) -> Mapping[str, Markup]:
    """Draw how sure each head was where it was right and where it was wrong."""
    if not sureness:
        return {}
    # Loaded here: seaborn takes two seconds, which only the page of a training has.
    from reports.training_figures import sureness_histogram  # noqa: PLC0415

    return {rows.head: svg(sureness_histogram(rows, language)) for rows in sureness}
