"""Runs a real `hearsay run` in a process of its own, for tests that need one."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
START = 60.0  # seconds within which even a slow machine starts it
END = 15.0
_GREETING = re.compile(rb"http://\S+")


@dataclass(frozen=True)
class Served:
    """A process that answers: `url` without a slash at its end, what it printed and logged in `output`."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    database: Path
    output: Path

    def kill(self) -> None:
        """End it as a power cut would: without a word."""
        self.process.kill()
        self.process.wait(END)


@contextmanager
def serving(database: Path | None = None, *arguments: str, **settings: str) -> Iterator[Served]:
    """Start `hearsay run *arguments` with `HEARSAY_…=settings`; yield it when it answers, end it by its pid.

    Without a `database` it gets one that goes when it ends. Raises `RuntimeError` with its output if it does not start.
    """
    with TemporaryDirectory(prefix="hearsay-") as folder:
        kept = database or Path(folder) / "hearsay.db"
        output = Path(folder) / "output"
        process = start(kept, output, *arguments, **settings)
        try:
            url = _answering(process, output)
            yield Served(url, _port(url), process, kept, output)
        finally:
            end(process)


def start(database: Path, output: Path, *arguments: str, **settings: str) -> subprocess.Popen[bytes]:
    """Start `hearsay run` without waiting for it."""
    wanted = {"port": str(free_port()), "database": str(database), **settings}
    with output.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "bot", "run", *arguments],
            env=environment(**wanted),
            cwd=output.parent,  # no `.env` of the checkout
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end; kill it if it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(END)


def environment(**settings: str) -> dict[str, str]:
    """Return the environment of a child: only the settings given, the checkout importable, bytecode kept.

    Bytecode as on any other machine: compiling everything anew takes three times as long as starting.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HEARSAY_")}
    if inherited.pop("PYTHONDONTWRITEBYTECODE", None):
        inherited["PYTHONPYCACHEPREFIX"] = str(ROOT / ".pytest_cache" / "bytecode")
    inherited["PYTHONPATH"] = str(ROOT)
    return inherited | {f"HEARSAY_{name.upper()}": value for name, value in settings.items()}


def free_port() -> int:
    """Return a port of 127.0.0.1 that was free a moment ago; `hearsay run` takes the next one if it no longer is."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def _answering(process: subprocess.Popen[bytes], output: Path) -> str:
    """Wait for the address it prints to answer; return it."""
    deadline = time.monotonic() + START
    while process.poll() is None and time.monotonic() < deadline:
        found = _GREETING.search(output.read_bytes())
        if found and _healthy(url := found[0].decode().rstrip("/")):
            return url
        time.sleep(0.02)
    end(process)
    raise RuntimeError(f"hearsay run did not start:\n{output.read_text(errors='replace')}")


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=START) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _port(url: str) -> int:
    return int(url.split("/")[2].rpartition(":")[2])
