"""`catalog fetch` beside img2dataset: pictures a second, and CPU a picture.

    python -m venv /tmp/i2d && /tmp/i2d/bin/pip install img2dataset
    python tests/benchmarks/fetch_speed.py --img2dataset /tmp/i2d/bin/img2dataset

5,000 JPEGs of 50 to 80 KB come from a server process on loopback that takes 50 ms an answer
(quick_server.py). Ours has all guards on, and its pictures are on the disk when it ends; theirs
runs with 64 threads, and neither resizes nor encodes. Both are whole processes, and take turns;
the server's CPU counts for neither.
"""

import csv
import os
import shutil
import statistics
import sys
from pathlib import Path

from measure import CATALOG, Cost, arguments, machine, measured, scratch, started, table, verdict

HERE = Path(__file__).resolve().parent
PICTURES = 5_000
ROUNDS = 5


def main() -> None:
    """Let both fetch the same pictures in turn, and print the table."""
    parser = arguments(__doc__)
    parser.add_argument("--img2dataset", type=Path, required=True, help="its program")
    options = parser.parse_args()
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # it asks the network otherwise
    print(machine(), flush=True)
    server = [sys.executable, HERE / "quick_server.py", str(PICTURES), "50"]
    with scratch(options.work) as work, started(server) as origin:
        urls = [f"{origin}/{number}.jpg" for number in range(PICTURES)]
        costs: dict[str, list[Cost]] = {"catalog fetch": [], "img2dataset": []}
        for _ in range(ROUNDS):
            costs["catalog fetch"].append(ours(work, urls, origin))
            costs["img2dataset"].append(theirs(work, urls, options.img2dataset))
    report(costs)


def ours(work: Path, urls: list[str], origin: str) -> Cost:
    """`catalog fetch` into an empty store; every picture must be there."""
    store, products = work / "store", work / "products.csv"
    shutil.rmtree(store, ignore_errors=True)
    with products.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image"])
        writer.writerows(enumerate(urls))
    host = origin.removeprefix("http://")
    cost = measured([CATALOG, "--quiet", "--store", store, "fetch", products, "--allow-host", host])
    kept = sum(1 for path in store.glob("images/[!.]*/*") if path.stat().st_size)
    if kept != len(urls):
        sys.exit(f"only {kept} of {len(urls)} pictures are there:\n{cost.output}")
    return cost


def theirs(work: Path, urls: list[str], program: Path) -> Cost:
    """img2dataset into an empty folder; every picture must be there."""
    listed, folder = work / "urls.txt", work / "img2dataset"
    shutil.rmtree(folder, ignore_errors=True)
    listed.write_text("\n".join(urls) + "\n", encoding="utf-8")
    flags = {
        "url_list": listed,
        "input_format": "txt",
        "output_folder": folder,
        "output_format": "files",
        "thread_count": 64,
        "processes_count": 1,
        "resize_mode": "no",
        "skip_reencode": True,
    }
    cost = measured([program, *(f"--{name}={value}" for name, value in flags.items())])
    kept = sum(1 for _ in folder.glob("*/*.jpg"))
    if kept != len(urls):
        sys.exit(f"only {kept} of {len(urls)} pictures are there:\n{cost.output[-4000:]}")
    return cost


def report(costs: dict[str, list[Cost]]) -> None:
    """Print medians, and their ratios."""
    seconds = {name: statistics.median(c.seconds for c in all_) for name, all_ in costs.items()}
    cpu = {name: statistics.median(c.cpu_seconds for c in all_) for name, all_ in costs.items()}
    rows = [
        (name, seconds[name], PICTURES / seconds[name], 1000 * cpu[name] / PICTURES)
        for name in costs
    ]
    print(table(["", "seconds", "pictures a second", "CPU ms a picture"], rows))
    faster = seconds["img2dataset"] / seconds["catalog fetch"]
    print(verdict("pictures a second, times img2dataset's", faster, 1.0, least=True))
    share = cpu["catalog fetch"] / cpu["img2dataset"]
    print(verdict("CPU, times img2dataset's", share, 0.5, least=False))


if __name__ == "__main__":
    main()
