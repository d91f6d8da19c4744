"""Durable turns in one process, and in one process's store, against the ORM doing the same work."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

from bot.app import App, load_content
from bot.core.message import Address, Message, pack
from bot.core.session import Session
from bot.platforms.web import NAME, Web
from bot.storage import outbox, sessions
from bot.storage.migrate import migrate
from bot.storage.outbox import Bubble
from bot.storage.store import Store
from tests.bench import orm
from tests.bench.figure import Figure, alternate
from tests.serving import ROOT

AT_ONCE = 50
OURS, THEIRS = 40, 4  # turns of each conversation in one round
ROUNDS = 5
BAR = 20.0
BASELINE = "async SQLAlchemy ORM on aiosqlite, one session for each turn, pool of 5, WAL, synchronous=FULL"
Turn = Callable[[Address, str], Awaitable[object]]
_keys = count()


def figures() -> Iterator[Figure]:
    """Yield durable_turn_ratio and store_turn_ratio."""
    with TemporaryDirectory(prefix="hearsay-bench-") as folder:
        yield from asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[Figure]:
    migrate(folder / "ours.db")
    store = Store(folder / "ours.db")
    app = App(store, load_content(ROOT / "content"), {NAME: Web(store)})
    (bubble,) = (await app.assistant.handle(_message(_where(0), "first"))).bubbles
    state = (await store.read(lambda tx: sessions.take(tx, bubble.where))).to_json()
    engine = await orm.opened(folder / "theirs.db")
    theirs = orm.turn_with(engine, state, json.dumps(pack(bubble.reply)))
    ways: list[tuple[Turn, int]] = [
        (lambda where, key: app.assistant.handle(_message(where, key)), OURS),
        (lambda where, key: store.run(lambda tx: _four(tx, where, key, bubble)), OURS),
        (lambda where, key: theirs(str(where), key), THEIRS),
    ]
    rates = await _alternate(ways)
    await engine.dispose()
    store.close()
    return _told(*rates)


def _told(whole: float, four: float, theirs: float) -> list[Figure]:
    return [
        Figure("durable_turn_ratio", whole / theirs, BASELINE, BAR, more={"turns_s": whole, "baseline_s": theirs}),
        Figure("store_turn_ratio", four / theirs, BASELINE, more={"turns_s": four, "baseline_s": theirs}),
    ]


async def _alternate(ways: list[tuple[Turn, int]]) -> list[float]:
    loop = asyncio.get_running_loop()

    def measured(turn: Turn, each: int) -> Callable[[], float]:
        return lambda: asyncio.run_coroutine_threadsafe(_rate(turn, each), loop).result()

    return await asyncio.to_thread(alternate, ROUNDS, *(measured(turn, each) for turn, each in ways))


async def _rate(turn: Turn, each: int) -> float:
    """Let all conversations take `each` turns at once; return turns a second."""

    async def talk(number: int) -> None:
        for _ in range(each):
            await turn(_where(number), f"key-{next(_keys)}")

    began = time.perf_counter()
    await asyncio.gather(*(talk(number) for number in range(AT_ONCE)))
    return AT_ONCE * each / (time.perf_counter() - began)


def _four(tx: Connection, where: Address, key: str, bubble: Bubble) -> None:
    """The four statements of a turn, and nothing else."""
    now = datetime.now(UTC)
    sessions.first_time(tx, where, key, now)
    session: Session = sessions.take(tx, where)
    sessions.put(tx, session, now)
    outbox.add(tx, Bubble(0, where, bubble.reply, bubble.language), now, state="read")


def _where(number: int) -> Address:
    return Address(NAME, f"conversation-{number}")


def _message(where: Address, key: str) -> Message:
    return Message(where, "/rumour jobs", key, introduced=True)
