"""All of Discord that a load needs, in a thread of its own: the tests' server, unchecked, and people who use it.

The gateway and the model are the tests' own; REST is spoken over a plainer wire, so that it is not what is measured.
"""

import asyncio
import gc
import json
import threading
import time
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl

from tests.bench.discord_bare import COMMAND, OPTION
from tests.bench.figure import percentile
from tests.bench.telegram_outside import PATIENCE, Wire
from tests.platforms.discord.server import Call, Channel, DiscordServer, Guild, Person, Rest, snowflake
from tests.serving import START

T = TypeVar("T")
WORDS = "stereotype"
ANSWER = 4  # a message; anything else is only a promise of one
ROOMS = 100
QUIET = 0.3  # seconds without an answer after which nothing more is taken to come
LATE = 60.0  # seconds for which this Discord takes an answer
_HEADERS = (
    "Content-Type: application/json\r\nVia: 1.1 google\r\nX-RateLimit-Limit: 100000\r\n"
    "X-RateLimit-Remaining: 99999\r\nX-RateLimit-Reset-After: 1\r\n"
)


class _Rest(Wire):
    """REST over one kept-alive connection."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def whole(self, head: bytes, body: bytes) -> None:
        status, told = self._rest.answer(_call(head.decode(), body))
        content = b"" if told is None else json.dumps(told).encode()
        lines = f"HTTP/1.1 {status} Said\r\n{_HEADERS}Content-Length: {len(content)}\r\n\r\n"
        self.transport.write(lines.encode() + content)


def _call(head: str, body: bytes) -> Call:
    method, target, _ = head.partition("\r\n")[0].split(" ")
    path, _, query = target.removeprefix("/api/v10").partition("?")
    return Call(method, path, dict(parse_qsl(query)), json.loads(body) if body else None, {}, {}, "application/json")


class Large(Guild):
    """A server with five channels, seven roles and fifty members, all of whom it tells of."""

    _told: dict[str, Any] | None = None

    def describe(self, bot: Person) -> dict[str, Any]:
        if self._told is None:
            self._told = self._describe(bot)
        return self._told

    def _describe(self, bot: Person) -> dict[str, Any]:
        self.channels = [Channel(f"channel-{number}", guild=self) for number in range(5)]
        known = super().describe(bot)
        everyone, admins = known["roles"]
        roles = [everyone, admins, *(admins | {"id": snowflake(), "name": f"role-{number}"} for number in range(5))]
        people = [Person(f"person-{number}") for number in range(49)]
        members = [*known["members"], *(person.member(self) | {"user": person.user} for person in people)]
        return known | {"roles": roles, "members": members, "member_count": len(members)}


@dataclass(frozen=True)
class Pace:
    """How a round went: answers a second, and the milliseconds from an event to its answer that 99 of 100 kept."""

    rate: float
    p99: float


class World:
    """One Discord for one bot: many large servers, and one in whose channels somebody asks. It lives in the thread."""

    def __init__(self, large: int) -> None:
        self.server = DiscordServer(validate=False, window=LATE)
        self.server.guilds += [Large(f"server-{number}") for number in range(large)]
        self.channels = self.server.guild(channels=[f"room-{number}" for number in range(ROOMS)]).channels
        self.person = self.server.person("ana")
        self.api = self.gateway = ""
        self._begun = 0

    async def open(self) -> None:
        """Open the ports."""
        await self.server.__aenter__()
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: _Rest(self.server.rest), "127.0.0.1", 0)
        self.api = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}/api/v10"
        self.gateway = self.server.gateway

    async def close(self) -> None:
        """Close the ports."""
        self._listener.close()
        await self.server.close()

    async def met(self) -> None:
        """Wait until one more bot has come; from then on those before it hear nothing any more."""
        self._begun += 1
        await self.server.identified(self._begun, START)
        for session in self.server.wire.sessions[:-1]:
            session.forgotten, session.told = True, []

    async def ask(self, channel: Channel) -> None:
        """Let somebody give the command, and wait for its answer."""
        deed = self.server.slash(self.person, channel, COMMAND, {OPTION: WORDS})
        await deed.acknowledged(PATIENCE)
        if deed.responses[0].type != ANSWER:
            raise RuntimeError("the answer was only promised")

    async def warm(self) -> None:
        """Let it be asked once in every channel: what newcomers are told is no part of what is measured."""
        for channel in self.channels:
            await self.ask(channel)
        await self.settled()

    async def settled(self) -> None:
        """Wait until no message has come for a moment."""
        before, now = -1, self._said()
        while before < now:
            await asyncio.sleep(QUIET)
            before, now = now, self._said()

    def _said(self) -> int:
        return sum(len(channel.messages) for channel in self.channels)

    async def ask_all(self, times: int, at_once: int) -> Pace:
        """Let people ask in so many channels at once, each waiting for its answer before asking again."""
        gc.freeze()  # what is remembered here is much, and looking through it takes a tenth of a second
        waits: list[float] = []

        async def talk(channel: Channel) -> None:
            for _ in range(times):
                waits.append(await _timed(self.ask(channel), time.perf_counter()))  # noqa: PERF401  # one by one

        took = await _timed(asyncio.gather(*map(talk, self.channels[:at_once])), time.perf_counter())
        return Pace(len(waits) / took, percentile(waits, 0.99) * 1000)

    async def offer(self, rate: float, seconds: float, chance: Random) -> Pace:
        """Let people ask at moments of their own, `rate` a second, whether or not others have been answered yet."""
        gc.freeze()
        began = moment = time.perf_counter()
        asked: list[asyncio.Task[float]] = []
        while (moment := moment + chance.expovariate(rate)) < began + seconds:
            await asyncio.sleep(moment - time.perf_counter())
            channel = self.channels[len(asked) % ROOMS]
            asked.append(asyncio.create_task(_timed(self.ask(channel), moment)))
        waits = await asyncio.gather(*asked)
        return Pace(len(waits) / (time.perf_counter() - began), percentile(waits, 0.99) * 1000)


async def _timed(work: Awaitable[object], since: float) -> float:
    await work
    return time.perf_counter() - since


class Outside:
    """The thread in which every world is."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._worlds: list[World] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for world in self._worlds:
            self.run(world.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def world(self, large: int = 0) -> World:
        """Open a Discord with so many large servers."""
        world = World(large)
        self.run(world.open())
        self._worlds.append(world)
        return world

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` returns, which is run in the thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)
