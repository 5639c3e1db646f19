"""Asks hostile servers from a process of its own, whose memory, threads and files are measured.

A job comes as JSON on standard input; what came of it leaves as JSON on standard output.
"""

import hashlib
import json
import os
import resource
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from catalog.images import guard
from catalog.images.asking import Known
from catalog.images.fetch import Fetcher
from catalog.images.settings import FetchSettings
from tests.fault_server import PRIVATE, PUBLIC
from tests.naive_fetch import plain_fetcher

THREADS = 64
RESOLVE = socket.getaddrinfo
IS_PUBLIC = guard.is_public

# What the name server says, one answer after the other; the last one stays.
NAMES = {
    "nothing.example": [[]],
    "private.example": [[PRIVATE]],
    "mapped.example": [[f"::ffff:{PRIVATE}"]],
    "mixed.example": [[PUBLIC, PRIVATE]],
    "rebinds.example": [[PUBLIC], [PRIVATE]],
}

Step = tuple[str, str | None, bool, str, float]  # outcome, reason, dead, SHA-256, seconds
Ask = Callable[[list[str]], list[Step]]


def name_server(hang: float) -> Callable[..., list[Any]]:
    """A name server that knows NAMES and numbers; no other name ever leaves this process."""
    answers = {name: list(said) for name, said in NAMES.items()}

    def resolve(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        name = str(host).lower().rstrip(".")
        if name == "silent.example":
            time.sleep(hang)
        if name == "empty.example":
            return []
        if name not in answers:
            return RESOLVE(host, port, *args, **{**kwargs, "flags": socket.AI_NUMERICHOST})
        found = answers[name].pop(0) if len(answers[name]) > 1 else answers[name][0]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [answer for address in found for answer in RESOLVE(address, port, 0, 1)]

    return resolve


def guarded(fetcher: Fetcher) -> Ask:
    """Ask as a run does: the second time with what is known from the first."""

    def ask(urls: list[str]) -> list[Step]:
        steps: list[Step] = []
        known: dict[str, Known] = {}
        for url in urls:
            got = fetcher.fetch(url, known.get(url))
            known[url] = Known(etag=got.etag, last_modified=got.last_modified)
            digest = hashlib.sha256(got.data or b"").hexdigest()
            steps.append((got.outcome, got.reason, got.dead, digest, got.seconds))
        return steps

    return ask


def plain(get: Callable[[str], bytes]) -> Ask:
    """Ask as people usually do."""

    def ask(urls: list[str]) -> list[Step]:
        return [plain_step(get, url) for url in urls]

    return ask


def plain_step(get: Callable[[str], bytes], url: str) -> Step:
    """What came of one URL, and how long it took."""
    started = time.monotonic()
    try:
        digest, outcome, reason = hashlib.sha256(get(url)).hexdigest(), "fetched", None
    except Exception as err:  # noqa: BLE001 - whatever it raises, it failed
        digest, outcome, reason = "", "failed", type(err).__name__
    return outcome, reason, False, digest, time.monotonic() - started


def ask_all(ask: Ask, cases: Mapping[str, list[str]], limit: float) -> dict[str, list[list[Step]]]:
    """Every outcome of each case, from many threads at once; what is not there hangs."""
    waiting: SimpleQueue[tuple[str, list[str]]] = SimpleQueue()
    for case in cases.items():
        waiting.put(case)
    outcomes: dict[str, list[list[Step]]] = {}

    def work() -> None:
        while True:
            try:
                name, urls = waiting.get_nowait()
            except Empty:
                return
            outcomes.setdefault(name, []).append(ask(urls))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(THREADS)]
    until = time.monotonic() + limit
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return dict(outcomes)


def held(name: str) -> int:
    """Bytes that this process holds (VmRSS) or held at most (VmHWM)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def open_files() -> int:
    """How many files and sockets are open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - nothing but their number


def left_over(before: int, count: Callable[[], int], patience: float) -> int:
    """How many more there are than before, once what ends by itself has ended."""
    until = time.monotonic() + patience
    while count() > before and time.monotonic() < until:
        time.sleep(0.02)
    return count() - before


def main() -> None:
    """Do the job."""
    job = json.loads(sys.stdin.read())
    most = int(job["address_space"])
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    guard.WEB_PORTS = guard.WEB_PORTS | {job["canary_port"]}
    guard.is_public = lambda text: text == PUBLIC or IS_PUBLIC(text)
    settings = FetchSettings(**{**job["settings"], "allow_hosts": tuple(job["allow_hosts"])})
    # Loaded and warm before anything is measured.
    with Fetcher(settings) as fetcher:
        guarded(fetcher)(job["warm"])
    get = plain_fetcher(settings.read_timeout)
    plain(get)(job["warm"])
    threads, files, idle = threading.active_count(), open_files(), held("VmRSS")
    socket.getaddrinfo = name_server(job["hang"])
    if job["way"] == "guarded":
        with Fetcher(settings) as fetcher:
            outcomes = ask_all(guarded(fetcher), job["cases"], job["limit"])
    else:
        outcomes = ask_all(plain(get), job["cases"], job["limit"])
    report = {
        "outcomes": outcomes,
        "bytes": held("VmHWM") - idle,
        "threads": left_over(threads, threading.active_count, job["patience"]),
        "files": left_over(files, open_files, job["patience"]),
    }
    print(json.dumps(report), flush=True)
    os._exit(0)  # whoever still hangs does not keep the process


if __name__ == "__main__":
    main()
