"""Which servers may be asked: public addresses on the web's ports, and those the settings name."""

import ipaddress
import socket
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future

from catalog.images.reasons import Reason
from catalog.images.settings import allowed_port, plain_host

WEB_PORTS = frozenset({80, 443})
MOST_LOOK_UPS = 256  # under way at a time; each that hangs is a thread

# IPv6 addresses that stand for an IPv4 address in their last 32 bits: a gateway delivers there.
_TRANSLATED = (
    ipaddress.IPv6Network("64:ff9b::/96"),
    ipaddress.IPv6Network("::/96"),
    ipaddress.IPv6Network("::ffff:0:0:0/96"),
)
# Not global, whatever the running Python's tables say.
_PRIVATE_IPV6 = ipaddress.IPv6Network("64:ff9b:1::/48")


class Missed(Exception):  # noqa: N818 - an outcome that is thrown, not a programming error
    """A picture was not had; `reason` says why, `status` is the HTTP status if there was one."""

    def __init__(
        self, reason: Reason, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.retry_after = retry_after  # seconds
        self.of_host = False  # whether it was one of many, and no fault of this picture

    @property
    def refused(self) -> bool:
        """Whether the server asks to be left alone for a while, whatever the picture."""
        return self.status == 429 or (self.status == 503 and self.retry_after is not None)


class NotAsked(Missed):
    """Nobody was asked: what is known of the host already speaks against it."""


class NotTried(Missed):
    """Too much was under way here to ask now: that says nothing about the host."""


def is_public(text: str) -> bool:
    """Whether an address is one that anybody on the internet could have meant."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        embedded = _embedded(address)
        if embedded is not None:
            return is_public(str(embedded))
        if address.is_site_local or address in _PRIVATE_IPV6:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(address.packed[-4:])
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


class Guard:
    """Decides which hosts may be asked. Thread-safe.

    `allow_hosts` are "host:port" (an IPv6 address in brackets) whose port and addresses are not
    questioned.
    """

    def __init__(self, allow_hosts: Iterable[str] = ()) -> None:
        self._allowed = frozenset(map(allowed_port, allow_hosts))
        self._lock = threading.Lock()
        self._lookups: dict[tuple[str, int], Future[list[str]]] = {}

    def allows(self, host: str, port: int) -> bool:
        """Whether the settings name this host and port."""
        return (plain_host(host), port) in self._allowed

    def check(self, host: str, port: int) -> None:
        """Raise Missed for a port or a literal address that may not be asked; looks nothing up."""
        if self.allows(host, port):
            return
        if port not in WEB_PORTS:
            raise Missed(Reason.PORT_REFUSED)
        try:
            public = is_public(plain_host(host))
        except ValueError:
            return  # a name
        if not public:
            raise Missed(Reason.ADDRESS_REFUSED)

    def addresses(self, host: str, port: int, due: float) -> list[str]:
        """The addresses of `host`, looked up once; raises Missed unless every one is public.

        `due` is the time.monotonic() at which the look-up is given up.
        """
        self.check(host, port)
        found = _literal(host) or self._look_up(host, port, due)
        if not self.allows(host, port) and not all(map(is_public, found)):
            raise Missed(Reason.ADDRESS_REFUSED)
        return found

    def _look_up(self, host: str, port: int, due: float) -> list[str]:
        """Threads that ask for one name at the same time share one look-up."""
        key = (host, port)
        with self._lock:
            lookup = self._lookups.get(key)
            if lookup is None:
                if len(self._lookups) >= MOST_LOOK_UPS:
                    raise NotTried(Reason.DNS)
                lookup = self._lookups[key] = Future()
                # A thread, as getaddrinfo knows no time limit; a daemon, as it may hang at exit.
                threading.Thread(
                    target=self._resolve, args=(key, lookup), name="look-up", daemon=True
                ).start()
        try:
            return lookup.result(timeout=max(0.0, due - time.monotonic()))
        except TimeoutError:
            raise Missed(Reason.DNS) from None

    def _resolve(self, key: tuple[str, int], lookup: "Future[list[str]]") -> None:
        host, port = key
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            lookup.set_result(list(dict.fromkeys(str(answer[4][0]) for answer in answers)))
        except (OSError, ValueError):  # such as a name that no name server could be asked for
            lookup.set_exception(Missed(Reason.DNS))
        finally:
            with self._lock:
                del self._lookups[key]


def _literal(host: str) -> list[str]:
    """The address that a host already is; nobody has to be asked for it."""
    try:
        return [str(ipaddress.ip_address(plain_host(host)))]
    except ValueError:
        return []
