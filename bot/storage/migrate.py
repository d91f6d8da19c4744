"""Bring a database file to this version's shape."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, create_engine

from bot.storage.tables import METADATA

NEWEST = "0004"
_VERSION = (  # as Alembic itself makes it
    "CREATE TABLE IF NOT EXISTS alembic_version "
    "(version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)
_MIGRATIONS = Path(__file__).parent / "migrations"


class NewerDatabaseError(Exception):
    """The file was written by a newer Hearsay."""


def is_current(path: Path) -> bool:
    """Say whether `path` has this version's shape; far quicker than asking Alembic."""
    if not path.exists():
        return False
    with closing(sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True)) as raw:
        try:
            found = raw.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return False
            raise
    return found is not None and found[0] == NEWEST


def migrate(path: Path) -> None:
    """Create or upgrade the database at `path`. Raises `NewerDatabaseError` and what SQLite raises."""
    if not path.exists() or not path.stat().st_size:
        _create(path)
    else:
        _upgrade(path)


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


def _upgrade(path: Path) -> None:
    from alembic import command  # a third of a second and ten megabytes that a daily start does not need
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = URL.create("sqlite", database=str(path))
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        if "Can't locate revision" in str(error):
            raise NewerDatabaseError(str(path)) from error
        raise
