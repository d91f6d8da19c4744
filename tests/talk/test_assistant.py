"""A turn: repeats, stale presses, scenes, tellings, mistakes, forgetting; with a toy feature that asks and counts."""

import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from bot.core.message import Address, Choice, Message, Reply
from bot.storage import sessions
from bot.storage.outbox import Bubble
from bot.storage.store import Store
from bot.storage.tables import METADATA
from bot.talk.assistant import Assistant, Turn
from bot.talk.feature import Answer, Command, Context, Feature, Heard, Outcome, Telling
from bot.talk.repertoire import Repertoire, Repertoires
from tests.play import NOON

HERE, THERE = Address("test", "here"), Address("test", "there")
WORDS = {"talk.introduction": "I'm automated.", "talk.passed": "Passed.", "talk.which_one": "Which?"}


def say(key: str, **values: object) -> str:
    return WORDS.get(key, key) + ("".join(f" {name}={value}" for name, value in values.items()))


def question(context: Context) -> Reply:
    return Reply("Pick:", (Choice("Red", "red"), Choice("Blue", "blue")))


def play(argument: str) -> Answer:
    return lambda context: Outcome((question(context),), context.session.enter("toy", argument))


def resume(text: str) -> Answer:
    def answer(context: Context) -> Outcome:
        if text not in ("red", "blue"):
            return context.show("Red or blue.")
        return replace(context.show(f"You said {text}."), session=context.session.leave("toy"))

    return answer


def broken(_: str) -> Answer:
    def answer(context: Context) -> Outcome:
        sessions.put(context.tx, replace(context.session, city="lost"), context.now)
        raise ValueError("the secret words of a person")

    return answer


def tell(argument: str) -> Answer:
    def answer(context: Context) -> Outcome:
        when = context.now + timedelta(minutes=int(argument or 0))
        return Outcome((Reply("Told."),), tell=(Telling(THERE, "toy", {"from": "here"}, when, "the-key"),))

    return answer


def wake(what: dict[str, Any]) -> Answer:
    return lambda context: context.show(f"Heard from {what['from']} in {context.language}.")


def card(_: str) -> Answer:
    return lambda context: context.show(f"Card at {context.now:%H:%M}.", slot="card")


def twins(_: str) -> Answer:
    return lambda context: context.show("Two:", Choice("Same", "/card"), Choice("Same", "/play"))


def private(_: str) -> Answer:
    return lambda context: replace(context.show("Gone."), forget=True)


def listen(text: str) -> Heard | None:
    return Heard(0.9, lambda context: context.show(f"Free: {text}")) if "free" in text else None


TOY = Feature(
    "toy",
    (
        Command("play", play),
        Command("broken", broken),
        Command("tell", tell),
        Command("card", card),
        Command("twins", twins),
        Command("forget", private),
        Command("open", lambda _: lambda context: context.show("Open."), linkable=lambda argument: argument == "door"),
    ),
    listen=listen,
    resume=resume,
    ask=question,
    wake=wake,
)


class Room:
    """An assistant on a database in memory, and what it said."""

    def __init__(self, store: Store) -> None:
        self.now = NOON
        self.said: list[Bubble] = []
        self.number = 0
        repertoire = Repertoire((TOY,), lambda _: say, {"en": "English", "es": "Español"})
        self.assistant = Assistant(
            store, Repertoires({"": repertoire}), self.clock, Random(1), made=self.made, keeps=frozenset({"web"})
        )
        self.store = store

    def clock(self) -> datetime:
        return self.now

    def made(self, bubbles: Sequence[Bubble]) -> None:
        self.said.extend(bubbles)

    async def turn(self, text: str, **more: Any) -> Turn:
        self.number += 1
        return await self.assistant.handle(Message(HERE, text, more.pop("key", f"k{self.number}"), **more))

    async def say(self, text: str, **more: Any) -> list[str]:
        return [bubble.reply.text for bubble in (await self.turn(text, **more)).bubbles]


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    store = Store(":memory:")
    await store.run(METADATA.create_all)
    built = Room(store)
    await built.say("/card")  # the introduction is over
    yield built
    store.close()


async def test_the_first_answer_says_that_it_is_automated() -> None:
    store = Store(":memory:")
    await store.run(METADATA.create_all)
    room = Room(store)
    assert await room.say("/card") == ["I'm automated.", "Card at 12:00."]
    assert await room.say("/card") == ["Card at 12:00."]
    store.close()


async def test_a_repeat_changes_nothing(room: Room) -> None:
    assert await room.say("/play", key="same") == ["Pick:"]
    turn = await room.turn("/play", key="same")
    assert turn.repeat
    assert turn.bubbles == ()


async def test_a_press_on_a_question_that_has_passed_gets_the_open_one_again(room: Room) -> None:
    (first,) = (await room.turn("/play")).bubbles
    (second,) = (await room.turn("/play")).bubbles
    assert (first.turn, second.turn) == (1, 2)
    late = (await room.turn("red", turn=first.turn)).bubbles
    assert [(bubble.reply.text, bubble.reply.aside) for bubble in late] == [("Passed.", True), ("Pick:", False)]
    assert late[1].turn == 3
    assert await room.say("blue", turn=3) == ["You said blue."]
    assert await room.say("blue", turn=3) == ["Passed."]


async def test_a_look_up_does_not_make_the_question_stale(room: Room) -> None:
    await room.say("/play")
    assert await room.say("/card") == ["Card at 12:00."]
    assert await room.say("red", turn=1) == ["You said red."]


async def test_a_number_or_a_label_picks_from_the_last_list(room: Room) -> None:
    await room.say("/play")
    assert await room.say("2") == ["You said blue."]
    await room.say("/play")
    assert await room.say("RÉD") == ["You said red."]


async def test_two_choices_of_one_name_are_asked_about(room: Room) -> None:
    await room.say("/twins")
    turn = await room.turn("same")
    assert [bubble.reply.text for bubble in turn.bubbles] == ["Which?"]
    assert await room.say("1") == ["Card at 12:00."]


async def test_the_scene_hears_free_words_before_anybody_else(room: Room) -> None:
    assert await room.say("be free") == ["Free: be free"]
    await room.say("/play")
    assert await room.say("be free") == ["Red or blue."]


async def test_a_mistake_is_said_with_a_code_and_nothing_changes(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        (words,) = await room.say("/broken")
    code = words.removeprefix("talk.broken code=")
    assert len(code) == 4
    assert code in caplog.text
    assert "secret" not in caplog.text
    session = await room.store.run(lambda tx: sessions.take(tx, HERE))
    assert session.city == ""


async def test_a_telling_that_is_due_is_heard_at_once_in_its_own_conversation(room: Room) -> None:
    room.said.clear()
    await room.say("/tell")
    assert [(str(bubble.where), bubble.reply.text) for bubble in room.said] == [
        ("test:here", "Told."),
        ("test:there", "Heard from here in en."),
    ]


async def test_a_telling_for_later_waits_for_its_moment_and_is_heard_once(room: Room) -> None:
    await room.say("/tell 10")
    await room.say("/tell 10")
    room.said.clear()
    assert await room.assistant.hear_due() == 0
    room.now += timedelta(minutes=11)
    assert await room.assistant.hear_due() == 1
    assert await room.assistant.hear_due() == 0
    assert [bubble.reply.text for bubble in room.said] == ["Heard from here in en."]


async def test_a_newer_card_takes_the_older_ones_place(room: Room) -> None:
    from bot.storage import outbox

    room.now += timedelta(minutes=1)
    await room.say("/card")
    kept = await room.store.run(lambda tx: outbox.after(tx, HERE, 0, 50))
    assert [bubble.reply.text for bubble in kept if bubble.reply.slot] == ["Card at 12:01."]


async def test_forgetting_leaves_nothing_and_says_so(room: Room) -> None:
    turn = await room.turn("/forget")
    assert turn.forgotten
    assert [reply.text for reply in turn.farewell] == ["Gone."]

    def everything(tx: Any) -> str:
        return "\n".join(tx.connection.dbapi_connection.iterdump())

    assert "test:here" not in await room.store.run(everything)


async def test_in_a_shared_chat_only_what_is_addressed_is_answered(room: Room) -> None:
    assert await room.say("/card", shared=True, addressed=False) == []
    assert await room.say("/card", shared=True, addressed=True) == ["Card at 12:00."]


async def test_a_preview_shows_linkable_commands_only_and_keeps_nothing(room: Room) -> None:
    assert [reply.text for reply in await room.assistant.preview("/open door", "en")] == ["Open."]
    for text in ("/open window", "/forget", "/play", "open door", "", "/"):
        assert await room.assistant.preview(text, "en") == ()


async def test_unknown_commands_name_the_nearest(room: Room) -> None:
    (bubble,) = (await room.turn("/plai")).bubbles
    assert [choice.say for choice in bubble.reply.choices] == ["/play"]
