"""A quiet process beside a busy one on the same database: how long its people wait."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.figure import Figure, percentile
from tests.bench.load import Line, cookie, post
from tests.serving import END, Served, environment, serving

TURNS = 500
BUSY = 50
BAR = 100.0
BREATH = 0.005


def figures() -> Iterator[Figure]:
    """Yield neighbour_p99_ms; the median of the same turns without the busy neighbour stands beside it."""
    with TemporaryDirectory(prefix="hearsay-bench-") as folder:
        database = Path(folder) / "hearsay.db"
        with _serving(database) as busy, _serving(database) as quiet:
            alone = asyncio.run(_waits(quiet.port, "alone"))
            with _kept_busy(busy.port):
                waits = asyncio.run(_waits(quiet.port, "beside"))
    more: dict[str, object] = {"median_ms": percentile(waits, 0.5), "worst_ms": max(waits)}
    more |= {"alone_median_ms": percentile(alone, 0.5), "alone_p99_ms": percentile(alone, 0.99)}
    baseline = "none: milliseconds; alone_… are the same turns without a neighbour"
    yield Figure("neighbour_p99_ms", percentile(waits, 0.99), baseline, BAR, "at most", more)


def _serving(database: Path) -> AbstractContextManager[Served]:
    return serving(database, pace="1000000", crowd="1000000")


@contextmanager
def _kept_busy(port: int) -> Iterator[None]:
    arguments = [sys.executable, "-m", "tests.bench.load", str(port), str(BUSY)]
    process = subprocess.Popen(arguments, env=environment())
    try:
        time.sleep(1.0)  # let it get under way
        yield
        if process.poll() is not None:
            raise RuntimeError("the busy process was not kept busy")
    finally:
        process.kill()
        process.wait(END)


async def _waits(port: int, tag: str) -> list[float]:
    line = await Line.to(port)
    waits = [await _wait(line, f"{tag}.{turn}") for turn in range(TURNS)]
    line.close()
    return waits


async def _wait(line: Line, key: str) -> float:
    request = post(cookie(999), "/rumour jobs", key)
    began = time.perf_counter()
    status = await line.ask(request)
    took = (time.perf_counter() - began) * 1000
    if status != 204:
        raise RuntimeError(f"the server answered {status}")
    await asyncio.sleep(BREATH)
    return took
