"""Bubbles reach their platform in order, once; what fails waits, dies or is picked up, as the platform says."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from bot.core.message import Address, Message, Reply
from bot.core.platform import DeliveryError, Limits, Sending
from bot.delivery import MOST_DOUBTS, Delivery
from bot.storage import outbox, sessions
from bot.storage.outbox import Bubble
from bot.storage.store import Store, StoreError
from bot.storage.tables import BUBBLES, METADATA
from bot.talk.assistant import Turn
from tests.play import NOON

HERE, THERE = Address("post", "here"), Address("post", "there")


class Post:
    """A platform that fails as it is told."""

    name = "post"
    pulls = False

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str, str | None]] = []
        self.sendings: list[Sending] = []
        self.left: list[Address] = []
        self.errors: list[Exception] = []

    def limits(self, address: Address) -> Limits:
        return Limits(text=30, choices=3, label=20)

    def made(self, address: Address) -> None:
        raise AssertionError("it is sent to")

    async def leave(self, address: Address) -> None:
        self.left.append(address)

    async def send(self, address: Address, reply: Reply, sending: Sending) -> str | None:
        if self.errors:
            raise self.errors.pop(0)
        self.sendings.append(sending)
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

    @property
    def texts(self) -> list[tuple[str, str]]:
        return [(chat, text) for chat, text, *_ in self.post.sent]

    async def later(self, seconds: float) -> int:
        self.now += timedelta(seconds=seconds)
        woken = await self.delivery.pick_up()
        await self.delivery.idle()
        return woken

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


async def test_a_conversation_that_moved_is_followed_with_its_whole_lane_in_order(office: Office) -> None:
    office.post.errors = [DeliveryError("upgraded", moved=THERE)]
    await office.send(*[await office.write(f"n{number}") for number in range(5)])
    assert office.texts == [("there", f"n{number}") for number in range(5)]
    assert {state for state, _ in await office.states()} == {"sent"}


async def test_what_moves_waits_behind_what_rests_at_the_new_address(office: Office) -> None:
    office.post.errors = [DeliveryError("slow down", after=30)]
    await office.send(await office.write("first", THERE))
    office.post.errors = [DeliveryError("upgraded", moved=THERE)]
    await office.send(await office.write("second"), await office.write("third"))
    assert office.texts == []
    assert await office.later(31) == 3
    assert office.texts == [("there", "first"), ("there", "second"), ("there", "third")]


async def test_what_rests_when_its_conversation_moves_is_sent_to_the_new_address(office: Office) -> None:
    office.post.errors = [DeliveryError("slow down", after=30)]
    await office.send(await office.write("first"), await office.write("second"))
    await office.store.run(partial(sessions.move, old=HERE, new=THERE))
    await office.later(31)
    assert office.texts == [("there", "first"), ("there", "second")]


async def test_a_move_that_cannot_be_kept_is_made_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(work: object) -> None:
        raise StoreError("database or disk is full")

    bubble = await office.write("words")
    office.post.errors = [DeliveryError("upgraded", moved=THERE)] * 2
    with monkeypatch.context() as broken:
        broken.setattr(office.store, "run", full)
        broken.setattr(office.store, "read", partial(Store.run, office.store))
        await office.send(bubble)
    assert office.texts == []
    await office.later(61)
    assert office.texts == [("there", "words")]


async def test_what_may_have_arrived_is_sent_at_most_three_times(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.post.errors = [DeliveryError("timed out", unknown=True)] * 10
    with caplog.at_level("INFO", "bot.delivery"):
        await office.send(await office.write("perhaps"))
        for _ in range(20):
            await office.later(700)
    assert 10 - len(office.post.errors) == 1 + MOST_DOUBTS
    assert await office.states() == [("dead", None)]
    assert "undeliverable bubble=1 why=timed out" in caplog.text


async def test_only_doubts_are_counted(office: Office) -> None:
    doubt, plain = DeliveryError("timed out", unknown=True), DeliveryError("refused")
    office.post.errors = [doubt, plain, plain, doubt, plain]
    await office.send(await office.write("late"), await office.write("after it"))
    for _ in range(5):
        await office.later(700)
    assert office.texts == [("here", "late"), ("here", "after it")]


async def test_what_follows_a_bubble_that_was_given_up_is_still_sent(office: Office) -> None:
    office.post.errors = [DeliveryError("timed out", unknown=True)] * (1 + MOST_DOUBTS)
    await office.send(await office.write("perhaps"), await office.write("next"))
    for _ in range(3):
        await office.later(700)
    assert office.texts == [("here", "next")]


async def test_the_platform_is_told_what_is_answered_and_asked_and_in_which_language(office: Office) -> None:
    bubble = Bubble(0, HERE, Reply("a question"), "es", turn=7, cause="700.3")
    await office.send(await office.store.run(lambda tx: outbox.add(tx, bubble, office.now, state="waiting")))
    assert office.post.sendings == [Sending("1.0", 7, None, "700.3", "es")]


async def test_what_a_process_left_behind_answers_nothing_any_more_but_keeps_its_question(office: Office) -> None:
    bubble = Bubble(0, HERE, Reply("a question"), "es", turn=7, cause="700.3")
    await office.store.run(lambda tx: outbox.add(tx, bubble, office.now, state="waiting"))
    await office.later(61)
    assert office.post.sendings == [Sending("1.0", 7, None, None, "es")]


async def test_last_words_are_sent_once_and_then_the_chat_is_left(office: Office) -> None:
    said = Message(HERE, "/bye", "700.3")
    turn = Turn(farewell=(Reply("Goodbye."), Reply("Really.")), forgotten=True, leave=True, language="es")
    office.delivery.part(said, turn)
    await office.delivery.idle()
    assert office.texts == [("here", "Goodbye."), ("here", "Really.")]
    assert [sending.key for sending in office.post.sendings] == ["farewell.700.3.0.0", "farewell.700.3.1.0"]
    assert {(sending.cause, sending.language) for sending in office.post.sendings} == {("700.3", "es")}
    assert office.post.left == [HERE]


async def test_last_words_that_cannot_be_sent_are_let_go(office: Office) -> None:
    office.post.errors = [DeliveryError("blocked", permanent=True)]
    office.delivery.part(Message(HERE, "/forget", "1"), Turn(farewell=(Reply("Gone."),), forgotten=True))
    await office.delivery.idle()
    assert await office.later(700) == 0
    assert (office.texts, office.post.left) == ([], [])


async def test_the_chat_is_left_even_where_the_last_words_cannot_be_said(office: Office) -> None:
    office.post.errors = [DeliveryError("muted", permanent=True)]
    office.delivery.part(Message(HERE, "/bye", "1"), Turn(farewell=(Reply("Gone."),), forgotten=True, leave=True))
    await office.delivery.idle()
    assert office.post.left == [HERE]


async def test_a_conversation_that_moves_while_it_cannot_be_written_to_is_not_stuck(office: Office) -> None:
    office.post.errors = [DeliveryError("down")] * 3
    await office.send(await office.write("first"), await office.write("second"))
    await office.store.run(partial(sessions.move, old=HERE, new=THERE))
    for _ in range(4):
        await office.later(700)
    assert office.texts == [("there", "first"), ("there", "second")]
