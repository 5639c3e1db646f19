"""What DuckDB and Arrow say when the disk is full or fails, in the words of `sql.files`."""

import os
from errno import EDQUOT, EIO, ENOSPC, EROFS
from pathlib import Path

import duckdb

from sql.files import StoreTrouble, trouble_of

# What DuckDB says without the system's words for it. How much it may spill is what room there is.
_OWN_WORDS = {"max_temp_directory_size": ENOSPC, "fsync failed": EIO}


def disk_trouble(error: Exception, folder: Path) -> StoreTrouble | None:
    """Tell what an error of DuckDB's or the system's says of the disk; None when nothing.

    `folder` is where it was at work, for those that name no file.
    """
    if isinstance(error, StoreTrouble):
        return error
    if isinstance(error, OSError):
        named = isinstance(error.filename, str)
        return trouble_of(error.errno, Path(error.filename).parent if named else folder)
    if isinstance(error, duckdb.Error):
        return trouble_of(_number(str(error)), folder)
    return None


def _number(said: str) -> int | None:
    """The errno behind a message of DuckDB's, which ends with the system's words for it."""
    words = {os.strerror(number): number for number in (ENOSPC, EDQUOT, EIO, EROFS)} | _OWN_WORDS
    return next((number for word, number in words.items() if word in said), None)
