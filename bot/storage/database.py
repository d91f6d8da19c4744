"""Which database: a SQLite file, or a PostgreSQL server's."""

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.storage.store import Store

Database = Path | URL
GOOD = "postgresql://user@host/name"
_SCHEMES = ("postgresql", "postgres")


def parse(written: str) -> Database:
    """Return the database that `written` names, a path or an address. Raises `ValueError`, which repeats none of it."""
    scheme, mark, _ = written.partition("://")
    if not mark:
        return Path(written)
    if scheme not in _SCHEMES:
        raise ValueError(f"of servers only PostgreSQL is known, as {GOOD}")
    try:
        url = make_url(written)
    except (ArgumentError, ValueError):
        raise ValueError(f"it is no address of the form {GOOD}") from None
    if not url.database:
        raise ValueError(f"it lacks the name of the database at its end: {GOOD}")
    return _with_password_in_its_place(url.set(drivername="postgresql+psycopg"))


def _with_password_in_its_place(url: URL) -> URL:
    """Take a password from the parameters, where whoever prints an address would show it."""
    found = url.query.get("password")
    url = url.difference_update_query(["password"])
    return url.set(password=found) if isinstance(found, str) else url


def named(database: Database) -> str:
    """Return how a database is called where people see it: a path, or an address without user and password."""
    if isinstance(database, Path):
        return str(database)
    host = database.host or database.query.get("host") or "localhost"
    port = f":{database.port}" if database.port else ""
    return f"postgresql://{host}{port}/{database.database}"


def opened(database: Database) -> Store:
    """Open a database that is there in this version's shape. Raises `StoreError` where it cannot be opened."""
    if isinstance(database, Path):
        return Store(database)
    from bot.storage.postgres import Postgres  # nothing of it is loaded where there is only a file

    return Postgres(database)
