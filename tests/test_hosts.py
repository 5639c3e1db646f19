"""Each host gets its share of connections, less when it complains, none when it is down."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalog.images import hosts as hosts_module
from catalog.images.asking import Budget
from catalog.images.guard import Missed, NotAsked, NotTried
from catalog.images.hosts import Host, Hosts
from catalog.images.reasons import Reason
from catalog.images.settings import FetchSettings

BEFORE = float("-inf")  # a request that began before anything else


def settings(**given: object) -> FetchSettings:
    """Settings that don't wait long."""
    return FetchSettings(**{"backoff": 0.01, **given})


def fail(hosts: Hosts, name: str, reason: Reason, status: int | None = None) -> Reason:
    """What comes of asking a host that fails so."""
    with pytest.raises(Missed) as missed, hosts.slot(name, Budget(30)):
        raise Missed(reason, status)
    return missed.value.reason


def refusal(retry_after: float | None = None) -> Missed:
    """The host wants to be left alone."""
    return Missed(Reason.RATE_LIMITED, 429, retry_after)


def begun() -> float:
    """When a request begins that comes after all that was."""
    return time.monotonic()


@pytest.mark.parametrize(("per_host", "total", "expected"), [(3, 64, 3), (32, 5, 5)])
def test_connections_are_limited(per_host, total, expected):
    """No more than per_host to one host, nor than total together."""
    hosts = Hosts(settings(per_host=per_host, total=total))
    lock = threading.Lock()
    now = most = 0

    def ask(_: int) -> None:
        nonlocal now, most
        with hosts.slot("shop", Budget(9)):
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.005)
            with lock:
                now -= 1

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(64)))
    assert most == expected


@pytest.mark.parametrize("missed", [refusal(), Missed(Reason.SERVER_ERROR, 503)])
def test_limit_is_halved_once_for_a_burst(missed):
    """Thirty refusals of one burst halve it once; the next burst once more."""
    host = Host(settings())
    together = begun()
    for _ in range(15):
        host.failed(missed, together, Budget(9))
    assert host.limit == 16
    host.failed(missed, begun(), Budget(9))
    assert host.limit == 8
    for _ in range(10):
        host.failed(missed, begun(), Budget(9))
    assert host.limit == 1


def test_limit_recovers_slowly_and_no_further_than_it_was():
    """One connection more for four rounds of good answers."""
    host = Host(settings(per_host=8))
    host.failed(refusal(0), begun(), Budget(9))
    assert host.limit == 4
    for _ in range(4 * 4):
        host.succeeded()
    assert host.limit == 4
    for _ in range(3):
        host.succeeded()
    assert host.limit == 5
    for _ in range(500):
        host.succeeded()
    assert host.limit == 8


@pytest.mark.parametrize(
    "reason", [Reason.CONNECTION, Reason.TIMEOUT, Reason.SERVER_ERROR, Reason.DNS, Reason.TLS]
)
def test_host_that_fails_in_a_row_is_down(reason):
    """After 20 failures its other pictures fail at once; another host's do not."""
    hosts = Hosts(settings())
    assert {fail(hosts, "shop", reason) for _ in range(20)} == {reason}
    with pytest.raises(NotAsked) as missed, hosts.slot("shop", Budget(9)):
        pytest.fail("a host that is down was asked")
    assert missed.value.reason == Reason.HOST_DOWN
    with hosts.slot("other", Budget(9)):
        pass


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Reason.NOT_FOUND, 404),
        (Reason.NOT_A_PICTURE, 200),
        (Reason.OUT_OF_MEMORY, 200),
    ],
)
def test_host_that_answers_is_never_down(reason, status):
    """A thousand missing pictures say nothing about the host."""
    hosts = Hosts(settings())
    for _ in range(60):
        fail(hosts, "shop", reason, status)
    with hosts.slot("shop", Budget(9)):
        pass


@pytest.mark.parametrize("answer", ["picture", "404"])
def test_one_answer_ends_the_row(answer):
    """Failures with an answer between them are not in a row."""
    hosts = Hosts(settings(down_after=5))
    for _ in range(4):
        fail(hosts, "shop", Reason.TIMEOUT)
    if answer == "404":
        fail(hosts, "shop", Reason.NOT_FOUND, 404)
    else:
        with hosts.slot("shop", Budget(9)):
            pass
    for _ in range(4):
        assert fail(hosts, "shop", Reason.TIMEOUT) == Reason.TIMEOUT
    with hosts.slot("shop", Budget(9)):
        pass


def heard_while_waiting(host: Host, happens: Callable[[], None]) -> list[Reason]:
    """What a thread is told that waits for the host's only connection when something happens."""
    heard = []

    def wait() -> None:
        try:
            with host.slot(Budget(9)):
                pass
        except NotAsked as missed:
            heard.append(missed.reason)

    with host.slot(Budget(9)):
        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.05)
        happens()
        waiting.join(timeout=5)
        assert not waiting.is_alive()
    return heard


def test_those_who_wait_hear_that_the_host_is_down():
    """A thread in the queue does not wait for ever."""
    host = Host(settings(per_host=1, down_after=1))
    failure = Missed(Reason.TIMEOUT)
    assert heard_while_waiting(host, lambda: host.failed(failure, BEFORE, Budget(9))) == [
        Reason.HOST_DOWN
    ]


def test_those_who_wait_hear_that_the_run_is_over():
    """Nor does it when everything is closed."""
    host = Host(settings(per_host=1))
    assert heard_while_waiting(host, host.close) == [Reason.HOST_DOWN]


def test_those_who_wait_hear_that_the_host_rests():
    """Nor when the host is to be left alone for longer than they would wait."""
    host = Host(settings(per_host=1))
    heard = heard_while_waiting(host, lambda: host.failed(refusal(60), begun(), Budget(9)))
    assert heard == [Reason.RATE_LIMITED]


def test_host_that_asks_for_it_is_left_alone():
    """Whoever comes next waits as long; another host's pictures don't."""
    hosts = Hosts(settings())
    with pytest.raises(Missed), hosts.slot("shop", Budget(9)):
        raise refusal(0.3)
    started, budget = time.monotonic(), Budget(9)
    with hosts.slot("other", budget):
        assert budget.patience == 9
    with hosts.slot("shop", budget):
        assert 0.25 < time.monotonic() - started < 2
    assert budget.left == 9
    assert 7 < budget.patience < 8.8


def test_nobody_waits_longer_than_its_patience():
    """A thread that would have to is free for other hosts, and knows when to come back."""
    host = Host(settings())
    host.failed(refusal(3600), begun(), Budget(9))
    started = time.monotonic()
    with pytest.raises(NotAsked) as missed, host.slot(Budget(9)):
        pytest.fail("a host that rests was asked")
    assert time.monotonic() - started < 5
    assert missed.value.reason == Reason.RATE_LIMITED
    assert 3590 < missed.value.retry_after <= 3600


def test_host_is_left_alone_for_a_minute_at_most():
    """A server that names a day is asked again in this run."""
    host = Host(settings(longest_retry_after=0.1))
    host.failed(refusal(86_400), begun(), Budget(9))
    time.sleep(0.12)
    with host.slot(Budget(9)):
        pass


def test_host_that_only_refuses_is_waited_for_no_more():
    """After three rests in a row, the first for three pictures; a good answer begins anew."""
    host = Host(settings(backoff=0.05))
    for _ in range(5):
        host.failed(refusal(), begun(), Budget(9))
    with pytest.raises(NotAsked), host.slot(Budget(9)):
        pytest.fail("a host that rests was asked")
    host.succeeded()
    with host.slot(Budget(9)):
        pass


def test_picture_that_is_always_refused_is_its_own_trouble():
    """Nor are a few with good answers between them the host's."""
    host = Host(settings())
    for _ in range(10):
        picture = Budget(9)
        for _ in range(3):
            host.failed(refusal(), begun(), picture)
        for _ in range(2 * 32):
            host.succeeded()
    assert host.limit == 32
    with host.slot(budget := Budget(9)):
        assert budget.patience == 9
    for _ in range(3):  # the control
        host.failed(refusal(), begun(), Budget(9))
    assert host.limit == 16


@pytest.mark.parametrize("reason", [Reason.DEADLINE, Reason.TIMEOUT, Reason.DNS])
@pytest.mark.parametrize(("seconds", "blamed"), [(5.0, False), (20.0, True)])
def test_host_that_had_no_time_is_not_blamed(reason, seconds, blamed):
    """What others left of a location's time was too short to answer in."""
    hosts = Hosts(settings(down_after=3, connect_timeout=10.0))
    for _ in range(3):
        with pytest.raises(Missed), hosts.slot("shop", Budget(seconds)) as host:
            raise Missed(reason)
    assert host.down == blamed


def test_host_that_was_not_asked_is_not_blamed():
    """Too many look-ups of other names were under way."""
    hosts = Hosts(settings(down_after=3))
    for _ in range(9):
        with pytest.raises(NotTried), hosts.slot("shop", Budget(30)) as host:
            raise NotTried(Reason.DNS)
    assert not host.down


def test_short_refusal_of_a_burst_prolongs_nothing():
    """Only the longest Retry-After of a burst counts, and the back-off once."""
    host = Host(settings(backoff=0.01))
    together = begun()
    host.failed(refusal(), together, Budget(9))
    host.failed(refusal(0.2), together, Budget(9))
    host.failed(refusal(), together, Budget(9))
    started = time.monotonic()
    with host.slot(Budget(9)):
        assert 0.1 < time.monotonic() - started < 5


def test_hosts_are_forgotten(monkeypatch):
    """A million names need not stay in memory; those in use do."""
    monkeypatch.setattr(hosts_module, "REMEMBERED", 3)
    hosts = Hosts(settings())
    with hosts.slot("first", Budget(9)) as first:
        for number in range(10):
            with hosts.slot(f"host{number}", Budget(9)):
                pass
        with hosts.slot("first", Budget(9)) as again:
            assert again is first
    for number in range(10):
        with hosts.slot(f"host{number}", Budget(9)):
            pass
    assert list(hosts._hosts) == ["host7", "host8", "host9"]
