"""What a report of posts shows, and that every figure on its page is one that it was given."""

import html
import re
from dataclasses import replace

import duckdb
import pytest

from catalog.models.artefact import load_card, save_card
from engagement.findings import Auc, Finding, Note
from reports import draw_posts
from reports.classifier import classifier_card
from reports.draw_posts import draw_classifier, draw_engagement
from reports.engagement import SHOWN, classifier_report, engagement_report
from reports.hours import Hour
from reports.language import LANGUAGES, language
from reports.leftovers import to_do
from reports.measures import measures
from reports.wording import finding_in_words, note_in_words, split_in_words
from sql.publish import publish
from sql.store import Store
from tests.engagement_world import METADATA, REVIEW, post_world
from tests.report_world import HOSTILE

ENGLISH = language("en")
DASH = "\N{EN DASH}"
FIGURES = ("precision", "recall", "f1", "accuracy", "majority", "pr_auc", "brier", "ece")


@pytest.fixture(scope="module")
def posts(tmp_path_factory):
    """A store of posts of every lot."""
    return post_world(tmp_path_factory.mktemp("posts"))


def report_of(posts, review=REVIEW):
    """What the page about a review of these posts shows."""
    return engagement_report(posts.connection, posts.run, review, None)


@pytest.fixture(scope="module")
def page(posts):
    """The page of a run with a classifier."""
    return draw_engagement(report_of(posts), posts.folder, posts.picture, ENGLISH)


@pytest.fixture(scope="module")
def trained(posts):
    """The page of a classifier that was just trained."""
    return draw_classifier(posts.folder, classifier_report(REVIEW), ENGLISH)


def text_of(page):
    """What a page says, without its markup, drawings and contents list."""
    unsaid = r"<(style|svg|nav)\b.*?</\1>"
    said = re.sub(unsaid, " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", said)))


@pytest.fixture
def told(posts, monkeypatch):
    """The text of the page about another review of the same posts, without drawings."""
    for drawn in ("_reviewed", "_of_posts"):
        monkeypatch.setattr(draw_posts, drawn, lambda *_: {})

    def tell(review):
        report = replace(report_of(posts, review), sizes=(), hours=())
        return text_of(draw_engagement(report, None, posts.picture, ENGLISH))

    return tell


def test_surest_mistakes_come_first_then_a_few_of_each(posts):
    """The grid has at most so many of each lot, and none that was learned from."""
    samples = report_of(posts).samples
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
    report = report_of(posts)
    assert [sample.lot for sample in report.samples] == ["unknown"] * 2 + ["seen"] * SHOWN["seen"]
    assert not report.compared
    page = draw_engagement(replace(report, extremes=()), None, posts.picture, ENGLISH)
    assert "nothing here can be compared" in page
    assert "is-right" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)


def test_leftovers_are_those_of_posts(posts):
    """Refused rows and lost pictures of products with the same source are none of a post's."""
    left = report_of(posts).left
    assert [reason.reason for reason in left.reject_reasons] == ["duplicate_id", "id_empty"]
    assert [(failure.id, failure.to_replace) for failure in left.failures] == [("A post", True)]
    assert to_do(left, ENGLISH) == (
        "Correct 2 rows of the CSV that were refused.",
        "Replace 1 picture that will not mend itself.",
    )


def test_other_source_has_nothing_of_this_one(posts):
    """A report concerns one source only."""
    other = replace(posts.run, source="other")
    report = engagement_report(posts.connection, other, REVIEW, "1")
    assert (report.samples, report.bars, report.left.failures) == ((), None, ())
    assert (report.extremes, report.sizes, report.hours) == ((), (), ())
    assert (report.change.moved, report.change.new, report.change.paired.n) == ((), 0, 0)


def test_queries_fit_the_views_of_an_empty_store(posts, tmp_path):
    """A store without a single post has a report with nothing in it."""
    store = Store(tmp_path / "store")
    store.runs.mkdir(parents=True)
    publish(store, [])
    with duckdb.connect(str(store.database), read_only=True) as connection:
        report = engagement_report(connection, posts.run, METADATA, "1")
    assert (report.samples, report.left.rejects, report.bars) == ((), (), None)
    assert "No picture has a score" in draw_engagement(report, None, posts.picture, ENGLISH)


def test_first_screen_has_its_order(page):
    """The finding, what was done, what high means, what changed, what is next; then the rest."""
    said = text_of(page)
    places = [
        said.index(each)
        for each in (
            finding_in_words(ENGLISH, REVIEW.finding),
            "2,231 posts were read: 2,230 are scored by their picture, 2,009 are labelled",
            "High is a post with more than 10,000 likes.",
            "There is no earlier run",
            "What to do next",
            "Correct 2 rows",
            "Use the score to choose among pictures of one account",
            split_in_words(ENGLISH, REVIEW.split),
            note_in_words(ENGLISH, REVIEW.notes[0]),
            "rows in the CSV",
            "Followers only",
            "The classifier on its own",
            "The model's own threshold",
            "Best and worst posts",
            "Posts that can't be labelled",
            "the surest mistakes first",
            "Refused rows",
            "The model: engagement/1",
            "Method and limits",
        )
    ]
    assert places == sorted(places)
    assert said.count(note_in_words(ENGLISH, REVIEW.notes[0])) == 1


def test_counts_are_those_of_the_run(page):
    """Each tile shows the whole and its parts."""
    said = text_of(page)
    for each in (
        *("accepted 2,231", "refused 2", "fetched 2,101", "known already 127", "failed 1"),
        *("scored 2,230", "unscored 1", "labelled 2,009", "not labelled 222"),
        *("2,017: 907 high, 1,110 low", "4 posts read as they did"),
    ):
        assert each in said, each


def test_ladder_says_what_each_rung_got(page, trained):
    """A row has the area, interval, posts and units, of all posts and inside accounts."""
    for said in map(text_of, (page, trained)):
        assert "0.853 0.812 to 0.894 2,011 39 0.500 0.500 1,912 38" in said, "followers only"
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
            "ROC-AUC 0.623 0.574 to 0.666 0.500 chance",
            "ROC-AUC inside accounts 0.612 0.563 to 0.654 0.500 chance",
            f"PR-AUC 0.571 {DASH} 0.450 base rate",
            f"Precision of high 58.2% {DASH} 45.0% base rate",
            f"Recall of high 61.4% {DASH} {DASH}",
            f"F1 of high 0.598 {DASH} 0.621 always high",
            f"Accuracy 60.2% {DASH} 55.0% majority",
            f"Brier score 0.233 {DASH} 0.248 base rate as score",
            f"Calibration error (ECE) 0.026 {DASH} 0.012 chance",
            f"Threshold 0.413 to 0.524 {DASH} {DASH}",
            "556 of 905 high posts were called high, and so were 451 of 1,106 low ones",
            "low 655 451 high 349 556",
            "On average a score is 2.6 points away",
            "no more than chance may give with so many posts (on average 1.2)",
            "0.313 29.1% 1,006 0.585 60.8% 1,005",
        ):
            assert each in said, each


@pytest.mark.parametrize("name", FIGURES)
def test_another_figure_makes_another_page(told, name):
    """Positive control: no figure of the page stands in the template."""
    review = replace(REVIEW, evaluation=replace(REVIEW.evaluation, **{name: 0.7777}))
    assert not re.search(r"0\.778|77\.8%", told(REVIEW))
    assert re.search(r"0\.778|77\.8%", told(review))


@pytest.mark.parametrize("name", ["auc", "inside"])
@pytest.mark.parametrize("field", ["value", "low", "high", "n", "units"])
def test_another_area_makes_another_ladder(told, name, field):
    """The same of every cell of the ladder."""
    rung = REVIEW.ladder[-1]
    number, shown = (77_777, "77,777") if field in {"n", "units"} else (0.7777, "0.778")
    other = replace(rung, **{name: replace(getattr(rung, name), **{field: number})})
    assert shown not in told(REVIEW)
    assert shown in told(replace(REVIEW, ladder=(*REVIEW.ladder[:-1], other)))


def test_undefined_figures_are_dashes(told):
    """What could not be measured is an en dash, and neither a 0 nor None."""
    nothing = Auc(None, None, None, 12, 0)
    blank = dict.fromkeys(FIGURES) | {"roc_auc": nothing, "inside": nothing}
    evaluation = replace(REVIEW.evaluation, n=12, high=0, reliability=(), **blank)
    review = replace(REVIEW, evaluation=evaluation, curves=None)
    rungs = tuple(replace(rung, auc=nothing, inside=nothing) for rung in REVIEW.ladder)
    said = told(replace(review, ladder=rungs))
    assert f"{DASH} {DASH} 12 0 {DASH} {DASH} 12 0" in said
    assert f"ROC-AUC {DASH} {DASH} 0.500 chance" in said
    assert f"Recall of high {DASH} {DASH} {DASH}" in said
    assert "None" not in said
    assert "nan" not in said.lower()
    values = [each.value for each in measures(ENGLISH, evaluation)]
    assert values == [None] * len(values)


def test_unknown_likes_are_told_with_their_reason(page):
    """Each reason has its count and a sentence that needs no code to be understood."""
    said = text_of(page)
    assert "222 posts can't be labelled: their likes say nothing, or what the rule needs" in said
    assert "no figure of high and low counts them" in said
    assert "unknown likes" not in said.lower()
    assert "Likes hidden 171 The count is negative" in said
    assert "Too young 42" in said
    assert "Account hides its likes 9" in said
    assert "too_young" not in said


def test_post_is_told_by_its_likes_and_by_its_picture(page):
    """A card has account, caption, likes, label or reason, guess and score."""
    said = text_of(page)
    assert "A post A post · wrong19 ✗ picture says low 0.30 likes say high 12,019 likes" in said
    assert "✓ picture says low" in said
    assert "no label: Likes hidden" in said
    assert "not a fair sample" in said
    assert page.count("data:image/jpeg") == 36


def test_metadata_page_has_no_word_of_a_classifier(posts):
    """Without pictures there are the ladder and the posts, and no section with nothing in it."""
    run = replace(posts.run, model=None, counts={**posts.run.counts, "pictures": 0})
    bare = replace(run, source="other")
    report = engagement_report(posts.connection, bare, METADATA, None)
    said = text_of(draw_engagement(report, None, posts.picture, ENGLISH))
    assert "metadata only" in said
    assert finding_in_words(ENGLISH, METADATA.finding) in said
    assert "Followers only" in said
    for absent in (
        *("Picture only", "The classifier", "pictures fetched", "are scored", "PR-AUC"),
        *("Out of fold", "fine-tuning", "The model", "picture says", "threshold"),
    ):
        assert absent.lower() not in said.lower(), absent
    assert "Every row was accepted." in said
    assert "every picture could be read" not in said
    looked = replace(bare, model="engagement/1", counts=posts.run.counts)
    report = engagement_report(posts.connection, looked, REVIEW, None)
    page = text_of(draw_engagement(report, None, posts.picture, ENGLISH))
    assert "Every row was accepted and every picture could be read." in page


def test_page_without_a_ladder_says_why(told):
    """Where there is no ladder its note stands in the first screen, and no empty table below."""
    bare = replace(REVIEW, evaluation=None, curves=None, finding=Finding("none_new"))
    said = told(replace(bare, ladder=(), notes=(Note("no_ladder_test"),), unknown={}))
    assert "There is no ladder: there is no labelled post to test on." in said
    for absent in ("What it goes by", "on its own", "Posts that can't be labelled"):
        assert absent not in said


def test_thresholds_are_told_with_the_models_own(page):
    """How many posts each calls high, their share, precision, recall and F1."""
    said = text_of(page)
    assert "0.413 to 0.524 the model's own 1,007 50.1% 55.2% 61.4% 0.582" in said
    assert "0.231 1,809 90.0% 47.4% 94.7% 0.632" in said
    assert "take the scores of 2 heads together" in said


def test_curves_have_their_numbers_beside_them(page):
    """Each chart has a finding, an alternative, and a table; areas are the evaluation's."""
    said = text_of(page)
    assert "Where 20% of the low posts are called high, 29% of the high ones are" in said
    assert "the area under the curve is the ROC-AUC of all posts, 0.623." in said
    assert "Low posts called high High posts called high 0.0% 0.0% 100.0% 100.0%" in said
    assert "Of the 202 posts with the highest scores 66% were high, of all posts 45%" in said
    assert "average precision (PR-AUC) is 0.571" in said
    figures = re.findall(r'<figure role="img" aria-label="([^"]+)">\s*<svg', page)
    assert len(figures) == 4
    assert all("table" in figure for figure in figures)


def test_best_posts_are_shown_beside_what_was_predicted(page):
    """Six at each end, with likes, label and guess."""
    said = text_of(page)
    part = said[said.index("Liked most") : said.index("Posts that can't be labelled")]
    assert part.count("likes say") == 12
    assert part.count("picture says") == 12


def test_a_model_that_is_gone_leaves_its_section_out(posts):
    """The figures are kept without it, and the page says that it is gone."""
    said = text_of(draw_engagement(report_of(posts), None, posts.picture, ENGLISH))
    assert "Its folder is no longer in the store" in said
    assert "ROC-AUC inside accounts 0.612" in said
    assert "How it learned" not in said


@pytest.mark.parametrize("card", [None, "{"])
def test_a_model_that_can_not_be_read_leaves_its_section_out(posts, tmp_path, card):
    """A folder without a card, or with half of one, takes nothing else from either page."""
    folder = tmp_path / "engagement" / "1"
    folder.mkdir(parents=True)
    if card:
        (folder / "card.json").write_text(card)
    pages = (
        draw_engagement(report_of(posts), folder, posts.picture, ENGLISH),
        draw_classifier(folder, classifier_report(REVIEW), ENGLISH),
    )
    for page in pages:
        assert "Its folder is no longer in the store" in text_of(page)
        assert "ROC-AUC inside accounts 0.612" in text_of(page)
    assert "<h1><bdi>engagement/1</bdi></h1>" in pages[1]


def test_sections_are_where_the_contents_say(posts, page):
    """Every link leads somewhere, also to the section of a model that is gone."""
    gone = draw_engagement(report_of(posts), None, posts.picture, ENGLISH)
    for each in (page, gone):
        links = re.findall(r'<li><a href="#([^"]+)">', each)
        assert "model" in links
        assert {*links} <= {*re.findall(r'<section id="([^"]+)"', each)}


def test_few_are_counted_as_they_are(told):
    """One measured post is a post."""
    said = told(replace(REVIEW, evaluation=replace(REVIEW.evaluation, n=1, high=1)))
    assert "Measured on 1 post that the scoring head had not seen, 1 of them high" in said


def test_a_median_of_nothing_is_named(posts):
    """An account with six posts may still have none to be compared with."""
    said = text_of(draw_engagement(report_of(posts), None, posts.picture, ENGLISH))
    assert "where it has 5 posts with known likes and a median above 0" in said
    by_likes = tuple(replace(post, times=None) for post in report_of(posts).extremes)
    report = replace(report_of(posts), extremes=by_likes)
    said = text_of(draw_engagement(report, None, posts.picture, ENGLISH))
    assert "no account has 5 posts with known likes and a median above 0" in said


def test_hours_are_shown_at_their_level(posts):
    """Text, table and explanation say which level, and what an hour needs to be judged."""
    hours = (Hour(8, 40, 10, 6), Hour(19, 40, 30, 6), Hour(20, 9, 9, 2))
    report = replace(report_of(posts), hours=hours)
    said = text_of(draw_engagement(report, None, posts.picture, ENGLISH))
    for each in (
        "Posts of 19:00 UTC stand out: 75% of them were high (97.5% interval: 57% to 87%)",
        "line: 97.5% interval, so that together the hours that are judged have 95% (Bonferroni)",
        "Hours of fewer than 20 posts, or of fewer than 5 accounts, are drawn empty",
        "Posts of one account resemble each other",
        "Hour (UTC) Posts Accounts High Share 97.5% interval",
        "19:00 40 6 30 75.0% 57.5% to 86.9%",
    ):
        assert each in said, each


def test_limits_say_that_groups_are_capped(page):
    """Like pictures beyond what a group may hold can be on both sides."""
    assert "in groups of at most 32" in text_of(page)


def test_lost_pictures_are_called_so(posts, tmp_path):
    """A page is drawn again long after: what was pruned since is not there."""
    page = draw_engagement(report_of(posts), None, lambda sha: tmp_path / sha, ENGLISH)
    assert "data:image" not in page.replace('href="data:,"', "")
    assert page.count(">no picture<") == 36


@pytest.mark.parametrize("code", LANGUAGES)
def test_pages_are_drawn_in_each_language(posts, code):
    """They say which, and nothing is left to fill in."""
    spoken = language(code)
    pages = (
        draw_engagement(report_of(posts), posts.folder, posts.picture, spoken),
        draw_classifier(posts.folder, classifier_report(REVIEW), spoken),
    )
    for page in pages:
        assert f'<html lang="{code}">' in page
        assert ("0,623" in page) == (code == "es")
        assert not re.search(r"%\(\w+\)s|\bNone\b|\bnan\b", text_of(page))


def test_hostile_words_stay_words(tmp_path):
    """Captions, accounts, ids and cells of a CSV are shown, and do nothing."""
    posts = post_world(tmp_path, words=HOSTILE)
    page = draw_engagement(report_of(posts), posts.folder, posts.picture, ENGLISH)
    assert not re.search(r"<script|<img src=x|<svg onload|<[^>]* onfocus", page)
    assert "&lt;script&gt;" in page
    assert "{{ 7 * 7 }}" in page


def test_classifier_page_tells_its_training(trained):
    """How it was made, how it learned, what it saw, and what fine-tuning means."""
    said = text_of(trained)
    for each in (
        *("Computed in float32", "Least age of a labelled post 48 hours", "Epochs at most 40"),
        *("Fine-tuned last 50 layers", "fold 2 10,000 0.524", "engagement 87.5% 75.0% 75.0%"),
        *("on one fold only (fold 1)", "Frozen 0.593 0.541 to 0.644 401 8"),
        *("Fine-tuned 0.604 0.554 to 0.656 401 8", "It was better on the validation posts"),
        *("as it saw it", "engagement: accuracy 90%"),
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
    text = text_of(draw_classifier(tmp_path, classifier_report(REVIEW), ENGLISH))
    assert ("no better on the validation posts" in text) == (kept is False)
    assert ("Frozen, kept" in text) == (kept is False)
    assert ("What fine-tuning came to" in text) == (kept is not None)


def test_older_card_shows_less(posts, tmp_path):
    """A classifier whose card lacks what is told here still has a page."""
    card = load_card(posts.folder)
    save_card(tmp_path, replace(card, settings={}, metrics={}, split={}))
    assert classifier_card(load_card(tmp_path)).thresholds is None
    assert "How it was made" in draw_classifier(tmp_path, classifier_report(REVIEW), ENGLISH)


def test_real_training_leaves_all_of_it(tiny_classifier):
    """What a training really wrote is read: heads, thresholds, choices, curves and pictures."""
    classifier = classifier_card(load_card(tiny_classifier))
    assert [head.name for head in classifier.heads][:2] == ["engagement", "fold_1"]
    assert None not in [head.threshold for head in classifier.heads]
    said = text_of(draw_classifier(tiny_classifier, classifier_report(REVIEW), ENGLISH))
    for each in ("Computed in float32", "How it learned", "as it saw them", "layer by layer"):
        assert each in said, each
    assert ("What fine-tuning came to" in said) == (classifier.fine_tuning is not None)


def test_notes_of_a_card_are_counted(posts, tmp_path):
    """A card of today has numbers; an older one has sentences, which stay English."""
    card = load_card(posts.folder)
    assert [note.code for note in classifier_card(card).notes] == ["said"] * len(card.notes)
    split = dict(card.split, aside=3, unpictured=0, undecodable=2)
    save_card(tmp_path, replace(card, split=split))
    page = draw_classifier(tmp_path, classifier_report(REVIEW), ENGLISH)
    said = text_of(page)
    for each in (
        "3 posts are on no side of the first fold",
        "2 pictures could not be decoded",
        "evaluated on one fold",
    ):
        assert each in said, each
    assert "no picture that can be read" not in said
    older = draw_classifier(posts.folder, classifier_report(REVIEW), language("es"))
    assert '<p lang="en">n' in older
