"""What forty towns cost beside one: the time to start, and memory."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from statistics import median
from tempfile import TemporaryDirectory

from bot.app import load_content
from tests.bench.figure import Figure
from tests.bench.load import posts, throughput
from tests.bench.memory import resident
from tests.serving import serving

CITIES, ROUNDS = 40, 3
LETTERS = str.maketrans("0123456789", "abcdefghij")
MEMORY_BAR, START_BAR = 2.0, 5.0
CONTENT = Path(__file__).parent.parent.parent / "content"
EXAMPLE = CONTENT / "cities/puertaluna"
BASELINE = "the same with one town"


def figures() -> Iterator[Figure]:
    """Yield cities_memory_ratio and cities_start_seconds: each town has a figure, a rumour, a word of its own."""
    with TemporaryDirectory(prefix="hearsay-bench-") as folder:
        many, one = found(Path(folder) / "many", CITIES), found(Path(folder) / "one", 1)
        measured = [(measure(many), measure(one)) for _ in range(ROUNDS)]
    ours, theirs = median(m[0][1] for m in measured), median(m[1][1] for m in measured)
    more: dict[str, object] = {"megabytes": ours, "baseline_megabytes": theirs, "cities": CITIES}
    yield Figure("cities_memory_ratio", ours / theirs, BASELINE, MEMORY_BAR, "at most", more)
    starts: dict[str, object] = {"seconds_with_one": median(m[1][0] for m in measured)}
    took = median(m[0][0] for m in measured)
    yield Figure("cities_start_seconds", took, "none: seconds to the first answer", START_BAR, "at most", starts)


def measure(cities: Path) -> tuple[float, float]:
    """Return the seconds from start to the greeting, and the megabytes after 200 turns."""
    began = time.perf_counter()
    with serving(pace="1000000", crowd="1000000", cities=str(cities)) as served:
        took = time.perf_counter() - began
        throughput(served.port, posts(20, 10, "/rumour jobs", "cities"))
        return took, resident(served.process.pid)


def found(root: Path, count: int) -> Path:
    """Return a folder of `count` towns, each with its own rumour, word and texts."""
    for number in range(count):
        town, letters = root / f"town-{number}", str(number).translate(LETTERS)  # prose holds no digits
        copytree(EXAMPLE, town)
        for path in (town / "pack.yaml", *(town / "rumours/homes").iterdir()):
            path.write_text(re.sub("Puertaluna|puerto|port", rf"\g<0>{letters}", path.read_text("utf-8")), "utf-8")
        for path in (town / "rumours/homes").iterdir():
            path.rename(path.with_name(path.name.replace("port-flats", f"flats-{number}")))
    if broken := load_content(CONTENT, cities=root).broken:
        raise RuntimeError(f"these towns would not be there: {', '.join(broken)}")
    return root
