"""`--download`: the data of a recipe, by Keras's own means, into the folder that Keras keeps."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from jobs.errors import JobError
from jobs.recipe import Data

SILENT_SECONDS = 30.0
"""How long a server may say nothing. Keras itself would wait for ever."""

MD5_DIGITS = 32


def kept(data: Data) -> Path:
    """The folder in which Keras keeps, or would keep, the data."""
    if data.keras:
        return _home() / "datasets" / data.keras.replace("_", "-")
    return _home() / "datasets" / data.name / f"{data.name}_extracted" / data.unpacked


def download(data: Data) -> Path:
    """Fetch the data and give their folder; JobError when nobody gives them, or other data came."""
    from jobs.training import hush_tensorflow  # noqa: PLC0415 - with what it hushes

    hush_tensorflow()
    import keras  # noqa: PLC0415 - it takes seconds to load

    try:
        _home().mkdir(parents=True, exist_ok=True)  # else Keras goes elsewhere
        # Keras draws its progress where our result goes.
        with _impatient(), redirect_stdout(sys.stderr):
            if data.keras:
                getattr(keras.datasets, data.keras).load_data()
            else:
                keras.utils.get_file(
                    f"{data.name}.tar.gz",
                    data.url,
                    file_hash=data.hash or None,
                    hash_algorithm="md5" if len(data.hash) == MD5_DIGITS else "sha256",
                    extract=True,
                    cache_dir=str(_home()),
                    cache_subdir=str(Path("datasets") / data.name),
                )
    # Keras tells of a server that does not answer, or of another file, by a plain Exception.
    except Exception as error:
        raise JobError(
            f"{data.name} could not be downloaded: {error}",
            hint=f"{data.where}; name its folder with --data",
        ) from error
    return kept(data)


def _home() -> Path:
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))


@contextmanager
def _impatient() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENT_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
