"""Servers that send one elsewhere: in circles, to nowhere, or behind a firewall."""

from collections.abc import Callable

from catalog.images.reasons import Reason
from tests.fault_server import PRIVATE, Behaviour, Case, Visit, head, whole


def to(location: str, *lines: str, status: str = "302 Found", body: bytes = b"") -> Behaviour:
    """Point to a place, which may name the {host} itself, the {canary}'s and an {other} port."""

    def behave(visit: Visit) -> None:
        while True:
            asked = visit.asked()
            if asked.path == "/b.jpg":
                visit.send(whole(body=asked.picture))
            else:
                visit.send(whole(_location(visit, location), *lines, status=status, body=body))

    return behave


def _location(visit: Visit, location: str) -> str:
    server = visit.server
    place = location.format(
        host=server.host(visit.name), canary=server.canary_port, other=server.other_port
    )
    return "Location: " + place.encode().decode("latin-1")


def _chain(hops: int, pause: float = 0.0) -> Behaviour:
    """So many redirects, and then the picture; a pause after each of ten pieces."""

    def behave(visit: Visit) -> None:
        while True:
            asked = visit.asked()
            step = int(asked.path.removeprefix("/hop/")) if "/hop/" in asked.path else 0
            hop = whole(f"Location: /hop/{step + 1}", status="301 Moved", body=b"")
            data = whole() if step == hops else hop
            size = len(data) // 10 + 1
            for start in range(0, len(data), size):
                visit.send(data[start : start + size])
                visit.pause(pause)

    return behave


def _loop(visit: Visit) -> None:
    while True:
        there = "/a.jpg" if visit.asked().path == "/loop" else "/loop"
        visit.send(whole(f"Location: {there}", status="307 Temporary", body=b""))


def _nowhere(visit: Visit) -> None:
    while True:
        visit.asked()
        visit.send(whole(status="302 Found", body=b""))


def _bomb_then_good(visit: Visit) -> None:
    if visit.asked().path == "/c.jpg":
        visit.send(whole())
        return
    data = visit.server.bomb()
    lines = ("Location: /c.jpg", "Content-Encoding: gzip", f"Content-Length: {len(data)}")
    visit.send(head(*lines, status="302 Found") + data)


def _cookie(visit: Visit) -> None:
    """A redirect that marks the client."""
    while True:
        asked = visit.asked()
        lines = ("Set-Cookie: spy=1; Path=/",)
        if asked.path == "/c.jpg":
            visit.send(whole(*lines))
        else:
            visit.send(whole("Location: /c.jpg", *lines, status="302 Found", body=b""))


def _good(*lines: str) -> Behaviour:
    def behave(visit: Visit) -> None:
        asked = visit.asked()
        place = f"http://{PRIVATE}:{visit.server.canary_port}/a.jpg"
        visit.send(whole(*(line.format(canary=place) for line in lines), body=asked.picture))

    return behave


def _page(text: str) -> Callable[[Visit], None]:
    def behave(visit: Visit) -> None:
        visit.asked()
        place = f"http://{PRIVATE}:{visit.server.canary_port}/a.jpg"
        visit.send(whole("Content-Type: text/html", body=text.replace("CANARY", place).encode()))

    return behave


_BAD, _ADDRESS = Reason.BAD_REDIRECT, Reason.ADDRESS_REFUSED

# Spellings of the canary's address, and of others that lead to this machine.
_PRIVATE = {
    "as it is": "http://127.0.0.2:{canary}/",
    "with a name": "http://user:word@127.0.0.2:{canary}/",
    "behind a good name": "http://good.example@127.0.0.2:{canary}/",
    "behind a good name and port": "http://good.example:80@127.0.0.2:{canary}/",
    "behind a good name, escaped": "http://good.example%2f@127.0.0.2:{canary}/",
    "in decimal": "http://2130706434:{canary}/",
    "in hex": "http://0x7f000002:{canary}/",
    "in hex, in parts": "http://0x7f.0x0.0x0.0x2:{canary}/",
    "in octal": "http://0177.0.0.02:{canary}/",
    "short": "http://127.2:{canary}/",
    "mapped": "http://[::ffff:127.0.0.2]:{canary}/",
    "mapped in hex": "http://[::ffff:7f00:2]:{canary}/",
    "IPv6": "http://[::1]:{canary}/",
    "IPv6 at length": "http://[0:0:0:0:0:0:0:1]:{canary}/",
    "of nobody": "http://0.0.0.0:{canary}/",
    "of nobody, short": "http://0:{canary}/",
    "without a scheme": "//127.0.0.2:{canary}/",
    "with a dot": "http://127.0.0.2.:{canary}/",
    "by name": "http://private.example:{canary}/",
    "by name in capitals": "HTTP://PRIVATE.EXAMPLE:{canary}/",
    "by name with a dot": "http://private.example.:{canary}/",
    "by percent": "http://%31%32%37.0.0.2:{canary}/",
    "with a tab": "http://127.0\t.0.2:{canary}/",
    "with blanks before": "   http://127.0.0.2:{canary}/",
    "over TLS": "https://127.0.0.2:{canary}/",
}

_NOWHERE = {
    "nothing": "",
    "a file": "file:///etc/hostname",
    "FTP": "ftp://127.0.0.2:{canary}/a.jpg",
    "a script": "javascript:alert(1)",
    "data": "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
    "gopher": "gopher://127.0.0.2:{canary}/_GET",
    "a host without a name": "http:///a.jpg",
    "half an address": "http://[::1",
    "a port out of range": "http://127.0.0.2:99999/",
    "a port of letters": "http://127.0.0.2:http/",
    "backslashes": "http:\\\\127.0.0.2:{canary}\\",
    "one slash": "http:/127.0.0.2:{canary}/",
    "wide digits": "http://\uff11\uff12\uff17.\uff10.\uff10.\uff12:{canary}/",
    "circled digits": "http://①②⑦.⓪.⓪.②:{canary}/",
    "a very long place": "/" + "a" * 9000,
}

REDIRECTS = (
    Case("redirect in a circle", _loop, _BAD),
    Case("redirect to itself", to("/a.jpg"), _BAD),
    Case("five redirects", _chain(5)),
    Case("six redirects", _chain(6), _BAD),
    Case("slow redirects", _chain(5, pause=0.08), Reason.DEADLINE),
    Case("redirect without a place", _nowhere, _BAD),
    *(Case(f"redirect to {name}", to(place), _BAD) for name, place in _NOWHERE.items()),
    *(Case(f"private {name}", to(place), _ADDRESS) for name, place in _PRIVATE.items()),
    Case("redirect to a name too long", to("http://" + "a" * 300 + ".example/"), Reason.DNS),
    Case("private with two slashes more", to("////127.0.0.2:{canary}/"), _BAD),
    Case("private behind a backslash", to("http://{host}\\@127.0.0.2:{canary}/"), _BAD),
    Case("redirect to another port", to("http://127.0.0.1:{other}/"), Reason.PORT_REFUSED),
    Case("redirect by 300", to("/b.jpg", status="300 Choices"), Reason.UNEXPECTED_STATUS),
    Case("redirect by 304", to("/b.jpg", status="304 Same"), Reason.UNEXPECTED_STATUS),
    Case("redirect by 305", to("/b.jpg", status="305 Proxy"), Reason.UNEXPECTED_STATUS),
    Case("redirect by 201", to("/b.jpg", status="201 Made"), Reason.UNEXPECTED_STATUS),
    Case("redirect with a bomb", _bomb_then_good),
    Case("redirect with a cookie", _cookie),
    Case("picture with Refresh", _good("Refresh: 0; url={canary}")),
    Case("picture with Location", _good("Location: {canary}", "Content-Location: {canary}")),
    Case(
        "page with Refresh",
        _page('<meta http-equiv="refresh" content="0; url=CANARY">' + " " * 500),
        Reason.NOT_A_PICTURE,
    ),
)
