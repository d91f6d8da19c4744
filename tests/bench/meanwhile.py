"""How long people wait for their answers while a broadcast goes out, beside how long they do else: a real process."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import yaml
from sqlalchemy import Connection, delete, insert

from bot.app import load_content, towns
from bot.features.campaigns.town import digest
from bot.storage import outbox, runs
from bot.storage.migrate import migrate
from bot.storage.moments import millis
from bot.storage.runs import Approval, Key
from bot.storage.store import Store
from bot.storage.tables import HOLDS, SUBSCRIPTIONS
from tests.bench.figure import Figure, percentile
from tests.bench.telegram import PUBLIC
from tests.bench.telegram_bare import until
from tests.bench.telegram_outside import COMMAND, TOKEN, Hook, Line, Outside, update
from tests.broadcasting import campaign
from tests.serving import ROOT, Served, serving

SUBSCRIBERS, TALKERS = 10_000, 10
THINKING = 1.0  # seconds between an answer and what is said next
ROUNDS, SPAN, BEATS = 3, 10.0, 5.0  # seconds that are measured, and before it turns
NAME = "harvest-day"


def figures() -> Iterator[Figure]:
    """Yield broadcast_meanwhile_p99_ratio."""
    quiet, busy, told = [], [], []
    with TemporaryDirectory(prefix="hearsay-bench-") as folder, Outside() as outside:
        database, campaigns = Path(folder) / "hearsay.db", Path(folder) / "campaigns"
        _prepare(database, campaigns)
        with _served(outside, database, campaigns) as (served, hook):
            outside.warm(hook, _talkers())
            for _ in range(ROUNDS):
                quiet.append(_measured(outside, hook)[0])
                _in(database, _let_go)
                until(lambda: _prompts(outside) > 0, served.process)
                waits, prompts = _measured(outside, hook)
                busy.append(waits)
                told.append(prompts)
                _in(database, _hold)
    more: dict[str, object] = {"p99_ms": median(busy), "idle_p99_ms": median(quiet), "prompts_a_second": median(told)}
    baseline = "the same people while nothing is told; hearsay run, webhook and sockets and all"
    yield Figure("broadcast_meanwhile_p99_ratio", median(busy) / median(quiet), baseline, 1.5, "at most", more)


def _prepare(database: Path, campaigns: Path) -> None:
    """Let the day be today, at this minute, in a town whose clock is UTC, with many subscribers."""
    now = datetime.now(UTC)
    today = {"every": f"{now.day} {now:%B}"}
    file = campaigns / NAME / "campaign.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(
        yaml.safe_dump(campaign(today, today={"at": f"{now:%H:%M}"}).model_dump(mode="json", exclude_none=True))
    )
    migrate(database)
    town = towns(load_content(ROOT / "content", {"campaigns": campaigns}))[""]
    key, early = Key("", NAME, now.year), now.replace(hour=0, minute=0)

    def work(tx: Connection) -> None:
        for name, value in {"zone": "UTC", "quiet": "00:00-00:00", "join": NAME}.items():
            runs.set_(tx, "", name, value)
        runs.join(tx, key, early, now + timedelta(days=30))
        runs.approve(tx, key, Approval(1, digest(town, NAME, {}), now), now + timedelta(days=30))
        common = {"city": "", "language": "en", "since": millis(now)}
        tx.execute(insert(SUBSCRIPTIONS), [{"address": f"telegram:{n + 1000}", **common} for n in range(SUBSCRIBERS)])
        _hold(tx)

    _in(database, work)


def _in(database: Path, work: Callable[[Connection], None]) -> None:
    store = Store(database)
    asyncio.run(store.run(work))
    store.close()
    time.sleep(BEATS)


def _hold(tx: Connection) -> None:
    tx.execute(insert(HOLDS).values(city="", since=0))
    outbox.stop(tx, "")


def _let_go(tx: Connection) -> None:
    tx.execute(delete(HOLDS))
    outbox.let_go(tx, "")


@contextmanager
def _served(outside: Outside, database: Path, campaigns: Path) -> Iterator[tuple[Served, Hook]]:
    outside.stub.hook = None
    settings = {"telegram_token": TOKEN, "telegram_api": outside.url, "telegram_webhook": PUBLIC}
    with serving(database, campaigns=str(campaigns), **settings) as served:
        until(lambda: outside.stub.hook is not None, served.process)
        assert outside.stub.hook
        yield served, Hook(served.port, *outside.stub.hook)


def _talkers() -> Sequence[int]:
    return range(1, TALKERS + 1)


def _prompts(outside: Outside) -> int:
    return sum(chat > TALKERS for chat, _ in outside.messages)


def _measured(outside: Outside, hook: Hook) -> tuple[float, float]:
    """Return the milliseconds within which 99 of 100 answers come, and how many prompts a second do meanwhile."""
    outside.messages.clear()
    waits: list[float] = []
    outside.run(_talking(outside, hook, waits))
    return percentile(waits, 0.99) * 1000, _prompts(outside) / SPAN


async def _talking(outside: Outside, hook: Hook, waits: list[float]) -> None:
    await asyncio.gather(*(_talk(outside, hook, chat, waits) for chat in _talkers()))


async def _talk(outside: Outside, hook: Hook, chat: int, waits: list[float]) -> None:
    line, end = await Line.to(hook.port), time.monotonic() + SPAN
    await asyncio.sleep(THINKING * chat / TALKERS)
    while time.monotonic() < end:
        await outside._talk(line, chat, [hook.post(update(chat, COMMAND)[1])], waits)
        await asyncio.sleep(THINKING)
    line.transport.close()
