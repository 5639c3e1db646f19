"""What a report shows, gathered from tables."""

import json
from dataclasses import replace

import pytest

from catalog.models.metrics import Share
from reports import results
from reports.alike import alike
from reports.asking import ask
from reports.coverage import MOST_SHOWN
from reports.language import language
from reports.leftovers import EACH_REASON, to_do
from reports.measured import Shown, mapped, shown_in
from reports.results import RunReport, model_report, run_report
from reports.stored import as_rows, restore, revive
from reports.verdict import next_steps, verdict
from sql.publish import publish
from sql.store import Store
from tests.report_world import BEFORE, NEW, VOCABULARY, world

ENGLISH = language("en")


@pytest.fixture
def shop(tmp_path):
    """Forty products; each fifth was trained on, each third has a wrong colour."""
    return world(tmp_path)


def test_measures_only_what_was_never_trained_on(shop):
    """Trained-on products are counted apart and change no figure."""
    evaluation = shop.report().evaluation
    category, colour = evaluation.heads
    assert (category.held_out, category.trained_on, category.n) == (32, 8, 32)
    assert category.accuracy == 1.0
    wrong = len([n for n in range(40) if n % 5 and n % 3 == 0])
    assert colour.share == evaluation.rows == Share(32 - wrong, 32)
    assert not evaluation.sampled


def test_sample_of_many_says_so(shop, monkeypatch):
    """Beyond the bound a sample by hash is measured, the same each time."""
    monkeypatch.setattr(results, "MOST_ROWS", 10)
    first, again = shop.report(), shop.report()
    assert first.evaluation.sampled
    assert first.evaluation.measured == 10
    assert first.evaluation.heads[0].held_out == 32
    assert first.change.heads[0].n <= 10
    assert first == again


def test_scores_of_several_pictures_are_their_mean(shop):
    """A product is judged by the mean over the pictures that its model looked at."""
    [(one,), (other,)] = shop.connection.sql(
        "select picture from fetches where location in ('/shop/3', '/shop/4') order by location"
    ).fetchall()
    shop.connection.execute(
        "update products set pictures = ['/shop/3', '/shop/4', '/shop/4'] where id = 'p3'"
    )
    for picture, scores in ((one, [0.5, 0.3, 0.2]), (other, [0.1, 0.3, 0.6])):
        shop.connection.execute(
            "update history.scores set scores = $scores"
            " where picture = $picture and head = 'colour'",
            {"scores": scores, "picture": picture},
        )
    report = shop.report()
    [guess] = [
        guess
        for each in report.samples
        if each.product.id == "p3"
        for guess in each.guesses
        if guess.head == "colour"
    ]
    assert (guess.label, guess.score) == ("Blue", pytest.approx(0.4))


def test_pictures_shown_are_some_wrong_and_some_right(shop):
    """The grid starts with mistakes, and is not the first rows of the CSV."""
    samples = shop.report().samples
    wrong = [sample for sample in samples if sample.wrong]
    assert 0 < len(wrong) <= results.WRONG_SHOWN
    assert samples[: len(wrong)] == tuple(wrong)
    assert len(samples) - len(wrong) == results.RIGHT_SHOWN
    ids = [sample.product.id for sample in wrong]
    assert ids != sorted(ids)
    assert all(sample.product.picture and sample.product.title for sample in samples)


def test_wrong_guess_carries_the_truth_and_its_probability(shop):
    """A mistake is told with what the shop says and how likely the model held it."""
    sample = shop.report().samples[0]
    category, colour = sample.guesses
    assert category.right is True
    assert colour.right is False
    assert (colour.score, colour.truth_score) == (pytest.approx(0.7), pytest.approx(0.15))


def test_everything_trained_on_leaves_nothing_to_measure(tmp_path):
    """A model that trained on every labelled product gets no figure, and tagged ones are shown."""
    shop = world(tmp_path, trained=True)
    report = shop.report()
    assert report.evaluation.n == 0
    assert report.evaluation.heads[0].trained_on == 40
    assert report.headline.figures == ()
    assert "trained on every labelled product" in verdict(report, ENGLISH)[1]
    assert len(report.samples) == results.WRONG_SHOWN + results.RIGHT_SHOWN
    assert all(sample.guesses[0].right is None for sample in report.samples)


def test_what_is_decided_is_shown_where_nothing_can_be_compared(tmp_path):
    """With what is to review; products that show none have no tags, and are not among them."""
    shop = world(tmp_path, trained=True, reviewed=True)
    rows = shop.connection.execute(
        "select id, attribute, predicted, review from labels where predicted is not null"
    ).fetchall()
    decided = {(one, head): (label, review) for one, head, label, review in rows}
    shown = {
        (sample.product.id, guess.head): (guess.label, guess.review)
        for sample in shop.report().samples
        for guess in sample.guesses
    }
    assert shown.items() <= decided.items()
    assert {review for _, review in shown.values()} == {True, False}
    assert not {one for one, _ in shown} & {"p2", "p12", "p22", "p32"}


def test_other_source_has_nothing_of_this_one(shop):
    """A report concerns one source only."""
    run = replace(shop.run, source="other")
    report = run_report(shop.connection, run, VOCABULARY, None)
    assert (report.evaluation, report.samples, report.left.failures) == (None, (), ())
    assert (report.coverage.whole.products, report.alike.pictures) == (0, 0)


def test_run_without_a_model(shop):
    """Where nothing was tagged the report still tells what came in."""
    report = run_report(shop.connection, replace(shop.run, model=None), {}, None)
    assert report.evaluation is None
    assert report.left.reject_reasons[0].refused == 11


def test_reasons_are_counted_and_lists_capped(shop):
    """Every reason is counted in full; of the rows a few of each are listed."""
    left = shop.report().left
    assert [(r.reason, r.refused, r.first_line) for r in left.reject_reasons] == [
        ("id_empty", 11, 2),
        ("duplicate_id", 1, 20),
    ]
    assert len(left.rejects) == EACH_REASON + 1
    assert left.rejects[-1].first_line == 3
    assert {reason.reason: reason.to_replace for reason in left.failure_reasons} == {
        "not_found": 1,
        "timeout": 0,
        "truncated": 1,
    }
    assert (left.refused, left.lost, left.retried) == (12, 2, 1)


def test_failures_are_told_by_host(shop):
    """Each host stands with the reasons for which its pictures fail, local files without one."""
    shop.connection.execute("update failures set host = null where reason = 'timeout'")
    hosts = {(each.host, each.reason): each.pictures for each in shop.report().left.hosts}
    assert hosts == {
        ("shop.example", "not_found"): 1,
        (None, "timeout"): 1,
        ("shop.example", "truncated"): 1,
    }


def test_verdict_says_what_was_done_and_how_good_it_is(shop):
    """The sentences name the counts, the best and weakest attribute, and all at once."""
    done, quality, changed = verdict(shop.report(), ENGLISH)
    assert done == "39 of 40 products are tagged by \u2068tagger/1\u2069."
    assert quality.startswith(
        "Of labelled products that the model never trained on, category is right for 100.0% of 32"
        " and colour, the weakest attribute, for 65.6% of 32."
    )
    assert "All 2 attributes are right at once for 65.6% of 32 (48.3% to 79.6%)." in quality
    assert "Since the last run" in changed


def test_next_steps_say_what_is_left_to_do(shop):
    """Rows to correct, pictures to replace, what mends itself, labels to review."""
    steps = next_steps(shop.report(), ENGLISH)
    assert [step.split(" ")[1] for step in steps] == ["12", "2", "picture", "at"]
    assert steps[:3] == to_do(shop.report().left, ENGLISH)
    assert steps[3].startswith("Look at 2 labels that the model alone gave")  # p0 and p4
    assert "catalog query review_list" in steps[3]


def test_first_run_is_told(shop):
    """Without an earlier run there is no change, and the verdict says so."""
    report = shop.report(None)
    assert report.change is None
    assert "first run" in verdict(report, ENGLISH)[2]


def test_pairs_are_products_that_neither_model_trained_on(shop):
    """The colour of the same products then and now, counted by hand."""
    change = shop.report().change
    pairs = [
        (number % 2 == 0, number % 3 != 0)  # right then, right now
        for number in range(40 - NEW)
        if number % 5 and number % 7
    ]
    category, colour = change.heads
    assert (category.n, category.mended, category.broken) == (len(pairs), 0, 0)
    assert colour.n == change.rows.n == len(pairs)
    assert (colour.mended, colour.broken) == (
        pairs.count((False, True)),
        pairs.count((True, False)),
    )
    assert colour.now == Share(sum(now for _, now in pairs), len(pairs))
    assert colour.then == Share(sum(then for then, _ in pairs), len(pairs))
    assert (change.before, change.model, change.new) == (BEFORE, "tagger/0", NEW)


def test_changed_labels_are_counted_by_cause(shop):
    """Only final labels of products that were there before count: each that the shop left open."""
    change = shop.report().change
    open_before = [n for n in range(0, 40 - NEW, 4) if n % 3 == 0]
    [cause] = change.causes
    assert (cause.cause, cause.labels, cause.products) == ("model", *[len(open_before)] * 2)
    for each in change.examples:
        number = int(each.product.id[1:])
        assert each.before == VOCABULARY["colour"][number % 3]
        assert each.after == VOCABULARY["colour"][(number + 1) % 3]
        assert each.product.picture


def test_labels_of_several_causes_are_counted_apart(shop):
    """Each cause has its own counts; examples come from all of them, in the order of a hash."""
    whole = shop.report().change
    shop.connection.execute("update history.tags set cause = 'labels' where id in ('p0', 'p24')")
    change = shop.report().change
    assert {each.cause: (each.labels, each.products) for each in change.causes} == {
        "model": (whole.causes[0].labels - 2, whole.causes[0].products - 2),
        "labels": (2, 2),
    }
    causes = {each.product.id: each.cause for each in change.examples}
    assert list(causes) == [each.product.id for each in whole.examples]
    assert [row for row, cause in causes.items() if cause == "labels"] == [
        row for row in causes if row in ("p0", "p24")
    ]


def test_changed_labels_are_counted_where_they_lie(shop):
    """Of however many labels that changed only the counts and a few examples are loaded."""
    span = {"source": "shop", "run": "r1", "before": BEFORE}
    [row] = ask(shop.connection, "relabelled", span | {"most": 2}).to_pylist()
    assert row["labels"] > len(row["examples"]) == 2


def test_products_that_left_the_csv_are_counted(shop):
    """Two left since the run before, one left long ago, one came back: two are told."""
    assert shop.report().change.gone == 0
    shop.connection.execute(
        "update products set gone = true, run = case when id = 'p3' then 'r0' else 'r1' end"
        " where id in ('p1', 'p2', 'p3')"
    )
    report = shop.report()
    assert report.change.gone == 2
    assert "2 products have left the CSV." in verdict(report, ENGLISH)[2]
    assert "left the CSV" not in verdict(replace(report, change=None), ENGLISH)[2]


def test_attribute_with_one_label_has_no_headline(shop):
    """Colour with one measured row is neither the best nor the weakest, nor told of all at once."""
    shop.connection.execute("delete from evaluations where head = 'colour' and id <> 'p1'")
    report = shop.report()
    assert [head.n for head in report.evaluation.heads] == [32, 1]
    assert [(each.name, each.n) for each in report.headline.figures] == [("accuracy:category", 32)]
    assert verdict(report, ENGLISH)[1] == (
        "Of labelled products that the model never trained on, category is right for 100.0% of 32."
    )
    assert report.change.rows is None
    assert "category is right for 100.0% of" in verdict(report, ENGLISH)[2]


def test_few_labels_have_no_headline(tmp_path):
    """Of eight products measured nothing is called right; the page has the figures all the same."""
    report = world(tmp_path, products=10).report()
    assert (report.evaluation.measured, report.headline.figures) == (8, ())
    assert "Too few labelled products" in verdict(report, ENGLISH)[1]


def test_run_that_the_store_forgot_is_no_change(shop):
    """A run before of which nothing is known any more is as none."""
    assert shop.report("r-gone").change is None


def test_coverage_counts_products_by_the_brand(shop):
    """All products and those of each brand, and where the labels of each attribute come from."""
    coverage = shop.report().coverage
    assert (coverage.whole.products, coverage.whole.tagged, coverage.whole.untagged) == (40, 39, 1)
    assert coverage.column == "Brand"
    brands = {each.value: each.products for each in coverage.kinds}
    assert brands[None] == 5
    assert sum(brands.values()) == 40
    category, colour = coverage.attributes
    assert (category.given, category.predicted, category.missing) == (40, 0, 0)
    assert (colour.given, colour.predicted, colour.unsure, colour.missing) == (30, 10, 2, 0)


def test_coverage_tells_what_is_to_review(tmp_path):
    """Of each attribute the tags of the model alone are accepted or to review: p0 and p4 of ten."""
    coverage = world(tmp_path, reviewed=True).report().coverage
    category, colour = coverage.attributes
    assert (category.accepted, category.to_review) == (0, 0)
    assert (colour.predicted, colour.accepted, colour.to_review) == (10, 8, 2)
    assert (coverage.accepted, coverage.to_review, coverage.unsure) == (8, 2, 0)


def test_coverage_knows_nothing_of_review_by_an_older_model(shop):
    """Where it is not known how sure is enough nothing is said of it, and low confidence counts."""
    coverage = shop.report().coverage
    assert {(each.accepted, each.to_review) for each in coverage.attributes} == {(None, None)}
    assert (coverage.is_reviewed, coverage.unsure) == (False, 2)
    assert (coverage.not_products, coverage.others) == (None, ())


def test_attribute_without_a_line_is_told_by_its_confidence(tmp_path):
    """What is known of one attribute says nothing of another one."""
    shop = world(tmp_path, reviewed=True)
    shop.connection.execute("update tags set colour_review = null")
    coverage = shop.report().coverage
    category, colour = coverage.attributes
    assert (category.to_review, colour.to_review, colour.unsure) == (0, None, 2)
    assert (coverage.is_reviewed, coverage.to_review, coverage.unsure) == (True, 0, 2)


def test_what_is_not_a_product_is_counted_and_shown(tmp_path):
    """All are counted, a few are shown with title and picture, and they are not the first ones."""
    coverage = world(tmp_path, products=200, reviewed=True).report().coverage
    assert coverage.not_products == 20
    shown = [each.id for each in coverage.others]
    assert len(set(shown)) == MOST_SHOWN
    assert {each[-1] for each in shown} == {"2"}
    assert shown != sorted(shown)
    assert all(each.title and each.picture for each in coverage.others)


def test_report_kept_before_reviews_comes_back(shop):
    """What an older version kept has no counts of review: it is drawn without them."""
    report = shop.report()
    kept = {row["part"]: json.loads(row["value"]) for row in as_rows("tag", "shop", report)}
    for name in ("not_products", "others"):
        del kept["coverage"][name]
    for each in kept["coverage"]["attributes"]:
        del each["accepted"], each["to_review"]
    parts = {part: json.dumps(value) for part, value in kept.items()}
    assert revive(parts, RunReport) == report


def test_review_is_told_and_left_to_do(tmp_path):
    """The verdict has the counts of tags; what to do next names what a person should look at."""
    report = world(tmp_path, reviewed=True).report()
    done, *_ = verdict(report, ENGLISH)
    assert done.endswith("8 tags of the model alone are accepted, 2 to review.")
    strange, unsure = next_steps(report, ENGLISH)[3:]
    assert strange == "Look at 4 products: to the model none of their pictures shows one."
    assert unsure.startswith("Look at 2 tags that the model is not sure enough of: “catalog")


def test_failed_pictures_count_once_a_product(shop):
    """A product with two failed pictures is one product with failures."""
    shop.connection.execute("update failures set id = 'p7'")
    assert shop.report().coverage.whole.with_failures == 1


def test_pictures_that_look_alike_are_grouped(shop):
    """Ten products in a row have pictures that differ by a few bits: four groups of ten."""
    found = shop.report().alike
    assert (found.pictures, found.groups, found.alike, found.shared) == (40, 4, 40, 0)
    [first, *_] = found.largest
    assert (first.pictures, first.products, len(first.shown)) == (10, 10, 4)
    assert all(shown.picture and shown.title for shown in first.shown)


def test_picture_under_several_products_is_counted(shop):
    """One picture that three products show is shared by three."""
    shop.connection.execute(
        "update products set pictures = ['/shop/3'] where id in ('p3', 'p13', 'p23')"
    )
    found = shop.report().alike
    assert (found.shared, found.sharing, found.pictures) == (1, 3, 38)


def test_product_of_several_pictures_is_one_product(shop):
    """Ten pictures that look alike, three of them under both p0 and p1, are of nine products.

    The pictures that p0 and p1 share are under two products in all, not six.
    """
    shop.connection.execute(
        "update products set pictures = ['/shop/0', '/shop/1', '/shop/2'] where id in ('p0', 'p1')"
    )
    shop.connection.execute("update products set pictures = [] where id = 'p2'")
    found = alike(shop.connection, "shop")
    assert (found.pictures, found.shared, found.sharing) == (40, 3, 2)
    assert sorted((each.pictures, each.products) for each in found.largest) == [
        (10, 9),
        (10, 10),
        (10, 10),
        (10, 10),
    ]


def test_report_comes_back_from_the_warehouse(shop):
    """What is kept as JSON, a part a row, gives the very report back, and is small."""
    report = shop.report()
    rows = [row | {"run": "r1"} for row in as_rows("tag", "shop", report)]
    assert sum(len(row["value"]) for row in rows) < 300_000
    shop.connection.execute(
        "create table history.results (run text, source text, page text, part text, value text)"
    )
    for row in rows:
        shop.connection.execute(
            "insert into history.results values ($run, $source, $page, $part, $value)", row
        )
    assert restore(shop.connection, "r1", "tag", RunReport) == report


def test_every_product_that_is_shown_has_its_picture(shop):
    """Wherever in the report a product stands, its title and picture were looked up."""
    shown = list(shown_in(shop.report()))
    assert len(shown) > 20
    assert all(each.picture and each.title for each in shown)


def test_mapping_changes_nothing_else(shop):
    """Changing the products that are shown leaves all figures as they are."""
    report = shop.report()
    assert mapped(report, lambda shown: shown) == report
    emptied = mapped(report, lambda shown: Shown(shown.id))
    assert all(shown.picture is None for shown in shown_in(emptied))
    assert emptied.evaluation.heads == report.evaluation.heads


def test_training_is_kept_with_its_headline(shop):
    """A training's figures are those of the pictures kept aside."""
    kept = model_report(shop.folder)
    assert [figure.name for figure in kept.headline.figures] == [
        "whole_row",
        "accuracy:category",
        "accuracy:colour",
    ]
    assert kept.headline.figures[0].n == 20
    assert as_rows("tagger", None, kept)


def test_queries_fit_the_published_views(shop, tmp_path):
    """The views of a real, empty store answer every query."""
    duckdb = pytest.importorskip("duckdb")
    store = Store(tmp_path / "store")
    store.root.mkdir()
    store.runs.mkdir(exist_ok=True)
    publish(store, [])
    with duckdb.connect(store.database, read_only=True) as connection:
        report = run_report(connection, shop.run, VOCABULARY, BEFORE)
    assert (report.evaluation, report.samples, report.left.rejects) == (None, (), ())
    assert (report.change, report.coverage.attributes) == (None, ())
