"""Hearsay on a Telegram of our own: a real application on a database in memory, spoken to over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from random import Random
from typing import Any, TypeVar
from unittest.mock import patch

from bot.app import App, Content, repertoire, utc_now
from bot.platforms.telegram import Telegram
from bot.platforms.telegram.ears import Ears
from bot.platforms.telegram.updates import poll
from bot.storage.store import Store
from bot.storage.tables import METADATA
from bot.talk.repertoire import Repertoire
from tests.platforms.telegram.server import TOKEN, BotServer, Shown

Json = dict[str, Any]
S = TypeVar("S", bound=Store)
_KNOWN: dict[int, Repertoire] = {}


def _known(content: Content) -> Repertoire:
    """Return what Hearsay can do with `content`, read once for all booths."""
    if id(content) not in _KNOWN:
        _KNOWN[id(content)] = repertoire(content)
    return _KNOWN[id(content)]


class Booth:
    """A running Hearsay and the Telegram it talks to; `hear` returns what was said there since."""

    def __init__(
        self, server: BotServer, store: Store, content: Content, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.server = server
        self.store = store
        self.telegram = Telegram(TOKEN, server.url)
        with patch("bot.app.repertoire", _known):
            self.app = App(store, content, {"telegram": self.telegram}, clock, Random(7))
        self.ears = Ears(self.telegram, self.app.assistant)

    async def hear(self, update: Json) -> list[Shown]:
        """Let `update` arrive and wait until everything it led to was said; return the new messages of its chat."""
        self.server.send(update)
        chat = self._chat(update)
        before = len(self.server.said(chat))
        await self.server.until(lambda: update not in self.server.pending)
        await self.app.delivery.idle()
        return self.server.said(chat)[before:]

    def _chat(self, update: Json) -> int:
        (inner,) = (value for name, value in update.items() if name != "update_id")
        chat = inner.get("chat") or inner.get("message", {}).get("chat") or inner["from"]
        return int(chat["id"])


@asynccontextmanager
async def booth(
    content: Content,
    store: Store | None = None,
    server: BotServer | None = None,
    clock: Callable[[], datetime] = utc_now,
    *,
    polls: bool = True,
) -> AsyncIterator[Booth]:
    """Open a booth, one that polls unless told otherwise; a store or a server that is given stays open."""
    own_store, own_server = store is None, server is None
    server = server or await BotServer().__aenter__()
    store = store or await memory()
    made = Booth(server, store, content, clock)
    await made.telegram.connect(made.app.assistant)
    polling = asyncio.create_task(poll(made.telegram, made.ears) if polls else asyncio.sleep(0))
    try:
        yield made
    finally:
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
        await made.app.delivery.idle()
        await made.telegram.close()
        if own_store:
            store.close()
        if own_server:
            await server.close()


async def memory(kind: type[S] = Store) -> S:  # type: ignore[assignment]  # a default for a type variable
    """Return a new database in memory."""
    store = kind(":memory:")
    await store.run(METADATA.create_all)
    return store
