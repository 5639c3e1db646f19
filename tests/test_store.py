"""Where things live."""

import os

import pytest

from sql.store import Store, cards, current, current_models, make_current


def test_root_is_absolute(tmp_path, monkeypatch):
    """However a store is reached, it is the same store."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path)
    assert Store("link") == Store(tmp_path / "real")
    assert Store("link").root == tmp_path / "real"


def test_places(tmp_path):
    """Every kind of thing has its place."""
    store = Store(tmp_path)
    places = [
        store.database,
        store.lock,
        store.published,
        store.picture("ab12"),
        store.picture_drafts,
        store.part("tags", "7", 1),
        store.model("tagger", "1"),
        store.manifest("7"),
        store.report("7"),
    ]
    assert [store.relative(place) for place in places] == [
        "catalog.duckdb",
        ".lock",
        "runs/.published",
        "images/ab/ab12",
        "images/.drafts",
        "tags/run=7/part-00001.parquet",
        "models/tagger/1",
        "runs/7.json",
        "reports/7/index.html",
    ]


def test_path_outside_is_refused(tmp_path):
    """A path that is not in the store has no name in a manifest."""
    with pytest.raises(ValueError, match="elsewhere"):
        Store(tmp_path / "store").relative(tmp_path / "elsewhere")


def test_current_model(tmp_path):
    """A task has no model, then one, then another; an unknown model never serves."""
    store = Store(tmp_path)
    assert current(store, "tagger") is None
    for version in ("1", "2"):
        store.model("tagger", version).mkdir(parents=True)
        make_current(store, "tagger", f"tagger/{version}")
        assert current(store, "tagger") == f"tagger/{version}"
    with pytest.raises(ValueError, match="tagger/3"):
        make_current(store, "tagger", "tagger/3")
    assert current_models(store) == {"tagger/2"}


def test_cards_of_finished_models_only(tmp_path):
    """A model under way (its folder is still a draft) has no card yet."""
    store = Store(tmp_path)
    for version in ("2", "1", f".3.{os.getpid()}.1.draft"):
        store.model("tagger", version).mkdir(parents=True)
        (store.model("tagger", version) / "card.json").write_text("{}")
    assert cards(store) == [store.model("tagger", version) / "card.json" for version in "12"]


def test_question_mark_is_refused(tmp_path):
    """A folder in which DuckDB can't write a database is refused at once."""
    with pytest.raises(ValueError, match="question mark"):
        Store(tmp_path / "why?")
