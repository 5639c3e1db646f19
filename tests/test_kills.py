"""`catalog tag` killed in the middle of its work, while somebody reads: nothing shows of it.

Nothing is half visible, lost or there twice, and no finished part is done again.
"""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from sql.locks import StoreBusy, hold
from tests.workbench import Bench

SLOW = "\n[fetch]\nper_host = 2\n"  # so that the work takes a while
COUNTED = ("runs", "products", "tags", "fetches", "images", "predictions", "embeddings")
# What two stores say alike when all was done once: everything but when, and by which run.
SAID = {
    "products": "id, title, pictures, gone",
    "tags": "id, cause, pictures, tagged, shape_predicted, shape, colour_predicted, colour",
    "fetches": "location, picture, outcome",
    "images": "picture, outcome, fingerprint",
    "predictions": "picture, model, head, rank, label",
    "embeddings": "picture, model",
    "evaluations": "id, model, head, truth, guess",
}
# Parts of four pictures, so that some are finished when the kill comes.
TAG = """
from jobs import looking
looking.PICTURES_PER_PART = looking.MOST_IN_BATCH = 4
from jobs.cli import main
main()
"""

State = tuple[int, ...]


def state(bench: Bench) -> State:
    """How many rows each view has, in one query: an instant of what an analyst sees."""
    counts = ", ".join(f"(select count(*) from {view})" for view in COUNTED)  # noqa: S608 - ours
    [row] = bench.ask(f"select {counts}")
    return row


def naive_state(bench: Bench) -> int:
    """What a view over a glob of the files would count."""
    paths = bench.store.root / "fetches" / "*" / "*.parquet"
    [(rows,)] = duckdb.sql(f"select count(*) from read_parquet('{paths}')").fetchall()  # noqa: S608
    return int(rows)


@contextmanager
def reader(bench: Bench) -> Iterator[set[State]]:
    """Somebody who opens the database and asks, again and again; every state that they saw."""
    seen: set[State] = set()
    failed: list[BaseException] = []
    stop = threading.Event()

    def poll() -> None:
        try:
            while not stop.is_set():
                seen.add(state(bench))
                time.sleep(0.01)
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
    assert failed == []


def kill_after(bench: Bench, requests: int, seconds: float) -> None:
    """Start `catalog tag`, and kill it so long after that many more requests."""
    bench.write()
    asked = len(bench.shop.asked)
    words = ["--store", bench.store.root, "--config", bench.folder / "catalog.toml", "--quiet"]
    words += ["tag", bench.csv, "--allow-host", bench.shop.host]
    command = [sys.executable, "-c", TAG, *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as job:
        deadline = time.monotonic() + 30
        while len(bench.shop.asked) < asked + requests and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(seconds)
        job.send_signal(signal.SIGKILL)
    assert job.returncode == -signal.SIGKILL
    wait_until_free(bench)


def wait_until_free(bench: Bench) -> None:
    """The kernel lets go of a dead process's lock, soon."""
    for _ in range(200):
        try:
            with hold(bench.store, "test"):
                return
        except StoreBusy:
            time.sleep(0.05)


def journaled(bench: Bench) -> int:
    """How many fetches the killed run left for the next."""
    named: set[str] = set()
    for journal in bench.store.runs.glob(".*.journal"):
        named.update(json.loads(journal.read_text()))
    parts = [bench.store.root / path for path in named if path.startswith("fetches/")]
    return sum(pq.read_metadata(part).num_rows for part in parts)


def said(bench: Bench) -> dict[str, list[tuple[Any, ...]]]:
    """What the store says, but for when and by which run."""
    return {
        view: bench.ask(f"select {columns} from {view} order by all")  # noqa: S608 - ours
        for view, columns in SAID.items()
    }


@pytest.mark.parametrize(
    "requests",
    [10, pytest.param(1, marks=pytest.mark.sweep), pytest.param(20, marks=pytest.mark.sweep)],
)
def test_a_killed_run_shows_nothing_and_loses_nothing(bench, tiny_model, requests):
    """After a kill at a random moment the next run completes, as if there had been no other."""
    bench.rows, rest = bench.rows[:4], bench.rows[4:]
    assert bench.tag()["tagged"] == 4
    bench.rows += rest
    more_rows(bench, 16)
    bench.extra_settings, bench.shop.latency = SLOW, 0.1
    bench.run("check", bench.write())  # writes catalog.toml
    committed = {state(bench)}
    lying = naive_state(bench)
    with reader(bench) as seen:
        with a_picture_that_hangs(bench, "/27.png"):  # however late the kill, work is left
            kill_after(bench, requests, random.Random().uniform(0, 0.2))
        assert {state(bench)} == committed
        kept = journaled(bench)
        # Positive control: who reads the files as they lie sees half a run.
        assert not kept or lying < naive_state(bench) < lying + 24
        asked = len(bench.shop.asked)
        told = bench.tag()
    committed.add(state(bench))
    assert len(committed) == 2
    assert seen <= committed
    assert (told["tagged"], told["failed"]) == (28, 0)
    assert len(bench.shop.asked) - asked == 24 - kept
    assert kept >= 4 or requests < 20
    assert said(bench) == said(undisturbed(bench, tiny_model))


@contextmanager
def a_picture_that_hangs(bench: Bench, path: str) -> Iterator[None]:
    """Let the shop keep this answer back for as long as the block runs."""
    page, over = bench.shop.pages[path], threading.Event()
    bench.shop.pages[path] = lambda _: over.wait(60)
    yield
    over.set()
    bench.shop.pages[path] = page


def more_rows(bench: Bench, count: int) -> None:
    """Products beyond the first twelve."""
    start = len(bench.rows)
    fresh = Bench(bench.folder, bench.shop)
    fresh.fill(start + count)
    bench.rows += fresh.rows[start:]


def undisturbed(bench: Bench, model: Path) -> Bench:
    """The same products in another store, in peace."""
    folder = bench.folder / "undisturbed"
    folder.mkdir()
    bench.shop.latency = 0
    other = Bench(folder, bench.shop, bench.rows)
    other.use_model(model)
    other.tag()
    return other
