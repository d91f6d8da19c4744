"""Holds the sending of rows to account: each bubble once, in order, the newest card only, and marks that last."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Connection

from bot.core.message import Address, Reply
from bot.core.platform import DeliveryError, Limits, Sending
from bot.delivery import Delivery
from bot.platforms import limits
from bot.storage import outbox
from bot.storage.outbox import LEASE, Bubble
from bot.storage.store import Store
from bot.storage.tables import BUBBLES

HERE, THERE = Address("wire", "1"), Address("wire", "2")


@dataclass
class Wire:
    """A platform that holds every send until its gate is open."""

    name: str = "wire"
    pulls: bool = False
    sent: list[tuple[str, str | None]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    failures: dict[str, list[DeliveryError]] = field(default_factory=dict)

    def limits(self, address: Address) -> Limits:
        return limits.TELEGRAM

    def made(self, address: Address) -> None:
        raise AssertionError("a wire is sent to")

    async def leave(self, address: Address) -> None:
        raise AssertionError("nobody leaves")

    async def send(self, address: Address, reply: Reply, sending: Sending) -> str | None:
        self.begun.set()
        await self.gate.wait()
        if self.failures.get(reply.text):
            raise self.failures[reply.text].pop(0)
        self.sent.append((reply.text, sending.edit))
        return f"ref-{reply.text}"


@dataclass
class Post:
    """A store, a delivery and a clock that is told the time."""

    store: Store
    wire: Wire
    now: datetime

    def __post_init__(self) -> None:
        self.delivery = Delivery(self.store, {"wire": self.wire}, lambda: self.now)

    async def say(self, words: str, where: Address = HERE, slot: str | None = None) -> None:
        bubble = Bubble(0, where, Reply(words, slot=slot), "en")
        self.delivery.made([await self.store.run(partial(outbox.add, bubble=bubble, now=self.now, state="waiting"))])

    async def states(self) -> list[tuple[str, str | None]]:
        def rows(tx: Connection) -> list[tuple[str, str | None]]:
            return [(row.state, row.ref) for row in tx.execute(BUBBLES.select().order_by(BUBBLES.c.id))]

        return await self.store.run(rows)

    async def finish(self) -> list[str]:
        """Open the gate, wait until all is tried and marked; return what was sent."""
        self.wire.gate.set()
        await self.delivery.idle()
        return [words for words, _ in self.wire.sent]


@pytest.fixture
async def post(store: Store, now: datetime) -> AsyncIterator[Post]:
    built = Post(store, Wire(), now)
    yield built
    await built.finish()


async def test_one_address_hears_its_bubbles_in_order_and_each_is_marked(post: Post) -> None:
    for number in range(5):
        await post.say(str(number))
    assert await post.finish() == ["0", "1", "2", "3", "4"]
    assert await post.states() == [("sent", f"ref-{number}") for number in range(5)]


async def test_what_waits_in_a_lane_longer_than_its_lease_is_sent_once(post: Post) -> None:
    """A slow platform: the beat comes while bubbles of this very process still wait their turn."""
    for number in range(3):
        await post.say(str(number))
    post.now += LEASE
    await post.delivery.pick_up()
    assert await post.finish() == ["0", "1", "2"]


async def test_a_card_that_was_not_sent_yet_is_dropped_for_the_newer_one(post: Post) -> None:
    await post.say("before")
    await post.say("old", slot="card")
    await post.say("new", slot="card")
    assert await post.finish() == ["before", "new"]


async def test_what_was_forgotten_before_it_was_sent_is_not_sent(post: Post) -> None:
    await post.say("before")
    await post.say("forgotten")
    await post.store.run(lambda tx: tx.execute(BUBBLES.delete()))
    assert "forgotten" not in await post.finish()


async def test_a_card_that_is_being_sent_is_edited_by_the_newer_one(post: Post) -> None:
    await post.say("old", slot="card")
    await post.wire.begun.wait()
    await post.say("new", slot="card")
    await post.finish()
    assert post.wire.sent == [("old", None), ("new", "ref-old")]


async def test_a_bubble_that_is_put_off_is_not_overtaken_in_its_own_chat(post: Post) -> None:
    post.wire.failures["first"] = [DeliveryError("slow down", after=5.0)]
    await post.say("first")
    await post.say("second")
    await post.finish()
    post.now += timedelta(seconds=5)
    await post.delivery.pick_up()
    assert await post.finish() == ["first", "second"]


async def test_one_address_that_fails_for_good_stops_no_other(post: Post) -> None:
    post.wire.failures["blocked"] = [DeliveryError("blocked", permanent=True)]
    await post.say("blocked")
    await post.say("fine", THERE)
    assert await post.finish() == ["fine"]
    assert await post.states() == [("dead", None), ("sent", "ref-fine")]


async def test_each_failure_counts_as_one_try(post: Post) -> None:
    post.wire.failures["at last"] = [DeliveryError("busy", after=1.0), DeliveryError("busy", after=1.0)]
    await post.say("at last")
    await post.finish()
    post.now += LEASE
    await post.delivery.pick_up()
    await post.finish()
    (tries,) = await post.store.run(
        lambda tx: tx.execute(BUBBLES.select().with_only_columns(BUBBLES.c.tries)).scalars().all()
    )
    assert tries == 2


async def test_idle_comes_after_the_marks_are_written(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    writing, free = asyncio.Event(), asyncio.Event()
    run = post.store.run

    async def slow(work: Callable[[Connection], object]) -> object:
        writing.set()
        await free.wait()
        return await run(work)

    await post.say("one")
    monkeypatch.setattr(post.store, "run", slow)
    post.wire.gate.set()
    await writing.wait()
    idle = asyncio.create_task(post.delivery.idle())
    await asyncio.wait([idle], timeout=0.05)
    was_idle = idle.done()
    free.set()
    await idle
    assert not was_idle, "idle while a row still waits for its mark"
