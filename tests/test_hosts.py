"""Each host gets its share of connections, less when it complains, none when it is down."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalog.images import hosts as hosts_module
from catalog.images.guard import Missed
from catalog.images.hosts import DOWN_AFTER, Host, Hosts
from catalog.images.reasons import Reason


def fail(hosts: Hosts, name: str, reason: Reason, status: int | None = None) -> Reason:
    """What comes of asking a host that fails so."""
    with pytest.raises(Missed) as missed, hosts.slot(name):
        raise Missed(reason, status)
    return missed.value.reason


@pytest.mark.parametrize(("per_host", "total", "expected"), [(3, 64, 3), (32, 5, 5)])
def test_connections_are_limited(per_host, total, expected):
    """No more than per_host to one host, nor than total together."""
    hosts = Hosts(per_host, total)
    lock = threading.Lock()
    now = most = 0

    def ask(_: int) -> None:
        nonlocal now, most
        with hosts.slot("shop"):
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.005)
            with lock:
                now -= 1

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(64)))
    assert most == expected


@pytest.mark.parametrize("status", [429, 503])
def test_limit_is_halved_once_for_a_burst(status, monkeypatch):
    """Thirty refusals of one burst halve it once; the next burst once more."""
    host = Host(32)
    for _ in range(15):
        host.failed(Reason.RATE_LIMITED, status)
    assert host.limit == 16
    monkeypatch.setattr(hosts_module, "HALVE_EVERY", 0.0)
    host.failed(Reason.RATE_LIMITED, status)
    assert host.limit == 8
    for _ in range(10):
        host.failed(Reason.RATE_LIMITED, status)
    assert host.limit == 1


def test_limit_recovers_slowly_and_no_further_than_it_was(monkeypatch):
    """One connection more for a round of good answers."""
    monkeypatch.setattr(hosts_module, "HALVE_EVERY", 0.0)
    host = Host(8)
    host.failed(Reason.RATE_LIMITED, 429)
    assert host.limit == 4
    for _ in range(5):
        host.succeeded()
    assert host.limit == 5
    for _ in range(200):
        host.succeeded()
    assert host.limit == 8


@pytest.mark.parametrize(
    "reason", [Reason.CONNECTION, Reason.TIMEOUT, Reason.SERVER_ERROR, Reason.DNS, Reason.TLS]
)
def test_host_that_fails_in_a_row_is_down(reason):
    """After 20 failures its other pictures fail at once; another host's do not."""
    hosts = Hosts(4, 8)
    assert {fail(hosts, "shop", reason) for _ in range(DOWN_AFTER)} == {reason}
    with pytest.raises(Missed) as missed, hosts.slot("shop"):
        pytest.fail("a host that is down was asked")
    assert missed.value.reason == Reason.HOST_DOWN
    with hosts.slot("other"):
        pass


@pytest.mark.parametrize("reason", [Reason.NOT_FOUND, Reason.RATE_LIMITED, Reason.NOT_A_PICTURE])
def test_host_that_answers_is_never_down(reason):
    """A thousand missing pictures say nothing about the host."""
    hosts = Hosts(4, 8)
    for _ in range(3 * DOWN_AFTER):
        fail(hosts, "shop", reason, 404)
    with hosts.slot("shop"):
        pass


@pytest.mark.parametrize("answer", ["picture", "404"])
def test_one_answer_ends_the_row(answer):
    """19 failures, an answer, and 19 failures more do not make 20 in a row."""
    hosts = Hosts(4, 8)
    for _ in range(DOWN_AFTER - 1):
        fail(hosts, "shop", Reason.TIMEOUT)
    if answer == "404":
        fail(hosts, "shop", Reason.NOT_FOUND, 404)
    else:
        with hosts.slot("shop"):
            pass
    for _ in range(DOWN_AFTER - 1):
        assert fail(hosts, "shop", Reason.TIMEOUT) == Reason.TIMEOUT
    with hosts.slot("shop"):
        pass


def test_those_who_wait_hear_that_the_host_is_down():
    """A thread in the queue does not wait for ever."""
    host = Host(1)
    heard = []

    def wait() -> None:
        try:
            with host.slot():
                pass
        except Missed as missed:
            heard.append(missed.reason)

    with host.slot():
        waiting = threading.Thread(target=wait)
        waiting.start()
        for _ in range(DOWN_AFTER):
            host.failed(Reason.TIMEOUT, None)
        waiting.join(timeout=5)
    assert heard == [Reason.HOST_DOWN]
