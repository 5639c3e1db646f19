"""What reports say of posts besides the classifier: counted by hand, from a store of few posts."""

import subprocess
import sys
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime

import duckdb
import numpy as np
import pytest

from catalog.models.calibration import Bin
from engagement.findings import Cutoff, Split
from reports.change import Paired
from reports.engagement import (
    ClassifierReport,
    EngagementReport,
    Moved,
    SizeBand,
    classifier_report,
    engagement_report,
    headline_of,
)
from reports.headline import Figure
from reports.hours import Hour, level_of, outstanding
from reports.language import LANGUAGES, language
from reports.post_findings import (
    calibration_finding,
    extremes_finding,
    hours_finding,
    recall_finding,
    size_in_words,
    sizes_finding,
)
from reports.post_verdict import changed, done, next_steps
from reports.results import RunFacts
from reports.stored import as_rows, revive
from sql.manifests import read_all
from sql.publish import publish
from sql.store import Store
from tests.engagement_world import METADATA, REVIEW, post_world
from tests.report_world import NOW
from tests.warehouse import add_rows, add_run

ENGLISH = language("en")
RUN = RunFacts("2", "shop", "shop.csv", NOW, 1.0, "0.1.0", None, {"posts": 9})
OLD, NEW = "engagement/1", "engagement/2"


def store_of(place, *nights):
    """A store of runs over posts; a night is its tables, each with its rows."""
    store = Store(place / "store")
    for number, tables in enumerate(nights, start=1):
        writers = [add_rows(store, str(number), *table) for table in tables.items()]
        add_run(store, str(number), *writers, job="engage")
    publish(store, read_all(store))
    return store


def gathered(place, *nights, before=None, review=REVIEW):
    """The report of the newest night of such a store."""
    with duckdb.connect(str(store_of(place, *nights).database), read_only=True) as connection:
        return engagement_report(connection, RUN, review, before)


def night(posts, **same):
    """Posts and decisions of one night, from rows that say both."""
    rows = [{"id": f"p{number:03}", **same, **row} for number, row in enumerate(posts)]
    decisions = ("label", "reason", "score", "threshold", "guess", "head", "evaluated")
    kept = (*decisions, "model", "rule", "bar", "pictures")
    about = ("account", "likes", "followers", "comments", "posted_at", "caption")
    return {
        "posts": [{name: row[name] for name in ("id", *about) if name in row} for row in rows],
        "engagement": [{name: row[name] for name in ("id", *kept) if name in row} for row in rows],
    }


def liked(likes, account="a", **other):
    """A labelled post with so many likes."""
    return {"likes": likes, "account": account, "label": "low", **other}


def test_best_posts_are_those_above_their_account(tmp_path):
    """A small shop's hit is better than a large one's usual post; medians are of known likes."""
    posts = [liked(likes, "large") for likes in (1000, 1000, 1000, 1100, 900)]
    posts += [liked(likes, "@Small ") for likes in (10, 10, 10, 40)] + [liked(1, "small")]
    posts += [liked(9_999, "few") for _ in range(4)] + [liked(7, None)]
    posts += [{"likes": -1, "account": "small", "reason": "hidden"}]
    posts += [{"likes": 99_999, "account": "small", "reason": "too_young"}]
    extremes = gathered(tmp_path, night(posts)).extremes
    best, worst = ([post for post in extremes if post.side == side] for side in ("best", "worst"))
    assert [(post.likes, post.times) for post in best[:2]] == [(40, 4.0), (1100, 1.1)]
    assert [(post.likes, post.times) for post in worst[:2]] == [(1, 0.1), (900, 0.9)]
    assert {post.account for post in extremes} == {"large", "@Small ", "small"}
    assert len({post.id for post in extremes}) == len(extremes) == 10
    assert len(best) == 5


def test_without_known_accounts_likes_alone_rank_posts(tmp_path):
    """Nothing else can be said; six at each end, none twice, the best first."""
    report = gathered(tmp_path, night([liked(likes, f"shop_{likes}") for likes in range(20)]))
    assert [post.likes for post in report.extremes if post.side == "best"] == [*range(19, 13, -1)]
    assert [post.likes for post in report.extremes if post.side == "worst"] == [*range(6)]
    assert {post.times for post in report.extremes} == {None}


def test_an_account_without_likes_has_no_multiple(tmp_path):
    """A median of nothing divides nothing."""
    posts = [liked(likes) for likes in (0, 0, 0, 0, 5)]
    assert {post.times for post in gathered(tmp_path, night(posts)).extremes} == {None}


def test_predicted_stands_beside_real(tmp_path):
    """Right and wrong are told of what was measured; what was learned from proves nothing."""
    scored = {"score": 0.75, "threshold": 0.5, "guess": "high", "pictures": ["sha"]}
    posts = [
        liked(9, evaluated=True, **scored),
        liked(8, evaluated=True, **scored | {"label": "high"}),
        liked(7, evaluated=False, **scored),
    ]
    extremes = gathered(tmp_path, night(posts)).extremes
    assert [post.right for post in extremes] == [False, True, None]
    assert {(post.score, post.threshold, post.picture) for post in extremes} == {(0.75, 0.5, "sha")}


def test_rates_by_account_size(tmp_path):
    """Likes and comments over followers: median and middle half of each band that has posts."""
    posts = [
        liked(likes, account, followers=followers, comments=comments)
        for account, followers, likes, comments in (
            ("a", 999, 0, 999),
            ("a", 500, 100, 0),
            ("b", 100, 0, 0),
            ("c", 1_000, 10, 10),
            ("d", 2_000_000, 40_000, None),
            ("d", 2_000_000, 20_000, -1),
            ("e", 0, 5, 5),
            ("f", None, 5, 5),
        )
    ]
    posts += [{"likes": 3, "account": "b", "followers": 100, "reason": "account_hides"}]
    small, middle, large = gathered(tmp_path, night(posts)).sizes
    assert (small.least, small.posts, small.accounts, small.uncommented) == (0, 3, 2, 0)
    assert (small.quarter, small.median, small.three_quarters) == pytest.approx((0.1, 0.2, 0.6))
    assert (middle.least, middle.posts, middle.median) == (1_000, 1, 0.02)
    assert (large.least, large.posts, large.accounts, large.uncommented) == (1_000_000, 2, 1, 2)
    assert large.median == pytest.approx(0.015)
    names = [size_in_words(ENGLISH, band) for band in (small, middle, large)]
    assert names == ["fewer than 1,000", "1,000 to 9,999", "1,000,000 or more"]


def band(least, median, posts=20, accounts=3):
    """A band of followers."""
    return SizeBand(least, posts, accounts, 0, median / 2, median, median * 2)


def test_sizes_of_few_posts_or_accounts_are_not_compared():
    """One post of a small account has by far the greatest rate, and is not the headline."""
    bands = (band(0, 0.9, posts=1, accounts=1), band(1_000, 0.03), band(10_000, 0.02))
    assert sizes_finding(ENGLISH, bands) == (
        "The median post engages 3.00% of the followers where an account has 1,000 to 9,999,"
        " 2.00% where it has 10,000 to 99,999"
    )
    assert sizes_finding(ENGLISH, bands[:2]) == (
        "The median post engages 3.00% of the followers where an account has 1,000 to 9,999;"
        " other sizes have too few posts or accounts"
    )
    for few in (band(0, 0.9, posts=19), band(0, 0.9, accounts=2)):
        assert sizes_finding(ENGLISH, (few,)) == (
            "No size has posts and accounts enough to be compared"
        )


def test_equal_sizes_are_told_as_equal():
    """Two bands are not one of all accounts, and what is written the same is not set apart."""
    for other in (0.012, 0.01201):
        assert sizes_finding(ENGLISH, (band(0, 0.012), band(1_000, other))) == (
            "The median post engages 1.20% of the followers, whatever the size of the account"
        )
    assert sizes_finding(ENGLISH, (band(0, 0.012),)) == (
        "The median post engages 1.20% of the followers; all accounts have fewer than 1,000"
    )


def hourly(*hours, accounts=5):
    """Posts of hours: (hour, posts, high of them), of so many accounts in turn."""
    return [
        liked(
            1,
            f"shop_{number % accounts}",
            posted_at=datetime(2026, 1, 1 + number, hour, 59, tzinfo=UTC),
            label=label,
        )
        for hour, count, high in hours
        for number, label in enumerate(["high"] * high + ["low"] * (count - high))
    ]


def test_hours_are_in_utc_and_few_posts_are_not_crowned(tmp_path):
    """Two hours are judged, at 97.5 % each; nineteen posts that were all high are shown only."""
    posts = [*hourly((3, 19, 19), (8, 20, 5), (23, 25, 20)), liked(1)]
    posts += [{"likes": -1, "reason": "hidden", "posted_at": NOW}]
    hours = gathered(tmp_path, night(posts)).hours
    assert [(each.hour, each.posts, each.high, each.accounts) for each in hours] == [
        (3, 19, 19, 5),
        (8, 20, 5, 5),
        (23, 25, 20, 5),
    ]
    assert level_of(hours) == pytest.approx(0.975)
    # By hand: z = 2.2414, z*z = 5.0239; (0.8 + 5.0239 / 50) / (1 + 5.0239 / 25) = 0.7498, and
    # 2.2414 * sqrt(0.8 * 0.2 / 25 + 5.0239 / 2500) / 1.20096 = 0.1712.
    assert hours[2].interval(0.975) == pytest.approx((0.5786, 0.9210), abs=2e-4)
    assert hours_finding(ENGLISH, hours) == (
        "No hour stands out: the best, 23:00 UTC, has 80% high posts (97.5% interval: 58% to 92%),"
        " all together 69%"
    )


def test_an_hour_that_stands_out_is_named(tmp_path):
    """Its whole interval is above the share of all posts."""
    hours = gathered(tmp_path, night(hourly((8, 25, 5), (19, 25, 20)))).hours
    assert hours_finding(ENGLISH, hours) == (
        "Posts of 19:00 UTC stand out: 80% of them were high (97.5% interval: 58% to 92%), of all"
        " posts 50%"
    )
    nobody = gathered(tmp_path / "few", night(hourly((8, 5, 5)))).hours
    assert hours_finding(ENGLISH, nobody) == (
        "No hour has posts and accounts enough to be called the best"
    )


def test_posts_of_few_accounts_make_no_hour_the_best(tmp_path):
    """Thirty posts of four accounts are four shops' habits; nobody knows whose the others are."""
    posts = hourly((8, 30, 3), (19, 30, 27), accounts=4)
    posts += [post | {"account": None} for post in hourly((20, 30, 27))]
    posts += [post | {"account": "@Shop_1 "} for post in hourly((19, 1, 1))]
    hours = gathered(tmp_path, night(posts)).hours
    assert [each.accounts for each in hours] == [4, 4, 0]
    assert outstanding(hours) is None


def test_a_small_hour_does_not_hide_one_that_stands_out():
    """At 03:00 12 of 20 were high, which may be chance; at 18:00 300 of 500, which is not."""
    hours = (Hour(3, 20, 12, 5), Hour(9, 500, 150, 9), Hour(18, 500, 295, 9))
    assert outstanding(hours).hour == 18
    assert outstanding((Hour(3, 60, 50, 5), *hours[1:])).hour == 3, "the greatest share that passes"


def test_chance_seldom_makes_an_hour_the_best():
    """Where no hour is better than another, one in twenty pages at most names an hour."""
    random = np.random.default_rng(0)
    named = 0
    for _ in range(400):
        high = random.binomial(60, 0.4, 24)
        hours = [Hour(hour, 60, int(count), 9) for hour, count in enumerate(high)]
        named += outstanding(hours) is not None
    assert level_of(hours) == pytest.approx(1 - 0.05 / 24)
    assert named <= 20


def decided(label="high", guess="high", **other):
    """A measured post."""
    known = {"score": 0.5, "threshold": 0.4, "head": "fold_1", "evaluated": True, "model": OLD}
    return {"likes": 5, "label": label, "guess": guess, "bar": 10.0, "pictures": ["s"]} | (
        known | other
    )


BEFORE = [decided(), decided(), decided(), decided("low"), decided(), decided(), decided("low")]
BEFORE += [decided(None, evaluated=False)]
BEFORE += [decided(None, evaluated=False, reason="too_young"), decided()]
AFTER = [
    decided(),
    decided("low"),
    decided("low", bar=12.0),
    decided("high", rule="top 30%", bar=7.0),
    decided(guess="low", model=NEW),
    decided(guess="low", pictures=["t"]),
    decided("low", guess="low", head="fold_2"),
    decided("low"),
    decided("low", bar=12.0),
    decided(None, evaluated=False, reason="too_young"),
    decided(),
]


def test_what_moved_is_told_with_its_cause(tmp_path):
    """Labels move by the rule, the bar, the age or the likes; guesses by model, picture or head."""
    change = gathered(tmp_path, night(BEFORE), night(AFTER), before="1").change
    assert set(change.moved) == {
        Moved("label", "likes", "high", "low", 1),
        Moved("label", "bar", "high", "low", 1),
        Moved("label", "rule", "low", "high", 1),
        Moved("label", "age", None, "low", 1),
        Moved("label", "likes", None, "low", 1),
        Moved("label", "age", "high", None, 1),
        Moved("guess", "model", "high", "low", 1),
        Moved("guess", "picture", "high", "low", 1),
        Moved("guess", "head", "high", "low", 1),
    }
    assert change.new == 1


def test_only_posts_measured_both_times_are_paired(tmp_path):
    """By one rule and bar, and by today's label: one was wrong and is right, two are wrong now."""
    change = gathered(tmp_path, night(BEFORE), night(AFTER), before="1").change
    assert change.paired == Paired(None, n=5, mended=1, broken=2, stands=2)
    assert change.paired.then.right == 3


def test_other_likes_mend_no_answer(tmp_path):
    """A guess that stays is neither mended nor broken, whatever its post's likes came to."""
    nights = night([decided(), decided("low")]), night([decided("low"), decided()])
    report = gathered(tmp_path, *nights, before="1")
    assert report.change.paired == Paired(None, n=2, mended=0, broken=0, stands=1)
    assert changed(ENGLISH, report)[0] == (
        "Of 2 posts measured both times by the same rule the same 1 are called rightly, by the"
        " likes of today."
    )


def test_answers_by_another_rule_are_not_paired(tmp_path):
    """All ten were right by one rule and are wrong by the other: nothing can be said."""
    then, now = [decided()] * 10, [decided("low", rule="top 30%")] * 10
    report = gathered(tmp_path, night(then), night(now), before="1")
    assert report.change.paired.n == 0
    assert not any("measured both times" in said for said in changed(ENGLISH, report))


def test_one_paired_post_is_one_post(tmp_path):
    """The sentence agrees with its number."""
    report = gathered(tmp_path, night([decided()]), night([decided(guess="low")]), before="1")
    assert changed(ENGLISH, report)[0] == (
        "Of 1 post measured both times by the same rule 1 was called rightly then and 0 now, by the"
        " likes of today: 0 became right, 1 wrong."
    )


def test_the_run_before_is_the_state_then(tmp_path):
    """Rows of earlier runs count where that run wrote none, rows of later ones never do."""
    nights = night([decided(), decided()]), night([decided("low")]), night([decided()])
    store = store_of(tmp_path, *nights)
    with duckdb.connect(str(store.database), read_only=True) as connection:
        since = {
            before: engagement_report(connection, RUN, REVIEW, before).change.moved
            for before in ("1", "2")
        }
    assert since == {"1": (), "2": (Moved("label", "likes", "low", "high", 1),)}


def measured_before(**other):
    """What a run left of its figures."""
    rows = [
        {"metric": metric, "value": value, "low": value - 0.05, "high": value + 0.05, "n": 900}
        for metric, value in (("roc_auc", 0.6), ("roc_auc_inside_accounts", 0.55), ("f1", 0.4))
    ]
    return {"engagement_evaluation": [row | {"model": OLD} | other for row in rows]}


def test_figures_then_stand_beside_figures_now(tmp_path):
    """Where both are about the same rule."""
    report = gathered(
        tmp_path, night(BEFORE) | measured_before(), night(AFTER), before="1", review=REVIEW
    )
    assert {figure.name for figure in report.change.figures} == {"roc_auc", "roc_auc_inside"}
    assert (report.change.model, report.change.rule) == (OLD, "likes > 10000")
    areas, answers, moved = changed(ENGLISH, report)
    assert areas == (
        "The ROC-AUC inside accounts was 0.550 (0.500 to 0.600) in the run before and is 0.612"
        " (0.563 to 0.654) now."
    )
    assert answers == (
        "Of 5 posts measured both times by the same rule 3 were called rightly then and 2 now, by"
        " the likes of today: 1 became right, 2 wrong."
    )
    assert moved == (
        "Posts that are new: 1; with another label than before: 6; with another guess: 3."
    )


def test_areas_of_another_split_are_not_compared(tmp_path):
    """A split at random knows the accounts: its area says something else."""
    then = measured_before(split="random")
    report = gathered(tmp_path, night(BEFORE) | then, night(AFTER), before="1")
    assert report.change.split is Split.RANDOM
    said = " ".join(changed(ENGLISH, report))
    assert "another split kept training and test apart" in said
    assert "0.550" not in said


def test_figures_of_another_rule_are_not_compared(tmp_path):
    """High meant something else."""
    then = measured_before(rule="top 30%")
    report = gathered(tmp_path, night(BEFORE) | then, night(AFTER), before="1")
    said = " ".join(changed(ENGLISH, report))
    assert "meant something else (top 30%)" in said
    assert "0.550" not in said


def test_a_first_run_has_nothing_to_compare_with(tmp_path):
    """It says so."""
    report = gathered(tmp_path, night(BEFORE))
    assert report.change is None
    assert changed(ENGLISH, report) == (
        "There is no earlier run over these posts to compare with.",
    )


def test_every_finding_is_followed_by_advice(tmp_path):
    """Rows and pictures first, then what the finding is good for."""
    posts = post_world(tmp_path)
    report = engagement_report(posts.connection, posts.run, REVIEW, None)
    steps = next_steps(ENGLISH, report)
    assert len(steps) == 3
    assert steps[-1].startswith("Use the score to choose among pictures of one account")
    bare = engagement_report(posts.connection, posts.run, METADATA, None)
    assert "without --metadata-only" in next_steps(ENGLISH, bare)[-1]
    assert next_steps(ENGLISH, replace(bare, pictured=0))[-1] == (
        "Give posts with pictures to learn whether the pictures matter."
    )


def test_posts_with_a_picture_are_counted(tmp_path):
    """Those of the CSV as it is, and not whether anybody looked."""
    rows = [{"id": "a", "pictures": ["a.jpg"]}, {"id": "b"}]
    gone = {"id": "c", "pictures": ["c.jpg"], "gone": True}
    assert gathered(tmp_path, {"posts": [*rows, gone]}).pictured == 1


def test_known_likes_that_the_rule_can_not_use_are_not_called_unknown(tmp_path):
    """A post without an account has likes, and no label by its account's median."""
    posts = post_world(tmp_path)
    report = engagement_report(posts.connection, posts.run, REVIEW, None)
    for run in (posts.run, replace(posts.run, model=None)):
        said = done(ENGLISH, replace(report, run=run))
        assert "2,009 are labelled (907 of them high), 222 can't be." in said


def test_calibration_is_told_beside_chance():
    """By hand: one bin of 25 at 0.5 is sqrt(2 / pi) * 0.1 = 0.08 off on average, seldom 0.18."""
    within = replace(REVIEW.evaluation, reliability=(Bin(0.5, 0.6, 25),), ece=0.1)
    assert calibration_finding(ENGLISH, within) == (
        "On average a score is 10.0 points away from the share of such posts that was high, no more"
        " than chance may give with so many posts (on average 8.0)"
    )
    beyond = replace(within, reliability=(Bin(0.5, 0.7, 25),), ece=0.2)
    assert calibration_finding(ENGLISH, beyond).endswith(
        "was high, more than chance gives with so many posts (on average 8.0)"
    )


def test_tied_scores_have_no_highest_posts():
    """The last threshold that calls some post high is told, and none where there is none."""
    none, some = Cutoff(0.5, 0.5, 0, None, 0.0, 0.0), Cutoff(0.4, 0.4, 30, 0.5, 0.3, 0.4)
    tied = replace(REVIEW.curves, cutoffs=(none,))
    assert recall_finding(ENGLISH, tied, REVIEW.evaluation) == (
        "Most posts share the highest score, which doesn't tell them apart"
    )
    partly = replace(tied, cutoffs=(some, none))
    assert recall_finding(ENGLISH, partly, REVIEW.evaluation) == (
        "Of the 30 posts with the highest scores 50% were high, of all posts 45%"
    )


def test_one_post_that_is_compared_is_one(tmp_path):
    """The sentence agrees with its number."""
    posts = [liked(9, evaluated=True, score=0.75, threshold=0.5, guess="high")]
    assert extremes_finding(ENGLISH, gathered(tmp_path, night(posts)).extremes) == (
        "Of the best and worst posts 1 can be compared, and the picture told 0 rightly"
    )


def test_the_headline_is_about_the_picture():
    """The area inside accounts comes first; without a classifier there is none."""
    inside, whole = headline_of(REVIEW).figures
    assert inside == Figure("roc_auc_inside", 0.6117, 0.5628, 0.6539, 1912)
    assert (whole.name, whole.value) == ("roc_auc", 0.6234)
    assert headline_of(METADATA).figures == ()


def plain(value):
    """Whether a value is made of nothing but what a store keeps."""
    if is_dataclass(value):
        return all(plain(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, tuple):
        return all(map(plain, value))
    if isinstance(value, dict):
        return all(isinstance(name, str) and plain(each) for name, each in value.items())
    # numpy's float64 is a float, and is none of ours
    known = (int, float, str, bool, datetime, type(None))
    return type(value) in known or isinstance(value, str)


@pytest.mark.parametrize("review", [REVIEW, METADATA])
def test_a_report_is_kept_and_comes_back(tmp_path, review):
    """What is drawn later is what was gathered, times and all."""
    nights = night(BEFORE) | measured_before(), night([*AFTER, *hourly((8, 25, 5))])
    report = gathered(tmp_path, *nights, before="1", review=review)
    assert plain(report)
    for kept, kind in ((report, EngagementReport), (classifier_report(review), ClassifierReport)):
        rows = as_rows("engage", "shop", kept)
        assert revive({row["part"]: row["value"] for row in rows}, kind) == kept
        assert sum(len(row["value"]) for row in rows) < 50_000


def test_long_texts_are_cut_before_they_are_kept(tmp_path):
    """A caption of a book is shown by its first line."""
    long = "n" * 5_000
    posts = [liked(5, long, caption=long, score=0.5, threshold=0.4, guess="high", id=long)]
    report = gathered(tmp_path, night(posts))
    for post in (*report.extremes, *report.samples):
        assert (len(post.id), len(post.account), len(post.caption)) == (80, 80, 160)
    assert max(len(row["value"]) for row in as_rows("engage", "shop", report)) < 10_000


@pytest.mark.parametrize("code", LANGUAGES)
def test_numbers_are_those_of_the_language(tmp_path, code):
    """A comma is a point elsewhere."""
    report = gathered(tmp_path, night(BEFORE) | measured_before(), night(AFTER), before="1")
    said = " ".join(changed(language(code), report))
    assert ("0,550" in said) == (code == "es")


def test_what_is_kept_is_read_without_pandas():
    """A page is drawn again from its figures; pandas takes a second, and a tagger needs none."""
    code = (
        "import sys, reports.engagement, reports.wording, reports.post_verdict, reports.classifier;"
        " sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
