"""Rough days on Telegram: everybody at once, and a process that is killed again and again."""

import asyncio
import re
import sqlite3
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from bot.platforms.telegram.updates import MOST_IN_FLIGHT
from bot.storage.migrate import migrate
from tests.bench.figure import Figure
from tests.bench.memory import resident
from tests.bench.telegram import hooked
from tests.bench.telegram_bare import until
from tests.bench.telegram_outside import COMMAND, PATIENCE, Hook, Line, Outside, update

CROWD, LINES = 10_000, 400
TO_NEWCOMERS = 2  # messages: that this is an automated assistant, and the answer
AGAIN = 0.25  # seconds after which the generator posts what was refused again
HELD = 1.5  # seconds for which nothing can be written, while everybody writes
KILLS, VOICES = 20, 50
SOONEST, LATEST = 0.1, 0.6  # seconds of load before a kill
NOTHING = "none: what was acknowledged and left no trace"
_LETTERS = "bcdfghjklm"
_WORD = re.compile(r"xq[bcdfghjklm]{6}zw")


def figures() -> Iterator[Figure]:
    """Yield telegram_flood_lost and telegram_flood_in_flight, telegram_kill_lost and telegram_kill_twice."""
    yield from flood_figures()
    yield from kill_figures()


@dataclass
class Flood:
    """Updates on their way; what is refused is posted again. `open` counts the posts that have no answer yet."""

    waiting: deque[bytes]
    refused: int = 0
    open: int = 0

    async def pour(self, hook: Hook) -> None:
        """Post everything over all lines at once, until it is acknowledged."""
        lines = [await Line.to(hook.port) for _ in range(LINES)]
        await asyncio.gather(*(self._drain(line) for line in lines))
        for line in lines:
            line.transport.close()

    async def _drain(self, line: Line) -> None:
        while self.waiting:
            request = self.waiting.popleft()
            self.open += 1
            status = await line.ask(request)
            self.open -= 1
            if status == 503:
                self.refused += 1
                self.waiting.append(request)
                await asyncio.sleep(AGAIN)
            elif status != 200:
                raise RuntimeError(f"the webhook answered {status}")

    def watch(self, seconds: float) -> int:
        """Return how many posts stayed without an answer while nothing could be written."""
        time.sleep(seconds / 2)
        samples = []
        for _ in range(50):
            time.sleep(seconds / 100)
            samples.append(self.open)
        return min(samples)


def flood_figures() -> Iterator[Figure]:
    """Ten thousand chats write at once, at a moment at which the database is locked by somebody else."""
    with _folder() as database, Outside() as outside, hooked(outside, database) as (served, hook):
        chats = range(1, CROWD + 1)
        flood = Flood(deque(hook.post(update(chat, COMMAND)[1]) for chat in chats))
        before, began = resident(served.process.pid), time.perf_counter()
        with _locked(database):
            pouring = outside.begin(flood.pour(hook))
            in_flight = flood.watch(HELD)
        pouring.result(PATIENCE)
        taken = time.perf_counter() - began
        grown = resident(served.process.pid) - before
        lost = _unanswered(outside, chats, served.process)
        more: dict[str, object] = {"acknowledged_s": taken, "answered_s": time.perf_counter() - began}
        more |= {"refused": flood.refused, "grown_mb": grown, "grown_after_mb": resident(served.process.pid) - before}
        more |= {"doubled": len(outside.messages) - TO_NEWCOMERS * CROWD + lost}
        lost += CROWD - _ask(database, "SELECT count(*) FROM seen")[0][0]
    yield Figure("telegram_flood_lost", lost, NOTHING, 0, "at most", more)
    yield Figure("telegram_flood_in_flight", in_flight, "none: posts without an answer", MOST_IN_FLIGHT, "at most")


def _unanswered(outside: Outside, chats: Sequence[int], process: Any) -> int:
    """Return how many chats did not get both messages, once nothing more comes."""
    try:
        until(lambda: len(outside.messages) >= TO_NEWCOMERS * len(chats), process, PATIENCE)
    except RuntimeError:
        outside.settled()
    got = Counter(chat for chat, _ in outside.messages)
    return sum(got[chat] < TO_NEWCOMERS for chat in chats)


@dataclass
class Kills:
    """Words that are looked up in vain, one for each update: what became of each can be read in the database."""

    outside: Outside
    chance: Random
    numbers: Iterator[int] = field(default_factory=count)
    sent: dict[str, bytes] = field(default_factory=dict)
    waiting: dict[int, deque[str]] = field(default_factory=lambda: {voice: deque() for voice in range(1, VOICES + 1)})
    acknowledged: set[str] = field(default_factory=set)

    async def load(self, hook: Hook, *, more: bool = True) -> None:
        """Post what waits, then new words for ever, unless no `more` are wanted, until the process dies."""
        await asyncio.gather(*(self._speak(hook, voice, more) for voice in self.waiting))

    async def _speak(self, hook: Hook, voice: int, more: bool) -> None:
        waiting, line = self.waiting[voice], await Line.to(hook.port)
        try:
            while waiting or more:
                if not waiting:
                    waiting.append(self._word(voice))
                if await line.ask(hook.post(self.sent[waiting[0]])) == 200:
                    self.acknowledged.add(waiting.popleft())
        except ConnectionError:
            return  # it was killed; what waits is posted to the next one
        finally:
            line.transport.close()

    def _word(self, voice: int) -> str:
        word = f"xq{''.join(_LETTERS[int(digit)] for digit in f'{next(self.numbers):06}')}zw"
        _, self.sent[word] = update(voice, f"/term {word}")
        return word


def kill_figures() -> Iterator[Figure]:
    """Kill it twenty times during load; then read what is there, and what was told to people."""
    with _folder() as database, Outside() as outside:
        kills = Kills(outside, Random(20))
        for _ in range(KILLS):
            with hooked(outside, database) as (served, hook):
                loading = outside.begin(kills.load(hook))
                time.sleep(kills.chance.uniform(SOONEST, LATEST))
                served.kill()
                loading.result(60)
        early = len(kills.acknowledged)
        gone = kills.acknowledged - set(_bubbles(database))
        _a_minute_later(database)
        with hooked(outside, database) as (served, hook):
            outside.run(kills.load(hook, more=False))
            until(lambda: not _ask(database, "SELECT 1 FROM bubbles WHERE state = 'waiting' LIMIT 1"), served.process)
        yield from _kill_told(kills, database, early, len(gone))


def _kill_told(kills: Kills, database: Path, early: int, gone: int) -> list[Figure]:
    bubbles = _bubbles(database)
    told = Counter(_WORD.findall(body.decode())[0] for _, body in kills.outside.messages if b"zw" in body)
    missing = [word for word in kills.acknowledged if bubbles[word] != 1 or not told[word]]
    seen = _ask(database, "SELECT count(*) FROM seen")[0][0]
    twice = sum(many > 1 for many in bubbles.values()) + seen - len(kills.acknowledged)
    more: dict[str, object] = {"acknowledged": len(kills.acknowledged), "before_the_last_kill": early, "kills": KILLS}
    more |= {"messages_doubled": sum(many - 1 for many in told.values() if many > 1)}
    return [
        Figure("telegram_kill_lost", gone + len(missing), NOTHING, 0, "at most", more),
        Figure("telegram_kill_twice", twice, "none: updates that had their effect twice", 0, "at most"),
    ]


def _bubbles(database: Path) -> Counter[str]:
    """Return how many bubbles speak of each word."""
    rows = _ask(database, "SELECT reply FROM bubbles")
    return Counter(word for (reply,) in rows for word in set(_WORD.findall(reply)))


def _a_minute_later(database: Path) -> None:
    """Let the leases of the dead run out; all who held one are dead."""
    with closing(sqlite3.connect(database)) as raw, raw:
        raw.execute("UPDATE bubbles SET lease = lease - 60000 WHERE state = 'waiting'")


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="hearsay-bench-") as folder:
        migrate(Path(folder) / "hearsay.db")
        yield Path(folder) / "hearsay.db"


@contextmanager
def _locked(database: Path) -> Iterator[None]:
    with closing(sqlite3.connect(database, isolation_level=None)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        yield
        raw.execute("ROLLBACK")


def _ask(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as raw:
        return raw.execute(query).fetchall()
