"""A real browser, Debian's Chromium, and what may be wrong with a page that is open in it."""

import json
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

AXE = "axe-core@4.14.1"
"""The accessibility rules, from npm."""
GRAVE = {"serious", "critical"}
PHONE, DESK, PAPER = 390, 1440, 718
"""CSS pixels across; paper is A4 less the browser's own margins."""

LOADING_SECONDS = 20

_STATE = "`${document.readyState} ${document.URL}`"
_LETTERS = "document.body.innerText.replace(/\\s+/g, ' ').trim()"
_BROKEN = """(async () => {
  const broken = [];
  for (const image of document.images) {
    image.loading = 'eager';
    await image.decode().catch(() => {});
    if (!image.naturalWidth) broken.push(image.alt || image.outerHTML.slice(0, 80));
  }
  return broken;
})()"""
_LOST = """[...document.querySelectorAll('a[href^="#"]')].map(link => link.hash.slice(1))
  .filter(name => !document.getElementById(name))"""
_FOLDED = """[...document.querySelectorAll('details > :not(summary)')]
  .filter(inner => !inner.checkVisibility() || !inner.getClientRects().length)
  .map(inner => inner.parentElement.querySelector('summary').textContent)"""


_QUICK = "resultTypes: ['violations'], preload: false"


class Browser:
    """Opens pages, and tells what it sees; made by `opened_browser`."""

    def __init__(self, driver: Any, folder: Path) -> None:
        self._driver = driver
        self._files = (folder / f"page-{number}.html" for number in count())
        self._file = next(self._files)

    def do(self, command: str, **arguments: Any) -> Any:
        """Carry out a command of the DevTools protocol."""
        return self._driver.execute_cdp_cmd(command, arguments)

    def open(
        self,
        page: str,
        width: int = DESK,
        *,
        dark: bool = False,
        scripts: bool = True,
        medium: str = "screen",
    ) -> None:
        """Load a page from a file, in a window so many CSS pixels wide."""
        self._file = next(self._files)  # to open the same again may end before it is loaded
        self._file.write_text(page, encoding="utf-8")
        self.do("Emulation.setScriptExecutionDisabled", value=not scripts)
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.do("Emulation.setEmulatedMedia", media=medium, features=[theme])
        self.do(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width == PHONE,
        )
        self.messages(), self.requests()  # of the page before
        self._driver.get(self._file.as_uri())
        until = time.monotonic() + LOADING_SECONDS
        while self.tell(_STATE) != f"complete {self._file.as_uri()}":
            assert time.monotonic() < until, self.tell(_STATE)
            time.sleep(0.01)

    def tell(self, expression: str, world: int | None = None) -> Any:
        """Evaluate JavaScript beside the page, whose policy does not bind it."""
        where = {} if world is None else {"contextId": world}
        said = self.do(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            **where,
        )
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    def messages(self) -> list[str]:
        """What the console says since it was last asked."""
        return [entry["message"] for entry in self._driver.get_log("browser")]

    def requests(self) -> list[str]:
        """What was asked for since this was last asked, besides the page and what is in it.

        What the page's own policy held back was not asked for.
        """
        events = [
            json.loads(each["message"])["message"] for each in self._driver.get_log("performance")
        ]
        known = {
            (event["method"], event["params"].get("requestId")): event["params"] for event in events
        }
        return [
            said["request"]["url"]
            for (method, request), said in known.items()
            if method == "Network.requestWillBeSent"
            and said["request"]["url"] != self._file.as_uri()
            and not said["request"]["url"].startswith("data:")
            # Not of the page that a new window shows, which may still be loading.
            and not said["documentURL"].startswith("chrome:")
            and known.get(("Network.loadingFailed", request), {}).get("blockedReason") != "csp"
        ]

    def text(self) -> str:
        """What can be read without opening anything."""
        return self.tell(_LETTERS)

    def ran(self) -> bool:
        """Whether one of the hostile words got to run."""
        return self.tell("'ran' in document.documentElement.dataset")

    def width(self) -> int:
        """How wide the page is, in CSS pixels: more than the window, and it scrolls sideways."""
        return self.tell("document.documentElement.scrollWidth")

    def broken_images(self) -> list[str]:
        """Images that could not be shown."""
        return self.tell(_BROKEN)

    def lost_links(self) -> list[str]:
        """Links into the page that lead nowhere."""
        return self.tell(_LOST)

    def folded(self) -> list[str]:
        """The summaries of what can't be seen for being folded away."""
        return self.tell(_FOLDED)

    def pdf(self) -> str:
        """The page as printed, in base64."""
        return self.do("Page.printToPDF", printBackground=True)["data"]

    def faults(self, axe: str, rules: Sequence[str] = ()) -> list[str]:
        """What axe-core finds serious or critical, by all its rules or by these."""
        frame = self.do("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = self.do("Page.createIsolatedWorld", frameId=frame)["executionContextId"]
        self.tell(f"{axe}; undefined", world)
        only = f"runOnly: {list(rules)}," if rules else ""
        found = self.tell(f"axe.run(document, {{{only} {_QUICK}}})", world)
        return [
            f"{each['id']}: {node['html'][:160]} {node['failureSummary']}"
            for each in found["violations"]
            if each["impact"] in GRAVE
            for node in each["nodes"]
        ]


@contextmanager
def opened_browser(folder: Path) -> Iterator[Browser]:
    """Start Chromium without a window, or skip the test; pages and profile lie in `folder`."""
    selenium = pytest.importorskip("selenium.webdriver", reason="no selenium here")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    chauffeur = shutil.which("chromedriver")
    if not (chromium and chauffeur):
        pytest.skip("no chromium with its chromedriver here")
    options = selenium.ChromeOptions()
    options.binary_location = chromium
    flags = "headless=new no-sandbox disable-gpu disable-quic no-first-run hide-scrollbars"
    flags += " disable-background-networking disable-component-update disable-sync"
    flags += " disable-dev-shm-usage"
    for flag in (*flags.split(), f"user-data-dir={folder / 'profile'}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = selenium.Chrome(options, selenium.ChromeService(chauffeur))
    try:
        yield Browser(driver, folder)
    finally:
        driver.quit()


def axe_source() -> str:
    """axe-core as JavaScript, got from npm once and kept in the virtual environment, or a skip."""
    folder = Path(sys.prefix) / "axe"
    script = folder / AXE / "package" / "axe.min.js"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "lock"):
        if not script.exists():
            _get_axe(folder)
    return script.read_text(encoding="utf-8")


def _get_axe(folder: Path) -> None:
    if not shutil.which("npm"):
        pytest.skip(f"no npm here to get {AXE} with")
    command = ["npm", "pack", AXE, "--silent", "--pack-destination", folder]
    got = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if got.returncode:
        pytest.skip(f"npm can't get {AXE}: {got.stderr[-300:]}")
    with tarfile.open(folder / got.stdout.split()[-1]) as packed:
        packed.extractall(folder / AXE, filter="data")
