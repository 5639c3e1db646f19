"""Servers whose body is a bomb, a lie, no picture, or packed in a way that nobody asked for."""

import gzip
import zlib

from catalog.images.reasons import Reason
from tests.fault_server import PICTURE, Case, Visit, chunk, head, packed, whole
from tests.misbehaving_answers import first, raw

LIMIT = 20_000_000  # bytes, as FetchSettings has it
CHUNKED = head("Transfer-Encoding: chunked")
END = b"0\r\n\r\n"
GZIP = "Content-Encoding: gzip"
_PIECES = b"".join(chunk(PICTURE[start : start + 1000]) for start in range(0, len(PICTURE), 1000))


def _bomb(visit: Visit) -> None:
    visit.asked()
    visit.send(whole(GZIP, body=visit.server.bomb()))


def _chunked_bomb(visit: Visit) -> None:
    visit.asked()
    visit.send(head(GZIP, "Transfer-Encoding: chunked") + chunk(visit.server.bomb()) + END)


def _bomb_called_page(visit: Visit) -> None:
    visit.asked()
    lines = (GZIP, "Content-Type: text/html")
    visit.send(whole(*lines, status="404 Gone", body=visit.server.bomb()))


def _endless_chunks(visit: Visit) -> None:
    visit.asked()
    visit.send(CHUNKED + chunk(PICTURE))
    visit.flood(chunk(bytes(1 << 20)))


def _one_chunk_of_all(visit: Visit) -> None:
    """A size below nothing is, to the standard library, all that ever comes."""
    visit.asked()
    visit.send(CHUNKED + b"-1\r\n" + PICTURE)
    visit.flood(bytes(1 << 20))


def _endless_body(visit: Visit) -> None:
    visit.asked()
    visit.send(head("Connection: close") + PICTURE)
    visit.flood(bytes(1 << 20))


def _endless_page(visit: Visit) -> None:
    visit.asked()
    visit.send(head("Content-Type: text/html"))
    visit.flood(b"<p>" * 20_000)


def _one_byte_too_much(visit: Visit) -> None:
    visit.asked()
    visit.send(head("Connection: close") + PICTURE + bytes(LIMIT + 1 - len(PICTURE)))


def _just_so_much(visit: Visit) -> None:
    visit.asked()
    visit.send(head("Connection: close") + PICTURE + bytes(LIMIT - len(PICTURE)))


def _promised_too_much(visit: Visit) -> None:
    visit.asked()
    visit.send(whole(body=PICTURE + bytes(LIMIT + 1 - len(PICTURE))))


def _trailers(visit: Visit) -> None:
    visit.asked()
    visit.send(CHUNKED + _PIECES + b"0\r\n")
    visit.drip_pieces(b"X-More: " + b"y" * 8000 + b"\r\n")


def _extensions(visit: Visit) -> None:
    visit.asked()
    visit.send(CHUNKED)
    visit.drip_pieces(b"1;" + b"e" * 8000 + b"\r\n\xff\r\n")


def _endless_name(visit: Visit) -> None:
    """The name of a file in a gzip header has no end, and nothing is ever inflated."""
    visit.asked()
    visit.send(head(GZIP) + b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03")
    visit.flood(b"n" * (1 << 16), LIMIT + (1 << 20))


def _empty_blocks(visit: Visit) -> None:
    """Nor from blocks of nothing."""
    visit.asked()
    visit.send(head(GZIP) + b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")
    visit.flood(b"\x00\x00\x00\xff\xff" * 13_000, LIMIT + (1 << 20))


_PAGE = b"<!doctype html><title>Sorry</title>" + b" " * 600
_RAW = zlib.compressobj(wbits=-15)
_DEFLATED = _RAW.compress(PICTURE) + _RAW.flush()
_PACKED = packed(PICTURE)

_NO_PICTURE = {
    "page": whole("Content-Type: text/html", body=_PAGE),
    "page called JPEG": whole("Content-Type: image/jpeg", body=_PAGE),
    "JSON": whole("Content-Type: application/json", body=b'{"error": "gone"}'),
    "SVG": whole("Content-Type: image/svg+xml", body=b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "PostScript": whole("Content-Type: image/jpeg", body=b"%!PS-Adobe-3.0 EPSF-3.0\n" * 50),
    "PDF": whole(body=b"%PDF-1.7\n" * 100),
    "program": whole(body=b"\x7fELF\x02\x01\x01" + bytes(600)),
    "one byte": whole(body=b"\xff"),
    "zip": whole(body=b"PK\x03\x04" + bytes(600)),
    "page before the picture": whole(body=_PAGE + PICTURE),
    "gzip in gzip, called once": whole(GZIP, body=packed(packed(PICTURE))),
    "gzip not called so": whole(body=_PACKED),
}
_PACKED_WRONGLY = {
    "gzip twice": whole("Content-Encoding: gzip, gzip", body=packed(packed(PICTURE))),
    "gzip in two lines": whole(GZIP, GZIP, body=packed(packed(PICTURE))),
    "gzip that is none": whole(GZIP, body=PICTURE),
    "gzip of rubbish": whole(GZIP, body=_PACKED[:200] + bytes(500) + _PACKED[700:]),
    "gzip with a wrong sum": whole(GZIP, body=_PACKED[:-8] + bytes(8)),
    "gzip and rubbish": whole(GZIP, body=_PACKED + b"x" * 50),
    "gzip and much rubbish": whole(GZIP, body=_PACKED + b"x" * 200_000),
    "two gzips": whole(GZIP, body=packed(PICTURE[:3000]) + packed(PICTURE[3000:])),
    "deflate": whole("Content-Encoding: deflate", body=zlib.compress(PICTURE)),
    "raw deflate": whole("Content-Encoding: deflate", body=_DEFLATED),
    "Brotli": whole("Content-Encoding: br", body=PICTURE),
    "Zstandard": whole("Content-Encoding: zstd", body=b"\x28\xb5\x2f\xfd" + PICTURE),
    "encoding nobody knows": whole("Content-Encoding: rot13", body=PICTURE),
    "encoding with escape codes": whole("Content-Encoding: \x1b[31m", body=PICTURE),
}
_CUT = {
    "length too long": head(f"Content-Length: {len(PICTURE) + 1}") + PICTURE,
    "no last chunk": CHUNKED + _PIECES,
    "chunk that is cut": CHUNKED + _PIECES[:-300],
    "chunk of 2**60": CHUNKED + chunk(PICTURE, "1000000000000000"),
    "gzip that is cut": whole(GZIP, body=_PACKED[:-20]),
    "gzip without its sum": whole(GZIP, body=_PACKED[:-8]),
    "gzip, only its header": whole(GZIP, body=_PACKED[:10]),
}
_BAD_CHUNKS = {
    "chunk of letters": CHUNKED + chunk(PICTURE, "zz"),
    "chunk without a size": CHUNKED + chunk(PICTURE, ""),
    "chunk below nothing": CHUNKED + chunk(PICTURE, "-5"),
    "chunk with a sign": CHUNKED + chunk(PICTURE, f"+{len(PICTURE):x}") + END,
    "chunk with 0x": CHUNKED + chunk(PICTURE, f"0x{len(PICTURE):x}") + END,
    "chunk with an underscore": CHUNKED + chunk(PICTURE, f"0_{len(PICTURE):x}") + END,
    "chunk of 5,000 digits": CHUNKED + chunk(PICTURE, "0" * 5000),
}
_GOOD = {
    "chunks": CHUNKED + _PIECES + END,
    "chunks in capitals": CHUNKED + _PIECES.replace(b"3e8", b"3E8") + END,
    "chunks and a length": head("Transfer-Encoding: chunked", "Content-Length: 5") + _PIECES + END,
    "chunk with an extension": CHUNKED + _PIECES.replace(b"3e8", b"3e8;a=b") + END,
    "chunks and a trailer": CHUNKED + _PIECES + b"0\r\nX-Sum: 1\r\n\r\n",
    "gzip": whole(GZIP, body=_PACKED),
    "x-gzip": whole("Content-Encoding: X-GZip", body=_PACKED),
    "identity": whole("Content-Encoding: identity"),
    "negative length": head("Content-Length: -5", "Connection: close") + PICTURE,
    "length of letters": head("Content-Length: many", "Connection: close") + PICTURE,
    "length of 5,000 digits": head("Content-Length: " + "9" * 5000) + PICTURE,
}

BODIES = (
    *(
        Case(f"{name}, no picture", raw(data), Reason.NOT_A_PICTURE)
        for name, data in _NO_PICTURE.items()
    ),
    *(Case(name, raw(data), Reason.BAD_ENCODING) for name, data in _PACKED_WRONGLY.items()),
    *(Case(name, raw(data), Reason.TRUNCATED) for name, data in _CUT.items()),
    *(Case(name, raw(data), Reason.PROTOCOL) for name, data in _BAD_CHUNKS.items()),
    *(Case(name, raw(data)) for name, data in _GOOD.items()),
    Case("cut once, then good", first(1, _CUT["length too long"])),
    Case("empty", raw(whole(body=b"")), Reason.EMPTY),
    Case("empty chunks", raw(CHUNKED + END), Reason.EMPTY),
    Case("empty gzip", raw(whole(GZIP, body=gzip.compress(b""))), Reason.EMPTY),
    Case("length of 10**18", raw(head("Content-Length: 1" + "0" * 18) + PICTURE), Reason.TOO_LARGE),
    Case("one byte too much promised", _promised_too_much, Reason.TOO_LARGE),
    Case("one byte too much", _one_byte_too_much, Reason.TOO_LARGE),
    Case("body without end", _endless_body, Reason.TOO_LARGE),
    Case("page without end", _endless_page, Reason.NOT_A_PICTURE),
    Case("chunks without end", _endless_chunks, Reason.TOO_LARGE),
    Case("chunk of -1", _one_chunk_of_all, Reason.PROTOCOL),
    Case("trailers without end", _trailers, Reason.PROTOCOL),
    Case("extensions without end", _extensions, Reason.PROTOCOL),
    Case("gzip bomb", _bomb, Reason.TOO_LARGE),
    Case("gzip bomb in chunks", _chunked_bomb, Reason.TOO_LARGE),
    Case("gzip bomb with 404", _bomb_called_page, Reason.NOT_FOUND),
    Case("gzip that gives nothing", _endless_name, Reason.TOO_LARGE),
    Case("gzip of empty blocks", _empty_blocks, Reason.TOO_LARGE),
)
