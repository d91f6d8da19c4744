"""Copy the database while it is in use, and bring such a copy back."""

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from tempfile import mkstemp

from sqlalchemy import URL, create_engine
from sqlalchemy.exc import DBAPIError

from bot.storage import retention
from bot.storage.migrate import NewerDatabaseError, is_current, migrate
from bot.storage.tables import METADATA

PATIENCE = 10.0  # seconds to wait for a lock that another process holds
GAP = 1_000_000  # numbers that may have been given between the backup and now: none of them is given again
_FIRST = {"alembic_version", "sessions", "seen", "bubbles"}  # what a database of any version has
_BESIDE = ("-journal", "-wal", "-shm")


class BackupError(Exception):
    """A backup cannot be made or brought back; the message says why in one sentence."""


def backup(database: Path, target: Path, *, force: bool = False) -> None:
    """Write a copy of `database` to `target`, whole or not at all, while others write. Raises `BackupError`."""
    if not database.is_file():
        raise BackupError(f"There is no database at {database}.")
    if _is_part_of(target, database):
        raise BackupError(f"{target} is the database itself; give the backup another name.")
    if target.is_dir():
        raise BackupError(f"{target} is a folder; give the backup the name of a file in it.")
    if target.exists() and not force:
        raise BackupError(f"{target} is there already; --force replaces it.")
    with _in_plain_words(f"{target} cannot be written"), _draft(target) as draft:
        with _opened(database) as source:
            _copy(source, draft)
        if not _is_ours(draft):
            raise BackupError(f"{database} is no Hearsay database, or it is damaged.")
        _tidy(draft)
        _publish(draft, target)


def restore(database: Path, source: Path, now: datetime) -> Path | None:
    """Put the backup `source` in the place of `database`; return where the replaced one is kept.

    What is over at `now` does not come back. Raises `BackupError`; then the database is as it was.
    """
    if not source.is_file():
        raise BackupError(f"There is no file {source}.")
    if _is_part_of(source, database):
        raise BackupError(f"{source} is the database itself.")
    with _in_plain_words(f"{database} cannot be replaced"):
        database.parent.mkdir(parents=True, exist_ok=True)
        with _draft(database) as draft:
            _prepare(source, draft, now)
            return _replace(database, draft)


def _is_part_of(path: Path, database: Path) -> bool:
    """Say whether `path` is the database or one of the files that SQLite keeps beside it."""
    whole = database.resolve()
    return path.resolve() in {whole, *(whole.with_name(whole.name + end) for end in _BESIDE)}


@contextmanager
def _in_plain_words(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupError(f"{what}: {error.strerror or error}.") from error
    except (sqlite3.Error, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise BackupError(f"{what}: {cause}.") from error


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """Lend an empty file beside `target` that only its owner may read; whatever happens, nothing is left of it."""
    handle, name = mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
    finally:
        for left in (draft, *(Path(name + end) for end in _BESIDE)):
            left.unlink(missing_ok=True)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Lend a connection to a file that is there; it begins no transaction by itself."""
    uri = path.absolute().as_uri() + "?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)) as raw:
        yield raw


def _copy(source: sqlite3.Connection, target: Path) -> None:
    """Copy a database as it is at one moment into the file `target`, which needs no other file beside it."""
    with _opened(target) as raw:
        _pour(source, raw)
        raw.execute("PRAGMA journal_mode = DELETE")


def _pour(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Copy one database over another in one step; whoever writes meanwhile goes on."""
    deadline = time.monotonic() + PATIENCE

    def look(status: int, *_: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > deadline:
            raise sqlite3.OperationalError("database is locked")

    source.backup(target, progress=look, sleep=0.05)


def _publish(draft: Path, target: Path) -> None:
    """Give a draft its name, durably."""
    _sync(draft)
    draft.replace(target)
    with suppress(OSError):  # not every system can open a folder
        _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_ours(path: Path) -> bool:
    """Say whether `path` is an undamaged database of any version of Hearsay."""
    try:
        with _opened(path) as raw:
            names = {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            return names >= _FIRST and raw.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return False


def _prepare(source: Path, draft: Path, now: datetime) -> None:
    """Make of `draft` what `source` holds, in this version's shape. Raises `BackupError` where that is not ours."""
    refused = BackupError(f"{source} is no backup of Hearsay, or it is damaged.")
    try:
        with _read_only(source) as raw:
            _copy(raw, draft)
        if not _is_ours(draft):
            raise refused
        if not is_current(draft):
            migrate(draft)
        if not _has_all(draft):
            raise refused
        _bring_up_to(draft, now)
    except NewerDatabaseError as error:
        raise BackupError(f"{source} was made by a newer Hearsay; upgrade Hearsay first.") from error
    except sqlite3.OperationalError:
        raise
    except (sqlite3.DatabaseError, ValueError, TypeError) as error:
        raise refused from error


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True, timeout=PATIENCE)) as raw:
        yield raw


def _has_all(path: Path) -> bool:
    """Say whether every table has the columns that this version asks for."""
    with _opened(path) as raw:
        found = {name: {row[1] for row in raw.execute(f'PRAGMA table_info("{name}")')} for name in METADATA.tables}
    return all(found[name] == set(table.c.keys()) for name, table in METADATA.tables.items())


def _bring_up_to(draft: Path, now: datetime) -> None:
    """Delete what is over, and leave a gap in the numbers: buttons and pages out there may hold later ones."""
    engine = create_engine(URL.create("sqlite", database=str(draft)))
    with engine.begin() as tx:
        retention.sweep(tx, now)
    engine.dispose()
    with _opened(draft) as raw:
        raw.execute("BEGIN IMMEDIATE")
        for address, state in raw.execute("SELECT address, state FROM sessions").fetchall():
            raw.execute("UPDATE sessions SET state = ? WHERE address = ?", (_later(state), address))
        last = raw.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'bubbles'").fetchone()[0] or 0
        raw.execute("DELETE FROM sqlite_sequence WHERE name = 'bubbles'")
        raw.execute("INSERT INTO sqlite_sequence VALUES ('bubbles', ?)", (last + GAP,))
        raw.execute("COMMIT")
    _tidy(draft)


def _tidy(draft: Path) -> None:
    """Leave no bytes of what was deleted."""
    with _opened(draft) as raw:
        raw.execute("VACUUM")


def _later(state: str) -> str:
    held = json.loads(state)
    return json.dumps({**held, "turns": held.get("turns", 0) + GAP}, ensure_ascii=False)


def _replace(database: Path, draft: Path) -> Path | None:
    """Put `draft` in the place of the database that nobody else uses; return where the replaced one is kept."""
    try:
        with _there(database), _alone(database) as old, _kept(old, database) as aside, _opened(draft) as new:
            _pour(new, old)
            with suppress(sqlite3.Error):  # the next process then holds its lock from the start; that can wait
                old.execute("PRAGMA journal_mode = WAL")
            return aside
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:  # no database at all: that may be why a backup is brought back
        return _exchange(database, draft)


@contextmanager
def _there(database: Path) -> Iterator[None]:
    """Let there be a file to lock; an empty one is as good as none, and goes again if what follows fails."""
    is_new = not database.exists()
    database.touch()
    try:
        yield
    except BaseException:
        if is_new:
            database.unlink()
        raise


@contextmanager
def _alone(database: Path) -> Iterator[sqlite3.Connection]:
    """Lend the database, locked against every other process. Raises `BackupError` where one runs on it."""
    with _opened(database) as raw:
        raw.execute("PRAGMA busy_timeout = 500")
        raw.execute("PRAGMA locking_mode = EXCLUSIVE")
        try:
            raw.execute("PRAGMA journal_mode = DELETE")  # only granted to the last connection
            raw.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            raise BackupError(f"A process runs on {database}; stop Hearsay first.") from error
        raw.execute("COMMIT")  # the lock stays until the connection is closed
        yield raw


@contextmanager
def _kept(old: sqlite3.Connection, database: Path) -> Iterator[Path | None]:
    """Keep a copy of the database beside it, unless it is empty, or what follows fails."""
    if old.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
        yield None
        return
    aside = _free(database)
    with _draft(aside) as draft:
        _copy(old, draft)
        _publish(draft, aside)
    try:
        yield aside
    except BaseException:
        aside.unlink()
        raise


def _free(database: Path) -> Path:
    """Return a name beside `database` that no earlier restore has taken."""
    wanted = database.with_name(f"{database.name}.before-restore")
    number = 1
    while wanted.exists():
        number += 1
        wanted = database.with_name(f"{database.name}.before-restore-{number}")
    return wanted


def _exchange(database: Path, draft: Path) -> Path:
    aside = _free(database)
    database.replace(aside)
    for end in _BESIDE:
        with suppress(FileNotFoundError):
            database.with_name(database.name + end).replace(aside.with_name(aside.name + end))
    _publish(draft, database)
    return aside
