"""Decoding where a death costs one picture: each Decoder owns one worker process."""

import contextlib
import fcntl
import os
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

from catalog.images.reasons import Reason
from catalog.images.wire import HEADER, REQUEST

PIPE_BYTES = 1 << 20  # a whole picture fits, such that the worker never waits for its reader
STARTING_SECONDS = 30.0

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


class _WorkerEnded(Exception):  # noqa: N818 - what happened
    """The worker closed its end of the pipe."""


class _Overdue(Exception):  # noqa: N818 - what happened
    """The worker did not answer in time."""


class Decoder:
    """Decodes pictures one at a time in a worker process of its own; for one thread.

    `size` is the side of the pixels in the answer, `memory_mb` bounds the worker's address space,
    `seconds` bounds the time for one picture.
    """

    def __init__(self, size: int, memory_mb: int = 800, seconds: float = 20.0) -> None:
        self._size = size
        self._memory_mb = memory_mb
        self._seconds = seconds
        self._header = bytearray(HEADER)
        self._ready = False
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
        try:
            self._wait_until_ready()
            return self._answer(path)
        except _WorkerEnded:
            return self._replaced(Reason.DECODER_DIED)
        except _Overdue:
            return self._replaced(Reason.DECODER_TIMEOUT)

    def _answer(self, path: Path | str) -> Decoded:
        decoded = self._ask(path, alone=False)
        if decoded is None:
            with _HEAVY:
                decoded = self._ask(path, alone=True)
        assert decoded is not None  # noqa: S101 - alone, no picture is too heavy
        return decoded

    def _ask(self, path: Path | str, *, alone: bool) -> Decoded | None:
        """One request and its reply; None for a picture that must be decoded alone."""
        name = os.fsencode(path)
        self._write(REQUEST.pack(alone, len(name)) + name)
        pixels = bytearray(self._size * self._size * 3)
        words = self._read_reply(pixels)
        if words[0] == "heavy":
            return None
        if words[0] == "failed":
            return Decoded("failed", Reason(words[1]))
        _, width, height, kind, code = words
        array = np.frombuffer(pixels, np.uint8).reshape(self._size, self._size, 3)
        return Decoded("ok", None, array, int(width), int(height), kind, code)

    def _read_reply(self, pixels: bytearray) -> list[str]:
        """The words of the next reply's header; its pixels, if any, are left in `pixels`."""
        due = time.monotonic() + self._seconds
        left = [memoryview(self._header), memoryview(pixels)]
        got = self._read_some(left, due)
        while got < HEADER:
            got += self._read_some([left[0][got:], left[1]], due)
        words = self._header.decode("ascii").split()
        expected = HEADER + (len(pixels) if words[0] == "ok" else 0)
        while got < expected:
            got += self._read_some([left[1][got - HEADER :]], due)
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
        raise _WorkerEnded

    def _write(self, request: bytes) -> None:
        try:
            self._worker.stdin.write(request)  # type: ignore[union-attr]
        except BrokenPipeError:
            raise _WorkerEnded from None

    def _replaced(self, reason: Reason) -> Decoded:
        self.close()
        self._worker = self._start()
        return Decoded("failed", reason)

    def _start(self) -> subprocess.Popen[bytes]:
        arguments = (self._size, self._memory_mb, int(self._seconds) + 5)
        worker = subprocess.Popen(  # noqa: S603 - our own module, in our own interpreter
            # -P: a folder named PIL where the user stands must not be imported.
            [
                sys.executable,
                "-P",
                "-m",
                "catalog.images.decoder_worker",
                *map(str, arguments),
            ],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # image libraries complain there about hostile bytes
            process_group=0,  # Ctrl-C is for the job, which then ends its workers itself
        )
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
        except (_WorkerEnded, _Overdue):
            pass
        self.close()
        raise RuntimeError(f"the decode worker did not start (exit code {self._worker.returncode})")


def _widen(pipe: int) -> None:
    """Let the pipe hold a whole picture, where the system can."""
    if not hasattr(fcntl, "F_SETPIPE_SZ"):
        return
    with contextlib.suppress(OSError):  # the user's share of pipe memory is spent
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
