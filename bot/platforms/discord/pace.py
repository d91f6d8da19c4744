"""Two lanes: answers at once, what is told to many when no answer is in the air."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

SIDE_BY_SIDE = 5  # broadcasts at a time: Discord takes fifty requests a second of all kinds
PATIENCE = 1.0  # seconds for which a broadcast lets answers pass


class Lanes:
    """Lets answers through and broadcasts wait, but not for ever."""

    def __init__(self) -> None:
        self._answers = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._places = asyncio.Semaphore(SIDE_BY_SIDE)

    @asynccontextmanager
    async def answer(self) -> AsyncIterator[None]:
        """Be an answer in the air."""
        self._answers += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._answers -= 1
            if not self._answers:
                self._quiet.set()

    @asynccontextmanager
    async def broadcast(self) -> AsyncIterator[None]:
        """Wait for a place and for quiet, then be a broadcast in the air."""
        async with self._places:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._quiet.wait()
            yield
