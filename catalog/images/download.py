"""One try at a URL: hop by hop, each checked, to the bytes of a picture."""

import email.utils
import http.client
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote, urljoin, urlsplit

import requests
import urllib3
from urllib3.response import BaseHTTPResponse

from catalog.images.asking import Answer, Budget, Known
from catalog.images.body import read_body
from catalog.images.connections import GuardedAdapter, keeping_to
from catalog.images.deadline import Exchange, Watch
from catalog.images.guard import Guard, Missed
from catalog.images.hosts import Hosts
from catalog.images.reasons import Reason
from catalog.images.settings import FetchSettings, plain_host

_log = logging.getLogger(__name__)

LONGEST_URL = 8000
LONGEST_TAG = 1024  # characters of an ETag worth remembering
PORTS = {"http": 80, "https": 443}

_ASCII = "".join(map(chr, range(128)))

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REASONS = {
    401: Reason.FORBIDDEN,
    403: Reason.FORBIDDEN,
    404: Reason.NOT_FOUND,
    407: Reason.FORBIDDEN,
    408: Reason.TIMEOUT,
    410: Reason.NOT_FOUND,
    429: Reason.RATE_LIMITED,
    451: Reason.FORBIDDEN,
}


class Downloader:
    """Guarded downloads, with the limits of each host. Thread-safe."""

    def __init__(self, settings: FetchSettings) -> None:
        self._settings = settings
        self._guard = Guard(settings.allow_hosts)
        self._hosts = Hosts(settings)
        self._watch = Watch()
        self._adapter = GuardedAdapter(settings.per_host)
        self._proxies = dict.fromkeys(PORTS, settings.proxy) if settings.proxy else {}
        self._headers = {
            "User-Agent": settings.agent,
            "Accept": "image/jpeg,image/png,image/*;q=0.8,*/*;q=0.5",
            "Accept-Encoding": "identity, gzip;q=0.5",
        }

    def close(self) -> None:
        """Drop every connection, also those in use."""
        self._watch.close()
        self._hosts.close()
        self._adapter.close()

    def download(self, url: str, known: Known, budget: Budget) -> Answer:
        """The picture at `url`, following redirects by hand; raises Missed."""
        etag, last_modified = _short(known.etag), _short(known.last_modified)
        known = replace(known, etag=etag, last_modified=last_modified)
        where = url
        for _ in range(self._settings.max_redirects + 1):
            request = self._prepare(where, known)
            if request is None:
                raise Missed(Reason.BAD_URL if where == url else Reason.BAD_REDIRECT)
            step = self._ask(request, known, budget)
            if isinstance(step, Answer):
                return step
            where = step
        raise Missed(Reason.BAD_REDIRECT)

    def _prepare(self, url: str, known: Known) -> requests.PreparedRequest | None:
        """The request for a URL; None if it is not one that can be asked."""
        headers = dict(self._headers)
        if known.etag:
            headers["If-None-Match"] = known.etag
        if known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
        try:
            if len(url) > LONGEST_URL or urlsplit(url).scheme.lower() not in PORTS:
                return None
            request = requests.Request("GET", url, headers=headers).prepare()
            urlsplit(request.url or "").port  # noqa: B018 - raises for a bad one
        except ValueError:  # so are all of requests' and urllib3's complaints about a URL
            return None
        return request

    def _ask(self, request: requests.PreparedRequest, known: Known, budget: Budget) -> Answer | str:
        """One hop: the answer, or the URL that it points to."""
        assert request.url is not None  # noqa: S101 - it was prepared
        parts = urlsplit(request.url)
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        self._guard.check(host, port)
        name = f"{plain_host(host)}:{port}"
        if budget.left <= 0:  # after a redirect: this host was not asked
            raise Missed(Reason.DEADLINE)
        with self._hosts.slot(name, budget), self._exchange(budget) as exchange:
            response = self._adapter.send(
                request,
                stream=True,
                timeout=(
                    min(self._settings.connect_timeout, exchange.left),
                    min(self._settings.read_timeout, exchange.left),
                ),
                proxies=self._proxies,
            )
            try:
                step = self._read(request.url, response.raw, known)
                # A connection that was cut looks like the end of a body without a length.
                if exchange.cut:
                    raise Missed(Reason.DEADLINE)
                return step
            finally:
                response.raw.close()  # a connection whose answer was read to its end is kept

    @contextmanager
    def _exchange(self, budget: Budget) -> Iterator[Exchange]:
        """Time on the network: taken off the budget, ended by force, its errors made reasons."""
        started = time.monotonic()
        guard = None if self._proxies else self._guard
        most = self._settings.max_header_bytes
        with (
            self._watch.exchange(started + budget.left) as exchange,
            keeping_to(exchange, guard, most),
        ):
            if exchange.cut:  # the fetcher was closed: nobody is asked any more
                raise Missed(Reason.DEADLINE)
            try:
                yield exchange
            except Missed:
                if exchange.cut:
                    raise Missed(Reason.DEADLINE) from None
                raise
            except Exception as err:  # requests, urllib3, http.client and ssl share no parent
                if exchange.overdue:
                    raise Missed(Reason.DEADLINE) from err
                raise Missed(_reason_of(err)) from err
            finally:
                budget.spend(started)

    def _read(self, url: str, raw: BaseHTTPResponse, known: Known) -> Answer | str:
        status, headers = raw.status, raw.headers
        if status in REDIRECTS:
            return _target(url, headers.get("Location"), status)
        if status not in {200, 304} or (status == 304 and not (known.etag or known.last_modified)):
            raise Missed(_reason_of_status(status), status, _seconds(headers.get("Retry-After")))
        if _opted_out(headers.get("X-Robots-Tag", "")):
            raise Missed(Reason.OPTED_OUT, status)
        etag = _short(headers.get("ETag"))
        last_modified = _short(headers.get("Last-Modified"))
        if status == 304:
            # Nothing, but it frees the connection; a 304 that has a body all the same is not read.
            raw.read(1, decode_content=False)
            return Answer(None, status, etag or known.etag, last_modified or known.last_modified)
        return Answer(self._body(raw), status, etag, last_modified)

    def _body(self, raw: BaseHTTPResponse) -> bytes:
        most = self._settings.max_bytes
        if (raw.length_remaining or 0) > most:  # what its Content-Length promises
            raise Missed(Reason.TOO_LARGE, raw.status)
        try:
            encoding = raw.headers.get("Content-Encoding", "").strip().lower()
            return read_body(raw, encoding, most)
        except Missed as err:
            raise Missed(err.reason, raw.status) from None


def _target(url: str, location: str | None, status: int) -> str:
    """Where a redirect points to."""
    if not location:
        raise Missed(Reason.BAD_REDIRECT, status)
    try:
        return urljoin(url, _text(location))
    except ValueError:
        raise Missed(Reason.BAD_REDIRECT, status) from None


def _text(location: str) -> str:
    """What a Location says: http.client reads headers as Latin-1, browsers take them for UTF-8."""
    raw = location.encode("latin-1", "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return quote(raw, safe=_ASCII)  # passed on byte by byte


def _reason_of_status(status: int) -> Reason:
    if status in _REASONS:
        return _REASONS[status]
    if 400 <= status < 500:
        return Reason.CLIENT_ERROR
    if 500 <= status < 600:
        return Reason.SERVER_ERROR
    return Reason.UNEXPECTED_STATUS


def _seconds(retry_after: str | None) -> float | None:
    """What a Retry-After asks for, be it seconds or a date; None for nonsense."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        pass
    else:
        return seconds if seconds >= 0 else None  # nan is not
    try:
        when = email.utils.parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _opted_out(robots: str) -> bool:
    """Whether X-Robots-Tag asks machines that learn to leave, whichever of them it names."""
    rules = robots.replace(":", ",").split(",")
    return any(rule.strip().lower() in {"noai", "noimageai"} for rule in rules)


def _short(header: str | None) -> str | None:
    """A header that can be sent back later: not long, and plain ASCII."""
    if not header or len(header) > LONGEST_TAG or not header.isascii():
        return None
    return header if header.isprintable() and header == header.strip() else None


def _reason_of(err: Exception) -> Reason:
    """The reason for what requests, urllib3, ssl and the standard library raise."""
    causes = list(_causes(err))
    for kinds, reason in _RAISED:
        if any(isinstance(cause, kinds) for cause in causes):
            return reason
    _log.debug("taken for a broken protocol", exc_info=err)
    return Reason.PROTOCOL


# The first that fits the error or anything it stems from.
_RAISED: tuple[tuple[tuple[type[Exception], ...], Reason], ...] = (
    ((requests.exceptions.InvalidURL, urllib3.exceptions.LocationValueError), Reason.BAD_URL),
    ((requests.exceptions.SSLError, urllib3.exceptions.SSLError), Reason.TLS),
    (
        (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError),
        Reason.TIMEOUT,
    ),
    ((http.client.RemoteDisconnected,), Reason.CONNECTION),
    ((urllib3.exceptions.InvalidChunkLength,), Reason.PROTOCOL),
    ((http.client.IncompleteRead, urllib3.exceptions.IncompleteRead), Reason.TRUNCATED),
    (
        (
            http.client.HTTPException,
            urllib3.exceptions.InvalidHeader,
            requests.exceptions.InvalidHeader,
        ),
        Reason.PROTOCOL,
    ),
    ((requests.exceptions.ConnectionError,), Reason.CONNECTION),
    # The connection broke while the body was read.
    ((ConnectionError, urllib3.exceptions.ProtocolError), Reason.TRUNCATED),
)


def _causes(err: BaseException) -> Iterator[BaseException]:
    """An error, and all that it carries or stems from."""
    yield err
    inner = [*err.args, getattr(err, "reason", None), err.__cause__]
    for cause in inner:
        if isinstance(cause, BaseException):
            yield from _causes(cause)
