"""Holds sessions to account: they come back as they went in, a key counts once, and forgetting leaves no trace."""

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import Connection, create_engine

from bot.core.message import Address, Choice, Image, Reply
from bot.core.session import Question, Scene, Session
from bot.storage import games, outbox, plays, reports, sessions, subscriptions, tellings
from bot.storage.database import Database, opened
from bot.storage.outbox import Bubble
from bot.storage.reports import Draft
from bot.storage.store import Store
from bot.storage.subscriptions import Subscription
from bot.storage.tables import BY_ADDRESS, COORDINATORS, METADATA
from bot.storage.tables import SESSIONS as SESSIONS_TABLE
from bot.storage.upsert import insert
from bot.talk.feature import Telling
from tests.play import NOON

ROOM = Address("telegram", "-1001")
CORNER = Address("telegram", "-1001", "42")
TOPIC = Address("telegram", "-1001/7")
FAMILY = (ROOM, CORNER, TOPIC, Address("telegram", "-1001/7", "42"), Address("telegram", "-1001/channel"))
NEW = Address("telegram", "-1002222")

WORDS = some.text(some.characters(exclude_categories=["Cs"]), max_size=40)
SAID = WORDS.filter(bool)
CHOICES = some.lists(some.builds(Choice, SAID, SAID), max_size=4).map(tuple)
IMAGES = some.none() | some.builds(Image, SAID, some.just(Path("a/b.png")) | some.none(), some.binary(min_size=1))
REPLIES = some.builds(
    Reply,
    WORDS,
    CHOICES,
    prompt=some.none() | SAID,
    image=IMAGES,
    slot=some.none() | SAID,
    aside=some.booleans(),
    link=some.none() | SAID,
)
SESSIONS = some.builds(
    Session,
    some.just(ROOM),
    some.none() | SAID,
    WORDS,
    some.booleans(),
    some.integers(0, 1_000_000),
    some.none() | some.builds(Question, some.integers(1, 1_000_000), REPLIES),
    CHOICES,
    some.lists(some.builds(Scene, SAID, WORDS), max_size=3).map(tuple),
)


@given(SESSIONS)
def test_a_session_comes_back_from_its_json_as_it_went_in(session: Session) -> None:
    assert Session.from_json(ROOM, session.to_json()) == session


@given(some.lists(SESSIONS, min_size=1, max_size=3))
def test_the_last_session_put_is_the_one_taken(put: list[Session]) -> None:
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    now = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
    with engine.begin() as tx:
        for session in put:
            sessions.put(tx, session, now)
        assert sessions.take(tx, ROOM) == put[-1]
    engine.dispose()


async def test_where_nothing_was_said_a_session_is_new(store: Store) -> None:
    assert await store.read(lambda tx: sessions.take(tx, ROOM)) == Session(ROOM)


async def test_a_corner_has_a_session_of_its_own(store: Store, now: datetime) -> None:
    await store.run(lambda tx: sessions.put(tx, Session(ROOM, "es"), now))
    assert await store.read(lambda tx: sessions.take(tx, CORNER)) == Session(CORNER)


async def test_a_key_is_new_once_for_each_conversation(store: Store, now: datetime) -> None:
    async def first(where: Address, key: str) -> bool:
        return await store.run(lambda tx: sessions.first_time(tx, where, key, now))

    assert await first(ROOM, "1")
    assert not await first(ROOM, "1")
    assert await first(ROOM, "2")
    assert await first(CORNER, "1")
    assert not await first(CORNER, "1")


async def test_of_two_processes_that_hear_one_key_one_is_first(store: Store, database: Database, now: datetime) -> None:
    other = opened(database)
    keys = [str(number) for number in range(50)]

    def hear(which: Store, key: str) -> Awaitable[bool]:
        return which.run(lambda tx: sessions.first_time(tx, ROOM, key, now))

    heard = await asyncio.gather(*(hear(which, key) for key in keys for which in (store, other)))
    other.close()
    assert sum(heard) == len(keys)


async def talk(store: Store, where: Address, now: datetime) -> None:
    """Leave a row of `where` in every table that has conversations."""

    def everything(tx: Connection) -> None:
        sessions.put(tx, Session(where, "es"), now)
        sessions.first_time(tx, where, "1", now)
        outbox.add(tx, Bubble(0, where, Reply("words"), "en"), now, state="read")
        tellings.add(tx, [Telling(where, "quizzes", {"late": 1}, now, f"late {where}")])
        reports.put_draft(tx, where, Draft("words"), now)
        reports.ask(tx, reports.keep(tx, where, Draft("words"), city="", language="en", now=now), where, "en", now)
        plays.sit(tx, 1, where, now)
        games.let_host(tx, "ABC234", where, now)
        subscriptions.put(tx, Subscription(where, "", "en", now))
        row = {"address": str(where), "city": "", "number": 1, "language": "en", "since": 0}
        tx.execute(insert(COORDINATORS).values(row).on_conflict_do_nothing())

    await store.run(everything)


async def owners(store: Store) -> list[set[str]]:
    return await store.read(lambda tx: [{row.address for row in tx.execute(table.select())} for table in BY_ADDRESS])


async def dump(store: Store) -> str:
    tables = METADATA.sorted_tables
    return await store.read(lambda tx: "\n".join(str(row) for table in tables for row in tx.execute(table.select())))


async def test_forgetting_clears_every_table_and_every_corner(store: Store, now: datetime) -> None:
    for where in (ROOM, CORNER, Address("telegram", "-1001", "43")):
        await talk(store, where, now)
    assert "-1001" in await dump(store)
    await store.run(lambda tx: sessions.forget(tx, ROOM))
    assert "-1001" not in await dump(store)


async def test_every_table_with_an_address_is_forgotten() -> None:
    assert {table for table in METADATA.tables.values() if "address" in table.c} == set(BY_ADDRESS)


async def test_forgetting_leaves_everybody_else(store: Store, now: datetime) -> None:
    others = [
        Address("telegram", "-10012"),
        Address("telegram", "-10012", "42"),
        Address("telegram", "1001"),
        Address("discord", "-1001"),
        Address("discord", "-1001", "42"),
        Address("telegram", "-100_", "42"),
        Address("telegram", "%", "42"),
    ]
    for where in (*others, ROOM, CORNER):
        await talk(store, where, now)
    await store.run(lambda tx: sessions.forget(tx, ROOM))
    assert await owners(store) == [{str(where) for where in others}] * len(BY_ADDRESS)


async def test_a_corner_forgets_itself_and_not_the_room(store: Store, now: datetime) -> None:
    await talk(store, ROOM, now)
    await talk(store, CORNER, now)
    await store.run(lambda tx: sessions.forget(tx, CORNER))
    assert await owners(store) == [{str(ROOM)}] * len(BY_ADDRESS)


async def test_marks_like_a_patterns_in_a_name_forget_nobody_else(store: Store, now: datetime) -> None:
    for chat in ("a_b", "axb", "a%", "a/b"):
        await talk(store, Address("matrix", chat, "42"), now)
    await store.run(lambda tx: sessions.forget(tx, Address("matrix", "a_b")))
    await store.run(lambda tx: sessions.forget(tx, Address("matrix", "a%")))
    left = {"matrix:axb@42", "matrix:a/b@42"}
    assert await owners(store) == [left] * len(BY_ADDRESS)


async def test_a_room_whose_name_differs_in_case_only_is_not_forgotten(store: Store, now: datetime) -> None:
    await talk(store, Address("matrix", "Room", "42"), now)
    await store.run(lambda tx: sessions.forget(tx, Address("matrix", "room")))
    assert await owners(store) == [{"matrix:Room@42"}] * len(BY_ADDRESS)


async def test_what_is_forgotten_leaves_no_bytes_in_the_file(store: Store, path: Path) -> None:
    where = Address("web", "c0ffee" * 5)
    for number in range(400):
        session = Session(where, listed=(Choice(f"canary-{number}", "/help"),))
        await store.run(partial(sessions.put, session=session, now=NOON))
    await store.run(lambda tx: sessions.forget(tx, where))
    store.close()
    assert not {word for word in (b"canary", where.chat.encode()) if word in contents(path)}


@pytest.mark.parametrize("platform", ["telegram", "discord"])
async def test_no_address_of_a_chat_its_rooms_and_corners_is_left_in_the_file(
    store: Store, path: Path, now: datetime, platform: str
) -> None:
    """Searches every byte that SQLite holds, free pages and what waits to be written included."""
    chat, person, topic = "-1009182736450", "5566778899", "31415"
    family = [
        Address(platform, chat),
        Address(platform, chat, person),
        Address(platform, f"{chat}/{topic}"),
        Address(platform, f"{chat}/{topic}", person),
    ]
    other = Address(platform, "-100918273645")
    for _ in range(30):  # so much that pages are split and freed on the way
        for where in (*family, other):
            await talk(store, where, now)
            await store.run(partial(leave_much, where=where, now=now))
    assert all(word.encode() in everything(path) for word in (chat, person, topic))
    await store.run(lambda tx: sessions.forget(tx, family[0]))
    store.close()  # the file alone is left: nothing waits beside it
    left = everything(path)
    assert [word for word in (chat, person, f"/{topic}", "canary-of") if word.encode() in left] == []
    assert str(other).encode() in left
    assert [beside.name for beside in path.parent.iterdir()] == [path.name]


def leave_much(tx: Connection, where: Address, now: datetime) -> None:
    """Leave long rows that name their address in every table."""
    canary = f"canary-of-{where} " if where.chat != "-100918273645" else "words "
    asked = Question(1, Reply(canary * 20, prompt=canary))
    sessions.put(tx, Session(where, asked=Question(1, Reply(canary * 500))), now)  # then shorter: pages become free
    sessions.put(tx, Session(where, asked=asked, scenes=(Scene("rumours", canary),)), now)
    bubble = outbox.add(tx, Bubble(0, where, Reply(canary * 40, slot=canary), "en"), now, state="waiting")
    outbox.settle(tx, bubble, "sent", f"{where}.{bubble.id}", "reached", now)
    sessions.first_time(tx, where, f"{canary}{bubble.id}", now)
    tellings.add(tx, [Telling(where, "quizzes", {"late": canary}, now, f"{canary}{bubble.id}")])


def everything(path: Path) -> bytes:
    return b"".join(contents(beside) for beside in path.parent.iterdir())


async def test_rooms_and_their_corners_are_forgotten_with_the_chat(store: Store, now: datetime) -> None:
    for where in FAMILY:
        await talk(store, where, now)
    await store.run(lambda tx: sessions.forget(tx, ROOM))
    assert "-1001" not in await dump(store)


async def test_a_room_forgets_itself_and_its_corners_and_nothing_beside_it(store: Store, now: datetime) -> None:
    others = [ROOM, CORNER, Address("telegram", "-1001/77"), Address("telegram", "-1001/70", "42")]
    for where in (*others, TOPIC, Address("telegram", "-1001/7", "42")):
        await talk(store, where, now)
    await store.run(lambda tx: sessions.forget(tx, TOPIC))
    assert await owners(store) == [{str(where) for where in others}] * len(BY_ADDRESS)


async def test_a_conversation_moves_with_its_rooms_and_corners(store: Store, now: datetime) -> None:
    for where in FAMILY:
        await talk(store, where, now)
    await store.run(lambda tx: sessions.move(tx, ROOM, NEW))
    moved = {str(where).replace(str(ROOM), str(NEW), 1) for where in FAMILY}
    assert await owners(store) == [moved] * len(BY_ADDRESS)


async def test_moving_keeps_what_is_in_the_rows(store: Store, now: datetime) -> None:
    await talk(store, CORNER, now)
    await store.run(lambda tx: sessions.move(tx, ROOM, NEW))
    there = Address(NEW.platform, NEW.chat, "42")
    assert (await store.read(lambda tx: sessions.take(tx, there))).language == "es"
    assert not await store.run(lambda tx: sessions.first_time(tx, there, "1", now)), "what was heard counts as heard"
    assert [bubble.reply.text for bubble in await store.read(lambda tx: outbox.after(tx, there, 0, 9))] == ["words"]
    assert [telling.to for telling in await store.read(lambda tx: tellings.due(tx, now, 9))] == [there]


async def test_moving_leaves_everybody_else_where_they_are(store: Store, now: datetime) -> None:
    others = [Address("telegram", "-10012"), Address("telegram", "-10012", "42"), Address("discord", "-1001")]
    others += [Address("telegram", "-10010/7"), Address("telegram", "1001"), Address("telegram", "-100")]
    for where in others:
        await talk(store, where, now)
    await store.run(lambda tx: sessions.move(tx, ROOM, NEW))
    assert await owners(store) == [{str(where) for where in others}] * len(BY_ADDRESS)


async def test_what_moves_takes_the_place_of_what_was_begun_at_the_new_address(store: Store, now: datetime) -> None:
    await talk(store, ROOM, now)
    await store.run(lambda tx: sessions.put(tx, Session(NEW, "en"), now))
    await store.run(lambda tx: sessions.first_time(tx, NEW, "1", now))
    await store.run(lambda tx: sessions.move(tx, ROOM, NEW))
    assert (await store.read(lambda tx: sessions.take(tx, NEW))).language == "es"


async def test_moving_twice_is_moving_once(store: Store, now: datetime) -> None:
    for where in FAMILY:
        await talk(store, where, now)
    await store.run(lambda tx: sessions.move(tx, ROOM, NEW))
    once = await owners(store)
    await store.run(lambda tx: sessions.move(tx, ROOM, NEW))
    assert await owners(store) == once


@given(some.lists(some.sampled_from(["-1", "-10", "-1/0", "-1/01", "-10/1", "-1A", "-1.", "-11"]), unique=True))
def test_exactly_the_chat_its_rooms_and_its_corners_belong_to_it(chats: list[str]) -> None:
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    there = [Address("telegram", chat, person) for chat in chats for person in (None, "-1", "0")]
    with engine.begin() as tx:
        for where in there:
            sessions.put(tx, Session(where), NOON)
        sessions.move(tx, Address("telegram", "-1"), Address("telegram", "-9"))
        found = {row.address for row in tx.execute(SESSIONS_TABLE.select())}
    engine.dispose()
    family = {where for where in there if where.chat.partition("/")[0] == "-1"}
    assert found == {str(where).replace(":-1", ":-9", 1) if where in family else str(where) for where in there}


def contents(path: Path) -> bytes:
    return path.read_bytes()


async def test_a_room_begins_with_what_was_chosen_for_its_chat(store: Store, now: datetime) -> None:
    chat, room = Address("telegram", "-100"), Address("telegram", "-100/7")
    chosen = Session(chat, "es", met=True, quiet=True, turns=4)
    await store.run(lambda tx: sessions.put(tx, chosen, now))
    assert await store.run(lambda tx: sessions.take(tx, room)) == Session(room, "es", quiet=True)
    assert await store.run(lambda tx: sessions.take(tx, Address("telegram", "-100/7", "42"))) == Session(
        Address("telegram", "-100/7", "42")
    )
