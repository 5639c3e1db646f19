"""What is high, what is unknown and why, and that a bar knows its training rows only."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engagement.labels import Unknown, bar, high, unknown
from engagement.rules import FORMS, Rule
from tests.feed import feed

LIKES = Rule("likes", 10_000)
RATE = Rule("rate", 0.03)
TOP = Rule("top", 30)
MEDIAN = Rule("median", None)
TWO_DAYS = timedelta(hours=48)


def everyone(posts):
    """Every row of the frame."""
    return np.ones(len(posts), bool)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("likes > 10000", LIKES),
        ("likes > 10_000", LIKES),
        ("likes>10,000", LIKES),
        (" Likes  >  10000.0 ", LIKES),
        ("rate > 0.03", RATE),
        ("top 30%", TOP),
        ("top 12.5 %", Rule("top", 12.5)),
        ("above account median", MEDIAN),
        ("above  Account median", MEDIAN),
    ],
)
def test_a_rule_is_read_as_people_write_it(text, rule):
    """Spaces, case and thousands marks make no difference."""
    assert Rule.parse(text) == rule


@pytest.mark.parametrize(
    "text",
    [
        "",
        "likes",
        "likes > many",
        "likes > -1",
        "likes >= 10000",
        "likes > 10000 or so",
        "likes > nan",
        "rate > 0,03",
        "likes > 1,00",
        "top 0%",
        "top 100%",
        "top 30",
        "comments > 3",
        "above median",
    ],
)
def test_what_is_no_rule_is_refused_with_the_forms(text):
    """The message shows the four forms that there are."""
    with pytest.raises(ValueError, match="above account median") as refusal:
        Rule.parse(text)
    assert FORMS in str(refusal.value)


@given(
    st.one_of(
        st.builds(Rule, st.just("likes"), st.integers(0, 10**12).map(float)),
        st.builds(Rule, st.just("rate"), st.floats(0, 1e12)),
        st.builds(Rule, st.just("top"), st.floats(0, 100, exclude_min=True, exclude_max=True)),
        st.just(MEDIAN),
    )
)
@settings(max_examples=50, deadline=None)
def test_a_rule_reads_back_what_it_prints(rule):
    """The card keeps the rule as text, and nothing of it is lost."""
    assert Rule.parse(str(rule)) == rule


def test_the_text_of_a_rule_is_canonical():
    """Whole amounts have no decimals and small ones no exponent."""
    texts = ["likes > 10000", "rate > 0.03", "top 30%", "above account median", "rate > 0.000001"]
    assert [str(Rule.parse(text)) for text in texts] == texts


def test_only_a_share_is_learned():
    """The other rules need no posts to be what they are."""
    assert [rule.learned for rule in (LIKES, RATE, TOP, MEDIAN)] == [False, False, True, False]


def test_likes_that_say_nothing_are_unknown():
    """Hidden, blank and unreadable counts are told apart; none and many are known."""
    posts = feed(
        [-1, None, None, np.inf, 0, 20_000], likes_given=["-1", None, "many", "inf", "0", "2e4"]
    )
    assert unknown(posts, LIKES, TWO_DAYS).tolist() == [
        Unknown.HIDDEN,
        Unknown.EMPTY,
        Unknown.NOT_A_NUMBER,
        Unknown.NOT_A_NUMBER,
        None,
        None,
    ]


def test_a_reason_stays_an_unknown():
    """The reasons are values of the enumeration, not their text."""
    assert isinstance(unknown(feed([-1]), LIKES, TWO_DAYS)[0], Unknown)


def test_an_account_that_is_mostly_three_hides_its_likes():
    """Where 3 is the single commonest count, every post of the account is unknown."""
    posts = feed([3, 3, 900, 3, 3, 900, 900], account=["a", "a", "a", "b", "b", "b", "b"])
    assert unknown(posts, LIKES, TWO_DAYS).tolist() == [*[Unknown.ACCOUNT_HIDES] * 3, *[None] * 4]


def test_three_by_chance_is_a_number_like_any_other():
    """A tie with another count is no mode, nor are posts without an account one account."""
    posts = feed([3, 3, 8, 8, 3, 3], account=["a", "a", "a", "a", None, None])
    assert unknown(posts, LIKES, TWO_DAYS).tolist() == [None] * 6


def test_hidden_counts_are_no_number_of_likes():
    """An account with more hidden counts than threes still hides behind 3."""
    posts = feed([-1, -1, -1, 3, 3, 700], account=["a"] * 6)
    why = unknown(posts, LIKES, TWO_DAYS).tolist()
    assert why == [*[Unknown.HIDDEN] * 3, *[Unknown.ACCOUNT_HIDES] * 3]


def test_a_post_needs_time_to_be_liked():
    """Younger than the least age is unknown, exactly that old is not, and no time is no reason."""
    posts = feed(
        [1, 1, 1, 1, 1],
        posted_at=["2026-01-01T01:00", "2026-01-01", "2026-01-04", None, "2026-01-02"],
        collected_at=["2026-01-03", "2026-01-03", "2026-01-03", "2026-01-03", None],
    )
    young = Unknown.TOO_YOUNG
    assert unknown(posts, LIKES, TWO_DAYS).tolist() == [young, None, young, None, None]


def test_a_rate_needs_followers():
    """None and unknown followers give no rate, and matter for no other rule."""
    posts = feed([5, 5, 5], followers=[0, None, 100])
    none = Unknown.NO_FOLLOWERS
    assert unknown(posts, RATE, TWO_DAYS).tolist() == [none, none, None]
    assert unknown(posts, LIKES, TWO_DAYS).tolist() == [None] * 3


def test_a_median_needs_an_account_with_known_posts():
    """Five known posts are enough; a hidden one does not count, and keeps its own reason."""
    posts = feed(
        [1, 2, 3, 4, 5, 1, 2, 3, 4, -1, 9, 9],
        account=[*["a"] * 5, *["b"] * 5, "c", None],
    )
    few = Unknown.FEW_POSTS
    assert unknown(posts, MEDIAN, TWO_DAYS).tolist() == [
        *[None] * 5,
        *[few] * 4,
        Unknown.HIDDEN,
        few,
        Unknown.NO_ACCOUNT,
    ]


@pytest.mark.parametrize("rule", [LIKES, RATE, TOP, MEDIAN])
def test_no_posts_have_no_labels(rule):
    """An empty table is no fault."""
    posts = feed([])
    assert unknown(posts, rule, TWO_DAYS).tolist() == []
    assert high(posts, everyone(posts), rule, bar(rule, posts, everyone(posts))).tolist() == []


def test_nothing_is_learned_from_nothing():
    """Without training rows there is no bar, and nothing is high."""
    posts = feed([1, 2, 3])
    assert bar(TOP, posts, ~everyone(posts)) is None
    assert not high(posts, everyone(posts), TOP, None).any()


@pytest.mark.parametrize(
    ("rule", "of"), [(TOP, 3), (Rule("top", 45), 9), (Rule("top", 55), 11), (Rule("top", 5), 1)]
)
def test_the_top_share_is_that_share(rule, of):
    """Of ten (or twenty) different counts, just so many are above the bar."""
    posts = feed(range(10 if rule == TOP else 20))
    assert high(posts, everyone(posts), rule, bar(rule, posts, everyone(posts))).sum() == of


def test_a_share_is_not_lost_in_rounding():
    """29 % of a hundred posts are 29, though 100 * 0.29 is a little less as a float."""
    posts = feed(range(100))
    rule = Rule("top", 29)
    assert high(posts, everyone(posts), rule, bar(rule, posts, everyone(posts))).sum() == 29


def test_ties_with_the_bar_are_low():
    """At most the top 30 % are high: what ties with the best post below them is not."""
    posts = feed([1, 2, 3, 4, 5, 5, 5, 5, 8, 9])
    assert bar(TOP, posts, everyone(posts)) == 5
    assert high(posts, everyone(posts), TOP, 5).tolist() == [False] * 8 + [True] * 2


@given(st.lists(st.integers(0, 50), min_size=1), st.floats(1, 99), st.randoms())
@settings(max_examples=50, deadline=None)
def test_the_bar_never_leaves_its_rows(likes, share, random):
    """A learned bar is the same whatever the posts outside the training rows got."""
    rows = np.array([random.random() < 0.5 for _ in likes])
    other = [like if here else 10**6 - like for like, here in zip(likes, rows, strict=True)]
    rule = Rule("top", share)
    learned = bar(rule, feed(likes), rows)
    assert learned == bar(rule, feed(other), rows)
    if rows.any():
        above = (np.array(likes)[rows] > learned).mean()
        assert above <= share / 100 + 1e-9


def test_high_is_more_than_the_bar():
    """Equal to the bar is low, and so is every unknown post."""
    posts = feed([10_000, 10_001, 20_000], followers=[10_000, 0, 1_000_000])
    known = np.array([True, True, False])
    assert high(posts, known, LIKES, 10_000).tolist() == [False, True, False]
    assert high(posts, everyone(posts), RATE, 0.02).tolist() == [True, True, False]


def test_the_median_is_the_accounts_own_and_of_known_posts():
    """A big account's low post has more likes than a small one's high post."""
    posts = feed(
        [1, 2, 3, 4, 5, 100, 200, 300, 400, 500, 9_999],
        account=[*["small"] * 5, *["big"] * 6],
    )
    known = posts["likes"].to_numpy() != 9_999
    expected = [*[False] * 3, True, True, *[False] * 3, True, True, False]
    assert high(posts, known, MEDIAN, bar(MEDIAN, posts, known)).tolist() == expected


def test_an_account_that_never_changes_has_no_high_post():
    """Nothing is above the median of equal counts."""
    posts = feed([7] * 6, account=["a"] * 6)
    assert not high(posts, everyone(posts), MEDIAN, None).any()
