"""How much memory a served installation holds, against the bare libraries it stands on."""

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench.bare import bare
from tests.bench.figure import Figure
from tests.bench.load import posts, throughput
from tests.serving import serving

ROUNDS = 3
BAR = 1.8
BASELINE = "a process with Starlette, uvicorn and SQLAlchemy: one route, one SQLite table"


def figures() -> Iterator[Figure]:
    """Yield memory_ratio: resident memory after 200 turns."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        with serving(pace="1000000", crowd="1000000") as served:
            throughput(served.port, posts(20, 10, "/rumour jobs", "memory"))
            ours.append(resident(served.process.pid))
        with bare("memory") as (_port, pid):
            theirs.append(resident(pid))
    more: dict[str, object] = {"megabytes": median(ours), "baseline_megabytes": median(theirs)}
    yield Figure("memory_ratio", median(ours) / median(theirs), BASELINE, BAR, "at most", more)


def resident(pid: int) -> float:
    """Return the resident megabytes of process `pid`."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    if found is None:
        raise RuntimeError("this system does not say how much memory a process holds")
    return int(found[1]) / 1024
