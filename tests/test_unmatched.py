"""Holds what nobody knows to account: kept only where a city says so and people are told, and leading to nobody."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from bot.app import Content, repertoires
from bot.core.message import Address, Message
from bot.library.city import CityPack
from bot.library.load import Pack
from bot.storage import unmatched
from bot.storage.tables import BUBBLES, METADATA, SEEN, UNMATCHED
from bot.storage.unmatched import A_DAY
from tests.play import Stage, keeping, with_cities

HERE, THERE = Address("telegram", "4242424242"), Address("web", "abcdef0123")
STRANGE = "the moon landing was filmed in a shed"
PROMISE = re.compile(r"(?i)no(ne of your)? messages|mensajes")


@pytest.fixture
async def kept() -> AsyncIterator[Stage]:
    built = await Stage.build(keeping())
    yield built
    built.close()


async def say(stage: Stage, text: str, where: Address = HERE, **more: Any) -> list[str]:
    stage._heard += 1
    message = Message(where, text, f"key-{stage._heard}", **{"language": "en", "introduced": True, **more})
    turn = await stage.app.assistant.handle(message)
    return [bubble.reply.text for bubble in turn.bubbles]


async def rows(stage: Stage) -> list[tuple[Any, ...]]:
    return await stage.store.read(lambda tx: [tuple(row) for row in tx.execute(select(UNMATCHED))])


async def words(stage: Stage) -> list[str]:
    return [row[3] for row in await rows(stage)]


# -------------------- what is kept


async def test_nothing_is_kept_where_nobody_said_so(stage: Stage) -> None:
    assert "kept" not in (await say(stage, STRANGE))[-1]
    assert await rows(stage) == []


async def test_the_words_are_kept_with_day_city_and_language_alone_and_it_is_said(kept: Stage) -> None:
    assert "These words are kept" in (await say(kept, STRANGE))[-1]
    await say(kept, STRANGE, THERE, language="en")
    await say(kept, "la luna se rodó en un garaje", THERE, language="es")
    midnight = kept.now.replace(hour=0, minute=0, second=0).astimezone(UTC)
    day = round(midnight.timestamp() * 1000)
    assert sorted(await rows(kept)) == [
        (day, "", "en", STRANGE, 2),
        (day, "", "es", "la luna se rodó en un garaje", 1),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "they take our jobs",
        "the school is full of them",
        "hello",
        "what is a sterotype",
        "/rumour jobs",
        "/none jobs wages",
        "zzz",
        "2015",
        "🙂🙂🙂🙂🙂🙂🙂🙂",
        STRANGE + ", write to somebody@town.example",
        STRANGE + ", call 600 111 222",
        STRANGE + " see www.moon.example/shed",
        STRANGE + " said @moonshed",
        "Mr Smith at number seven filmed the moon landing in a shed",
        f"{STRANGE} " * 10,
        "my husband hits me",
        "somebody spat at me on the bus",
        "all migrants are vermin",
        "you stupid bot",
    ],
)
async def test_what_is_known_or_leads_to_somebody_or_hurts_is_never_kept(kept: Stage, text: str) -> None:
    await say(kept, text)
    assert await rows(kept) == []


@pytest.mark.parametrize("before", ["somebody spat at me on the bus", "/safe", "/safe online", "/support"])
async def test_whoever_was_shown_help_was_told_that_nothing_is_kept_and_nothing_is(kept: Stage, before: str) -> None:
    await say(kept, before)
    await say(kept, "/rumours")
    assert "kept" not in (await say(kept, STRANGE))[-1]
    assert await rows(kept) == []
    await say(kept, STRANGE, THERE)
    assert len(await rows(kept)) == 1


async def test_the_words_that_rumour_asked_for_are_kept_too_and_the_question_is_left(kept: Stage) -> None:
    await say(kept, "/rumour")
    await say(kept, STRANGE)
    await say(kept, f"/rumour {STRANGE} again")
    assert await words(kept) == [STRANGE, f"{STRANGE} again"]


# -------------------- how much


async def test_one_conversation_leaves_a_few_a_day(kept: Stage) -> None:
    for number in range(A_DAY + 2):
        await say(kept, f"{STRANGE} {'x' * number}")
    assert len(await rows(kept)) == A_DAY
    await say(kept, STRANGE, THERE)
    kept.now += timedelta(days=1)
    await say(kept, STRANGE)
    assert sum(row[4] for row in await rows(kept)) == A_DAY + 2


async def test_all_together_leave_so_many_a_day(kept: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unmatched, "MOST", 2)
    for number in range(4):
        await say(kept, f"{STRANGE} {'x' * number}", Address("web", f"{number}"))
    assert len(await rows(kept)) == 2


# -------------------- whose it is


async def test_nothing_leads_from_a_conversation_to_its_words_nor_back(kept: Stage) -> None:
    await say(kept, STRANGE)
    noted = await kept.store.read(lambda tx: repr(tx.execute(select(SEEN)).all()))
    said = await kept.store.read(lambda tx: repr(tx.execute(select(BUBBLES)).all()))
    assert STRANGE not in noted + said
    assert HERE.chat not in repr(await rows(kept))
    assert {column.name for column in UNMATCHED.c} == {"day", "city", "language", "words", "n"}


async def test_export_finds_nothing_and_forget_leaves_it(kept: Stage) -> None:
    await say(kept, STRANGE)
    assert STRANGE not in "".join(await say(kept, "/export"))
    await say(kept, "/forget")
    assert await words(kept) == [STRANGE]


async def test_what_is_only_looked_at_or_completed_is_not_kept(kept: Stage) -> None:
    await kept.app.assistant.preview(f"/rumour {STRANGE}", "en")
    command = kept.app.assistant.repertoire.command("rumour")
    assert command
    assert command.suggest
    command.suggest(STRANGE, "en")
    assert await rows(kept) == []


# -------------------- who says so


@pytest.mark.parametrize(("written", "keeps"), [("yes", True), ("true", True), ("no", False), ("false", False)])
def test_a_pack_says_yes_or_no(written: str, keeps: bool) -> None:
    pack = {"name": "Hearsay", "languages": {"en": "English"}, "zone": "Europe/Madrid"}
    assert Pack.model_validate({**pack, "keep_unmatched": written}).keep_unmatched is keeps
    assert CityPack.model_validate({"name": "Town", "keep_unmatched": written}).keep_unmatched is keeps
    assert not Pack.model_validate(pack).keep_unmatched
    assert not CityPack.model_validate({"name": "Town"}).keep_unmatched
    with pytest.raises(ValidationError):
        Pack.model_validate({**pack, "keep_unmatched": "perhaps"})


def town_that_keeps() -> Content:
    """Return the shipped content with a town that keeps what nobody knows, while the shared pack does not."""
    content = with_cities()
    town = content.cities["puertaluna"]
    pack = town.library.pack.model_copy(update={"keep_unmatched": True})
    return replace(content, cities={"puertaluna": replace(town, library=replace(town.library, pack=pack))})


async def test_each_town_decides_for_itself() -> None:
    stage = await Stage.build(town_that_keeps())
    await say(stage, STRANGE)
    assert await rows(stage) == []
    assert "for 90 days" not in (await say(stage, "/privacy"))[-1]
    await say(stage, "/city puertaluna")
    await say(stage, STRANGE)
    assert [row[1] for row in await rows(stage)] == ["puertaluna"]
    assert "for 90 days" in (await say(stage, "/privacy"))[-1]
    stage.close()


def test_a_town_does_not_take_the_shared_packs_yes_for_its_own() -> None:
    assert not with_cities().cities["puertaluna"].library.pack.keep_unmatched


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_sentence_promises_what_is_not_so(language: str, content: Content) -> None:
    promising = {
        key
        for key, forms in content.phrases.forms(language).items()
        if PROMISE.search(forms["other"]) and "{{" not in forms["other"]
    }
    assert {"talk.introduction", "telegram.short", "web.automated", "start.youth_text"} <= promising
    for keeping_somewhere in (keeping(), town_that_keeps()):
        say = repertoires(keeping_somewhere).of("").say_in(language)
        assert {key for key in promising if re.search(r"(?i)\b(no|ni)\b[^.;]*(messages|mensajes)", say(key))} == set()
    plain = content.phrases.say_in(language)
    assert PROMISE.search(plain("talk.introduction"))


def test_the_table_belongs_to_nobody() -> None:
    assert "address" not in METADATA.tables["unmatched"].c
    assert json.dumps(sorted(column.name for column in UNMATCHED.primary_key)) == (
        '["city", "day", "language", "words"]'
    )
