"""`catalog tag` of 2,000 local pictures beside predict, picture by picture and all at once.

    python tests/benchmarks/starter_speed.py

All ways have the starter's network (see starter_network.py) at the same size, and are whole
processes: start-up, report and database count. No two pictures are the same, for the job would look
at them once only. The job's best speed is cores / (CPU to decode one + CPU to infer one), each
measured alone, with every core at it, just before the job it is compared with. What is compared
runs in turns; ratios are those of one turn, and the table has their medians.
"""

import hashlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import numpy as np
from measure import CATALOG, MIB, Cost, arguments, machine, measured, scratch, table, verdict
from rows import fashion, image_root, write_products

from catalog.images.decode import decode
from catalog.images.decoders import _KEEPING_MEMORY
from catalog.models.artefact import load_card
from catalog.models.runtime import Runtime, at_once

HERE = Path(__file__).resolve().parent
PICTURES = 2000
ROUNDS = 7
SLOW = "predict picture by picture"  # minutes: run once
WHOLE = "one predict over everything"
JOB = "catalog tag"
CORES = len(os.sched_getaffinity(0))

# The command with a clock in it: when the first batch was begun, and the last one ended.
CLOCKED = """
import sys, time
from jobs import looking
look, said, clock = looking._look, sys.argv.pop(1), []
def clocked(*given):
    clock.append(time.time())
    try:
        return look(*given)
    finally:
        clock.append(time.time())
looking._look = clocked
from jobs.entry import main
try:
    main()
finally:
    open(said, "w").write(f"{clock[0]} {max(clock)}")
"""

# The CPU seconds that decoding takes, in a process with the decode worker's memory settings.
DECODING = """
import sys, time
from catalog.images.decode import decode
side, *paths = sys.argv[1:]
data = [open(path, "rb").read() for path in paths]
clock = time.process_time()
for each in data:
    decode(each, int(side))
print(time.process_time() - clock)
"""

Command = Callable[[], list[str | Path]]


def main() -> None:
    """Run all ways by turns and print the tables."""
    options = arguments(__doc__).parse_args()
    with scratch(options.work) as work:
        folder = work / "starter"
        measured([sys.executable, HERE / "starter_network.py", folder])
        rows, root = distinct(options.data), image_root(options.data)
        products = write_products(work / "products.csv", rows, str)
        paths = [root / row["Image"] for row in rows]
        listed = work / "pictures.txt"
        listed.write_text("\n".join(map(str, paths)), encoding="utf-8")
        stores = (work / f"store-{number}-{os.getpid()}" for number in count())

        def tag() -> list[str | Path]:
            what = ["tag", products, "--model", folder, "--image-root", root]
            return ["--store", next(stores), *what]

        print(machine(), flush=True)
        compare_ways(
            {
                JOB: lambda: [CATALOG, *tag()],
                WHOLE: lambda: naive(folder, listed, "whole"),
                SLOW: lambda: naive(folder, listed, "loop"),
            }
        )
        compare_cores(folder, paths, lambda: clocked(work / "clock.txt", tag()))
        cost = measured([CATALOG, *tag()], memory=True)
        print(verdict("MiB at the peak:", cost.peak_bytes / MIB, 1.2e9 / MIB, least=False))


def distinct(data: Path) -> list[dict[str, str]]:
    """So many rows of fashion-images that no two show the same picture."""
    first: dict[str, dict[str, str]] = {}
    for row in fashion(data):
        picture = hashlib.sha256((image_root(data) / row["Image"]).read_bytes()).hexdigest()
        first.setdefault(picture, row)
    return list(first.values())[:PICTURES]


def naive(folder: Path, listed: Path, way: str) -> list[str | Path]:
    """The command that predicts the naive way."""
    return [sys.executable, HERE / "naive_local.py", folder, listed, way]


def compare_ways(ways: dict[str, Command]) -> None:
    """What each way costs, and how many times that of the job."""
    costs: dict[str, list[Cost]] = {way: [] for way in ways}
    for number in range(ROUNDS):
        for way, command in ways.items():
            if number == 0 or way != SLOW:
                costs[way].append(measured(command()))
    lines, times = [], {}
    for way, each in costs.items():
        cpu = statistics.median(cost.cpu_seconds for cost in each)
        wall = statistics.median(cost.seconds for cost in each)
        ratios = [c.cpu_seconds / job.cpu_seconds for c, job in zip(each, costs[JOB], strict=False)]
        times[way] = statistics.median(ratios)
        lines.append((way, wall, PICTURES / wall, 1000 * cpu / PICTURES, times[way]))
        print(way, *(f"{cost.cpu_seconds:.1f}" for cost in each), "CPU seconds", flush=True)
    print(table(("way", "seconds", "pictures a second", "CPU ms a picture", "times"), lines))
    print(verdict("times less CPU than picture by picture:", times[SLOW], 10, least=True))
    print(verdict("times less CPU than one predict:", times[WHOLE], 2, least=True), flush=True)


def compare_cores(
    folder: Path, paths: Sequence[Path], job: Callable[[], tuple[float, float]]
) -> None:
    """How much of what the cores can the job reaches, and when it comes to its first picture."""
    lines = []
    for number in range(ROUNDS):
        decoding, inferring = decoding_alone(folder, paths), inferring_alone(folder, paths)
        start, seconds = job()
        most, reached = CORES / (decoding + inferring), len(paths) / seconds
        lines.append((1000 * decoding, 1000 * inferring, most, reached, reached / most, start))
        print("turn", number + 1, *(f"{value:.3g}" for value in lines[-1]), flush=True)
    middle = [statistics.median(column) for column in zip(*lines, strict=True)]
    header = (
        "CPU ms to decode one",
        "to infer one",
        "cores can a second",
        "first to last",
        "share",
    )
    print(table((*header, "seconds to the first"), [middle]))
    print(verdict("share of what the cores can:", middle[4], 0.9, least=True))
    print(verdict("seconds to the first picture:", middle[5], 1.5, least=False), flush=True)


def clocked(said: Path, words: Sequence[str | Path]) -> tuple[float, float]:
    """Seconds from the start of the job to its first picture, and from there to the last."""
    since = time.time()
    measured([sys.executable, "-c", CLOCKED, said, *words])
    first, last = map(float, said.read_text(encoding="utf-8").split())
    return first - since, last - first


def decoding_alone(folder: Path, paths: Sequence[Path]) -> float:
    """CPU seconds to decode a picture, a process a core."""
    side = load_card(folder).image_size
    commands = [
        [sys.executable, "-c", DECODING, str(side), *map(str, paths[core::CORES])]
        for core in range(CORES)
    ]
    crew = [
        subprocess.Popen(each, stdout=subprocess.PIPE, text=True, env=os.environ | _KEEPING_MEMORY)
        for each in commands
    ]
    return sum(float(each.communicate()[0]) for each in crew) / len(paths)


def inferring_alone(folder: Path, paths: Sequence[Path]) -> float:
    """CPU seconds to look at a decoded picture, a thread a core."""
    side, runtime = load_card(folder).image_size, Runtime(folder)
    rgb = [decode(path.read_bytes(), side).rgb for path in paths]
    pixels = np.frombuffer(b"".join(rgb), np.uint8).reshape(-1, side, side, 3)
    batches = np.array_split(pixels, len(pixels) // at_once(side))
    with ThreadPoolExecutor(CORES) as crew:
        list(crew.map(runtime.run, batches[: 16 * CORES]))
        clock = time.process_time()
        list(crew.map(runtime.run, batches))
        return (time.process_time() - clock) / len(paths)


if __name__ == "__main__":
    main()
