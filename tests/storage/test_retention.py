"""Holds the sweep to account: what is over goes, to the millisecond, and nothing else."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Table

from bot.storage import retention
from bot.storage.moments import millis, moment
from bot.storage.retention import KEPT, LASTING
from bot.storage.store import Store
from bot.storage.tables import METADATA

NOW = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
MOMENT = timedelta(milliseconds=1)


def row(table: Table, number: int, since: str, at: int | None) -> Mapping[str, object]:
    """Return a row of `table` whose age counts from `at`."""
    filled: dict[str, object] = {column.name: f"w{number}" for column in table.c if not column.nullable}
    filled |= {column.name: number for column in table.c if column.type.python_type is int and not column.nullable}
    return {**filled, since: at}


async def keep(store: Store, table: Table, values: Mapping[str, object]) -> None:
    await store.run(lambda tx: tx.execute(table.insert().values(values)))


async def ages(store: Store, table: Table, since: str, *at: int | None) -> list[int | None]:
    """Keep a row for each of `at` in `table`, sweep, return which are left."""
    for number, stamp in enumerate(at, 1):
        await keep(store, table, row(table, number, since, stamp))
    await store.run(lambda tx: retention.sweep(tx, NOW))
    left = await store.read(lambda tx: tx.execute(table.select().with_only_columns(table.c[since])).scalars().all())
    return list(left)


@pytest.mark.parametrize("name", KEPT)
async def test_a_row_goes_when_it_is_over_and_not_a_moment_sooner(store: Store, name: str) -> None:
    table, since, span = KEPT[name]
    over, still, fresh = millis(NOW - span - MOMENT), millis(NOW - span), millis(NOW)
    assert await ages(store, table, since, over, still, fresh) == [still, fresh]


async def test_a_telling_that_was_not_heard_is_never_over(store: Store) -> None:
    table, since, _ = KEPT["tellings"]
    assert await ages(store, table, since, None) == [None]


async def test_the_sweep_says_how_many_rows_went(store: Store) -> None:
    for number, (table, since, span) in enumerate(KEPT.values(), 1):
        await keep(store, table, row(table, number, since, millis(NOW - 2 * span - MOMENT)))
    assert await store.run(lambda tx: retention.sweep(tx, NOW)) == len(KEPT)
    assert await store.run(lambda tx: retention.sweep(tx, NOW)) == 0


def test_every_table_is_kept_for_a_time_or_until_somebody_ends_it() -> None:
    assert {table for table, _, _ in KEPT.values()} | set(LASTING) == set(METADATA.tables.values())


def test_a_moment_comes_back_to_the_millisecond() -> None:
    exact = NOW + 123 * MOMENT
    assert moment(millis(exact)) == exact
