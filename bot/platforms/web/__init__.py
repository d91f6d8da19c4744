"""The web chat: no account, usable without JavaScript, live with it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

from bot.core.message import Address, Reply
from bot.core.platform import DeliveryError, Limits, Sending
from bot.platforms import limits
from bot.storage import outbox
from bot.storage.outbox import Bubble
from bot.storage.store import Store, StoreError

NAME = "web"
SHOWN = 50
LOOK_EVERY = 0.25  # seconds between looks for bubbles that another process wrote
BREATH = 15.0  # seconds of silence after which a stream says that it lives


class Web:
    """Wakes the streams of a conversation when it has new bubbles, whichever process wrote them."""

    name = NAME
    pulls = True

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: dict[Address, set[asyncio.Event]] = defaultdict(set)
        self._gone: set[asyncio.Event] = set()
        self._last = self._before = 0
        self._open = True

    @property
    def is_open(self) -> bool:
        """Whether streams go on."""
        return self._open

    def limits(self, address: Address) -> Limits:  # noqa: ARG002  # one page is like another
        """Return what a page can show."""
        return limits.WEB

    async def send(self, address: Address, reply: Reply, sending: Sending) -> str | None:  # noqa: ARG002
        """Never called: pages read their bubbles."""
        raise DeliveryError("pages read their bubbles themselves", permanent=True)

    async def leave(self, address: Address) -> None:
        """Do nothing: nobody is invited to a page."""

    def made(self, address: Address) -> None:
        """Wake the streams of `address`."""
        for listener in self._listeners.get(address, ()):
            listener.set()

    def forgotten(self, address: Address) -> None:
        """End the streams of a conversation that is no more."""
        self._gone |= self._listeners.get(address, set())
        self.made(address)

    async def bubbles(self, where: Address, last: int = 0) -> list[Bubble]:
        """Return the newest bubbles of `where` after number `last`, at most fifty."""
        return await self._store.read(lambda tx: outbox.after(tx, where, last, SHOWN))

    async def stream(self, where: Address, last: int) -> AsyncIterator[list[Bubble] | None]:
        """Yield new bubbles of `where` as they come.

        An empty list now and then says that the stream lives; None, as the last, that the conversation is forgotten.
        """
        news = asyncio.Event()
        self._listeners[where].add(news)
        try:
            while self._open:
                news.clear()
                if news in self._gone:
                    yield None
                    return
                found = await self.bubbles(where, last)
                last = found[-1].id if found else last
                yield found
                await _either(news, BREATH)
        finally:
            self._gone.discard(news)
            self._listeners[where].discard(news)
            if not self._listeners[where]:
                del self._listeners[where]

    async def watch(self) -> None:
        """Look for bubbles of other processes, as long as anybody listens."""
        while self._open:
            await asyncio.sleep(LOOK_EVERY)
            if self._listeners:
                await self._look()

    def close(self) -> None:
        """End every stream, so that the server can stop."""
        self._open = False
        for address in list(self._listeners):
            self.made(address)

    async def _look(self) -> None:
        try:
            newest = await self._store.read(outbox.newest)
            since = self._last if self._store.in_order else self._before  # a lower number may only be seen by now
            self._before, self._last = self._last, newest
            if newest > since:
                for address in await self._store.read(lambda tx: outbox.addresses_after(tx, since)):
                    self.made(address)
        except StoreError:
            return  # it is said where somebody asks for something


async def _either(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
