"""The decode worker: `python -m catalog.images.decoder_worker SIZE MEMORY_MB SECONDS PIXELS`.

Paths come in on standard input, pixels leave on standard output; `catalog.images.decoders` is the
other end. It imports Pillow and no NumPy, and leaves when its input ends. Its death costs the
picture it held and nothing else.
"""

import os
import resource
import signal
import stat
import sys

from catalog.images.decode import TooHeavy, Unreadable, decode
from catalog.images.reasons import Reason
from catalog.images.wire import HEADER, REQUEST


def main() -> None:
    """Answer requests until the input ends."""
    size, memory_mb, seconds, max_pixels = map(int, sys.argv[1:])
    _limit(resource.RLIMIT_AS, memory_mb << 20)
    _limit(resource.RLIMIT_CORE, 0)
    # Both are inherited, and without this signal nothing ends a picture that hangs.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    requests, replies = sys.stdin.buffer, sys.stdout.fileno()
    _send(replies, "ready")
    while start := requests.read(REQUEST.size):
        alone, length = REQUEST.unpack(start)
        path = requests.read(length)
        # Ends even C code that hangs, also when nobody is left to kill this process.
        signal.alarm(seconds)
        words, pixels = _answer(path, size, alone=alone, max_pixels=max_pixels)
        signal.alarm(0)
        _send(replies, words, pixels)


def _limit(kind: int, most: int) -> None:
    """Set a limit, or keep the lower one that this process was given and may not raise."""
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(kind, (most, most))


def _answer(path: bytes, size: int, *, alone: bool, max_pixels: int) -> tuple[str, bytes]:
    """The words of the reply's header, and the pixels of a picture that could be read."""
    try:
        pixels = decode(_read(path), size, alone=alone, max_pixels=max_pixels)
    except TooHeavy:
        return "heavy", b""
    except Unreadable as err:
        return f"failed {err.reason}", b""
    except FileNotFoundError:
        return f"failed {Reason.FILE_MISSING}", b""
    except (OSError, ValueError):  # the latter for a name with a zero byte
        return f"failed {Reason.FILE_UNREADABLE}", b""
    except MemoryError:
        return f"failed {Reason.OUT_OF_MEMORY}", b""
    words = ("ok", pixels.width, pixels.height, pixels.format, pixels.fingerprint)
    return " ".join(map(str, words)), pixels.rgb


def _read(path: bytes) -> bytes:
    """What a file holds; OSError for a pipe or a device, which may never end."""
    with open(path, "rb", buffering=0, opener=_open) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("not a file")
        return file.read()


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # opening a pipe would wait for its writer


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
