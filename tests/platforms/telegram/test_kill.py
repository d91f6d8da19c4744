"""kill -9 while people write: every update that was confirmed has its effect, once; answers double only in the air."""

import asyncio
import os
import re
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from random import Random
from sqlite3 import connect

from tests.platforms.telegram.server import TOKEN, BotServer
from tests.serving import END, START, end, start
from tests.test_crash import ask, word

KILLS = int(os.environ.get("KILLS", "3"))
TURNS = min(40 * (KILLS + 1), 1000)
VOICES = 10
NUMBERS = {word(number): number for number in range(TURNS)}
_WORD = re.compile(r"xq[b-m]{3}zw")
UNSENT = "SELECT count(*) FROM bubbles WHERE state != 'sent'"


class Crowd:
    """People who write one thing after another, whoever listens."""

    def __init__(self, server: BotServer, database: Path) -> None:
        self.server = server
        self.database = database
        self.people = [server.person(number) for number in range(1, VOICES + 1)]
        self.updates: dict[int, int] = {}
        self.in_the_air: Counter[int] = Counter()

    async def write(self, turns: range) -> None:
        for number in turns:
            person = self.people[number % VOICES]
            update = self.server.text(person, person, f"/term {word(number)}")
            self.updates[update["update_id"]] = number
            self.server.send(update)
            await asyncio.sleep(0.003)

    @property
    def confirmed(self) -> list[int]:
        """The turns that Telegram will not tell of again."""
        waiting = {update["update_id"] for update in self.server.pending}
        return [number for update, number in self.updates.items() if update not in waiting]

    def answers(self) -> Counter[int]:
        """Return how often each turn was answered, as people see it."""
        said = [message.text for person in self.people for message in self.server.said(person["id"])]
        return counted(said)

    def look(self) -> None:
        """Note what was in the air when the process died, and hold what was confirmed to account."""
        waiting = [reply for (reply,) in ask(self.database, "SELECT reply FROM bubbles WHERE state = 'waiting'")]
        self.in_the_air.update(counted(waiting))
        there = bubbles_by_turn(self.database)
        assert [number for number in self.confirmed if there[number] != 1] == []
        assert max(there.values(), default=1) == 1, "a turn left its effect twice"

    def run_out(self) -> None:
        """Let the dead process's leases run out, for which a real one would wait a minute."""
        with closing(connect(self.database)) as raw, raw:
            raw.execute("UPDATE bubbles SET lease = 0 WHERE state = 'waiting'")


def bubbles_by_turn(database: Path) -> Counter[int]:
    """Return how many bubbles each turn has."""
    return counted([reply for (reply,) in ask(database, "SELECT reply FROM bubbles")])


def counted(texts: Iterable[str]) -> Counter[int]:
    """Return how many of `texts` answer each turn."""
    return Counter(NUMBERS[found] for text in texts for found in set(_WORD.findall(text)))


@asynccontextmanager
async def life(crowd: Crowd, folder: Path) -> AsyncIterator["subprocess.Popen[bytes]"]:
    """Run Hearsay until the end of the block, which kills it if it has not ended."""
    output = folder / "output"
    process = start(crowd.database, output, telegram_token=TOKEN, telegram_api=crowd.server.url)
    try:
        yield process
    finally:
        process.kill()
        process.wait(END)
    assert TOKEN.partition(":")[2] not in output.read_text(errors="replace")


async def killed(crowd: Crowd, process: "subprocess.Popen[bytes]", turns: range, enough: int) -> None:
    """Write `turns`, and kill the process in the middle, when so many were confirmed."""
    writing = asyncio.create_task(crowd.write(turns))
    await crowd.server.until(lambda: len(crowd.confirmed) >= enough, START)
    assert process.poll() is None, "it ended before it was killed"
    process.kill()
    await writing
    process.wait(END)


async def finished(crowd: Crowd, process: "subprocess.Popen[bytes]", turns: range) -> None:
    """Write `turns`, and let the process answer everything before it is asked to end."""
    await crowd.write(turns)
    await crowd.server.until(lambda: len(crowd.confirmed) == TURNS, START)
    await crowd.server.until(lambda: len(crowd.answers()) == TURNS, START)
    async with asyncio.timeout(START):  # what a dead process had sent, but not noted, is sent once more
        while ask(crowd.database, UNSENT) != [(0,)]:  # noqa: ASYNC110  # another process changes it
            await asyncio.sleep(0.05)
    await asyncio.to_thread(end, process)
    assert process.returncode == 0


async def test_whatever_was_confirmed_has_its_effect_once_however_often_the_process_is_killed(tmp_path: Path) -> None:
    chance, share = Random(7), TURNS // (KILLS + 1)
    async with BotServer(validate=False) as server:
        crowd = Crowd(server, tmp_path / "hearsay.db")
        for kill in range(KILLS):
            turns = range(kill * share, (kill + 1) * share)
            async with life(crowd, tmp_path) as process:
                await killed(crowd, process, turns, turns.start + chance.randint(1, share - 10))
            crowd.look()
            crowd.run_out()
        async with life(crowd, tmp_path) as process:
            await finished(crowd, process, range(KILLS * share, TURNS))
    assert bubbles_by_turn(crowd.database) == Counter(range(TURNS))
    assert Counter(dict(ask(crowd.database, "SELECT word, count FROM missed_terms"))) == Counter(
        map(word, range(TURNS))
    )
    assert ask(crowd.database, "SELECT count(*) FROM seen") == [(TURNS,)]
    assert ask(crowd.database, UNSENT) == [(0,)]
    assert ask(crowd.database, "PRAGMA integrity_check") == [("ok",)]
    doubles = Counter({number: count - 1 for number, count in crowd.answers().items() if count > 1})
    assert doubles <= crowd.in_the_air, "said twice without having been in the air when a process died"
    assert crowd.in_the_air, "no kill came while anything was in the air: this run proved nothing"
