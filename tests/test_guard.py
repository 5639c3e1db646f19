"""Private addresses are never asked, whatever a URL, a redirect or a name server says.

Each test has its control: a plain client reaches the canary that the guard protects.
"""

import ipaddress
import socket
import threading
import time

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from catalog.images import guard as guard_module
from catalog.images.connections import _check_peer
from catalog.images.fetch import Fetcher
from catalog.images.guard import Guard, Missed, is_public
from catalog.images.reasons import Reason
from catalog.images.settings import FetchSettings
from tests.shop import Page, Shop

GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;" + b"\x00" * 60
RESOLVE = socket.getaddrinfo


@pytest.fixture
def canary():
    """A private server that answers, and must not be asked."""
    with Shop() as server:
        server.pages["/a.gif"] = Page(GIF)
        yield server


@pytest.fixture
def shop():
    """A server that the settings allow."""
    with Shop() as server:
        server.pages["/a.gif"] = Page(GIF)
        yield server


@pytest.fixture
def web_port(monkeypatch):
    """Make a port count as one of the web's, such that only the address can be refused."""

    def allow(port: int) -> None:
        ports = guard_module.WEB_PORTS | {port}
        monkeypatch.setattr(guard_module, "WEB_PORTS", ports)

    return allow


@pytest.fixture
def names(monkeypatch):
    """A name server of our own: host to a list of answers, each a list of addresses."""
    answers: dict[str, list[list[str]]] = {}

    def resolve(host, port, *args, **kwargs):
        if host not in answers:
            return RESOLVE(host, port, *args, **kwargs)
        found = answers[host].pop(0) if len(answers[host]) > 1 else answers[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return answers


def fetched(url: str, *allowed: str, **settings: object):
    """What a guarded fetch makes of a URL."""
    with Fetcher(FetchSettings(allow_hosts=allowed, backoff=0.01, **settings)) as fetcher:
        return fetcher.fetch(url)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.8.8.8",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
    ],
)
def test_address_is_not_public(address):
    """Loopback, private, link-local and the rest, also dressed up as IPv6."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "151.101.1.6", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_address_is_public(address):
    """The control: servers on the internet are asked."""
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_no_more_public_inside_ipv6(address):
    """A translated address is judged by where it leads."""
    for prefix in ("::ffff:", "64:ff9b::"):
        assert is_public(str(ipaddress.IPv6Address(f"{prefix}{address}"))) == is_public(
            str(address)
        )


def test_port_is_refused(canary):
    """Only 80 and 443, unless the settings say more; a plain client would have asked."""
    assert fetched(canary.url("/a.gif")).reason == Reason.PORT_REFUSED
    assert canary.connections == 0
    assert requests.get(canary.url("/a.gif"), timeout=5).content == GIF
    assert fetched(canary.url("/a.gif"), canary.host).data == GIF


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "127.1", "LocalHost", "0"]
)
def test_private_address_is_refused(host, canary, web_port):
    """By number or by name, however it is spelled; a plain client would have asked."""
    web_port(canary.port)
    answer = fetched(f"http://{host}:{canary.port}/a.gif")
    assert answer.reason == Reason.ADDRESS_REFUSED
    assert not answer.dead
    assert canary.connections == 0
    assert requests.get(f"http://{host}:{canary.port}/a.gif", timeout=5).status_code == 200


def test_redirect_to_a_private_address_is_refused(canary, shop, web_port):
    """Every hop is checked again; a plain client would have followed."""
    web_port(canary.port)
    shop.pages["/go"] = Page(status=302, headers={"Location": canary.url("/a.gif")})
    assert fetched(shop.url("/go"), shop.host).reason == Reason.ADDRESS_REFUSED
    assert canary.connections == 0
    assert requests.get(shop.url("/go"), timeout=5).content == GIF
    assert canary.connections == 1


def test_one_private_answer_refuses_them_all(canary, names, web_port):
    """A name with a public and a private address is refused; a plain client would have asked."""
    web_port(canary.port)
    names["mixed.example"] = [["127.0.0.1", "8.8.8.8"]]
    url = f"http://mixed.example:{canary.port}/a.gif"
    assert fetched(url).reason == Reason.ADDRESS_REFUSED
    assert canary.connections == 0
    assert requests.get(url, timeout=5).content == GIF


def test_name_that_changes_its_answer_is_asked_where_it_was_checked(
    canary, names, web_port, monkeypatch
):
    """DNS rebinding: public when checked, private when connected. Checking first would leak."""
    web_port(canary.port)
    # To stand for the internet, one loopback address counts as public here.
    monkeypatch.setattr(
        guard_module, "is_public", lambda text: str(ipaddress.ip_address(text)) == "127.0.0.2"
    )
    url = f"http://rebinds.example:{canary.port}/a.gif"
    answers = [["127.0.0.2"], ["127.0.0.1"]]
    with Shop(address="127.0.0.2", port=canary.port) as public:
        public.pages["/a.gif"] = Page(GIF)
        names["rebinds.example"] = list(answers)
        assert fetched(url).data == GIF
        assert (public.connections, canary.connections) == (1, 0)
        # The control: look up, check, then hand the name to a plain client.
        names["rebinds.example"] = list(answers)
        checked = socket.getaddrinfo("rebinds.example", canary.port)[0][4][0]
        assert guard_module.is_public(checked)
        assert requests.get(url, timeout=5).content == GIF
        assert (public.connections, canary.connections) == (1, 1)


def test_next_address_is_tried_when_the_first_does_not_answer(shop, names):
    """A name may have several addresses; all of them were checked."""
    names["two.example"] = [["127.0.0.9", "127.0.0.1"]]
    url = f"http://two.example:{shop.port}/a.gif"
    assert fetched(url, f"two.example:{shop.port}").data == GIF


def test_peer_that_was_not_checked_is_refused(canary):
    """Whoever answers must be whom we connected to."""
    connected = socket.create_connection(("127.0.0.1", canary.port))
    with pytest.raises(Missed, match=Reason.ADDRESS_REFUSED):
        _check_peer(connected, ["127.0.0.9"])
    assert connected.fileno() == -1


def test_environment_names_no_proxy(canary, shop, monkeypatch):
    """http_proxy is not trusted, though a plain client does."""
    canary.pages[shop.url("/a.gif")] = Page(b"from the proxy")
    monkeypatch.setenv("http_proxy", f"http://{canary.host}")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert fetched(shop.url("/a.gif"), shop.host).data == GIF
    assert canary.connections == 0
    assert requests.get(shop.url("/a.gif"), timeout=5).content == b"from the proxy"


def test_proxy_setting_is_used(shop, caplog):
    """With the explicit setting the proxy is asked, even for a name that only it knows."""
    shop.pages["http://inside.example/a.gif"] = Page(GIF)
    answer = fetched("http://inside.example/a.gif", proxy=f"http://user:secret@{shop.host}")
    assert answer.data == GIF
    assert "proxy at 127.0.0.1" in caplog.text
    assert "secret" not in caplog.text
    refused = fetched("http://127.0.0.1/a.gif", proxy=f"http://{shop.host}")
    assert refused.reason == Reason.ADDRESS_REFUSED


def test_name_trouble_is_not_a_dead_link(monkeypatch):
    """A name server that fails is tried three times now, and later again."""
    asked = []

    def fail(*args, **_kwargs):
        asked.append(args)
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    answer = fetched("http://shop.example/a.gif")
    assert (answer.reason, answer.dead, answer.attempts) == (Reason.DNS, False, 3)
    assert answer.next_try_after > 0
    assert len(asked) == 3


def test_name_server_that_hangs_is_given_up(monkeypatch):
    """The system's look-up knows no time limit; we do."""
    hang = threading.Event()

    def resolve(*_args, **_kwargs):
        hang.wait(10)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    started = time.monotonic()
    answer = fetched("http://shop.example/a.gif", connect_timeout=0.3, tries=1)
    hang.set()
    assert answer.reason == Reason.DNS
    assert time.monotonic() - started < 8


def test_threads_share_a_look_up(monkeypatch):
    """Thirty connections to one host ask the name server once."""
    asked = []

    def resolve(host, port, **_kwargs):
        asked.append(host)
        time.sleep(0.2)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    guard = Guard()
    found = []
    threads = [
        threading.Thread(
            target=lambda: found.append(guard.addresses("a.example", 80, time.monotonic() + 5))
        )
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["8.8.8.8"]] * 10
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("allowed", "host", "port", "expected"),
    [
        ("cdn.example:8080", "CDN.example.", 8080, True),
        ("cdn.example:8080", "cdn.example", 8081, False),
        ("cdn.example:8080", "x.cdn.example", 8080, False),
        ("[::1]:8080", "::1", 8080, True),
        ("[::1]:8080", "[::1]", 8080, True),
    ],
)
def test_allowed_host_is_one_host_and_one_port(allowed, host, port, expected):
    """Names are compared whole, without case."""
    assert Guard([allowed]).allows(host, port) == expected


@pytest.mark.parametrize("name", ["localhost", ":80", "localhost:", "localhost:http"])
def test_allowed_host_needs_a_port(name):
    """A host without a port would open all of them."""
    with pytest.raises(ValueError, match="HOST:PORT"):
        FetchSettings(allow_hosts=(name,))
