"""Send bubbles: at once, one lane per address, in row order; what a dead process left behind is picked up."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.core.fit import fit
from bot.core.message import Address
from bot.core.platform import DeliveryError, Platform
from bot.storage import outbox
from bot.storage.outbox import Bubble
from bot.storage.store import Store, StoreError

log = logging.getLogger(__name__)

MARK_EVERY = 0.1  # seconds: "sent" marks are written in batches
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 600.0
LEFTOVERS = 200
_PERMANENT = "dead"


class Delivery:
    """Carries bubbles from their rows to the platforms and writes back how it went."""

    def __init__(self, store: Store, platforms: Mapping[str, Platform], clock: Callable[[], datetime]) -> None:
        self._store = store
        self._platforms = platforms
        self._clock = clock
        self._lanes: dict[Address, deque[Bubble]] = {}
        self._tasks: dict[Address, asyncio.Task[None]] = {}
        self._marks: list[Callable[[Connection], None]] = []
        self._marking: asyncio.Task[None] | None = None

    def made(self, bubbles: Sequence[Bubble]) -> None:
        """Hear that `bubbles` are durable, and begin to send them."""
        for bubble in bubbles:
            platform = self._platforms.get(bubble.where.platform)
            if platform and platform.pulls:
                platform.made(bubble.where)
            elif platform:
                self._line_up(bubble)

    async def pick_up(self) -> int:
        """Send what nobody holds: rows of a process that died, and those that were put off."""
        now, names = self._clock(), [name for name, platform in self._platforms.items() if not platform.pulls]
        left = await self._store.run(lambda tx: outbox.claim(tx, names, now, LEFTOVERS)) if names else []
        for bubble in left:
            self._line_up(bubble)
        return len(left)

    async def idle(self) -> None:
        """Wait until everything lined up was tried and its mark is written."""
        while self._tasks or self._marking:
            await asyncio.gather(*self._tasks.values(), *filter(None, [self._marking]))

    def _line_up(self, bubble: Bubble) -> None:
        lane = self._lanes.get(bubble.where)
        if lane is not None:
            lane.append(bubble)
            return
        self._lanes[bubble.where] = deque([bubble])
        self._tasks[bubble.where] = asyncio.create_task(self._drive(bubble.where))

    async def _drive(self, where: Address) -> None:
        lane = self._lanes[where]
        while lane:
            await self._send(lane.popleft())
        del self._lanes[where], self._tasks[where]

    async def _send(self, bubble: Bubble) -> None:
        platform = self._platforms[bubble.where.platform]
        try:
            ref = await self._send_parts(platform, bubble)
        except DeliveryError as error:
            self._failed(bubble, error)
        except Exception as error:  # an adapter's mistake must not stop the lane
            log.error("delivery broken bubble=%s error=%s", bubble.id, type(error).__name__)
            self._failed(bubble, DeliveryError("broken"))
        else:
            self._mark(lambda tx: outbox.settle(tx, bubble.id, "sent", ref))

    async def _send_parts(self, platform: Platform, bubble: Bubble) -> str | None:
        """Send each part of a bubble; return the ref of the first, which a later edit needs."""
        first: str | None = None
        for number, part in enumerate(fit(bubble.reply, platform.limits(bubble.where))):
            edit = bubble.edit if number == 0 else None
            ref = await platform.send(bubble.where, part, f"{bubble.id}.{number}", edit)
            first = first if number else ref
        return first

    def _failed(self, bubble: Bubble, error: DeliveryError) -> None:
        if error.permanent:
            log.info("undeliverable bubble=%s why=%s", bubble.id, error.why)
            self._mark(lambda tx: outbox.settle(tx, bubble.id, _PERMANENT, None))
            return
        pause = error.after or min(FIRST_PAUSE * 2**bubble.tries, LONGEST_PAUSE)
        until = self._clock() + timedelta(seconds=pause)
        self._mark(lambda tx: outbox.put_off(tx, bubble.id, until))

    def _mark(self, mark: Callable[[Connection], None]) -> None:
        self._marks.append(mark)
        if self._marking is None:
            self._marking = asyncio.create_task(self._write_marks())

    async def _write_marks(self) -> None:
        await asyncio.sleep(MARK_EVERY)
        marks, self._marks, self._marking = self._marks, [], None
        try:
            await self._store.run(lambda tx: [mark(tx) for mark in marks])
        except StoreError as error:  # the rows stay leased and are tried again later
            log.error("marks not written count=%s error=%s", len(marks), type(error).__name__)
