"""Discord through its gateway, sockets and storage and all, against discord.py's own client that says things again."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

from bot.storage.migrate import migrate
from tests.bench.discord_outside import Outside, Pace, World
from tests.bench.figure import Figure, alternate
from tests.bench.memory import resident
from tests.bench.telegram_bare import child
from tests.platforms.discord.server import TOKEN
from tests.serving import end, start

Start = Callable[[World, Path], subprocess.Popen[bytes]]
BARE = "discord.py's Client and CommandTree with one command that echoes, the same intents, the library's own caches"
AT_ONCE, EACH, ROUNDS = 20, 30, 7
RATIO_BAR = 0.5
RATE, SECONDS, OFFERS = 100.0, 10.0, 3
P99_BAR = 250.0
MEMORY_ROUNDS, MEMORY_EACH, MEMORY_BAR = 3, 20, 1.5
LARGE, STARTS = 1_000, 3
START_BAR, LARGE_MEMORY_BAR = 1.3, 1.3
READY = 2.5  # seconds: the library waits for one more server for two, then lets go of what it kept for that


def figures() -> Iterator[Figure]:
    """Yield discord_interaction_ratio and discord_p99_ms."""
    with Outside() as outside, _bot(outside, _ours) as ours, _bot(outside, _bare) as bare:

        def rate(world: World) -> Callable[[], float]:
            return lambda: outside.run(world.ask_all(EACH, AT_ONCE)).rate

        mine, theirs = alternate(ROUNDS, rate(ours), rate(bare))
        more: dict[str, object] = {"answers_s": mine, "baseline_s": theirs}
        yield Figure("discord_interaction_ratio", mine / theirs, BARE, RATIO_BAR, more=more)
        yield _slowest(outside, ours, bare)


def _slowest(outside: Outside, ours: World, bare: World) -> Figure:
    """Offer a hundred interactions a second, come what may."""
    chance, paces = Random(100), list[Pace]()

    def offer(world: World) -> Callable[[], float]:
        def measure() -> float:
            paces.append(outside.run(world.offer(RATE, SECONDS, chance)))
            return paces[-1].p99

        return measure

    mine, theirs = alternate(OFFERS, offer(ours), offer(bare))
    more: dict[str, object] = {"baseline_p99_ms": theirs, "answers_s": median(pace.rate for pace in paces[::2])}
    return Figure("discord_p99_ms", mine, "none: milliseconds at 100 a second", P99_BAR, "at most", more)


@contextmanager
def _bot(outside: Outside, begin: Start) -> Iterator[World]:
    """Open a Discord, start a bot on it, and let it be met by everybody."""
    world = outside.world()
    with _running(world, begin):
        outside.run(world.met())
        outside.run(world.warm())
        yield world


@contextmanager
def _running(world: World, begin: Start) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Start a bot, its database prepared as at every start but the first; yield it, and when that was."""
    with TemporaryDirectory(prefix="hearsay-bench-") as folder:
        migrate(Path(folder) / "hearsay.db")
        began = time.perf_counter()
        process = begin(world, Path(folder))
        try:
            yield process, began
        except TimeoutError:
            raise RuntimeError(f"a bot did not come, or did not answer; exit status {process.poll()}") from None
        finally:
            end(process)


def _ours(world: World, folder: Path) -> subprocess.Popen[bytes]:
    settings = {"web": "false", "discord_token": TOKEN, "discord_api": world.api, "discord_gateway": world.gateway}
    return start(folder / "hearsay.db", folder / "output", **settings)


def _bare(world: World, _folder: Path) -> subprocess.Popen[bytes]:
    return child("tests.bench.discord_bare", world.api, world.gateway, TOKEN)


def memory_figures() -> Iterator[Figure]:
    """Yield discord_memory_ratio: resident memory after five hundred interactions; the web is off."""
    with Outside() as outside:

        def megabytes(begin: Start) -> Callable[[], float]:
            world = outside.world()
            return lambda: _megabytes(outside, world, begin)

        mine, theirs = alternate(MEMORY_ROUNDS, megabytes(_ours), megabytes(_bare))
    more: dict[str, object] = {"megabytes": mine, "baseline_megabytes": theirs}
    yield Figure("discord_memory_ratio", mine / theirs, BARE, MEMORY_BAR, "at most", more)


def _megabytes(outside: Outside, world: World, begin: Start) -> float:
    with _running(world, begin) as (process, _):
        outside.run(world.met())
        outside.run(world.warm())
        outside.run(world.ask_all(MEMORY_EACH, AT_ONCE))
        outside.run(world.settled())
        return resident(process.pid)


def large_figures() -> Iterator[Figure]:
    """Yield discord_large_start_ratio, to the first answer, and discord_large_memory_ratio: a thousand servers."""
    held: dict[tuple[Start, int], list[float]] = {}
    with Outside() as outside:

        def seconds(begin: Start, large: int) -> Callable[[], float]:
            world, megabytes = outside.world(large), held.setdefault((begin, large), [])
            return lambda: _seconds(outside, world, begin, megabytes)

        ways = [seconds(begin, large) for begin in (_ours, _bare) for large in (LARGE, 0)]
        took = alternate(STARTS, *ways)
    yield _large("discord_large_start_ratio", took, START_BAR)
    yield _large("discord_large_memory_ratio", [median(values) for values in held.values()], LARGE_MEMORY_BAR)


def _large(name: str, measured: Sequence[float], bar: float) -> Figure:
    """Compare what the two take; and, for information, what the servers alone add."""
    ours, ours_empty, bare, bare_empty = measured
    more: dict[str, object] = {"ours": ours, "ours_without": ours_empty, "bare": bare, "bare_without": bare_empty}
    more["added_ratio"] = (ours - ours_empty) / (bare - bare_empty)
    return Figure(name, ours / bare, BARE, bar, "at most", more)


def _seconds(outside: Outside, world: World, begin: Start, held: list[float]) -> float:
    """Return how long it takes from exec to an answer that stands behind all servers; note the memory it then holds."""
    with _running(world, begin) as (process, began):
        outside.run(world.met())
        outside.run(world.ask(world.channels[0]))
        took = time.perf_counter() - began
        time.sleep(READY)
        held.append(resident(process.pid))
        return took
