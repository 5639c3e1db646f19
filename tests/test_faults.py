"""Each rename and fsync fails, or is the job's last moment: the old or the new run is whole.

A sample of the points is tried each time, all of them by `make faults`. The calls that Python
makes are broken by name and place (see `tests.fault_child`); those of DuckDB by strace.
"""

import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.fault_child import KILL, POWER
from tests.faults import (
    HERE,
    KINDS,
    Ended,
    Fault,
    Job,
    World,
    check_end,
    check_store,
    globbed,
    in_peace,
    make_world,
    try_fault,
)

SHARES = 8  # of a sweep, so that it runs in parallel
STRACED = ("fdatasync", "fsync", "rename")


@pytest.fixture(scope="module")
def broken_world(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[World]:
    """The store that all tests of this file break and restore."""
    with make_world(tmp_path_factory.mktemp("faults"), tiny_model) as made:
        yield made


@pytest.fixture(scope="module")
def jobs(broken_world: World) -> Callable[[str], Job]:
    """Each job, run once in peace."""
    known = {"tag": in_peace(broken_world, "tag", "old")}
    broken_world.save("new")

    def job(name: str) -> Job:
        if name not in known:
            known[name] = in_peace(broken_world, name, "new")
        return known[name]

    return job


def failures(broken_world: World, job: Job, faults: list[Fault]) -> dict[Fault, str]:
    """What went wrong at which of these faults."""
    found = {}
    for fault in faults:
        try:
            try_fault(broken_world, job, fault)
        except (AssertionError, ValueError, OSError, duckdb.Error) as error:
            found[fault] = f"{type(error).__name__}: {error}"
    return found


@pytest.mark.parametrize(("name", "count"), [("tag", 3), ("compact", 3), ("prune", 2), ("use", 2)])
def test_a_fault_leaves_the_old_or_the_new(broken_world, jobs, name, count):
    """Wherever a rename or an fsync fails, nothing is half there and the next run completes."""
    job = jobs(name)
    faults = random.Random(count).sample(job.faults, count)
    assert failures(broken_world, job, faults) == {}


@pytest.mark.sweep
@pytest.mark.parametrize("name", ["tag", "compact", "prune", "rebuild", "use"])
@pytest.mark.parametrize("share", range(SHARES))
def test_every_fault_leaves_the_old_or_the_new(broken_world, jobs, name, share):
    """Likewise at every point, in every way."""
    job = jobs(name)
    assert failures(broken_world, job, job.faults[share::SHARES]) == {}


def test_a_report_stays_until_the_database_forgets_it(broken_world, jobs):
    """Pruning publishes before it removes: no database names a report that is gone."""
    try_fault(broken_world, jobs("prune"), (("fsync", ".catalog.duckdb.draft", 1), KILL))


def test_the_points_are_all_there(jobs):
    """A job's pictures, parts, journal, report, manifest, database and its note are broken."""
    renamed = {place for name, place, _ in jobs("tag").points if name == "replace"}
    tables = ("fetches", "pictures", "scores", "predictions", "embeddings")
    parts = {f"{table}/run=RUN/part-0000{number}.parquet" for table in tables for number in (1, 2)}
    last = {"reports/RUN/index.html", "runs/.RUN.journal", "runs/RUN.json"}
    assert parts | last | {"catalog.duckdb", "runs/.published"} <= renamed
    assert len([place for place in renamed if place.startswith("images/")]) == 2
    assert {place for _, place, _ in jobs("use").points} >= {"models/tagger.current"}
    assert "runs/RUN.json" in {place for _, place, _ in jobs("compact").points}


@pytest.mark.parametrize(
    ("naive", "point"),
    [
        ("in_place", ("fsync", "catalog.duckdb", 1)),
        ("never_flushed", ("replace", "runs/.published", 1)),
    ],
)
def test_a_naive_writer_is_found_out(broken_world, jobs, naive, point):
    """Positive control: written in place or never flushed, a power cut leaves half a store."""
    with pytest.raises((AssertionError, ValueError, OSError, duckdb.Error)) as found:
        try_fault(broken_world, jobs("tag"), (point, POWER), naive=naive)
    assert "not by the cut" not in str(found.value)  # it came, and its traces were seen


def test_a_naive_reader_sees_half_a_run(broken_world, jobs):
    """Positive control: whoever reads the files as they lie sees what no run ever was."""
    job, seen = jobs("tag"), []
    for start in ("old", "new"):
        broken_world.restore(start)
        seen.append(globbed(broken_world.store))
    broken_world.restore(job.start)
    broken_world.run(*job.words, point=("fsync", "runs/.RUN.json.draft", 1), kind=KILL)
    assert globbed(broken_world.store) != seen[0]  # the new run, which was not published
    broken_world.restore(job.start)
    broken_world.run(*job.words, point=("fsync", "scores", 1), kind=KILL)
    assert globbed(broken_world.store) not in seen


@pytest.fixture(scope="module")
def strace() -> str:
    """The program that breaks system calls, or a skip that says why there is none."""
    program = shutil.which("strace")
    if program is None:
        pytest.skip("no strace here")
    able = [program, "-f", "-o", "/dev/null", "-e", "trace=fsync", "true"]
    done = subprocess.run(able, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"strace may not trace here: {done.stderr}")
    return program


def straced(strace: str, broken_world: World, job: Job, log: Path, *inject: str) -> Ended:
    """A command under strace, as a process of its own; `inject` is an argument of strace's."""
    store, config = broken_world.store.root, broken_world.folder / "catalog.toml"
    calls = f"trace={','.join(STRACED)}"
    command = [strace, "-f", "-qq", "-o", log, "-e", calls, *inject]
    if not any("signal=" in word for word in inject):
        command.append("--seccomp-bpf")  # faster, but strace 6.1 then sends no signals
    command += [sys.executable, "-m", "jobs.cli", "--store", store, "--config", config, "--quiet"]
    words = [str(word) for word in [*command, *job.words]]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=HERE)
    return Ended(done.returncode, done.stdout + done.stderr, [])


def strace_points(log: Path) -> list[tuple[str, int]]:
    """The calls that can be broken: which, and the how manieth of its thread."""
    made = re.findall(r"^(\d+) +(\w+)\(", log.read_text(), re.MULTILINE)
    most = {(thread, name): made.count((thread, name)) for thread, name in set(made)}
    return sorted({(name, n + 1) for (_, name), times in most.items() for n in range(times)})


def try_strace(strace: str, broken_world: World, job: Job, faults: Callable[[Any], Any]) -> int:
    """Break the job by strace at these of its system calls; how many of the breaks came."""
    log = broken_world.folder / "strace.log"
    broken_world.restore(job.start)
    assert straced(strace, broken_world, job, log).code == 0
    found, came = {}, 0
    for (name, number), kind in faults([(p, k) for p in strace_points(log) for k in KINDS[:3]]):
        how = "signal=KILL" if kind == KILL else f"error={kind}"
        broken_world.restore(job.start)
        inject = ("-e", f"inject={name}:{how}:when={number}")
        ended = straced(strace, broken_world, job, log, *inject)
        # DuckDB flushes once more or less from run to run: the last call may never be made.
        if ended.code == 0 and "(INJECTED)" not in log.read_text():
            continue
        came += 1
        try:
            check_end(ended, broken_world, deadly=kind == KILL)
            check_store(broken_world, job)
        except (AssertionError, ValueError, OSError, duckdb.Error) as error:
            found[name, number, kind] = f"{type(error).__name__}: {error}"
    assert found == {}
    return came


def test_publishing_flushes_a_few_times(strace, broken_world, jobs):
    """The database is one transaction: not flushed after each of hundreds of statements."""
    log = broken_world.folder / "strace.log"
    broken_world.restore("new")
    assert straced(strace, broken_world, jobs("rebuild"), log).code == 0
    assert 0 < log.read_text().count("fdatasync(") < 20


def test_a_failing_system_call_leaves_the_old_or_the_new(strace, broken_world, jobs):
    """Whoever makes the call: DuckDB too flushes what it writes."""
    some = random.Random(1)
    assert try_strace(strace, broken_world, jobs("rebuild"), lambda all_: some.sample(all_, 3))


@pytest.mark.sweep
@pytest.mark.parametrize(("name", "calls"), [("rebuild", STRACED), ("tag", ("fdatasync",))])
@pytest.mark.parametrize("share", range(SHARES))
def test_every_failing_system_call_leaves_the_old_or_the_new(
    strace, broken_world, jobs, name, calls, share
):
    """Likewise at every such call of a publishing, and of DuckDB's in a whole run."""

    def chosen(faults: list[Any]) -> list[Any]:
        return [fault for fault in faults if fault[0][0] in calls][share::SHARES]

    try_strace(strace, broken_world, jobs(name), chosen)
