"""`catalog serve`: a page over a store, for a browser on this machine or with a password."""

import contextlib
import errno
import importlib.util
import io
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.errors import BadInput, JobError
from jobs.serve_door import Gate, Key, is_loopback
from jobs.settings import Settings
from sql.store import Store

SHARING = (
    "--share: the page gets a public address for up to a week, through the servers of Gradio's"
    " makers. Anybody who has the address sees the login page; every picture and every answer"
    " travels through those servers."
)
ENDING_SECONDS = 1
# Gradio and what it loads would otherwise tell their makers that they are used.
_SILENT = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}


@dataclass(frozen=True)
class Address:
    """Where the page is served, who may open it, and whether it is shared by a tunnel."""

    host: str = "127.0.0.1"
    port: int = 7860
    key: Key | None = None
    share: bool = False

    def __post_init__(self) -> None:
        if self.key is None and (self.share or not is_loopback(self.host)):
            asked = "--share" if self.share else f"--host {self.host}"
            raise BadInput(
                f"{asked} lets others in, and needs --user NAME with a password",
                hint="put the password into the environment as CATALOG_PASSWORD, or name a"
                " --password-file",
            )


def serve(store: Store, settings: Settings, address: Address, say: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C or SIGTERM; `say` is told where it is.

    JobError when Gradio is not there, the port is taken, or no tunnel can be had.
    """
    if importlib.util.find_spec("gradio") is None:
        raise JobError("`catalog serve` needs Gradio", hint="pip install 'vitrina[demo]'")
    _check_free(address)
    with contextlib.suppress(KeyboardInterrupt), _scratch(address.host) as scratch:
        # Gradio loads here, and with it seconds: what can be refused was refused before.
        from jobs.serve_looking import Looker  # noqa: PLC0415
        from jobs.serve_page import Answers, launching, page  # noqa: PLC0415
        from jobs.serve_store import Catalogue  # noqa: PLC0415
        from reports.language import language  # noqa: PLC0415

        catalogue = Catalogue(store)
        answers = Answers(catalogue, Looker(catalogue, settings.decode), language(settings.lang))
        with ExitStack() as stack:
            stack.callback(answers.looker.close)
            made = page(answers)
            stack.callback(_close, made)
            look = launching(answers.language)
            _launch(made, address, settings.fetch.max_bytes, scratch, look)
            say(f"serving {store.root} at {made.share_url or _url(address)}")
            say("Ctrl-C ends it")
            made.server.thread.join()
    say("ended")


def _launch(
    made: Any, address: Address, max_bytes: int, scratch: Path, look: dict[str, Any]
) -> None:
    from starlette.middleware import Middleware  # noqa: PLC0415 - comes with Gradio

    host = f"[{address.host}]" if ":" in address.host else address.host
    gate = Middleware(Gate, any_host=address.key is not None)  # type: ignore[arg-type]
    said = io.StringIO()
    try:
        # Gradio writes a certificate of the tunnel where it stands, and prints why it has none.
        with contextlib.chdir(scratch), contextlib.redirect_stdout(said):
            made.launch(
                server_name=host,
                server_port=address.port,
                auth=address.key.opens if address.key else None,
                share=address.share,
                max_file_size=max_bytes,
                prevent_thread_lock=True,
                quiet=True,
                app_kwargs={"middleware": [gate], "docs_url": None, "redoc_url": None},
                **look,
            )
    except OSError as error:
        raise JobError(f"{_url(address)} can't be served: {error}") from error
    if address.share and not made.share_url:
        raise JobError(
            "--share has no tunnel: its provider can't be reached from here",
            hint="leave --share away, or see whether this machine may reach the internet",
        )


def _close(made: Any) -> None:
    """End the server without waiting for browsers that keep a connection open."""
    if made.is_running:
        made.server.config.timeout_graceful_shutdown = ENDING_SECONDS
        made.close(verbose=False)


@contextmanager
def _scratch(host: str) -> Iterator[Path]:
    """A private folder for uploads, whole or half, that is gone at the end."""
    with tempfile.TemporaryDirectory(prefix="vitrina-serve-") as folder:
        near = f"127.0.0.1,localhost,::1,{host}"
        # A proxy of the company must not be asked for our own page.
        without = os.environ.get("NO_PROXY") or os.environ.get("no_proxy")
        near = f"{without},{near}" if without else near
        os.environ |= _SILENT | {"GRADIO_TEMP_DIR": folder, "TMPDIR": folder}
        os.environ |= {"NO_PROXY": near, "no_proxy": near}
        before, tempfile.tempdir = tempfile.tempdir, folder
        try:
            yield Path(folder)
        finally:
            tempfile.tempdir = before


def _check_free(address: Address) -> None:
    """See that the page can be served there: Gradio would say less, and later."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.create_server((address.host.strip("[]"), address.port), family=family):
            pass
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise JobError(
                f"port {address.port} of {address.host} is taken", hint="name another with --port"
            ) from error
        raise BadInput(f"{_url(address)} can't be served: {error.strerror or error}") from error


def _url(address: Address) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"http://{host}:{address.port}"
