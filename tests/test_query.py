"""`catalog query`: what it answers, in which forms, and what can't be reached through it."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from jobs import answers, query
from jobs.cli import cli
from jobs.query_command import FORMATS
from sql import questions
from sql.manifests import read_all
from sql.publish import publish
from sql.schemas import tags_schema
from sql.store import Store
from tests.warehouse import add_rows, add_run

NOT_OURS = "what nobody may read"
FORMULAS = ["=1+1", "+1", "-1+1", "@sum", "\tx", "\rx", "\nx"]

Ask = Callable[..., Result]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A published store of two products, in a folder whose name is awkward to SQL and to globs."""
    store = Store(tmp_path / "it's a [shop] *{a,b} $x" / "run=9")
    products = [{"id": "1", "title": "One"}, {"id": "2", "extra": [("Brand", "Nube")]}]
    tags = [{"id": "1", "colour_confidence": 0.1}, {"id": "2", "tagged": False}]
    add_run(
        store,
        "1",
        add_rows(store, "1", "products", products),
        add_rows(store, "1", "tags", tags, tags_schema(["colour"])),
    )
    publish(store, read_all(store))
    return store


@pytest.fixture
def ask(store: Store) -> Ask:
    """`catalog query` of that store."""

    def run(*words: object) -> Result:
        before = ["--store", str(store.root), "--quiet", "query"]
        return CliRunner().invoke(cli, [*before, *map(str, words)])

    return run


def rows(result: Result) -> Any:
    """What an answer as JSON says."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_listing_names_every_query(ask):
    """Without a name every query is listed with its question, on a line of its own."""
    result = ask()
    assert result.exit_code == 0
    listed = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert listed == {name: questions.read(name).question for name in questions.names()}


def test_listing_needs_no_store(tmp_path):
    """What could be asked is told before there is anything to ask."""
    result = CliRunner().invoke(cli, ["--store", str(tmp_path / "none"), "query"])
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize("name", questions.names())
def test_every_query_is_a_command(ask, name):
    """A named query is answered, and its help tells question, grain and flags."""
    query = questions.read(name)
    given = [f"--{one.name}=x" for one in query.parameters if one.required]
    assert isinstance(rows(ask(name, *given, "--format=json")), list)
    told = " ".join(ask(name, "--help").stdout.split())
    assert f"{query.question} {query.grain}" in told
    assert all(f"--{one.name}" in told for one in query.parameters)


def test_flags_reach_the_query(ask):
    """A flag is the query's parameter, text or number."""
    assert rows(ask("coverage", "--column", "Brand", "--format", "json")) == [
        {"value": "Nube", "products": 1, "tagged": 0, "share_tagged": 0.0, "with_failures": 0},
        {"value": None, "products": 1, "tagged": 1, "share_tagged": 1.0, "with_failures": 0},
    ]
    assert len(rows(ask("coverage", "--column", "Brand", "--top", 1, "--format", "json"))) == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["weakest_clases"], "did you mean weakest_classes? `catalog query` lists them"),
        (["../views/tags"], "no query is named"),
        (["coverage"], "Missing option '--column'"),
        (["coverage", "--colum", "Brand"], "No such option '--colum'"),
        (["coverage", "--column", "Brand", "--top", "many"], "Invalid value for '--top'"),
        (["coverage", "--column", "Brand", "--top", "-1"], "Invalid value for '--top'"),
        (["run_costs", "more"], "unexpected extra argument"),
        (["-c", "select 1", "run_costs"], "not both"),
        (["--format", "json", "run_costs"], "come after the name"),
        (["-c", "select 1", "--format", "xlsx"], "Invalid value for '--format'"),
        (["-c", "select 1", "--format", "parquet"], "needs --output"),
        (["-c", "selec 1"], 'syntax error at or near "selec"'),
        (["-c", "select nope from tags"], 'Referenced column "nope" not found'),
        (["-c", "from nope"], "nope does not exist"),
        (["-c", "select $x"], "parameters: x"),
        (["-c", "select error('boom') from products"], "boom"),
        (["-c", ""], "not 0 statements"),
        (["-c", "-- nothing"], "not 0 statements"),
    ],
)
def test_wrong_usage(ask, words, complaint):
    """Whatever is wrong is told in a word, with exit code 2 and without a traceback."""
    result = ask(*words)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert "Traceback" not in result.output
    assert "LINE 1" not in result.output


@pytest.mark.parametrize(
    "sql",
    [
        "with found as (from products) select count(*) from found",
        "from products select count(*);",
        "select count(*) from products -- that is all",
        "values (2)",
        "select count(*) from (summarize products) where column_name in ('id', 'title')",
        "select count(*) from history.products",
        "select sum(cnt) from (select count(*) as cnt from products group by id order by id)",
    ],
)
def test_forms_of_select(ask, sql):
    """Whatever DuckDB calls a SELECT is answered, with a comment or a semicolon at its end too."""
    [row] = rows(ask("-c", sql, "--format", "json"))
    assert list(row.values()) == [2]


@pytest.mark.parametrize("sql", ["describe products", "summarize tags", "show tables"])
def test_looking_around(ask, sql):
    """So is what tells which views and columns there are."""
    assert rows(ask("-c", sql, "--format", "json")) != []


def test_order_is_kept(ask):
    """An answer comes in the order that was asked for."""
    sql = "select * from range(50000) as numbers(n) order by n desc"
    found = [row["n"] for row in rows(ask("-c", sql, "--format", "json"))]
    assert found == list(range(49_999, -1, -1))


def everything(store: Store) -> dict[str, bytes]:
    """Each file around the store, with its content."""
    root = store.root.parent.parent
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "sql",
    [
        "copy (select 1) to 'STORE/x.csv'",
        "copy (select 1) to 'PART'",
        "with a as (copy (select 1) to 'PART' (format parquet)) select 1",
        "with a as (copy (select 1) to 'PART' (format parquet, use_tmp_file false)) select 1",
        "with a as (copy (select 1) to 'STORE/x.csv') from a",
        "with a as (with b as (copy (select 1) to 'PART') select 1) from a",
        "with a as (insert into products values (1) returning *) from a",
        "select 1; copy (select 1) to 'STORE/x.csv'",
        "attach 'OUTSIDE/other.duckdb'",
        "attach 'STORE/other.duckdb'",
        "create table mine as select 1",
        "create temp table mine as select 1",
        "drop view products",
        "delete from products",
        "export database 'OUTSIDE/dump'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "reset lock_configuration",
        "pragma database_list",
        "call pragma_version()",
        "explain analyze select 1",
        "pivot products on id",
        "prepare p as select 1",
        "checkpoint",
        "use memory",
        "begin",
    ],
)
def test_only_select(ask, store, sql):
    """Anything else is refused, and changes no file in the store or beside it."""
    [part, *_] = sorted(store.root.glob("products/*/*.parquet"))
    before = everything(store)
    places = {"PART": part, "STORE": store.root, "OUTSIDE": store.root.parent}
    for word, place in places.items():
        sql = sql.replace(word, str(place).replace("'", "''"))
    result = ask("-c", sql)
    assert result.exit_code == 2, result.output
    assert everything(store) == before


def test_copy_would_write(store):
    """Positive control: a read-only connection alone lets COPY write into the store."""
    target = str(store.root / "x.csv").replace("'", "''")
    with duckdb.connect(str(store.database), read_only=True) as con:
        con.execute(f"copy (select 1) to '{target}'")
    assert (store.root / "x.csv").exists()


@pytest.fixture
def outside(store: Store) -> Path:
    """A folder beside the store with a secret, and links to it in the store."""
    outside = store.root.parent.parent / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text(f"{NOT_OURS}\n{NOT_OURS}\n", encoding="utf-8")
    (outside / "secret.json").write_text(json.dumps({"a": NOT_OURS}), encoding="utf-8")
    pq.write_table(pa.table({"a": [NOT_OURS]}), outside / "secret.parquet")
    (store.root / "link").symlink_to(outside)
    (store.root / "link.csv").symlink_to(outside / "secret.csv")
    return outside


READS = [
    "from read_text('OUTSIDE/secret.csv')",
    "from read_csv('OUTSIDE/secret.csv')",
    "from read_csv('OUTSIDE/*.csv')",
    "from 'OUTSIDE/secret.csv'",
    "from 'OUTSIDE/secret.parquet'",
    "from read_json('OUTSIDE/secret.json')",
    "from read_blob('OUTSIDE/*')",
    "from parquet_metadata('OUTSIDE/secret.parquet')",
    "from read_text('STORE/link.csv')",
    "from read_text('STORE/link/secret.csv')",
    "from read_text('STORE/../../outside/secret.csv')",
    "from query('from read_text(''OUTSIDE/secret.csv'')')",
]
ELSEWHERE = [
    "from read_text('/etc/passwd')",
    "from read_text('/proc/self/environ')",
    "from glob('/etc/*')",
    "from glob('OUTSIDE/*')",
    "from glob('STORE/link/*')",
    "from glob('STORE/../*')",
    "from sniff_csv('/etc/passwd')",
    "from read_csv('https://example.com/a.csv')",
    "from read_csv('http://127.0.0.1:1/a.csv')",
    "from read_parquet('s3://bucket/a.parquet')",
    "from read_text('~/.bashrc')",
    "select getenv('HOME')",
]


def placed(sql: str, store: Store, outside: Path) -> str:
    """The SQL with its places filled in; the store's own has a quote."""
    root = str(store.root).replace("'", "''")
    return sql.replace("OUTSIDE", str(outside)).replace("STORE", root)


@pytest.mark.parametrize("sql", [*READS, *ELSEWHERE])
def test_nothing_else_is_reached(ask, store, outside, sql):
    """No path, link, pattern, URL or variable leads out of the published parts."""
    result = ask("-c", placed(sql, store, outside))
    assert result.exit_code == 2, result.output
    assert NOT_OURS not in result.output


# To glob patterns the store's own path is no plain one; test_links_in_a_plain_store has those.
@pytest.mark.parametrize("sql", [sql for sql in READS if "STORE" not in sql])
def test_reads_would_succeed(store, outside, sql):
    """Positive control: without the guard each of these reads finds its file."""
    with duckdb.connect(str(store.database), read_only=True) as con:
        assert con.execute(placed(sql, store, outside)).fetchall()


def test_links_in_a_plain_store(tmp_path):
    """A link in a store whose path is plain leads nowhere either, nor does a part that is one."""
    store = Store(tmp_path / "store")
    secret = tmp_path / "secret.parquet"
    pq.write_table(pa.table({"id": [NOT_OURS]}), secret)
    add_run(store, "1", add_rows(store, "1", "products", [{"id": "1"}]))
    publish(store, read_all(store))
    (store.root / "link.parquet").symlink_to(secret)
    with duckdb.connect() as con:  # positive control
        assert con.sql(f"from '{store.root}/link.parquet'").fetchall() == [(NOT_OURS,)]
    command = ["--store", str(store.root), "query", "-c"]
    for sql in (f"from '{store.root}/link.parquet'", f"from read_text('{store.root}/../secret')"):
        assert CliRunner().invoke(cli, [*command, sql]).exit_code == 2
    [part] = store.root.glob("products/*/*.parquet")
    part.unlink()
    part.symlink_to(secret)
    result = CliRunner().invoke(cli, [*command, "select id from products"])
    assert result.exit_code == 2
    assert NOT_OURS not in result.output


def test_parts_can_be_read_by_path(tmp_path):
    """What the views name is the store's, and open by its path too."""
    store = Store(tmp_path / "store")
    add_run(store, "1", add_rows(store, "1", "products", [{"id": "1"}]))
    publish(store, read_all(store))
    [part] = store.root.glob("products/*/*.parquet")
    words = ["--store", str(store.root), "query", "-c", f"from '{part}'"]
    [row] = rows(CliRunner().invoke(cli, [*words, "--format", "json"]))
    assert row["id"] == "1"


def test_moved_store(store, ask, tmp_path):
    """A database whose parts lie in another folder says what to do."""
    store.root.rename(tmp_path / "moved")
    words = ["--store", str(tmp_path / "moved"), "query", "-c", "from products"]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 2
    assert "`catalog rebuild`" in result.stderr
    assert ask("-c", "from products").exit_code == 1


def test_no_store(tmp_path):
    """Without a database one clear line says where it was looked for, and nothing is made."""
    folder = tmp_path / "none"
    result = CliRunner().invoke(cli, ["--store", str(folder), "query", "run_costs"])
    assert result.exit_code == 1
    assert f"no database at {folder}" in result.stderr
    assert not folder.exists()


def test_damaged_database(ask, store):
    """A database that is none is told in a line that names it."""
    store.database.write_bytes(b"not a database" * 1000)
    result = ask("-c", "select 1")
    assert result.exit_code == 1
    assert str(store.database) in result.stderr
    assert len(result.stderr.splitlines()) == 1


VALUES = (
    "select 1::hugeint as whole, 1.25::decimal(4, 2) as part, 'nan'::double as nan,"
    " 'inf'::float as far, 0.1::float as tenth, null as nothing, true as yes,"
    " timestamptz '2026-01-02 03:04:05+01:00' as at, date '2026-01-02' as day,"
    " [1.5, null] as list, map {'k': 0.1::float} as map, {'a': [date '2026-01-02']} as struct,"
    " 'ü\"'::varchar as text, '\\xAB'::blob as bytes, interval 1 day as span, 'x' as \"x\""
)


def test_json(ask):
    """Every type is what JSON has for it: times in ISO 8601 and UTC, no NaN."""
    result = ask("-c", VALUES, "--format", "json")
    [row] = json.loads(result.stdout, parse_constant=pytest.fail)
    span = row.pop("span")
    assert isinstance(span, str)
    assert row == {
        "whole": 1,
        "part": 1.25,
        "nan": None,
        "far": None,
        "tenth": 0.1,
        "nothing": None,
        "yes": True,
        "at": "2026-01-02T02:04:05+00:00",
        "day": "2026-01-02",
        "list": [1.5, None],
        "map": {"k": 0.1},
        "struct": {"a": ["2026-01-02"]},
        "text": 'ü"',
        "bytes": "ab",
        "x": "x",
    }


def test_times_are_in_utc(store):
    """Wherever the machine is, times are told in UTC."""
    words = [sys.executable, "-m", "jobs.cli", "--store", str(store.root), "query", "-c"]
    sql = "select timestamptz '2026-01-02 03:04:05+01:00' as at"
    away = os.environ | {"TZ": "America/New_York"}
    told = subprocess.run([*words, sql], env=away, capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == "2026-01-02T02:04:05+00:00"


def test_json_without_rows(ask):
    """No rows are an empty array."""
    assert rows(ask("-c", "from products where false", "--format", "json")) == []


@pytest.mark.parametrize("text", FORMULAS)
def test_csv_escapes_formulas(ask, text):
    """Text that a spreadsheet would run, and a column's name, get a quote before them."""
    shown = ", ".join(f"chr({ord(character)})" for character in text)
    result = ask("-c", f'select concat({shown}) as "=name"', "--format", "csv")
    assert list(csv.reader(io.StringIO(result.stdout, newline=""))) == [["'=name"], [f"'{text}"]]


def test_csv_keeps_what_is_harmless(ask):
    """Numbers below zero stay numbers; quotes, commas and lines are CSV's own business."""
    text = "'x,\"y\"' || chr(10) || 'z'"
    sql = f"select -1 as a, -0.5 as b, {text} as c, null as d, 'a=b' as e, true as f"
    result = ask("-c", sql, "--format", "csv")
    assert list(csv.reader(io.StringIO(result.stdout))) == [
        list("abcdef"),
        ["-1", "-0.5", 'x,"y"\nz', "", "a=b", "true"],
    ]


def test_table(ask):
    """Numbers stand to the right, long cells are cut, and no character moves the cursor."""
    sql = "select 'a' || chr(27) || '[2J' as text, 7 as \"number\", repeat('x', 100) as long"
    assert ask("-c", sql).stdout.splitlines() == [
        f"{'text':<8}  number  {'long'}",
        f"{'-' * 8}  ------  {'-' * 60}",
        f"a\\x1b[2J{'7':>8}  {'x' * 59}…",
    ]


def test_table_without_rows(ask):
    """An empty answer says so."""
    assert ask("-c", "select id from products where false").stdout == "id\n--\nno rows\n"


def test_markdown(ask):
    """Nothing in a cell is taken for markup or for the end of a cell."""
    sql = "select '<b>|[x](y)|' || chr(10) || '`*' as text, 1 as n"
    assert ask("-c", sql, "--format", "markdown").stdout.splitlines() == [
        "| text | n |",
        "| --- | ---: |",
        r"| &lt;b&gt;\|\[x\](y)\|\\n\`\* | 1 |",
    ]


def test_two_columns_of_one_name(ask):
    """Columns are told by their place, so that none stands in for another."""
    result = ask("-c", "select 1 as a, 2 as a", "--format", "csv")
    assert result.stdout.splitlines()[1] == "1,2"


@pytest.mark.parametrize("form", FORMATS)
def test_output(ask, tmp_path, form):
    """A file has the answer in each form, what it had before is gone, and nothing is printed."""
    path = tmp_path / "out" / "answer"
    path.parent.mkdir()
    path.write_text("before", encoding="utf-8")
    result = ask("-c", "select id from tags order by id", "--format", form, "--output", path)
    assert (result.exit_code, result.output) == (0, "")
    if form == "parquet":
        assert pq.read_table(path).to_pylist() == [{"id": "1"}, {"id": "2"}]
    else:
        assert path.read_text(encoding="utf-8").split()[-1] in {"2", "]", "|"}
    assert [found.name for found in path.parent.iterdir()] == ["answer"]


def test_output_of_a_failed_query(ask, tmp_path):
    """A query that fails halfway leaves the file as it was."""
    path = tmp_path / "answer.csv"
    path.write_text("before", encoding="utf-8")
    sql = "select if(n < 90000, n, error('boom')) from range(100000) as numbers(n)"
    result = ask("-c", sql, "--format", "csv", "--output", path)
    assert (result.exit_code, path.read_text(encoding="utf-8")) == (2, "before")
    assert not list(tmp_path.glob(".*draft"))


def test_output_into_the_store(ask, store):
    """Nothing of the store is overwritten by an answer, through a link neither."""
    before = store.database.read_bytes()
    (store.root.parent / "link").symlink_to(store.root)
    for folder in (store.root, store.root.parent / "link"):
        result = ask("-c", "select 1", "--output", folder / "catalog.duckdb")
        assert result.exit_code == 2
        assert "does not write into the store" in result.stderr
    assert store.database.read_bytes() == before


def test_full_disk(ask, tmp_path):
    """A disk without room is one line."""
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("no /dev/full here")
    with pytest.raises(OSError, match="No space left"):
        Path("/dev/full").write_text("x", encoding="utf-8")
    path = tmp_path / "answer.csv"
    draft = answers.replacing

    class Full:
        """A draft that lies on a full disk."""

        def __init__(self, target: Path) -> None:
            self.inner = draft(target)

        def __enter__(self) -> Path:
            made = self.inner.__enter__()
            made.symlink_to("/dev/full")
            return made

        def __exit__(self, *what: object) -> object:
            return self.inner.__exit__(*what)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers, "replacing", Full)
        result = ask("-c", "from range(100000)", "--format", "csv", "--output", path)
    assert result.exit_code == 1
    assert "no room left" in result.stderr
    assert not path.exists()


def test_reader_that_has_enough(store):
    """`| head` ends the answer in silence."""
    command = [sys.executable, "-m", "jobs.cli", "--store", str(store.root)]
    words = [*command, "query", "-c", "from range(1000000)", "--format", "csv"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"range\n"
        running.stdout.close()
        assert running.stderr is not None
        assert running.stderr.read() == b""
    assert running.returncode == 0


def test_analyst_has_it_open(ask, store):
    """An answer comes while an analyst reads the same database in another process."""
    code = (
        "import duckdb, sys; con = duckdb.connect(sys.argv[1], read_only=True);"
        " print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(store.database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as analyst:
        assert analyst.stdout is not None
        analyst.stdout.readline()
        assert len(rows(ask("-c", "from products", "--format", "json"))) == 2
        analyst.communicate()


def test_no_extension_is_looked_for():
    """DuckDB neither loads nor fetches what a query might want, and the settings are DuckDB's."""
    with duckdb.connect(config=query._CONFIG) as con:
        for setting in ("autoload_known_extensions", "autoinstall_known_extensions"):
            assert con.sql(f"select current_setting('{setting}')").fetchall() == [(False,)]
