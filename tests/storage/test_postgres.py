"""Holds the store on a server to account: processes lose nothing of each other, and it outlives an absent server."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import URL, Connection, text

from bot.core.message import Address, Reply
from bot.core.session import Session
from bot.delivery import Delivery
from bot.platforms.web import Web
from bot.storage import games, outbox, plays, postgres, sessions
from bot.storage.database import opened
from bot.storage.lock import alone
from bot.storage.outbox import LEASE, Bubble
from bot.storage.store import Store, StoreError
from bot.storage.tables import BUBBLES, SESSIONS
from tests.postgres import Server
from tests.serving import ROOT
from tests.storage.beside import CHATS, EACH, HERE, NOON, WORDS, Line, one_more

DATABASES = ("postgresql",)
HANG = 20.0  # seconds after which a wait is a hang


def note(word: str) -> Callable[[Connection], str]:
    def work(tx: Connection) -> str:
        new = text("INSERT INTO missed_terms (word, language, count, last) VALUES (:word, 'en', 1, 0)")
        tx.execute(new, {"word": word})
        return word

    return work


async def kept(store: Store) -> list[str]:
    return await store.read(lambda tx: list(tx.execute(text("SELECT word FROM missed_terms ORDER BY word")).scalars()))


@pytest.fixture
async def other(on_server: URL) -> AsyncIterator[Store]:
    """Another process's store."""
    store = opened(on_server)
    yield store
    store.close()


# ---------------------------------------- each its own


async def test_each_piece_of_work_gets_its_own_result(store: Store) -> None:
    words = [f"word-{number:02}" for number in range(50)]
    assert await asyncio.gather(*(store.run(note(word)) for word in words)) == words
    assert await kept(store) == words


async def test_what_raises_keeps_nothing_and_leaves_its_neighbours(store: Store) -> None:
    def broken(tx: Connection) -> None:
        note("never")(tx)
        raise LookupError("mine")

    found = await asyncio.gather(*map(store.run, (note("a"), broken, note("b"))), return_exceptions=True)
    assert [type(result) for result in found] == [str, LookupError, str]
    assert await kept(store) == ["a", "b"]


async def test_an_error_shows_nothing_of_a_row(store: Store) -> None:
    await store.run(note("canary"))
    with pytest.raises(StoreError, match="missed_terms_pkey") as error:
        await store.run(note("canary"))
    assert "canary" not in str(error.value)


async def test_the_reading_side_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError, match="read-only"):
        await store.read(note("never"))


async def test_closing_finishes_what_is_waiting_and_then_says_so(on_server: URL, other: Store) -> None:
    store = opened(on_server)
    jobs = [asyncio.create_task(store.run(note(f"word-{number:02}"))) for number in range(20)]
    await asyncio.sleep(0)
    await asyncio.to_thread(store.close)
    assert len(await asyncio.gather(*jobs)) == len(await kept(other)) == 20
    with pytest.raises(StoreError, match="closed"):
        await store.run(note("never"))


# ---------------------------------------- who meets


async def test_many_turns_of_one_conversation_are_all_counted_its_first_ones_too(store: Store, other: Store) -> None:
    await asyncio.gather(*(which.run(one_more) for _ in range(40) for which in (store, other)))
    assert (await store.read(lambda tx: sessions.take(tx, HERE))).turns == 80


@contextmanager
def process(what: str, url: URL, book: Path) -> Iterator["subprocess.Popen[str]"]:
    """Lend another process that is ready; it is gone afterwards."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.storage.beside", what, address, str(book)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    with started:
        try:
            yield started
        finally:
            if started.poll() is None:
                started.kill()


def say(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def hear(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline().strip()


async def test_two_processes_that_hammer_one_session_lose_nothing(store: Store, on_server: URL, tmp_path: Path) -> None:
    with process("hammer", on_server, tmp_path) as one, process("hammer", on_server, tmp_path) as two:
        for each in (one, two):
            assert await asyncio.to_thread(hear, each) == "here"
        for each in (one, two):
            say(each, "go")
        assert [await asyncio.to_thread(each.wait, HANG) for each in (one, two)] == [0, 0]
    assert (await store.read(lambda tx: sessions.take(tx, HERE))).turns == 2 * EACH


async def test_who_forgets_a_chat_waits_for_the_turn_in_its_corner(store: Store, other: Store) -> None:
    """Or the turn would write back what it read before."""
    corner, reading, forgotten = replace(HERE, person="7"), threading.Event(), threading.Event()

    def turn(tx: Connection) -> None:
        sessions.take(tx, corner)
        reading.set()
        forgotten.wait(0.2)
        sessions.put(tx, Session(corner, "es"), NOON)

    def forget(tx: Connection) -> None:
        sessions.forget(tx, HERE)
        forgotten.set()

    going = asyncio.create_task(store.run(turn))
    await asyncio.to_thread(reading.wait, HANG)
    await other.run(forget)
    await going
    assert await store.read(lambda tx: tx.execute(SESSIONS.select()).all()) == []


async def test_every_word_for_the_wall_is_kept_and_every_team_has_a_number(store: Store, other: Store) -> None:
    game = await store.run(lambda tx: games.add(tx, Random(1), NOON, quiz="q", edition="e", mode="m", language="en"))

    def team(tx: Connection) -> None:
        found = games.take(tx, game.code)
        assert found
        number = games.next_team(tx, found)
        plays.add(tx, NOON, quiz="q", edition="e", mode="m", game=game.code, team=number)
        games.give_word(tx, found, f"word {number}")
        games.order(tx, found)

    await asyncio.gather(*(which.run(team) for _ in range(20) for which in (store, other)))
    assert [number for number, _ in await store.read(lambda tx: games.words(tx, game.code, shown=False))] == [
        *range(1, 41)
    ]
    found = await store.read(lambda tx: games.take(tx, game.code))
    assert found
    assert (found.teams, found.orders) == (40, 40)


async def test_two_that_wait_for_each_other_both_get_through(store: Store) -> None:
    met = threading.Barrier(2)
    tries: list[str] = []

    def work(first: str, then: str) -> Callable[[Connection], None]:
        def ordered(tx: Connection) -> None:
            alone(tx, first)
            tries.append(first)
            if len(tries) <= 2:
                met.wait(HANG)
            alone(tx, then)
            note(first)(tx)

        return ordered

    await store.run(lambda tx: tx.exec_driver_sql("ALTER ROLE hearsay SET deadlock_timeout = '10ms'"))
    fresh = opened(store._writers._engine.url)  # type: ignore[attr-defined]
    await asyncio.gather(fresh.run(work("a", "b")), fresh.run(work("b", "a")))
    fresh.close()
    await store.run(lambda tx: tx.exec_driver_sql("ALTER ROLE hearsay RESET deadlock_timeout"))
    assert await kept(store) == ["a", "b"]
    assert len(tries) == 3


async def test_a_lock_that_does_not_end_is_a_store_error(on_server: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "PATIENCE", 0.05)
    store, held, free = opened(on_server), threading.Event(), threading.Event()

    def hold(tx: Connection) -> None:
        alone(tx, "it")
        held.set()
        free.wait(HANG)

    holding = asyncio.create_task(store.run(hold))
    await asyncio.to_thread(held.wait, HANG)
    with pytest.raises(StoreError, match="lock timeout"):
        await store.run(lambda tx: alone(tx, "it"))
    free.set()
    await holding
    store.close()


async def test_a_page_hears_of_a_bubble_that_was_numbered_before_another_and_kept_after_it(
    store: Store, other: Store
) -> None:
    web, numbered, free = Web(store), threading.Event(), threading.Event()
    woken: list[Address] = []
    web._listeners[HERE].add(asyncio.Event())
    web.made = woken.append  # type: ignore[method-assign, assignment]

    def slow(tx: Connection) -> None:
        outbox.add(tx, Bubble(0, HERE, Reply("slow"), "en"), NOON, state="read")
        numbered.set()
        free.wait(HANG)

    going = asyncio.create_task(other.run(slow))
    await asyncio.to_thread(numbered.wait, HANG)
    quick = Bubble(0, Address("web", "b"), Reply("quick"), "en")
    await other.run(partial(outbox.add, bubble=quick, now=NOON, state="read"))
    await web._look()
    assert woken == [quick.where]
    free.set()
    await going
    await web._look()
    assert HERE in woken


# ---------------------------------------- who goes away


async def test_connections_that_the_server_ends_are_made_again(store: Store) -> None:
    await asyncio.gather(*(store.run(note(f"before-{number}")) for number in range(9)))
    others = "pid != pg_backend_pid() AND datname = current_database()"
    made = postgres.engine(store._writers._engine.url)  # type: ignore[attr-defined]
    with made.connect() as connection:
        connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    made.dispose()
    await asyncio.gather(*(store.run(note(f"word-{number}")) for number in range(9)))
    assert len(await kept(store)) == 18


async def test_while_the_server_is_away_nothing_is_kept_and_then_everything_again(
    store: Store, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "AWAY", 0.0)
    await store.run(note("before"))
    await asyncio.to_thread(server.stop)
    try:
        for asked in (store.run(note("never")), kept(store)):
            with pytest.raises(StoreError):
                await asked
    finally:
        await asyncio.to_thread(server.start)
    await store.run(note("after"))
    assert await kept(store) == ["after", "before"]


async def test_a_server_that_is_away_is_asked_once_for_all_that_wait(tmp_path: Path) -> None:
    store = opened(URL.create("postgresql+psycopg", database="none", query={"host": str(tmp_path)}))
    crew = store._writers  # type: ignore[attr-defined]
    tries: list[int] = []
    connect = crew._engine.connect

    def counted() -> Connection:
        tries.append(1)
        made: Connection = connect()
        return made

    crew._engine.connect = counted
    for _ in range(20):
        with pytest.raises(StoreError, match="No such file"):
            await store.run(note("never"))
    store.close()
    assert len(tries) == 1


async def test_what_a_killed_process_had_in_the_air_is_sent_by_another(
    store: Store, on_server: URL, tmp_path: Path
) -> None:
    line, all_ = Line(tmp_path / "book", 0), CHATS * WORDS
    with process("talk", on_server, line.book) as talker:
        assert await asyncio.to_thread(hear, talker) == "here"
        while len(line.arrived()) < all_ / 4:  # noqa: ASYNC110  # another process writes it
            await asyncio.sleep(0.01)
        talker.kill()
        await asyncio.to_thread(talker.wait, HANG)
    assert all_ / 4 <= len(line.arrived()) < all_, "it was killed in the middle"
    delivery = Delivery(store, {"telegram": line}, lambda: NOON + LEASE)
    while await delivery.pick_up():
        await delivery.idle()
    sent = line.arrived()
    assert {*sent} == {(f"telegram:{chat}", str(number)) for chat in range(CHATS) for number in range(WORDS)}
    assert len(sent) - all_ <= 3 * CHATS, "one in the air, and those whose marks were not written yet"
    assert await store.read(lambda tx: {row.state for row in tx.execute(BUBBLES.select())}) == {"sent"}


async def test_two_processes_pick_up_what_was_left_behind_once(store: Store, other: Store, tmp_path: Path) -> None:
    for number in range(60):
        bubble = Bubble(0, Address("telegram", str(number % 7)), Reply(str(number)), "en")
        await store.run(partial(outbox.add, bubble=bubble, now=NOON, state="waiting"))
    line = Line(tmp_path / "book", 0)
    later: Callable[[], datetime] = lambda: NOON + LEASE  # noqa: E731
    deliveries = [Delivery(which, {"telegram": line}, later) for which in (store, other)]
    await asyncio.gather(*(delivery.pick_up() for delivery in deliveries for _ in range(3)))
    await asyncio.gather(*(delivery.idle() for delivery in deliveries))
    assert sorted(int(words) for _, words in line.arrived()) == [*range(60)]
