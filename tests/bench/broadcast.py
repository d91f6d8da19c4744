"""A broadcast: killed fifty times, beside a bare loop that sends, to a platform that enforces its limits; planned."""

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from bot.core.message import Address, Reply
from bot.core.platform import Sending
from bot.delivery import SIDE_BY_SIDE
from bot.storage.migrate import migrate
from bot.storage.store import Store
from tests import postgres
from tests.announcing import Announcement, prepare
from tests.bench.figure import Figure, alternate
from tests.bench.memory import resident
from tests.broadcasting import NINE, Office, Post

MANY, KILLS = 10_000, 50
TWO_LEASE, TWO_LATENCY = 5.0, 0.2  # seconds
PATIENCE = 900.0
DRAINED, LATENCY, ROUNDS = 2_000, 0.005, 3
PLANNED = 100_000
NOTHING = "none: subscribers whom nothing reached"


def kill_figures() -> Iterator[Figure]:
    """Yield broadcast_kill_lost and its like: fifty kills, then the same with another process that goes on."""
    yield from _told("broadcast_kill", asyncio.run(_killed()))
    yield from _told("broadcast_kill_two", asyncio.run(_killed_beside()))
    if shutil.which("postgres"):
        with postgres.running() as server:
            url = server.create("bench").set(drivername="postgresql").render_as_string(hide_password=False)
            yield from _told("broadcast_kill_postgresql", asyncio.run(_killed_beside(url)))


async def _killed() -> Announcement:
    with _told_of(MANY) as told:
        await prepare(told.database, MANY)
        chance = Random(50)
        for _ in range(KILLS):
            await told.killed(chance, MANY // (KILLS + 10))
        with told.life() as process:
            await asyncio.to_thread(process.wait, PATIENCE)
        return _kept(told)


async def _killed_beside(database: str = "") -> Announcement:
    """Two processes on one database, one of which dies again and again while the other goes on."""
    with _told_of(MANY, database) as told:
        await prepare(told.database, MANY)
        chance, living = Random(51), [told.start(told.began, TWO_LEASE, TWO_LATENCY) for _ in range(2)]
        while told.lives < KILLS and await told.until(living[told.lives % 2], chance.randint(1, 100)):
            killed = living[told.lives % 2]
            killed.kill()
            killed.wait()
            await told.note()
            living[told.lives % 2] = told.start(told.began, TWO_LEASE, TWO_LATENCY)
            told.lives += 1
        for process in living:
            await asyncio.to_thread(process.wait, PATIENCE)
        return _kept(told)


@contextmanager
def _told_of(subscribers: int, database: str = "") -> Iterator[Announcement]:
    """Yield a broadcast on `database`, or on a new file."""
    with TemporaryDirectory(prefix="hearsay-bench-") as folder:
        if not database:
            database = str(Path(folder) / "hearsay.db")
            migrate(Path(database))
        yield Announcement(database, Path(folder) / "sent", subscribers)


def _kept(told: Announcement) -> Announcement:
    """Return a broadcast with what arrived held in memory, for its file goes."""
    arrived = told.arrived()
    told.arrived = lambda: arrived  # type: ignore[method-assign]  # as said
    return told


def _told(name: str, told: Announcement) -> list[Figure]:
    beyond = (told.doubled() - told.in_the_air).total()
    more: dict[str, object] = {"kills": told.lives, "doubled": told.doubled().total(), "in_the_air": told.most}
    return [
        Figure(f"{name}_lost", told.lost(), NOTHING, 0, "at most", more),
        Figure(f"{name}_doubled", beyond, "none: messages twice that were not in the air at a kill", 0, "at most"),
        Figure(f"{name}_nonce", told.doubled_by_nonce(), "none: messages twice with two keys", 0, "at most"),
    ]


class Wire(Post):
    """A platform that takes its time."""

    async def send(self, address: Address, reply: Reply, sending: Sending) -> str | None:
        await asyncio.sleep(LATENCY)
        self.keys.append(sending.key)
        return sending.key


def drain_figures() -> Iterator[Figure]:
    """Yield broadcast_drain_ratio: from the first chunk to the last mark, beside a loop that only sends."""
    ours, bare = alternate(ROUNDS, lambda: asyncio.run(_drained()), lambda: asyncio.run(_sent()))
    baseline = f"a bare loop that sends, {SIDE_BY_SIDE} in the air too, {LATENCY * 1000:.0f} ms each"
    yield Figure("broadcast_drain_ratio", ours / bare, baseline, 0.6, more={"sent_s": ours, "baseline_s": bare})


async def _drained() -> float:
    with TemporaryDirectory(prefix="hearsay-bench-") as folder:
        migrate(Path(folder) / "hearsay.db")
        await prepare(str(Path(folder) / "hearsay.db"), DRAINED)
        store, wire = Store(Path(folder) / "hearsay.db"), Wire()
        office = Office(store, post=wire)
        office.now = NINE
        await office.broadcast.plan()
        began = time.perf_counter()
        while await office.broadcast.release():
            pass
        await office.delivery.idle()
        taken = time.perf_counter() - began
        store.close()
        if len(wire.keys) != DRAINED:
            raise RuntimeError(f"{len(wire.keys)} of {DRAINED} were sent")
        return DRAINED / taken


async def _sent() -> float:
    wire, left = Wire(), iter(range(DRAINED))

    async def send() -> None:
        for number in left:
            await wire.send(Address("post", str(number)), Reply("Of today."), Sending(str(number)))

    began = time.perf_counter()
    await asyncio.gather(*(send() for _ in range(SIDE_BY_SIDE)))
    return DRAINED / (time.perf_counter() - began)


class Nowhere:
    """What sends nothing."""

    load = told = 0

    def made(self, bubbles: list[object]) -> None:
        """Count."""
        self.told += len(bubbles)


def plan_figures() -> Iterator[Figure]:
    """Yield broadcast_plan_seconds for 100,000 subscribers of one town, and by how much the process grows meanwhile."""
    taken, busy, grown = asyncio.run(_planned())
    more: dict[str, object] = {"a_second": PLANNED / taken, "processor_s": busy}
    yield Figure("broadcast_plan_seconds", taken, "none: seconds for 100,000 deliveries", 5.0, "at most", more)
    baseline = "none: resident megabytes more after 100,000 deliveries than after the first chunks"
    yield Figure("broadcast_plan_grown", grown, baseline, 5.0, "at most")


async def _planned() -> tuple[float, float, float]:
    """Return the seconds that it takes, those of the processor, and by how many megabytes the process grows."""
    with TemporaryDirectory(prefix="hearsay-bench-") as folder:
        migrate(Path(folder) / "hearsay.db")
        await prepare(str(Path(folder) / "hearsay.db"), PLANNED)
        store, nowhere = Store(Path(folder) / "hearsay.db"), Nowhere()
        office = Office(store)
        office.now, office.broadcast._sender = NINE, nowhere  # type: ignore[assignment]  # it has all that is asked
        await office.broadcast.plan()
        began, busy = time.perf_counter(), time.process_time()
        await office.broadcast.release()
        before = resident(os.getpid())
        while await office.broadcast.release():
            pass
        taken, busy = time.perf_counter() - began, time.process_time() - busy
        store.close()
        if nowhere.told != PLANNED:
            raise RuntimeError(f"{nowhere.told} of {PLANNED} were told")
        return taken, busy, resident(os.getpid()) - before
