"""The columns of the tables."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sql.schemas import FACTS, SNAPSHOTS, TABLES, attributes_of, comments, tags_schema


def test_every_table_is_a_fact_or_a_snapshot():
    """No table is forgotten when a killed run's parts are adopted or thrown away."""
    assert sorted([*FACTS, *SNAPSHOTS]) == sorted(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_schema_says_whose_it_is(table, tmp_path):
    """A Parquet file tells its table, its version and what every column means."""
    pq.write_table(TABLES[table].empty_table(), tmp_path / "part.parquet")
    schema = pq.read_schema(tmp_path / "part.parquet")
    assert schema.metadata[b"vitrina.table"] == table.encode()
    assert schema.metadata[b"vitrina.version"] == b"1"
    assert all(comments(schema).values())


def test_tags_have_five_columns_an_attribute():
    """An attribute adds given, predicted, confidence, review and the label."""
    schema = tags_schema(["colour", "neck line"])
    assert schema.names[-5:] == [
        "neck line_given",
        "neck line_predicted",
        "neck line_confidence",
        "neck line_review",
        "neck line",
    ]
    assert schema.field("colour_confidence").type == pa.float32()
    assert attributes_of(schema.names) == ("colour", "neck line")
    assert tags_schema([]) == TABLES["tags"]


@pytest.mark.parametrize(
    "attributes", [["source"], ["Run"], ["filename"], ["Colour", "colour"], ["a", "a_given"]]
)
def test_clash_of_names_is_refused(attributes):
    """An attribute can't have the name of another column, in whatever case."""
    with pytest.raises(ValueError, match="another name"):
        tags_schema(attributes)
