"""Holds subscriptions to account: who may have one, what goes with it, and what is left when it ends."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.core.message import Address, Message, Reply
from bot.library.city import NO_CITY
from bot.storage import counts, outbox, outcomes, retention, sessions, subscriptions
from bot.storage.outbox import Bubble
from bot.storage.subscriptions import Subscription
from bot.storage.tables import SUBSCRIPTIONS
from tests.play import NOON, Stage, with_cities

HERE = Address("telegram", "here")
GROUP = Address("telegram", "room")
TOPIC = Address("telegram", "room/7")
CHANNEL = Address("telegram", "-1001/channel")


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.platform, stage.language = "telegram", "en"
    return stage


@pytest.fixture
def towns(stage: Stage) -> Stage:
    stage.content = with_cities()
    stage.restart()
    return stage


async def subscription(stage: Stage, where: Address = HERE) -> Subscription | None:
    return await stage.store.read(lambda tx: subscriptions.of(tx, where))


async def subscribed(stage: Stage, where: Address = HERE) -> Subscription:
    found = await subscription(stage, where)
    assert found
    return found


async def say(stage: Stage, where: Address, text: str, **more: object) -> str:
    """Say something anywhere; return what is shown there."""
    stage._heard += 1
    message = Message(where, text, f"key-{stage._heard}", language=stage.language, introduced=True, **more)  # type: ignore[arg-type]
    return "\n".join(line for part in await stage.hear(message) for line in part)


async def test_a_subscription_begins_with_the_language_and_the_town_of_the_conversation(towns: Stage) -> None:
    await towns.say("/city puertaluna")
    await towns.say("/language es")
    await towns.say("/subscribe all")
    assert await subscription(towns) == Subscription(HERE, "puertaluna", "es", NOON)


async def test_what_only_asks_subscribes_nobody(stage: Stage) -> None:
    asking = [
        "",
        "racism",
        "Languages",
        "some",
        "card",
        "month",
        "month 4",
        "manner short",
        "school on",
        "here",
        "topic",
    ]
    for text in [
        *asking,
        "topic nothing",
        "only",
        "only nothing",
        "all the rest please",
        "-1001 all",
        "@news all",
        ".",
    ]:
        await stage.say(f"/subscribe {text}")
        assert await subscription(stage) is None, text


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("month 2", {"monthly": 2}),
        ("month 0", {"monthly": 0}),
        ("month 3", {}),
        ("month", {}),
        ("manner child", {"manner": "child"}),
        ("manner loud", {}),
        ("school on", {"school": True}),
        ("school perhaps", {}),
        ("only languages", {"topics": ("languages",)}),
        ("topic memory", {"topics": ("memory",)}),
        ("topic nothing", {}),
        ("here", {}),
    ],
)
async def test_a_change_changes_one_thing(stage: Stage, said: str, kept: dict[str, object]) -> None:
    await stage.say("/subscribe all")
    await stage.say(f"/subscribe {said} .abc")
    one = await subscribed(stage)
    assert {name: getattr(one, name) for name in kept} == kept
    plain = Subscription(HERE, "", "en", NOON)
    assert {
        name for name in ("topics", "manner", "school", "monthly") if getattr(one, name) != getattr(plain, name)
    } == {*kept}


async def test_the_last_topic_stays_for_none_would_mean_all(stage: Stage) -> None:
    for topic in ("memory", "languages", "memory", "languages"):
        await stage.say(f"/subscribe topic {topic}")
    assert (await subscribed(stage)).topics == ("languages",)


async def test_a_pressed_card_is_changed_in_its_place_and_a_new_one_is_new(stage: Stage) -> None:
    await stage.say("/subscribe")
    (pressed,) = await stage.say("[All topics]")
    assert pressed[0].startswith("~ subscribe-")
    await stage.wait(timedelta(seconds=1))
    (typed,) = await stage.say("/subscribe")
    assert not typed[0].startswith("~")


async def test_language_and_town_go_with_the_conversation(towns: Stage) -> None:
    await towns.say("/subscribe all")
    await towns.say("/language es")
    await towns.say("/city puertaluna")
    one = await subscribed(towns)
    assert (one.language, one.city) == ("es", "puertaluna")
    await towns.say(f"/city {NO_CITY}")
    assert (await subscribed(towns)).city == ""


async def test_a_groups_town_goes_for_its_rooms_unless_they_chose_one(towns: Stage) -> None:
    other = Address("telegram", "room/8")
    for where in (GROUP, TOPIC, other):
        await say(towns, where, "/subscribe all", shared=True, admin=True)
    await say(towns, other, "/city none", shared=True, admin=True)
    await say(towns, GROUP, "/city puertaluna", shared=True, admin=True)
    assert [(await subscribed(towns, where)).city for where in (GROUP, TOPIC, other)] == [
        "puertaluna",
        "puertaluna",
        "",
    ]


async def test_choosing_a_language_or_a_town_subscribes_nobody(towns: Stage) -> None:
    await towns.say("/language es")
    await towns.say("/city puertaluna")
    assert await subscription(towns) is None


async def test_a_link_shows_what_would_come_and_writes_nothing(towns: Stage) -> None:
    assistant = towns.app.assistant
    for link in ("/subscribe", "/subscribe racism", "/city puertaluna", "/days", "/days all 2", "/day refugee-day"):
        assert await assistant.preview(link, "en", "puertaluna"), link
    assert await towns.store.read(lambda tx: tx.execute(select(SUBSCRIPTIONS)).all()) == []
    for text in ("/subscribe all", "/subscribe topic racism", "/subscribe @news", "/unsubscribe"):
        assert assistant.repertoire.payload(text) is None
    assert assistant.repertoire.linked("subscribe_racism") == "/subscribe racism"


async def test_where_only_one_person_sees_the_answer_nothing_can_come_later(stage: Stage) -> None:
    corner = Address("discord", "5", "42")
    shown = await say(stage, corner, "/subscribe all")
    assert "can't write to you here later" in shown
    assert await subscription(stage, corner) is None


async def test_only_those_who_run_a_group_end_its_subscription(stage: Stage) -> None:
    await stage.say("/subscribe all", "admin")
    for text in ("/unsubscribe", "/stop", "/subscribe month 2", "/subscribe topic memory"):
        await stage.say(text, "ana")
    assert await subscription(stage, GROUP) == Subscription(GROUP, "", "en", NOON)
    await stage.say("/stop", "admin")
    assert await subscription(stage, GROUP) is None


async def test_a_channel_is_subscribed_by_whoever_runs_it_and_by_nobody_else(stage: Stage) -> None:
    await say(stage, HERE, "/subscribe @news all")
    assert await subscription(stage, CHANNEL) is None
    shown = await say(stage, HERE, "/subscribe @news all", runs=CHANNEL)
    assert "come in the channel" in shown
    assert await subscription(stage, CHANNEL) == Subscription(CHANNEL, "", "en", NOON)
    assert await subscription(stage) is None
    assert "that you run" in await say(stage, HERE, "/unsubscribe @news")
    await say(stage, HERE, "/unsubscribe -1001", runs=CHANNEL)
    assert await subscription(stage, CHANNEL) is None


async def test_what_names_no_chat_changes_none_but_this_one(stage: Stage) -> None:
    await say(stage, HERE, "/subscribe all", runs=CHANNEL)
    assert await subscription(stage, CHANNEL) is None
    assert await subscription(stage)


async def test_every_button_for_a_channel_fits(stage: Stage) -> None:
    far = Address("telegram", "-1009876543210123/channel")
    await say(stage, HERE, "/subscribe @a_very_long_name_of_some_channel all", runs=far)
    for text in ("some", "month", "manner", "school", "card", "topic young-people"):
        await say(stage, HERE, f"/subscribe -1009876543210123 {text}", runs=far)
    assert max(len(choice.say.encode()) for _, choice, _ in stage.pressable) <= 60  # of 64


@pytest.mark.parametrize("last", ["/unsubscribe", "/stop"])
async def test_who_leaves_after_a_prompt_is_counted_for_it(stage: Stage, last: str) -> None:
    await stage.say("/subscribe all")
    for prompt in (3, 4, None):
        bubble = Bubble(0, HERE, Reply("words"), "en", prompt=prompt)
        await stage.store.run(lambda tx, bubble=bubble: outbox.add(tx, bubble, NOON, state="read"))  # type: ignore[misc]
    await stage.say(last)
    assert await stage.store.read(lambda tx: outcomes.of(tx, [3, 4])) == {4: {"unsubscribed": 1}}
    day = NOON.date()
    found = {(one.what, one.entry): one.n for one in await stage.store.read(lambda tx: counts.sums(tx, "", day, day))}
    assert found["subscribed", "person"] == found["unsubscribed", "person"] == 1


async def test_who_leaves_without_a_prompt_is_counted_for_none(stage: Stage) -> None:
    await stage.say("/subscribe all")
    await stage.say("/unsubscribe")
    assert await stage.store.read(lambda tx: outcomes.of(tx, range(100))) == {}


async def test_forgetting_ends_the_subscriptions_of_a_chat_and_its_rooms(stage: Stage) -> None:
    for where in (GROUP, TOPIC, HERE):
        await say(stage, where, "/subscribe all", shared=where != HERE, admin=True)
    await say(stage, GROUP, "/forget", shared=True, admin=True)
    assert [await subscription(stage, where) is None for where in (GROUP, TOPIC, HERE)] == [True, True, False]


async def test_a_group_that_moves_takes_its_subscriptions_along(stage: Stage) -> None:
    for where in (GROUP, TOPIC):
        await say(stage, where, "/subscribe only memory", shared=True, admin=True)
    await stage.app.assistant.move(GROUP, Address("telegram", "hall"))
    assert [await subscription(stage, where) for where in (GROUP, TOPIC)] == [None, None]
    assert (await subscribed(stage, Address("telegram", "hall/7"))).topics == ("memory",)


async def test_the_export_shows_the_subscription(stage: Stage) -> None:
    await stage.say("/subscribe only memory")
    shown = "\n".join(line for part in await stage.say("/export") for line in part).replace("\\", "")
    kept = shown[shown.index('"subscriptions": [') :].partition("]")[0].partition("[")[2]
    assert json.loads(kept)["topics"] == "memory"


async def test_on_a_page_a_subscription_ends_with_the_conversation_and_elsewhere_it_stays(stage: Stage) -> None:
    page = Address("web", "c0ffee")
    for where in (page, HERE):
        await say(stage, where, "/subscribe all")
    await stage.store.run(lambda tx: retention.sweep(tx, NOON + timedelta(days=30)))
    assert await subscription(stage, page)
    await stage.store.run(lambda tx: retention.sweep(tx, NOON + timedelta(days=31)))
    assert await stage.store.read(lambda tx: sessions.take(tx, HERE).met) is False
    assert await subscription(stage, page) is None
    assert await subscription(stage)
