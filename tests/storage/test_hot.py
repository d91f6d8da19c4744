"""Statements that every turn runs are written for both databases, with a name for each of their parameters."""

import importlib
import pkgutil

import pytest
from sqlalchemy import Dialect
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from bot import storage
from bot.storage.hot import Hot
from bot.storage.tables import REPORTS, SESSIONS
from bot.storage.upsert import insert

MODULES = [importlib.import_module(f"bot.storage.{found.name}") for found in pkgutil.iter_modules(storage.__path__)]
FOUND = {
    f"{module.__name__}.{name}": hot for module in MODULES for name, hot in vars(module).items() if type(hot) is Hot
}
DIALECTS = (sqlite.dialect(paramstyle="named"), PGDialect_psycopg())  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.name))
@pytest.mark.parametrize("name", FOUND)
def test_each_parameter_is_named_by_us(name: str, dialect: Dialect) -> None:
    if "lock" in name and dialect.name == "sqlite":
        return
    given = FOUND[name]._statement.compile(dialect=dialect).params
    assert {word for word, value in given.items() if value is not None} == set(), "nobody would give it a value"


def test_an_upsert_is_the_same_for_both() -> None:
    new = insert(SESSIONS).values(address="a")
    known = new.on_conflict_do_update(index_elements=["address"], set_={"state": new.excluded.state})
    for statement, end in (
        (known, "ON CONFLICT (address) DO UPDATE SET state = excluded.state"),
        (new.on_conflict_do_nothing(), "ON CONFLICT DO NOTHING"),
    ):
        assert all(str(statement.compile(dialect=dialect)).endswith(end) for dialect in DIALECTS)


def test_a_new_rows_id_is_asked_for_only_where_that_is_needed() -> None:
    hot = Hot(REPORTS.insert())
    assert hot._compiled(DIALECTS[1]).endswith("RETURNING reports.id")
    assert "RETURNING" not in hot._sql["sqlite"]
