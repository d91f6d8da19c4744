"""Holds cards wrongly offered to account: counted by entry once a day, whatever the button's age; and their wording."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import Connection

from bot.app import Content
from bot.core.message import Address, Choice, Message, Reply
from bot.core.session import Session
from bot.features.rumours import LONGEST_SAY, _Rumours
from bot.features.rumours.find import Decision, Finding
from bot.library.support import Routes
from bot.matching.index import Match
from bot.storage import counts
from bot.talk.feature import Context
from tests.play import Stage

HERE, THERE = Address("telegram", "4242424242"), Address("web", "abcdef0123")


async def say(stage: Stage, text: str, where: Address = HERE) -> list[Reply]:
    stage._heard += 1
    message = Message(where, text, f"key-{stage._heard}", language="en", introduced=True)
    return [bubble.reply for bubble in (await stage.app.assistant.handle(message)).bubbles]


def choice(reply: Reply, label: str) -> Choice:
    return next(found for found in reply.choices if found.label == label)


async def misses(stage: Stage) -> dict[str, int]:
    def read(tx: Connection) -> dict[str, int]:
        found = counts.sums(tx, None, date(2026, 1, 1), date(2027, 12, 31))
        return {f"{one.what} {one.entry}": one.n for one in found if one.what in ("not-it", "none-of-these")}

    return await stage.store.read(read)


async def test_a_card_that_was_not_meant_is_counted_once_a_day_in_a_conversation(stage: Stage) -> None:
    (card,) = await say(stage, "they take our jobs")
    pressed = choice(card, "That's not it").say
    for _ in range(3):
        await say(stage, pressed)
    assert await misses(stage) == {"not-it jobs": 1}
    await say(stage, pressed, THERE)
    stage.now += timedelta(days=1)
    await say(stage, pressed)
    assert await misses(stage) == {"not-it jobs": 3}


async def test_each_card_of_an_offer_is_counted_where_none_was_meant(stage: Stage) -> None:
    (offer,) = await say(stage, "the school is full of them")
    shown = [found.say.removeprefix("/rumour ") for found in offer.choices[:3]]
    stage.restart()
    for _ in range(2):
        await say(stage, choice(offer, "None of these").say)
    assert await misses(stage) == {f"none-of-these {name}": 1 for name in shown}


async def test_what_is_offered_for_its_theme_alone_is_not_counted_when_refused(stage: Stage) -> None:
    (near,) = await say(stage, "/not jobs wages")
    await say(stage, choice(near, "None of these").say)
    assert await misses(stage) == {"not-it jobs": 1, "none-of-these wages": 1}


@pytest.mark.parametrize("text", ["/not", "/none", "/not gone", "/none gone gone", "/not gone jobs"])
async def test_an_old_button_or_a_card_that_is_gone_counts_nothing(stage: Stage, text: str) -> None:
    (none,) = await say(stage, text)
    assert none.text.startswith("I don't know that one")
    assert await misses(stage) == {}


# -------------------- what a button can hold


NAMES = ("roma-work-school", "grants-nurseries", "asylum-reasons")


def built(content: Content, found: Finding | None = None) -> _Rumours:
    """Return the feature with a finder that always says `found`."""
    nothing = Finding("none", 0.0, (), "en")
    techniques: Mapping[str, Mapping[str, tuple[str, bool]]] = {code: {} for code in content.library.pack.languages}
    return _Rumours(content.library, lambda _: found or nothing, techniques, cast(Routes, None), None)


def test_what_a_button_says_is_never_too_long_and_read_back_whole(content: Content) -> None:
    feature = built(content)
    ids = sorted(feature._ids, key=len)[-3:]
    assert sum(map(len, ids)) > LONGEST_SAY - 8
    for command in ("none", "not", "switch es"):
        for names in (ids, NAMES, ids[:1], []):
            said = feature._say(command, names)
            assert len(said.encode()) <= LONGEST_SAY
            assert feature._named(said.removeprefix(f"/{command}")) == list(names)


def test_a_beginning_that_several_share_names_none(content: Content) -> None:
    feature = built(content)
    assert feature._named("roma-") == []
    assert feature._named("roma-w roma-w jobs") == ["roma-work-school", "jobs"]
    assert feature._named("x " * 4000) == []


def test_every_card_can_be_refused_beside_any_other(content: Content) -> None:
    feature = built(content)
    for name in feature._ids:
        assert all(len(feature._say("not", [name, other])) <= LONGEST_SAY for other in feature._ids)


# -------------------- questions about a service, and people who contradict a rumour


async def answered(stage: Stage, content: Content, decision: str, *names: str, spoken: str = "en") -> Reply:
    """Return what is said to a text that the finder takes for `decision`, about these entries."""
    found = Finding(cast(Decision, decision), 0.7, tuple(Match(name, 1.0, "") for name in names), spoken)
    heard = built(content, found).listen("whatever")
    assistant = stage.app.assistant

    def answer(tx: Connection) -> Any:
        context: Context = assistant._context(tx, Session(HERE, "en", met=True), assistant.repertoire, "en")
        return heard.answer(context)

    outcome = await stage.store.run(answer)
    assert "search" in {count.what for count in outcome.counts}
    (reply,) = outcome.replies
    assert isinstance(reply, Reply)
    return reply


async def test_a_question_about_a_service_is_not_answered_as_a_rumour(stage: Stage, content: Content) -> None:
    reply = await answered(stage, content, "service", "language", "schools")
    assert "question about a service" in reply.text
    assert reply.text.endswith("*What I took it to be about: Learning the language.*")
    assert [found.say for found in reply.choices] == ["/rumour language", "/support", "/rumours"]
    bare = await answered(stage, content, "service")
    assert [found.say for found in bare.choices] == ["/support", "/rumours"]


async def test_whoever_contradicts_a_rumour_is_offered_what_is_known(stage: Stage, content: Content) -> None:
    reply = await answered(stage, content, "opposite", "jobs", "wages")
    assert "answering a rumour, not repeating it" in reply.text
    assert reply.text.endswith("*What I took it to be about: Jobs and newcomers.*")
    assert [found.say for found in reply.choices] == ["/rumour jobs", "/tip", "/not jobs wages"]
    nothing = await answered(stage, content, "opposite")
    assert nothing.text.startswith("I don't know that one")


async def test_both_offer_the_other_language_too(stage: Stage, content: Content) -> None:
    for decision in ("service", "opposite", "answer", "offer"):
        reply = await answered(stage, content, decision, "jobs", spoken="es")
        assert reply.choices[0] == Choice("Seguir en español", "/switch es jobs")
    assert await say(stage, "/switch xx jobs")
