"""Why a picture could not be had or read: a closed list, never a server's or a library's text."""

from enum import StrEnum

HOUR = 3600
DAY = 24 * HOUR


class Reason(StrEnum):
    """Every way in which a picture fails."""

    # Never asked for.
    BAD_URL = "bad_url"
    PORT_REFUSED = "port_refused"
    ADDRESS_REFUSED = "address_refused"
    HOST_DOWN = "host_down"
    # The way to the server.
    DNS = "dns"
    CONNECTION = "connection"
    TLS = "tls"
    TIMEOUT = "timeout"
    DEADLINE = "deadline"
    # What the server said.
    PROTOCOL = "protocol"
    BAD_REDIRECT = "bad_redirect"
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    CLIENT_ERROR = "client_error"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    UNEXPECTED_STATUS = "unexpected_status"
    OPTED_OUT = "opted_out"
    # What it sent.
    BAD_ENCODING = "bad_encoding"
    TRUNCATED = "truncated"
    TOO_LARGE = "too_large"
    EMPTY = "empty"
    # A local file.
    FILE_MISSING = "file_missing"
    FILE_UNREADABLE = "file_unreadable"
    # The bytes, when downloaded or when decoded.
    NOT_A_PICTURE = "not_a_picture"
    # Decoding.
    DAMAGED = "damaged"
    TOO_MANY_PIXELS = "too_many_pixels"
    OUT_OF_MEMORY = "out_of_memory"
    DECODER_DIED = "decoder_died"
    DECODER_TIMEOUT = "decoder_timeout"


# Worth another try within the same run: the next answer may well differ.
PASSING = frozenset(
    {
        Reason.DNS,
        Reason.CONNECTION,
        Reason.TIMEOUT,
        Reason.TRUNCATED,
        Reason.RATE_LIMITED,
        Reason.SERVER_ERROR,
    }
)

# Asking again is pointless until the row says something else.
DEAD = frozenset({Reason.BAD_URL, Reason.NOT_FOUND, Reason.CLIENT_ERROR, Reason.OPTED_OUT})

# Our settings or the local disk decide these, and asking again costs nothing: the next run does.
AT_ONCE = frozenset(
    {
        Reason.PORT_REFUSED,
        Reason.ADDRESS_REFUSED,
        Reason.FILE_MISSING,
        Reason.FILE_UNREADABLE,
    }
)


# Not in the bytes but in the moment: such a picture may well be decoded another day.
PASSING_IN_DECODING = frozenset({Reason.OUT_OF_MEMORY, Reason.DECODER_DIED, Reason.DECODER_TIMEOUT})


def next_try_after(reason: Reason) -> int | None:
    """Seconds until a location that failed so may be asked again, None if it is dead."""
    if reason in DEAD:
        return None
    if reason in AT_ONCE:
        return 0
    if reason in PASSING or reason in {Reason.DEADLINE, Reason.HOST_DOWN}:
        return HOUR
    return DAY
