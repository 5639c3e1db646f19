"""Decoding where a death costs one picture: each Decoder owns one worker process."""

import contextlib
import fcntl
import os
import re
import select
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from catalog.images.formats import FORMATS
from catalog.images.reasons import Reason
from catalog.images.settings import DecodeSettings
from catalog.images.wire import HEADER, REQUEST

PIPE_BYTES = 1 << 20  # a whole picture fits, such that the worker never waits for its reader
STARTING_SECONDS = 30.0
LONGEST_PATH = 4096  # bytes; Linux takes no longer one

# For glibc: left to itself it gives memory back after each picture and asks for it again, which
# takes a tenth of the time. A worker keeps these 32 MB instead.
_KEEPING_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(32 << 20), "MALLOC_MMAP_THRESHOLD_": str(8 << 20)}

_FINGERPRINT = re.compile("[0-9a-f]{128}")
_USUAL = DecodeSettings()

# Every Decoder of the process shares it: two heavy pictures at once could exhaust the machine.
_HEAVY = threading.Lock()

Uint8Array = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What became of one picture; all but the outcome and the reason are None when it failed."""

    outcome: Literal["ok", "failed"]
    reason: Reason | None = None
    pixels: Uint8Array | None = None  # [size, size, 3], RGB
    width: int | None = None  # pixels of the original, upright
    height: int | None = None
    format: str | None = None
    fingerprint: str | None = None  # hex


class _WorkerLost(Exception):  # noqa: N818 - what happened
    """The worker closed its end of the pipe, or no longer says what a worker says."""


class _Overdue(Exception):  # noqa: N818 - what happened
    """The worker did not answer in time."""


class Decoder:
    """Decodes pictures one at a time in a worker process of its own; for one thread.

    `size` is the side of the pixels in the answer.
    """

    def __init__(self, size: int, settings: DecodeSettings = _USUAL) -> None:
        self._size = size
        self._settings = settings
        self._header = bytearray(HEADER)
        self._ready = False
        self._ended = False
        self._worker = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def end(self) -> None:
        """Let nobody wait for it any more: the thread that does gets RuntimeError."""
        self._ended = True
        self._worker.kill()

    def close(self) -> None:
        """End the worker; safe to call again."""
        self._ready = False
        self._worker.kill()
        self._worker.wait()
        for pipe in (self._worker.stdin, self._worker.stdout):
            assert pipe is not None  # noqa: S101 - both were asked for
            pipe.close()

    def decode(self, path: Path | str) -> Decoded:
        """The picture in the file at `path`.

        A worker that dies or takes too long is replaced, and that picture is a failure. Raises
        RuntimeError when workers do not start at all: then no picture is to blame.
        """
        name = _name_of(path)
        if name is None:
            return Decoded("failed", Reason.FILE_UNREADABLE)
        try:
            self._wait_until_ready()
            return self._answer(name)
        except _WorkerLost:
            return self._replaced(Reason.DECODER_DIED)
        except _Overdue:
            return self._replaced(Reason.DECODER_TIMEOUT)
        except BaseException:
            self.close()  # its reply must never be taken for that of the next picture
            raise

    def _answer(self, name: bytes) -> Decoded:
        decoded = self._ask(name, alone=False)
        if decoded is None:
            with _HEAVY:
                decoded = self._ask(name, alone=True)
        if decoded is None:  # alone, no picture is too heavy
            raise _WorkerLost
        return decoded

    def _ask(self, name: bytes, *, alone: bool) -> Decoded | None:
        """One request and its reply; None for a picture that must be decoded alone."""
        self._write(REQUEST.pack(alone, len(name)) + name)
        pixels = bytearray(self._size * self._size * 3)
        words = self._read_reply(pixels)
        if words == ["heavy"]:
            return None
        try:
            return self._decoded(words, pixels)
        except ValueError:  # a picture that took its worker over must not end the run
            raise _WorkerLost from None

    def _decoded(self, words: list[str], pixels: bytearray) -> Decoded:
        """What a reply says; ValueError when it says nothing that a worker says."""
        if words[:1] == ["failed"]:
            (reason,) = words[1:]
            return Decoded("failed", Reason(reason))
        _, width, height, kind, code = words
        total = int(width) * int(height)
        if int(width) < 1 or not 1 <= total <= self._settings.max_pixels:
            raise ValueError(f"{total} pixels")
        if kind not in FORMATS or not _FINGERPRINT.fullmatch(code):
            raise ValueError(f"{kind} {code}")
        array = np.frombuffer(pixels, np.uint8).reshape(self._size, self._size, 3)
        return Decoded("ok", None, array, int(width), int(height), kind, code)

    def _read_reply(self, pixels: bytearray) -> list[str]:
        """The words of the next reply's header; its pixels, if any, are left in `pixels`."""
        due = time.monotonic() + self._settings.seconds
        left = [memoryview(self._header), memoryview(pixels)]
        got = self._read_some(left, due)
        while got < HEADER:
            got += self._read_some([left[0][got:], left[1]], due)
        words = self._header.decode("ascii", "replace").split()
        expected = HEADER + (len(pixels) if words[:1] == ["ok"] else 0)
        while got < expected:
            got += self._read_some([left[1][got - HEADER :]], due)
        if got > expected:
            raise _WorkerLost
        return words

    def _read_some(self, buffers: list[memoryview], due: float) -> int:
        """Bytes that were read straight into `buffers`, at least one."""
        pipe = self._worker.stdout.fileno()  # type: ignore[union-attr]
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        if not poll.poll(max(0.0, due - time.monotonic()) * 1000):
            raise _Overdue
        if got := os.readv(pipe, buffers):
            return got
        raise _WorkerLost

    def _write(self, request: bytes) -> None:
        try:
            self._worker.stdin.write(request)  # type: ignore[union-attr]
        except BrokenPipeError:
            raise _WorkerLost from None

    def _replaced(self, reason: Reason) -> Decoded:
        self.close()
        if self._ended:
            raise RuntimeError("the decoder was ended while it decoded")
        self._worker = self._start()
        return Decoded("failed", reason)

    def _start(self) -> subprocess.Popen[bytes]:
        limits = self._settings
        seconds = int(limits.seconds) + 5
        arguments = (self._size, limits.memory_mb, seconds, limits.max_pixels)
        try:
            worker = subprocess.Popen(  # nosec B603  # noqa: S603 - our own module
                # -P: a folder named PIL where the user stands must not be imported.
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "catalog.images.decoder_worker",
                    *map(str, arguments),
                ],
                bufsize=0,
                env=os.environ | _KEEPING_MEMORY,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # image libraries complain there about hostile bytes
                process_group=0,  # Ctrl-C is for the job, which then ends its workers itself
            )
        except OSError as err:  # no process, file or memory is left to start one with
            raise RuntimeError(f"the decode worker did not start ({err})") from err
        assert worker.stdout is not None  # noqa: S101 - it was asked for
        _widen(worker.stdout.fileno())
        return worker

    def _wait_until_ready(self) -> None:
        """Return once the worker has said that it is there."""
        if self._ready:
            return
        due = time.monotonic() + STARTING_SECONDS
        try:
            if self._read_some([memoryview(self._header)], due) == HEADER:
                self._ready = True
                return
        except (_WorkerLost, _Overdue):
            pass
        self.close()
        raise RuntimeError(f"the decode worker did not start (exit code {self._worker.returncode})")


def _name_of(path: Path | str) -> bytes | None:
    """A path as the file system knows it, None for one that it can't know."""
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError:
        return None
    return name if len(name) < LONGEST_PATH else None


def _widen(pipe: int) -> None:
    """Let the pipe hold a whole picture, where the system can."""
    if not hasattr(fcntl, "F_SETPIPE_SZ"):
        return
    with contextlib.suppress(OSError):  # the user's share of pipe memory is spent
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
