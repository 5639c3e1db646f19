"""The figures of a classifier as a table shows them: each beside what knowing nothing would get."""

from dataclasses import dataclass

from catalog.models.calibration import chance_error
from engagement.findings import Auc, Evaluation
from reports.language import Language


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure with its 95 % interval, where it has one, and what to hold it against.

    `share` tells whether it is a share of posts, to be read in per cent.
    """

    name: str
    meaning: str
    value: float | None
    against: float | None = None
    against_is: str = ""
    share: bool = False
    low: float | None = None
    high: float | None = None


def measures(language: Language, evaluation: Evaluation) -> tuple[Measure, ...]:
    """Every figure of an evaluation, with its meaning in a sentence."""
    return (
        *_areas(language, evaluation),
        *_answers(language, evaluation),
        *_chances(language, evaluation),
    )


def _areas(language: Language, evaluation: Evaluation) -> tuple[Measure, ...]:
    """How well the scores put posts in order."""
    return (
        _area(
            language,
            evaluation.roc_auc,
            language.gettext("ROC-AUC"),
            language.gettext(
                "Of a high and a low post, how often the high one has the higher score."
            ),
        ),
        _area(
            language,
            evaluation.inside,
            language.gettext("ROC-AUC inside accounts"),
            language.gettext("The same where both posts are of one account."),
        ),
        Measure(
            language.gettext("PR-AUC"),
            language.gettext(
                "Precision averaged over all recalls, as the threshold falls (average precision)."
            ),
            evaluation.pr_auc,
            evaluation.base_rate,
            language.gettext("base rate"),
        ),
    )


def _area(language: Language, area: Auc, name: str, meaning: str) -> Measure:
    chance = language.gettext("chance")
    return Measure(name, meaning, area.value, 0.5, chance, low=area.low, high=area.high)


def _answers(language: Language, evaluation: Evaluation) -> tuple[Measure, ...]:
    """How right the guesses are."""
    base = evaluation.base_rate
    return (
        Measure(
            language.gettext("Precision of high"),
            language.gettext("Of the posts called high, those that were."),
            evaluation.precision,
            base,
            language.gettext("base rate"),
            share=True,
        ),
        Measure(
            language.gettext("Recall of high"),
            language.gettext("Of the posts that were high, those called so."),
            evaluation.recall,
            share=True,
        ),
        Measure(
            language.gettext("F1 of high"),
            language.gettext("The harmonic mean of precision and recall."),
            evaluation.f1,
            None if base is None else 2 * base / (1 + base),
            language.gettext("always high"),
        ),
        Measure(
            language.gettext("Accuracy"),
            language.gettext("Posts called rightly, high or low."),
            evaluation.accuracy,
            evaluation.majority,
            language.gettext("majority"),
            share=True,
        ),
    )


def _chances(language: Language, evaluation: Evaluation) -> tuple[Measure, ...]:
    """How far the scores can be read as chances."""
    base = evaluation.base_rate
    return (
        Measure(
            language.gettext("Brier score"),
            language.gettext(
                "Mean squared distance of the score from what was so: less is better."
            ),
            evaluation.brier,
            None if base is None else base * (1 - base),
            language.gettext("base rate as score"),
        ),
        Measure(
            language.gettext("Calibration error (ECE)"),
            language.gettext(
                "How far the scores are from the shares that were high, on average: less is better."
            ),
            evaluation.ece,
            chance_error(evaluation.reliability),
            language.gettext("chance"),
        ),
    )
