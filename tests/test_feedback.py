"""Holds "was this useful?" and the counts of turns to account: once a day, no text, no address, nothing twice."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, select

from bot.app import Content, repertoire
from bot.core.message import Address, Message
from bot.storage import counts
from bot.storage.tables import COUNTS
from bot.talk.repertoire import Repertoire
from tests.play import Stage

HERE, THERE = Address("telegram", "4242424242"), Address("web", "abcdef0123")


@pytest.fixture(scope="module")
def whole(content: Content) -> Repertoire:
    return repertoire(content)


@pytest.fixture(autouse=True)
def _built_once(whole: Repertoire, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage builds all that Hearsay can do anew; here once is enough."""
    monkeypatch.setattr("bot.app.repertoire", lambda _: whole)


async def say(stage: Stage, text: str, key: str, where: Address = HERE, **more: Any) -> list[str]:
    message = Message(where, text, key, **{"language": "en", "introduced": True, **more})
    turn = await stage.app.assistant.handle(message)
    return [bubble.reply.text for bubble in turn.bubbles]


async def counted(stage: Stage) -> dict[str, int]:
    """Return `what entry` → how often, over all days, cities and languages."""

    def read(tx: Connection) -> dict[str, int]:
        found = counts.sums(tx, None, date(2026, 1, 1), date(2027, 12, 31))
        return {f"{one.what} {one.entry}".strip(): one.n for one in found}

    return await stage.store.read(read)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/rumour jobs", {"card jobs": 1}),
        ("they take our jobs", {"card jobs": 1, "search found": 1}),
        ("the moon landing was filmed in a shed", {"search none": 1}),
        ("/rumour jobs sources", {}),
        ("/technique listening-first", {"technique listening-first": 1}),
        ("/tip family home fear", {"tip listening-first": 1}),
        ("/term prejudice", {"term prejudice": 1}),
        ("what is prejudice", {"term prejudice": 1}),
        ("/term zzzz", {"word none": 1}),
        ("/useful rumour jobs", {}),
        ("/useful rumour jobs yes", {"useful rumour jobs": 1}),
        ("/useful rumour jobs no", {"not-useful rumour jobs": 1}),
        ("/useful rumour jobs tone", {"not-useful rumour jobs": 1, "wrong-tone rumour jobs": 1}),
        ("/useful rumour jobs nonsense", {}),
        ("/useful rumour no-such yes", {}),
        ("/useful quiz jobs yes", {}),
        ("/useful", {}),
        ("they shouted at me that I should go home", {}),
        ("all migrants are vermin", {}),
        ("hello", {}),
    ],
)
async def test_a_turn_is_counted_for_what_it_showed(stage: Stage, text: str, expected: dict[str, int]) -> None:
    await say(stage, "/privacy", "first")
    before = await counted(stage)
    assert await say(stage, text, "second")
    after = await counted(stage)
    assert {what: n - before.get(what, 0) for what, n in after.items() if n != before.get(what)} == expected


async def test_an_offer_is_counted_as_one(stage: Stage) -> None:
    await say(stage, "they get flats and benefits and jobs", "1")
    assert {"search offered": 1}.items() <= (await counted(stage)).items() or "search found" in await counted(stage)


async def test_a_message_that_comes_twice_and_a_preview_are_not_counted(stage: Stage) -> None:
    await say(stage, "/rumour jobs", "1")
    await say(stage, "/rumour jobs", "1")
    assert await stage.app.assistant.preview("/rumour jobs", "en")
    assert await stage.app.assistant.preview("/report", "en")
    assert await counted(stage) == {"begun": 1, "card jobs": 1}


async def test_one_conversation_counts_once_a_day_for_an_entry(stage: Stage) -> None:
    for number in range(5):
        await say(stage, "/useful rumour jobs yes", f"{number}")
    await say(stage, "/useful rumour jobs no", "6")
    await say(stage, "/useful rumour jobs old", "7")
    await say(stage, "/useful rumour jobs tone", "8")
    assert {name: n for name, n in (await counted(stage)).items() if "jobs" in name} == {
        "useful rumour jobs": 1,
        "outdated rumour jobs": 1,
    }
    await say(stage, "/useful rumour jobs yes", "9", THERE)
    await say(stage, "/useful rumour wages yes", "10")
    stage.now += timedelta(days=1)
    await say(stage, "/useful rumour jobs yes", "11")
    found = await counted(stage)
    assert (found["useful rumour jobs"], found["useful rumour wages"]) == (3, 1)


async def test_counts_hold_day_city_and_language_and_never_who(stage: Stage) -> None:
    await say(stage, "/rumour jobs", "1")
    await say(stage, "/rumour jobs", "2", THERE, language="es")
    await say(stage, "/rumour jobs", "3", THERE, language="es")
    rows = await stage.store.read(lambda tx: [tuple(row) for row in tx.execute(select(COUNTS).order_by(COUNTS.c.n))])
    noon = 1_795_132_800_000
    assert sorted(rows) == sorted(
        [
            (noon, "", "en", "begun", "", 1),
            (noon, "", "es", "begun", "", 1),
            (noon, "", "en", "card", "jobs", 1),
            (noon, "", "es", "card", "jobs", 2),
        ]
    )
    assert HERE.chat not in repr(rows)


async def test_a_day_begins_at_midnight_in_utc(stage: Stage) -> None:
    stage.now = stage.now.replace(hour=23, minute=59, second=59)
    await say(stage, "/rumour jobs", "1")
    stage.now += timedelta(seconds=1)
    await say(stage, "/rumour jobs", "2")

    for day in (date(2026, 11, 20), date(2026, 11, 21)):
        found = await stage.store.read(partial(counts.sums, city=None, first=day, last=day))
        assert [one.n for one in found if one.what == "card"] == [1]


async def test_a_turn_that_breaks_counts_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr("bot.talk.assistant.tellings.add", broken)
    await say(stage, "/rumour jobs", "1")
    assert await counted(stage) == {}


async def test_every_card_and_technique_can_be_judged(stage: Stage) -> None:
    entries = stage.content.library.entries
    judged = [f"{kind} {name}" for kind in ("rumour", "technique") for name in entries[kind]["en"]]
    assert len(judged) == 38 + 22
    for entry in judged:
        assert await say(stage, f"/useful {entry}", entry) == ["Was this useful?"]
