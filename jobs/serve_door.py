"""Who may come in to `catalog serve`, and to what: passwords, and an allow-list of addresses."""

import asyncio
import hmac
import ipaddress
import os
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.errors import BadInput

PASSWORD_VARIABLE = "CATALOG_PASSWORD"  # nosec B105  # noqa: S105 - its name, not a password
SHORTEST = 8
LONGEST = 1024
WAIT_AFTER_WRONG = 1.0  # seconds

# What Gradio's page asks for. It serves far more: any file that was ever uploaded, a proxy to
# other hosts, an interface for programs, a record of what was asked.
_OPEN = re.compile(
    r"/(?:|config/?|login/?|logout|theme\.css|favicon\.ico|robots\.txt"
    r"|(?:static|assets|svelte)/[^\\]*"
    r"|gradio_api/(?:app_id|login_check|user|token|startup-events|theme\.css|upload"
    r"|upload_progress|cancel|reset|queue/join|queue/data|heartbeat/\w+))"
)
# The browser itself then refuses whatever would be fetched from outside.
_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; font-src 'self' data:;"
    " style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline' 'unsafe-eval';"
    " object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Key:
    """The name and the password that open the page."""

    user: str
    password: str

    async def opens(self, user: str, password: str) -> bool:
        """Whether they are these, told without a hint of how near they came, a wrong one late."""
        same = [
            hmac.compare_digest(given.encode(), own.encode())
            for given, own in ((user, self.user), (password, self.password))
        ]
        if not all(same):
            await asyncio.sleep(WAIT_AFTER_WRONG)
        return all(same)


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def key_of(user: str | None, password_file: Path | None) -> Key | None:
    """The key of `--user` and the password, from the file, else from CATALOG_PASSWORD.

    None when no user is named; BadInput for half a key, or a password that is none.
    """
    if user is None:
        if password_file is not None:
            raise BadInput("--password-file needs --user NAME")
        return None
    if not user.strip() or user != user.strip():
        raise BadInput("--user needs a name without blanks around it")
    password = _read(password_file) if password_file else os.environ.get(PASSWORD_VARIABLE)
    if password is None:
        raise BadInput(
            "--user needs a password",
            hint=f"put it into the environment as {PASSWORD_VARIABLE}, or name a --password-file",
        )
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadInput(f"the password must have {SHORTEST} to {LONGEST:,} letters")
    return Key(user, password)


def _read(path: Path) -> str:
    """The first line of a file."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline(2 * LONGEST).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the password file {path} can't be read: {error}") from error


class Gate:
    """Lets pass what the page itself asks for; everything else does not exist.

    Without a password, only names of this machine may stand in the address: a page from outside
    whose name was made to lead to 127.0.0.1 must not read the answers.
    """

    def __init__(self, app: App, *, any_host: bool) -> None:
        self._app = app
        self._any_host = any_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        if scope["type"] != "http" or not self._lets(scope):
            await _refuse(send)
            return

        async def send_with_policy(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        await self._app(scope, receive, send_with_policy)

    def _lets(self, scope: Scope) -> bool:
        if ".." in scope["path"] or not _OPEN.fullmatch(scope["path"]):
            return False
        hosts, origins = (_values(scope, name) for name in (b"host", b"origin"))
        # Another site's page may send what it likes, though it can't read the answer.
        own = all(origin.partition("://")[2] in hosts for origin in origins)
        local = len(hosts) == 1 and is_loopback(_without_port(hosts[0])) and own
        return self._any_host or local


def _values(scope: Scope, header: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == header]


def _without_port(host: str) -> str:
    return re.sub(r":\d*$", "", host)


async def _refuse(send: Send) -> None:
    start = {"type": "http.response.start", "status": 404, "headers": [*_HEADERS]}
    await send(start)
    await send({"type": "http.response.body", "body": b"not found"})
