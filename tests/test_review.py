"""What a run says about posts: by whose bar each is high, and what is worth a word."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from engagement import labels
from engagement.classes import HEAD
from engagement.exams import preliminary, questions
from engagement.findings import Finding, Note, Split, SplitFacts
from engagement.folds import account_codes, divide
from engagement.ladder import Exam, ladder
from engagement.review import review_metadata, review_scored
from engagement.rules import Rule
from tests.cards import FOLDS, card
from tests.feed import feed

N = 200
TWO_DAYS = timedelta(hours=48)
CUT = "2026-04-11T00:00:00+00:00"


def world(**columns):
    """Posts of ten accounts with pictures, a day apart; half of each account's are above 100."""
    random = np.random.default_rng(3)
    days = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(N), "D")
    return feed(
        np.where(random.random(N) < 0.5, 150, 50) + np.arange(N) % 7,
        **{
            "account": [f"shop_{number % 10}" for number in range(N)],
            "followers": random.integers(100, 10_000, N),
            "posted_at": list(days),
        }
        | columns,
    ).assign(picture=[f"sha{number}" for number in range(N)])


def scored(posts, head=None, unseen=None, score=None):
    """Scores that know the likes a little, of heads that never saw the account."""
    random = np.random.default_rng(4)
    known = (posts["likes"] > 100).to_numpy() / 4 + random.random(len(posts)) * 0.75
    fold = [FOLDS[number % 10 // 2] for number in range(len(posts))]
    return pd.DataFrame(
        {
            "head": fold if head is None else head,
            "score": known if score is None else score,
            "unseen": np.ones(len(posts), bool) if unseen is None else unseen,
            "chosen_by": False,
        }
    )


def never():
    """Groups that nobody may ask for: they take minutes on many pictures."""
    raise AssertionError


def own():
    """A group for each picture."""
    return np.arange(N)


def test_everything_is_measured_on_the_same_posts():
    """The rung of the picture is the classifier's score, and its interval is by account."""
    posts = world()
    review = review_scored(posts, card(), scored(posts), never).review
    found, rungs = review.evaluation, {rung.name: rung for rung in review.ladder}
    assert (found.n, found.roc_auc.n, found.roc_auc.units) == (N, N, 10)
    assert rungs["picture only"].auc.value == pytest.approx(found.roc_auc.value)
    assert rungs["picture only"].inside.value == pytest.approx(found.inside.value)
    assert {rung.auc.n for rung in review.ladder} == {N}
    assert review.rule == "likes > 100"
    assert review.split == SplitFacts(Split.ACCOUNT, Split.ACCOUNT, 5, None)
    assert (review.labelled, review.high) == (N, int((posts["likes"] > 100).sum()))
    assert review.finding == Finding("better", found.inside)
    assert review.curves.heads == 5
    assert review.curves.frozen.called == sum(row[1] for row in found.confusion)
    assert review.curves.frozen.precision == found.precision
    assert review.notes == ()


def test_a_picture_that_tells_nothing_is_said_to():
    """In the finding of the first screen."""
    posts = world()
    noise = np.random.default_rng(9).random(N)
    review = review_scored(posts, card(), scored(posts, score=noise), never).review
    assert review.finding.kind == "chance"


def test_only_posts_that_nobody_saw_are_measured():
    """The others are labelled, scored and guessed all the same."""
    posts = world()
    unseen = np.arange(N) % 20 < 10
    reviewed = review_scored(posts, card(), scored(posts, unseen=unseen), never)
    assert reviewed.decided["evaluated"].tolist() == unseen.tolist()
    assert reviewed.review.evaluation.n == unseen.sum()
    assert {rung.auc.n for rung in reviewed.review.ladder} == {unseen.sum()}
    assert reviewed.decided["label"].notna().all()
    assert reviewed.decided["guess"].notna().all()


def test_a_post_without_a_picture_is_labelled_and_not_measured():
    """It has neither score nor threshold nor guess nor head."""
    posts = world()
    told = scored(posts)
    told.loc[:9, ["score", "unseen"]] = [np.nan, False]
    reviewed = review_scored(posts, card(), told, never)
    bare = reviewed.decided[:10]
    assert bare[["guess", "head", "score", "threshold"]].isna().all(axis=None)
    assert bare["label"].notna().all()
    assert not bare["evaluated"].any()
    assert (reviewed.review.evaluation.n, reviewed.review.labelled) == (N - 10, N)


def test_an_unknown_post_is_scored_and_neither_labelled_nor_measured():
    """It is counted by its reason, the commonest first."""
    posts = world()
    posts.loc[0, "likes"] = -1
    posts.loc[1:2, ["likes", "likes_given"]] = [np.nan, None]
    reviewed = review_scored(posts, card(), scored(posts), never)
    unknown = reviewed.decided[:3]
    assert unknown["label"].isna().all()
    assert unknown["reason"].tolist() == ["hidden", "empty", "empty"]
    assert unknown["score"].notna().all()
    assert unknown["guess"].notna().all()
    assert not unknown["evaluated"].any()
    review = reviewed.review
    assert list(review.unknown.items()) == [("empty", 2), ("hidden", 1)]
    assert (review.labelled, review.evaluation.n) == (N - 3, N - 3)
    assert reviewed.decided["reason"][3:].isna().all()


def test_too_young_is_by_the_card():
    """The age that the classifier was trained with holds for what it scores."""
    posts = world()
    posts["collected_at"] = posts["posted_at"] + pd.Timedelta(hours=50)
    for hours, labelled in ((48.0, N), (51.0, 0)):
        given = card(min_age_hours=hours)
        assert review_scored(posts, given, scored(posts), never).review.labelled == labelled


def test_the_bar_is_that_of_the_head_that_answers():
    """A bar that was learned is part of a head: the same likes may be high by one and low by one.

    The kept bars hold, whatever the top of these very posts would be.
    """
    posts = world(likes_given=["120"] * N)
    posts["likes"] = 120.0
    bars = {"fold_1": 110.0, "fold_2": 130.0, "fold_3": 110.0, "fold_4": 130.0, "fold_5": 130.0}
    given = card(rule="top 30%", bars=bars)
    decided = review_scored(posts, given, scored(posts), never).decided
    heads = decided["head"]
    assert decided["bar"].tolist() == [bars[head] for head in heads]
    assert (decided["label"] == "high").tolist() == [bars[head] < 120 for head in heads]


def test_an_account_median_has_no_bar():
    """The label is made within each account, and nothing is kept."""
    posts = world()
    given = card(rule="above account median", bars=dict.fromkeys((HEAD, *FOLDS)))
    decided = review_scored(posts, given, scored(posts), never).decided
    assert decided["bar"].isna().all()
    medians = posts.groupby("account")["likes"].transform("median")
    assert (decided["label"] == "high").tolist() == (posts["likes"] > medians).tolist()


def test_the_threshold_is_that_of_the_head_that_answers():
    """Heads are not equally free with high: 0.5 is high to one and low to another."""
    posts = world()
    thresholds = {"fold_1": 0.4, "fold_2": 0.6, "fold_3": 0.5, "fold_4": 0.4, "fold_5": 0.4}
    reviewed = review_scored(
        posts, card(thresholds=thresholds), scored(posts, score=np.full(N, 0.5)), never
    )
    decided = reviewed.decided
    assert decided["threshold"].tolist() == [thresholds[head] for head in decided["head"]]
    high = [thresholds[head] < 0.5 for head in decided["head"]]
    assert (decided["guess"] == "high").tolist() == high
    found = reviewed.review.evaluation
    assert sum(row[1] for row in found.confusion) == sum(high)


def test_other_rungs_learn_from_other_accounts():
    """By account they must not know one that they are tested on, however little of it is."""
    posts, told = world(), scored(world(), unseen=np.arange(N) % 3 > 0)
    review = review_scored(posts, card(), told, never).review
    high, codes = (posts["likes"] > 100).to_numpy(), account_codes(posts)
    tests = [((told["head"] == fold) & told["unseen"]).to_numpy() for fold in FOLDS]
    exams = [Exam(~np.isin(codes, codes[test]), test, high) for test in tests]
    picture = np.where(told["unseen"], told["score"], np.nan)
    assert review.ladder == ladder(posts, exams, codes, picture, account_mean=False)


def test_by_time_other_rungs_learn_from_what_came_before():
    """One head, one exam; accounts are on both sides, so that their mean is a rung."""
    posts = world()
    late = (posts["posted_at"] >= CUT).to_numpy()
    tested = late & (np.arange(N) % 3 > 0)
    told = scored(posts, head=[HEAD] * N, unseen=tested)
    review = review_scored(posts, card("time", cut=CUT), told, never).review
    high = (posts["likes"] > 100).to_numpy()
    picture = np.where(tested, told["score"], np.nan)
    assert review.ladder == ladder(
        posts, [Exam(~late, tested, high)], account_codes(posts), picture, account_mean=True
    )
    assert review.evaluation.n == tested.sum()
    assert "account mean" in [rung.name for rung in review.ladder]


def test_at_random_other_rungs_learn_from_all_other_posts():
    """Also from those of the same account, which is what a random split is worth."""
    posts, told = world(), scored(world())
    review = review_scored(posts, card("random"), told, never).review
    high = (posts["likes"] > 100).to_numpy()
    tests = [(told["head"] == fold).to_numpy() for fold in FOLDS]
    exams = [Exam(~test, test, high) for test in tests]
    picture = told["score"].to_numpy()
    assert review.split.kind is Split.RANDOM
    assert review.ladder == ladder(posts, exams, account_codes(posts), picture, account_mean=False)


def test_a_classifier_of_one_head_is_measured_on_what_it_has_not_seen():
    """A network from nothing has one fold of accounts to answer for."""
    posts = world()
    unseen = (posts["account"] == "shop_3").to_numpy() | (posts["account"] == "shop_4").to_numpy()
    told = scored(posts, head=[HEAD] * N, unseen=unseen)
    reviewed = review_scored(posts, card(heads=()), told, never)
    assert reviewed.review.evaluation.n == unseen.sum() == 40
    assert set(reviewed.decided["head"]) == {HEAD}


def test_few_accounts_are_drawn_by_picture():
    """An interval over two accounts would only look like one."""
    posts = world(account=[f"shop_{number % 2}" for number in range(N)])
    review = review_scored(posts, card("random"), scored(posts), own).review
    assert review.evaluation.roc_auc.units == N


def test_few_posts_are_a_caution():
    """Forty-nine evaluated posts are few, fifty are not."""
    posts = world()
    for count, notes in (
        (50, (Note("left_out", n=150),)),
        (49, (Note("left_out", n=151), Note("few_measured", n=49))),
    ):
        told = scored(posts, unseen=np.arange(N) < count)
        assert review_scored(posts, card(), told, never).review.notes == notes


@pytest.mark.parametrize(("threshold", "always"), [(0.0, "high"), (1.0, "low")])
def test_a_classifier_that_says_one_thing_is_told(threshold, always):
    """It is never left to a reader of the confusion matrix."""
    posts = world()
    given = card(thresholds=dict.fromkeys((HEAD, *FOLDS), threshold))
    notes = review_scored(posts, given, scored(posts), never).review.notes
    assert notes == (Note("always", text=always),)


def test_the_fallback_of_the_training_comes_first():
    """A reader must know that the split is not the one that was asked for."""
    posts = world()
    given = card("random", fallback="Only four accounts are known.", known=4)
    told = scored(posts, unseen=np.arange(N) < 20)
    notes = review_scored(posts, given, told, never).review.notes
    assert [note.code for note in notes] == ["few_accounts", "left_out", "few_measured"]
    assert notes[0].n == 4


def test_the_fallback_of_an_older_card_is_its_sentence():
    """Such a card has no number of accounts; who has neither has no fallback."""
    posts = world()
    sentence = "Only four accounts are known."
    for given, notes in (
        (card("random", fallback=sentence), (Note("said", text=sentence),)),
        (card("random"), ()),
    ):
        assert review_scored(posts, given, scored(posts), never).review.notes == notes


def test_a_score_that_gives_the_likes_away_is_a_caution():
    """No picture knows so much; and times that say nothing are counted."""
    posts = world().assign(time_unread=np.arange(N) < 3)
    told = scored(posts, score=(posts["likes"] > 100).to_numpy() * 0.5 + 0.2)
    notes = review_scored(posts, card(), told, never).review.notes
    assert notes == (Note("times_unread", n=3), Note("suspicious", value=1.0))


def test_without_a_ladder_the_picture_is_still_judged():
    """Posts after the cut alone teach the other rungs nothing; the classifier needs no teaching."""
    posts = world()
    late = world()[100:].reset_index(drop=True)
    told = scored(posts)[100:].reset_index(drop=True).assign(head=HEAD)
    review = review_scored(late, card("time", cut=CUT), told, never).review
    assert review.ladder == ()
    assert review.notes[0] == Note("no_ladder_one_class")
    assert review.evaluation.n == 100
    assert review.finding.kind in {"better", "chance"}


def test_nothing_to_measure_is_said():
    """No post is new to the classifier: labels and guesses are there, figures are not."""
    posts = world()
    review = review_scored(posts, card(), scored(posts, unseen=np.zeros(N, bool)), never).review
    assert review.evaluation is None
    assert review.ladder == ()
    assert review.curves is None
    assert review.finding == Finding("none_new")
    assert review.notes[0] == Note("no_ladder_test")
    assert review.labelled == N


def test_no_posts_are_no_error():
    """An empty CSV is as good as another."""
    posts = world()[:0]
    for given in (card(), card("time", cut=CUT), card("random", rule="above account median")):
        reviewed = review_scored(posts, given, scored(posts), lambda: np.empty(0, np.int64))
        assert reviewed.decided.empty
        assert (reviewed.review.labelled, reviewed.review.high) == (0, 0)
        assert reviewed.review.evaluation is None


@pytest.mark.parametrize("split", list(Split))
def test_metadata_are_measured_on_the_trials_of_the_split(split):
    """What a division tests is what the ladder is measured on, by the bar of its own training."""
    posts, rule = world(), Rule.parse("top 30%")
    posts["likes"] = np.random.default_rng(1).permutation(N) + 30.0 * (np.arange(N) % 10)
    posts.loc[::9, "likes"] = -1
    reviewed = review_metadata(posts, rule, TWO_DAYS, split)
    known = pd.isna(labels.unknown(posts, rule, TWO_DAYS))
    labelled = posts[known].reset_index(drop=True)
    division = divide(split, labelled, preliminary(labelled, rule), np.arange(len(labelled)))
    parts = questions(labelled, rule, division)
    decided = reviewed.decided[known].reset_index(drop=True)
    for trial, part in zip(division.trials, parts, strict=True):
        test = decided[trial.test]
        assert set(test["bar"]) == {labels.bar(rule, labelled, trial.train)}
        assert (test["label"] == "high").tolist() == part.exam.high[trial.test].tolist()
    assert len({part.bar for part in parts}) > 1 or split is not Split.ACCOUNT
    assert not decided["evaluated"].any()
    review = reviewed.review
    exams = [
        Exam(trial.train | trial.validation, trial.test, part.exam.high)
        for trial, part in zip(division.trials, parts, strict=True)
    ]
    codes = account_codes(labelled)
    mean = split is Split.TIME
    assert review.ladder == ladder(labelled, exams, codes, None, account_mean=mean)
    assert (review.split, review.notes) == (division.facts, ())


def test_metadata_alone_score_nothing():
    """Unknown posts have a reason, the others a label; nobody looked at a picture."""
    posts = world()
    posts.loc[0, "likes"] = -1
    reviewed = review_metadata(posts, Rule.parse("likes > 100"), TWO_DAYS, Split.ACCOUNT)
    decided, review = reviewed.decided, reviewed.review
    assert decided[["score", "threshold", "guess", "head"]].isna().all(axis=None)
    assert decided["label"].isna().tolist() == [True] + [False] * (N - 1)
    assert decided["reason"][0] == "hidden"
    assert not decided["evaluated"][0]
    assert (review.labelled, dict(review.unknown)) == (N - 1, {"hidden": 1})
    assert review.high == (posts["likes"] > 100).sum() == (decided["label"] == "high").sum()
    assert review.evaluation is None
    assert review.finding == Finding("metadata")


def test_metadata_of_few_accounts_say_so():
    """The fallback is a note."""
    posts = world(account=[f"shop_{number % 2}" for number in range(N)])
    review = review_metadata(posts, Rule.parse("likes > 100"), TWO_DAYS, Split.ACCOUNT).review
    assert review.split == SplitFacts(Split.RANDOM, Split.ACCOUNT, 5, None)
    assert review.notes[0] == Note("few_accounts", n=2)


def test_metadata_of_an_account_median_have_no_bar():
    """A label without a bar is told from one whose bar is 0."""
    posts = world()
    rule = Rule.parse("above account median")
    decided = review_metadata(posts, rule, TWO_DAYS, Split.ACCOUNT).decided
    assert decided["bar"].isna().all()
    assert set(decided["label"]) == {"low", "high"}


def test_metadata_of_too_few_posts_are_refused():
    """The words are those of the division."""
    with pytest.raises(ValueError, match="0 labelled posts are too few"):
        review_metadata(world()[:0], Rule.parse("likes > 100"), TWO_DAYS, Split.ACCOUNT)
