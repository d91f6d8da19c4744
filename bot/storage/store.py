"""Run a plain function in one transaction. On SQLite: one writer thread, all waiting work in one durable commit."""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

T = TypeVar("T")
Work = Callable[[Connection], T]

LONGEST = 0.008  # seconds that a batch may gather work: the lock is then free for other processes
BREATH = 0.002  # seconds of rest after a batch, while another process writes too
NEIGHBOUR = 1.0  # seconds for which a neighbour's commit is remembered
PATIENCE = 10.0  # seconds to wait for another process's commit before giving up
RETRY_EVERY = 0.001  # busy_timeout backs off to 100 ms and starves a quiet process beside a busy one (measured)


class StoreError(Exception):
    """The database cannot keep anything at the moment: full disk, read-only file, lock that does not end."""


class _Job(Generic[T]):
    """A piece of work that a turn waits for."""

    __slots__ = ("error", "future", "loop", "result", "work")

    def __init__(self, work: Work[T], loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.loop = loop
        self.future: asyncio.Future[T] = loop.create_future()
        self.result: T | None = None
        self.error: BaseException | None = None


class Store:
    """A SQLite file (or `:memory:`). Writing goes through one thread, reading through another connection.

    `work` may be run again, alone, after a batch in which something failed, so it does nothing but ask and tell the
    database. Raises `StoreError` where the file cannot be opened.
    """

    def __init__(self, path: Path | str) -> None:
        self._in_memory = str(path) == ":memory:"
        self._engine = _engine(path)
        self._reading = self._engine if self._in_memory else _engine(path, query_only=True)
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._reader = ThreadPoolExecutor(1, "store-reader")
        self._writer = _Writer(_connect(self._engine), self._jobs)
        self._open = True

    async def run(self, work: Work[T]) -> T:
        """Run `work` in a transaction; when this returns, what it wrote survives a power cut.

        Raises what `work` raises, or `StoreError`; then nothing of it is kept.
        """
        if not self._open:
            raise StoreError("closed")
        job = _Job(work, asyncio.get_running_loop())
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
        except (DBAPIError, sqlite3.Error) as error:
            raise _as_store_error(error) from error

    @property
    def in_order(self) -> bool:
        """Whether rows are seen in the order of their numbers."""
        return True

    def close(self) -> None:
        """Finish what is waiting and let go of the file."""
        self._open = False
        self._jobs.put(None)
        self._writer.join()
        self._reader.shutdown()
        self._reading.dispose()
        self._engine.dispose()


class _Writer(threading.Thread):
    """The one thread that writes: it takes what is waiting, commits it together, and wakes those who wait."""

    def __init__(self, connection: Connection, jobs: "queue.SimpleQueue[_Job[Any] | None]") -> None:
        super().__init__(name="store-writer", daemon=True)
        self._connection = connection
        self._raw = _raw(connection)
        self._jobs = jobs
        self._version = 0
        self._neighbour_until = 0.0
        self.start()

    def run(self) -> None:
        """Work until told to stop."""
        with self._connection:
            while first := self._jobs.get():
                jobs = [first]
                self._commit(jobs, gather=True)
                _report(jobs)
                if time.monotonic() < self._neighbour_until:
                    time.sleep(BREATH)

    def _commit(self, jobs: list[_Job[Any]], *, gather: bool) -> None:
        """Do `jobs`, and with `gather` whatever else waits, in one commit; if anything fails, each alone."""
        try:
            self._begin()
        except sqlite3.Error as error:
            jobs.extend(self._waiting() if gather else ())  # they would wait as long, and as much in vain
            self._fail(jobs, error)
            return
        try:
            self._do(jobs, gather=gather)
            self._raw.execute("COMMIT")
        except Exception as error:  # whatever ended the transaction, every job must hear of it
            self._abandon()
            if len(jobs) == 1:
                self._fail(jobs, error)
                return
            for job in jobs:
                self._commit([job], gather=False)

    def _do(self, jobs: list[_Job[Any]], *, gather: bool) -> None:
        deadline = time.monotonic() + LONGEST
        jobs[0].result = jobs[0].work(self._connection)
        for job in self._waiting() if gather else ():
            jobs.append(job)
            job.result = job.work(self._connection)
            if time.monotonic() > deadline:
                return

    def _waiting(self) -> Iterator[_Job[Any]]:
        """Yield what waits, as long as something does."""
        while not self._jobs.empty():
            job = self._jobs.get()
            if job is None:  # the sign to stop stays for the loop
                self._jobs.put(None)
                return
            yield job

    def _begin(self) -> None:
        """Take the write lock, trying every millisecond; notice whether another process wrote meanwhile."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._raw.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                self._neighbour_until = time.monotonic() + NEIGHBOUR
                time.sleep(RETRY_EVERY)
            else:
                break
        version = self._raw.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._neighbour_until = time.monotonic() + (NEIGHBOUR if self._version else 0)
            self._version = version

    def _abandon(self) -> None:
        """Undo, unless SQLite has done so itself, as on a full disk."""
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK")

    def _fail(self, jobs: list[_Job[Any]], error: Exception) -> None:
        for job in jobs:
            job.error = _as_store_error(error) if isinstance(error, DBAPIError | sqlite3.Error) else error


def _as_store_error(error: DBAPIError | sqlite3.Error) -> StoreError:
    return StoreError(str(error.orig if isinstance(error, DBAPIError) else error))


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


def _connect(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except DBAPIError as error:
        raise _as_store_error(error) from error


def _raw(connection: Connection) -> sqlite3.Connection:
    raw = connection.connection.dbapi_connection
    if not isinstance(raw, sqlite3.Connection):
        raise TypeError("the store keeps SQLite files")
    return raw


def _engine(path: Path | str, *, query_only: bool = False) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        isolation_level="AUTOCOMMIT",  # we begin ourselves: a deferred BEGIN fails when it turns to write
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "timeout": 5},
    )

    @event.listens_for(engine, "connect")
    def prepare(raw: sqlite3.Connection, _: object) -> None:
        raw.execute("PRAGMA cache_size = -512")  # half a megabyte of pages; conversations are small
        if query_only:
            raw.execute("PRAGMA query_only = ON")
            return
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA busy_timeout = 0")
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("PRAGMA foreign_keys = ON")
        raw.execute(
            "PRAGMA secure_delete = ON"
        )  # or freed pages keep what was forgotten; it costs an eighth (measured)

    return engine
