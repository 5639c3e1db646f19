"""`catalog tag` of 2,000 local pictures beside predict, picture by picture and all at once.

    python tests/benchmarks/starter_speed.py

All ways have the starter's network (see starter_network.py) at the same size, and are whole
processes: start-up, report and database count. The job's best speed is cores / (CPU to decode one +
CPU to infer one), measured in the same run with nothing around it.
"""

import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import numpy as np
from measure import CATALOG, MIB, arguments, machine, measured, scratch, table, verdict
from rows import fashion, image_root, write_products

from catalog.images.decode import decode
from catalog.models.artefact import load_card
from catalog.models.runtime import Runtime, at_once

HERE = Path(__file__).resolve().parent
PICTURES = 2000
ROUNDS = 3
SLOW = "predict picture by picture"  # minutes: run once
CORES = len(os.sched_getaffinity(0))

# The command with a clock in it: when the model began with its first picture, and ended the last.
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
from jobs.cli import main
try:
    main()
finally:
    open(said, "w").write(f"{clock[0]} {max(clock)}")
"""


def main() -> None:
    """Run all ways by turns and print the table."""
    options = arguments(__doc__).parse_args()
    with scratch(options.work) as work:
        folder = work / "starter"
        measured([sys.executable, HERE / "starter_network.py", folder])
        rows = fashion(options.data)[:PICTURES]
        root = image_root(options.data)
        products = write_products(work / "products.csv", rows, str)
        listed = work / "pictures.txt"
        listed.write_text("\n".join(str(root / row["Image"]) for row in rows), encoding="utf-8")
        print(machine(), flush=True)
        stores = (work / f"store-{number}-{os.getpid()}" for number in count())
        what = [products, "--model", folder, "--image-root", root]
        ways = {
            "catalog tag": lambda: [CATALOG, "--store", next(stores), "tag", *what],
            "one predict over everything": lambda: naive(folder, listed, "whole"),
            SLOW: lambda: naive(folder, listed, "loop"),
        }
        costs = {way: [] for way in ways}
        for number in range(ROUNDS):
            for way, command in ways.items():
                if number == 0 or way != SLOW:
                    costs[way].append(measured(command()))
        cpu = {w: statistics.median(c.cpu_seconds for c in each) for w, each in costs.items()}
        wall = {w: statistics.median(c.seconds for c in each) for w, each in costs.items()}
        lines = [
            (way, wall[way], PICTURES / wall[way], 1000 * cpu[way] / PICTURES,
             cpu[way] / cpu["catalog tag"])
            for way in ways
        ]  # fmt: skip
        print(table(("way", "seconds", "pictures a second", "CPU ms a picture", "times"), lines))
        by_picture, at_once = lines[2][-1], lines[1][-1]
        print(verdict("times less CPU than picture by picture:", by_picture, 10, least=True))
        print(verdict("times less CPU than one predict:", at_once, 2, least=True), flush=True)

        paths = [root / row["Image"] for row in rows]
        best, inside, starts = [], [], []
        for _ in range(ROUNDS):
            best.append(bare(folder, paths))
            said, since = work / "clock.txt", time.time()
            measured([sys.executable, "-c", CLOCKED, said, "--store", next(stores), "tag", *what])
            first, last = map(float, said.read_text().split())
            starts.append(first - since)
            inside.append(PICTURES / (last - first))
        decoding, inferring = (statistics.median(each) for each in zip(*best, strict=True))
        most = CORES / (decoding + inferring)
        reached = statistics.median(inside)
        print(f"CPU ms to decode one {1000 * decoding:.2f}, to infer one {1000 * inferring:.2f}")
        print(f"pictures a second, first to last: {reached:.0f} of {most:.0f}")
        print(verdict("share of what the cores can:", reached / most, 0.9, least=True))
        start = statistics.median(starts)
        print(verdict("seconds to the first picture:", start, 1.5, least=False), flush=True)
        cost = measured([CATALOG, "--store", next(stores), "tag", *what], memory=True)
        print(verdict("MiB at the peak:", cost.peak_bytes / MIB, 1.2e9 / MIB, least=False))


def naive(folder: Path, listed: Path, way: str) -> list[str | Path]:
    """The command that predicts the naive way."""
    return [sys.executable, HERE / "naive_local.py", folder, listed, way]


def bare(folder: Path, paths: list[Path]) -> tuple[float, float]:
    """CPU seconds to decode one picture, and to infer one, with every core at it."""
    side, runtime = load_card(folder).image_size, Runtime(folder)
    data = [path.read_bytes() for path in paths]
    clock = time.process_time()
    rgb = [decode(each, side).rgb for each in data]
    decoding = time.process_time() - clock
    pixels = np.frombuffer(b"".join(rgb), np.uint8).reshape(-1, side, side, 3)
    batches = np.array_split(pixels, len(pixels) // at_once(side))
    with ThreadPoolExecutor(CORES) as crew:
        list(crew.map(runtime.run, batches[: 16 * CORES]))
        clock = time.process_time()
        list(crew.map(runtime.run, batches))
        inferring = time.process_time() - clock
    return decoding / len(paths), inferring / len(paths)


if __name__ == "__main__":
    main()
