"""Holds the export to account: it shows all that is stored of a conversation, nothing of others, once."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Table, func, select

from bot.core.fit import fit
from bot.core.markup import escape, parse, plain
from bot.core.message import Address, Message, Reply
from bot.platforms import limits
from bot.storage import export, outbox
from bot.storage.export import MOST, kept_of
from bot.storage.moments import millis
from bot.storage.outbox import Bubble
from bot.storage.store import Store
from bot.storage.tables import BUBBLES, BY_ADDRESS, SEEN
from tests.play import Stage

ROOM = Address("telegram", "-1001")
FAMILY = (
    ROOM,
    Address("telegram", "-1001", "42"),
    Address("telegram", "-1001/7"),
    Address("telegram", "-1001/7", "42"),
)
STRANGERS = (
    Address("telegram", "-10012"),
    Address("telegram", "-10012", "42"),
    Address("discord", "-1001"),
    Address("telegram", "-100"),
    Address("telegram", "-1002", "-1001"),
)


def planted(table: Table, where: Address, number: int, now: datetime) -> dict[str, Any]:
    """Return a row with a value of its own in every column."""
    at = millis(now)
    row: dict[str, Any] = {
        column.name: at + 7 * number + place if column.type.python_type is int else f"canary-{column.name}-{number}"
        for place, column in enumerate(table.c)
    }
    return row | {"address": str(where)}


async def plant(store: Store, now: datetime, *places: Address) -> list[tuple[Table, dict[str, Any]]]:
    rows = [
        (table, planted(table, where, 100 * number + place, now))
        for number, table in enumerate(BY_ADDRESS)
        for place, where in enumerate(places)
    ]

    def write(tx: Connection) -> None:
        for table, row in rows:
            tx.execute(table.insert().values(row))

    await store.run(write)
    return rows


def found(kept: dict[str, Any], table: Table) -> list[dict[str, Any]]:
    """Return the rows of `table` in an export as the table holds them."""
    return [{name: _stored(name, value) for name, value in row.items()} for row in kept[table.name]]


def _stored(name: str, value: Any) -> Any:
    return millis(datetime.fromisoformat(value)) if name in export._MOMENTS and isinstance(value, str) else value


async def test_every_value_of_every_table_is_shown_those_of_corners_and_rooms_too(store: Store, now: datetime) -> None:
    rows = await plant(store, now, *FAMILY)
    kept = json.loads(await store.run(lambda tx: kept_of(tx, ROOM, now)))
    for table in BY_ADDRESS:
        wanted = [row for its, row in rows if its is table]
        assert sorted(map(repr, map(_sorted, found(kept, table)))) == sorted(map(repr, map(_sorted, wanted)))
    assert kept["export"] == str(ROOM)
    assert "left out" not in kept


def _sorted(row: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(row.items())


async def test_nothing_of_anybody_else_is_shown(store: Store, now: datetime) -> None:
    await plant(store, now, *STRANGERS)
    text = await store.run(lambda tx: kept_of(tx, ROOM, now))
    assert "canary" not in text
    assert {name: json.loads(text)[name] for name in ("sessions", "seen", "bubbles", "tellings")} == {
        "sessions": [],
        "seen": [],
        "bubbles": [],
        "tellings": [],
    }


async def test_a_corner_shows_itself_and_nothing_of_the_room_or_of_other_corners(store: Store, now: datetime) -> None:
    corner = FAMILY[1]
    await plant(store, now, *FAMILY, Address("telegram", "-1001", "421"))
    kept = json.loads(await store.run(lambda tx: kept_of(tx, corner, now)))
    assert {row["address"] for table in BY_ADDRESS for row in kept[table.name]} == {str(corner)}


async def test_json_in_a_row_is_opened_and_what_only_looks_like_it_is_shown_as_it_is(
    store: Store, now: datetime
) -> None:
    def write(tx: Connection) -> None:
        outbox.add(tx, Bubble(0, ROOM, Reply("{not json} *at* all\n- é"), "en"), now, state="read")
        tx.execute(SEEN.insert().values(address=str(ROOM), key="{broken", at=millis(now)))

    await store.run(write)
    kept = json.loads(await store.run(lambda tx: kept_of(tx, ROOM, now)))
    assert kept["bubbles"][0]["reply"] == {"text": "{not json} *at* all\n- é"}
    assert kept["seen"][0]["key"] == "{broken"
    assert kept["seen"][0]["at"] == "2026-11-20T12:00:00.000Z"


async def test_of_very_much_the_newest_is_shown_and_the_rest_is_counted(store: Store, now: datetime) -> None:
    rows = [
        {"address": str(ROOM), "key": f"{number:04}", "at": millis(now + timedelta(seconds=number))}
        for number in range(MOST + 3)
    ]
    await store.run(lambda tx: tx.execute(SEEN.insert(), rows))
    kept = json.loads(await store.run(lambda tx: kept_of(tx, ROOM, now)))
    assert [row["key"] for row in kept["seen"]] == [f"{number:04}" for number in range(3, MOST + 3)]
    assert kept["left out"] == {"seen": 3}


@pytest.mark.parametrize("platform", limits.BY_NAME)
async def test_what_platforms_cut_in_pieces_is_whole_again_when_it_is_put_together(
    store: Store, now: datetime, platform: str
) -> None:
    words = "Say: “calm”. Ask *why*? _So_ [it](/rumour jobs) goes <on>, 100% & more! " * 40

    def write(tx: Connection) -> None:
        for number in range(12):
            reply = Reply(f"{number} " + (words if number % 5 == 0 else words[:300]) + "\n\n- a\n1. b\n> c")
            outbox.add(tx, Bubble(0, ROOM, reply, "en"), now, state="read")

    await store.run(write)
    text = await store.run(lambda tx: kept_of(tx, ROOM, now))
    pieces = [plain(parse(part.text)) for part in fit(Reply(escape(text)), limits.BY_NAME[platform])]
    assert max(map(len, pieces)) <= limits.BY_NAME[platform].text
    together = json.loads("\n".join(pieces), strict=False)
    assert [row["reply"]["text"].split() for row in together["bubbles"]] == [
        row["reply"]["text"].split() for row in json.loads(text)["bubbles"]
    ]


async def said(stage: Stage, text: str, key: str, where: Address, **more: Any) -> list[str]:
    turn = await stage.app.assistant.handle(Message(where, text, key, language="en", introduced=True, **more))
    await stage.app.delivery.idle()
    return [plain(parse(bubble.reply.text)) for bubble in turn.bubbles]


async def test_a_person_sees_what_was_said_and_an_older_export_gives_way(stage: Stage) -> None:
    where = Address("telegram", "42")
    await said(stage, "/term rumour", "1", where)
    once = [json.loads((await said(stage, "/export", str(number), where))[1]) for number in range(2, 6)]
    for number, kept in enumerate(once):
        texts = [row["reply"]["text"] for row in kept["bubbles"]]
        assert len(texts) == 1 + number, "the term, and what introduced each export"
        assert "export" not in "".join(texts[0:1])
    assert [row["key"] for row in once[-1]["seen"]] == ["1", "2", "3", "4", "5"]
    count = select(func.count()).select_from(BUBBLES)
    assert await stage.store.run(lambda tx: tx.execute(count).scalar()) == 1 + 4 + 1


async def test_in_a_shared_chat_nothing_is_shown_but_the_way_to_ask_in_private(stage: Stage) -> None:
    room = Address("discord", "7")
    await said(stage, "/term rumour", "1", room, shared=True)
    assert await said(stage, "/export", "2", room, shared=True) == [
        "I answer that in private. Press the button, then write it there once more."
    ]
    corner = Address("discord", "7", "42")
    kept = json.loads((await said(stage, "/export", "3", corner))[1])
    assert [row["key"] for row in kept["seen"]] == ["3"]
    assert kept["sessions"] == []
    assert stage.app.assistant.repertoire.is_private("/exportar")
