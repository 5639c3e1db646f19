"""Every hostile server of the registry, with bombs of full size: our client and the usual way.

    .venv/bin/python tests/benchmarks/hostile_servers.py [--rounds 3] [--seed 1]

All servers run on this machine's loopback. Each round asks them in another order, from 64 threads
of a process of its own; memory is what that process held at most beyond what it held when idle.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.benchmarks.measure import MIB, machine, table, verdict
from tests.fault_server import FaultServer, make_certificate
from tests.hostile_harness import Findings, harass
from tests.misbehaviours import CASES

WAYS = {"guarded": "Vitrina", "plain": "requests, Retry(3), two timeouts"}
DEADLINE = 3.0  # seconds
STAMINA = 12.0  # seconds that a server drips
LIMIT = 15.0  # seconds; whoever needs longer hangs
BIG = 1 << 30  # bytes that a bomb becomes
ADDRESS_SPACE = 12 << 30  # bytes: the usual way is stopped there
MOST_MIB = 150
HEADER = ("client", "round", "cases", "wrong", "canary", "late", "cookies", "MiB", "seconds")


def main() -> None:
    """Run all rounds and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    given = parser.parse_args()
    print(f"{machine()}, seed {given.seed}\n")
    rows, ours = [], []
    with tempfile.TemporaryDirectory() as folder:
        certificate = make_certificate(Path(folder))
        for number in range(given.rounds):
            for way, name in WAYS.items():
                started = time.monotonic()
                found = one_round(way, given.seed + number, certificate)
                rows.append((name, number + 1, *_row(found), time.monotonic() - started))
                if way == "guarded":
                    ours.append(found)
    print(table(HEADER, rows), "\n")
    for found in ours:
        for case, what in found.wrong.items():
            print(f"wrong: {case}: {what}")
    print(verdict("wrong outcomes", sum(len(found.wrong) for found in ours), 0, least=False))
    print(verdict("canary hits", sum(len(found.canaries) for found in ours), 0, least=False))
    print(verdict("past the deadline", sum(len(found.late) for found in ours), 0, least=False))
    most = max(found.bytes for found in ours) / MIB
    print(verdict("MiB beyond idle", most, MOST_MIB, least=False))


def one_round(way: str, seed: int, certificate: Path | None) -> Findings:
    """Ask all servers in an order of its own."""
    cases = [case for case in CASES if certificate or not case.tls]
    random.Random(seed).shuffle(cases)
    with FaultServer(cases, big=BIG, stamina=STAMINA, certificate=certificate) as server:
        return harass(server, way, DEADLINE, limit=LIMIT, address_space=ADDRESS_SPACE)


def _row(found: Findings) -> tuple[object, ...]:
    counts = (found.wrong, found.canaries, found.late)
    return len(found.cases), *map(len, counts), found.cookies, found.bytes / MIB


if __name__ == "__main__":
    main()
