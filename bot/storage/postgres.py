"""The store's promise kept by PostgreSQL: a few threads, a transaction for each piece of work, and another try.

Between two statements others may commit (READ COMMITTED). What must not meet waits in `bot.storage.lock`.
"""

import asyncio
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from bot.storage.lock import READING
from bot.storage.store import Store, StoreError, T, Work

WRITERS, READERS = 8, 2  # threads, each with a connection of its own
PATIENCE = 10.0  # seconds to wait for somebody's lock
ANSWER = 5  # seconds to wait for a server to answer at all
AWAY = 1.0  # seconds for which a server that did not is not asked again: all who wait would wait in vain
SLEEP = 60  # seconds after which the server ends the transaction of a process that is there and does nothing
TRIES, PAUSE = 6, 0.005  # PAUSE in seconds before the second try; then twice as long, and so on
NO_DRIVER = "the driver is missing; pip install 'psycopg[binary]' brings it"

_PASSING = frozenset({"40001", "40P01", "23505"})
"""A conflict, a deadlock, and a row that somebody else wrote first: who tries again sees it and does without."""


class Postgres(Store):
    """A database on a PostgreSQL server. `work` runs in one of several threads, beside others, and may be run again.

    While the server is away everything raises `StoreError`; when it is back, so is the store.
    """

    def __init__(self, url: URL) -> None:
        self._writers = _Crew(engine(url), WRITERS, "store-writer")
        self._readers = _Crew(engine(url, reading=True), READERS, "store-reader")
        self._open = True

    async def run(self, work: Work[T]) -> T:
        """Run `work` in a transaction; when this returns, what it wrote is as durable as the server keeps things.

        Raises what `work` raises, or `StoreError`; then nothing of it is kept, unless the server went away in the very
        moment of the commit.
        """
        return await self._by(self._writers, work)

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads, beside the writers."""
        return await self._by(self._readers, work)

    @property
    def in_order(self) -> bool:
        """Whether rows are seen in the order of their numbers: here a later one may be committed first."""
        return False

    def close(self) -> None:
        """Finish what is waiting and let go of the connections."""
        self._open = False
        self._writers.close()
        self._readers.close()

    async def _by(self, crew: "_Crew", work: Work[T]) -> T:
        if not self._open:
            raise StoreError("closed")
        return await asyncio.get_running_loop().run_in_executor(crew.threads, crew.do, work)


class _PassingError(Exception):
    """What another try may not meet again."""


class _Crew:
    """Threads that do one kind of work, writing or reading, each with a connection of its own."""

    def __init__(self, engine: Engine, threads: int, name: str) -> None:
        self.threads = ThreadPoolExecutor(threads, name)
        self._engine = engine
        self._mine = threading.local()
        self._connections: set[Connection] = set()
        self._away: tuple[float, str] | None = None

    def do(self, work: Work[T]) -> T:
        """Do `work`, in several tries if need be. Raises what it raises, or `StoreError`."""
        for number in range(TRIES):
            try:
                return self._try(work)
            except _PassingError as error:
                cause = error.__cause__
                time.sleep(PAUSE * 2**number * random.random())
        raise StoreError(told(cause)) from cause

    def close(self) -> None:
        """Finish what is waiting."""
        self.threads.shutdown()
        for connection in self._connections:
            connection.close()

    def _try(self, work: Work[T]) -> T:
        connection = self._connection()
        transaction = connection.begin()
        try:
            result = work(connection)
        except Exception as error:
            if self._is_lost(connection):
                raise _PassingError from error
            transaction.rollback()
            _raise_if_told(error)
            raise
        try:
            transaction.commit()
        except DBAPIError as error:  # whether it is kept is not known where the server went away: no second try
            self._is_lost(connection)
            _raise_if_told(error)
            raise
        return result

    def _connection(self) -> Connection:
        """Return this thread's connection."""
        found: Connection | None = getattr(self._mine, "connection", None)
        if found is None:
            found = self._mine.connection = self._connect()
            self._connections.add(found)
        return found

    def _connect(self) -> Connection:
        if self._away and time.monotonic() < self._away[0]:
            raise StoreError(self._away[1])
        try:
            connection = self._engine.connect()
        except DBAPIError as error:
            self._away = time.monotonic() + AWAY, told(error)
            raise StoreError(told(error)) from error
        self._away = None
        return connection

    def _is_lost(self, connection: Connection) -> bool:
        """Say whether the server let go of this thread's connection; then the next try makes another."""
        raw: Any = None if connection.invalidated else connection.connection.dbapi_connection
        if raw is not None and not raw.closed:
            return False
        if raw is not None:
            connection.invalidate()
        connection.close()
        self._connections.discard(connection)
        self._mine.connection = None
        return True


def engine(url: URL, *, reading: bool = False) -> Engine:
    """Return what connects to `url`, when it is asked to. Raises `StoreError` where there is no driver."""
    arguments = {
        "connect_timeout": ANSWER,
        "tcp_user_timeout": round(PATIENCE * 1000),
        "client_encoding": "utf8",
        "application_name": "hearsay",
    }
    more: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "execution_options": {READING: True}} if reading else {}
    try:
        made = create_engine(url, poolclass=NullPool, connect_args=arguments, **more)
    except ImportError as error:
        raise StoreError(NO_DRIVER) from error

    @event.listens_for(made, "connect")
    def prepare(raw: Any, _: object) -> None:
        raw.execute(
            f"SET lock_timeout = {round(PATIENCE * 1000)}; SET idle_in_transaction_session_timeout = '{SLEEP}s'"
        )
        raw.execute(f"SET default_transaction_read_only = {'on' if reading else 'off'}")
        raw.commit()

    return made


def _raise_if_told(error: Exception) -> None:
    """Raise what to do about an error that the server told, or the driver; any other is its own matter."""
    import psycopg

    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.Error):
        return
    if cause.sqlstate in _PASSING:
        raise _PassingError from error
    raise StoreError(told(error)) from error


def told(error: BaseException | None) -> str:
    """Return the first line of what a server says; the others may hold values of a row."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(cause).strip().partition("\n")[0] or type(cause).__name__
