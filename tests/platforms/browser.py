"""What the browser's tests stand on: one server, one browser, and tabs that remember what went wrong in them."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0  # seconds before a wait counts as a failure
PHONE = (390, 844)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def need(found: object, what: str) -> None:
    """Skip for want of `what`, but never where CI promises that it is there."""
    if found:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing")


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


@dataclass
class Server:
    """`python -m bot run` as a child, on a port and a database that outlive it."""

    folder: Path
    port: int = field(default_factory=free_port)
    arguments: tuple[str, ...] = ()
    child: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def printed(self) -> str:
        """What it said so far."""
        return (self.folder / "printed").read_text("utf-8")

    def start(self) -> None:
        """Start, and wait until it answers."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HEARSAY_")}
        chosen = {
            "HEARSAY_DATABASE": str(self.folder / "hearsay.db"),
            "HEARSAY_PORT": str(self.port),
            "HEARSAY_PACE": "1000",
            "HEARSAY_CROWD": "10000",
            "PYTHONPATH": str(ROOT),
            "PYTHONUTF8": "1",
        }
        command = [sys.executable, "-m", "bot", "run", *self.arguments]
        with (self.folder / "printed").open("wb") as printed:
            self.child = subprocess.Popen(
                command, cwd=self.folder, env=kept | chosen, stdout=printed, stderr=subprocess.STDOUT
            )
        self._wait()

    def stop(self) -> None:
        """End it as Ctrl-C does, and wait for it."""
        if self.child:
            self.child.terminate()
            self.child.wait(PATIENCE)
            self.child = None

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if (self.child and self.child.poll() is not None) or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"the server did not start: {self.printed}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.address}/readyz", timeout=PATIENCE) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[Server]:
    server = Server(folder, arguments=arguments)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    need(path, "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Watched:
    """A browser's context, and what went wrong on its pages."""

    context: BrowserContext
    own: str
    troubles: list[str] = field(default_factory=list)

    def open(self) -> Page:
        """Open a tab that is watched."""
        page = self.context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("request", self._see)
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(f"console: {message.text}")

    def _see(self, request: Request) -> None:
        if not request.url.startswith((self.own, "data:", "about:")):
            self.troubles.append(f"another host: {request.url}")


def watch(browser: Browser, server: Server, *, script: bool = True, language: str = "en", width: int = 390) -> Watched:
    """Return a fresh context: nobody's phone, without cookies."""
    context = browser.new_context(
        base_url=server.address,
        java_script_enabled=script,
        locale={"en": "en-GB", "es": "es-ES"}[language],
        viewport={"width": width, "height": PHONE[1]},
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE * 500)
    return Watched(context, server.address)
