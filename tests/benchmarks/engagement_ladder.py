"""The ladder on the simulated posts: what a picture tells where there is, or is not, an effect.

    python tests/benchmarks/engagement_ladder.py [--permutations 20]

posts_null.csv has no effect of the pictures: as it is, and with its pictures permuted among the
posts, the report must say "no better than chance inside accounts". posts_effect.csv has one.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from measure import arguments, machine, table, verdict
from simulated_posts import Simulated, settings, simulated

from catalog.models.schedules import exponential
from catalog.models.training import Lesson
from engagement.classifier_learning import answers, learn_question
from engagement.evaluation import picture_finding
from engagement.exams import picture_groups, preliminary, questions, units
from engagement.findings import Rung, Split
from engagement.folds import divide
from engagement.ladder import PICTURE, ladder
from engagement.rules import Rule
from reports.language import language
from reports.wording import finding_in_words

CHANCE = "no better than chance inside accounts"


def main() -> None:
    """Measure both files, then the permutations."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--permutations", type=int, default=20)
    options = parser.parse_args()
    print(machine(), flush=True)
    median, default = Rule.parse("above account median"), Rule.parse("likes > 10000")
    effect = simulated(options.data, "effect", median)
    rungs = measured(effect, median, options.data)
    show("posts_effect", median, rungs)
    picture = named(rungs, PICTURE)
    for what, area in (("on unseen accounts", picture.auc), ("inside accounts", picture.inside)):
        print(verdict(f"picture only {what}", area.value or 0, 0.62, least=True))
        print(verdict(f"lower end of its interval {what}", area.low or 0, 0.5, least=True))
    null = simulated(options.data, "null", default)
    rungs = measured(null, default, options.data)
    show("posts_null", default, rungs)
    print(said(named(rungs, PICTURE)), flush=True)
    chance = 0
    for number in range(options.permutations):
        order = np.random.default_rng(number).permutation(len(null.posts))
        rung = named(measured(permuted(null, order), default, options.data), PICTURE)
        chance += CHANCE in said(rung)
        print(f"permutation {number}: {said(rung)}", flush=True)
    print(
        verdict(
            f'"{CHANCE}" in so many of {options.permutations} permutations:',
            chance,
            0.9 * options.permutations,
            least=True,
        )
    )


def said(rung: Rung) -> str:
    """What a report says of the picture."""
    return finding_in_words(language("en"), picture_finding(rung.inside))


def permuted(given: Simulated, order: np.ndarray) -> Simulated:
    """The same posts, each with another's picture."""
    posts = given.posts.assign(picture=given.posts["picture"].to_numpy()[order])
    return Simulated(posts, given.features[order], given.fingerprints)


def measured(given: Simulated, rule: Rule, data: Path) -> tuple[Rung, ...]:
    """The ladder over five folds by account, as `catalog train engagement` makes it."""
    groups = picture_groups(given.fingerprints, given.posts["picture"])
    division = divide(Split.ACCOUNT, given.posts, preliminary(given.posts, rule), groups)
    asked = questions(given.posts, rule, division)
    score = np.full(len(given.posts), np.nan)
    with TemporaryDirectory() as work:
        lesson = Lesson(
            None, None, settings(data), Path(work), lambda _: None, exponential, "log_loss"
        )
        for question in asked:
            head, _ = learn_question(question, given.features, lesson)
            score[question.exam.test] = answers(head, given.features)[question.exam.test]
    drawn = units(given.posts, lambda: groups)
    return ladder(given.posts, [one.exam for one in asked], drawn, score, account_mean=False)


def named(rungs: tuple[Rung, ...], name: str) -> Rung:
    """The rung of a name."""
    return next(rung for rung in rungs if rung.name == name)


def show(name: str, rule: Rule, rungs: tuple[Rung, ...]) -> None:
    """Print a ladder."""
    rows = [
        [rung.name, area(rung.auc), rung.auc.n, area(rung.inside), rung.inside.n] for rung in rungs
    ]
    header = ("rung", "ROC-AUC (95 %)", "n", "inside accounts (95 %)", "n")
    print(f"\n{name}, {rule}\n{table(header, rows)}\n", flush=True)


def area(auc: object) -> str:
    """A figure with its interval."""
    value, low, high = auc.value, auc.low, auc.high  # type: ignore[attr-defined]
    return f"{value:.3f}" if low is None else f"{value:.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    main()
