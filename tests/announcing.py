"""A broadcast that is killed again and again: what every process of it sent is a line of a file, read by nobody else.

`python -m tests.announcing DATABASE SENT NINE LEASE LATENCY` is the life of one process: its clock is at nine at the
moment `NINE`, its leases last `LEASE` seconds, its platform takes `LATENCY` seconds. It ends by itself when nothing is
left to say.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

from sqlalchemy import func, insert, select

from bot.core.message import Address, Reply
from bot.core.platform import Sending
from bot.storage import occurrences, outbox
from bot.storage.database import opened as database_opened
from bot.storage.database import parse
from bot.storage.moments import millis
from bot.storage.store import Store
from bot.storage.tables import BUBBLES, SUBSCRIPTIONS
from tests.broadcasting import NINE, SPRING, Office, Post
from tests.serving import END, START, environment

LATENCY, LEASE = 0.005, 60.0  # seconds
BEAT = 0.05
LIFE = 120  # seconds by which each life is later than the one before, so that all leases have run out


class Wire(Post):
    """A platform that writes down what arrives, before whoever sent it hears that it did."""

    def __init__(self, sent: Path, latency: float) -> None:
        super().__init__()
        self._half = latency / 2
        self._file = os.open(sent, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def send(self, address: Address, reply: Reply, sending: Sending) -> str | None:
        await asyncio.sleep(self._half)
        os.write(self._file, f"{address.chat} {sending.key}\n".encode())
        await asyncio.sleep(self._half)
        return sending.key


def opened(database: str) -> Store:
    """Return the store on a database, as a setting names it."""
    return database_opened(parse(database))


async def prepare(database: str, subscribers: int) -> None:
    """Let a town take part in a day, approve it, and let `subscribers` wait for it."""
    store = opened(database)
    office = Office(store)
    await office.begin()
    await office.approve()
    common = {"city": "", "language": "en", "since": millis(SPRING)}
    rows = [{"address": f"post:{number:06}", **common} for number in range(subscribers)]
    await store.run(lambda tx: tx.execute(insert(SUBSCRIPTIONS), rows).rowcount)
    store.close()


async def announce(database: str, sent: Path, nine: float, lease: float, latency: float) -> None:
    """Tell everybody: the life of one process."""
    outbox.LEASE = timedelta(seconds=lease)
    store = opened(database)
    office = Office(store, post=Wire(sent, latency))
    clock = partial(_now, datetime.fromtimestamp(nine, UTC))
    office.delivery._clock = office.broadcast._clock = clock
    await office.broadcast.plan()
    while await _is_more(office):
        await asyncio.gather(office.broadcast.release(), office.delivery.pick_up(), asyncio.sleep(BEAT))
    await office.delivery.stop()
    store.close()


def _now(nine: datetime) -> datetime:
    return NINE + (datetime.now(UTC) - nine)


async def _is_more(office: Office) -> bool:
    waiting = select(func.count()).select_from(BUBBLES).where(BUBBLES.c.state == "waiting")
    now = office.broadcast._clock()
    due = await office.store.read(lambda tx: [one for one in occurrences.open_(tx, now) if one.audience == "all"])
    return bool(due or await office.store.read(lambda tx: tx.execute(waiting).scalar()))


@dataclass
class Announcement:
    """A broadcast to `subscribers`, in as many lives as it takes; `in_the_air` is what was sent and not yet settled."""

    database: str
    sent: Path
    subscribers: int
    began: float = field(default_factory=time.time)
    lives: int = 0
    in_the_air: Counter[str] = field(default_factory=Counter)
    most: int = 0
    seen: int = 0

    def arrived(self) -> list[tuple[str, str]]:
        """Return the chat and key of each message that arrived, in order."""
        lines = self.sent.read_text().splitlines() if self.sent.exists() else []
        return [(chat, key) for chat, _, key in (line.partition(" ") for line in lines)]

    @contextmanager
    def life(self) -> Iterator[subprocess.Popen[bytes]]:
        """Start a process that tells, so late that the leases of all before it have run out."""
        process = self.start(self.began - LIFE * self.lives)
        self.lives += 1
        try:
            yield process
        finally:
            process.kill()
            process.wait(END)

    def start(self, nine: float, lease: float = LEASE, latency: float = LATENCY) -> subprocess.Popen[bytes]:
        """Start a process that tells."""
        told = [self.database, str(self.sent), str(nine), str(lease), str(latency)]
        return subprocess.Popen([sys.executable, "-m", "tests.announcing", *told], env=environment())

    async def until(self, process: subprocess.Popen[bytes], more: int) -> bool:
        """Wait until so many more messages arrived; say whether the process still lives."""
        wanted = self._size() + more
        async with asyncio.timeout(START * 2):
            while process.poll() is None:
                if self._size() >= wanted:
                    return True
                await asyncio.sleep(0.001)
        return False

    def _size(self) -> int:
        return self.sent.stat().st_size // len("000000 000.0\n") if self.sent.exists() else 0

    async def killed(self, chance: Random, most: int) -> None:
        """Let a process live until it has told at most so many, and kill it."""
        with self.life() as process:
            if not await self.until(process, chance.randint(1, most)):
                raise RuntimeError("it ended before it was killed")
            process.kill()
            process.wait(END)
            await self.note()

    async def note(self) -> None:
        """Write down what is in the air now that a process is dead."""
        store = opened(self.database)
        settled = select(BUBBLES.c.id).where(BUBBLES.c.state == "sent")
        done = {f"{number}.0" for number in await store.read(lambda tx: tx.execute(settled).scalars().all())}
        store.close()
        arrived = self.arrived()
        air = {key for _, key in arrived[self.seen :]} - done
        self.seen = len(arrived)
        self.in_the_air.update(air)
        self.most = max(self.most, len(air))

    def lost(self) -> int:
        """Return how many subscribers nothing arrived at."""
        return self.subscribers - len({chat for chat, _ in self.arrived()})

    def doubled(self) -> Counter[str]:
        """Return how often more than once each key arrived."""
        keys = Counter(key for _, key in self.arrived())
        return Counter({key: n - 1 for key, n in keys.items() if n > 1})

    def doubled_by_nonce(self) -> int:
        """Return how many messages a platform would show twice that takes each key once, as Discord does."""
        return len(set(self.arrived())) - len({chat for chat, _ in self.arrived()})


if __name__ == "__main__":
    asyncio.run(announce(sys.argv[1], Path(sys.argv[2]), *map(float, sys.argv[3:])))
