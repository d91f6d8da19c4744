"""A broadcast to a platform that enforces Telegram's limits, with people who are answered meanwhile; in hurried time.

What waits is the clock, not the machine: the loop's time jumps to the next moment at which anything happens, and the
database takes none of it. So 10,000 prompts at 25 a second need not take seven minutes.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

from sqlalchemy import Connection, create_engine, insert
from sqlalchemy.pool import StaticPool

from bot.core.message import Address, Reply
from bot.core.platform import DeliveryError, Sending
from bot.platforms.telegram.lanes import BROADCASTS_A_SECOND, Lanes
from bot.storage import outbox
from bot.storage.moments import millis
from bot.storage.outbox import Bubble
from bot.storage.tables import METADATA, SUBSCRIPTIONS
from tests.bench.figure import Figure, percentile
from tests.broadcasting import NINE, SPRING, Office, Post
from tests.hurried import hurried

MANY, GROUPS = 10_000, 1_000
ALLOWED, CHAT_SPAN, GROUP_MOST, GROUP_SPAN = 30, 1.0, 20, 60.0  # of core.telegram.org/bots/faq
BEAT = 2.0
PEOPLE, EVERY = 40, 8.0  # so many talk, and each says something in so many seconds
FAST, SLOW = 0.03, 0.12  # seconds that a message takes to get there


class Instant:
    """A store that answers in the same moment, in no thread of its own."""

    def __init__(self) -> None:
        self._engine = create_engine("sqlite://", poolclass=StaticPool)
        with self._engine.begin() as tx:
            METADATA.create_all(tx)

    async def run(self, work: Callable[[Connection], Any]) -> Any:
        """Do `work`."""
        with self._engine.begin() as tx:
            return work(tx)

    read = run


class Strict(Post):
    """Telegram, as its page describes what it refuses; our lanes stand before it."""

    def __init__(self, chance: Random) -> None:
        super().__init__()
        self.lanes = Lanes()
        self.refused = 0
        self.told: list[float] = []
        self.arrived: dict[str, float] = {}
        self.done = asyncio.Event()
        self._chance = chance
        self._all: deque[float] = deque()
        self._chats: dict[str, deque[float]] = {}

    async def send(self, address: Address, reply: Reply, sending: Sending) -> str | None:
        async with self.lanes.passing(int(address.chat), broadcast=reply.broadcast):
            await asyncio.sleep(self._chance.uniform(FAST, SLOW) / 2)
            now = asyncio.get_running_loop().time()
            if self._refuses(address.chat, now):
                self.refused += 1
                self.lanes.refused(int(address.chat), 1)
                raise DeliveryError("told to wait", after=1)
            if reply.broadcast:
                self.told.append(now)
                if len(self.told) == MANY:
                    self.done.set()
            self.arrived[sending.key] = now
            await asyncio.sleep(self._chance.uniform(FAST, SLOW) / 2)
        return sending.key

    def _refuses(self, chat: str, now: float) -> bool:
        recent = self._chats.setdefault(chat, deque(maxlen=GROUP_MOST))
        while self._all and self._all[0] <= now - 1:
            self._all.popleft()
        too_soon = bool(recent) and recent[-1] > now - CHAT_SPAN
        flooded = chat.startswith("-") and len(recent) == GROUP_MOST and recent[0] > now - GROUP_SPAN
        if len(self._all) >= ALLOWED or too_soon or flooded:
            return True
        self._all.append(now)
        recent.append(now)
        return False


def figures() -> Iterator[Figure]:
    """Yield broadcast_refused, broadcast_speed and broadcast_answer_p99_ratio."""
    alone, busy, idle = hurried(_broadcast(talk=False)), hurried(_broadcast(talk=True)), hurried(_idle())
    calm, full = alone.strict, busy.strict
    more: dict[str, object] = {
        "prompts": len(calm.told) + len(full.told),
        "answers": len(full.arrived) - len(full.told),
    }
    baseline = "none: calls that a strict Telegram refuses"
    yield Figure("broadcast_refused", calm.refused + full.refused, baseline, 0, "at most", more)
    rate, together = _rate(calm.told), _rate(sorted(full.arrived.values()))
    pace = f"our pace, {BROADCASTS_A_SECOND} a second of the {ALLOWED} that are allowed"
    told: dict[str, object] = {"a_second": rate, "of_allowed": rate / ALLOWED, "with_answers_a_second": together}
    yield Figure("broadcast_speed", rate / BROADCASTS_A_SECOND, pace, 0.95, more=told)
    mine, theirs = percentile(busy.waits, 0.99), percentile(idle.waits, 0.99)
    waits: dict[str, object] = {"p99_ms": mine * 1000, "idle_p99_ms": theirs * 1000}
    baseline = "the same people, answered while nothing is told"
    yield Figure("broadcast_answer_p99_ratio", mine / theirs, baseline, 1.5, "at most", waits)


def _rate(moments: list[float]) -> float:
    return (len(moments) - 1) / (moments[-1] - moments[0])


class Day(Office):
    """A broadcast on a strict platform, and people who talk."""

    def __init__(self) -> None:
        self.strict = Strict(Random(30))
        super().__init__(Instant(), post=self.strict)  # type: ignore[arg-type]  # it has all that is asked
        self.waits: list[float] = []
        self._began = asyncio.get_running_loop().time()
        self.delivery._clock = self.broadcast._clock = self.later

    def later(self) -> Any:
        """Return the time of the town: it was nine when the loop began."""
        return NINE + timedelta(seconds=asyncio.get_running_loop().time() - self._began)

    async def talk(self, person: int) -> None:
        """Say something now and then, and note how long the answer takes; every other one is a subscriber."""
        loop, chat = asyncio.get_running_loop(), str(MANY * 10 + person)
        await asyncio.sleep(self.strict._chance.uniform(0, EVERY))
        while True:
            began = loop.time()
            answer = Bubble(0, Address("post", chat), Reply("An answer."), "en")
            made = await self.store.run(partial(outbox.add, bubble=answer, now=self.later(), state="waiting"))
            self.delivery.made([made])
            await asyncio.sleep(self.strict._chance.uniform(0.5, 1.5) * EVERY)
            self.waits.append(self.strict.arrived[f"{made.id}.0"] - began)

    async def beats(self) -> None:
        """Do what the metronome would."""
        while True:
            await asyncio.gather(self.broadcast.release(), self.delivery.pick_up(), asyncio.sleep(BEAT))


async def _day() -> Day:
    day = Day()
    day.broadcast._clock = lambda: SPRING
    await day.broadcast.plan()
    await day.approve()
    day.broadcast._clock = day.later
    numbers = [number if number > GROUPS else -number for number in range(1, MANY + 1)]
    common = {"city": "", "language": "en", "since": millis(SPRING)}
    rows = [{"address": f"post:{number}", **common} for number in numbers]
    await day.store.run(lambda tx: tx.execute(insert(SUBSCRIPTIONS), rows).rowcount)
    return day


async def _broadcast(*, talk: bool) -> Day:
    day = await _day()
    await day.broadcast.plan()
    working = [asyncio.create_task(day.beats())]
    working += [asyncio.create_task(day.talk(person)) for person in range(PEOPLE if talk else 0)]
    await day.strict.done.wait()
    return await _ended(day, working)


async def _idle() -> Day:
    day = await _day()
    working = [asyncio.create_task(day.talk(person)) for person in range(PEOPLE)]
    await asyncio.sleep(MANY / BROADCASTS_A_SECOND)
    return await _ended(day, working)


async def _ended(day: Day, working: list["asyncio.Task[None]"]) -> Day:
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)
    await day.delivery.idle()
    return day
