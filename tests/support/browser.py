"""Chromium for the journeys: where it is, the server it looks at, and what no page may do."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.support.server import ROOT
from ui.parts import site
from ui.parts.text import catalogue

# that of a page does not hold for what is expected of it
expect.set_options(timeout=30_000)

REQUIRED = "REQUIRE_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
WAIT = 30_000
# Faults of Streamlit's own elements, each only there: sections of the navigation stand between list
# and items, the sparkline of a metric has a role without a title, a small table that is wider than
# a phone scrolls and cannot be focused, a toast is a dialog without a name.
KNOWN = {
    "aria-dialog-name": ".stToast",
    "list": "[data-testid=stSidebarNav]",
    "listitem": "[data-testid=stSidebarNav]",
    "svg-img-alt": "[data-testid=stMetric]",
    "scrollable-region-focusable": "[data-testid=stTable]",
}
PHONE, DESK = (390, 844), (1400, 1000)


def find(playwright: Playwright) -> str | None:
    """The browser's program: CHROMIUM, the system's, or the one that Playwright downloaded."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    system = next((found for name in NAMES if (found := shutil.which(name))), None)
    own = playwright.chromium.executable_path
    return system or (own if Path(own).exists() else None)


def launch(playwright: Playwright, program: str) -> Browser:
    """A headless browser; as root it has no sandbox."""
    arguments = ["--disable-dev-shm-usage"]
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        arguments.append("--no-sandbox")
    return playwright.chromium.launch(executable_path=program, args=arguments)


@contextlib.contextmanager
def served(database_url: str, log: Path, *options: str) -> Iterator[str]:
    """The address of a server of our own on this database, with further options of Streamlit; its
    log goes into a file."""
    port = free_port()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", "app.py"),
                *("--server.port", str(port), *options),
            ],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": database_url},
            stdout=out,
            stderr=out,
        )
    try:
        wait_for(f"http://localhost:{port}/scouts/_stcore/health", process, log)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(20)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server answers; fail with its log when it ended."""
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(log.read_text(errors="replace")) from None
            time.sleep(0.1)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Visit:
    """A visitor's tab, and everything that it did and may not: see `faults`."""

    page: Page
    base: str
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(WAIT)
        self.page.on(
            "console",
            lambda m: self.faults.append(f"console: {m.text}") if m.type == "error" else None,
        )
        self.page.on("pageerror", lambda error: self.faults.append(f"page: {error}"))
        self.page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))
        self.page.on("request", self._note_foreign)

    def open(self, address: str) -> None:
        """Go to an address below the server and wait until the page is complete."""
        self.page.goto(self.base + address)
        self.settle()

    def walk(self, address: str) -> None:
        """The same within the tab that is open, as Back and Forward do: no program is loaded."""
        if self.page.url == "about:blank":
            self.open(address)
            return
        self.page.evaluate(
            "to => { history.pushState({}, '', to); dispatchEvent(new PopStateEvent('popstate')) }",
            address,
        )
        path = address.partition("?")[0]
        name = next(place.name for place in site.PLACES if path.endswith(f"/{place.address}"))
        self.page.wait_for_function(
            "titles => titles.includes(document.querySelector('h1')?.innerText)",
            arg=catalogue()[f"common.page_{name}"],
        )
        self.settle()

    def settle(self) -> None:
        """Wait until the script has ended and everything is drawn."""
        self.page.wait_for_selector("h1")
        # a click reaches the server a moment later
        self.page.wait_for_timeout(150)
        self.page.wait_for_selector(IDLE)
        self.page.wait_for_function(
            "() => document.querySelectorAll('[data-testid=stSkeleton]').length === 0"
        )

    def says(self, words: str) -> bool:
        """Whether these words are to be seen now or a moment later."""
        try:
            self.page.get_by_text(words).first.wait_for()
        except PlaywrightTimeout:
            return False
        return True

    def severe(self) -> list[str]:
        """What axe finds serious or critical: rule and where."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [
            f"{rule['id']}: {targets[:3]}"
            for rule in found
            if rule["impact"] in {"serious", "critical"}
            and (targets := [n["target"] for n in rule["nodes"] if not self._is_known(rule, n)])
        ]

    def take_faults(self) -> list[str]:
        """What went wrong since the last time, an error on the page included."""
        found, self.faults[:] = list(self.faults), []
        if self.page.locator('[data-testid="stException"]').count():
            found.append(f"error on the page: {self.page.url}")
        return found

    @property
    def is_sideways(self) -> bool:
        """Whether the page as a whole scrolls sideways."""
        return bool(
            self.page.evaluate(
                "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
            )
        )

    def _is_known(self, rule: dict[str, Any], node: dict[str, Any]) -> bool:
        within = KNOWN.get(rule["id"])
        if within == node["target"][-1]:
            # a toast is gone before one can ask about it
            return True
        return within is not None and bool(
            self.page.evaluate(
                "([target, within]) => !!document.querySelector(target)?.closest(within)",
                [node["target"][-1], within],
            )
        )

    def _note_foreign(self, request: object) -> None:
        url: str = request.url  # type: ignore[attr-defined]
        if not url.startswith((self.base, "data:", "blob:")):
            self.faults.append(f"foreign request: {url}")
