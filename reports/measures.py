"""The figures of a classifier as a table shows them: each beside what knowing nothing would get."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engagement.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure with its 95 % interval, where it has one, and what to hold it against.

    `share` tells whether it is a share of posts, to be read in per cent.
    """

    name: str
    meaning: str
    value: float | None
    against: float | None
    against_is: str
    share: bool = False
    low: float | None = None
    high: float | None = None


def measures(evaluation: "Evaluation") -> tuple[Measure, ...]:
    """Every figure of an evaluation, with its meaning in a sentence."""
    base = evaluation.high / evaluation.n if evaluation.n else None
    auc, inside = evaluation.roc_auc, evaluation.inside
    return (
        Measure(
            "ROC-AUC",
            "Of a high and a low post, how often the high one has the higher score.",
            auc.value,
            0.5,
            "chance",
            low=auc.low,
            high=auc.high,
        ),
        Measure(
            "ROC-AUC inside accounts",
            "The same where both posts are of one account.",
            inside.value,
            0.5,
            "chance",
            low=inside.low,
            high=inside.high,
        ),
        Measure(
            "PR-AUC",
            "Precision averaged over all recalls, as the threshold falls (average precision).",
            evaluation.pr_auc,
            base,
            "base rate",
        ),
        Measure(
            "Precision of high",
            "Of the posts called high, those that were.",
            evaluation.precision,
            base,
            "base rate",
            share=True,
        ),
        Measure(
            "Recall of high",
            "Of the posts that were high, those called so.",
            evaluation.recall,
            None,
            "",
            share=True,
        ),
        Measure(
            "F1 of high",
            "The harmonic mean of precision and recall.",
            evaluation.f1,
            None if base is None else 2 * base / (1 + base),
            "always high",
        ),
        Measure(
            "Accuracy",
            "Posts called rightly, high or low.",
            evaluation.accuracy,
            evaluation.majority,
            "majority",
            share=True,
        ),
        Measure(
            "Brier score",
            "Mean squared distance of the score from what was so: less is better.",
            evaluation.brier,
            None if base is None else base * (1 - base),
            "base rate as score",
        ),
        Measure(
            "Calibration error (ECE)",
            "How far the scores are from the shares that were high, on average: less is better.",
            evaluation.ece,
            None,
            "",
        ),
    )
