"""Bubbles reach their platform in order, once; what fails waits, dies or is picked up, as the platform says."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from bot.core.message import Address, Reply
from bot.core.platform import DeliveryError, Limits, Sending
from bot.delivery import Delivery
from bot.storage import outbox
from bot.storage.outbox import Bubble
from bot.storage.store import Store, StoreError
from bot.storage.tables import BUBBLES, METADATA
from tests.play import NOON

HERE, THERE = Address("post", "here"), Address("post", "there")


class Post:
    """A platform that fails as it is told."""

    name = "post"
    pulls = False

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str, str | None]] = []
        self.errors: list[Exception] = []

    def limits(self, address: Address) -> Limits:
        return Limits(text=30, choices=3, label=20)

    def made(self, address: Address) -> None:
        raise AssertionError("it is sent to")

    async def leave(self, address: Address) -> None:
        raise AssertionError("nobody leaves")

    async def send(self, address: Address, reply: Reply, sending: Sending) -> str | None:
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append((address.chat, reply.text, sending.key, sending.edit))
        return f"ref-{sending.key}"


class Office:
    def __init__(self, store: Store) -> None:
        self.now = NOON
        self.post = Post()
        self.store = store
        self.delivery = Delivery(store, {"post": self.post}, self.clock)

    def clock(self) -> datetime:
        return self.now

    async def write(self, text: str, where: Address = HERE, slot: str | None = None) -> Bubble:
        bubble = Bubble(0, where, Reply(text, slot=slot), "en")
        return await self.store.run(lambda tx: outbox.add(tx, bubble, self.now, state="waiting"))

    async def states(self) -> list[tuple[str, str | None]]:
        rows = await self.store.run(lambda tx: tx.execute(select(BUBBLES.c.state, BUBBLES.c.ref)).all())
        return [(row.state, row.ref) for row in rows]

    async def send(self, *bubbles: Bubble) -> None:
        self.delivery.made(bubbles)
        await self.delivery.idle()

    async def seconds_until_the_next_try(self) -> int:
        for seconds in range(1, 700):
            self.now += timedelta(seconds=1)
            if await self.delivery.pick_up():
                await self.delivery.idle()
                return seconds
        raise AssertionError("no try")


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    store = Store(":memory:")
    await store.run(METADATA.create_all)
    yield Office(store)
    store.close()


async def test_bubbles_of_one_address_keep_their_order(office: Office) -> None:
    bubbles = [await office.write(f"n{number}", THERE if number % 2 else HERE) for number in range(6)]
    await office.send(*bubbles)
    assert [text for chat, text, *_ in office.post.sent if chat == "here"] == ["n0", "n2", "n4"]
    assert [text for chat, text, *_ in office.post.sent if chat == "there"] == ["n1", "n3", "n5"]
    assert {state for state, _ in await office.states()} == {"sent"}


async def test_a_long_bubble_is_sent_in_parts_under_keys_of_its_own(office: Office) -> None:
    await office.send(await office.write("A sentence that is long. Another that is long."))
    assert [key for _, _, key, _ in office.post.sent] == ["1.0", "1.1"]
    assert await office.states() == [("sent", "ref-1.0")]


async def test_a_newer_card_edits_the_one_that_was_sent(office: Office) -> None:
    await office.send(await office.write("old", slot="card"))
    newer = await office.write("new", slot="card")
    await office.send(newer)
    assert office.post.sent == [("here", "old", "1.0", None), ("here", "new", "2.0", "ref-1.0")]


async def test_a_permanent_failure_ends_it(office: Office) -> None:
    office.post.errors = [DeliveryError("blocked", permanent=True)]
    await office.send(await office.write("lost"), await office.write("kept"))
    assert [state for state, _ in await office.states()] == ["dead", "sent"]


async def test_a_temporary_failure_waits_as_long_as_the_platform_says(office: Office) -> None:
    office.post.errors = [DeliveryError("slow down", after=30)]
    await office.send(await office.write("later"))
    assert await office.delivery.pick_up() == 0
    office.now += timedelta(seconds=31)
    assert await office.delivery.pick_up() == 1
    await office.delivery.idle()
    assert [text for _, text, *_ in office.post.sent] == ["later"]


async def test_an_adapters_mistake_does_not_stop_the_lane(office: Office) -> None:
    office.post.errors = [ZeroDivisionError()]
    await office.send(await office.write("first"), await office.write("second"))
    assert [text for _, text, *_ in office.post.sent] == ["second"]
    office.now += timedelta(seconds=5)
    await office.delivery.pick_up()
    await office.delivery.idle()
    assert [text for _, text, *_ in office.post.sent] == ["second", "first"]


async def test_pauses_grow(office: Office) -> None:
    office.post.errors = [DeliveryError("down")] * 5
    await office.send(await office.write("never"))
    waits = [await office.seconds_until_the_next_try() for _ in range(4)]
    assert waits == [2, 4, 8, 16]


async def test_a_chat_that_rests_lets_nothing_overtake(office: Office) -> None:
    office.post.errors = [DeliveryError("slow down", after=100)]
    await office.send(await office.write("first"), await office.write("second"))
    office.now += timedelta(seconds=50)
    await office.send(await office.write("third"), await office.write("elsewhere", THERE))
    assert await office.delivery.pick_up() == 0
    office.now += timedelta(seconds=50)
    await office.send(await office.write("fourth"))
    assert await office.delivery.pick_up() == 4
    await office.delivery.idle()
    assert [text for _, text, *_ in office.post.sent] == ["elsewhere", "first", "second", "third", "fourth"]


async def test_what_rests_when_its_process_dies_is_sent_in_order_by_the_next(office: Office) -> None:
    office.post.errors = [DeliveryError("slow down", after=100)]
    await office.send(await office.write("first"), await office.write("second"))
    await office.send(await office.write("third"))
    other = Delivery(office.store, {"post": office.post}, office.clock)
    office.now += timedelta(seconds=100)
    assert await other.pick_up() == 0, "whoever put them off comes first"
    office.now += timedelta(seconds=60)
    assert await other.pick_up() == 3
    await other.idle()
    assert [text for _, text, *_ in office.post.sent] == ["first", "second", "third"]


async def test_marks_that_cannot_be_written_are_kept(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(work: object) -> None:
        raise StoreError("database or disk is full")

    bubble = await office.write("once")
    with monkeypatch.context() as broken:
        broken.setattr(office.store, "run", full)
        broken.setattr(office.store, "read", partial(Store.run, office.store))
        await office.send(bubble)
    office.now += timedelta(seconds=61)
    await office.delivery.pick_up()
    await office.delivery.idle()
    assert [text for _, text, *_ in office.post.sent] == ["once"]
    assert await office.states() == [("sent", "ref-1.0")]


async def test_what_another_process_holds_is_left_alone_until_its_lease_runs_out(office: Office) -> None:
    await office.write("held")
    assert await office.delivery.pick_up() == 0
    office.now += timedelta(seconds=61)
    other = Delivery(office.store, {"post": office.post}, office.clock)
    assert (await office.delivery.pick_up(), await other.pick_up()) == (1, 0)
    await office.delivery.idle()
    assert [text for _, text, *_ in office.post.sent] == ["held"]
