"""pyarrow without pandas, which it looks for when it makes its first array."""

import sys
from collections.abc import Sequence

import pyarrow as pa


def spare_pandas() -> None:
    """Let pyarrow make its arrays without loading pandas, for a job that has nothing of pandas.

    It would take a fifth of a second. pyarrow looks for pandas once, at its first array
    (apache/arrow issue 34994), and does without where that is not installed: at that moment it is
    not. Tables still go to pandas and come from it, but for the rest of the process pyarrow takes
    pandas's own missing values (NA, NaT) among Python objects for values.
    """
    sys.meta_path.insert(0, _NoPandas)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(_NoPandas)


class _NoPandas:
    """A finder of modules that says of pandas that it is not installed."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: object = None) -> None:
        del path, target
        if name == "pandas":
            raise ModuleNotFoundError(name)
