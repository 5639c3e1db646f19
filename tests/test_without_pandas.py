"""pyarrow does without pandas until somebody wants it."""

import subprocess
import sys

import pytest

from tests.workbench import TOML


def run(code: str, *words: object) -> subprocess.CompletedProcess[str]:
    """Run code in a Python of its own."""
    command = [sys.executable, "-c", f"import sys, pyarrow as pa\n{code}", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=True)


SPARED = "from sql.without_pandas import spare_pandas\nspare_pandas()\n"


@pytest.mark.parametrize(("before", "loaded"), [(SPARED, "False"), ("", "True")])
def test_arrays_load_no_pandas(before, loaded):
    """Arrays and scalars are made without it; the positive control is pyarrow's own way."""
    code = "pa.array(['a']); pa.scalar(1.0); pa.table({'a': [1]}); print('pandas' in sys.modules)"
    assert run(before + code).stdout.strip() == loaded


def test_pandas_is_there_for_who_wants_it():
    """Tables go to pandas and come from it, and anybody can import it."""
    code = """
import pandas
frame = pa.table({"a": [1, 2]}).to_pandas()
assert frame.equals(pandas.DataFrame({"a": [1, 2]}))
assert pa.Table.from_pandas(frame)["a"].to_pylist() == [1, 2]
"""
    run(SPARED + code)


NIGHT = """
from jobs.cli import main
try:
    main()
finally:
    print({"pandas", "scipy", "seaborn", "sklearn", "tensorflow"} & set(sys.modules))
"""


def test_a_night_loads_nothing_of_trainings(bench):
    """`catalog tag` looks, measures, draws and publishes without the libraries of trainings."""
    config = bench.folder / "catalog.toml"
    config.write_text(TOML, encoding="utf-8")
    words = ["--store", bench.store.root, "--config", config, "--quiet", "tag", bench.write()]
    done = run(NIGHT, *words, "--allow-host", bench.shop.host)
    assert done.stdout.splitlines()[-1] == "set()"
    assert "heat-8" in next(bench.store.root.glob("reports/*/index.html")).read_text()
