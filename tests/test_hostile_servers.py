"""Hundreds of hostile servers at once: each has one outcome, and the usual way fails them.

A canary stands where nobody may connect. Both clients run in processes of their own, through the
same harness; what it is to find with ours, it must have found with the other.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from catalog.images.reasons import Reason
from tests.fault_server import Case, FaultServer, make_certificate
from tests.hostile_harness import CONTROL, Findings, harass
from tests.misbehaviours import CASES

DEADLINE = 3.0  # seconds
LIMITS = {"guarded": 8.0, "plain": 4.4}  # seconds; whoever needs longer hangs
STAMINA = 6.0  # seconds that a server drips
BIG = 160_000_000  # bytes that a bomb becomes
MOST_MEMORY = 150_000_000  # bytes beyond idle
ADDRESS_SPACE = 4 << 30  # bytes: what a process may take before it is stopped


def examined(way: str, cases: Sequence[Case], certificate: Path | None) -> Findings:
    """What the harness finds of a client that asks all these servers at once."""
    with FaultServer(cases, big=BIG, stamina=STAMINA, certificate=certificate) as server:
        limit = LIMITS[way]
        return harass(server, way, DEADLINE, limit=limit, address_space=ADDRESS_SPACE)


@pytest.fixture
def certificate(tmp_path) -> Path | None:
    """A certificate that nobody signed, if this machine can make one."""
    return make_certificate(tmp_path)


def test_hostile_servers_do_no_harm(certificate):
    """Each row ends once and in time; nobody behind the firewall is reached, nothing is left."""
    cases = [case for case in CASES if certificate or not case.tls]
    found = examined("guarded", cases, certificate)
    if found.wrong:  # on a machine that is too busy a silence may be ours: again, without haste
        few = [case for case in cases if case.name in {CONTROL, *found.wrong}]
        assert examined("guarded", few, certificate).wrong == {}
    assert found.late == []
    assert found.canaries == []
    assert found.cookies == 0
    assert found.bytes < MOST_MEMORY
    assert (found.threads, found.files) == (0, 0)


def test_usual_way_fails_in_every_way(certificate):
    """The control: the same harness, and a third of the servers, as it is slow."""
    cases = [case for case in CASES if certificate or not case.tls][::3]
    found = examined("plain", cases, certificate)
    assert len(found.wrong) > len(found.cases) / 4
    assert len(found.late) > 3
    assert "private" in found.canaries
    assert found.cookies > 0
    assert found.bytes > MOST_MEMORY
    assert found.threads > 0


def test_registry_is_large_and_each_name_is_one():
    """Every reason that a server can be the cause of is among them."""
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) > 250
    assert {case.expected for case in CASES} == set(Reason) - _NOT_A_SERVERS | {None, "unchanged"}


# A CSV, a disk or a decoder is the cause of these; a host is down only after many failures.
_NOT_A_SERVERS = {
    Reason.BAD_URL,
    Reason.HOST_DOWN,
    Reason.FILE_MISSING,
    Reason.FILE_UNREADABLE,
    Reason.DAMAGED,
    Reason.TOO_MANY_PIXELS,
    Reason.OUT_OF_MEMORY,
    Reason.DECODER_DIED,
    Reason.DECODER_TIMEOUT,
}
