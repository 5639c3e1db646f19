"""Servers whose status or header is strange, hostile or endless."""

import time
from email.utils import formatdate

from catalog.images.reasons import Reason
from tests.fault_server import PICTURE, Behaviour, Case, Visit, head, whole

SECOND_TIME = ("/a.jpg", "/a.jpg")


def raw(data: bytes) -> Behaviour:
    """Answer every request of a connection with these very bytes, then close."""

    def behave(visit: Visit) -> None:
        visit.asked()
        visit.send(data)

    return behave


def status(line: str, *lines: str) -> Behaviour:
    """A picture in the body makes no difference."""
    return raw(whole(*lines, status=line))


def _endless_headers(visit: Visit) -> None:
    visit.asked()
    visit.send(b"HTTP/1.1 200 OK\r\n")
    visit.drip_pieces(b"X-More: " + b"y" * 8000 + b"\r\n")


def _endless_continue(visit: Visit) -> None:
    visit.asked()
    visit.drip_pieces(b"HTTP/1.1 100 Continue\r\n\r\n" * 400)


def _endless_line(visit: Visit) -> None:
    visit.asked()
    visit.send(b"HTTP/1.1 200 OK\r\nX-More: ")
    visit.flood(b"y" * 65536, 2_000_000)


def first(times: int, trouble: bytes, then: bytes | None = None) -> Behaviour:
    """Trouble so many times, then the picture."""

    def behave(visit: Visit) -> None:
        visit.asked()
        visit.send(trouble if visit.number <= times else then or whole())

    return behave


def _known(*lines: str) -> Behaviour:
    """A picture with marks to know it by; 304 to whom they are shown."""

    def behave(visit: Visit) -> None:
        while True:
            headers = visit.asked().headers
            asked_with = "if-none-match" in headers or "if-modified-since" in headers
            visit.send(head(status="304 Same") if asked_with else whole(*lines))

    return behave


def _same_with_body(visit: Visit) -> None:
    """304 with a body, which must not be read."""
    if "if-none-match" not in visit.asked().headers:
        visit.send(whole('ETag: "one"'))
        return
    visit.send(head("Transfer-Encoding: chunked", status="304 Same"))
    visit.flood(b"100000\r\n" + bytes(1 << 20) + b"\r\n")


def _late_date(visit: Visit) -> None:
    visit.asked()
    date = formatdate(time.time() + 2, usegmt=True)
    visit.send(whole() if visit.number > 1 else whole(f"Retry-After: {date}", status="429 Slow"))


_STATUS = {
    "100 Continue, and no more": (head(status="100 Continue"), Reason.CONNECTION),
    "101 Switching": (head("Upgrade: h2c", status="101 Switch"), Reason.UNEXPECTED_STATUS),
    "102 Processing": (head(status="102 Processing"), Reason.UNEXPECTED_STATUS),
}
_LINES = {
    Reason.UNEXPECTED_STATUS: (201, 202, 203, 204, 205, 206, 226, 300, 304, 306, 600, 799, 999),
    Reason.CLIENT_ERROR: (400, 402, 405, 406, 409, 411, 412, 413, 414, 416, 417, 418, 421, 425),
    Reason.FORBIDDEN: (401, 403, 407, 451),
    Reason.NOT_FOUND: (404, 410),
    Reason.TIMEOUT: (408,),
    Reason.RATE_LIMITED: (429,),
    Reason.SERVER_ERROR: (500, 501, 502, 503, 504, 505, 520, 530, 599),
}
_NOT_HTTP = {
    "status 000": b"HTTP/1.1 000 None\r\n\r\n" + PICTURE,
    "status 99": b"HTTP/1.1 99 Low\r\n\r\n" + PICTURE,
    "status 1000": b"HTTP/1.1 1000 High\r\n\r\n" + PICTURE,
    "status -200": b"HTTP/1.1 -200 OK\r\n\r\n" + PICTURE,
    "status of letters": b"HTTP/1.1 2OO OK\r\n\r\n" + PICTURE,
    "status missing": b"HTTP/1.1\r\n\r\n" + PICTURE,
    "small letters": b"http/1.1 200 ok\r\n\r\n" + PICTURE,
    "HTTP/0.9": PICTURE,
    "HTTP/2 preface": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64" + bytes(50),
    "HTTP/2.0 in text": b"HTTP/2.0 200 OK\r\n\r\n" + PICTURE,
    "ICY": b"ICY 200 OK\r\n\r\n" + PICTURE,
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "SMTP": b"220 mail.example ESMTP\r\n",
    "zeros": bytes(3000),
    "blank lines first": b"\r\n\r\n\r\n" + whole(),
    "long status line": b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n" + PICTURE,
    "long header line": head("X: " + "x" * 70_000) + PICTURE,
    "header of 360 kB": head(*[f"X-{n}: {'x' * 6000}" for n in range(60)]) + PICTURE,
    "150 headers": head(*[f"X-{n}: x" for n in range(150)]) + PICTURE,
    "ETag of a megabyte": whole('ETag: "' + "e" * 1_000_000 + '"'),
    "two lengths": head("Content-Length: 5", "Content-Length: 6") + PICTURE,
    "two lengths in a line": head("Content-Length: 5, 6") + PICTURE,
}
# The picture is had in spite of them.
_HARMLESS = {
    "no reason phrase": whole(status="200"),
    "long reason phrase": whole(status="200 " + "x" * 6000),
    "Unicode in the reason phrase": whole(status="200 \u00d0\u009e\u00d0\u009a"),
    "line ends of Unix": whole().replace(b"\r\n", b"\n", 2),
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + PICTURE,
    "no header": b"HTTP/1.1 200 OK\r\n\r\n" + PICTURE,
    "header without a colon": head("nonsense", "X: y") + PICTURE,
    "NUL in a header": whole("X-Nul: a\x00b"),
    "escape codes in a header": whole("X-Red: \x1b[31m\x07"),
    "header in Latin-1": whole("X-Name: caf\u00e9"),
    "header folded": whole("X-Long: a\r\n b\r\n\tc"),
    "header without a name": whole(": x"),
    "Link to preload": whole("Link: <http://127.0.0.2/a.css>; rel=preload"),
    "Alt-Svc elsewhere": whole('Alt-Svc: h2="127.0.0.2:443"'),
    "Strict-Transport-Security": whole("Strict-Transport-Security: max-age=99999999"),
    "same length twice": whole(f"Content-Length: {len(PICTURE)}"),
    "picture called text": whole("Content-Type: text/html; charset=utf-8"),
    "cookies without number": whole(*[f"Set-Cookie: c{n}={'x' * 400}" for n in range(90)]),
    "cookie of 60 kB": whole("Set-Cookie: c=" + "x" * 60_000),
    "cookie with a long date": whole("Set-Cookie: c=1; expires=" + "1 " * 15_000),
    "robots: noindex": whole("X-Robots-Tag: noindex, nofollow"),
    "asked to stay open long": whole("Keep-Alive: timeout=999999, max=999999999"),
}
_NO_MACHINES = ("noai", "NoAI", "noindex,noimageai", " noimageai ", "somebot: noai", "all, noai")

_AFTER = {
    "for ages": ("1000000000", Reason.RATE_LIMITED),
    "for ever": ("inf", Reason.RATE_LIMITED),
    "until 2999": ("Fri, 01 Jan 2999 00:00:00 GMT", Reason.RATE_LIMITED),
    "for a minute": ("60", Reason.RATE_LIMITED),
    "negative": ("-5", None),
    "not a number": ("nan", None),
    "nonsense": ("soon \x7f\u00ff", None),
    "long ago": ("Fri, 01 Jan 1999 00:00:00 GMT", None),
    "empty": ("", None),
    "zero": ("0", None),
}

ANSWERS = (
    *(
        Case(f"status {code}", status(f"{code} Strange"), reason)
        for reason, codes in _LINES.items()
        for code in codes
        if code not in {204, 304}
    ),
    *(
        Case(f"status {code}", raw(head(status=f"{code} Empty")), Reason.UNEXPECTED_STATUS)
        for code in (204, 304)
    ),
    *(Case(name, raw(data), reason) for name, (data, reason) in _STATUS.items()),
    *(Case(name, raw(data), Reason.PROTOCOL) for name, data in _NOT_HTTP.items()),
    *(Case(name, raw(data), paths=SECOND_TIME) for name, data in _HARMLESS.items()),
    Case("endless headers", _endless_headers, Reason.PROTOCOL),
    Case("endless 100 Continue", _endless_continue, Reason.PROTOCOL),
    Case("endless header line", _endless_line, Reason.PROTOCOL),
    *(
        Case(f"no machines: {rule}", raw(whole(f"X-Robots-Tag: {rule}")), Reason.OPTED_OUT)
        for rule in _NO_MACHINES
    ),
    Case(
        "no machines, second line",
        raw(whole("X-Robots-Tag: noindex", "X-Robots-Tag: noai")),
        Reason.OPTED_OUT,
    ),
    *(
        Case(f"429 {name}", first(1, whole(f"Retry-After: {after}", status="429 Slow")), reason)
        for name, (after, reason) in _AFTER.items()
    ),
    Case("503 for a minute", status("503 Busy", "Retry-After: 60"), Reason.SERVER_ERROR),
    Case("429 for a second, then good", first(1, whole("Retry-After: 1", status="429 Slow"))),
    Case("429 until a date, then good", _late_date),
    Case("503 twice, then good", first(2, whole(status="503 Busy"))),
    Case("408, then good", first(1, whole(status="408 Late"))),
    Case("known by its ETag", _known('ETag: "one"'), "unchanged", paths=SECOND_TIME),
    Case("known by a weak ETag", _known('ETag: W/"one"'), "unchanged", paths=SECOND_TIME),
    Case(
        "known by its date",
        _known("Last-Modified: Fri, 01 Jan 1999 00:00:00 GMT"),
        "unchanged",
        paths=SECOND_TIME,
    ),
    Case("known, with a body", _same_with_body, "unchanged", paths=SECOND_TIME),
    Case("ETag that is folded", _known('ETag: "a"\r\n b\r\n\tc'), "unchanged", paths=SECOND_TIME),
    Case("ETag with a CR", _known('ETag: "a"\rX-Evil: 1'), "unchanged", paths=SECOND_TIME),
    Case("ETag with a NUL", _known('ETag: "\x00"'), paths=SECOND_TIME),
    Case("ETag of blanks", _known("ETag: \u00a0\x0b"), paths=SECOND_TIME),
    Case("ETag in Latin-1", _known('ETag: "caf\u00e9"'), paths=SECOND_TIME),
    Case("ETag of 2 kB", _known('ETag: "' + "e" * 2000 + '"'), paths=SECOND_TIME),
    Case("date with escape codes", _known("Last-Modified: \x1b[31m"), paths=SECOND_TIME),
)
