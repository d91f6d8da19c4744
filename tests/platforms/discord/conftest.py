"""Hearsay on a Discord that we did not write, and on one over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import discord
import pytest
import simcord
from discord.backoff import ExponentialBackoff

from bot.app import App, Content, repertoire, utc_now
from bot.core.message import Address, Reply
from bot.core.platform import Sending
from bot.platforms.discord import Discord
from bot.platforms.discord.client import Client
from bot.storage.store import Store
from bot.storage.tables import METADATA
from bot.talk.repertoire import Repertoire
from tests.platforms.discord.server import TOKEN, DiscordServer, Interaction, Message
from tests.platforms.discord.spec import Api


@pytest.fixture
def one_repertoire(content: Content, whole: Repertoire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every application of these tests use the same repertoire: it takes a while to make."""
    monkeypatch.setattr("bot.app.repertoire", lambda _: whole)


@pytest.fixture
def one_file(api: Api | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every server of these tests check against the same reading of Discord's file."""
    monkeypatch.setattr("tests.platforms.discord.server.Api.load", lambda: api)


@pytest.fixture(scope="session")
def api() -> Api | None:
    return Api.load()


@pytest.fixture(scope="session")
def whole(content: Content) -> Repertoire:
    return repertoire(content)


class Desk:
    """A real application with Discord as its only platform."""

    def __init__(self, store: Store, content: Content, **where: str) -> None:
        self.store = store
        self.content = content
        self.discord = Discord(TOKEN, **where)
        self.app = App(store, content, {"discord": self.discord}, utc_now, Random(7))

    @classmethod
    async def open(cls, content: Content, **where: str) -> "Desk":
        store = Store(":memory:")
        await store.run(METADATA.create_all)
        return cls(store, content, **where)

    def client(self) -> Client:
        return self.discord.connect(self.app.assistant)

    async def tell(self, where: Address, reply: Reply, key: str, **more: Any) -> str | None:
        return await self.discord.send(where, reply, Sending(key, **more))


@pytest.fixture
async def desk(content: Content, one_repertoire: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr("bot.delivery.MARK_EVERY", 0)
    opened = await Desk.open(content)
    yield opened
    opened.store.close()


@pytest.fixture
async def simcord_bot(desk: Desk) -> Client:
    return desk.client()


class Sim:
    """A server with a channel, somebody in it and somebody who runs it."""

    def __init__(self, env: simcord.Env, desk: Desk) -> None:
        self.env = env
        self.desk = desk
        self.guild = env.create_guild()
        self.channel = self.guild.create_text_channel("general")
        self.ana = self.guild.add_member(env.create_user("ana"))
        rights = self.guild.create_role("runs it", permissions=discord.Permissions(manage_guild=True))
        self.eva = self.guild.add_member(env.create_user("eva"), roles=[rights])

    @property
    def me(self) -> int:
        assert self.env.bot.user is not None
        return self.env.bot.user.id

    async def settled(self) -> None:
        await self.desk.app.delivery.idle()
        await self.env.settle()

    async def shown(self, doing: Any) -> list[Any]:
        """Do something; return what is shown for it: the answer, then what follows it."""
        result = await doing
        await self.settled()
        return [*([result.response] if result.response else []), *result.followups]

    def said(self, channel: Any = None) -> list[str]:
        """Return what the assistant has said to everybody in a channel."""
        messages = (channel or self.channel).history()
        return [one.content for one in messages if one.author.bot and not one.flags.ephemeral]


@pytest.fixture
async def sim(simcord_env: simcord.Env, desk: Desk) -> Sim:
    return Sim(simcord_env, desk)


class Wire:
    """A running Hearsay and the Discord it is connected with."""

    def __init__(self, server: DiscordServer, desk: Desk) -> None:
        self.server = server
        self.desk = desk
        self.guild = server.guild()
        self.channel = self.guild.channels[0]
        self.ana = server.person("ana")
        self.running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect, and wait until Discord has told everything."""
        before = len(self.server.wire.sessions)
        self.running = asyncio.create_task(self.desk.discord.run(self.desk.app.assistant))
        await asyncio.wait_for(self.desk.discord.met.wait(), 2)
        assert self.desk.discord._client is not None
        self.desk.discord._client._connection.guild_ready_timeout = 0.01  # otherwise it waits two seconds for more
        await self.server.identified(before + 1)

    async def stop(self) -> None:
        if self.running is None:
            return
        self.running.cancel()
        with suppress(asyncio.CancelledError):
            await self.running
        await self.desk.app.delivery.idle()
        await self.desk.discord.close()

    async def restart(self) -> None:
        """Let the process die and another begin on the same database."""
        await self.stop()
        old = self.desk
        self.desk = Desk(old.store, old.content, api=self.server.api, gateway=self.server.gateway)
        await self.start()

    async def shown(self, did: Interaction, count: int = 1) -> list[Message]:
        """Wait until so many messages stand there for it; return them."""
        await until(lambda: len(self.of(did)) >= count)
        await self.desk.app.delivery.idle()
        return self.of(did)

    def of(self, did: Interaction) -> list[Message]:
        shown = [*([did.original] if did.original and did.original is not did.source else []), *did.follow_ups]
        return [message for message in shown if not message.is_thinking]

    def said(self) -> list[str]:
        """Return what everybody sees in the channel."""
        return [message.content for message in self.server.messages(self.channel) if not message.ephemeral_for]

    async def until_said(self, count: int) -> list[str]:
        await until(lambda: len(self.said()) >= count)
        return self.said()


async def until(happened: Callable[[], bool]) -> None:
    """Wait, two seconds at most, until something has happened."""
    async with asyncio.timeout(2):
        while not happened():  # noqa: ASYNC110  # what happens has no bell of its own
            await asyncio.sleep(0.002)


@asynccontextmanager
async def wired(content: Content, server: DiscordServer) -> AsyncIterator[Wire]:
    """Connect a new application with `server`."""
    with server.point():
        wire = Wire(server, await Desk.open(content, api=server.api, gateway=server.gateway))
        try:
            await wire.start()
            yield wire
        finally:
            await wire.stop()
            wire.desk.store.close()


@pytest.fixture
def quick(one_repertoire: None, one_file: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait longer than a test should."""
    monkeypatch.setattr("bot.delivery.MARK_EVERY", 0)
    monkeypatch.setattr(ExponentialBackoff, "delay", lambda self: 0.02)

    async def at_once(self: Client, shard_id: int | None, *, initial: bool = False) -> None:
        return None

    monkeypatch.setattr(Client, "before_identify_hook", at_once)


@pytest.fixture
async def wire(content: Content, quick: None) -> AsyncIterator[Wire]:
    async with DiscordServer() as server, wired(content, server) as connected:
        yield connected
