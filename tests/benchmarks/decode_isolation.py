"""What it costs to decode where a death costs one picture.

The same JPEGs of 800 x 1000 are decoded (a) by `decode` in threads of one process, (b) by `decode`
in plain worker processes without limits, (c) by our Decoders, driven by threads as a run does.
The isolation may cost a tenth of the pictures a second of the better of (a) and (b).

    .venv/bin/python tests/benchmarks/decode_isolation.py [--pictures 400] [--workers 4]
"""

import hashlib
import multiprocessing
import os
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import psutil
from measure import arguments, machine, scratch, table, verdict
from PIL import Image, ImageFilter

from catalog.images.decode import decode
from catalog.images.decoders import Decoder

SIDE = 224
SIZE = (800, 1000)
RUNS = 5
DRAWN = 40  # different pictures; each is decoded many times
MAY_COST = 0.1
REAL = Path("fashion-products")


def drawn(folder: Path, seed: int = 1) -> list[Path]:
    """JPEGs with as much detail as photographs have, about 150 kB each."""
    folder.mkdir(parents=True, exist_ok=True)
    chance, paths = random.Random(seed), []
    for number in range(DRAWN):
        coarse = Image.frombytes("RGB", (40, 50), chance.randbytes(6000)).resize(SIZE)
        grain = Image.frombytes("L", (400, 500), chance.randbytes(200_000)).resize(SIZE)
        soft = grain.filter(ImageFilter.GaussianBlur(1)).convert("RGB")
        paths.append(folder / f"{number:03d}.jpg")
        Image.blend(coarse, soft, 0.3).save(paths[-1], quality=85)
    return paths


def real(data: Path) -> list[Path]:
    """Some real pictures, always the same; none where there is no real data."""
    found = sorted((data / REAL).rglob("*.jpg"), key=lambda path: _mixed(path.name))
    return found[:DRAWN]


def _mixed(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def decoded(path: Path) -> int:
    """Decode in this very process; the bytes of pixels, such that nothing is left out."""
    return len(decode(path.read_bytes(), SIDE).rgb)


def pixels(path: Path) -> bytes:
    """The same, and the pixels travel back."""
    return decode(path.read_bytes(), SIDE).rgb


def in_threads(pool: ThreadPoolExecutor, paths: Sequence[Path]) -> None:
    """Way (a)."""
    assert all(pool.map(decoded, paths))


def in_plain_processes(pool: "multiprocessing.pool.Pool", paths: Sequence[Path]) -> None:
    """Way (b)."""
    assert all(pool.imap_unordered(pixels, paths, chunksize=4))


def in_decoders(
    decoders: "SimpleQueue[Decoder]", pool: ThreadPoolExecutor, paths: Sequence[Path]
) -> None:
    """Way (c)."""

    def one(path: Path) -> bool:
        decoder = decoders.get()
        try:
            return decoder.decode(path).pixels is not None
        finally:
            decoders.put(decoder)

    assert all(pool.map(one, paths))


def cpu_seconds() -> float:
    """Of this process and of its children, which still run."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    total = own.ru_utime + own.ru_stime
    for child in psutil.Process().children(recursive=True):
        times = child.cpu_times()
        total += times.user + times.system
    return total


def timed(way: Callable[[Sequence[Path]], None], paths: Sequence[Path]) -> tuple[float, float]:
    """Pictures a second, and CPU milliseconds a picture."""
    cpu, started = cpu_seconds(), time.perf_counter()
    way(paths)
    seconds = time.perf_counter() - started
    return len(paths) / seconds, 1000 * (cpu_seconds() - cpu) / len(paths)


def compared(paths: Sequence[Path], workers: int) -> dict[str, tuple[float, float]]:
    """Each way's medians over runs that take turns, after a first that counts for nothing."""
    with ExitStack() as stack:
        # First, as a fork takes along the threads' locks.
        plain = stack.enter_context(multiprocessing.get_context("fork").Pool(workers))
        threads = stack.enter_context(ThreadPoolExecutor(workers))
        decoders: SimpleQueue[Decoder] = SimpleQueue()
        for _ in range(workers):
            decoders.put(stack.enter_context(Decoder(SIDE)))
        ways: dict[str, Callable[[Sequence[Path]], None]] = {
            "threads": partial(in_threads, threads),
            "plain processes": partial(in_plain_processes, plain),
            "decoders": partial(in_decoders, decoders, threads),
        }
        for way in ways.values():
            way(paths)
        runs = [{name: timed(way, paths) for name, way in ways.items()} for _ in range(RUNS)]
    return {
        name: (
            statistics.median(run[name][0] for run in runs),
            statistics.median(run[name][1] for run in runs),
        )
        for name in ways
    }


def told(title: str, figures: dict[str, tuple[float, float]]) -> float:
    """Print a table; our pictures a second, as a part of the better other way's."""
    best = max(figures["threads"][0], figures["plain processes"][0])
    rows = [[name, rate, rate / best, cpu] for name, (rate, cpu) in figures.items()]
    print(f"\n{title}\n")
    print(table(["way", "pictures a second", "of the better other", "CPU ms a picture"], rows))
    return figures["decoders"][0] / best


def main() -> None:
    """Print the tables; ends with 1 if the bar is missed."""
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=400, help="a run")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    print(machine())
    parts = []
    with scratch(options.work) as folder:
        for title, paths in {
            "Drawn JPEGs of 800 x 1000": drawn(folder / "drawn"),
            "Real pictures": real(options.data),
        }.items():
            if not paths:
                print(f"\n{title}: none at {options.data}")
                continue
            many = [paths[at % len(paths)] for at in range(options.pictures)]
            parts.append(told(title, compared(many, options.workers)))
    print()
    print(verdict("decoders against the better other way", min(parts), 1 - MAY_COST, least=True))
    sys.exit(min(parts) < 1 - MAY_COST)


if __name__ == "__main__":
    main()
