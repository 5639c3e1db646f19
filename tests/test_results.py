"""What a report shows, gathered from tables."""

from dataclasses import replace

import pytest

from reports import results
from reports.leftovers import EACH_REASON
from reports.results import Share, run_report
from sql.publish import publish
from sql.store import Store
from tests.report_world import VOCABULARY, world


@pytest.fixture
def shop(tmp_path):
    """Forty products; each fifth was trained on, each third has a wrong colour."""
    return world(tmp_path)


def test_measures_only_what_was_never_trained_on(shop):
    """Trained-on products are counted apart and change no figure."""
    evaluation = run_report(shop.connection, shop.run, VOCABULARY).evaluation
    category, colour = evaluation.heads
    assert (category.held_out, category.trained_on, category.scores.n) == (32, 8, 32)
    assert category.scores.accuracy == 1.0
    wrong = len([n for n in range(40) if n % 5 and n % 3 == 0])
    assert colour.scores.share == evaluation.rows == Share(32 - wrong, 32)
    assert not evaluation.sampled


def test_sample_of_many_says_so(shop, monkeypatch):
    """Beyond the bound a sample by hash is measured, the same each time."""
    monkeypatch.setattr(results, "MOST_ROWS", 10)
    first = run_report(shop.connection, shop.run, VOCABULARY)
    again = run_report(shop.connection, shop.run, VOCABULARY)
    assert first.evaluation.sampled
    assert first.evaluation.measured == 10
    assert first.evaluation.heads[0].held_out == 32
    assert first.samples == again.samples


def test_pictures_shown_are_some_wrong_and_some_right(shop):
    """The grid starts with mistakes, and is not the first rows of the CSV."""
    samples = run_report(shop.connection, shop.run, VOCABULARY).samples
    wrong = [sample for sample in samples if sample.wrong]
    assert 0 < len(wrong) <= results.WRONG_SHOWN
    assert samples[: len(wrong)] == tuple(wrong)
    assert len(samples) - len(wrong) == results.RIGHT_SHOWN
    assert [sample.id for sample in wrong] != sorted(sample.id for sample in wrong)
    assert all(sample.picture and sample.title for sample in samples)


def test_wrong_guess_carries_the_truth_and_its_probability(shop):
    """A mistake is told with what the shop says and how likely the model held it."""
    sample = run_report(shop.connection, shop.run, VOCABULARY).samples[0]
    category, colour = sample.guesses
    assert category.right is True
    assert colour.right is False
    assert (colour.score, colour.truth_score) == (pytest.approx(0.7), pytest.approx(0.15))


def test_everything_trained_on_leaves_nothing_to_measure(tmp_path):
    """A model that trained on every labelled product gets no figure, and tagged ones are shown."""
    shop = world(tmp_path, trained=True)
    report = run_report(shop.connection, shop.run, VOCABULARY)
    assert report.evaluation.n == 0
    assert report.evaluation.heads[0].trained_on == 40
    assert "trained on every labelled product" in report.verdict[1]
    assert len(report.samples) == results.WRONG_SHOWN + results.RIGHT_SHOWN
    assert all(sample.guesses[0].right is None for sample in report.samples)


def test_other_source_has_nothing_of_this_one(shop):
    """A report concerns one source only."""
    report = run_report(shop.connection, replace(shop.run, source="other"), VOCABULARY)
    assert (report.evaluation, report.samples, report.left.failures) == (None, (), ())


def test_run_without_a_model(shop):
    """Where nothing was tagged the report still tells what came in."""
    report = run_report(shop.connection, replace(shop.run, model=None), {})
    assert report.evaluation is None
    assert report.left.reject_reasons[0].refused == 11


def test_reasons_are_counted_and_lists_capped(shop):
    """Every reason is counted in full; of the rows a few of each are listed."""
    report = run_report(shop.connection, shop.run, VOCABULARY)
    assert [(r.reason, r.refused, r.first_line) for r in report.left.reject_reasons] == [
        ("id_empty", 11, 2),
        ("duplicate_id", 1, 20),
    ]
    assert len(report.left.rejects) == EACH_REASON + 1
    assert report.left.rejects[-1].first_line == 3
    assert {reason.reason: reason.to_replace for reason in report.left.failure_reasons} == {
        "not_found": 1,
        "timeout": 0,
        "truncated": 1,
    }


def test_verdict_says_what_is_left_to_do(shop):
    """The sentences name the rows to correct and the pictures to replace."""
    done, quality, left = run_report(shop.connection, shop.run, VOCABULARY).verdict
    assert done == "39 products of 40 tagged by tagger/1."
    assert "category is right for 100.0% and colour, the weakest attribute" in quality
    assert "12 rows to correct" in left
    assert "2 pictures to replace, 1 picture that the next runs will try again" in left


def test_queries_fit_the_published_views(shop, tmp_path):
    """The views of a real, empty store answer every query."""
    duckdb = pytest.importorskip("duckdb")
    store = Store(tmp_path / "store")
    store.root.mkdir()
    store.runs.mkdir(exist_ok=True)
    publish(store, [])
    with duckdb.connect(store.database, read_only=True) as connection:
        report = run_report(connection, shop.run, VOCABULARY)
    assert (report.evaluation, report.samples, report.left.rejects) == (None, (), ())
