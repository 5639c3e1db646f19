"""The body of an answer, inflated within bounds."""

import tempfile
import zlib
from collections.abc import Iterator
from typing import Protocol

from catalog.images.formats import HEAD, sniff
from catalog.images.guard import Missed
from catalog.images.reasons import Reason

CHUNK = 64 * 1024
LARGE = 1024 * 1024  # bytes: few pictures of products are larger, and those go through a file


class Source(Protocol):
    """Where the bytes come from, as they were sent."""

    def read(self, amt: int, decode_content: bool) -> bytes:
        """Up to `amt` bytes; none at the end."""


def read_body(source: Source, encoding: str, most: int) -> bytes:
    """The whole body, if it is a picture of at most `most` bytes; raises Missed otherwise.

    `encoding` is the Content-Encoding: identity or gzip, as nothing else was asked for.
    """
    parts = _parts(source, most)
    if encoding in {"gzip", "x-gzip"}:
        parts = _inflated(parts)
    elif encoding not in {"", "identity"}:
        raise Missed(Reason.BAD_ENCODING)
    try:
        data = _collected(parts, most)
    except OSError:  # of the file, as the network's are wrapped
        raise Missed(Reason.OUT_OF_MEMORY) from None
    if not data:
        raise Missed(Reason.EMPTY)
    if sniff(data[:HEAD]) is None:
        raise Missed(Reason.NOT_A_PICTURE)
    return data


def _collected(parts: Iterator[bytes], most: int) -> bytes:
    """All parts; kept in a file without a name while they come, when they are many.

    A server may take long over the rest of a large body, and 64 of them would fill a gigabyte.
    """
    head = b""
    with tempfile.SpooledTemporaryFile(LARGE) as body:
        for part in parts:
            if len(head) < HEAD:
                head += part[:HEAD]
                _check_head(head)
            if body.tell() + len(part) > most:
                raise Missed(Reason.TOO_LARGE)
            body.write(part)
        size = body.tell()
        body.seek(0)
        return body.read(size)


def _check_head(head: bytes) -> None:
    """Stop at the first bytes when they settle that this is no picture."""
    if len(head) >= HEAD and sniff(head) is None:
        raise Missed(Reason.NOT_A_PICTURE)


def _parts(source: Source, most: int) -> Iterator[bytes]:
    """What was sent, counted too: gzip can be fed for ever without giving anything out."""
    sent = 0
    while part := source.read(CHUNK, decode_content=False):
        sent += len(part)
        if sent > most:
            raise Missed(Reason.TOO_LARGE)
        yield part


def _inflated(parts: Iterator[bytes]) -> Iterator[bytes]:
    """What one gzip stream holds, never more than CHUNK bytes at a time."""
    inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        for part in parts:
            if inflate.eof:
                raise Missed(Reason.BAD_ENCODING)
            inflated = inflate.decompress(part, CHUNK)
            while inflated:
                yield inflated
                inflated = inflate.decompress(inflate.unconsumed_tail, CHUNK)
    except zlib.error:
        raise Missed(Reason.BAD_ENCODING) from None
    if not inflate.eof:
        raise Missed(Reason.TRUNCATED)
    if inflate.unused_data:  # a second stream, or rubbish: part of it may be the picture
        raise Missed(Reason.BAD_ENCODING)
