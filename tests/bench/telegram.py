"""Telegram through its webhook, sockets and storage and all, against bots that do less, or the same as is usual."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.bench.figure import Figure, alternate
from tests.bench.memory import resident
from tests.bench.telegram_bare import bare, child, until
from tests.bench.telegram_outside import COMMAND, TOKEN, Hook, Outside, update
from tests.serving import END, Served, end, serving, start

AT_ONCE = 50
CHATS = range(1, AT_ONCE + 1)
EACH, NAIVELY = 30, 4  # updates of each chat in one round
ROUNDS = 7
ECHO_BAR, AIOGRAM_BAR, P99_BAR, NAIVE_BAR = 0.25, 0.8, 1.0, 6.0
ECHO = "Starlette + aiohttp: webhook in, sendMessage out, nothing kept"
AIOGRAM = "aiogram's echo on its own aiohttp webhook, acknowledged before it is handled, nothing kept"
NAIVE = "python-telegram-bot as it comes, behind Starlette, with the async ORM on aiosqlite for each update"
MEMORY_UPDATES, MEMORY_ROUNDS, MEMORY_BAR = 1_000, 3, 1.6
POLLING = "python-telegram-bot's Application, which polls and says everything again"
PUBLIC = "https://example.invalid"


def figures() -> Iterator[Figure]:
    """Yield telegram_path_ratio and its sisters."""
    slowest: dict[str, list[float]] = {}
    with Outside() as outside, _bots(outside) as hooks:

        def rate(name: str, each: int) -> Callable[[], float]:
            def measure() -> float:
                pace = outside.pace(hooks[name], CHATS, each)
                slowest.setdefault(name, []).append(pace.p99)
                return pace.rate

            return measure

        for hook in hooks.values():
            outside.warm(hook, CHATS)
        names = {"ours": EACH, "starlette": EACH, "aiogram": EACH, "naive": NAIVELY}
        rates = alternate(ROUNDS, *(rate(name, each) for name, each in names.items()))
    yield from _told(rates, slowest)


def _told(rates: Sequence[float], slowest: Mapping[str, list[float]]) -> list[Figure]:
    ours, echo, aiogram, naive = rates
    our_p99, their_p99 = median(slowest["ours"]), median(slowest["aiogram"])

    def ratio(name: str, theirs: float, baseline: str, bar: float) -> Figure:
        return Figure(name, ours / theirs, baseline, bar, more={"updates_s": ours, "baseline_s": theirs})

    waits: dict[str, object] = {"p99_ms": our_p99, "baseline_p99_ms": their_p99}
    return [
        ratio("telegram_path_ratio", echo, ECHO, ECHO_BAR),
        ratio("telegram_aiogram_ratio", aiogram, AIOGRAM, AIOGRAM_BAR),
        Figure("telegram_aiogram_p99_ratio", our_p99 / their_p99, AIOGRAM, P99_BAR, "at most", waits),
        ratio("telegram_naive_ratio", naive, NAIVE, NAIVE_BAR),
    ]


@contextmanager
def _bots(outside: Outside) -> Iterator[dict[str, Hook]]:
    """Start all bots; yield where each is posted to."""
    with (
        hooked(outside) as (_, ours),
        bare("starlette", outside.url) as echo,
        bare("aiogram", outside.url) as aiogram,
        bare("naive", outside.url) as naive,
    ):
        yield {"ours": ours, "starlette": Hook(echo), "aiogram": Hook(aiogram), "naive": Hook(naive)}


@contextmanager
def hooked(outside: Outside, database: Path | None = None) -> Iterator[tuple[Served, Hook]]:
    """Start `hearsay run` with a webhook; yield it, and where it is posted to, when it has told the Bot API."""
    outside.stub.hook = None
    settings = {"telegram_token": TOKEN, "telegram_api": outside.url, "telegram_webhook": PUBLIC}
    with serving(database, **settings) as served:
        until(lambda: outside.stub.hook is not None, served.process)
        assert outside.stub.hook
        yield served, Hook(served.port, *outside.stub.hook)


def memory_figures() -> Iterator[Figure]:
    """Yield telegram_memory_ratio: resident memory after a thousand updates that were polled for; the web is off."""
    ours, theirs = [], []
    with Outside() as outside:
        for _ in range(MEMORY_ROUNDS):
            ours.append(_our_memory(outside))
            theirs.append(_their_memory(outside))
    more: dict[str, object] = {"megabytes": median(ours), "baseline_megabytes": median(theirs)}
    yield Figure("telegram_memory_ratio", median(ours) / median(theirs), POLLING, MEMORY_BAR, "at most", more)


def _our_memory(outside: Outside) -> float:
    with TemporaryDirectory(prefix="hearsay-bench-") as name:
        folder = Path(name)
        settings = {"web": "false", "telegram_token": TOKEN, "telegram_api": outside.url}
        process = start(folder / "hearsay.db", folder / "output", **settings)
        try:
            _feed(outside, MEMORY_UPDATES + AT_ONCE, lambda so: until(so, process))
            return resident(process.pid)
        finally:
            end(process)


def _their_memory(outside: Outside) -> float:
    process = child("tests.bench.telegram_bare", "poll", "0", outside.url, "")
    try:
        _feed(outside, MEMORY_UPDATES, lambda so: until(so, process))
        return resident(process.pid)
    finally:
        process.kill()
        process.wait(END)


def _feed(outside: Outside, messages: int, wait: Callable[[Callable[[], bool]], None]) -> None:
    """Let the bot poll a thousand updates, and wait for so many `messages`."""
    outside.messages.clear()
    chats = count()
    outside.stub.updates = [update(CHATS[next(chats) % AT_ONCE], COMMAND) for _ in range(MEMORY_UPDATES)]
    wait(lambda: len(outside.messages) >= messages)
