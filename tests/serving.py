"""`catalog serve` as a process of its own, and what a browser sees of it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

import pytest

from sql.store import Store
from tests.browser import Browser
from tests.report_world import HOSTILE
from tests.shop import Page, Shop
from tests.workbench import TOML, Bench

COMMAND = "from jobs.cli import main; main()"
TEMPLATED = "Product 1 ${document.documentElement.dataset.ran = 1} {{value}}"
STARTING_SECONDS = 90
LARGEST = 300_000  # bytes of an upload


@dataclass
class Served:
    """A page that is being served, and the folder of temporary files of its process."""

    process: "subprocess.Popen[str]"
    url: str
    scratch: Path

    def kept(self) -> list[Path]:
        """What lies in its temporary files with any content."""
        return [p for p in self.scratch.rglob("*") if p.is_file() and p.stat().st_size]

    def end(self) -> int:
        """Ask it to stop, as systemd does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def start(store: Store, folder: Path, *flags: object, **env: str) -> "subprocess.Popen[str]":
    """Start the command over a store; `folder` is for its settings and temporary files."""
    scratch = folder / "tmp"
    scratch.mkdir(parents=True)
    config = folder / "catalog.toml"
    config.write_text(f"{TOML}[fetch]\nmax_bytes = {LARGEST}\n", encoding="utf-8")
    before = ["--store", store.root, "--config", config, "serve"]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *map(str, [*before, *flags])],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"TMPDIR": str(scratch)} | env,
    )


@contextmanager
def serving(store: Store, folder: Path, *flags: object, **env: str) -> Iterator[Served]:
    """Serve a store until the block ends."""
    port = free_port()
    process = start(store, folder, "--port", port, *flags, **env)
    try:
        first = _first_line(process)
        if f"http://127.0.0.1:{port}" not in first:
            process.kill()
            pytest.fail(first + process.communicate()[0])
        yield Served(process, f"http://127.0.0.1:{port}/", folder / "tmp")
    finally:
        process.kill()
        process.wait()


def _first_line(process: "subprocess.Popen[str]") -> str:
    """What it says first, or nothing when it takes too long."""
    assert process.stdout is not None
    watch = Timer(STARTING_SECONDS, process.kill)
    watch.start()
    first = process.stdout.readline()
    watch.cancel()
    return first


def shown_store(folder: Path, shop: Shop, tagger: Path, classifier: Path) -> Bench:
    """Twelve products, of which one's picture is gone and one's is broken; both models.

    Two have titles that would run in a page that takes them for more than text.
    """
    bench = Bench(folder, shop)
    bench.fill(12)
    bench.rows[1]["title"], bench.rows[2]["title"] = TEMPLATED, HOSTILE[2]
    shop.pages["/10.png"] = Page(status=404)
    shop.pages["/11.png"] = Page(b"\x89PNG\r\n\x1a\n" + b"no more of it" * 9)
    bench.use_model(tagger)
    other = bench.store.models / "engagement" / "1"
    shutil.copytree(classifier, other)
    (bench.store.models / "engagement.current").write_text("engagement/1\n")
    bench.tag()
    return bench


def outside(browser: Browser) -> list[str]:
    """What was asked of any other machine since this was last asked."""
    events = [
        json.loads(each["message"])["message"] for each in browser._driver.get_log("performance")
    ]
    urls = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    return [
        url
        for url in urls
        if urlsplit(url).scheme in {"http", "https", "ws", "wss"}
        and urlsplit(url).hostname != "127.0.0.1"
    ]


def visit(browser: Browser, url: str, width: int) -> None:
    """Open the page and wait until it is there."""
    browser.do(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=900,
        deviceScaleFactor=1,
        mobile=width < 600,
    )
    browser._driver.get(url)
    until(browser, "!!document.querySelector('#drop input[type=file], input[type=password]')")


def drop(browser: Browser, picture: Path) -> str:
    """Give the page a picture; what it then says of it."""
    until(browser, "!!document.querySelector('#drop input[type=file]')")
    browser.tell("document.querySelector('#seen .v')?.remove()")
    browser._driver.find_element("css selector", "#drop input[type=file]").send_keys(str(picture))
    return until(browser, "document.querySelector('#seen .v')?.innerText")


def click(browser: Browser, selector: str, place: int = 0) -> None:
    """Click on one of the elements that are shown."""
    found = browser._driver.find_elements("css selector", selector)
    [each for each in found if each.is_displayed()][place].click()


def until(browser: Browser, expression: str, seconds: float = 60) -> Any:
    """Wait until an expression of JavaScript is true; its value."""
    due = time.monotonic() + seconds
    while time.monotonic() < due:
        if found := browser.tell(expression):
            return found
        time.sleep(0.05)
    pytest.fail(f"{expression} never came; the page says {browser.text()[:500]}")


def rows(browser: Browser, table: str) -> list[str]:
    """The rows of a table as they are shown, each as one line."""
    lines = until(
        browser,
        f"[...document.querySelectorAll('#{table} .virtual-row')].map(row =>"
        " [...row.querySelectorAll('[role=gridcell]')].map(cell => cell.innerText).join(' | '))"
        ".join('\\n')",
    )
    return [re.sub(r"\s*\|\s*", " | ", line) for line in lines.split("\n") if " | " in line]
