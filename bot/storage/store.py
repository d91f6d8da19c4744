"""Run a plain function in one transaction: one writer thread, all waiting work in one durable commit."""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

T = TypeVar("T")
Work = Callable[[Connection], T]

BATCH = 256
PATIENCE = 10.0  # seconds to wait for another process's commit before giving up
RETRY_EVERY = 0.001  # busy_timeout backs off to 100 ms and starves a quiet process beside a busy one (measured)


class StoreError(Exception):
    """The database cannot keep anything at the moment: full disk, read-only file, lock that does not end."""


class _TornError(Exception):
    """SQLite ended the whole transaction in the middle of a batch, as a full disk makes it do."""


class _Job(Generic[T]):
    __slots__ = ("error", "future", "loop", "result", "work")

    def __init__(self, work: Work[T], loop: asyncio.AbstractEventLoop, future: "asyncio.Future[T]") -> None:
        self.work = work
        self.loop = loop
        self.future = future
        self.result: T | None = None
        self.error: BaseException | None = None


class Store:
    """A SQLite file (or `:memory:`). Writing goes through one thread, reading through another connection.

    `work` may be run again after a torn batch, so it does nothing but ask and tell the database.
    """

    def __init__(self, path: Path | str) -> None:
        self._in_memory = str(path) == ":memory:"
        self._engine = _engine(path)
        self._reading = self._engine if self._in_memory else _engine(path, query_only=True)
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._reader = ThreadPoolExecutor(1, "store-reader")
        self._writer = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._writer.start()

    async def run(self, work: Work[T]) -> T:
        """Run `work` in a transaction; when this returns, what it wrote survives a power cut.

        Raises what `work` raises, or `StoreError`; then nothing of it is kept.
        """
        loop = asyncio.get_running_loop()
        job: _Job[T] = _Job(work, loop, loop.create_future())
        self._jobs.put(job)
        return await job.future

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads, beside the writer."""
        if self._in_memory:
            return await self.run(work)
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._read, work)

    def _read(self, work: Work[T]) -> T:
        try:
            with self._reading.connect() as connection:
                return work(connection)
        except DBAPIError as error:
            raise StoreError(str(error.orig)) from error

    def close(self) -> None:
        """Finish what is waiting and let go of the file."""
        self._jobs.put(None)
        self._writer.join()
        self._reader.shutdown()
        self._reading.dispose()
        self._engine.dispose()

    def _write(self) -> None:
        with self._engine.connect() as connection:
            while (jobs := self._waiting()) is not None:
                _do(connection, jobs)
                _report(jobs)

    def _waiting(self) -> list[_Job[Any]] | None:
        jobs: list[_Job[Any]] = []
        while len(jobs) < BATCH and not (jobs and self._jobs.empty()):
            job = self._jobs.get()
            if job is None:
                if jobs:
                    self._jobs.put(None)
                return jobs or None
            jobs.append(job)
        return jobs


def _do(connection: Connection, jobs: list[_Job[Any]]) -> None:
    """Do all `jobs` in one commit; if that tears, each alone, so that only the guilty one fails."""
    try:
        _commit(connection, jobs)
    except Exception as error:  # whatever ended the batch, every job must hear of it
        _abandon(connection)
        if len(jobs) == 1:
            jobs[0].error = _as_store_error(error)
            return
        for job in jobs:
            _do(connection, [job])


def _commit(connection: Connection, jobs: list[_Job[Any]]) -> None:
    _begin(connection)
    for job in jobs:
        job.error = None
        connection.exec_driver_sql("SAVEPOINT job")
        try:
            job.result = job.work(connection)
        except Exception as error:  # the job's own mistake must not undo its neighbours
            if not _in_transaction(connection):
                raise _TornError from error
            connection.exec_driver_sql("ROLLBACK TO job")
            job.error = _as_store_error(error) if isinstance(error, DBAPIError) else error
        connection.exec_driver_sql("RELEASE job")
    connection.exec_driver_sql("COMMIT")


def _begin(connection: Connection) -> None:
    """Take the write lock, trying every millisecond."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except DBAPIError as error:
            if "locked" not in str(error.orig) or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_EVERY)
        else:
            return


def _in_transaction(connection: Connection) -> bool:
    raw = connection.connection.dbapi_connection
    return isinstance(raw, sqlite3.Connection) and raw.in_transaction


def _abandon(connection: Connection) -> None:
    if _in_transaction(connection):
        connection.exec_driver_sql("ROLLBACK")


def _as_store_error(error: BaseException) -> BaseException:
    cause = error.__cause__ if isinstance(error, _TornError) else error
    return StoreError(str(cause.orig)) if isinstance(cause, DBAPIError) else (cause or error)


def _report(jobs: list[_Job[Any]]) -> None:
    """Wake the waiting turns: once for each event loop, not once for each job."""
    for loop in {job.loop for job in jobs}:
        mine = [job for job in jobs if job.loop is loop]
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, mine)


def _settle(jobs: list[_Job[Any]]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)


def _engine(path: Path | str, *, query_only: bool = False) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        isolation_level="AUTOCOMMIT",  # we begin ourselves: a deferred BEGIN fails when it turns to write
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "timeout": 0},
    )

    @event.listens_for(engine, "connect")
    def prepare(raw: sqlite3.Connection, _: object) -> None:
        if query_only:
            raw.execute("PRAGMA query_only = ON")
            raw.execute("PRAGMA busy_timeout = 5000")
            return
        raw.execute("PRAGMA busy_timeout = 5000")
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA busy_timeout = 0")
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("PRAGMA foreign_keys = ON")

    return engine
