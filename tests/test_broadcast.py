"""What campaigns say comes in its hour to whoever is to hear it, once; and where it must not, it does not."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert

from bot import delivery
from bot.core.message import Address, Reply
from bot.core.platform import DeliveryError
from bot.delivery import Delivery
from bot.features.campaigns import due, release
from bot.storage import coordinators, outbox, runs, subscriptions
from bot.storage.migrate import migrate
from bot.storage.runs import Edit, Key
from bot.storage.store import Store, StoreError
from bot.storage.subscriptions import Subscription
from bot.storage.tables import HOLDS, METADATA
from tests.broadcasting import DAY, HARVEST, NINE, Office, Post, campaign, texts, town, translated

EVENING = NINE + timedelta(hours=11)
CROWD = tuple(f"chat-{number:03}" for number in range(50))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let out few at a time, so that there is a middle; write marks at once."""
    monkeypatch.setattr(release, "CHUNK", 10)
    monkeypatch.setattr(delivery, "MARK_EVERY", 0)


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    opened = Store(":memory:")
    await opened.run(METADATA.create_all)
    yield opened
    opened.close()


@pytest.fixture
async def office(store: Store) -> Office:
    """Return a town that takes part, whose text is approved, with one subscriber."""
    return await ready(Office(store))


async def ready(office: Office, *chats: str) -> Office:
    await office.begin()
    for city in office.towns:
        await office.approve(Key(city, *HARVEST[1:]))
    await office.subscribe(*(chats or ("ana",)))
    return office


async def chunk(office: Office) -> None:
    """Let out one chunk, and send it."""
    (number,) = [one for (one,) in await office.store.read(_open)]
    await office.broadcast._let_out(number, await office.broadcast._planned())
    await office.delivery.idle()


def _open(tx: Any) -> Any:
    return tx.exec_driver_sql(
        "SELECT id FROM occurrences WHERE state IN ('planned', 'telling') AND audience <> 'coordinators'"
    ).all()


async def hold(office: Office, city: str = "") -> None:
    def work(tx: Any) -> None:
        tx.execute(insert(HOLDS).values(city=city, since=0))
        outbox.stop(tx, city)

    await office.store.run(work)


async def resume(office: Office, city: str = "") -> None:
    def work(tx: Any) -> None:
        tx.execute(delete(HOLDS).where(HOLDS.c.city == city))
        outbox.let_go(tx, city)

    await office.store.run(work)


# -------------------- in its hour


async def test_a_prompt_comes_at_nine_and_once(office: Office) -> None:
    assert await office.beat(NINE - timedelta(seconds=1)) == []
    assert await office.beat(NINE) == [("ana", "Of today.")]
    for minutes in range(60):
        assert await office.beat(NINE + timedelta(minutes=minutes)) == []
    assert await office.rows() == {("today", "2027-06-22"): ("told", "")}
    assert await office.outcome() == {"reached": 1}


async def test_what_was_missed_while_nobody_ran_comes_later_the_same_day(office: Office) -> None:
    assert await office.beat(EVENING - timedelta(seconds=1)) == [("ana", "Of today.")]


async def test_what_is_too_late_is_skipped_and_why(office: Office) -> None:
    assert await office.beat(EVENING) == []
    assert await office.rows() == {("today", "2027-06-22"): ("skipped", "late")}


async def test_what_is_too_late_when_its_turn_comes_is_not_sent(office: Office) -> None:
    office.post.down = DeliveryError("no network")
    await office.beat(NINE)
    office.post.down = None
    assert await office.beat(EVENING) == []
    assert await office.outcome() == {"late": 1}


async def test_a_week_without_hearsay_makes_up_nothing_old(office: Office) -> None:
    assert await office.beat(NINE + timedelta(days=7)) == []
    assert await office.rows() == {("today", "2027-06-22"): ("skipped", "late")}


async def test_a_day_without_subscribers_is_told_to_nobody(store: Store) -> None:
    office = Office(store)
    await office.begin()
    await office.approve()
    assert await office.beat(NINE) == []
    assert await office.rows() == {("today", "2027-06-22"): ("told", "")}


async def test_a_town_that_joins_after_the_hour_says_nothing_of_it(store: Store) -> None:
    office = Office(store)
    office.now = NINE + timedelta(minutes=1)
    await ready(office)
    assert await office.beat() == []
    assert await office.rows() == {}


async def test_who_becomes_a_coordinator_a_day_later_still_hears_what_is_to_be_done(store: Store) -> None:
    office, asked = Office(store), NINE - timedelta(days=14)
    await office.begin()
    assert await office.beat(asked) == []
    await store.run(lambda tx: coordinators.add(tx, Address("post", "ana"), "", "en", office.now))
    assert [chat for chat, _ in await office.beat(asked + timedelta(days=1))] == ["ana"]
    assert await office.beat(asked + timedelta(days=1, hours=1)) == []


async def test_each_town_has_its_own(store: Store) -> None:
    office = Office(store, town("a"), town("b", zone="Atlantic/Azores"))
    for city in "ab":
        await office.subscribe(f"in-{city}", city=city)
    await office.begin()
    for city in "ab":
        await office.approve(Key(city, *HARVEST[1:]))
    assert await office.beat(NINE) == [("in-a", "Of today.")]
    assert await office.beat(NINE + timedelta(hours=2)) == [("in-b", "Of today.")]


async def test_a_large_town_lets_a_small_one_pass(store: Store) -> None:
    office = await ready(Office(store, town("large"), town("small")))
    await office.subscribe(*CROWD, city="large")
    await office.subscribe("alone", city="small")
    sent = await office.beat(NINE)
    assert len(sent) == len(CROWD) + 1
    assert [chat for chat, _ in office.post.sent].index("alone") <= 2 * 10


# -------------------- approved, as it is now


async def test_unapproved_means_unsent_and_why(store: Store) -> None:
    office = Office(store)
    await office.begin()
    await office.subscribe("ana")
    for minutes in range(0, 660, 30):
        assert await office.beat(NINE + timedelta(minutes=minutes)) == []
    assert await office.beat(EVENING) == []
    assert await office.rows() == {("today", "2027-06-22"): ("skipped", "unapproved")}


async def test_an_approval_at_twenty_past_sends_then(store: Store) -> None:
    office = Office(store)
    await office.begin()
    await office.subscribe("ana")
    assert await office.beat(NINE) == []
    assert await office.beat(NINE + timedelta(minutes=20)) == []
    await office.approve()
    assert await office.beat(NINE + timedelta(minutes=20)) == [("ana", "Of today.")]


async def test_an_edit_reopens_what_was_approved(office: Office) -> None:
    edit = Edit("today", "en", "text", "Ours, today.", 1)
    await office.store.run(lambda tx: runs.edit(tx, HARVEST, edit, office.now, office.now))
    assert await office.beat(NINE) == []
    await office.approve()
    assert await office.beat() == [("ana", "Ours, today.")]


async def test_a_file_that_changes_reopens_what_was_approved(office: Office) -> None:
    office.towns = {"": town(campaigns={"harvest-day": campaign(today={"text": "Otherwise."})})}
    assert await office.beat(NINE) == []
    await office.approve()
    assert await office.beat() == [("ana", "Otherwise.")]


async def test_two_must_approve_where_the_town_wants_it(store: Store) -> None:
    office = await ready(Office(store, town(two_approve=True)))
    assert await office.beat(NINE) == []
    await office.approve(number=1)
    assert await office.beat() == [], "twice the same person is one"
    await office.approve(number=2)
    assert await office.beat() == [("ana", "Of today.")]


async def test_who_edited_is_one_of_two(store: Store) -> None:
    office = await ready(Office(store, town(two_approve=True)))
    edit = Edit("today", "en", "text", "Ours, today.", 1)
    await office.store.run(lambda tx: runs.edit(tx, HARVEST, edit, office.now, office.now))
    await office.approve(number=1)
    assert await office.beat(NINE) == []
    await office.approve(number=2)
    assert await office.beat() == [("ana", "Ours, today.")]


async def test_an_edit_in_the_middle_stops_it_until_it_is_approved(store: Store) -> None:
    office = await ready(Office(store), *CROWD)
    office.now = NINE
    await office.broadcast.plan()
    await chunk(office)
    edit = Edit("today", "en", "text", "Ours, today.", 1)
    await office.store.run(lambda tx: runs.edit(tx, HARVEST, edit, office.now, office.now))
    assert await office.beat() == []
    await office.approve()
    assert texts(await office.beat()) == ["Ours, today."] * 40
    assert office.post.chats == Counter(CROWD)


# -------------------- stopped, paused, moved, held


async def test_paused_in_the_middle_and_resumed_everybody_hears_it_once(store: Store) -> None:
    office = await ready(Office(store), *CROWD)
    office.now = NINE
    await office.broadcast.plan()
    await chunk(office)
    await chunk(office)
    await office.change(state="paused")
    assert await office.beat(NINE + timedelta(hours=1)) == []
    await office.change(state="on")
    assert len(await office.beat(NINE + timedelta(hours=2))) == 30
    assert office.post.chats == Counter(CROWD)
    assert await office.rows() == {("today", "2027-06-22"): ("told", "")}


async def test_paused_until_the_evening_the_rest_hears_nothing(store: Store) -> None:
    office = await ready(Office(store), *CROWD)
    office.now = NINE
    await office.broadcast.plan()
    await chunk(office)
    await office.change(state="paused")
    assert await office.beat(EVENING) == []
    assert await office.rows() == {("today", "2027-06-22"): ("told", "paused")}


@pytest.mark.parametrize("state", ["skipped", "stopped"])
async def test_skipped_or_stopped_says_nothing_more(store: Store, state: str) -> None:
    office = await ready(Office(store), *CROWD)
    office.now = NINE
    await office.broadcast.plan()
    await chunk(office)
    await office.change(state=state)
    assert await office.beat(NINE + timedelta(hours=1)) == []
    assert await office.beat(EVENING) == []
    assert len(office.post.sent) == 10


async def test_moved_on_the_day_itself_it_comes_on_the_other_day(office: Office) -> None:
    await office.beat(NINE - timedelta(minutes=1))
    await office.change(moved=date(2027, 6, 24))
    office.now = NINE
    assert await office.broadcast.release() == 0, "even before it is planned anew"
    assert await office.beat() == []
    assert await office.beat(NINE + timedelta(days=2)) == [("ana", "Of today.")]
    assert await office.rows() == {("today", "2027-06-24"): ("told", "")}


async def test_moved_in_the_middle_the_rest_hears_it_on_the_other_day(store: Store) -> None:
    office = await ready(Office(store), *CROWD)
    office.now = NINE
    await office.broadcast.plan()
    await chunk(office)
    await office.change(moved=date(2027, 6, 24))
    assert await office.beat(NINE + timedelta(minutes=1)) == []
    assert (await office.rows())["today", "2027-06-22"] == ("told", "moved")
    assert len(await office.beat(NINE + timedelta(days=2))) == len(CROWD)


async def test_moved_away_and_back_it_comes_after_all(office: Office) -> None:
    await office.beat(NINE - timedelta(minutes=1))
    await office.change(moved=date(2027, 6, 24))
    assert await office.beat(NINE) == []
    await office.change(moved=DAY)
    assert await office.beat(NINE + timedelta(minutes=10)) == [("ana", "Of today.")]
    assert await office.beat(NINE + timedelta(days=2)) == []


async def test_a_day_moved_to_today_comes_today(office: Office) -> None:
    await office.change(moved=DAY - timedelta(days=5))
    assert await office.beat(NINE - timedelta(days=5)) == [("ana", "Of today.")]
    assert await office.beat(NINE) == []


async def test_a_held_town_is_silent_and_then_everybody_hears_it_once(store: Store) -> None:
    office = await ready(Office(store), *CROWD)
    office.now = NINE
    await office.broadcast.plan()
    await chunk(office)
    await hold(office)
    assert await office.beat(NINE + timedelta(hours=1)) == []
    await resume(office)
    await office.beat(NINE + timedelta(hours=2))
    assert office.post.chats == Counter(CROWD)


async def test_what_waits_to_be_sent_when_its_town_is_held_is_not(store: Store) -> None:
    office = await ready(Office(store), *CROWD)
    office.post.down = DeliveryError("told to wait", after=30)
    await office.beat(NINE)
    await hold(office)
    office.post.down = None
    assert await office.beat(NINE + timedelta(minutes=2)) == []
    await resume(office)
    await office.beat(NINE + timedelta(minutes=3))
    assert office.post.chats == Counter(CROWD)


async def test_what_waits_for_its_turn_when_its_town_is_held_is_not_sent(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await ready(Office(store, post=Slow()), *CROWD[:10])
    office.now = NINE
    await office.broadcast.plan()
    await office.broadcast.release()
    await asyncio.sleep(0)
    monkeypatch.setattr(delivery, "FRESH", 0.0)  # as if it took long
    await hold(office)
    office.post.gate.set()  # type: ignore[attr-defined]  # it is a slow one
    await office.delivery.idle()
    assert len(office.post.sent) == delivery.SIDE_BY_SIDE, "only what was in the air"
    await resume(office)
    await office.beat()
    assert office.post.chats == Counter(CROWD[:10])


class Slow(Post):
    """A platform that answers when its gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.most = self.now = 0

    async def send(self, *told: Any) -> str | None:
        self.now += 1
        self.most = max(self.most, self.now)
        await self.gate.wait()
        self.now -= 1
        return await super().send(*told)


# -------------------- whom


async def test_a_language_that_lacks_is_held_back_and_counted(store: Store) -> None:
    english = campaign(today={}, thanks={"day": 1})
    spanish = translated(english, today="De hoy.")
    office = Office(store, town(campaigns={"harvest-day": english}, spanish={"harvest-day": spanish}))
    await ready(office)
    await office.subscribe("bea", language="es", monthly=0)
    assert await office.beat(NINE) == [("ana", "Of today."), ("bea", "De hoy.")]
    assert await office.beat(NINE + timedelta(days=1)) == [("ana", "Of thanks.")]
    assert await office.outcome() == {"reached": 3, "language": 1}


async def test_a_town_may_let_another_language_come_instead(store: Store) -> None:
    english = {"harvest-day": campaign()}
    office = await ready(Office(store, town(campaigns=english, spanish=english, any_language=True)))
    await office.subscribe("bea", language="es")
    assert await office.beat(NINE) == [("ana", "Of today."), ("bea", "Of today.")]


async def test_an_edit_in_a_language_that_lacks_lets_it_come(store: Store) -> None:
    english = {"harvest-day": campaign()}
    office = await ready(Office(store, town(campaigns=english, spanish=english)))
    await office.subscribe("bea", language="es")
    edit = Edit("today", "es", "text", "La nuestra.", 1)
    await office.store.run(lambda tx: runs.edit(tx, HARVEST, edit, office.now, office.now))
    await office.approve()
    assert await office.beat(NINE) == [("ana", "Of today."), ("bea", "La nuestra.")]


async def test_schools_hear_of_a_sunday_on_friday(store: Store) -> None:
    sunday = {"harvest-day": campaign({"every": "20 June"})}
    office = await ready(Office(store, town(campaigns=sunday)))
    await office.subscribe("school", school=True)
    assert await office.beat(NINE - timedelta(days=4)) == [("school", "Of today.")]
    assert await office.beat(NINE - timedelta(days=2)) == [("ana", "Of today.")]


async def test_two_prompts_a_week_are_enough_but_for_focus_days(store: Store) -> None:
    names = ["first", "second", "third"]
    days = {name: campaign({"every": f"{21 + number} June"}, focus=False) for number, name in enumerate(names)}
    days["focus"] = campaign({"every": "24 June"})
    office = Office(store, town(campaigns=days))
    await office.begin()
    for name in days:
        await office.approve(Key("", name, 2027))
    await office.subscribe("ana")
    await office.subscribe("bea", monthly=0)
    heard = [await office.beat(NINE + timedelta(days=day)) for day in (-1, 0, 1, 2)]
    assert [[chat for chat, _ in sent] for sent in heard] == [["ana", "bea"], ["ana", "bea"], ["bea"], ["ana", "bea"]]
    assert (await office.outcome())["quota"] == 1


async def test_who_wants_few_hears_of_the_days_only(store: Store) -> None:
    office = await ready(Office(store, town(campaigns={"harvest-day": campaign(soon={"day": -2}, today={})})))
    await office.subscribe("few", monthly=2)
    assert await office.beat(NINE - timedelta(days=2)) == [("ana", "Of soon.")]
    assert await office.beat(NINE) == [("ana", "Of today."), ("few", "Of today.")]


async def test_topics_and_manners_are_each_their_own(store: Store) -> None:
    said = campaign(today={"short": "Today.", "child": "Today, child."})
    office = await ready(Office(store, town(campaigns={"harvest-day": said})))
    await office.subscribe("sport", topics=("sport",))
    await office.subscribe("culture", topics=("sport", "culture"))
    await office.subscribe("short", manner="short")
    await office.subscribe("child", manner="child")
    assert await office.beat(NINE) == [
        ("ana", "Of today."),
        ("child", "Today, child."),
        ("culture", "Of today."),
        ("short", "Today."),
    ]


async def test_subscribers_who_come_and_go_in_the_middle(store: Store) -> None:
    office = await ready(Office(store), *CROWD)
    office.now = NINE
    await office.broadcast.plan()
    await chunk(office)
    for gone in (CROWD[2], CROWD[45]):
        await office.store.run(lambda tx, gone=gone: subscriptions.end(tx, Address("post", gone)))  # type: ignore[misc]
    await office.subscribe("chat-999", "a-before")
    await office.beat()
    assert office.post.chats == Counter({*CROWD, "chat-999"} - {CROWD[45]})


async def test_whoever_leaves_while_it_waits_does_not_get_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    office = await ready(Office(store, post=slow), *CROWD[:10])
    office.now = NINE
    await office.broadcast.plan()
    await office.broadcast.release()
    await asyncio.sleep(0)
    monkeypatch.setattr(delivery, "FRESH", 0.0)
    forget = "DELETE FROM bubbles WHERE address = 'post:chat-009'"
    await store.run(lambda tx: tx.exec_driver_sql(forget).rowcount)
    slow.gate.set()
    await office.delivery.idle()
    assert slow.chats == Counter(CROWD[:9])


async def test_a_page_reads_its_prompt_itself(office: Office) -> None:
    one = Subscription(Address("page", "p"), "", "en", office.now)
    await office.store.run(lambda tx: subscriptions.put(tx, one))
    await office.beat(NINE)
    (bubble,) = await office.store.read(lambda tx: outbox.after(tx, one.where, 0, 9))
    assert bubble.reply.text == "Of today."
    assert await office.outcome() == {"reached": 2}


# -------------------- what goes away


async def test_a_campaign_removed_while_it_is_said_stops(store: Store) -> None:
    office = await ready(Office(store), *CROWD)
    office.now = NINE
    await office.broadcast.plan()
    await chunk(office)
    office.towns = {"": town(campaigns={})}
    assert await office.beat() == []
    assert await office.rows() == {("today", "2027-06-22"): ("told", "gone")}


async def test_a_message_removed_before_its_hour_is_not_said(office: Office) -> None:
    await office.beat(NINE - timedelta(hours=1))
    office.towns = {"": town(campaigns={"harvest-day": campaign(other={"at": "10:00"})})}
    await office.approve()
    office.now = NINE
    assert await office.broadcast.release() == 0
    assert await office.beat(NINE + timedelta(hours=1)) == [("ana", "Of other.")]


async def test_a_city_that_goes_is_silent_and_its_rows_end(store: Store) -> None:
    office = await ready(Office(store, town("a"), town("b")))
    await office.subscribe("in-a", city="a")
    await office.beat(NINE - timedelta(hours=1))
    gone = office.towns.pop("a")
    assert await office.beat(NINE) == []
    assert await office.beat(EVENING) == []
    assert ("today", "2027-06-22") in await office.rows()
    assert await store.read(_open) == []
    office.towns["a"] = gone
    assert await office.beat(EVENING + timedelta(minutes=1)) == []


async def test_a_city_that_is_broken_for_an_hour_says_it_when_it_is_back(store: Store) -> None:
    office = await ready(Office(store, town("a"), town("b")))
    await office.subscribe("in-a", city="a")
    await office.beat(NINE - timedelta(hours=1))
    gone = office.towns.pop("a")
    assert await office.beat(NINE) == []
    office.towns["a"] = gone
    assert await office.beat(NINE + timedelta(hours=1)) == [("in-a", "Of today.")]


async def test_a_text_that_cannot_be_worded_stops_nobody_else(store: Store) -> None:
    broken = campaign(today={"text": "{{ nothing }}"})
    office = await ready(Office(store, town("a", {"harvest-day": broken}), town("b")))
    await office.subscribe("in-a", city="a")
    await office.subscribe("in-b", city="b")
    assert await office.beat(NINE) == [("in-b", "Of today.")]
    assert await office.beat() == []


# -------------------- platforms


@pytest.mark.parametrize("lost", ["blocked", "gone", "barred"])
async def test_whoever_cannot_be_reached_any_more_hears_no_more(office: Office, lost: Any) -> None:
    await office.subscribe("lost")
    office.post.errors["lost"] = DeliveryError("no", lost=lost)
    assert await office.beat(NINE) == [("ana", "Of today.")]
    assert await office.outcome() == {"reached": 1, lost: 1}
    assert await office.store.read(lambda tx: subscriptions.of(tx, Address("post", "lost"))) is None
    assert await office.store.read(lambda tx: subscriptions.count(tx, "")) == 1


async def test_a_mistake_of_ours_ends_no_subscription(office: Office) -> None:
    office.post.errors["ana"] = DeliveryError("bad request", permanent=True)
    await office.beat(NINE)
    assert await office.outcome() == {"other": 1}
    assert await office.store.read(lambda tx: subscriptions.count(tx, "")) == 1


async def test_a_platform_down_all_morning_gets_it_when_it_is_back(store: Store) -> None:
    office = await ready(Office(store), *CROWD[:10])
    office.post.down = DeliveryError("no network")
    for minutes in range(0, 180, 10):
        assert await office.beat(NINE + timedelta(minutes=minutes)) == []
    office.post.down = None
    await office.beat(NINE + timedelta(minutes=190))
    assert office.post.chats == Counter(CROWD[:10])
    assert await office.outcome() == {"reached": 10}


async def test_a_platform_that_is_back_in_the_night_gets_nothing(store: Store) -> None:
    office = await ready(Office(store), *CROWD[:10])
    office.post.down = DeliveryError("no network")
    for minutes in range(0, 660, 20):
        await office.beat(NINE + timedelta(minutes=minutes))
    office.post.down = None
    assert await office.beat(EVENING + timedelta(minutes=15)) == []
    assert await office.outcome() == {"late": 10}


async def test_few_are_in_the_air_at_a_time_and_an_answer_waits_for_none(store: Store) -> None:
    slow = Slow()
    office = await ready(Office(store, post=slow), *CROWD)
    office.now = NINE
    await office.broadcast.plan()
    await office.broadcast.release()
    await asyncio.sleep(0)
    assert slow.most == delivery.SIDE_BY_SIDE
    answer = outbox.Bubble(0, Address("post", CROWD[40]), Reply("An answer."), "en")
    made = await store.run(lambda tx: outbox.add(tx, answer, office.now, state="waiting"))
    office.delivery.made([made])
    await asyncio.sleep(0)
    assert slow.most == delivery.SIDE_BY_SIDE + 1, "the answer is on its way, whose own prompt still waits"
    slow.gate.set()
    await office.delivery.idle()
    assert slow.chats == Counter({**dict.fromkeys(CROWD, 1), CROWD[40]: 2})


async def test_stopping_finishes_what_is_in_the_air_and_gives_the_rest_back(store: Store) -> None:
    slow = Slow()
    office = await ready(Office(store, post=slow), *CROWD)
    office.now = NINE
    await office.broadcast.plan()
    await office.broadcast.release()
    await asyncio.sleep(0)
    await office.broadcast.stop()
    stopping = asyncio.create_task(office.delivery.stop())
    await asyncio.sleep(0)
    slow.gate.set()
    await stopping
    assert len(slow.sent) == delivery.SIDE_BY_SIDE
    following = Office(store, post=office.post)
    await following.beat(NINE)
    assert slow.chats == Counter(CROWD), "the next process need not wait for a lease"


# -------------------- two at a time


@pytest.fixture
async def beside(tmp_path: Path) -> AsyncIterator[list[Office]]:
    """Yield two processes on one file, with the same platform."""
    migrate(tmp_path / "hearsay.db")
    post = Post()
    stores = [Store(tmp_path / "hearsay.db") for _ in range(2)]
    yield [Office(store, post=post) for store in stores]
    for store in stores:
        store.close()


async def test_two_processes_never_double(beside: list[Office]) -> None:
    one, other = beside
    await asyncio.gather(one.begin(), other.begin())
    await one.approve()
    await one.subscribe(*CROWD)
    one.now = other.now = NINE
    await asyncio.gather(one.broadcast.plan(), other.broadcast.plan())
    for _ in range(3):
        await asyncio.gather(*(office.broadcast.release() for office in beside), return_exceptions=False)
        await asyncio.gather(*(office.delivery.pick_up() for office in beside))
    await asyncio.gather(*(office.delivery.idle() for office in beside))
    assert one.post.chats == Counter(CROWD)
    assert await one.outcome() == {"reached": 50}
    assert await one.rows() == {("today", "2027-06-22"): ("told", "")}


async def test_the_second_process_takes_over_from_the_dead_one(beside: list[Office]) -> None:
    one, other = beside
    await ready(one, *CROWD)
    one.now = NINE
    await one.broadcast.plan()
    one.broadcast._sender = Delivery(one.store, {}, one.clock)  # it dies before it sends anything
    for _ in range(2):
        (number,) = [found for (found,) in await one.store.read(_open)]
        await one.broadcast._let_out(number, await one.broadcast._planned())
    assert len(await other.beat(NINE)) == 30
    assert len(await other.beat(NINE + outbox.LEASE)) == 20
    assert one.post.chats == Counter(CROWD)


async def test_after_a_minute_of_a_locked_database_it_goes_on(
    beside: list[Office], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.storage.store.PATIENCE", 0.05)
    office = await ready(beside[0], *CROWD)
    await office.beat(NINE - timedelta(hours=1))
    with closing(sqlite3.connect(tmp_path / "hearsay.db", isolation_level=None)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        for seconds in range(0, 60, 20):
            office.now = NINE + timedelta(seconds=seconds)
            for work in (office.broadcast.plan, office.broadcast.release, office.delivery.pick_up):
                with pytest.raises(StoreError):
                    await work()
        raw.execute("ROLLBACK")
    await office.beat(NINE + timedelta(seconds=62))
    assert office.post.chats == Counter(CROWD)


async def test_a_lock_while_marks_are_to_be_written_doubles_nothing(
    beside: list[Office], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.storage.store.PATIENCE", 0.05)
    monkeypatch.setattr(delivery, "MARK_EVERY", 0.05)
    office = await ready(beside[0], *CROWD)
    office.now = NINE
    await office.broadcast.plan()
    await office.broadcast.release()
    with closing(sqlite3.connect(tmp_path / "hearsay.db", isolation_level=None)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        await office.delivery.idle()
        raw.execute("ROLLBACK")
    for seconds in range(2, 180, 20):
        await office.beat(NINE + timedelta(seconds=seconds))
    assert office.post.chats == Counter(CROWD)
    assert await office.outcome() == {"reached": 50}


# -------------------- clocks


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=1)])
async def test_a_clock_that_jumps_and_comes_back_says_it_once(office: Office, jump: timedelta) -> None:
    await office.beat(NINE - timedelta(minutes=30))
    await office.beat(NINE - timedelta(minutes=30) + jump)
    for minutes in range(-29, 120, 10):
        await office.beat(NINE + timedelta(minutes=minutes))
    assert office.post.chats == Counter(["ana"])
    assert await office.rows() == {("today", "2027-06-22"): ("told", "")}


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=1)])
async def test_a_clock_that_jumps_back_says_nothing_again(office: Office, jump: timedelta) -> None:
    assert len(await office.beat(NINE + timedelta(minutes=30))) == 1
    for hours in range(30):
        assert await office.beat(NINE + timedelta(minutes=31) - jump + timedelta(hours=hours)) == []


async def test_what_rests_when_the_clock_jumps_back_does_not_rest_for_a_day(office: Office) -> None:
    office.post.down = DeliveryError("told to wait", after=30)
    await office.beat(NINE + timedelta(days=0, hours=2))
    office.post.down = None
    back = NINE + timedelta(hours=1)
    await office.beat(back)
    assert len(await office.beat(back + timedelta(seconds=32))) == 1


async def test_a_zone_that_a_coordinator_sets_moves_what_is_planned(office: Office) -> None:
    await office.beat(NINE - timedelta(hours=20))
    await office.store.run(lambda tx: runs.set_(tx, "", "zone", "Atlantic/Azores"))
    office.now = NINE
    assert await office.broadcast.release() == 0, "even before it is planned anew"
    assert await office.beat() == []
    assert await office.beat(NINE + timedelta(hours=1, minutes=59)) == []
    assert await office.beat(NINE + timedelta(hours=2)) == [("ana", "Of today.")]


async def test_a_zone_to_the_east_lets_it_come_earlier(office: Office) -> None:
    await office.beat(NINE - timedelta(hours=20))
    await office.store.run(lambda tx: runs.set_(tx, "", "zone", "Europe/Helsinki"))
    assert await office.beat(NINE - timedelta(hours=1)) == [("ana", "Of today.")]
    await office.store.run(lambda tx: runs.set_(tx, "", "zone", "Europe/Madrid"))
    assert await office.beat(NINE) == []


async def test_new_rules_of_a_zone_move_what_is_planned(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    await office.beat(NINE - timedelta(hours=20))
    really = due.to_utc
    monkeypatch.setattr(due, "to_utc", lambda day, at, zone: really(day, at, zone) + timedelta(hours=1))
    assert await office.beat(NINE) == []
    assert await office.beat(NINE + timedelta(hours=1)) == [("ana", "Of today.")]


async def test_quiet_hours_that_change_move_what_is_planned(office: Office) -> None:
    await office.beat(NINE - timedelta(hours=20))
    await office.store.run(lambda tx: runs.set_(tx, "", "quiet", "19:00-10:30"))
    assert await office.beat(NINE) == []
    assert await office.beat(NINE + timedelta(hours=1, minutes=30)) == [("ana", "Of today.")]
