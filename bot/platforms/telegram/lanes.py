"""How fast one token may speak: answers first, then broadcasts; whoever Telegram tells to wait, waits."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiolimiter import AsyncLimiter

from bot.core.platform import DeliveryError

BROADCASTS_A_SECOND = 25  # of the about 30 that core.telegram.org/bots/faq allows
GROUP_MOST, GROUP_SPAN = 20, 60.0  # messages in so many seconds, from the same page
SOON = 10.0  # seconds within which a second refusal is about the bot, not about the chat
REMEMBERED = 20_000


class Lanes:
    """Lets answers pass at once, and broadcasts at their pace while no answer is in the air."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._pace = AsyncLimiter(1, 1 / BROADCASTS_A_SECOND)
        self._turn = asyncio.Lock()
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
                await self._pace.acquire()
                await self._idle.wait()
        self._heed(chat, broadcast=broadcast)
        if chat < 0:
            await self._group(chat)
        if broadcast:
            yield
            return
        self._answers += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._answers -= 1
            if not self._answers:
                self._idle.set()

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
