"""Lets a client ask every hostile server at once, and counts what went wrong."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from catalog.images.reasons import Reason
from tests.fault_server import PICTURES, Case, FaultServer

DEAD = {Reason.BAD_URL, Reason.NOT_FOUND, Reason.CLIENT_ERROR, Reason.OPTED_OUT}
CONTROL = "good, as a control"  # the case that every client must pass
GRACE = 1.0  # seconds beyond the deadline


@dataclass(frozen=True)
class Findings:
    """What the harness found of a client; all but the first should be empty, or small."""

    cases: list[str]
    wrong: dict[str, str]  # another outcome than the case says, with what it was
    late: list[str]  # past the deadline, or still at it
    canaries: list[str]
    cookies: int
    threads: int  # left over
    files: int  # left over
    bytes: int  # at most, beyond idle


def harass(
    server: FaultServer, way: str, deadline: float, *, limit: float, address_space: int
) -> Findings:
    """Let a client ask all of a running server's cases; `way` is guarded or plain.

    What it has not done after `limit` seconds hangs; beyond `address_space` bytes it is stopped.
    """
    job = {
        "way": way,
        "cases": {name: server.urls(name) for name in server.cases},
        "warm": server.urls(CONTROL),
        "canary_port": server.canary_port,
        "hang": 1.2 * deadline,
        "limit": limit,
        "patience": deadline if way == "guarded" else 0.0,  # for what ends by itself
        "address_space": address_space,
        "allow_hosts": [server.host(n) for n, case in server.cases.items() if _is_own(case)],
        "settings": {
            "deadline": deadline,
            "connect_timeout": deadline * 0.2,
            "read_timeout": deadline * 0.2,
            "backoff": 0.01,
        },
    }
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    run = subprocess.run(
        [sys.executable, "-m", "tests.hostile_child"],
        input=json.dumps(job),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise RuntimeError(run.stderr)
    return _findings(server, json.loads(run.stdout), way, deadline)


def _is_own(case: Case) -> bool:
    """Whether the settings allow the case's server: not where the name must be judged."""
    return "{host}" in case.url


def _findings(server: FaultServer, said: dict[str, Any], way: str, deadline: float) -> Findings:
    outcomes = said["outcomes"]
    wrong, late = {}, []
    for name, case in server.cases.items():
        runs = outcomes.get(name, [])
        steps = runs[0] if len(runs) == 1 else []
        if not runs or any(step[4] > deadline + GRACE for step in steps):
            late.append(name)
        if trouble := _trouble(case, steps, exact=way == "guarded"):
            wrong[name] = trouble
    return Findings(
        list(server.cases),
        wrong,
        late,
        list(server.canary_hits),
        server.cookies,
        said["threads"],
        said["files"],
        said["bytes"],
    )


def _trouble(case: Case, steps: list[list[Any]], *, exact: bool) -> str | None:
    """What is wrong with the outcomes of a case; a plain client is not asked for reasons."""
    if len(steps) != len(case.paths):
        return f"{len(steps)} outcomes for {len(case.paths)}"
    expected = [*[None] * (len(steps) - 1), case.expected]
    for path, step, want in zip(case.paths, steps, expected, strict=True):
        digest = hashlib.sha256(PICTURES[path]).hexdigest()
        fine = ("fetched", None, False, digest)
        if want == "unchanged":
            fine = ("unchanged", None, False, _NOTHING) if exact else fine
        elif want is not None:
            fine = ("failed", want if exact else step[1], exact and want in DEAD, step[3])
        if tuple(step[:4]) != fine:
            return f"{path} {step[0]} {step[1]}, not {want or 'fetched'}"
    return None


_NOTHING = hashlib.sha256(b"").hexdigest()
