"""Keeps what C++ libraries write to descriptor 2 off the terminal; no setting turns it off."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_HUSHING = threading.Lock()  # the descriptor is the whole process's


@contextmanager
def hushed() -> Iterator[None]:
    """Let nothing reach standard error while the block runs."""
    with _HUSHING, open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, not a path of ours
        kept = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
