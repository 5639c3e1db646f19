"""A small store, commands that are broken at one point, and what is looked at afterwards."""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from sql import manifests
from sql.store import Store, current, make_current
from tests.fault_child import KILL, POWER, Point, ballast
from tests.tiny_model import draw

HERE = Path(__file__).resolve().parent.parent
TOML = "[attributes]\nshape = []\ncolour = []\n"
# What a store says, but for when and by which run; a run is told by what it was.
SAID = {
    "products": "id, title, pictures, gone",
    "tags": "id, cause, pictures, tagged, shape_predicted, shape, colour_predicted, colour",
    "fetches": "location, picture, outcome",
    "images": "picture, outcome, fingerprint",
    "predictions": "picture, model, head, rank, label",
    "embeddings": "picture, model",
    "evaluations": "id, model, head, truth, guess",
    "rejects": "line, reason",
    "runs": "job, source, model, report is null",
    "models": 'model, "current"',
}

KINDS = ("EIO", "ENOSPC", KILL, POWER)
DEADLY = (KILL, POWER)

Said = dict[str, list[tuple[Any, ...]]]
Fault = tuple[Point, str]


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit status, what it printed, the calls that it made."""

    code: int
    output: str
    calls: list[Point]


@dataclass
class World:
    """A folder with pictures, CSV files and a store, and the process that commands run in."""

    folder: Path
    server: subprocess.Popen[str]
    saved: dict[str, Path] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        """The store that is broken again and again."""
        return Store(self.folder / "disk" / "store")

    def run(self, *words: object, **fault: Any) -> Ended:
        """One command in a child; `point`, `kind` and `naive` as `tests.fault_child` has them."""
        calls, out = self.folder / "calls.json", self.folder / "out.txt"
        calls.unlink(missing_ok=True)
        before = ["--store", self.store.root, "--config", self.folder / "catalog.toml", "--quiet"]
        argv = [str(word) for word in [*before, *words]]
        task = {"argv": argv, "calls": str(calls), "out": str(out), **fault}
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(json.dumps(task) + "\n")
        self.server.stdin.flush()
        code = int(self.server.stdout.readline())
        made = json.loads(calls.read_text()) if calls.exists() else []
        return Ended(code, out.read_text(), [tuple(call) for call in made])

    def tag(self, night: str) -> list[object]:
        """The words that tag the CSV of a night."""
        csv_file, pictures = self.folder / f"{night}.csv", self.folder / "pictures"
        return ["tag", csv_file, "--source", "shop", "--image-root", pictures]

    def save(self, name: str) -> None:
        """Keep the store as it is now."""
        self.saved[name] = self.folder / f"saved-{name}"
        shutil.copytree(self.store.root, self.saved[name])

    def make_room(self) -> None:
        """Undo what a fault of the kind `full` did."""
        ballast(self.store.root).unlink(missing_ok=True)

    def restore(self, name: str) -> None:
        """Put the store back, in the same place."""
        self.make_room()
        shutil.rmtree(self.store.root)
        shutil.copytree(self.saved[name], self.store.root)


@contextmanager
def make_world(folder: Path, model: Path) -> Iterator[World]:
    """A store that has tagged the CSV `old`; `new` has products more, less and changed."""
    (folder / "catalog.toml").write_text(TOML, encoding="utf-8")
    (folder / "pictures").mkdir()
    rows = [_product(folder, number) for number in range(6)]
    _write_csv(folder / "old.csv", rows[:4])
    _write_csv(folder / "new.csv", [rows[1] | {"title": "Changed"}, *rows[2:]])
    command = [sys.executable, "-m", "tests.fault_child"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=HERE, **pipes) as server:  # type: ignore[call-overload]
        made = World(folder, server)
        for version in ("1", "2"):  # the second serves nothing
            shutil.copytree(model, made.store.model("tiny", version))
        card = made.store.model("tiny", "2") / "card.json"
        told = json.loads(card.read_text()) | {"version": "2"}
        card.write_text(json.dumps(told), encoding="utf-8")
        make_current(made.store, "tagger", "tiny/1")
        assert (ended := made.run(*made.tag("old"))).code == 0, ended.output
        made.save("old")
        yield made
        assert server.stdin is not None
        server.stdin.close()


def _product(folder: Path, number: int) -> dict[str, str]:
    picture, labels = draw(1000 + number)
    picture.save(folder / "pictures" / f"{number}.png")
    shown = {"shape": labels["shape"], "colour": labels["colour"], "image": f"{number}.png"}
    return {"id": f"p{number}", "title": f"Product {number}", **shown}


def _write_csv(path: Path, rows: Sequence[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def said(store: Store) -> Said:
    """What an analyst reads in the database, and which model serves."""
    with duckdb.connect(str(store.database), read_only=True) as con:
        told = {
            view: con.sql(f"select {columns} from {view} order by all").fetchall()  # noqa: S608 - ours
            for view, columns in SAID.items()
        }
    return told | {"serving": [(current(store, "tagger"),)]}


def globbed(store: Store) -> dict[str, int]:
    """What somebody would count who reads the files as they lie."""
    tables = ("fetches", "pictures", "predictions", "products", "tags")
    return {table: sum(map(_rows, (store.root / table).glob("*/*.parquet"))) for table in tables}


def _rows(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)


def broken(store: Store) -> list[str]:
    """What the store promises and does not have: nothing, after whatever fault."""
    found = []
    for manifest in manifests.read_all(store):
        for part in manifest.parts:
            path = store.root / part.path
            if not path.exists() or _rows(path) != part.rows or path.stat().st_size != part.bytes:
                found.append(part.path)
    with duckdb.connect(str(store.database), read_only=True) as con:
        reports = con.sql("select report from runs where report is not null").fetchall()
        pictures = con.sql("select picture from images where outcome = 'ok'").fetchall()
    found += [report for (report,) in reports if not (store.root / report).stat().st_size]
    for (picture,) in pictures:
        path = store.picture(picture)
        if not path.exists() or sha256(path.read_bytes()).hexdigest() != picture:
            found.append(store.relative(path))
    return found


@dataclass(frozen=True)
class Job:
    """A command, the store that it starts from, and what the store says before and after it."""

    start: str
    words: list[object]
    before: Said
    after: Said
    points: list[Point]

    @property
    def faults(self) -> list[Fault]:
        """All there is to try, in an order that is the same each time."""
        return [(point, kind) for point in sorted(self.points) for kind in KINDS]


def in_peace(world: World, name: str, start: str) -> Job:
    """Run a command on a saved store without a fault, and learn what it does."""
    words: dict[str, list[object]] = {
        "tag": world.tag("new"),
        "compact": ["compact"],
        "prune": ["prune", "--keep", "1"],
        "rebuild": ["rebuild"],
        "use": ["models", "use", "tiny/2"],
    }
    world.restore(start)
    before = said(world.store)
    ended = world.run(*words[name])
    assert ended.code == 0, ended.output
    return Job(start, words[name], before, said(world.store), ended.calls)


def try_fault(world: World, job: Job, fault: Fault, **naive: str) -> None:
    """Break the job there, look at what is left, let it run again."""
    point, kind = fault
    world.restore(job.start)
    ended = world.run(*job.words, point=point, kind=kind, **naive)
    check_end(ended, world, deadly=kind in DEADLY)
    check_store(world, job)


def check_end(ended: Ended, world: World, *, deadly: bool) -> None:
    """Whoever was not killed says in one line what failed where, and in another what to do."""
    if deadly:
        assert ended.code == -9, f"it ended with {ended.code}, not by the cut"
        return
    assert ended.code == 1, ended.output
    error, following = ended.output.splitlines()
    assert error.startswith("Error: ")
    assert str(world.store.root) in error
    assert following.startswith("Next: ")


def check_store(world: World, job: Job) -> None:
    """The old or the new run is whole, and the next run completes."""
    store = world.store
    assert broken(store) == []
    assert said(store) in (job.before, job.after)
    world.make_room()
    again = world.run(*job.words)
    assert again.code == 0, again.output
    assert broken(store) == []
    assert said(store) == job.after
    if job.words[0] != "models":  # which leaves the sweeping to the next run
        assert list(store.root.rglob(".*.draft*")) == []
