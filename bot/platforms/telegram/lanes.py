"""How fast one token may speak: answers first, then broadcasts; whoever Telegram tells to wait, waits.

Answers take their part of what broadcasts may have in a second, so that both together stay below what is allowed.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from bot.core.platform import DeliveryError

BROADCASTS_A_SECOND = 25  # of the about 30 that core.telegram.org/bots/faq allows
PATIENCE = 0.2  # seconds for which a broadcast lets answers pass; with many of them it would wait for ever
GROUP_MOST, GROUP_SPAN = 20, 60.0  # messages in so many seconds, from the same page
SOON = 10.0  # seconds within which a second refusal is about the bot, not about the chat
REMEMBERED = 20_000


class Lanes:
    """Lets answers pass at once, and broadcasts at their pace while no answer is in the air, and few were of late."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._told = float("-inf")
        self._turn = asyncio.Lock()
        self._recent: deque[float] = deque(maxlen=BROADCASTS_A_SECOND)
        self._answered: deque[float] = deque(maxlen=BROADCASTS_A_SECOND)
        self._answers = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._rests: dict[int, float] = {}
        self._all_rest = self._broadcasts_rest = 0.0
        self._refused = float("-inf")
        self._groups: OrderedDict[int, deque[float]] = OrderedDict()

    @asynccontextmanager
    async def passing(self, chat: int, *, broadcast: bool) -> AsyncIterator[None]:
        """Hold a lane while a message to `chat` is in the air. Raises `DeliveryError` where it must wait longer."""
        if broadcast:
            async with self._turn:  # one at a time: those who waited for an answer must not leave all at once
                await self._room()
        self._heed(chat, broadcast=broadcast)
        if chat < 0:
            await self._group(chat)
        self._recent.append(self._clock())
        if broadcast:
            yield
            return
        self._answered.append(self._clock())
        self._answers += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._answers -= 1
            if not self._answers:
                self._idle.set()

    async def _room(self) -> None:
        """Wait until the last broadcast is long enough ago, and, not for ever, until no answer is in the air."""
        full = self._recent[0] + 1 if len(self._recent) == BROADCASTS_A_SECOND else 0.0
        await asyncio.sleep(max(full, self._told + self._gap()) - self._clock())
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._idle.wait()
        self._told = self._clock()

    def _gap(self) -> float:
        """Return the seconds between two broadcasts: the more answers of late, the more."""
        while self._answered and self._answered[0] <= self._clock() - 1:
            self._answered.popleft()
        return 1 / max(BROADCASTS_A_SECOND - len(self._answered), 1)

    def refused(self, chat: int, seconds: float) -> None:
        """Hear that Telegram wants `seconds` of silence: for broadcasts, for this chat, the second time for all."""
        now = self._clock()
        if now - self._refused < SOON:
            self._all_rest = max(self._all_rest, now + seconds)
        self._refused = now
        self._broadcasts_rest = max(self._broadcasts_rest, now + seconds)
        self._rests = {other: until for other, until in self._rests.items() if until > now}
        self._rests[chat] = max(self._rests.get(chat, 0.0), now + seconds)

    def _heed(self, chat: int, *, broadcast: bool) -> None:
        until = max(self._all_rest, self._rests.get(chat, 0.0), self._broadcasts_rest if broadcast else 0.0)
        if (left := until - self._clock()) > 0:
            raise DeliveryError("told to wait", after=left)

    async def _group(self, chat: int) -> None:
        """Wait until a group has had fewer than twenty messages within the last minute."""
        times = self._groups.setdefault(chat, deque(maxlen=GROUP_MOST))
        self._groups.move_to_end(chat)
        if len(self._groups) > REMEMBERED:
            self._groups.popitem(last=False)
        if len(times) == GROUP_MOST and (left := times[0] + GROUP_SPAN - self._clock()) > 0:
            raise DeliveryError("a group is not flooded", after=left)
        times.append(self._clock())
