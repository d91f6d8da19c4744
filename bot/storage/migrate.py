"""Bring a database to this version's shape."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from bot.storage.database import Database, named
from bot.storage.store import StoreError, T
from bot.storage.tables import METADATA

NEWEST = "0006"
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('hearsay migrate', 0))"
"""On PostgreSQL, lets one process at a time look at the shape and change it."""
_VERSION = (  # as Alembic itself makes it
    "CREATE TABLE IF NOT EXISTS alembic_version "
    "(version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)
_MIGRATIONS = Path(__file__).parent / "migrations"


class NewerDatabaseError(Exception):
    """The database was written by a newer Hearsay."""


def is_current(where: Database) -> bool:
    """Say whether the database has this version's shape; far quicker than asking Alembic.

    Raises what SQLite raises, or `StoreError`.
    """
    if isinstance(where, URL):
        return _on_server(where, _version) == NEWEST
    if not where.exists():
        return False
    with closing(sqlite3.connect(where.absolute().as_uri() + "?mode=ro", uri=True)) as raw:
        try:
            found = raw.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return False
            raise
    return found is not None and found[0] == NEWEST


def migrate(where: Database) -> None:
    """Create or upgrade the database. Raises `NewerDatabaseError`, what SQLite raises, or `StoreError`."""
    if isinstance(where, URL):
        if not _on_server(where, _filled):
            _upgrade(where)
    elif not where.exists() or not where.stat().st_size:
        _create(where)
    else:
        _upgrade(where)


def _create(path: Path) -> None:
    """Make the newest shape at once; whoever comes second finds it made."""
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": 60})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # nobody may see half of it
        connection.exec_driver_sql(_VERSION)
        METADATA.create_all(connection)
        connection.exec_driver_sql("INSERT OR IGNORE INTO alembic_version VALUES (?)", (NEWEST,))
        connection.exec_driver_sql("COMMIT")
    engine.dispose()


def _on_server(url: URL, work: Callable[[Connection], T]) -> T:
    """Do `work` in one transaction. Raises `StoreError`."""
    from bot.storage.postgres import engine, told  # a driver that a file does not need

    made = engine(url)
    try:
        with made.begin() as connection:
            return work(connection)
    except DBAPIError as error:
        raise StoreError(told(error)) from error
    finally:
        made.dispose()


def _version(tx: Connection) -> str | None:
    """Return the shape that a database on a server has; None where it has none."""
    if not inspect(tx).has_table("alembic_version"):
        return None
    found: str | None = tx.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _filled(tx: Connection) -> bool:
    """Make the newest shape where there is none; say whether that was so, or it is the newest already."""
    if tx.execute(text("SHOW server_encoding")).scalar() != "UTF8":
        raise StoreError("it holds no Unicode; make one with ENCODING 'UTF8'")
    tx.execute(text(LOCK))
    found = _version(tx)
    if found is None:
        METADATA.create_all(tx)
        tx.execute(text(_VERSION))
        tx.execute(text("INSERT INTO alembic_version VALUES (:newest)"), {"newest": NEWEST})
    return found in (None, NEWEST)


def _upgrade(where: Database) -> None:
    from alembic import command  # a third of a second and ten megabytes that a daily start does not need
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = URL.create("sqlite", database=str(where)) if isinstance(where, Path) else where
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        if "Can't locate revision" in str(error):
            raise NewerDatabaseError(named(where)) from error
        raise
