"""How pictures are downloaded and decoded: the limits a user may set."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

LONGEST_BACKOFF = 8.0  # seconds

# The least and the most of each whole number, and of each number of seconds.
_COUNTS: dict[str, tuple[float, float]] = {
    "per_host": (1, 64),  # no more threads fetch
    "total": (1, 64),
    "max_bytes": (1, 1 << 30),
    "tries": (1, 20),
    "max_redirects": (0, 20),
    "max_header_bytes": (1024, 1 << 24),
    "down_after": (1, 1_000_000),
}
_SECONDS: dict[str, tuple[float, float]] = {
    "deadline": (0.01, 3600),
    "connect_timeout": (0.01, 3600),
    "read_timeout": (0.01, 3600),
    "backoff": (0.001, 60),
    "longest_retry_after": (0, 3600),
}


@dataclass(frozen=True)
class FetchSettings:
    """How pictures are downloaded."""

    per_host: int = 32
    total: int = 64
    deadline: float = 30.0  # seconds on the network for one location, all tries and hops together
    connect_timeout: float = 10.0
    read_timeout: float = 10.0
    max_bytes: int = 20_000_000  # of one picture, after inflating
    max_header_bytes: int = 65_536  # of one answer, all its header lines together
    max_redirects: int = 5
    tries: int = 3
    backoff: float = 0.5  # seconds, before the second try at most; doubled for the next
    longest_retry_after: float = 60.0  # seconds that a host is left alone at its wish, at most
    down_after: int = 20  # failures in a row, and a host is asked no more in this run
    allow_hosts: tuple[str, ...] = ()  # HOST:PORT, beyond public addresses on ports 80 and 443
    user_agent: str = "Vitrina"
    contact: str | None = None  # whom a shop's administrator may write to
    proxy: str | None = None

    def __post_init__(self) -> None:
        for name, (least, most) in _COUNTS.items():
            _check_number(name, getattr(self, name), int, least, most)
        for name, (least, most) in _SECONDS.items():
            _check_number(name, getattr(self, name), (int, float), least, most)
        _check_allowed(self.allow_hosts)
        _check_agent(self.user_agent, self.contact)
        _check_proxy(self.proxy)

    @property
    def agent(self) -> str:
        """The User-Agent."""
        return f"{self.user_agent} (+{self.contact})" if self.contact else self.user_agent


@dataclass(frozen=True)
class DecodeSettings:
    """What one picture may cost a decode worker."""

    memory_mb: int = 800  # address space; a picture of 50 megapixels takes up to 700
    seconds: float = 20.0
    max_megapixels: int = 50

    def __post_init__(self) -> None:
        _check_number("memory_mb", self.memory_mb, int, 128, 1 << 20)
        _check_number("seconds", self.seconds, (int, float), 0.01, 3600)
        _check_number("max_megapixels", self.max_megapixels, int, 1, 10_000)

    @property
    def max_pixels(self) -> int:
        """The most pixels that a picture may have."""
        return self.max_megapixels * 1_000_000


def allowed_port(text: str) -> tuple[str, int]:
    """Host and port of HOST:PORT, an IPv6 address in brackets; ValueError for anything else."""
    found = _HOST_PORT.fullmatch(text)
    if not found or not 0 < int(found["port"]) < 1 << 16:
        raise ValueError(f"an allowed host is HOST:PORT, not {text!r}")
    return plain_host(found["host"]), int(found["port"])


def plain_host(host: str) -> str:
    """One spelling of a host for all: small letters, no brackets, no dot at the end."""
    plain = host.lower().strip("[]").rstrip(".")
    try:
        return ipaddress.IPv6Address(plain).compressed
    except ValueError:
        return plain


# A name as URLs carry it, hence ASCII, or something in brackets.
_HOST_PORT = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")


def _check_number(
    name: str, value: object, kind: type | tuple[type, ...], least: float, most: float
) -> None:
    # A bool is an int to Python, and nan is neither less nor more than anything.
    if isinstance(value, kind) and not isinstance(value, bool) and least <= value <= most:  # type: ignore[operator]
        return
    what = "a whole number" if kind is int else "a number of seconds"
    raise ValueError(f"{name} must be {what} from {least:,} to {most:,}, not {value!r}")


def _check_allowed(hosts: object) -> None:
    if not isinstance(hosts, tuple):
        raise ValueError(f"allow_hosts is a list of HOST:PORT, not {hosts!r}")  # noqa: TRY004
    for host in hosts:
        if not isinstance(host, str):
            raise ValueError(f"an allowed host is HOST:PORT, not {host!r}")  # noqa: TRY004
        allowed_port(host)


def _check_agent(name: object, contact: object) -> None:
    for text in (name, "" if contact is None else contact):
        if not isinstance(text, str) or not (text.isprintable() and text.isascii()):
            raise ValueError(f"a name and contact for servers must be plain ASCII: {text!r}")
    if not name or name != str(name).strip():
        raise ValueError(f"user_agent is a name, not {name!r}")


def _check_proxy(proxy: object) -> None:
    if proxy is None:
        return
    try:
        parts = urlsplit(proxy) if isinstance(proxy, str) else None
        if parts and parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return
    except ValueError:
        pass
    # Not shown: it may hold a password.
    raise ValueError("proxy must be http://HOST:PORT, or https")


DECODED_BEFORE = DecodeSettings(memory_mb=4096, seconds=120, max_megapixels=10_000)
"""For pictures that were decoded before, within the limits of then, which may have been wider."""
