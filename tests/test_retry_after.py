"""A host that asks to be left alone is left alone, and nobody else waits for it."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, formatdate

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog.images.asking import Fetched
from catalog.images.download import _seconds
from catalog.images.fetch import Fetcher, FetcherClosed
from catalog.images.reasons import DAY, HOUR, Reason
from catalog.images.settings import FetchSettings
from tests.shop import Handler, Page, Shop

GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;" + b"\x00" * 60
THREADS = 64
FIXED = settings(derandomize=True, max_examples=150, deadline=None)


@pytest.fixture
def shop():
    """A server with a picture at /a.gif."""
    with Shop() as server:
        server.pages["/a.gif"] = Page(GIF)
        yield server


def fetcher_for(*shops: Shop, **given: object) -> Fetcher:
    """A fetcher that may ask the shops."""
    hosts = tuple(shop.host for shop in shops)
    return Fetcher(FetchSettings(allow_hosts=hosts, **{"backoff": 0.01, **given}))


def fetch_all(fetcher: Fetcher, urls: list[str]) -> list[Fetched]:
    """What comes of all of them, asked for in this order by as many threads as a run has."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(fetcher.fetch, urls))


def refuses(retry_after: str | None, times: int = 1_000_000) -> Callable[[Handler], None]:
    """A page that says 429 so many times, and then the picture."""
    left = [times]

    def answer(handler: Handler) -> None:
        left[0] -= 1
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        handler.answer(Page(status=429, headers=headers) if left[0] >= 0 else Page(GIF))

    return answer


@pytest.mark.parametrize(
    ("wait", "status"),
    [("1", 429), ("1", 503), (lambda: formatdate(time.time() + 2, usegmt=True), 429)],
)
def test_retry_after_is_kept_to(wait, status, shop):
    """Seconds or a date."""
    header = wait if isinstance(wait, str) else wait()
    answers = [Page(status=status, headers={"Retry-After": header}), Page(GIF)]
    shop.pages["/late.gif"] = lambda handler: handler.answer(answers.pop(0))
    started = time.monotonic()
    with fetcher_for(shop) as fetcher:
        answer = fetcher.fetch(shop.url("/late.gif"))
    assert (answer.outcome, answer.attempts) == ("fetched", 2)
    assert 0.9 < time.monotonic() - started < 20


def test_host_is_left_alone_by_all_its_pictures(shop):
    """One picture was refused: the next one is not even asked for before its time."""
    shop.pages["/late.gif"] = refuses("3", times=1)
    with fetcher_for(shop) as fetcher:
        refused = threading.Thread(target=fetcher.fetch, args=[shop.url("/late.gif")])
        refused.start()
        while not shop.asked:
            time.sleep(0.01)
        time.sleep(0.1)
        started = time.monotonic()
        assert fetcher.fetch(shop.url("/a.gif")).outcome == "fetched"
        assert time.monotonic() - started > 1
        refused.join()


@pytest.mark.parametrize(
    ("wait", "next_try"),
    [
        ("600", HOUR),
        ("7200", 7200),
        ("1000000000", DAY),
        ("inf", DAY),
        ("Fri, 01 Jan 2999 00:00:00 GMT", DAY),
    ],
)
def test_long_wait_is_left_to_another_night(wait, next_try, shop):
    """The picture fails at once, with the time that the host named; not even its own threads wait.

    A server cannot put a picture off for longer than a day.
    """
    shop.pages["/s.gif"] = refuses(wait)
    started = time.monotonic()
    with fetcher_for(shop) as fetcher:
        answer = fetcher.fetch(shop.url("/s.gif"))
        other = fetcher.fetch(shop.url("/a.gif"))
    assert time.monotonic() - started < 10
    assert (answer.reason, answer.http_status, answer.attempts) == (Reason.RATE_LIMITED, 429, 1)
    assert (other.reason, other.http_status) == (Reason.RATE_LIMITED, None)
    for failed in (answer, other):
        assert not failed.dead
        assert next_try - 5 <= failed.next_try_after <= next_try
    assert len(shop.asked) == 1


@pytest.mark.parametrize("wait", ["soon", "-5", "nan", "", "1e999999x", "0", None])
def test_nonsense_in_retry_after(wait, shop):
    """It is not waited for, and the host is asked three times."""
    shop.pages["/s.gif"] = refuses(wait)
    started = time.monotonic()
    with fetcher_for(shop) as fetcher:
        answer = fetcher.fetch(shop.url("/s.gif"))
    assert (answer.reason, answer.attempts) == (Reason.RATE_LIMITED, 3)
    assert time.monotonic() - started < 10


def test_closing_ends_the_wait(shop):
    """Ctrl-C does not wait for a host that rests."""
    shop.pages["/s.gif"] = refuses("20")
    fetcher = fetcher_for(shop)
    threading.Timer(0.2, fetcher.close).start()
    started = time.monotonic()
    with pytest.raises(FetcherClosed):
        fetcher.fetch(shop.url("/s.gif"))
    assert time.monotonic() - started < 10


def test_host_that_refuses_everything_holds_nobody_up(shop):
    """200 pictures of a good host take about as long as without 200 of a bad one among them."""
    shop.latency = 0.01
    good = [shop.url(f"/{number}.gif") for number in range(200)]
    shop.pages |= {f"/{number}.gif": Page(GIF) for number in range(200)}
    with Shop() as bad:
        bad.pages |= {f"/{number}.gif": refuses("60") for number in range(200)}
        mixed = [url for pair in zip(good, map(bad.url, _paths(200)), strict=True) for url in pair]
        alone, _ = timed(fetcher_for(shop), good)
        together, answers = timed(fetcher_for(shop, bad), mixed)
        asked = len(bad.asked)
    outcomes = Counter((answer.host, answer.outcome) for answer in answers[::2])
    assert outcomes == {("127.0.0.1", "fetched"): 200}
    assert {answer.reason for answer in answers[1::2]} == {Reason.RATE_LIMITED}
    assert together < 2 * alone + 10
    assert asked < 120


def timed(fetcher: Fetcher, urls: list[str]) -> tuple[float, list[Fetched]]:
    """Seconds until all were fetched, and what came of them."""
    started = time.monotonic()
    with fetcher:
        answers = fetch_all(fetcher, urls)
    return time.monotonic() - started, answers


@pytest.mark.parametrize("count", [1, 5])
def test_pictures_that_are_always_refused_harm_no_others(count, shop):
    """All good ones come; a single one is asked for three times, and slows nobody down."""
    refused = set(_paths(1000)[50 : 50 + 200 * count : 200])
    shop.pages |= {path: Page(GIF) for path in _paths(1000)}
    shop.pages |= {path: refuses(None) for path in refused}
    with fetcher_for(shop) as fetcher:
        answers = fetch_all(fetcher, [shop.url(path) for path in _paths(1000)])
        limit = fetcher._downloader._hosts._hosts[shop.host].limit
    failed = [answer for answer in answers if answer.outcome == "failed"]
    assert {answer.location for answer in failed} == set(map(shop.url, refused))
    assert {answer.reason for answer in failed} == {Reason.RATE_LIMITED}
    if count == 1:
        assert (failed[0].attempts, limit) == (3, 32)


def _paths(count: int) -> list[str]:
    return [f"/{number}.gif" for number in range(count)]


class Narrow:
    """A page for few visitors at a time: 429 to whoever comes on top of them."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.highest = 0  # visitors at a time since somebody last looked
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, handler: Handler) -> None:
        """Answer one visitor."""
        with self._lock:
            self._now += 1
            self.highest = max(self.highest, self._now)
            page = Page(GIF) if self._now <= self.most else Page(status=429)
        time.sleep(0.02)
        with self._lock:
            self._now -= 1
        handler.answer(page)
        handler.close_connection = False


def test_server_for_few_visitors_gives_all_its_pictures(shop):
    """We go down to what it bears, no picture is lost, and we come back when it bears more."""
    narrow = Narrow(most=4)
    shop.pages |= {f"/{number}.gif": narrow for number in range(250)}
    urls = [shop.url(path) for path in _paths(250)]
    with fetcher_for(shop, per_host=16) as fetcher:
        first = fetch_all(fetcher, urls[:60])
        assert narrow.highest > 4
        narrow.highest = 0
        second = fetch_all(fetcher, urls[60:100])
        assert narrow.highest <= 8
        narrow.most, narrow.highest = 100, 0
        third = fetch_all(fetcher, urls)
        assert narrow.highest > 8
    assert {answer.outcome for answer in (*first, *second, *third)} == {"fetched"}


@FIXED
@given(st.text(st.characters(max_codepoint=255), max_size=40) | st.from_regex(r"[-+0-9a-zA-Z:, ]+"))
@example("Fri, 99 Jan 1999 00:00:00 GMT")
@example("1" * 5000)
@example("Thu, 01 Jan 0001 00:00:00 +2359")
@example("Thu, 01 Jan 1970 00:00:00 +999999999999")
def test_any_retry_after_is_seconds_or_nothing(text):
    """Whatever a server sends, it is no exception and never less than nothing."""
    found = _seconds(text)
    assert found is None or found >= 0


@FIXED
@given(st.integers(0, 10_000_000))
def test_seconds_and_dates_mean_the_same(seconds):
    """A date so far from now is so many seconds; one in the past is none."""
    now = datetime.now(UTC)
    assert _seconds(str(seconds)) == seconds
    date = format_datetime(now + timedelta(seconds=seconds), usegmt=True)
    assert abs(_seconds(date) - seconds) < 5
    assert _seconds(format_datetime(now - timedelta(seconds=seconds + 1), usegmt=True)) == 0
    assert abs(_seconds(date.replace("GMT", "-0000")) - seconds) < 5
