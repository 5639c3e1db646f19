"""The data dictionary says what the database has."""

import duckdb
import pytest

from sql import questions
from sql.database import VIEWS
from sql.dictionary import PAGE, dictionary
from sql.manifests import read_all
from sql.publish import publish
from sql.schemas import tags_schema
from sql.store import Store
from tests.warehouse import add_rows, add_run


def test_dictionary_is_up_to_date():
    """DICTIONARY.md is what `make dictionary` would write now."""
    assert PAGE.read_text(encoding="utf-8") == dictionary()


def test_every_column_of_a_store_is_told(tmp_path):
    """Each column that analysts find in a published database is in the page, with its meaning."""
    store = Store(tmp_path / "store")
    add_run(store, "1", add_rows(store, "1", "tags", [{"id": "a"}], tags_schema(["colour"])))
    publish(store, read_all(store))
    with duckdb.connect(str(store.database), read_only=True) as con:
        columns = con.sql(
            "select if(schema_name = 'main', '', schema_name || '.') || table_name,"
            " column_name, comment from duckdb_columns()"
            " where not internal and schema_name <> 'parts'"  # what history is made of
        ).fetchall()
    sections = {
        section.split("\n", 1)[0]: section
        for section in PAGE.read_text(encoding="utf-8").split("\n### ")
    }
    assert {view for view, _, _ in columns} >= {*VIEWS, "history.tags", "history.manifests"}
    for view, column, comment in columns:
        told = comment.replace("|", "\\|").replace("<", "&lt;")
        assert f"| `{column}` | " in sections[view], view
        assert f" | {told} |" in sections[view], (view, column)


@pytest.mark.parametrize("name", questions.names())
def test_every_query_is_told(name):
    """Each named query has a section with its question and its parameters."""
    query = questions.read(name)
    section = PAGE.read_text(encoding="utf-8").split(f"\n### {name}\n")[1].split("\n### ")[0]
    assert query.question in section
    assert all(f"`--{one.name}`" in section for one in query.parameters)


def test_an_attribute_stands_for_all():
    """The columns of an attribute are told although no store is asked."""
    tags = PAGE.read_text(encoding="utf-8").split("\n### tags\n")[1].split("\n### ")[0]
    for column in ("colour_given", "colour_predicted", "colour_confidence", "colour"):
        assert f"| `{column}` | " in tags
