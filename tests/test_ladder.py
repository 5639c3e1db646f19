"""Every rung learns from the training rows and is measured on the same test rows."""

import numpy as np
import pandas as pd
import pytest

from engagement.folds import account_codes
from engagement.ladder import Exam, ladder
from tests.feed import feed

N = 600
TOLD = ["majority", "followers only", "time of posting", "picture only", "all together"]


def world(**columns):
    """Posts of 30 accounts, whose followers, hour and picture each have a part in the likes."""
    random = np.random.default_rng(5)
    account = np.arange(N) % 30
    followers = np.exp(random.normal(11, 1, size=30))[account]
    at = pd.Timestamp("2026-01-05", tz="UTC") + pd.to_timedelta(random.integers(9_000, size=N), "h")
    picture = random.random(N)
    evening = np.cos((at.hour.to_numpy() - 19) / 24 * 2 * np.pi)
    log = np.log(followers) - 11 + evening / 2 + 2 * (picture - 0.5) + random.normal(size=N) / 2
    posts = feed(
        np.exp(log + 9),
        **{
            "account": [f"shop_{code}" for code in account],
            "followers": followers,
            "posted_at": list(at),
            "caption": ["new #ootd" if number % 2 else None for number in range(N)],
        }
        | columns,
    )
    return posts, log > 0, picture


def by_account(posts, high):
    """Two exams over disjoint accounts."""
    even = np.isin(account_codes(posts) % 2, 0)
    return [Exam(even, ~even, high), Exam(~even, even, high)]


def climb(posts, high, picture, *, account_mean=False, exams=None):
    """The rungs by name."""
    exams = by_account(posts, high) if exams is None else exams
    rungs = ladder(posts, exams, account_codes(posts), picture, account_mean=account_mean)
    return {rung.name: rung for rung in rungs}


def test_each_rung_finds_what_it_goes_by():
    """Followers tell accounts apart, time and picture tell posts apart, together they do best."""
    rungs = climb(*world())
    assert list(rungs) == TOLD
    value = {name: rung.auc.value for name, rung in rungs.items()}
    assert value["majority"] == 0.5
    assert 0.65 < value["followers only"] < value["all together"]
    assert value["time of posting"] > 0.55
    assert value["picture only"] > 0.55
    inside = {name: rung.inside.value for name, rung in rungs.items()}
    assert inside["majority"] == inside["followers only"] == 0.5
    assert inside["all together"] > inside["picture only"] > 0.65


def test_majority_has_no_interval():
    """It is one half by definition, not by measurement."""
    for auc in (climb(*world())["majority"].auc, climb(*world())["majority"].inside):
        assert (auc.value, auc.low, auc.high) == (0.5, None, None)


def test_all_rungs_are_on_the_same_posts():
    """A post whose picture has no score is tested on no rung."""
    posts, high, picture = world()
    picture[::7] = np.nan
    rungs = climb(posts, high, picture)
    assert {rung.auc.n for rung in rungs.values()} == {np.isfinite(picture).sum()}
    assert {rung.auc.units for rung in rungs.values()} == {30}


@pytest.mark.parametrize(
    ("columns", "gone"),
    [
        ({"followers": [None] * N}, "followers only"),
        ({"followers": [0] * N}, "followers only"),
        ({"posted_at": [None] * N}, "time of posting"),
    ],
)
def test_what_is_not_known_has_no_rung(columns, gone):
    """A column without a value is left out, also from the last rung."""
    assert list(climb(*world(**columns))) == [name for name in TOLD if name != gone]


@pytest.mark.parametrize("nothing", [None, np.full(N, np.nan)])
def test_without_pictures_the_ladder_is_of_metadata(nothing):
    """The rung of the picture is left out, and the last one goes by the rest."""
    posts, high, _ = world()
    rungs = climb(posts, high, nothing)
    assert list(rungs) == [name for name in TOLD if name != "picture only"]
    assert rungs["all together"].auc.n == N


def test_nothing_known_leaves_the_majority():
    """With no column at all there is no model, and nothing breaks."""
    posts, high, _ = world(followers=[None] * N, posted_at=[None] * N, caption=[None] * N)
    assert list(climb(posts, high, None)) == ["majority"]


def test_unknown_followers_are_told_by_a_flag():
    """A post without followers is scored, and what their absence means is learned."""
    posts, high, _ = world()
    hidden = high & (np.arange(N) % 2 == 0)
    one = climb(posts, high, None)["followers only"].auc
    posts.loc[hidden, "followers"] = [np.nan, 0] * (hidden.sum() // 2) + [0] * (hidden.sum() % 2)
    other = climb(posts, high, None)["followers only"].auc
    assert other.n == one.n
    assert other.value > one.value + 0.05


def test_comments_never_count():
    """They come after the likes: a column that gives the answer away changes nothing."""
    posts, high, picture = world()
    told = posts.assign(comments=high * 1_000.0)
    assert climb(told, high, picture) == climb(posts, high, picture)


def test_a_rung_learns_from_training_rows_only():
    """Turning the training labels round turns the score round; the test labels teach nothing."""
    posts, high, _ = world()
    even = np.isin(account_codes(posts) % 2, 0)
    right = climb(posts, high, None, exams=[Exam(even, ~even, high)])
    wrong = climb(posts, high, None, exams=[Exam(even, ~even, np.where(even, ~high, high))])
    for name in ("followers only", "time of posting", "all together"):
        assert wrong[name].auc.value == pytest.approx(1 - right[name].auc.value, abs=1e-3)


def test_each_exam_has_its_own_labels():
    """A bar learned from the training rows of one exam is not that of another."""
    posts, high, picture = world()
    exams = by_account(posts, high)
    exams[1] = Exam(exams[1].train, exams[1].test, posts["likes"].to_numpy() > 20_000)
    one, other = (
        climb(posts, high, picture, exams=each) for each in (exams, by_account(posts, high))
    )
    assert one["picture only"].auc.value != other["picture only"].auc.value


def test_the_picture_is_not_taught_by_posts_without_an_honest_score():
    """Training posts whose score is missing are left out of the last rung, not taken for zero."""
    posts, high, picture = world()
    early = np.arange(N) < 400
    exam = [Exam(early, ~early, high)]
    whole = climb(posts, high, picture, exams=exam)
    picture[:300] = np.nan
    part = climb(posts, high, picture, exams=exam)
    assert part["picture only"] == whole["picture only"]
    assert part["followers only"] == whole["followers only"]
    assert part["all together"].auc.value == pytest.approx(
        whole["all together"].auc.value, abs=0.03
    )
    picture[:400] = np.nan
    assert list(climb(posts, high, picture, exams=exam)) == TOLD[:-1]


def test_the_account_mean_knows_accounts_it_has_seen():
    """It is the share of high among its training posts; a new account gets that of all."""
    posts, high, _ = world()
    posts.loc[N - 30 :, "account"] = "new"
    early = np.arange(N) < 400
    rung = climb(posts, high, None, account_mean=True, exams=[Exam(early, ~early, high)])
    assert list(rung) == [*TOLD[:2], "account mean", "time of posting", "all together"]
    train = pd.DataFrame({"account": posts["account"], "high": high})[early]
    means = train.groupby("account")["high"].mean()
    score = posts["account"].map(means).fillna(train["high"].mean())[~early]
    pairs = np.subtract.outer(score[high[~early]].to_numpy(), score[~high[~early]].to_numpy())
    won = (np.sign(np.round(pairs, 9)) + 1) / 2
    assert rung["account mean"].auc.value == pytest.approx(won.mean())
    assert rung["account mean"].inside.value == 0.5


def test_the_account_mean_does_not_blind_the_last_rung():
    """Means that held a post's own label would be trusted above everything else."""
    posts, _, _ = world(account=[f"shop_{number // 2}" for number in range(N)])
    random = np.random.default_rng(2)
    followers = posts["followers"].to_numpy()
    high = np.log(followers) + random.normal(size=N) / 2 > np.log(followers).mean()
    test = np.arange(N) % 2 == 0
    rungs = climb(posts, high, None, account_mean=True, exams=[Exam(~test, test, high)])
    assert rungs["all together"].auc.value > rungs["followers only"].auc.value - 0.02


def test_inside_accounts_pairs_are_of_one_exam():
    """The account's mean says nothing inside accounts, though its folds differ."""
    posts, high, _ = world()
    fold = np.random.default_rng(1).integers(5, size=N)
    exams = [Exam(fold != each, fold == each, high) for each in range(5)]
    assert (
        climb(posts, high, None, account_mean=True, exams=exams)["account mean"].inside.value == 0.5
    )


@pytest.mark.parametrize("account_mean", [False, True])
def test_the_order_of_the_rows_changes_nothing(account_mean):
    """The very same figures, to the last bit."""
    posts, high, picture = world()
    exams, units = by_account(posts, high), account_codes(posts)
    order = np.random.default_rng(4).permutation(N)
    turned = [Exam(each.train[order], each.test[order], high[order]) for each in exams]
    assert ladder(posts, exams, units, picture, account_mean=account_mean) == ladder(
        posts.iloc[order].reset_index(drop=True),
        turned,
        units[order],
        picture[order],
        account_mean=account_mean,
    )


def test_swapping_high_and_low_mirrors_the_picture_and_no_more():
    """Models learn the other class as well; a given score is turned round."""
    posts, high, picture = world()
    one, other = climb(posts, high, picture), climb(posts, ~high, picture)
    assert other["picture only"].auc.value == pytest.approx(1 - one["picture only"].auc.value)
    for name in ("followers only", "time of posting", "all together"):
        assert other[name].auc.value == pytest.approx(one[name].auc.value, abs=1e-3)


def test_one_class_in_training_is_refused():
    """There is nothing to learn, and the message says so."""
    posts, high, picture = world()
    with pytest.raises(ValueError, match="nothing to tell apart"):
        climb(posts, high, picture, exams=[Exam(high, ~high, high)])


def test_one_class_in_the_test_has_no_area():
    """The rungs are there, without a value."""
    posts, high, picture = world()
    train = np.arange(N) < 400
    rungs = climb(posts, high, picture, exams=[Exam(train, ~train & high, high)])
    assert {rung.auc.value for rung in rungs.values()} == {None}
