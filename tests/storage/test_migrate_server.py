"""Holds migrations on a server to account: made or migrated it has one shape, and a newer one is refused untouched."""

import asyncio

import pytest
from alembic import command, op
from alembic.config import Config
from sqlalchemy import URL, text

from bot.storage import migrate as migrating
from bot.storage import postgres
from bot.storage.migrate import NewerDatabaseError, is_current, migrate
from bot.storage.store import StoreError
from tests.postgres import Server

_COLUMNS = """
    SELECT table_name, column_name, data_type, collation_name, column_default, is_nullable
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name != 'alembic_version'
"""
_INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename != 'alembic_version'"


def asked(url: URL, sql: str) -> set[tuple[object, ...]]:
    engine = postgres.engine(url)
    with engine.begin() as tx:
        result = tx.execute(text(sql))
        found = {tuple(row) for row in result} if result.returns_rows else set()
    engine.dispose()
    return found


def shape(url: URL) -> list[set[tuple[object, ...]]]:
    return [asked(url, _COLUMNS), asked(url, _INDEXES)]


def config(url: URL) -> Config:
    made = Config()
    made.set_main_option("script_location", str(migrating._MIGRATIONS))
    made.attributes["url"] = url
    return made


def test_a_database_that_is_made_is_as_one_that_is_migrated(server: Server) -> None:
    made, migrated = server.fresh(), server.fresh()
    assert not is_current(made)
    migrate(made)
    migrating._upgrade(migrated)
    assert is_current(made)
    assert is_current(migrated)
    assert shape(made) == shape(migrated)
    assert len(shape(made)[0]) > 100


def test_migrating_twice_changes_nothing_and_down_and_up_comes_to_the_same(server: Server) -> None:
    url = server.fresh()
    migrate(url)
    once = shape(url)
    migrate(url)
    command.downgrade(config(url), "base")
    assert shape(url) == [set(), set()]
    assert not is_current(url)
    migrate(url)
    assert is_current(url)
    assert shape(url) == once


def test_an_older_database_keeps_its_rows(server: Server) -> None:
    url = server.fresh()
    command.upgrade(config(url), "0001")
    asked(url, "INSERT INTO sessions VALUES ('web:a', '{}', 1795282066286)")
    assert not is_current(url)
    migrate(url)
    assert is_current(url)
    assert asked(url, "SELECT * FROM sessions") == {("web:a", "{}", 1795282066286)}


def test_a_newer_database_is_refused_and_left_as_it_is(server: Server) -> None:
    url = server.fresh()
    migrate(url)
    asked(url, "UPDATE alembic_version SET version_num = '9999'")
    before = shape(url)
    assert not is_current(url)
    with pytest.raises(NewerDatabaseError, match="fresh_"):
        migrate(url)
    assert shape(url) == before


def test_a_migration_that_ends_half_way_leaves_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.fresh()
    with monkeypatch.context() as broken:
        broken.setattr(op, "create_index", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            migrating._upgrade(url)
    assert shape(url) == [set(), set()]
    migrate(url)
    assert is_current(url)


async def test_processes_that_start_at_once_on_no_database_all_start(server: Server) -> None:
    url = server.fresh()
    await asyncio.gather(*(asyncio.to_thread(migrate, url) for _ in range(4)))
    assert is_current(url)


def test_a_database_that_holds_no_unicode_is_refused(server: Server) -> None:
    server.do("postgres", "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StoreError, match="Unicode"):
        migrate(server.url("ascii"))
    assert not is_current(server.url("ascii"))
