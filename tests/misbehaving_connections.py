"""Servers whose connections break, hang, drip or say more than they were asked."""

from catalog.images.reasons import Reason
from tests.fault_server import PICTURE, PUBLIC, Case, Visit, head, whole


def nothing(visit: Visit) -> None:
    """Close at once."""


def silence(visit: Visit) -> None:
    """Take the request, or not even that, and say nothing."""
    visit.pause(visit.server.stamina)


def _closes_after_request(visit: Visit) -> None:
    visit.asked()


def _resets_at_once(visit: Visit) -> None:
    visit.reset()


def _resets_after_request(visit: Visit) -> None:
    visit.asked()
    visit.reset()


def _resets_in_header(visit: Visit) -> None:
    visit.asked()
    visit.send(b"HTTP/1.1 200 OK\r\nContent-")
    visit.pause(0.02)
    visit.reset()


def _resets_in_body(visit: Visit) -> None:
    visit.asked()
    visit.send(whole()[:-500])
    visit.pause(0.02)
    visit.reset()


def _resets_after_body(visit: Visit) -> None:
    visit.asked()
    visit.send(whole())
    visit.pause(0.1)
    visit.reset()


def _closes_in_header(visit: Visit) -> None:
    visit.asked()
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5")


def _closes_after_header(visit: Visit) -> None:
    visit.asked()
    visit.send(head(f"Content-Length: {len(PICTURE)}"))


def _stops_in_body(visit: Visit) -> None:
    visit.asked()
    visit.send(whole()[:-500])
    visit.pause(visit.server.stamina)


def _drips_status(visit: Visit) -> None:
    visit.asked()
    visit.drip(head("X: " + "y" * 900))


def _drips_headers(visit: Visit) -> None:
    visit.asked()
    visit.send(b"HTTP/1.1 200 OK\r\n")
    visit.drip(b"X: y\r\n")


def _drips_body(visit: Visit) -> None:
    visit.asked()
    visit.send(head("Content-Length: 1000000"))
    visit.drip(PICTURE)


def _drips_without_length(visit: Visit) -> None:
    visit.asked()
    visit.send(head("Connection: close") + PICTURE)
    visit.drip(b"\x00")


def _drips_after_a_megabyte(visit: Visit) -> None:
    visit.asked()
    visit.send(head("Connection: close") + PICTURE + bytes(1_200_000))
    visit.drip(b"\x00")


def _drips_chunk_size(visit: Visit) -> None:
    visit.asked()
    visit.send(head("Transfer-Encoding: chunked"))
    visit.drip(b"0")


def _drips_chunks(visit: Visit) -> None:
    visit.asked()
    visit.send(head("Transfer-Encoding: chunked"))
    visit.drip(b"1\r\n\xff\r\n")


def _drips_on_every_try(visit: Visit) -> None:
    """Just fast enough for each read, and then it breaks off."""
    visit.asked()
    visit.send(head("Content-Length: 100000") + PICTURE)
    visit.pause(0.5)
    visit.send(b"x")
    visit.pause(0.6)


def _closes_when_kept(visit: Visit) -> None:
    """Close a connection that was to be kept, without a word."""
    visit.send(whole(body=visit.asked().picture))


def _closes_at_second_request(visit: Visit) -> None:
    """Take the second request of a connection, and close."""
    visit.send(whole(body=visit.asked().picture))
    visit.asked()


def _answers_twice(visit: Visit) -> None:
    """A second answer that nobody asked for, right behind the first."""
    visit.send(whole(body=visit.asked().picture) + whole(body=b"GIF89a" + bytes(600)))
    visit.send(whole(body=visit.asked().picture))


def _answers_twice_at_length(visit: Visit) -> None:
    """The same, and too much of it for the buffer that the first is read through."""
    visit.send(whole(body=visit.asked().picture))
    visit.flood(whole(body=b"GIF89a" + bytes(50_000)), 200_000)
    visit.send(whole(body=visit.asked().picture))


def _rubbish_behind_the_body(visit: Visit) -> None:
    visit.send(whole(body=visit.asked().picture) + b"\r\n\x00HTTP/1.1 200\r\nGIF89a" * 3000)
    visit.send(whole(body=visit.asked().picture))


def _says_early_hints(visit: Visit) -> None:
    """103 and then the true answer, which must not become the next one's."""
    visit.asked()
    visit.send(head("Link: </a.css>", status="103 Early Hints"))
    visit.send(whole(body=b"GIF89a" + bytes(600)))
    visit.asked()
    visit.send(whole())


def _good(visit: Visit) -> None:
    visit.send(whole(body=visit.asked().picture))


def _tls_rubbish(visit: Visit) -> None:
    visit.socket.recv(65536)
    visit.send(b"\x16\x03\x03\xff\xff" + bytes(70_000))


def _plain_text(visit: Visit) -> None:
    visit.socket.recv(65536)
    visit.send(whole())


def _rebinds(visit: Visit) -> None:
    """The public answer of a name whose next answer is private."""
    visit.asked()
    visit.reset()


_TWO = ("/a.jpg", "/b.jpg")
_C, _T, _D = Reason.CONNECTION, Reason.TIMEOUT, Reason.DEADLINE

CONNECTIONS = (
    Case("good, as a control", _good, paths=_TWO),
    Case("closes at once", nothing, _C),
    Case("closes after the request", _closes_after_request, _C),
    Case("closes in the header", _closes_in_header, Reason.TRUNCATED),
    Case("closes after the header", _closes_after_header, Reason.TRUNCATED),
    Case("resets at once", _resets_at_once, _C),
    Case("resets after the request", _resets_after_request, _C),
    Case("resets in the header", _resets_in_header, _C),
    Case("resets in the body", _resets_in_body, Reason.TRUNCATED),
    Case("resets after the body", _resets_after_body),
    Case("says nothing", silence, _T),
    Case("stops in the body", _stops_in_body, _T),
    Case("drips the status", _drips_status, _D),
    Case("drips headers", _drips_headers, _D),
    Case("drips the body", _drips_body, _D),
    Case("drips without a length", _drips_without_length, _D),
    Case("drips after a megabyte", _drips_after_a_megabyte, _D),
    Case("drips a chunk's size", _drips_chunk_size, _D),
    Case("drips chunks", _drips_chunks, _D),
    Case("slow on every try", _drips_on_every_try, _D),
    Case("closes what it keeps", _closes_when_kept, paths=_TWO),
    Case("closes at the second request", _closes_at_second_request, paths=_TWO),
    Case("answers twice", _answers_twice, paths=_TWO),
    Case("answers twice at length", _answers_twice_at_length, paths=_TWO),
    Case("rubbish behind the body", _rubbish_behind_the_body, paths=_TWO),
    Case("early hints", _says_early_hints, Reason.UNEXPECTED_STATUS),
    Case("TLS that hangs", silence, _T, url="https://{host}"),
    Case("TLS that closes", nothing, Reason.TLS, url="https://{host}"),
    Case("TLS of rubbish", _tls_rubbish, Reason.TLS, url="https://{host}"),
    Case("plain text for TLS", _plain_text, Reason.TLS, url="https://{host}"),
    Case("certificate nobody signed", _good, Reason.TLS, url="https://{host}", tls=True),
    Case("name without an address", nothing, Reason.DNS, "http://nothing.example:{canary}"),
    Case("name with no answers", nothing, Reason.DNS, "http://empty.example:{canary}"),
    Case("name server that hangs", nothing, Reason.DNS, "http://silent.example:{canary}"),
    Case(
        "name with a private address",
        nothing,
        Reason.ADDRESS_REFUSED,
        "http://private.example:{canary}",
    ),
    Case(
        "name with a mapped address",
        nothing,
        Reason.ADDRESS_REFUSED,
        "http://mapped.example:{canary}",
    ),
    Case("name with both", nothing, Reason.ADDRESS_REFUSED, "http://mixed.example:{canary}"),
    Case(
        "name that changes its address",
        _rebinds,
        Reason.ADDRESS_REFUSED,
        "http://rebinds.example:{canary}",
        address=PUBLIC,
    ),
)
