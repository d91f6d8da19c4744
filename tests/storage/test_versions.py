"""What was live: kept when it changes, once whatever the number of processes, and found again by its day."""

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from bot.app import Content
from bot.storage import versions
from bot.storage.database import Database, opened
from bot.storage.store import Store
from bot.storage.versions import Name, Version, digest

JOBS, JOBS_ES, TOWN = (
    Name("", "rumour", "jobs", "en"),
    Name("", "rumour", "jobs", "es"),
    Name("puertaluna", "rumour", "jobs", "es"),
)
HOUR = timedelta(hours=1)
QUICK = 0.1  # seconds


async def record(store: Store, texts: Mapping[Name, str], now: datetime) -> int:
    return await store.run(lambda tx: versions.record(tx, texts, now))


async def live(store: Store, first: datetime, last: datetime) -> list[Version]:
    return await store.read(lambda tx: versions.between(tx, "jobs", first, last))


async def test_what_changes_is_kept_and_what_does_not_is_not_written_again(store: Store, now: datetime) -> None:
    assert await record(store, {JOBS: "a", JOBS_ES: "b"}, now) == 2
    assert await record(store, {JOBS: "a", JOBS_ES: "b"}, now + HOUR) == 0
    assert await record(store, {JOBS: "a", JOBS_ES: "c", TOWN: "d"}, now + 2 * HOUR) == 2
    assert await record(store, {JOBS: "a", TOWN: "d"}, now + 3 * HOUR) == 1
    assert await live(store, now, now + 4 * HOUR) == [
        Version(JOBS, "a", digest("a"), now, None),
        Version(JOBS_ES, "b", digest("b"), now, now + 2 * HOUR),
        Version(JOBS_ES, "c", digest("c"), now + 2 * HOUR, now + 3 * HOUR),
        Version(TOWN, "d", digest("d"), now + 2 * HOUR, None),
    ]


async def test_a_text_that_comes_back_is_live_again_from_then_on(store: Store, now: datetime) -> None:
    for hours, texts in enumerate(({JOBS: "a"}, {}, {JOBS: "a"})):
        await record(store, texts, now + hours * HOUR)
    spans = [(version.since, version.until) for version in await live(store, now, now + 9 * HOUR)]
    assert spans == [(now, now + HOUR), (now + 2 * HOUR, None)]


async def test_a_span_ends_before_the_moment_at_which_it_was_over(store: Store, now: datetime) -> None:
    await record(store, {JOBS: "a"}, now)
    await record(store, {}, now + HOUR)
    assert await live(store, now - HOUR, now) == []
    assert len(await live(store, now - HOUR, now + HOUR)) == 1
    assert await live(store, now + HOUR, now + 2 * HOUR) == []


async def test_two_processes_at_once_write_once(store: Store, database: Database, now: datetime) -> None:
    other = opened(database)
    texts = {Name("", "term", f"word-{number}", "en"): f"text {number}" for number in range(300)}
    for round_ in range(5):
        changed = {**texts, JOBS: str(round_)}
        both = await asyncio.gather(record(store, changed, now), record(other, changed, now))
        assert sorted(both) == [0, len(changed) if not round_ else 1]
    other.close()
    assert [version.text for version in await live(store, now - HOUR, now + HOUR) if version.until is None] == ["4"]


async def test_what_is_shipped_and_unchanged_is_looked_through_at_once(
    store: Store, content: Content, now: datetime
) -> None:
    texts = content.live()
    assert await record(store, texts, now) == content.files == len(texts)
    began = time.perf_counter()
    assert await record(store, texts, now + HOUR) == 0
    assert time.perf_counter() - began < QUICK


def test_every_file_is_live_as_it_stands(content: Content) -> None:
    root = Path(__file__).parent.parent.parent / "content"
    live_now = content.live()
    for name, place in (
        (JOBS, "rumours/work/jobs.yaml"),
        (JOBS_ES, "rumours/work/jobs.es.yaml"),
        (Name("", "pack", "pack", ""), "pack.yaml"),
        (Name("", "phrases", "phrases", "es"), "phrases/es.yaml"),
    ):
        assert live_now[name] == (root / place).read_text("utf-8")
