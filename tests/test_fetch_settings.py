"""Every limit of downloads is a setting, and a wrong one is told in one line."""

from dataclasses import fields

import pytest

from catalog.images import settings
from catalog.images.fetch import Fetcher
from catalog.images.reasons import Reason
from catalog.images.settings import FetchSettings, allowed_port
from tests.shop import Page, Shop

LIMITS = {**settings._COUNTS, **settings._SECONDS}
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;" + b"\x00" * 60


def test_every_number_has_limits():
    """A limit that is added later is checked too."""
    numbers = {field.name for field in fields(FetchSettings) if field.type in {int, float}}
    assert numbers == set(LIMITS)


@pytest.mark.parametrize("name", LIMITS)
def test_number_must_make_sense(name):
    """From the least to the most; true, text, nan and the endless are no numbers."""
    least, most = LIMITS[name]
    for value in (least, most):
        assert getattr(FetchSettings(**{name: value}), name) == value
    wrong = (least - 0.0001, most + 1, -1, True, "5", None, float("nan"), float("inf"))
    for value in wrong:
        with pytest.raises(ValueError, match=f"^{name} must be .* from .* to .*, not .*$"):
            FetchSettings(**{name: value})


@pytest.mark.parametrize("name", settings._COUNTS)
def test_count_is_a_whole_number(name):
    """Half a connection is none."""
    with pytest.raises(ValueError, match="whole number"):
        FetchSettings(**{name: 2.0})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cdn.example:8080", ("cdn.example", 8080)),
        ("CDN.Example.:1", ("cdn.example", 1)),
        ("127.0.0.1:65535", ("127.0.0.1", 65535)),
        ("[::1]:8080", ("::1", 8080)),
        ("[0:0:0:0:0:0:0:1]:8080", ("::1", 8080)),
    ],
)
def test_allowed_host(text, expected):
    """However it is spelled."""
    assert allowed_port(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("shop.example", ":80", "shop.example:", "shop.example:http", "shop.example:0", "a:65536"),
        *("a:-1", "a:+1", "a: 1", "a:\u0661", "::1:80", "[::1]", "[]:80", "[shop]:80", "a b:80"),
        *("http://shop.example:80", "user@shop.example:80", "a/b:80", "a\n:80", "", "*:80"),
    ],
)
def test_allowed_host_that_is_none(text):
    """A host and a port, nothing more."""
    with pytest.raises(ValueError, match="HOST:PORT"):
        FetchSettings(allow_hosts=(text,))


@pytest.mark.parametrize("hosts", ["localhost:80", ["localhost:80"], (80,), None])
def test_allowed_hosts_are_a_list(hosts):
    """A text is no list of its letters."""
    with pytest.raises(ValueError, match="HOST:PORT"):
        FetchSettings(allow_hosts=hosts)


@pytest.mark.parametrize(
    "given",
    [
        *({"user_agent": ""}, {"user_agent": " "}, {"user_agent": 5}, {"user_agent": "a\r\nb"}),
        *({"contact": 5}, {"contact": "a\tb"}),
    ],
)
def test_names_for_servers_are_text(given):
    """And fit a header."""
    with pytest.raises(ValueError, match=r"ASCII|user_agent"):
        FetchSettings(**given)


@pytest.mark.parametrize(
    "proxy", ["proxy:3128", "socks5://proxy:1080", "http://", "http://[::1", "http://p:x", 5, ""]
)
def test_proxy_is_a_url(proxy):
    """One that could never be asked is told now, without the password that it may hold."""
    with pytest.raises(ValueError, match="proxy must be http://HOST:PORT"):
        FetchSettings(proxy=proxy)
    assert FetchSettings(proxy="http://user:word@proxy:3128").proxy


def test_limits_hold():
    """Redirects, size of a header and failures until a host is down, as the settings say."""
    with Shop() as shop:
        shop.pages["/a.gif"] = Page(GIF, headers={"X-Long": "x" * 2000})
        shop.pages["/go"] = Page(status=302, headers={"Location": "/a.gif"})
        shop.pages["/busy"] = Page(status=500)
        quick = {"allow_hosts": (shop.host,), "tries": 1}
        with Fetcher(FetchSettings(max_redirects=0, **quick)) as fetcher:
            assert fetcher.fetch(shop.url("/go")).reason == Reason.BAD_REDIRECT
        with Fetcher(FetchSettings(max_header_bytes=1024, **quick)) as fetcher:
            assert fetcher.fetch(shop.url("/a.gif")).reason == Reason.PROTOCOL
        with Fetcher(FetchSettings(max_redirects=1, down_after=2, **quick)) as fetcher:
            assert fetcher.fetch(shop.url("/go")).data == GIF
            reasons = [fetcher.fetch(shop.url("/busy")).reason for _ in range(3)]
    assert reasons == [Reason.SERVER_ERROR, Reason.SERVER_ERROR, Reason.HOST_DOWN]
