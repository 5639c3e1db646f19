"""What a report of posts shows, and that every figure on its page is one that it was given."""

import json
import re
from dataclasses import asdict, fields, replace

import duckdb
import pytest

from catalog.models.artefact import load_card, save_card
from engagement import ladder
from engagement.bootstrap import Auc
from engagement.labels import Unknown
from reports.classifier import Area, classifier_card
from reports.draw import draw_classifier, draw_engagement
from reports.engagement import SHOWN, engagement_report
from reports.measures import measures
from reports.pages import Drawings, engagement_page
from reports.wording import REASONS, RUNGS, rule_in_words
from sql.publish import publish
from sql.store import Store
from tests.engagement_world import METADATA, REVIEW, post_world

TOP = "with the most likes, by a bar that training posts set"
DASH = "\N{EN DASH}"
FIGURES = ("precision", "recall", "f1", "accuracy", "majority", "pr_auc", "brier", "ece")


@pytest.fixture(scope="module")
def posts(tmp_path_factory):
    """A store of posts of every lot."""
    return post_world(tmp_path_factory.mktemp("posts"))


@pytest.fixture(scope="module")
def page(posts):
    """The page of a run with a classifier."""
    return draw_engagement(posts.connection, posts.run, REVIEW, posts.folder, posts.picture)


@pytest.fixture(scope="module")
def trained(posts):
    """The page of a classifier that was just trained."""
    return draw_classifier(posts.folder, REVIEW)


def text_of(page):
    """What a page says, without its markup, drawings and contents list."""
    unsaid = r"<(style|svg|nav)\b.*?</\1>"
    said = re.sub(unsaid, " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", said))


def told(posts, review):
    """The text of the page about another review of the same posts, without drawings."""
    report = engagement_report(posts.connection, posts.run, review)
    return text_of(engagement_page(report, None, {}, Drawings()))


def test_surest_mistakes_come_first_then_a_few_of_each(posts):
    """The grid has at most so many of each lot, and none that was learned from."""
    samples = engagement_report(posts.connection, posts.run, REVIEW).samples
    lots = [sample.lot for sample in samples]
    assert lots == ["wrong"] * 12 + ["right"] * 8 + ["unknown"] * 4
    assert [sample.id for sample in samples[:3]] == ["wrong19", "wrong18", "wrong17"]
    right = [sample.id for sample in samples if sample.lot == "right"]
    assert right != sorted(right, key=lambda name: int(name[5:]))
    assert all(sample.picture and sample.threshold == 0.5 for sample in samples)
    assert (samples[0].likes, samples[0].label, samples[0].guess) == (12_019, "high", "low")
    assert (samples[0].right, samples[12].right, samples[-1].right) == (False, True, None)


def test_nothing_to_compare_shows_what_was_learned_from(tmp_path):
    """Where no scored post is new to the model, some are shown and none is called right."""
    posts = post_world(tmp_path, lots={"seen": 20, "unknown": 2})
    report = engagement_report(posts.connection, posts.run, REVIEW)
    assert [sample.lot for sample in report.samples] == ["unknown"] * 2 + ["seen"] * SHOWN["seen"]
    assert not report.compared
    page = draw_engagement(posts.connection, posts.run, REVIEW, None, posts.picture)
    assert "nothing here can be compared" in page
    assert "is-right" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)


def test_leftovers_are_those_of_posts(posts):
    """Refused rows and lost pictures of products with the same source are none of a post's."""
    left = engagement_report(posts.connection, posts.run, REVIEW).left
    assert [reason.reason for reason in left.reject_reasons] == ["duplicate_id", "id_empty"]
    assert [(failure.id, failure.to_replace) for failure in left.failures] == [("A post", True)]
    assert left.sentence == "Left to do: 2 rows to correct in the CSV, 1 picture to replace."


def test_other_source_has_nothing_of_this_one(posts):
    """A report concerns one source only."""
    report = engagement_report(posts.connection, replace(posts.run, source="other"), REVIEW)
    assert (report.samples, report.bars, report.left.failures) == ((), None, ())


def test_queries_fit_the_views_of_an_empty_store(posts, tmp_path):
    """A store without a single post has a report with nothing in it."""
    store = Store(tmp_path / "store")
    store.runs.mkdir(parents=True)
    publish(store, [])
    with duckdb.connect(str(store.database), read_only=True) as connection:
        report = engagement_report(connection, posts.run, METADATA)
    assert (report.samples, report.left.rejects, report.bars) == ((), (), None)


def test_first_screen_has_its_order(page):
    """What was read, the finding, what high means, the split, the notes; then the ladder."""
    said = text_of(page)
    places = [
        said.index(each)
        for each in (
            "2,233 rows in the CSV",
            REVIEW.finding,
            "More than 10,000 likes.",
            REVIEW.split,
            REVIEW.notes[0],
            "Followers only",
            "The classifier on its own",
            "Posts whose likes are unknown",
            "the surest mistakes first",
            "What is left to do",
            "The model: engagement/1",
            "Method and limits",
        )
    ]
    assert places == sorted(places)
    assert said.count(REVIEW.notes[0]) == 1  # the card has it as well


def test_counts_are_those_of_the_run(page):
    """Each tile shows the whole and its parts."""
    said = text_of(page)
    for each in (
        *("accepted 2,231", "rejected 2", "fetched 2,101", "cached 127", "failed 1"),
        *("scored 2,230", "unscored 1", "labelled 2,009", "unknown 222"),
        *("2,017: 907 high, 1,110 low", "4 posts read as they did"),
    ):
        assert each in said, each


def test_ladder_says_what_each_rung_got(page, trained):
    """A row has the area, interval, posts and units, of all posts and inside accounts."""
    for said in map(text_of, (page, trained)):
        assert "0.853 0.812 to 0.894 2,011 39 0.500 0.500 to 0.500 1,912 38" in said, (
            "followers only"
        )
        assert "0.623 0.574 to 0.665 2,011 39 0.611 0.562 to 0.653 1,912 38" in said, "picture only"
        assert f"0.500 {DASH} 2,011 39 0.500 {DASH} 1,912 38" in said, "majority"


def test_ladder_is_drawn_to_scale(page):
    """Chance is a sixth along the scale from 0.4 to 1, and so is an area of one half."""
    assert "left: 16.7%" in page
    assert '<i class="dot" style="--value: 16.7%">' in page
    assert '<i class="range" style="--low: 68.7%; --high: 82.3%">' in page


def test_classifier_says_every_figure(page, trained):
    """Each figure stands beside what knowing nothing would get."""
    for said in map(text_of, (page, trained)):
        for each in (
            "2,011 posts that the scoring head had not seen, 905 of them high (base rate 45.0%)",
            "ROC-AUC 0.623 0.575 to 0.666 0.500 chance",
            "ROC-AUC inside accounts 0.612 0.563 to 0.654 0.500 chance",
            f"PR-AUC 0.571 {DASH} 0.450 base rate",
            f"Precision of high 58.2% {DASH} 45.0% base rate",
            f"Recall of high 61.4% {DASH} {DASH}",
            f"F1 of high 0.598 {DASH} 0.621 always high",
            f"Accuracy 60.2% {DASH} 55.0% majority",
            f"Brier score 0.233 {DASH} 0.248 base rate as score",
            f"Calibration error (ECE) 0.026 {DASH} {DASH}",
            f"Threshold 0.413 to 0.524 {DASH} {DASH}",
            "Of 905 high posts 556 were called high and 349 low.",
            "Of 1,106 low posts 655 were called low and 451 high.",
            "0.313 29.1% 1,006 0.585 60.8% 1,005",
        ):
            assert each in said, each


@pytest.mark.parametrize("name", FIGURES)
def test_another_figure_makes_another_page(posts, name):
    """Positive control: no figure of the page stands in the template."""
    review = replace(REVIEW, evaluation=replace(REVIEW.evaluation, **{name: 0.7777}))
    assert not re.search(r"0\.778|77\.8%", told(posts, REVIEW))
    assert re.search(r"0\.778|77\.8%", told(posts, review))


@pytest.mark.parametrize("name", ["auc", "inside"])
@pytest.mark.parametrize("field", ["value", "low", "high", "n", "units"])
def test_another_area_makes_another_ladder(posts, name, field):
    """The same of every cell of the ladder."""
    rung = REVIEW.ladder[-1]
    number, shown = (77_777, "77,777") if field in {"n", "units"} else (0.7777, "0.778")
    other = replace(rung, **{name: replace(getattr(rung, name), **{field: number})})
    assert shown not in told(posts, REVIEW)
    assert shown in told(posts, replace(REVIEW, ladder=(*REVIEW.ladder[:-1], other)))


def test_undefined_figures_are_dashes(posts):
    """What could not be measured is an en dash, and neither a 0 nor None."""
    nothing = Auc(None, None, None, 12, 0)
    blank = dict.fromkeys(FIGURES) | {"roc_auc": nothing, "inside": nothing}
    evaluation = replace(REVIEW.evaluation, n=12, high=0, reliability=(), **blank)
    rungs = tuple(replace(rung, auc=nothing, inside=nothing) for rung in REVIEW.ladder)
    said = told(posts, replace(REVIEW, evaluation=evaluation, ladder=rungs))
    assert f"{DASH} {DASH} 12 0 {DASH} {DASH} 12 0" in said
    assert f"ROC-AUC {DASH} {DASH} 0.500 chance" in said
    assert f"Recall of high {DASH} {DASH} {DASH}" in said
    assert "None" not in said
    assert "nan" not in said.lower()
    values = [each.value for each in measures(evaluation)]
    assert values == [None] * len(values)


def test_unknown_likes_are_told_with_their_reason(page):
    """Each reason has its count and a sentence that needs no code to be understood."""
    said = text_of(page)
    assert "222 posts have likes that say nothing" in said
    assert "Likes hidden 171 The count is negative" in said
    assert "Too young 42" in said
    assert "Account hides its likes 9" in said
    assert "too_young" not in said


def test_post_is_told_by_its_likes_and_by_its_picture(page):
    """A card has account, caption, likes, label or reason, guess and score."""
    said = text_of(page)
    assert "A post A post · wrong19 ✗ picture says low 0.30 likes say high 12,019 likes" in said
    assert "✓ picture says low" in said
    assert "unknown: likes hidden" in said
    assert "not a fair sample" in said
    assert page.count("data:image/jpeg") == 24


def test_metadata_page_has_no_word_of_a_classifier(posts):
    """Without pictures there are the ladder and the posts, and no section with nothing in it."""
    run = replace(posts.run, model=None, counts={**posts.run.counts, "pictures": 0})
    bare = replace(run, source="other")
    page = draw_engagement(posts.connection, bare, METADATA, None, posts.picture)
    said = text_of(page)
    assert "metadata only" in said
    assert METADATA.finding in said
    assert "Followers only" in said
    for absent in (
        *("Picture only", "The classifier", "pictures fetched", "scored", "ROC-AUC and PR-AUC"),
        *("Out of fold", "fine-tuning", "The model", "picture says"),
    ):
        assert absent.lower() not in said.lower(), absent
    assert "Nothing: every row was accepted" in said


def test_page_without_a_ladder_says_why(posts):
    """Where there is no ladder its note stands in the first screen, and no empty table below."""
    note = "There is no ladder: no labelled post is new to the classifier."
    said = told(posts, replace(REVIEW, ladder=(), evaluation=None, notes=(note,), unknown={}))
    assert note in said
    for absent in ("What it goes by", "on its own", "Posts whose likes"):
        assert absent not in said


def test_classifier_page_tells_its_training(trained):
    """How it was made, how it learned, what it saw, and what fine-tuning means."""
    said = text_of(trained)
    for each in (
        *("Computed in float32", "Least age of a labelled post 48 hours", "Epochs at most 40"),
        *("Fine-tuned last 50 layers", "fold 2 10,000 0.524", "engagement 87.5% 75.0% 75.0%"),
        *("on one fold only (fold 1)", "Frozen 0.593 0.541 to 0.644 401 8"),
        *("Fine-tuned 0.604 0.553 to 0.656 401 8", "It was better on the validation posts"),
        *("as it saw them", "Engagement : accuracy 90%"),
    ):
        assert each in said, each
    assert "all attributes together" not in said.lower()


@pytest.mark.parametrize("kept", [True, False, None])
def test_fine_tuning_that_was_not_kept_says_so(posts, tmp_path, kept):
    """One that did not help is told, and one that never was leaves no section."""
    card = load_card(posts.folder)
    said = dict(card.metrics["fine_tuning"], kept=kept)
    if not kept:
        del said["frozen"]
    metrics = dict(card.metrics, fine_tuning=None if kept is None else said)
    save_card(tmp_path, replace(card, metrics=metrics))
    text = text_of(draw_classifier(tmp_path, REVIEW))
    assert ("no better on the validation posts" in text) == (kept is False)
    assert ("Frozen, kept" in text) == (kept is False)
    assert ("What fine-tuning came to" in text) == (kept is not None)


def test_older_card_shows_less(posts, tmp_path):
    """A classifier whose card lacks what is told here still has a page."""
    card = load_card(posts.folder)
    save_card(tmp_path, replace(card, settings={}, metrics={}, split={}))
    assert classifier_card(load_card(tmp_path)).thresholds is None
    assert "How it was made" in draw_classifier(tmp_path, REVIEW)


def test_real_training_leaves_all_of_it(tiny_classifier):
    """What a training really wrote is read: heads, thresholds, choices, curves and pictures."""
    classifier = classifier_card(load_card(tiny_classifier))
    assert [head.name for head in classifier.heads][:2] == ["engagement", "fold_1"]
    assert None not in [head.threshold for head in classifier.heads]
    said = text_of(draw_classifier(tiny_classifier, REVIEW))
    for each in ("Computed in float32", "How it learned", "as it saw them", "layer by layer"):
        assert each in said, each
    assert ("What fine-tuning came to" in said) == (classifier.fine_tuning is not None)


def test_card_keeps_an_area_as_it_is_read():
    """What a training writes of an area has the fields that are read back."""
    auc = Auc(0.6, 0.5, 0.7, 10, 5)
    assert asdict(Area(**json.loads(json.dumps(asdict(auc))))) == asdict(auc)
    assert [each.name for each in fields(Area)] == [each.name for each in fields(Auc)]


def test_every_name_has_words():
    """Each reason and each rung that there can be is told in words."""
    assert set(REASONS) == set(Unknown)
    names = ("MAJORITY", "FOLLOWERS", "ACCOUNT_MEAN", "TIME", "PICTURE", "TOGETHER")
    assert set(RUNGS) == {getattr(ladder, name) for name in names}


@pytest.mark.parametrize(
    ("rule", "bars", "words"),
    [
        ("likes > 10_000", None, "More than 10,000 likes."),
        ("rate > 0.03", (0.03, 0.03), "More than 0.03 likes per follower."),
        ("top 30%", None, f"The 30% {TOP}."),
        ("top 12.5%", (5120.0, 5120.0), f"The 12.5% {TOP}: more than 5,120 likes."),
        (
            "top 30%",
            (5120.0, 5230.0),
            f"The 30% {TOP}: more than 5,120 to 5,230 likes, as each fold has its own.",
        ),
        (
            "above account median",
            None,
            "More likes than the median of the account's own posts with known likes.",
        ),
    ],
)
def test_rule_is_told_in_words(rule, bars, words):
    """Every form of a rule reads as a sentence, a learned one with its bar."""
    assert rule_in_words(rule, bars) == words
