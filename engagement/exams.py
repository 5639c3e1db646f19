"""What each trial of a split asks: its posts, its bar, and who is high by it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.models import splits
from engagement import labels
from engagement.bootstrap import LEAST_UNITS
from engagement.findings import Split
from engagement.folds import Division, account_codes, divide
from engagement.ladder import Exam
from engagement.rules import Rule

Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Question:
    """An exam, the name of the head that takes it, and the bar that its training posts set."""

    head: str
    bar: float | None
    exam: Exam
    validation: Bools

    def only(self, rows: Bools) -> "Question":
        """The same about some of the posts."""
        exam = self.exam
        return Question(
            self.head,
            self.bar,
            Exam(exam.train[rows], exam.test[rows], exam.high[rows]),
            self.validation[rows],
        )


def questions(posts: pd.DataFrame, rule: Rule, division: Division) -> tuple[Question, ...]:
    """The trials of a division of labelled posts, each with labels by its own bar."""
    every = np.ones(len(posts), bool)
    asked = []
    for trial in division.trials:
        bar = labels.bar(rule, posts, trial.train)
        high = labels.high(posts, every, rule, bar)
        asked.append(
            Question(trial.name, bar, Exam(trial.train, trial.test, high), trial.validation)
        )
    return tuple(asked)


def division_of(asked: Split, posts: pd.DataFrame, rule: Rule, groups: Codes) -> Division:
    """Labelled posts in trials; ValueError when that can't be, as folds.divide says.

    The median of an account is of all its posts: before a date it would know what comes after.
    """
    if asked is Split.TIME and rule.kind == "median":
        raise ValueError(
            "an account's median is of its later posts too, so that a test by time would know them"
        )
    return divide(asked, posts, preliminary(posts, rule), groups)


def preliminary(posts: pd.DataFrame, rule: Rule) -> Bools:
    """Labels, bool [n], to deal posts to folds by: both classes shall be in each."""
    every = np.ones(len(posts), bool)
    return labels.high(posts, every, rule, labels.bar(rule, posts, every))


def picture_groups(fingerprints: Mapping[str, str], pictures: pd.Series) -> Codes:
    """Numbers of near-duplicate groups, int64 [n]; every post without a picture is a group."""
    known = {sha: fingerprints[sha] for sha in pictures.dropna().unique()}
    numbers = splits.groups(list(known.values()), [None] * len(known))
    group = dict(zip(known, numbers.tolist(), strict=True))
    alone = np.arange(len(pictures)) + len(known)
    return np.array(
        [group.get(sha, own) for sha, own in zip(pictures, alone.tolist(), strict=True)], np.int64
    )


def units(posts: pd.DataFrame, groups: Callable[[], Codes]) -> Codes:
    """What an interval draws again, int64 [n]: accounts, or picture groups where few are known."""
    enough = posts["account"].nunique() >= LEAST_UNITS
    return account_codes(posts) if enough else groups()
