"""Manifests: what is read is what was written, or a clear refusal."""

import json
import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sql.manifests import Manifest, Part, parts_of, read_all, write
from sql.store import Store

TEXT = st.text(max_size=20)
JSON = st.dictionaries(TEXT, st.none() | st.booleans() | st.integers() | TEXT, max_size=3)
PART = st.builds(Part, TEXT, TEXT, st.integers(0), st.integers(0))
MANIFEST = st.builds(
    Manifest,
    id=st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=20),
    job=TEXT,
    started=TEXT,
    finished=TEXT,
    version=TEXT,
    source=st.none() | TEXT,
    arguments=JSON,
    counts=JSON,
    parts=st.lists(PART, max_size=3),
    adopted=st.lists(TEXT, max_size=2),
    model=st.none() | TEXT,
    report=st.none() | TEXT,
    seconds=st.floats(0, 1e6),
    replaces=st.lists(TEXT, max_size=2),
)


def manifest(run_id: str, *parts: Part) -> Manifest:
    """Return a manifest of which only the id and the parts matter."""
    return Manifest(run_id, "tag", "", "", "0.1.0", parts=list(parts))


@given(MANIFEST)
def test_what_is_read_is_what_was_written(tmp_path_factory, found):
    """Any manifest survives the way through its file."""
    store = Store(tmp_path_factory.mktemp("store"))
    write(store, found)
    assert read_all(store) == [found]


def test_oldest_first(tmp_path):
    """Manifests come in the order of their ids, whatever else lies in the folder."""
    store = Store(tmp_path)
    assert read_all(store) == []
    for run_id in ("3", "1", "2"):
        write(store, manifest(run_id))
    (store.runs / ".published").write_text("x")
    (store.runs / ".4.json.1.1.draft").write_text("{")
    assert [found.id for found in read_all(store)] == ["1", "2", "3"]


def test_parts_of_a_table(tmp_path):
    """Only the parts of the table asked for, as absolute paths, oldest run first."""
    store = Store(tmp_path)
    tags, fetches = Part("tags", "tags/run=1/x.parquet", 1, 1), Part("fetches", "f", 1, 1)
    newer = Part("tags", "tags/run=2/x.parquet", 1, 1)
    found = parts_of(store, [manifest("1", fetches, tags), manifest("2", newer)], "tags")
    assert found == [tmp_path / tags.path, tmp_path / newer.path]


def test_parts_of_replaced_runs_are_not_shown(tmp_path):
    """A run that another replaces shows nothing of its own any more, and is still listed."""
    store = Store(tmp_path)
    old, new = (
        Part("tags", "tags/run=1/x.parquet", 1, 1),
        Part("tags", "tags/run=2/x.parquet", 1, 1),
    )
    write(store, manifest("1", old))
    write(store, replace(manifest("2", new), replaces=["1"]))
    found = read_all(store)
    assert [one.id for one in found] == ["1", "2"]
    assert parts_of(store, found, "tags") == [tmp_path / new.path]


@pytest.mark.parametrize(("replaces", "schema"), [([], 1), (["1"], 2)])
def test_an_older_version_refuses_only_what_it_would_show_twice(tmp_path, replaces, schema):
    """A plain manifest is written as ever; one that replaces others says so by its schema."""
    write(Store(tmp_path), replace(manifest("2"), replaces=replaces))
    found = json.loads(Store(tmp_path).manifest("2").read_text())
    assert found["schema"] == schema
    assert ("replaces" in found) == bool(replaces)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"schema": 1}', '{"schema": 1, "parts": [{"x": 1}]}', "\xff"],
)
def test_damaged_manifest_is_named(tmp_path, text):
    """A manifest that can't be read says which file it is."""
    store = Store(tmp_path)
    store.runs.mkdir()
    store.manifest("7").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=r"7\.json is damaged"):
        read_all(store)


def test_newer_schema_is_refused(tmp_path):
    """A manifest of a later version is not guessed at."""
    store = Store(tmp_path)
    write(store, manifest("7"))
    found = json.loads(store.manifest("7").read_text())
    store.manifest("7").write_text(json.dumps(found | {"schema": 3}))
    with pytest.raises(ValueError, match="schema 3"):
        read_all(store)
