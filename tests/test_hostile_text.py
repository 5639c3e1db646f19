"""Whatever text stands in a cell or a header, it is an outcome, and no way round the guard."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog.images import connections
from catalog.images.asking import Known
from catalog.images.download import Downloader, _short, _target
from catalog.images.fetch import Fetcher
from catalog.images.guard import Guard, Missed
from catalog.images.reasons import Reason
from catalog.images.settings import FetchSettings, allowed_port, plain_host
from tests.shop import Page, Shop

FIXED = settings(derandomize=True, max_examples=150, deadline=None)
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;" + b"\x00" * 60

# What URLs are made of, and what parsers disagree about.
PIECES = st.sampled_from(
    [
        *"@:/\\#?[]%.&;=+-_~!$'()*, \t\r\n\x00\x0b\x7f\u00e9\u3002\uff0e\u2488\u212a\U0001d7d9",
        *(
            "//",
            "%00",
            "%2f",
            "%40",
            "%5c",
            "http:",
            "https:",
            "user:word@",
            "::1",
            "[::1]",
            "fe80",
        ),
        *("127.0.0.1", "0x7f.1", "2130706433", "good.example", "xn--", ":80", ":443", "a", "1"),
    ]
)
PLACES = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=30)


@contextmanager
def watched() -> Iterator[tuple[list[str], list[str]]]:
    """What hosts are checked and where a connection is tried; none ever leaves this process."""
    checked: list[str] = []
    tried: list[str] = []
    check = Guard.check

    def noting(self, host, port):
        checked.append(plain_host(host))
        check(self, host, port)

    def resolve(host, *_args, **_kwargs):
        tried.append(plain_host(host))
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    def connect(address, *_args, **_kwargs):
        tried.append(plain_host(address[0]))
        raise ConnectionRefusedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Guard, "check", noting)
        patch.setattr(socket, "getaddrinfo", resolve)
        patch.setattr(connections, "create_connection", connect)
        yield checked, tried


@FIXED
@given(PLACES)
@example("127.0.0.1\\@good.example/")
@example("good.example#@127.0.0.1/")
@example("\x01http://127.0.0.1/")
@example("a\x00b.example/")
def test_host_that_is_asked_was_checked(place):
    """Two parsers may read a URL differently; what is connected to is what the guard was given."""
    with watched() as (checked, tried), Fetcher(FetchSettings(tries=1)) as fetcher:
        answer = fetcher.fetch(f"http://{place}")
    assert answer.outcome == "failed"
    assert set(tried) <= set(checked)
    assert len(set(checked)) <= 1


@FIXED
@given(st.text(max_size=40))
@example("/dev/null")
@example("/\x00")
@example("//\udcff")
def test_any_text_is_an_outcome(text):
    """Whatever stands in the cell, a path or a URL."""
    with watched(), Fetcher(FetchSettings(tries=1)) as fetcher:
        assert fetcher.fetch(text).outcome == "failed"


@FIXED
@given(PLACES | st.text(st.characters(max_codepoint=255), max_size=40))
@example("caf\u00e9.jpg")
@example("caf\u00c3\u00a9.jpg")
@example("http://[")
@example("http://[\u00e9")
def test_any_redirect_leads_to_the_web_or_nowhere(location):
    """A target is asked for over http or https, or it is a bad one."""
    downloader = Downloader(FetchSettings())
    try:
        place = _target("http://good.example/a.jpg", location, 302)
    except Missed as missed:
        assert missed.reason == Reason.BAD_REDIRECT  # noqa: PT017 - either way is right
        return
    request = downloader._prepare(place, Known())
    assert request is None or request.url.lower().lstrip().startswith(("http://", "https://"))


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("caf\u00c3\u00a9.jpg", "http://good.example/caf\u00e9.jpg"),
        ("caf\u00e9 \u00fc.jpg", "http://good.example/caf%E9 %FC.jpg"),
    ],
)
def test_redirect_beyond_ascii(location, place):
    """UTF-8, as browsers read it; what is none is passed on byte by byte."""
    assert _target("http://good.example/a.jpg", location, 302) == place


@FIXED
@given(st.text(max_size=40) | st.text(st.characters(max_codepoint=255), max_size=40))
@example("\u00a0x")
@example('"a"\r\nX-Evil: 1')
def test_what_is_sent_back_fits_a_header(text):
    """An ETag that could not be sent again is not remembered, nor one of an older store sent."""
    kept = _short(text)
    assert kept is None or (kept == text and kept.isascii() and kept.isprintable())


@settings(FIXED, max_examples=40)
@given(st.text(max_size=30), st.text(max_size=30))
@example(" HTTP/1.1\r\nX-Evil: 1\r\n\r\n", '"a"\r\nX-Evil: 1')
def test_nothing_is_smuggled_into_a_request(smuggling_shop, path, tag):
    """One request arrives, with the headers that we chose."""
    shop, fetcher = smuggling_shop
    shop.asked.clear()
    answer = fetcher.fetch(shop.url(f"/{path}"), Known(etag=tag, last_modified=tag))
    assert len(shop.asked) == (answer.reason != Reason.BAD_URL)
    for asked in shop.asked:
        assert {name.lower() for name in asked.headers} <= {
            *("host", "user-agent", "accept", "accept-encoding", "connection"),
            *("if-none-match", "if-modified-since"),
        }


@pytest.fixture(scope="module")
def smuggling_shop():
    """A server, and a fetcher that may ask it."""
    with Shop() as shop, Fetcher(FetchSettings(allow_hosts=(shop.host,), tries=1)) as fetcher:
        shop.pages["/"] = Page(GIF)
        yield shop, fetcher


def test_known_mark_that_cannot_be_sent_is_left_out(smuggling_shop):
    """The picture is asked for as if nothing were known, not refused for ever."""
    shop, fetcher = smuggling_shop
    shop.asked.clear()
    assert fetcher.fetch(shop.url("/"), Known(etag="\u00a0x", last_modified="\n")).data == GIF
    assert "If-None-Match" not in shop.asked[-1].headers


@FIXED
@given(st.text(max_size=30) | st.from_regex(r"[a-z.\[\]:0-9]{1,20}:[0-9]{1,6}", fullmatch=True))
@example("[::1]:80")
@example("[0:0:0:0:0:0:0:1]:80")
@example("SHOP.example.:65535")
@example("a:0")
@example("a:65536")
@example("a:\u0661")
def test_any_allowed_host_is_one_or_refused(text):
    """What is accepted is allowed, and nothing else raises than a clear error of one line."""
    try:
        host, port = allowed_port(text)
    except ValueError as error:
        assert "HOST:PORT" in str(error)  # noqa: PT017 - either way is right
        assert len(str(error).splitlines()) == 1  # noqa: PT017
    else:
        assert 0 < port < 65536
        assert Guard([text]).allows(host, port)
        assert not Guard([text]).allows(host, port % 65535 + 1)
