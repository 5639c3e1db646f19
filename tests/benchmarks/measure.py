"""What a command costs, summed over all its processes, and how to print a table of it."""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOG = str(Path(sys.executable).parent / "catalog")
MIB = 1024 * 1024
SAMPLE_SECONDS = 0.05
# Where bytecode must not be written, each start would compile a checkout anew.
AS_INSTALLED = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Cost:
    """One finished command: wall and CPU time, and the most memory its processes held at once."""

    seconds: float
    cpu_seconds: float  # user and system, of the process and all below it
    peak_bytes: int  # proportional set size: pages that two processes share count once
    code: int
    output: str


def measured(command: Sequence[str | Path], *, memory: bool = False, check: bool = True) -> Cost:
    """Run a command to its end. Memory is only sampled where asked: that takes CPU time as well."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)), stdout=output, stderr=subprocess.STDOUT, env=AS_INSTALLED
        )
        with watched(process.pid, memory=memory) as tree:
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if check and process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{text[-4000:]}")
    # The kernel's own account has every child that was waited for; the samples have the others.
    cpu = max(usage.ru_utime + usage.ru_stime, sum(tree.cpu.values()))
    return Cost(seconds, cpu, tree.peak_bytes, process.returncode, text)


class Tree:
    """What was last seen of a process and all below it."""

    def __init__(self) -> None:
        self.cpu: dict[int, float] = {}
        self.peak_bytes = 0

    def look(self, root: psutil.Process, *, memory: bool) -> None:
        """Take one sample."""
        held = 0
        for process in [root, *_children(root)]:
            with suppress(psutil.Error, OSError):
                times = process.cpu_times()
                self.cpu[process.pid] = times.user + times.system
                held += _held_bytes(process.pid) if memory else 0
        self.peak_bytes = max(self.peak_bytes, held)


@contextmanager
def watched(pid: int, *, memory: bool) -> Iterator[Tree]:
    """Sample a process tree in a thread until the block ends."""
    tree, done = Tree(), threading.Event()
    root = psutil.Process(pid)

    def sample() -> None:
        while not done.wait(SAMPLE_SECONDS if memory else 0.5):
            with suppress(psutil.Error):
                tree.look(root, memory=memory)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield tree
    finally:
        done.set()
        thread.join()


def _children(root: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return root.children(recursive=True)
    return []


def _held_bytes(pid: int) -> int:
    """Proportional set size of one process (Linux)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; numbers are rounded to what can be read."""
    lines = [[*header], ["---"] * len(header), *([_cell(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.{3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0}f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def verdict(what: str, value: float, bound: float, *, least: bool) -> str:
    """One line that says whether a bar is met."""
    met = value >= bound if least else value <= bound
    relation = "at least" if least else "at most"
    return f"{'met' if met else 'MISSED'}: {what} {value:.3g}, {relation} {bound:g} is asked"


def machine() -> str:
    """One line about where this was measured."""
    load = os.getloadavg()[0]
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, load {load:.1f} before, Python {sys.version.split()[0]}"


def arguments(text: str) -> argparse.ArgumentParser:
    """Options that all benchmarks share: where the data is, and where they may write."""
    parser = argparse.ArgumentParser(description=text)
    default = os.environ.get("CATALOG_DATA", ROOT.parent / "shared" / "data")
    parser.add_argument("--data", type=Path, default=default, help="folder of the real data")
    parser.add_argument("--work", type=Path, help="scratch folder, kept (default: a temporary one)")
    return parser


@contextmanager
def scratch(work: Path | None) -> Iterator[Path]:
    """The folder to write into; a temporary one is removed afterwards."""
    if work is not None:
        work.mkdir(parents=True, exist_ok=True)
        yield work.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="vitrina-benchmark-") as folder:
            yield Path(folder)


@contextmanager
def started(command: Sequence[str | Path]) -> Iterator[str]:
    """Run a server beside the benchmark; yields the first line that it prints."""
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip() if process.stdout else ""
    finally:
        process.terminate()
        process.wait()
