"""The decode worker: `python -m catalog.images.decoder_worker SIZE MEMORY_MB SECONDS`.

Paths come in on standard input, pixels leave on standard output; `catalog.images.decoders` is the
other end. It imports Pillow and no NumPy, and leaves when its input ends. Its death costs the
picture it held and nothing else.
"""

import os
import resource
import signal
import sys
from typing import BinaryIO

from catalog.images.decode import TooHeavy, Unreadable, decode
from catalog.images.reasons import Reason
from catalog.images.wire import HEADER, REQUEST


def main() -> None:
    """Answer requests until the input ends."""
    size, memory_mb, seconds = map(int, sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    requests, replies = sys.stdin.buffer, sys.stdout.fileno()
    _send(replies, "ready")
    while start := requests.read(REQUEST.size):
        alone, length = REQUEST.unpack(start)
        path = requests.read(length)
        # Ends even C code that hangs, also when nobody is left to kill this process.
        signal.alarm(seconds)
        words, pixels = _answer(path, size, alone=alone)
        signal.alarm(0)
        _send(replies, words, pixels)


def _answer(path: bytes, size: int, *, alone: bool) -> tuple[str, bytes]:
    """The words of the reply's header, and the pixels of a picture that could be read."""
    try:
        with _opened(path) as file:
            pixels = decode(file.read(), size, alone=alone)
    except TooHeavy:
        return "heavy", b""
    except Unreadable as err:
        return f"failed {err.reason}", b""
    except FileNotFoundError:
        return f"failed {Reason.FILE_MISSING}", b""
    except OSError:
        return f"failed {Reason.FILE_UNREADABLE}", b""
    except MemoryError:
        return f"failed {Reason.OUT_OF_MEMORY}", b""
    words = ("ok", pixels.width, pixels.height, pixels.format, pixels.fingerprint)
    return " ".join(map(str, words)), pixels.rgb


def _opened(path: bytes) -> BinaryIO:
    return open(path, "rb", buffering=0)  # noqa: PTH123 - bytes, any name the file system allows


def _send(pipe: int, words: str, pixels: bytes = b"") -> None:
    left = [memoryview(words.encode().ljust(HEADER)), memoryview(pixels)]
    while any(left):
        done = os.writev(pipe, left)
        for number, view in enumerate(left):
            part = min(done, len(view))
            left[number] = view[part:]
            done -= part


if __name__ == "__main__":
    main()
