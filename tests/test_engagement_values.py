"""What reports say of posts besides the classifier: counted by hand, from a store of few posts."""

import subprocess
import sys
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime

import duckdb
import pytest

from reports.change import Paired
from reports.engagement import (
    ClassifierReport,
    EngagementReport,
    Moved,
    classifier_report,
    engagement_report,
    headline_of,
)
from reports.headline import Figure
from reports.language import LANGUAGES, language
from reports.post_findings import hours_finding, size_in_words, sizes_finding
from reports.post_verdict import changed, next_steps
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
    assert "20.00% of the followers where an account has fewer than 1,000, 1.50%" in sizes_finding(
        ENGLISH, (small, middle, large)
    )


def hourly(*hours):
    """Posts of hours: (hour, posts, high of them)."""
    return [
        liked(1, posted_at=datetime(2026, 1, 1 + number, hour, 59, tzinfo=UTC), label=label)
        for hour, count, high in hours
        for number, label in enumerate(["high"] * high + ["low"] * (count - high))
    ]


def test_hours_are_in_utc_and_few_posts_are_not_crowned(tmp_path):
    """The interval is Wilson's; nineteen posts that were all high are shown and no more."""
    posts = [*hourly((3, 19, 19), (8, 20, 5), (23, 25, 20)), liked(1)]
    posts += [{"likes": -1, "reason": "hidden", "posted_at": NOW}]
    report = gathered(tmp_path, night(posts))
    assert [(each.hour, each.posts, each.high) for each in report.hours] == [
        (3, 19, 19),
        (8, 20, 5),
        (23, 25, 20),
    ]
    assert report.hours[2].interval == pytest.approx((0.60869, 0.91139), abs=1e-5)
    assert report.best_hour.hour == 23
    assert hours_finding(ENGLISH, report) == (
        "No hour stands out: the best, 23:00 UTC, has 80% high posts (61% to 91%), all together 69%"
    )


def test_an_hour_that_stands_out_is_named(tmp_path):
    """Its whole interval is above the share of all posts."""
    report = gathered(tmp_path, night(hourly((8, 25, 5), (19, 25, 20))))
    assert hours_finding(ENGLISH, report).startswith(
        "Posts of 19:00 UTC were high most often: 80% of them (61% to 91%)"
    )
    nobody = gathered(tmp_path / "few", night(hourly((8, 5, 5))))
    assert "No hour has posts enough" in hours_finding(ENGLISH, nobody)


def decided(label="high", guess="high", **other):
    """A measured post."""
    known = {"score": 0.5, "threshold": 0.4, "head": "fold_1", "evaluated": True, "model": OLD}
    return {"likes": 5, "label": label, "guess": guess, "bar": 10.0, "pictures": ["s"]} | (
        known | other
    )


BEFORE = [decided(), decided(), decided(), decided("low"), decided(), decided(), decided("low")]
BEFORE += [decided(None, evaluated=False)]
AFTER = [
    decided(),
    decided("low"),
    decided("low", bar=12.0),
    decided("high", rule="top 30%", bar=7.0),
    decided(guess="low", model=NEW),
    decided(guess="low", pictures=["t"]),
    decided("low", guess="low", head="fold_2"),
    decided("low"),
    decided(),
]


def test_what_moved_is_told_with_its_cause(tmp_path):
    """Labels move by the rule, the bar or the likes; guesses by model, picture or head."""
    change = gathered(tmp_path, night(BEFORE), night(AFTER), before="1").change
    assert set(change.moved) == {
        Moved("label", "likes", "high", "low", 1),
        Moved("label", "bar", "high", "low", 1),
        Moved("label", "rule", "low", "high", 1),
        Moved("label", "likes", None, "low", 1),
        Moved("guess", "model", "high", "low", 1),
        Moved("guess", "picture", "high", "low", 1),
        Moved("guess", "head", "high", "low", 1),
    }
    assert change.new == 1


def test_only_posts_measured_both_times_are_paired(tmp_path):
    """Two were wrong and are right; four were right and are wrong; the unknown one is left out."""
    change = gathered(tmp_path, night(BEFORE), night(AFTER), before="1").change
    assert change.paired == Paired(None, n=7, mended=2, broken=4, stands=3)
    assert change.paired.then.right == 5


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
    assert "7 posts measured both times 5 were called rightly then and 3 now: 2 became" in answers
    assert moved == (
        "Posts that are new: 1; with another label than before: 4; with another guess: 3."
    )


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
