"""catalog.duckdb as an analyst's older DuckDB reads it.

CATALOG_OLD_DUCKDB names folders, with a colon between them, into each of which an older duckdb was
installed (`pip install --target`); `make old-duckdb` does it all.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sql import questions
from sql.store import Store
from tests.test_compaction import store

__all__ = ["store"]  # three nights, with rows in every table

FOLDERS = [folder for folder in os.environ.get("CATALOG_OLD_DUCKDB", "").split(":") if folder]
ANSWERS = """
import duckdb, json, sys
path, queries = sys.argv[1], json.load(sys.stdin)
with duckdb.connect(path, read_only=True) as con:
    con.execute("set TimeZone = 'UTC'")
    told = {"version": duckdb.__version__}
    for query, params in queries:
        rows = con.execute(query, params).fetchall()
        told[query] = sorted(str([str(value) for value in row]) for row in rows)
print(json.dumps(told))
"""


def queries(store: Store) -> list[tuple[str, dict[str, Any]]]:
    """Every view, every column's comment, and every named query with something for its flags."""
    with duckdb.connect(str(store.database), read_only=True) as con:
        views = con.sql(
            "select schema_name || '.' || view_name from duckdb_views() where not internal"
        ).fetchall()
    about = "select table_name, column_name, comment from duckdb_columns() where not internal"
    named = [questions.read(name) for name in questions.names()]
    return [
        *((f"from {view}", {}) for (view,) in views),
        (about, {}),
        *(
            (one.sql, {p.name: "colour" if p.required else p.default for p in one.parameters})
            for one in named
        ),
    ]


def answers(store: Store, folder: str) -> dict[str, Any]:
    """What the DuckDB in a folder answers; the present one in no folder."""
    environment = os.environ | {"PYTHONPATH": folder}
    command = [sys.executable, "-c", ANSWERS, str(store.database)]
    asked = json.dumps(queries(store))
    done = subprocess.run(
        command, input=asked, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.skipif(not FOLDERS, reason="CATALOG_OLD_DUCKDB names no older DuckDB")
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: Path(folder).name)
def test_an_older_duckdb_gives_the_same_answers(store, folder):
    """It opens the file, and every view and named query says what it says today."""
    old, new = answers(store, folder), answers(store, "")
    assert old.pop("version") != new.pop("version")
    assert len(new) > len(questions.names()) + 20
    assert sum(map(bool, new.values())) > len(new) / 2
    assert old == new


def test_the_file_is_of_the_oldest_form(store):
    """What DuckDB 1.2 can open: the version of the storage stands in the file's first block."""
    header = store.database.read_bytes()[:64]
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") == 65  # 64 is of 1.1, greater ones are of later
