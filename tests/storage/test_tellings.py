"""Holds tellings to account: each is heard once, at its moment, by one taker."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.core.message import Address
from bot.storage import tellings
from bot.storage.database import Database, opened
from bot.storage.store import Store
from bot.talk.feature import Telling

HERE = Address("telegram", "-1001", "42")
MINUTE = timedelta(minutes=1)


async def told(store: Store, *all_: Telling) -> None:
    await store.run(lambda tx: tellings.add(tx, all_))


def telling(when: datetime, key: str = "k", word: str = "ñ") -> Telling:
    return Telling(HERE, "quizzes", {"word": word, "number": 7}, when, key)


async def due(store: Store, now: datetime, most: int = 100) -> list[Telling]:
    return await store.read(lambda tx: tellings.due(tx, now, most))


async def taken(store: Store, key: str, now: datetime) -> bool:
    return await store.run(lambda tx: tellings.take(tx, key, now))


async def test_a_telling_comes_back_as_it_went_in(store: Store, now: datetime) -> None:
    await told(store, telling(now))
    assert await due(store, now) == [telling(now)]


async def test_a_telling_is_due_from_its_moment_on(store: Store, now: datetime) -> None:
    await told(store, telling(now))
    assert await due(store, now - timedelta(milliseconds=1)) == []
    assert await due(store, now + MINUTE) == [telling(now)]


async def test_a_known_key_changes_nothing(store: Store, now: datetime) -> None:
    await told(store, telling(now, word="first"))
    await told(store, telling(now - MINUTE, word="second"))
    assert await due(store, now) == [telling(now, word="first")]


async def test_a_key_that_was_heard_is_not_told_again(store: Store, now: datetime) -> None:
    await told(store, telling(now))
    assert await taken(store, "k", now)
    await told(store, telling(now))
    assert await due(store, now) == []
    assert not await taken(store, "k", now)


async def test_the_earliest_are_heard_first_and_no_more_than_asked_for(store: Store, now: datetime) -> None:
    await told(store, *(telling(now - number * MINUTE, f"k{number}") for number in range(5)))
    assert [found.key for found in await due(store, now, most=3)] == ["k4", "k3", "k2"]


async def test_what_is_unknown_or_forgotten_cannot_be_taken(store: Store, now: datetime) -> None:
    assert not await taken(store, "unknown", now)


async def test_of_two_takers_one_hears_it(store: Store, database: Database, now: datetime) -> None:
    keys = [f"k{number}" for number in range(50)]
    await told(store, *(telling(now, key) for key in keys))
    other = opened(database)
    heard = await asyncio.gather(*(taken(which, key, now) for key in keys for which in (store, other)))
    other.close()
    assert [sum(heard[2 * number : 2 * number + 2]) for number in range(len(keys))] == [1] * len(keys)


async def test_a_taking_that_is_undone_leaves_it_due(store: Store, now: datetime) -> None:
    await told(store, telling(now))

    def broken(tx: Connection) -> None:
        assert tellings.take(tx, "k", now)
        raise LookupError

    (result,) = await asyncio.gather(store.run(broken), return_exceptions=True)
    assert isinstance(result, LookupError)
    assert await due(store, now) == [telling(now)]
