"""Bring a database file to this version's shape."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL

NEWEST = "0001"
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
