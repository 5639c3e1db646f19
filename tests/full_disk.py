"""`catalog tag` on a disk that fills up under it, at one stage after the other.

Runs as a script in a mount namespace of its own, where FOLDER/disk is a small disk: `python -m
tests.full_disk FOLDER MODEL STAGE...`. Prints a JSON object: for each stage what the command said,
and what was wrong with the store then or after the next run (null when nothing was).
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

from jobs.errors import JobError
from jobs.run import LIMITS, open_run
from tests.fault_child import FULL, Point, ballast, fill
from tests.faults import Ended, Job, World, check_end, check_store, in_peace, make_world

Told = dict[str, tuple[str, str | None]]
DRAFTS = {
    "manifest": "runs/.RUN.json.draft",
    "database": ".catalog.duckdb.draft",
    "published": "runs/..published.draft",
}
START, NAIVE, SPILL = "start", "naive", "spill"


def first_call(job: Job, stage: str) -> Point | None:
    """From which call on there is no room, so that the stage's is the first file to need some.

    None is from the start. Other stages than those of DRAFTS are folders, which are flushed
    before the first file in them.
    """
    if stage in DRAFTS:
        return job.points[job.points.index(("fsync", DRAFTS[stage], 1)) - 1]
    return None if stage == START else ("fsync", stage, 1)


def fault(world: World, job: Job, point: Point | None, **naive: str) -> tuple[str, str | None]:
    """What the command says when the disk is full from there on, and what is wrong then."""
    world.restore(job.start)
    # Made anew, and flushed, before the first picture is written: there the disk fills.
    world.store.picture_drafts.rmdir()
    if point is None:
        fill(ballast(world.store.root))
    ended = world.run(*job.words, point=point, kind=FULL, **naive)
    return ended.output, problem(lambda: check(world, job, ended))


def check(world: World, job: Job, ended: Ended) -> None:
    """Full or not, the store is whole, and the command goes on once there is room."""
    check_end(ended, world, deadly=False)
    assert "no room left on the disk that holds" in ended.output
    check_store(world, job)


def problem(look: Callable[[], None]) -> str | None:
    """What went wrong in a check."""
    try:
        look()
    except (AssertionError, ValueError, OSError, duckdb.Error) as error:
        return f"{type(error).__name__}: {error}"
    return None


def spill(world: World) -> str:
    """What a run says whose query finds no room for what does not fit into memory."""
    try:
        with open_run(world.store, "tag") as run:
            room = {"temp_directory": str(run.work), "memory_limit": "40MB"}
            with duckdb.connect(config=LIMITS | room) as con:
                fill(ballast(world.store.root))
                con.execute("create table t as select hash(range) as h from range(20_000_000)")
    except JobError as error:
        return str(error)
    finally:
        world.make_room()
    return "nothing"


def tell(world: World, job: Job, stage: str) -> tuple[str, str | None]:
    """What came of one stage."""
    if stage == SPILL:
        world.restore(job.start)
        return spill(world), None
    if stage == NAIVE:
        return fault(world, job, first_call(job, "manifest"), naive="in_place")
    return fault(world, job, first_call(job, stage))


def main(folder: Path, model: Path, *stages: str) -> None:
    """Try these stages."""
    with make_world(folder, model) as world:
        job = in_peace(world, "tag", "old")
        print(json.dumps({stage: tell(world, job, stage) for stage in stages}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
