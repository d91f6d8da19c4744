"""Send bubbles: at once, in row order at each address; what a dead process left behind is picked up.

What is told to many has lanes of its own, a few at a time: nobody's answer waits behind a prompt.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from typing import TypeVar

from sqlalchemy import Connection

from bot.core.fit import fit
from bot.core.message import Address, Message
from bot.core.platform import DeliveryError, Platform, Sending
from bot.storage import outbox, sessions
from bot.storage.moments import millis
from bot.storage.outbox import LEASE, Bubble
from bot.storage.store import Store, StoreError
from bot.talk.assistant import Turn

log = logging.getLogger(__name__)

T = TypeVar("T")
Lane = tuple[Address, bool]
"""An address, and whether it is the lane of campaign prompts there."""
Mark = tuple[int, Callable[[Connection, Bubble], Bubble | None]]
"""The id of a bubble and what to write of it, which returns the bubble as it is held from then on."""

MARK_EVERY = 0.05  # seconds: "sent" marks are written in batches
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 600.0
DOUBT_PAUSE = 10.0  # seconds at least before what may have arrived is sent again
MOST_DOUBTS = 2  # times that what may have arrived is sent again: three copies at the most
LEFTOVERS = 200
MOST_RESTING = 10_000
SIDE_BY_SIDE = 8  # prompts in the air at a time on each platform: 25 a second that take a third of one each
FRESH = 1.0  # seconds for which a row that was just written need not be looked at again
_PERMANENT = "dead"


class Delivery:
    """Carries bubbles from their rows to the platforms and writes back how it went.

    A lane is a heap of ids. A lane whose first bubble could not be sent yet rests as a whole until a beat after its
    moment, so that nothing overtakes. What stands in `_held` is this process's own until its mark is written.
    A prompt waits at its platform's gate until it may be in the air.
    """

    def __init__(self, store: Store, platforms: Mapping[str, Platform], clock: Callable[[], datetime]) -> None:
        self._store = store
        self._platforms = platforms
        self._clock = clock
        self._held: dict[int, Bubble] = {}
        self._doubts: dict[int, int] = {}
        self._parts: dict[int, list[str | None]] = {}
        self._lanes: dict[Lane, list[int]] = {}
        self._rests: dict[Lane, datetime] = {}
        self._tasks: dict[Lane, asyncio.Task[None]] = {}
        self._gates = {name: asyncio.Semaphore(SIDE_BY_SIDE) for name in platforms}
        self._stops = False
        self._beat = clock()
        self._partings: set[asyncio.Task[None]] = set()
        self._marks: list[Mark] = []
        self._marking: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()  # a lease that is compared must not be one that is being renewed

    @property
    def load(self) -> int:
        """How many bubbles are on their way; those of lanes that rest count only when they are very many."""
        resting = sum(len(self._lanes[lane]) for lane in self._rests)
        return len(self._held) if resting > MOST_RESTING else len(self._held) - resting

    def made(self, bubbles: Sequence[Bubble]) -> None:
        """Hear that `bubbles` are durable, and begin to send them."""
        for bubble in bubbles:
            platform = self._platforms.get(bubble.where.platform)
            if platform and platform.pulls:
                platform.made(bubble.where)
            elif platform:
                self._line_up(bubble, new=True)

    def part(self, message: Message, turn: Turn) -> None:
        """Send the last words of a conversation that is forgotten: they have no rows, so one try must do."""
        platform = self._platforms.get(message.where.platform)
        if platform and not platform.pulls:
            self._partings.add(asyncio.create_task(self._part(platform, message, turn)))

    async def pick_up(self) -> int:
        """Send what waited for its moment and what nobody holds, rows of a process that died; return how many."""
        now, names = self._clock(), [name for name, platform in self._platforms.items() if not platform.pulls]
        if not names:
            return 0
        self._follow(now)
        self._renew(now)
        claim = partial(outbox.claim, platforms=names, now=now, most=LEFTOVERS)
        left = await asyncio.shield(self._write(claim))  # a beat that is cut short must not forget what was written
        woken = self._wake(now)
        for bubble in left:
            self._line_up(bubble)
        return woken + len(left)

    async def idle(self) -> None:
        """Wait until everything lined up was tried and its mark is written."""
        while self._tasks or self._marking or self._partings:
            await asyncio.gather(*self._tasks.values(), *self._partings, *filter(None, [self._marking]))
            self._partings = {task for task in self._partings if not task.done()}

    async def stop(self) -> None:
        """Finish what is in the air; prompts that only wait for it are given back, for whoever sends them next."""
        self._stops = True
        await self.idle()

    def _follow(self, now: datetime) -> None:
        """Let lanes rest as long as they were to where the clock was set back since the last beat."""
        if (back := self._beat - now) > timedelta(0):
            self._rests = {lane: until - back for lane, until in self._rests.items()}
        self._beat = now

    async def _part(self, platform: Platform, message: Message, turn: Turn) -> None:
        where = message.where
        for number, reply in enumerate(turn.farewell):
            for piece, part in enumerate(fit(reply, platform.limits(where))):
                key = f"farewell.{message.key}.{number}.{piece}"
                sending = Sending(key, cause=message.key, language=turn.language)
                await _once(platform.send(where, part, sending))
        if turn.leave:
            await _once(platform.leave(where))

    def _line_up(self, bubble: Bubble, *, new: bool = False) -> None:
        lane, known = _lane(bubble), bubble.id in self._held
        self._held[bubble.id] = bubble
        if known:
            return
        heappush(self._lanes.setdefault(lane, []), bubble.id)
        if lane in self._rests:
            self._mark(bubble.id, partial(outbox.hold, until=self._lease(lane)))
        elif lane not in self._tasks:
            self._start(lane, new=new and not bubble.reply.slot)

    def _start(self, lane: Lane, *, new: bool = False) -> None:
        self._tasks[lane] = asyncio.create_task(self._drive(lane, new=new))

    async def _drive(self, lane: Lane, *, new: bool) -> None:
        """Send what is in a lane; only its first bubble can be `new`, so that its row need not be looked at."""
        waiting, prompts = self._lanes[lane], lane[1]
        while waiting and lane not in self._rests:
            number = heappop(waiting)
            await (self._pass(number, lane, new=new) if prompts else self._send(number, lane, new=new))
            new = False
        if not waiting:
            del self._lanes[lane]
        del self._tasks[lane]

    async def _pass(self, number: int, lane: Lane, *, new: bool) -> None:
        """Send a prompt as soon as few enough are in the air; give it back where none is to go up any more."""
        loop = asyncio.get_running_loop()
        came = loop.time()
        async with self._gates[lane[0].platform]:
            if self._stops:
                self._mark(number, partial(_give_back, now=self._clock()))
            else:
                await self._send(number, lane, new=new and loop.time() - came < FRESH)

    def _wake(self, now: datetime) -> int:
        """Drive on the lanes whose moment has come; return how many bubbles are in them."""
        over = [lane for lane, until in self._rests.items() if until <= now]
        for lane in over:
            del self._rests[lane]
            self._start(lane)
        return sum(len(self._lanes[lane]) for lane in over)

    async def _send(self, number: int, lane: Lane, *, new: bool) -> None:
        try:
            bubble = self._held[number] if new else await self._current(number)
            if bubble is None:
                return
            if bubble.where != lane[0]:  # it moved while it waited
                self._readdress(number, lane, bubble.where)
                return
            if bubble.until and bubble.until <= millis(self._clock()):
                self._settle(number, _PERMANENT, why="late")
                return
            ref = await self._send_parts(bubble)
        except DeliveryError as error:
            if error.moved:
                await self._move(number, lane, error.moved)
            else:
                self._failed(number, lane, error)
        except StoreError:
            self._rest(number, lane, FIRST_PAUSE)
        except Exception as error:  # an adapter's mistake must not stop the lane: what comes after it overtakes it
            log.error("delivery broken bubble=%s error=%s", number, type(error).__name__)
            self._mark(number, partial(_let_go, until=self._clock() + timedelta(seconds=self._pause(number))))
        else:
            self._settle(number, "sent", ref=ref, why="reached")

    async def _current(self, number: int) -> Bubble | None:
        """Look at the row of a bubble that is about to be sent; None, and no longer held, where it is not to be."""
        if self._marks and self._held[number].reply.slot:
            await self._write(_nothing)  # the older bubble's ref may be among the marks
        async with self._writing:
            bubble = await self._store.read(partial(outbox.current, bubble=self._held[number]))
            if bubble:
                self._held[number] = bubble
            else:
                del self._held[number]
        return bubble

    async def _send_parts(self, bubble: Bubble) -> str | None:
        """Send each part of a bubble; return the ref of the first, which a later edit needs."""
        platform = self._platforms[bubble.where.platform]
        refs = self._parts.setdefault(bubble.id, [])  # those of an earlier try need not be sent again
        for number, part in list(enumerate(fit(bubble.reply, platform.limits(bubble.where))))[len(refs) :]:
            edit = bubble.edit if number == 0 else None
            sending = Sending(f"{bubble.id}.{number}", bubble.turn, edit, bubble.cause, bubble.language)
            refs.append(await platform.send(bubble.where, part, sending))
        return refs[0]

    async def _move(self, number: int, lane: Lane, new: Address) -> None:
        """Follow a conversation that has a new address, and send there what was lined up for the old one."""
        try:
            await self._write(partial(sessions.move, old=lane[0], new=new))
        except StoreError:
            self._rest(number, lane, FIRST_PAUSE)
        else:
            self._readdress(number, lane, new)

    def _readdress(self, number: int, lane: Lane, new: Address) -> None:
        for waiting in [number, *self._lanes[lane]]:
            bubble = replace(self._held.pop(waiting), where=new, cause=None)  # its message has another number there
            self._line_up(bubble)
        self._lanes[lane].clear()

    def _failed(self, number: int, lane: Lane, error: DeliveryError) -> None:
        if error.permanent or (error.unknown and self._doubted(number)):
            log.info("undeliverable bubble=%s why=%s", number, error.why)
            self._settle(number, _PERMANENT, why=error.lost or "other")
        else:
            pause = DOUBT_PAUSE if error.unknown else 0.0
            self._rest(number, lane, error.after or max(pause, self._pause(number)))

    def _settle(self, number: int, state: str, *, why: str, ref: str | None = None) -> None:
        self._mark(number, partial(outbox.settle, state=state, ref=ref, why=why, now=self._clock()))

    def _doubted(self, number: int) -> bool:
        """Count a try after which a bubble may have arrived; say whether these are too many to try again."""
        self._doubts[number] = self._doubts.get(number, 0) + 1
        return self._doubts[number] > MOST_DOUBTS

    def _pause(self, number: int) -> float:
        return float(min(FIRST_PAUSE * 2 ** self._held[number].tries, LONGEST_PAUSE))

    def _rest(self, number: int, lane: Lane, pause: float) -> None:
        """Put a lane off, from the bubble that could not be sent on."""
        self._rests[lane] = self._clock() + timedelta(seconds=pause)
        until = self._lease(lane)
        self._mark(number, partial(outbox.put_off, until=until))
        for later in self._lanes[lane]:
            self._mark(later, partial(outbox.hold, until=until))
        heappush(self._lanes[lane], number)

    def _lease(self, lane: Lane) -> datetime:
        """Return until when a lane is to be held: the same moment for all that is in it, so that it keeps its order."""
        now = self._clock()
        return max(now, self._rests.get(lane, now)) + LEASE

    def _renew(self, now: datetime) -> None:
        """Hold on to what still waits in a lane, or is in the air, when half of its lease is over."""
        self._doubts = {number: count for number, count in self._doubts.items() if number in self._held}
        self._parts = {number: refs for number, refs in self._parts.items() if number in self._held}
        soon, marked = millis(now + LEASE / 2), {number for number, _ in self._marks}
        for number, bubble in self._held.items():
            if bubble.lease < soon and number not in marked:
                self._marks.append((number, partial(outbox.hold, until=self._lease(_lane(bubble)))))

    def _mark(self, number: int, mark: Callable[[Connection, Bubble], Bubble | None]) -> None:
        self._marks.append((number, mark))
        if self._marking is None:
            self._marking = asyncio.create_task(self._write_marks())

    async def _write_marks(self) -> None:
        try:
            while self._marks:
                await asyncio.sleep(MARK_EVERY)
                await self._write(_nothing)
        except StoreError as error:  # the marks wait for the next mark or beat; nobody else sends these rows till then
            log.error("marks not written count=%s error=%s", len(self._marks), type(error).__name__)
        finally:
            self._marking = None

    async def _write(self, work: Callable[[Connection], T]) -> T:
        """Write the marks, then do `work`, in one commit; a mark that cannot be written is kept."""
        async with self._writing:
            marks, self._marks = self._marks, []
            held = {number: self._held[number] for number, _ in marks if number in self._held}
            try:
                after, done = await self._store.run(lambda tx: (_apply(tx, marks, held), work(tx)))
            except StoreError:
                self._marks[:0] = marks
                raise
            for number, bubble in after.items():
                if bubble:
                    self._held[number] = bubble
                else:
                    del self._held[number]
            return done


async def _once(asking: Awaitable[object]) -> None:
    """Await what has no row, and hence no second try."""
    try:
        await asking
    except DeliveryError as error:
        log.info("farewell not said why=%s", error.why)


def _apply(tx: Connection, marks: Sequence[Mark], held: Mapping[int, Bubble]) -> dict[int, Bubble | None]:
    """Write `marks`; return each bubble as it is held afterwards, None where it is settled."""
    after: dict[int, Bubble | None] = dict(held)
    for number, mark in marks:
        if bubble := after.get(number):
            after[number] = mark(tx, bubble)
    return after


def _lane(bubble: Bubble) -> Lane:
    return bubble.where, bubble.prompt is not None


def _give_back(tx: Connection, bubble: Bubble, now: datetime) -> None:
    """Hold a bubble no longer, as if nobody had ever had it in hand."""
    outbox.hold(tx, bubble, now)


def _let_go(tx: Connection, bubble: Bubble, until: datetime) -> None:
    """Put a bubble off and hold it no longer; whoever claims it first tries again."""
    outbox.put_off(tx, bubble, until)


def _nothing(tx: Connection) -> None:
    """Do nothing beside the marks."""
