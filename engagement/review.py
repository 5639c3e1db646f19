"""What a run says about posts: the label of each, and how far pictures and the rest explain it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.models.artefact import Card
from engagement import labels
from engagement.classes import CLASSES
from engagement.curves import curves as curves_of
from engagement.evaluation import evaluate, picture_finding
from engagement.exams import division_of, questions, units
from engagement.findings import (
    Curves,
    Evaluation,
    Finding,
    Note,
    Review,
    Rung,
    Split,
    SplitFacts,
)
from engagement.folds import account_codes
from engagement.ladder import TOGETHER, Exam, ladder
from engagement.rules import Rule

FEW = 50
"""Evaluated posts below which figures mean little."""

SUSPICIOUS = 0.9
"""ROC-AUC above which pictures know more than they can (honest splits reach 0.55 to 0.65)."""

Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Reviewed:
    """A review, and what was decided about each post.

    `decided` has the columns label, reason, score, threshold, guess, head, evaluated and bar, rows
    as in the posts frame.
    """

    review: Review
    decided: pd.DataFrame


def review_scored(
    posts: pd.DataFrame, card: Card, scored: pd.DataFrame, groups: Callable[[], Codes]
) -> Reviewed:
    """Label posts by the rule of a classifier's card, and measure what it says of them.

    `scored` is what engagement.scoring makes; `groups` numbers near-duplicate pictures, int64 [n],
    where few accounts are known.
    """
    rule, why = _unknown(posts, card.settings["rule"], card.settings["min_age_hours"])
    known, split = pd.isna(why), split_of(card)
    kind = split.kind
    head, score = scored["head"].to_numpy(object), scored["score"].to_numpy(float)
    evaluated = known & scored["unseen"].to_numpy(bool)
    bars, thresholds = card.settings["bars"], card.settings["thresholds"]
    by_head = {name: labels.high(posts, known, rule, bars[name]) for name in np.unique(head)}
    high = _picked(by_head, head)
    threshold = np.array([thresholds[name] for name in head], float)
    drawn = units(posts, groups)
    # What chose the epoch taught nothing: it may say what the picture is worth to the other rungs.
    honest = np.where(evaluated | scored["chosen_by"].to_numpy(bool), score, np.nan)
    exams = list(_exams(posts, known, evaluated, head, by_head, kind, card.split["cut"]))
    rungs, notes = _rungs(posts, exams, drawn, honest, kind=kind)
    measured, curves = _measured(posts, evaluated, high, score, threshold, drawn, head)
    pictured = np.isfinite(score)
    return Reviewed(
        Review(
            rule=str(rule),
            split=split,
            finding=_finding(measured, pictured=bool(pictured.any())),
            notes=(
                *_fallback(card),
                *notes,
                *_unread(posts),
                *_left_out(int((known & pictured & ~evaluated).sum())),
                *_cautions(measured),
            ),
            ladder=rungs,
            evaluation=measured,
            curves=curves,
            unknown=_counted(why),
            labelled=int(known.sum()),
            high=int((high & known).sum()),
        ),
        pd.DataFrame(
            {
                "label": _only(known, _named(high)),
                "reason": why,
                "score": score,
                "threshold": np.where(pictured, threshold, np.nan),
                "guess": _only(pictured, _named(score > threshold)),
                "head": _only(pictured, head),
                "evaluated": evaluated,
                "bar": [bars[name] for name in head],
            }
        ),
    )


def _exams(
    posts: pd.DataFrame,
    known: Bools,
    evaluated: Bools,
    head: NDArray[np.object_],
    by_head: Mapping[str, Bools],
    kind: Split,
    cut: str | None,
) -> Iterator[Exam]:
    """What each head is tested on, with who may teach the other rungs and the labels by its bar."""
    for name, high in by_head.items():
        test = evaluated & (head == name)
        if test.any():
            yield Exam(_learners(posts, known, test, kind, cut), test, high)


def _measured(
    posts: pd.DataFrame,
    evaluated: Bools,
    high: Bools,
    score: NDArray[np.float64],
    threshold: NDArray[np.float64],
    drawn: Codes,
    head: NDArray[np.object_],
) -> tuple[Evaluation, Curves | None] | tuple[None, None]:
    """The figures of the posts that are evaluated; None where there are none."""
    if not evaluated.any():
        return None, None
    high, score, threshold = high[evaluated], score[evaluated], threshold[evaluated]
    exams = np.unique(head[evaluated], return_inverse=True)[1]
    accounts = posts["account"].to_numpy(object)[evaluated]
    measured = evaluate(high, score, score > threshold, accounts, drawn[evaluated], exams)
    return measured, curves_of(high, score, threshold, exams)


def review_metadata(posts: pd.DataFrame, rule: Rule, min_age: timedelta, asked: Split) -> Reviewed:
    """Label posts, and measure what is known of them without their pictures.

    ValueError when there is too little to measure, as folds.divide says.
    """
    rule, why = _unknown(posts, str(rule), min_age.total_seconds() / 3600)
    known = pd.isna(why)
    labelled = posts[known].reset_index(drop=True)
    alone = np.arange(len(labelled))
    try:
        division = division_of(asked, labelled, rule, alone)
    except ValueError as error:
        raise ValueError(f"{error}{labels.told(why)}") from error
    parts = questions(labelled, rule, division)
    exams = [
        Exam(part.exam.train | part.validation, part.exam.test, part.exam.high) for part in parts
    ]
    rungs, notes = _rungs(
        labelled, exams, units(labelled, lambda: alone), None, kind=division.split
    )
    high = np.zeros(len(posts), bool)
    bar = np.full(len(posts), np.nan if parts[0].bar is None else parts[0].bar)
    rows = np.flatnonzero(known)
    high[rows] = parts[0].exam.high
    for part in parts:
        tested = rows[part.exam.test]
        high[tested] = part.exam.high[part.exam.test]
        bar[tested] = np.nan if part.bar is None else part.bar
    nothing = np.full(len(posts), None, object)
    return Reviewed(
        Review(
            rule=str(rule),
            split=division.facts,
            finding=Finding("metadata"),
            notes=(*_few_accounts(division.accounts), *notes, *_unread(posts)),
            ladder=rungs,
            evaluation=None,
            curves=None,
            unknown=_counted(why),
            labelled=int(known.sum()),
            high=int(high.sum()),
        ),
        pd.DataFrame(
            {
                "label": _only(known, _named(high)),
                "reason": why,
                "score": np.nan,
                "threshold": np.nan,
                "guess": nothing,
                "head": nothing,
                "evaluated": False,
                "bar": bar,
            }
        ),
    )


def _unknown(
    posts: pd.DataFrame, rule: str, min_age_hours: float
) -> tuple[Rule, NDArray[np.object_]]:
    parsed = Rule.parse(rule)
    return parsed, labels.unknown(posts, parsed, timedelta(hours=min_age_hours))


def _picked(by_head: Mapping[str, Bools], head: NDArray[np.object_]) -> Bools:
    """Each post's label by the bar of the head that answers for it, [n]."""
    picked = np.zeros(len(head), bool)
    for name, high in by_head.items():
        picked[head == name] = high[head == name]
    return picked


def _learners(
    posts: pd.DataFrame, known: Bools, test: Bools, kind: Split, cut: str | None
) -> Bools:
    """The labelled posts that the other rungs may learn from, as the split has it, [n]."""
    if kind is Split.TIME:
        before = (posts["posted_at"] < pd.Timestamp(cut)).to_numpy(bool)
        return np.asarray(known & before, bool)
    if kind is Split.ACCOUNT:
        accounts = account_codes(posts)
        return known & ~np.isin(accounts, accounts[test])
    return known & ~test


def _rungs(
    posts: pd.DataFrame,
    exams: list[Exam],
    drawn: Codes,
    picture: NDArray[np.float64] | None,
    *,
    kind: Split,
) -> tuple[tuple[Rung, ...], tuple[Note, ...]]:
    """The ladder, or a note why there is none."""
    if not exams:
        return (), (Note("no_ladder_test"),)
    try:
        rungs = ladder(posts, exams, drawn, picture, account_mean=kind is Split.TIME)
    except ValueError:  # as ladder() says: the training posts of an exam are of one class
        return (), (Note("no_ladder_one_class"),)
    if any(rung.name == TOGETHER for rung in rungs):
        return rungs, ()
    return rungs, (Note("no_together"),)


def _finding(measured: Evaluation | None, *, pictured: bool) -> Finding:
    """What the picture is worth, also where there is no ladder: its rung is the classifier's."""
    if not pictured:
        return Finding("no_pictures")
    if measured is None:
        return Finding("none_new")
    return picture_finding(measured.inside)


def split_of(card: Card) -> SplitFacts:
    """How the posts of a classifier's training were divided; folds have a head each."""
    said = card.split
    return SplitFacts(
        kind=Split(said["kind"]),
        asked=Split(said["asked"]),
        tested=max(1, len(card.vocabulary) - 1),
        cut=datetime.fromisoformat(said["cut"]) if said["cut"] else None,
    )


def _fallback(card: Card) -> tuple[Note, ...]:
    """Why the split is not the one asked for; older cards have no number, but a sentence."""
    if card.split.get("accounts") is None and card.split["fallback"]:
        return (Note("said", text=card.split["fallback"]),)
    return _few_accounts(card.split.get("accounts"))


def _few_accounts(known: int | None) -> tuple[Note, ...]:
    return () if known is None else (Note("few_accounts", n=known),)


def _unread(posts: pd.DataFrame) -> tuple[Note, ...]:
    """Times that say nothing: such a post may be too young, and nobody can tell."""
    count = int(posts["time_unread"].sum())
    return (Note("times_unread", n=count),) if count else ()


def _left_out(count: int) -> tuple[Note, ...]:
    return (Note("left_out", n=count),) if count else ()


def _cautions(measured: Evaluation | None) -> tuple[Note, ...]:
    """What makes the figures of a classifier mean less than they look."""
    if measured is None:
        return ()
    told = []
    if measured.n < FEW:
        told.append(Note("few_measured", n=measured.n))
    if (measured.roc_auc.value or 0) > SUSPICIOUS:
        told.append(Note("suspicious", value=measured.roc_auc.value))
    if measured.always:
        told.append(Note("always", text=measured.always))
    return tuple(told)


def _counted(why: NDArray[np.object_]) -> dict[str, int]:
    """How many posts are unknown for each reason, the most frequent first."""
    counts = pd.Series(why, dtype=object).dropna().astype(str).value_counts()
    return {str(reason): int(count) for reason, count in counts.items()}


def _only(where: Bools, values: NDArray[np.object_]) -> NDArray[np.object_]:
    """The values where there are any, [n], None elsewhere."""
    some: NDArray[np.object_] = np.full(len(values), None, object)
    some[where] = values[where]
    return some


def _named(high: Bools) -> NDArray[np.object_]:
    return np.where(high, CLASSES[1], CLASSES[0]).astype(object)
