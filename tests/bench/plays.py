"""How many play at once: nobody's answer is lost or counted twice, votes are answered soon, plays take little room."""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import NamedTuple

from sqlalchemy import Connection, Table, select

from bot.app import App, Content, load_content, utc_now
from bot.core.message import Address, Message
from bot.storage import games, plays
from bot.storage.store import Store
from bot.storage.tables import METADATA, PLAY_LOG, PLAYS, SEATS, SESSIONS, TELLINGS
from tests.bench.figure import Figure, percentile
from tests.bench.memory import resident
from tests.serving import ROOT

PLATFORM = "bench"
TEAMS, SEATED = 40, 10  # 400 players of one question
TOLD, VOTES = 200, 400
SPREAD = 2.0  # seconds in which people press, once they have read
IN_PROGRESS = 10_000
BAR_MS, BAR_MB = 500.0, 25.0
HELD = (PLAYS, SEATS, PLAY_LOG, SESSIONS, TELLINGS)


class Press(NamedTuple):
    """What somebody says, so many seconds after the beginning."""

    chat: str
    sender: str
    text: str
    after: float


@dataclass(frozen=True)
class Told:
    """What came of a press: how long its answer took, how many bubbles it was, whether it was an aside."""

    took: float
    bubbles: int
    aside: bool


def figures() -> Iterator[Figure]:
    """Yield answers_wrong, votes_ms, start_ms, plays_mb and plays_memory_mb."""
    content = _content()
    yield from _answers(content)
    yield from _votes(content)
    yield from _room(content)


def _content() -> Content:
    return load_content(ROOT / "content", {"quizzes": ROOT / "quizzes"})


def _app(content: Content, path: Path) -> App:
    app = App(Store(path), content, {}, utc_now, Random())
    app.assistant._keeps = frozenset({PLATFORM})
    app.assistant._made = lambda _: None
    return app


def _said(chat: str, text: str, key: str, sender: str = "") -> Message:
    return Message(Address(PLATFORM, chat), text, key, None, sender, "en", shared=bool(sender), introduced=True)


async def _host(app: App, teams: int, seated: int, options: str = "") -> str:
    """Host a game with teams, each of so many conversations, and start it; return its code."""
    await app.store.run(METADATA.create_all)
    handle = app.assistant.handle
    await handle(_said("host", f"/host forwarded {options}", "h"))
    game = await app.store.run(lambda tx: games.hosted(tx, Address(PLATFORM, "host")))
    if game is None:
        raise LookupError("nothing is hosted")
    for team in range(1, teams + 1):
        for seat in range(seated):
            await handle(_said(f"{team}-{seat}", f"/join {game.code}{f' {team}' if seat else ''}", "j"))
    return game.code


def _pressed(path: Path, presses: Sequence[Press], begin: float) -> list[Told]:
    """Say all of `presses` in a process of its own, from a moment on; return what came of each."""

    async def press_all() -> list[Told]:
        app = _app(_content(), path)
        await app.store.run(lambda tx: plays.take(tx, 1))
        await asyncio.sleep(max(0.0, begin - time.time()))
        told = await asyncio.gather(*(_press(app, press) for press in presses))
        app.store.close()
        return told

    return asyncio.run(press_all())


async def _press(app: App, press: Press) -> Told:
    await asyncio.sleep(press.after)
    began = time.perf_counter()
    turn = await app.assistant.handle(_said(press.chat, press.text, "answer" + press.sender, press.sender))
    replies = [bubble.reply for bubble in turn.bubbles]
    return Told((time.perf_counter() - began) * 1000, len(replies), any(reply.aside for reply in replies))


def _in_two(path: Path, presses: Sequence[Press]) -> list[Told]:
    """Say all of `presses` from two processes."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as both:
        begin = time.time() + 6
        halves = [both.submit(_pressed, path, presses[half::2], begin) for half in (0, 1)]
        return [told for half in halves for told in half.result()]


def _answers(content: Content) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.db"
        app = _app(content, path)
        code = asyncio.run(_begun(app, TEAMS, SEATED))
        app.store.close()
        presses = [Press(f"{team}-{seat}", "", "nobody", 0) for team in range(1, TEAMS + 1) for seat in range(SEATED)]
        told = _in_two(path, presses)
        store = Store(path)
        rows = asyncio.run(store.run(lambda tx: plays.of_game(tx, code)))
        store.close()
    tries = [json.loads(row.state)["marks"]["lock.who"][0] for row in rows]
    lost = sum(not one.bubbles for one in told) + tries.count(0)
    twice = sum(one > 1 for one in tries)
    more: dict[str, object] = {"players": len(told), "lost": lost, "twice": twice}
    more |= {"counted": sum(tries), "told_in_time": sum(one.aside for one in told)}
    yield Figure("answers_wrong", lost + twice, "none: players", 0, "at most", more)


async def _begun(app: App, teams: int, seated: int, options: str = "") -> str:
    code = await _host(app, teams, seated, options)
    await app.assistant.handle(_said("host", "/game start", "s"))
    return code


def _votes(content: Content) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "votes.db"
        app = _app(content, path)

        async def start() -> float:
            await _host(app, TOLD, 1, "majority")
            began = time.perf_counter()
            await app.assistant.handle(_said("host", "/game start", "s"))
            return (time.perf_counter() - began) * 1000

        took = asyncio.run(start())
        app.store.close()
        yield Figure("start_ms", took, f"none: milliseconds until {TOLD} teams were told", 2000.0, "at most", {})
        each = VOTES // TOLD
        presses = [
            Press(f"{n % TOLD + 1}-0", f"v{n // TOLD}", "nobody", SPREAD * n / VOTES) for n in range(TOLD * each)
        ]
        told = _in_two(path, presses)
    more: dict[str, object] = {"p50_ms": percentile([one.took for one in told], 0.5), "votes": len(told)}
    more["unanswered"] = sum(not one.bubbles for one in told)
    yield Figure(
        "votes_ms", percentile([one.took for one in told], 0.95), "none: milliseconds", BAR_MS, "at most", more
    )


def _room(content: Content) -> Iterator[Figure]:
    """Play one game for a few questions and count what ten thousand like it take."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "room.db"
        app = _app(content, path)

        async def play() -> float:
            await app.store.run(METADATA.create_all)
            for number, said in enumerate(("/quiz lido", "hats", "1 2 3 4 5", "/hint", "heard", "1b 2a")):
                await app.assistant.handle(_said("one", said, str(number)))
            before = resident(os.getpid())
            for table in HELD:
                await app.store.run(partial(_multiply, table=table))
            return before

        before = asyncio.run(play())
        app.store.close()
        grown = resident(os.getpid()) - before
        megabytes = sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6
    yield Figure("plays_mb", megabytes, "none: megabytes", BAR_MB, "at most", {"plays": IN_PROGRESS})
    yield Figure("plays_memory_mb", grown, "none: megabytes", 10.0, "at most", {"plays": IN_PROGRESS})


def _multiply(tx: Connection, table: Table) -> None:
    """Write the rows of the one play ten thousand times, each as another's."""
    found = [dict(row._mapping) for row in tx.execute(select(table))]
    for number in range(2, IN_PROGRESS + 1):
        for row in found:
            own: dict[str, object] = {}
            own |= {"id": number} if table is PLAYS else {}
            own |= {"play": number} if "play" in row else {}
            own |= {"address": f"telegram:{7_000_000_000 + number}"} if "address" in row else {}
            own |= {"key": f"{row['key']}{number}"} if "key" in row else {}
            tx.execute(table.insert().values({**row, **own}))
