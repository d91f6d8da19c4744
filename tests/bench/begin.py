"""How soon it answers: the first turn after a start, and `--help`."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bot.storage.migrate import migrate
from tests.bench.figure import Figure, alternate
from tests.bench.load import cookie
from tests.serving import START, end, environment, free_port, start

STARTS, HELPS = 5, 15
START_BAR, HELP_BAR = 2.0, 12.0


def figures() -> Iterator[Figure]:
    """Yield start_seconds and help_ratio; bytecode is compiled beforehand, as it is after the first start."""
    with TemporaryDirectory(prefix="hearsay-bench-") as folder:
        migrate(Path(folder) / "hearsay.db")
        took = [_start(Path(folder), number) for number in range(STARTS + 1)][1:]
    yield Figure(
        "start_seconds", median(took), "none: seconds from exec to the first 204", START_BAR, "at most", _spread(took)
    )
    help_, nothing = alternate(HELPS, lambda: _run("-m", "bot", "--help"), lambda: _run("-c", "pass"))
    more: dict[str, object] = {"help_ms": help_ * 1000, "baseline_ms": nothing * 1000}
    yield Figure("help_ratio", help_ / nothing, "python -c pass", HELP_BAR, "at most", more)


def _spread(took: list[float]) -> dict[str, object]:
    return {"fastest": min(took), "slowest": max(took)}


def _start(folder: Path, number: int) -> float:
    port = free_port()
    began = time.perf_counter()
    process = start(folder / "hearsay.db", folder / "output", port=str(port))
    try:
        _first_answer(process, port, number, folder / "output")
        return time.perf_counter() - began
    finally:
        end(process)


def _first_answer(process: subprocess.Popen[bytes], port: int, number: int, output: Path) -> None:
    deadline = time.monotonic() + START
    headers = {"Accept": "application/json", "Cookie": f"hearsay={cookie(number)}"}
    while process.poll() is None and time.monotonic() < deadline:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=START)
        try:
            line.request("POST", "/say", f"text=%2Frumour+jobs&key=start-{number}", headers)
            status = line.getresponse().status
        except ConnectionError:
            time.sleep(0.002)
            continue
        finally:
            line.close()
        if status != 204:
            raise RuntimeError(f"the first turn was answered with {status}")
        return
    raise RuntimeError(f"hearsay run did not start:\n{output.read_text(errors='replace')}")


def _run(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], env=environment(), stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began
