"""Holds the outbox to account: rows in order, a slot's newest only, and a bubble that one process alone may send."""

import asyncio
from datetime import datetime, timedelta

from bot.core.message import Address, Choice, Image, Reply
from bot.storage import outbox
from bot.storage.database import Database, opened
from bot.storage.outbox import LEASE, Bubble
from bot.storage.store import Store
from bot.storage.tables import BUBBLES

HERE, THERE = Address("telegram", "1"), Address("telegram", "2")
SECOND = timedelta(seconds=1)


async def said(
    store: Store, now: datetime, words: str, where: Address = HERE, slot: str | None = None, state: str = "waiting"
) -> Bubble:
    bubble = Bubble(0, where, Reply(words, slot=slot), "en")
    return await store.run(lambda tx: outbox.add(tx, bubble, now, state=state))


async def claimed(store: Store, now: datetime, *platforms: str, most: int = 100) -> list[str]:
    found = await store.run(lambda tx: outbox.claim(tx, platforms or ("telegram",), now, most))
    return [bubble.reply.text for bubble in found]


async def edited(store: Store, bubble: Bubble) -> str | None:
    """Return the ref that `bubble` edits if it is sent now."""
    found = await store.read(lambda tx: outbox.current(tx, bubble))
    assert found
    return found.edit


async def column(store: Store, name: str) -> list[object]:
    return await store.read(
        lambda tx: [row[0] for row in tx.execute(BUBBLES.select().with_only_columns(BUBBLES.c[name]))]
    )


async def test_a_bubble_comes_back_as_it_went_in(store: Store, now: datetime) -> None:
    reply = Reply(
        "¿**Qué**?", (Choice("Sí", "yes"),), "Your word", Image("a map", data=b"\x00\xff"), aside=True, link="/term x"
    )
    added = await store.run(lambda tx: outbox.add(tx, Bubble(0, HERE, reply, "es", turn=7), now, state="read"))
    assert await store.read(lambda tx: outbox.after(tx, HERE, 0, 50)) == [added]
    assert added == Bubble(added.id, HERE, reply, "es", turn=7)


async def test_the_newest_are_shown_oldest_first(store: Store, now: datetime) -> None:
    ids = [(await said(store, now, str(number))).id for number in range(10)]
    await said(store, now, "elsewhere", THERE)
    found = await store.read(lambda tx: outbox.after(tx, HERE, 0, 3))
    assert [bubble.reply.text for bubble in found] == ["7", "8", "9"]
    found = await store.read(lambda tx: outbox.after(tx, HERE, ids[8], 3))
    assert [bubble.reply.text for bubble in found] == ["9"]


async def test_an_id_is_never_used_again(store: Store, now: datetime) -> None:
    last = await said(store, now, "gone")
    await store.run(lambda tx: tx.execute(BUBBLES.delete()))
    assert (await said(store, now, "new")).id > last.id


async def test_other_processes_hear_where_something_is_new(store: Store, now: datetime) -> None:
    assert await store.read(outbox.newest) == 0
    first = await said(store, now, "one")
    second = await said(store, now, "two", THERE)
    assert await store.read(outbox.newest) == second.id
    assert await store.read(lambda tx: outbox.addresses_after(tx, first.id)) == {THERE}


async def test_a_card_that_was_not_sent_gives_way_to_the_newer_one(store: Store, now: datetime) -> None:
    await said(store, now, "old", slot="card")
    newer = await said(store, now, "new", slot="card")
    assert newer.edit is None
    assert await claimed(store, now + LEASE) == ["new"]


async def test_a_card_that_was_sent_is_edited(store: Store, now: datetime) -> None:
    old = await said(store, now, "old", slot="card")
    await store.run(lambda tx: outbox.settle(tx, old, "sent", "ref-1", "reached", now))
    await said(store, now, "newer", slot="card")
    newest = await said(store, now, "newest", slot="card")
    assert await edited(store, newest) == "ref-1", "what was never sent hands the ref on"
    (left,) = await store.run(lambda tx: outbox.claim(tx, ["telegram"], now + LEASE, 9))
    assert (left.reply.text, await edited(store, left)) == ("newest", "ref-1")


async def test_the_ref_of_a_card_that_was_in_the_air_is_known_once_it_came_down(store: Store, now: datetime) -> None:
    old = await said(store, now, "old", slot="card")
    newer = await said(store, now, "newer", slot="card")
    assert await edited(store, newer) is None
    await store.run(lambda tx: outbox.settle(tx, old, "sent", "ref-1", "reached", now))
    assert await edited(store, newer) == "ref-1"
    await store.run(lambda tx: outbox.settle(tx, newer, "sent", "ref-2", "reached", now))
    assert await column(store, "id") == [newer.id], "the older row is over only now"


async def test_the_page_shows_the_newest_of_a_slot_only(store: Store, now: datetime) -> None:
    await said(store, now, "unsent", slot="card")
    await said(store, now, "waiting", slot="card")
    assert [bubble.reply.text for bubble in await store.read(lambda tx: outbox.after(tx, HERE, 0, 9))] == ["waiting"]
    for words in ("old", "new"):
        await said(store, now, words, slot="card", state="read")
    assert [bubble.reply.text for bubble in await store.read(lambda tx: outbox.after(tx, HERE, 0, 9))] == ["new"]


async def test_a_slot_is_of_one_conversation_and_one_name(store: Store, now: datetime) -> None:
    await said(store, now, "here", slot="card")
    await said(store, now, "there", THERE, slot="card")
    await said(store, now, "other", slot="score")
    await said(store, now, "none")
    await said(store, now, "here again", slot="card")
    assert sorted(await claimed(store, now + LEASE)) == ["here again", "none", "other", "there"]


async def test_whoever_made_a_bubble_has_it_alone_for_the_lease(store: Store, now: datetime) -> None:
    await said(store, now, "mine")
    assert await claimed(store, now + LEASE - SECOND) == []
    assert await claimed(store, now + LEASE) == ["mine"]


async def test_a_claim_is_a_lease_that_runs_out(store: Store, now: datetime) -> None:
    await said(store, now, "left behind")
    later = now + LEASE
    assert await claimed(store, later) == ["left behind"]
    assert await claimed(store, later + LEASE - SECOND) == []
    assert await claimed(store, later + LEASE) == ["left behind"]


async def test_two_processes_never_claim_the_same_bubble(store: Store, database: Database, now: datetime) -> None:
    words = [str(number) for number in range(40)]
    for word in words:
        await said(store, now, word)
    other = opened(database)
    claims = await asyncio.gather(*(claimed(which, now + LEASE, most=4) for _ in range(6) for which in (store, other)))
    other.close()
    assert sorted(word for claim in claims for word in claim) == sorted(words)


async def test_only_what_waits_for_these_platforms_is_claimed(store: Store, now: datetime) -> None:
    for platform in ("web", "telegram", "telegrams", "discord"):
        await said(store, now, platform, Address(platform, "1"))
    await said(store, now, "read", state="read")
    assert await claimed(store, now + LEASE, "telegram", "discord") == ["telegram", "discord"]
    assert await claimed(store, now + LEASE, "telegram", "discord") == []


async def test_no_more_are_claimed_than_asked_for_the_oldest_first(store: Store, now: datetime) -> None:
    for number in range(6):
        await said(store, now, str(number), Address(("discord", "telegram")[number % 2], "1"))
    assert await claimed(store, now + LEASE, "telegram", "discord", most=3) == ["0", "1", "2"]


async def test_what_is_settled_is_never_sent_again(store: Store, now: datetime) -> None:
    sent, dead = await said(store, now, "sent"), await said(store, now, "dead")
    await store.run(lambda tx: outbox.settle(tx, sent, "sent", "ref-1", "reached", now))
    await store.run(lambda tx: outbox.settle(tx, dead, "dead", None, "other", now))
    assert await claimed(store, now + 1000 * LEASE) == []
    assert await column(store, "state") == ["sent", "dead"]
    assert await column(store, "ref") == ["ref-1", None]


async def test_what_is_put_off_waits_for_its_moment(store: Store, now: datetime) -> None:
    bubble = await said(store, now, "later")
    until = now + timedelta(seconds=5)
    await store.run(lambda tx: outbox.put_off(tx, bubble, until))
    assert await claimed(store, until - SECOND) == []
    assert await claimed(store, until) == ["later"]


async def test_settling_what_was_forgotten_changes_nothing(store: Store, now: datetime) -> None:
    bubble = await said(store, now, "forgotten")
    await store.run(lambda tx: tx.execute(BUBBLES.delete()))
    await store.run(lambda tx: outbox.settle(tx, bubble, "sent", "ref", "reached", now))
    await store.run(lambda tx: outbox.put_off(tx, bubble, now))
    assert await column(store, "id") == []


async def test_whoever_lost_a_bubble_changes_nothing_of_it(store: Store, now: datetime) -> None:
    """A process that slept through its lease wakes up beside the one that sends its bubbles by now."""
    lost = await said(store, now, "whose?")
    (taken,) = await store.run(lambda tx: outbox.claim(tx, ["telegram"], now + LEASE, 9))
    before = await store.read(lambda tx: tx.execute(BUBBLES.select()).all())
    await store.run(lambda tx: outbox.settle(tx, lost, "sent", "ref", "reached", now))
    await store.run(lambda tx: outbox.put_off(tx, lost, now + 9 * LEASE))
    assert await store.run(lambda tx: outbox.hold(tx, lost, now + 9 * LEASE)) == lost
    assert await store.read(lambda tx: outbox.current(tx, lost)) is None
    assert await store.read(lambda tx: tx.execute(BUBBLES.select()).all()) == before
    assert await store.read(lambda tx: outbox.current(tx, taken)) == taken


async def test_a_lease_that_is_renewed_holds_on(store: Store, now: datetime) -> None:
    bubble = await said(store, now, "mine")
    held = await store.run(lambda tx: outbox.hold(tx, bubble, now + 2 * LEASE))
    assert await claimed(store, now + 2 * LEASE - SECOND) == []
    assert await store.read(lambda tx: outbox.current(tx, held)) == held
