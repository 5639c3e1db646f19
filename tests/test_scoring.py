"""Which head answers for a post, and whose answers may be counted."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from catalog.models.provenance import TEST_SCHEMA
from engagement import scoring
from engagement.classes import HEAD
from engagement.scoring import score_posts
from tests.cards import FOLDS, card
from tests.feed import feed

CUT = "2026-02-01T00:00:00+00:00"
ACCOUNTS = {"ann": "fold_1", "bob": "fold_2", "cyd": ""}


def posts(*pictures, **columns):
    """A post for each picture."""
    return feed([1] * len(pictures), **columns).assign(picture=pd.Series(pictures, dtype=object))


def said(trained_on, heads=FOLDS):
    """What was said of pictures a, b, …: the k-th head gives the n-th picture k/10 + n/100."""
    names = [HEAD, *heads]
    scores = {
        name: [place / 10 + row / 100 for row in range(len(trained_on))]
        for place, name in enumerate(names)
    }
    index = pd.Index([chr(97 + row) for row in range(len(trained_on))], name="picture")
    return pd.DataFrame(scores | {"trained_on": trained_on}, index=index)


def rows(scored):
    """Head, score and unseen of each post."""
    return [
        (row.head, pytest.approx(row.score, nan_ok=True), row.unseen)
        for row in scored.itertuples(index=False)
    ]


def trial(tested=(), chosen_by=()):
    """What a training was tested on, and what chose its epoch."""
    return scoring.Trial(dict(tested), set(chosen_by))


def test_the_head_that_never_saw_the_account_answers():
    """An account that no head saw is answered by the classifier's own, one that all saw too."""
    given = posts("a", "b", "c", "d", account=["bob", "ann", "new", "cyd"])
    scored = score_posts(given, card(accounts=ACCOUNTS), trial(), said([False] * 4))
    assert rows(scored) == [
        ("fold_2", 0.20, True),
        ("fold_1", 0.11, True),
        (HEAD, 0.02, True),
        (HEAD, 0.03, False),  # every head saw the account: nobody's answer counts
    ]


def test_a_picture_like_one_trained_on_is_scored_and_not_counted():
    """Whatever its account: a head may know the picture."""
    given = posts("a", "b", account=["ann", "new"])
    scored = score_posts(given, card(accounts=ACCOUNTS), trial(), said([True, True]))
    assert rows(scored) == [("fold_1", 0.10, False), (HEAD, 0.01, False)]


def test_a_post_of_the_training_is_counted_by_the_head_that_tested_it():
    """Other heads were trained on its picture, its own was not."""
    given = posts("a", "b", id=["p1", "p2"], account=["ann", "bob"])
    tested = {("p1", "a"): "fold_1", ("p2", "b"): "fold_2"}
    scored = score_posts(given, card(accounts=ACCOUNTS), trial(tested), said([True, True]))
    assert rows(scored) == [("fold_1", 0.10, True), ("fold_2", 0.21, True)]


def test_a_post_of_the_training_that_changed_hands_is_not_counted():
    """The head of its account of now learned from it under the account of then."""
    given = posts("a", "a", "a", id=["p1"] * 3, account=["bob", "new", None])
    tested = {("p1", "a"): "fold_1"}
    scored = score_posts(given, card(accounts=ACCOUNTS), trial(tested), said([True]))
    assert rows(scored) == [("fold_2", 0.2, False), (HEAD, 0.0, False), ("fold_1", 0.1, True)]


def test_another_picture_makes_another_post():
    """A post of the training whose picture was exchanged is no longer what was tested."""
    given = posts("b", id=["p1"], account=["ann"])
    tested = {("p1", "a"): "fold_1"}
    for known in (True, False):
        scored = score_posts(given, card(accounts=ACCOUNTS), trial(tested), said([True, known]))
        assert rows(scored) == [("fold_1", 0.11, not known)]


def test_a_post_without_account_counts_only_where_it_was_tested():
    """The head that tested it answers; of a new one nobody can say that its account is new."""
    given = posts("a", "b", id=["p1", "p2"])
    scored = score_posts(
        given, card(accounts=ACCOUNTS), trial({("p1", "a"): "fold_3"}), said([True, False])
    )
    assert rows(scored) == [("fold_3", 0.30, True), (HEAD, 0.01, False)]


def test_a_classifier_of_one_head_counts_the_accounts_of_one_fold():
    """A network from nothing saw all accounts but those of its test."""
    one = card(heads=(), accounts={"ann": HEAD, "cyd": ""})
    given = posts("a", "b", "c", "d", id=[*"wxyz"], account=["ann", "cyd", "new", "cyd"])
    tested = {("w", "a"): HEAD}
    scored = score_posts(given, one, trial(tested), said([True, True, False, False], heads=()))
    assert set(scored["head"]) == {HEAD}
    assert scored["unseen"].tolist() == [True, False, True, False]


def test_a_split_by_time_counts_what_came_after_the_cut():
    """From that moment on; a post whose time is unknown is on no side."""
    times = ["2026-02-01", "2026-01-31T23:59:59Z", None, "2026-03-01", "2026-03-01"]
    given = posts(*"abcde", id=[*"vwxyz"], account=["ann"] * 5, posted_at=times)
    tested = {("z", "e"): HEAD}
    scored = score_posts(
        given,
        card("time", cut=CUT),
        trial(tested),
        said([False, False, False, True, True], heads=()),
    )
    assert scored["head"].tolist() == [HEAD] * 5
    assert scored["unseen"].tolist() == [True, False, False, False, True]


def test_a_random_split_asks_for_the_picture_alone():
    """Posts of the training go to the head that tested them, new ones to the classifier's own."""
    given = posts("a", "b", "c", id=[*"xyz"], account=["ann"] * 3)
    scored = score_posts(
        given, card("random"), trial({("x", "a"): "fold_4"}), said([True, False, True])
    )
    assert rows(scored) == [("fold_4", 0.40, True), (HEAD, 0.01, True), (HEAD, 0.02, False)]


def test_a_post_without_a_picture_has_no_score():
    """Nor one whose picture was not looked at; it is never counted."""
    given = posts("a", None, "z", account=["ann"] * 3)
    tested = {("p00001", None): "fold_1"}
    scored = score_posts(given, card(accounts=ACCOUNTS), trial(tested), said([False]))
    assert np.isfinite(scored["score"]).tolist() == [True, False, False]
    assert scored["unseen"].tolist() == [True, False, False]


def test_nothing_looked_at_and_no_posts_are_no_error():
    """Where there is nothing there is nothing to count."""
    scored = score_posts(posts("a", None), card(), trial(), said([]))
    assert scored["score"].isna().all()
    assert not scored["unseen"].any()
    assert score_posts(posts(), card(), trial(), said([False])).empty
    assert score_posts(posts(), card("time", cut=CUT), trial(), said([], heads=())).empty


def test_a_training_is_reviewed_by_its_test_scores():
    """Each post has the score that tested it; the others have none, and are not counted."""
    given = posts("a", "b", "c", id=["p1", "p2", "p3"])
    tested = [
        {"picture": "b", "id": "p2", "head": "fold_2", "truth": "high", "scores": [0.25, 0.75]},
        {"picture": "x", "id": "p3", "head": "fold_3", "truth": "low", "scores": [0.5, 0.5]},
    ]
    scored = scoring.tested_posts(given, pa.Table.from_pylist(tested, TEST_SCHEMA))
    assert rows(scored) == [(HEAD, np.nan, False), ("fold_2", 0.75, True), (HEAD, np.nan, False)]
