"""What the warehouse costs at the scale of a big shop, before and after a compaction.

    python tests/benchmarks/warehouse_scale.py --work FOLDER

The store (see big_store) has 1,000,000 products, 200,000 posts and 365 nights. It is made in
FOLDER once, which takes minutes and some GB, and used again by later calls; so is its compacted
copy, FOLDER/compacted. Each named query is
asked as `catalog query` asks it, in a process that is warm: the database is opened, the answer
bound, computed and fetched whole. Medians of five; CPU seconds, over all threads, stand beside
them, for a machine that others use as well. Deciding what is new is what `catalog tag`
does between reading the CSV and its first download; the reading is a line of its own.
"""

import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from big_store import PRODUCTS_SOURCE, TAGGER, BigStore, Size, big_store
from measure import CATALOG, arguments, machine, measured, scratch, table

from catalog.attributes import DEFAULT
from catalog.intake import Intake, take_in
from catalog.products import PRODUCTS
from catalog.records import Reading
from jobs.keeping import compact
from jobs.plan import Rules, count_untagged, make_plan
from jobs.query import answer
from jobs.run import staged_views
from sql import questions
from sql.manifests import read_all
from sql.publish import publish
from sql.store import Store

TIMES = 5
QUERY_SECONDS = 1.0
GIVEN = {"account": "account 7", "column": "Brand"}
PROCESS = ("query", "coverage", "--column", "Brand")

Result = TypeVar("Result")


@dataclass(frozen=True)
class Time:
    """Wall seconds, and CPU seconds of this process, all its threads."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.2f} ({self.cpu:.2f})"


def main() -> None:
    """Measure the store, compact a copy of it and measure that."""
    parser = arguments(__doc__)
    parser.add_argument("--small", action="store_true", help="a fiftieth of it, to try this out")
    parser.add_argument("--only", nargs="*", help="only these queries, and nothing else")
    options = parser.parse_args()
    with scratch(options.work) as work:
        size = Size(20_000, 4_000, 12, 20, 30, 5, 10, 15) if options.small else Size()
        made = big_store(work / f"{size.products}-{size.nights}", size)
        place = machine()
        stores = {"before": made.store, "after": _compacted(made, work)}
        for store in stores.values():
            publish(store, read_all(store))
        print(place)
        print(_queries(stores, options.only or questions.names()))
        if not options.only:
            print(_other(made, stores, work))


def _compacted(made: BigStore, work: Path) -> Store:
    """A copy of the store, of links to its files, after a compaction."""
    store = Store(work / "compacted")
    if not store.root.exists():
        subprocess.run(["/bin/cp", "-al", made.store.root, store.root], check=True)
        # Written anew: these were links too.
        store.database.unlink()
        store.published.unlink()
        publish(store, read_all(store))
        told, taken = _timed(lambda: compact(store))
        print(f"{told}\ncompacted in {taken} s")
    return store


def _queries(stores: dict[str, Store], names: list[str]) -> str:
    rows = []
    for name in names:
        times = [_median(partial(_ask, store, name)) for store in stores.values()]
        missed = max(time.wall for time in times) >= QUERY_SECONDS
        rows.append((name, *times, "MISSED" if missed else ""))
    return table(["query", *(f"{name}, s (CPU s)" for name in stores), ""], rows)


def _ask(store: Store, name: str) -> None:
    query = questions.read(name)
    params = {
        one.name: GIVEN[one.name] if one.required else one.default for one in query.parameters
    }
    with answer(store, query.sql, params) as batches:
        for _ in batches:
            pass


def _other(made: BigStore, stores: dict[str, Store], work: Path) -> str:
    intake, read = _read(made, work)
    works: dict[str, Callable[[Store], object]] = {
        f"`{' '.join(['catalog', *PROCESS])}`, the whole process": _process,
        "publishing": lambda store: publish(store, read_all(store)),
        "deciding what is new": partial(_decide, intake, work),
    }
    rows: list[tuple[object, ...]] = [
        (what, *(_median(partial(one, store), 3) for store in stores.values()))
        for what, one in works.items()
    ]
    rows.append(("reading the CSV of these products", read, "the same"))
    sizes = [f"{store.database.stat().st_size / 1e6:.1f} MB" for store in stores.values()]
    rows.append(("catalog.duckdb", *sizes))
    return table(["", *(f"{name}, s (CPU s)" for name in stores)], rows)


def _process(store: Store) -> None:
    measured([CATALOG, "--store", store.root, *PROCESS])


def _read(made: BigStore, work: Path) -> tuple[Intake, Time]:
    folder = work / "intake"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    reading = Reading(PRODUCTS, DEFAULT)
    return _timed(lambda: take_in(made.csv, PRODUCTS_SOURCE, reading, folder))


def _decide(intake: Intake, work: Path, store: Store) -> None:
    """What `catalog tag` does between its CSV and its first download."""
    # In this store no location is asked again while its picture is had.
    rules = Rules(recheck_after=timedelta(days=36500), refetch=False, allow_hosts=())
    with staged_views(store, read_all(store), intake, work) as con:
        undecided = count_untagged(con, PRODUCTS_SOURCE, TAGGER)
        make_plan(con, PRODUCTS_SOURCE, TAGGER, rules, work, undecided=undecided)


def _timed(work: Callable[[], Result]) -> tuple[Result, Time]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, Time(time.perf_counter() - wall, time.process_time() - cpu)


def _median(work: Callable[[], object], times: int = TIMES) -> Time:
    """What it takes, after one time that does not count."""
    work()
    found = [_timed(work)[1] for _ in range(times)]
    return Time(
        statistics.median(one.wall for one in found), statistics.median(one.cpu for one in found)
    )


if __name__ == "__main__":
    main()
