"""Holds durability to account: kill -9 in the middle of everything loses nothing that was answered, doubles nothing."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from bot.core.message import Address, Reply
from bot.core.platform import Limits, Sending
from bot.delivery import Delivery
from bot.platforms import limits
from bot.storage import outbox
from bot.storage.migrate import migrate
from bot.storage.outbox import Bubble
from bot.storage.store import Store
from tests.bench.load import Line, cookie, post
from tests.serving import END, START, Served, environment, serving

TURNS = 200
VOICES = 10  # conversations at once
KILLS = (40, 90, 150)  # so many answers after which it is killed
UNBOUND = {"pace": "100000", "crowd": "100000"}
ROWS, LANES, SENDER_KILLS = 150, 5, 3


def word(number: int) -> str:
    """Return a word that no glossary knows; its bubble repeats it, its look-up is counted."""
    letters = "bcdfghjklm"
    return "xq" + "".join(letters[int(digit)] for digit in f"{number:03}") + "zw"


def turn(number: int) -> bytes:
    """Return the post of turn `number`; always the same bytes, so that a repeat has the same key."""
    return post(cookie(number % VOICES), f"/term {word(number)}", f"turn-{number:04}")


@dataclass
class Talk:
    """All turns of the test: which were answered, and how many answers until the process is killed."""

    waiting: list[int] = field(default_factory=lambda: list(range(TURNS)))
    answered: list[int] = field(default_factory=list)

    async def until(self, served: Served, answers: int) -> None:
        """Post what waits, each conversation over its own line, and kill the process after so many answers in all.

        A turn that got no answer waits again, as a page would post its form once more.
        """
        voices = [[number for number in self.waiting if number % VOICES == voice] for voice in range(VOICES)]
        await asyncio.gather(*(self._speak(served, numbers, answers) for numbers in voices))
        self.waiting = [number for number in range(TURNS) if number not in self.answered]

    async def _speak(self, served: Served, numbers: list[int], answers: int) -> None:
        async with Hanging(served) as line:
            for number in numbers:
                if not await self._say(line, number):
                    return
                if len(self.answered) == answers:
                    served.process.kill()

    async def _say(self, line: Line, number: int) -> bool:
        try:
            status = await line.ask(turn(number))
        except (OSError, EOFError):
            return False
        assert status == 204
        self.answered.append(number)
        return True


class Hanging:
    """A line that is hung up at the end, also one to a process that is gone."""

    def __init__(self, served: Served) -> None:
        self._port = served.port

    async def __aenter__(self) -> Line:
        self._line = await Line.to(self._port)
        return self._line

    async def __aexit__(self, *_: object) -> None:
        self._line.close()


def ask(database: Path, query: str) -> list[tuple[Any, ...]]:
    """Return what `query` finds in the file, read by nobody else's code."""
    with closing(sqlite3.connect(database)) as raw:
        return raw.execute(query).fetchall()


def bubbles_by_turn(database: Path) -> Counter[int]:
    """Return how many bubbles each turn has, whatever its conversation."""
    numbers = {word(number): number for number in range(TURNS)}
    found: Counter[int] = Counter()
    for (reply,) in ask(database, "SELECT reply FROM bubbles"):
        found.update(number for spoken, number in numbers.items() if spoken in reply)
    return found


def assert_each_turn_once(database: Path) -> None:
    """Look at everything a turn leaves: bubble, key, and the count of the word that was looked up."""
    assert ask(database, "PRAGMA integrity_check") == [("ok",)]
    assert bubbles_by_turn(database) == Counter(range(TURNS))
    assert ask(database, "SELECT count(*) FROM seen") == [(TURNS,)]
    assert Counter(dict(ask(database, "SELECT word, count FROM missed_terms"))) == Counter(map(word, range(TURNS)))


async def test_what_was_answered_is_there_once_however_often_the_process_is_killed(tmp_path: Path) -> None:
    database, talk = tmp_path / "hearsay.db", Talk()
    for answers in (*KILLS, TURNS + 1):
        with serving(database, **UNBOUND) as served:
            assert_nothing_answered_is_lost(database, talk)
            await talk.until(served, answers)
            if answers <= TURNS:
                assert served.process.wait(END) == -9, "it was killed, and did not end by itself"
                continue
            assert sorted(talk.answered) == list(range(TURNS))
            assert_each_turn_once(database)
            await repeat_everything(served)
            assert_each_turn_once(database)
            shown = await page(served)
            assert [word(number) in shown for number in range(0, TURNS, VOICES)] == [True] * (TURNS // VOICES)


def assert_nothing_answered_is_lost(database: Path, talk: Talk) -> None:
    found = bubbles_by_turn(database)
    assert {number: found[number] for number in talk.answered} == dict.fromkeys(talk.answered, 1)
    assert all(count == 1 for count in found.values())


async def repeat_everything(served: Served) -> None:
    """Post every turn again with its key."""
    async with Hanging(served) as line:
        for number in range(TURNS):
            assert await line.ask(turn(number)) == 204


async def page(served: Served) -> str:
    """Return the first conversation as its stream of events tells it from the beginning."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: hearsay={cookie(0)}\r\n\r\n".encode())
    read = b""
    async with asyncio.timeout(START):
        while read.count(b"event: bubble") < TURNS // VOICES or not read.endswith(b"\n\r\n"):
            part = await reader.read(65536)
            assert part, "the stream ended"
            read += part
    writer.close()
    return read.decode()


async def test_a_killed_process_takes_nothing_from_its_neighbour(tmp_path: Path) -> None:
    database = tmp_path / "hearsay.db"
    migrate(database)
    with serving(database, **UNBOUND) as first, serving(database, **UNBOUND) as second:
        killed, left = Talk(list(range(0, TURNS, 2))), Talk(list(range(1, TURNS, 2)))
        await asyncio.gather(killed.until(first, 40), left.until(second, TURNS + 1))
        assert first.process.wait(END) == -9
        assert sorted(left.answered) == list(range(1, TURNS, 2)), "the neighbour answers everything"
        assert_nothing_answered_is_lost(database, killed)
        assert_nothing_answered_is_lost(database, left)
        moved = Talk([number for number in range(0, TURNS, 2) if number not in killed.answered])
        await moved.until(second, TURNS + 1)
        await repeat_everything(second)
        assert_each_turn_once(database)


class Wire:
    """A platform whose network is a file: each key that was sent is a line of it, on the disk before `send` returns.

    The send after which the process is to be killed never returns, so that it is in the air whenever the kill comes.
    """

    name = "wire"
    pulls = False

    def __init__(self, sent: Path, left: int) -> None:
        self._left = left
        self._file = sent.open("a", encoding="ascii", buffering=1)

    def limits(self, address: Address) -> Limits:
        return limits.TELEGRAM

    def made(self, address: Address) -> None:
        raise AssertionError("a wire is sent to")

    async def leave(self, address: Address) -> None:
        raise AssertionError("nobody leaves")

    async def send(self, address: Address, reply: Reply, sending: Sending) -> str | None:
        await asyncio.sleep(0.002)
        self._file.write(f"{sending.key}\n")
        os.fsync(self._file.fileno())
        self._left -= 1
        if self._left == 0:
            await asyncio.Event().wait()
        return f"ref-{sending.key}"


async def carry(database: Path, late: timedelta, sends: int) -> None:
    """Write what rows are missing and send everything: the life of one process, whose clock is `late`.

    With `sends` it hangs after so many, with 0 it comes to its end.
    """
    store = Store(database)
    delivery = Delivery(
        store, {Wire.name: Wire(database.with_suffix(".sent"), sends)}, lambda: datetime.now(UTC) + late
    )
    there = await store.read(outbox.newest)
    for number in range(there, ROWS):
        bubble = Bubble(0, Address(Wire.name, str(number % LANES)), Reply(f"number {number}"), "en")
        add = partial(outbox.add, bubble=bubble, now=datetime.now(UTC) + late, state="waiting")
        made = await store.run(add)
        delivery.made([made])
    while await delivery.pick_up():
        await delivery.idle()
    await delivery.idle()
    store.close()


def _carried(database: Path) -> tuple[Counter[str], set[str]]:
    """Return how often each key was sent, and the keys whose row says so."""
    sent = database.with_suffix(".sent")
    keys = Counter(sent.read_text().split("\n")[:-1]) if sent.exists() else Counter[str]()
    return keys, {f"{number}.0" for (number,) in ask(database, "SELECT id FROM bubbles WHERE state = 'sent'")}


@contextmanager
def carrier(database: Path, lives: int, sends: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that sends; each life's clock is so late that the leases of the one before have run out."""
    arguments = [sys.executable, "-m", "tests.test_crash", str(database), str(lives * 120), str(sends)]
    process = subprocess.Popen(arguments, env=environment())
    try:
        yield process
    finally:
        process.kill()
        process.wait(END)


async def killed_after(process: subprocess.Popen[bytes], database: Path, sends: int) -> None:
    """Kill the process as soon as so many more keys were sent."""
    before = _carried(database)[0].total()
    async with asyncio.timeout(START):
        while _carried(database)[0].total() < before + sends:
            assert process.poll() is None, "it ended before it was killed"
            await asyncio.sleep(0.001)
    process.kill()
    process.wait(END)


async def test_a_killed_sender_sends_everything_and_doubles_only_what_was_in_the_air(tmp_path: Path) -> None:
    database, chance = tmp_path / "wire.db", Random(7)
    migrate(database)
    in_the_air: Counter[str] = Counter()
    for lives in range(SENDER_KILLS):
        sends = chance.randint(5, ROWS // (SENDER_KILLS + 2))
        with carrier(database, lives, sends) as process:
            await killed_after(process, database, sends)
        sent, settled = _carried(database)
        in_the_air.update(sent.keys() - settled)
    with carrier(database, SENDER_KILLS) as process:
        assert process.wait(START) == 0
    sent, settled = _carried(database)
    assert settled == {f"{number}.0" for number in range(1, ROWS + 1)}, "every row ends as sent"
    assert sent.keys() == settled, "every key was sent, and no other"
    doubles = Counter({key: count - 1 for key, count in sent.items() if count > 1})
    assert doubles <= in_the_air, "sent twice without having been in the air when a process died"
    assert ask(database, "PRAGMA integrity_check") == [("ok",)]
    assert in_the_air, "no kill came while anything was in the air: this run proved nothing"


if __name__ == "__main__":
    asyncio.run(carry(Path(sys.argv[1]), timedelta(seconds=int(sys.argv[2])), int(sys.argv[3])))
