"""Campaigns in their hour: what is due becomes rows, and what is due now is let out, as fast as it can be sent."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection

from bot.features.campaigns.due import Due, Run, due, over
from bot.features.campaigns.planned import planned
from bot.features.campaigns.release import as_run, end, release
from bot.features.campaigns.town import Town
from bot.storage import occurrences, runs
from bot.storage.occurrences import Occurrence
from bot.storage.outbox import Bubble
from bot.storage.runs import Key
from bot.storage.store import Store, StoreError

log = logging.getLogger(__name__)

AHEAD = timedelta(hours=48)  # for which is planned
BACK = timedelta(hours=36)  # for which what was planned may still change
LONGEST_AWAY = timedelta(days=31)  # after which nothing is made up any more
NOTICE = timedelta(days=100)  # before its day, a campaign that a town always takes part in begins
AT_ONCE = 300  # prompts that may wait to be sent; more would only fill the memory
STRETCH = 1.8  # seconds that one beat may let out: a little less than what lies between two
PAUSE = 0.02


class Sender(Protocol):
    """What sends bubbles, and says how many it has in hand."""

    @property
    def load(self) -> int:
        """How many bubbles are on their way."""

    def made(self, bubbles: Sequence[Bubble]) -> None:
        """Hear that `bubbles` are durable."""


class Broadcast:
    """Plans and lets out what campaigns say. `towns` knows all towns at this moment, `keeps` who reads rows itself."""

    def __init__(
        self,
        store: Store,
        towns: Callable[[], Mapping[str, Town]],
        sender: Sender,
        clock: Callable[[], datetime],
        keeps: frozenset[str],
    ) -> None:
        self._store = store
        self._towns = towns
        self._sender = sender
        self._clock = clock
        self._keeps = keeps
        self._last = 0
        self._stops = False
        self._letting: asyncio.Task[object] | None = None

    async def stop(self) -> None:
        """Let out no more, and wait until what was just let out is in the sender's hands."""
        self._stops = True
        if self._letting:
            await asyncio.gather(self._letting, return_exceptions=True)

    async def plan(self) -> int:
        """Make the rows of what is due within two days, and of what was due since the last planning; return changes."""
        now, towns = self._clock(), await self._planned()
        known = await self._store.read(lambda tx: {city: runs.of_city(tx, city) for city in towns})
        missing = [
            (key, ends)
            for city, town in towns.items()
            for key, ends in joining(town, {kept.key for kept in known[city]}, now)
        ]
        if missing:
            await self._store.run(lambda tx: [runs.join(tx, key, now, ends) for key, ends in missing])
            known = await self._store.read(lambda tx: {city: runs.of_city(tx, city) for city in towns})
        last = await self._store.read(occurrences.planned_to)
        since = max(min(last or now, now - BACK), now - LONGEST_AWAY)
        taking = {city: [as_run(kept) for kept in found] for city, found in known.items()}
        wanted = await asyncio.to_thread(wanted_of, towns, taking, since, now + AHEAD)
        changed = await self._store.run(lambda tx: _write(tx, wanted, list(towns), since, now))
        if changed:
            log.info("planned changed=%s", changed)
        return changed

    async def release(self) -> int:
        """Let out what is due for as long as a beat lasts and there is room; return to how many.

        Each occurrence has a chunk in its turn, so that a small town need not wait for a large one.
        """
        now = self._clock()
        loop, count = asyncio.get_running_loop(), 0
        end = loop.time() + STRETCH
        if not (waiting := await self._store.read(lambda tx: occurrences.open_(tx, now))):
            return 0
        towns = await self._planned()
        turns = deque(one.id for one in sorted(waiting, key=lambda one: one.id <= self._last))
        while turns and await self._room(end):
            self._last = turns.popleft()
            try:
                more, said = await self._let_out(self._last, towns)
            except StoreError:
                raise
            except Exception as error:  # a text that cannot be worded must not stop what others say
                log.error("not let out occurrence=%s error=%s", self._last, type(error).__name__)
                continue
            count += said
            if more:
                turns.append(self._last)
        return count

    async def _room(self, end: float) -> bool:
        """Wait until the sender has room for more; say whether that was before the beat's `end`."""
        loop = asyncio.get_running_loop()
        while not self._stops and loop.time() < end:
            if self._sender.load < AT_ONCE:
                return True
            await asyncio.sleep(PAUSE)
        return False

    async def _let_out(self, number: int, towns: Mapping[str, Town]) -> tuple[bool, int]:
        """Let out one more chunk; say whether there may be another, and how many heard this one."""
        task = asyncio.create_task(self._write_chunk(number, towns))
        self._letting = task
        return await asyncio.shield(task)  # a beat that is cut short must not forget what was written

    async def _write_chunk(self, number: int, towns: Mapping[str, Town]) -> tuple[bool, int]:
        more, bubbles = await self._store.run(lambda tx: self._chunk(tx, number, towns))
        self._sender.made(bubbles)
        return more, len(bubbles)

    def _chunk(self, tx: Connection, number: int, towns: Mapping[str, Town]) -> tuple[bool, list[Bubble]]:
        """Let out one more chunk; say also whether there may be another."""
        one, now = occurrences.at(tx, number), self._clock()
        if one is None:
            return False, []
        if one.city not in towns:
            if now >= one.until:
                end(tx, one, why="gone")
            return False, []
        bubbles = release(tx, towns[one.city], one, self._keeps, now)
        after = occurrences.at(tx, number)
        return after is not None and after.state == "telling" and after.reached != one.reached, bubbles

    async def _planned(self) -> Mapping[str, Town]:
        """Return the towns as they plan by now."""
        towns = self._towns()
        settings = await self._store.read(lambda tx: runs.settings(tx, towns))
        return {city: planned(town, settings.get(city, {})) for city, town in towns.items()}


def joining(town: Town, known: set[Key], now: datetime) -> list[tuple[Key, datetime]]:
    """Return the campaigns that a town is to take part in from now on, as it always does, and when each is over."""
    found: list[tuple[Key, datetime]] = []
    today = town.today(now)
    for name, campaign in town.campaigns[town.first].items():
        if name not in town.planning.join:
            continue
        for year in (today.year, today.year + 1):
            key = Key(town.id, name, year)
            days = [day for day in campaign.day.in_year(year) if today <= day <= today + NOTICE]
            if days and key not in known:
                found.append((key, over(days[-1])))
    return found


def wanted_of(
    towns: Mapping[str, Town], taking: Mapping[str, Sequence[Run]], since: datetime, until: datetime
) -> list[Occurrence]:
    """Return what is due in all towns from `since` on and before `until`."""
    return [
        _as_row(city, one)
        for city, town in towns.items()
        for one in due(town.campaigns[town.first], town.steps[town.first], taking[city], town.hours, since, until)
    ]


def _as_row(city: str, one: Due) -> Occurrence:
    return Occurrence(0, one.campaign, city, one.year, one.message, one.day, one.audience, one.at, one.until)


def _write(tx: Connection, wanted: Sequence[Occurrence], cities: Sequence[str], since: datetime, now: datetime) -> int:
    changed = occurrences.plan(tx, wanted, cities, since, now + AHEAD, now)
    occurrences.note_planned(tx, now)
    return changed
