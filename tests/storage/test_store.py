"""Holds the store to account: one commit for many, each job its own result, and no error that reaches a neighbour."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from bot.storage import store as storing
from bot.storage.store import Store, StoreError
from bot.storage.tables import METADATA

DATABASES = ("sqlite",)
HANG = 20.0  # seconds after which a wait is a hang; a sound store needs milliseconds
HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
held.execute("ROLLBACK")
"""


def note(word: str, size: int = 0) -> Callable[[Connection], str]:
    """Return the work that keeps `word`, and a long value of `size` beside it."""

    def work(tx: Connection) -> str:
        new = text("INSERT INTO missed_terms (word, language, count, last) VALUES (:word, :more, 1, 0)")
        tx.execute(new, {"word": word, "more": "x" * size})
        return word

    return work


def pragma(words: str) -> Callable[[Connection], object]:
    def work(tx: Connection) -> object:
        result = tx.exec_driver_sql(f"PRAGMA {words}")
        return result.scalar() if result.returns_rows else None

    return work


async def kept(store: Store) -> list[str]:
    return await store.read(lambda tx: list(tx.execute(text("SELECT word FROM missed_terms ORDER BY word")).scalars()))


async def together(store: Store, *works: Callable[[Connection], object]) -> list[object]:
    """Run `works` so that they are in one batch: the writer is held until all are waiting."""
    loop, gate = asyncio.get_running_loop(), threading.Event()
    held = loop.create_future()

    def hold(_: Connection) -> None:
        loop.call_soon_threadsafe(held.set_result, None)
        assert gate.wait(HANG)

    first = asyncio.create_task(store.run(hold))
    await held
    waiting = [asyncio.create_task(store.run(work)) for work in works]
    await asyncio.sleep(0)
    gate.set()
    await first
    return list(await asyncio.gather(*waiting, return_exceptions=True))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let another process hold the write lock."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        try:
            yield
        finally:
            holder.communicate("\n", timeout=HANG)


def commits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list that grows by the number of jobs of each commit that is tried."""
    sizes: list[int] = []
    real = storing._Writer._commit

    def counted(self: storing._Writer, jobs: "list[storing._Job[object]]", *, gather: bool) -> None:
        real(self, jobs, gather=gather)
        sizes.append(len(jobs))

    monkeypatch.setattr(storing._Writer, "_commit", counted)
    return sizes


async def test_each_job_of_one_commit_gets_its_own_result(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = commits(monkeypatch)
    monkeypatch.setattr(storing, "LONGEST", HANG)
    results = await together(store, *(note(f"word-{number:02}") for number in range(50)))
    assert results == [f"word-{number:02}" for number in range(50)]
    assert sizes == [51]
    assert await kept(store) == results


async def test_a_commit_takes_no_longer_than_it_may(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = commits(monkeypatch)
    monkeypatch.setattr(storing, "LONGEST", 0)
    results = await together(store, *(note(f"word-{number:02}") for number in range(30)))
    assert await kept(store) == results
    assert sum(sizes) == 31
    assert max(sizes) == 2


async def test_one_jobs_error_leaves_its_neighbours(store: Store) -> None:
    def broken(tx: Connection) -> None:
        note("never")(tx)
        raise LookupError("mine")

    before, error, after = await together(store, note("before"), broken, note("after"))
    assert (before, after) == ("before", "after")
    assert isinstance(error, LookupError)
    assert await kept(store) == ["after", "before"]


async def test_a_row_that_is_there_already_fails_its_own_job_only(store: Store) -> None:
    await store.run(note("twice"))
    before, error, after = await together(store, note("before"), note("twice"), note("after"))
    assert (before, after) == ("before", "after")
    assert isinstance(error, StoreError)
    assert await kept(store) == ["after", "before", "twice"]


async def test_a_torn_batch_is_run_again_each_job_alone(store: Store) -> None:
    runs: list[str] = []

    def counted(word: str) -> Callable[[Connection], str]:
        def work(tx: Connection) -> str:
            runs.append(word)
            return note(word)(tx)

        return work

    def torn(tx: Connection) -> None:
        runs.append("torn")
        tx.exec_driver_sql("ROLLBACK")
        raise LookupError("the whole transaction is gone")

    before, error, after = await together(store, counted("before"), torn, counted("after"))
    assert (before, after) == ("before", "after")
    assert isinstance(error, LookupError)
    assert set(runs) == {"before", "torn", "after"}
    assert runs.index("torn") < runs.index("after")
    assert await kept(store) == ["after", "before"]


async def test_a_full_disk_fails_the_large_job_and_keeps_the_small_ones(store: Store) -> None:
    pages = await store.run(pragma("page_count"))
    assert isinstance(pages, int)
    await store.run(pragma(f"max_page_count = {pages + 8}"))
    first, large, last = await together(store, note("first"), note("large", 1_000_000), note("last"))
    assert (first, last) == ("first", "last")
    assert isinstance(large, StoreError)
    assert await kept(store) == ["first", "last"]
    await store.run(pragma("max_page_count = 1000000"))
    assert await store.run(note("larger", 1_000_000)) == "larger"
    assert await store.run(pragma("integrity_check")) == "ok"


async def test_rows_that_grow_until_the_disk_is_full_are_kept_up_to_the_last(store: Store) -> None:
    pages = await store.run(pragma("page_count"))
    assert isinstance(pages, int)
    await store.run(pragma(f"max_page_count = {pages + 20}"))
    results = await asyncio.gather(*(store.run(note(f"{n:03}", 4000)) for n in range(60)), return_exceptions=True)
    failed = [result for result in results if isinstance(result, BaseException)]
    assert failed
    assert all(isinstance(error, StoreError) for error in failed)
    assert await kept(store) == [result for result in results if isinstance(result, str)] != []


async def test_a_file_that_became_read_only_is_a_store_error_until_it_is_writable(store: Store) -> None:
    await store.run(note("before"))
    await store.run(pragma("query_only = ON"))
    with pytest.raises(StoreError, match="readonly"):
        await store.run(note("never"))
    assert await kept(store) == ["before"]
    raw = store._engine.raw_connection().dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.execute("PRAGMA query_only = OFF")
    assert await store.run(note("after")) == "after"


def test_a_database_that_cannot_be_opened_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="unable to open"):
        Store(tmp_path)  # a folder


async def test_a_closed_store_says_so(path: Path) -> None:
    closed = Store(path)
    closed.close()
    with pytest.raises(StoreError, match="closed"):
        await closed.run(note("never"))


async def test_a_lock_that_does_not_end_is_a_store_error_and_then_all_is_well(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "PATIENCE", 0.05)
    with locked(path):
        with pytest.raises(StoreError, match="locked"):
            await store.run(note("never"))
        assert await kept(store) == [], "reading goes on beside the lock"
    assert await store.run(note("after")) == "after"
    assert await kept(store) == ["after"]


async def test_a_lock_within_patience_is_waited_for(store: Store, path: Path) -> None:
    with locked(path):
        waiting = asyncio.create_task(store.run(note("patient")))
        await asyncio.sleep(0.05)
        assert not waiting.done()
    assert await waiting == "patient"


async def test_patience_with_a_lock_is_spent_once_for_all_that_wait(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten seconds for the whole batch, not ten for each of two hundred and fifty people."""
    monkeypatch.setattr(storing, "PATIENCE", 0.02)
    sizes = commits(monkeypatch)
    with locked(path):
        jobs = (store.run(note(f"word-{number}")) for number in range(20))
        results = await asyncio.gather(*jobs, return_exceptions=True)
    assert all(isinstance(result, StoreError) for result in results)
    assert len(sizes) <= 3, f"waited for the lock {len(sizes)} times"


async def test_two_stores_on_one_file_lose_nothing(store: Store, path: Path) -> None:
    other = Store(path)
    jobs = [which.run(note(f"{name}-{n:03}")) for n in range(100) for name, which in (("a", store), ("b", other))]
    await asyncio.gather(*jobs)
    other.close()
    assert len(await kept(store)) == 200


async def test_a_caller_who_gave_up_stops_nobody(store: Store) -> None:
    gone = asyncio.create_task(store.run(note("gone")))
    await asyncio.sleep(0)
    gone.cancel()
    assert await store.run(note("stays")) == "stays"
    assert await kept(store) == ["gone", "stays"]


async def test_closing_finishes_what_is_waiting(path: Path) -> None:
    opened = Store(path)
    await opened.run(METADATA.create_all)
    jobs = [asyncio.create_task(opened.run(note(f"word-{number:02}"))) for number in range(20)]
    await asyncio.sleep(0)
    await asyncio.to_thread(opened.close)
    assert len(await asyncio.gather(*jobs)) == 20
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT count(*) FROM missed_terms").fetchone() == (20,)


async def test_what_is_kept_is_as_durable_as_sqlite_makes_it(store: Store) -> None:
    assert await store.run(pragma("synchronous")) == 2, "FULL: the log is synced at every commit"
    assert await store.run(pragma("journal_mode")) == "wal"


async def test_the_reading_connection_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError, match="readonly"):
        await store.read(note("never"))


async def test_reading_sees_what_was_just_kept(store: Store) -> None:
    for number in range(20):
        await store.run(note(f"word-{number:02}"))
        assert len(await kept(store)) == number + 1
