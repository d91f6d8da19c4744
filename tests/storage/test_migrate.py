"""Holds migrations to account: up, down and up again equals the tables, and a newer file is refused untouched."""

import multiprocessing
import sqlite3
from collections.abc import Callable
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from alembic import command, op
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from bot.storage import migrate as migrating
from bot.storage.migrate import NewerDatabaseError, is_current, migrate
from bot.storage.tables import METADATA


def config(path: Path) -> Config:
    made = Config()
    made.set_main_option("script_location", str(migrating._MIGRATIONS))
    made.attributes["url"] = f"sqlite:///{path}"
    return made


def differences(path: Path) -> list[object]:
    """Return what the tables of the file have that METADATA has not, and the other way round."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)
    engine.dispose()
    return list(found)


def shape(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as raw:
        rows = raw.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'alembic_version'")
        plain = (" ".join(sql.split()).replace('"', "") for (sql,) in rows)
        return {sql.replace(" ,", ",").replace(" )", ")") for sql in plain}  # as ALTER TABLE leaves it


@pytest.mark.parametrize("make", [migrate, migrating._upgrade])
def test_a_file_that_is_made_or_migrated_equals_the_tables(path: Path, make: Callable[[Path], None]) -> None:
    make(path)
    assert differences(path) == []
    assert is_current(path)


def test_a_migrated_file_has_the_very_sql_that_the_tables_would_make(path: Path, tmp_path: Path) -> None:
    """Alembic's comparison does not see partial indexes or AUTOINCREMENT."""
    migrating._upgrade(path)
    engine = create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    METADATA.create_all(engine)
    engine.dispose()
    assert shape(path) == shape(tmp_path / "made.db")


def test_up_down_and_up_again_comes_to_the_same(path: Path) -> None:
    migrate(path)
    once = shape(path)
    command.downgrade(config(path), "base")
    engine = create_engine(f"sqlite:///{path}")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    engine.dispose()
    assert not is_current(path)
    migrate(path)
    assert shape(path) == once
    assert differences(path) == []


def test_the_newest_migration_is_the_one_that_is_looked_for() -> None:
    assert ScriptDirectory(str(migrating._MIGRATIONS)).get_heads() == [migrating.NEWEST]


def test_migrating_twice_changes_nothing(path: Path) -> None:
    migrate(path)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("INSERT INTO sessions VALUES ('web:a', '{}', 1)")
        raw.commit()
    migrate(path)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT count(*) FROM sessions").fetchone() == (1,)


def test_a_file_of_the_first_version_keeps_its_rows(path: Path) -> None:
    command.upgrade(config(path), "0001")
    assert not is_current(path)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("INSERT INTO sessions VALUES ('web:a', '{}', 1)")
        raw.execute("INSERT INTO missed_terms VALUES ('plum', 'en', 3, 1)")
        raw.commit()
    migrate(path)
    assert is_current(path)
    assert differences(path) == []
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT * FROM sessions").fetchall() == [("web:a", "{}", 1)]
        assert raw.execute("SELECT * FROM missed_terms").fetchall() == [("plum", "en", 3, 1)]


def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(path: Path) -> None:
    migrate(path)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
        raw.commit()
    before = shape(path)
    assert not is_current(path)
    with pytest.raises(NewerDatabaseError, match=path.name):
        migrate(path)
    assert shape(path) == before


def test_no_file_and_an_empty_file_are_not_current(path: Path) -> None:
    assert not is_current(path)
    assert not path.exists(), "looking must not create it"
    path.touch()
    assert not is_current(path)


def test_what_is_no_database_says_so(path: Path) -> None:
    path.write_bytes(b"not a database at all, only some words" * 50)
    with pytest.raises(sqlite3.DatabaseError):
        is_current(path)


@pytest.mark.parametrize("name", ["50% sure.db", "with space.db", "añadido.db", "a#b.db", "why?.db"])
def test_any_name_of_a_file_will_do(tmp_path: Path, name: str) -> None:
    migrate(tmp_path / name)
    assert is_current(tmp_path / name)
    assert [found.name for found in tmp_path.iterdir()] == [name]


def test_a_migration_that_ends_half_way_leaves_nothing_in_the_way_of_the_next(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill or a full disk in the middle of the first start must not refuse every later one."""
    with monkeypatch.context() as broken:
        broken.setattr(op, "create_index", _end)
        with pytest.raises(InterruptedError):
            migrating._upgrade(path)
    migrating._upgrade(path)
    assert differences(path) == []


def _end(*_: object, **__: object) -> None:
    raise InterruptedError


def test_processes_that_start_at_once_on_no_database_all_start(tmp_path: Path) -> None:
    spawned = multiprocessing.get_context("spawn")
    gate = spawned.Barrier(4)
    all_ = [spawned.Process(target=_start, args=(tmp_path / "new.db", gate)) for _ in range(4)]
    for process in all_:
        process.start()
    for process in all_:
        process.join(60)
    assert [process.exitcode for process in all_] == [0] * 4
    assert differences(tmp_path / "new.db") == []


def _start(path: Path, gate: Barrier) -> None:
    gate.wait(60)
    migrate(path)


def test_a_database_of_the_first_version_keeps_its_rows_and_gets_the_new_tables(path: Path) -> None:
    command.upgrade(config(path), "0001")
    rows = {
        "sessions": ("web:a", '{"version": 1, "turns": 3}', 1),
        "seen": ("web:a", "1", 1),
        "bubbles": (7, "web:a", 3, None, "en", '{"text": "Calm."}', "read", None, 0, 0, 1),
        "tellings": ("k", "web:a", "quizzes", "{}", 1, None),
        "missed_terms": ("echo", "en", 2, 1),
    }
    with closing(sqlite3.connect(path)) as raw:
        for table, row in rows.items():
            raw.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
        raw.commit()
    assert not is_current(path)
    migrate(path)
    assert is_current(path)
    assert differences(path) == []
    with closing(sqlite3.connect(path)) as raw:
        found = {table: raw.execute(f"SELECT * FROM {table}").fetchall() for table in rows}
        assert {table: [row[: len(rows[table])] for row in kept] for table, kept in found.items()} == {
            table: [row] for table, row in rows.items()
        }
        assert raw.execute("SELECT count(*) FROM reports").fetchone() == (0,)
