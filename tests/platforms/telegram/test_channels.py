"""Prompts in channels, topics and groups: whoever runs them subscribes them, and nobody else."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from bot.app import Content, towns, utc_now
from bot.core.message import Address
from bot.features.campaigns.town import prompt_reply
from bot.storage import outbox, outcomes, subscriptions
from bot.storage.outbox import Bubble
from bot.storage.subscriptions import Subscription
from tests.platforms.telegram.booth import Booth, Json, booth
from tests.platforms.telegram.server import ME, Shown

ANA, BEA = 7, 8
GROUP = -(10**12) - 5
CHANNEL = -(10**12) - 9
TOPIC = 40
THERE = Address("telegram", f"{CHANNEL}/channel")
DOOR = "https://t.me/HearsayTestBot?start="
NOT_YOURS = "I can do that only for a channel that you run and where I may post."


@pytest.fixture
async def hall(content: Content, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Booth]:
    monkeypatch.setattr("bot.delivery.MARK_EVERY", 0)
    async with booth(content) as opened:
        opened.server.open_chat(ANA)
        yield opened


@pytest.fixture
def ana(hall: Booth) -> Json:
    return hall.server.person(ANA)


@pytest.fixture
async def channel(hall: Booth, ana: Json) -> Json:
    """Return a channel that Ana runs, into which she brought us."""
    made = hall.server.group(CHANNEL, "News", type="channel", username="news")
    hall.server.admin(made, ana, "creator")
    await hall.hear(hall.server.my_chat_member(made, ana, "left", "administrator"))
    return made


async def write(hall: Booth, who: Json, text: str) -> Shown:
    """Let somebody write in their private chat; return the last answer."""
    return (await hall.hear(hall.server.text(who, who, text)))[-1]


async def press(hall: Booth, who: Json, label: str) -> Shown:
    """Press a button of the last message in a private chat; return the message that is there then."""
    await hall.hear(hall.server.press(hall.server.said(who["id"])[-1], label))
    return hall.server.said(who["id"])[-1]


async def subscription(hall: Booth, where: Address = THERE) -> Subscription | None:
    return await hall.store.read(lambda tx: subscriptions.of(tx, where))


async def prompt(hall: Booth, content: Content, where: Address) -> None:
    """Let a prompt go out to one address."""
    campaign = towns(content)[""].campaigns["en"]["refugee-day"]
    text = campaign.messages["today"].text
    reply = prompt_reply(towns(content)[""], "refugee-day", "today", "en", text, date(2027, 6, 20))
    bubble = Bubble(0, where, reply, "en", prompt=1)
    made = await hall.store.run(lambda tx: outbox.add(tx, bubble, utc_now(), state="waiting"))
    hall.app.delivery.made([made])
    await hall.app.delivery.idle()


async def test_whoever_brings_us_into_a_channel_subscribes_it_with_three_presses(
    hall: Booth, ana: Json, channel: Json
) -> None:
    offer = await press(hall, ana, "Prompts in the channel")
    assert offer.text.startswith("Prompts on international days, in the channel")
    before = len(hall.server.said(ANA))
    await press(hall, ana, "Some topics")
    state = await press(hall, ana, "Remembrance")
    assert ("✓ Remembrance", "callback") in [(label, "callback") for label, _ in state.buttons]
    assert len(hall.server.said(ANA)) == before
    found = await subscription(hall)
    assert found
    assert (found.topics, found.language) == (("memory",), "en")
    assert hall.server.said(CHANNEL) == []


async def test_a_channel_is_subscribed_and_left_by_its_name(hall: Booth, ana: Json, channel: Json) -> None:
    await write(hall, ana, "/subscribe @news all")
    assert await subscription(hall)
    assert "in that channel any more" in (await write(hall, ana, "/unsubscribe @news")).text
    assert await subscription(hall) is None


async def test_who_does_not_run_the_channel_cannot_subscribe_it(hall: Booth, channel: Json) -> None:
    bea = hall.server.person(BEA, first_name="Bea")
    for status in ("left", "member", "kicked", "restricted"):
        hall.server.admin(channel, bea, status)
        for name in ("@news", str(CHANNEL)):
            assert (await write(hall, bea, f"/subscribe {name} all")).text.startswith(NOT_YOURS)
    assert await subscription(hall) is None


async def test_who_no_longer_runs_the_channel_cannot_change_it_by_an_old_button(
    hall: Booth, ana: Json, channel: Json
) -> None:
    await write(hall, ana, "/subscribe @news")
    hall.server.admin(channel, ana, "member")
    assert (await press(hall, ana, "All topics")).text.startswith(NOT_YOURS)
    assert await subscription(hall) is None


async def test_where_we_may_not_post_nothing_is_subscribed(hall: Booth, ana: Json, channel: Json) -> None:
    hall.server.rooms[CHANNEL].members[ME["id"]]["can_post_messages"] = False
    assert (await write(hall, ana, "/subscribe @news all")).text.startswith(NOT_YOURS)
    hall.server.kick(CHANNEL)
    assert (await write(hall, ana, "/subscribe @news all")).text.startswith(NOT_YOURS)
    assert await subscription(hall) is None


@pytest.mark.parametrize(
    "name", ["@nowhere", "-1001", f"{GROUP}", "@", "-100", "@news/../x", "-1001234567890123456789"]
)
async def test_what_is_no_channel_of_ours_is_not_subscribed(hall: Booth, ana: Json, name: str) -> None:
    hall.server.admin(hall.server.group(GROUP, "Neighbours"), ana)
    assert (await write(hall, ana, f"/subscribe {name} all")).text.startswith(NOT_YOURS)


async def test_telegram_is_asked_only_where_a_channel_is_named(hall: Booth, ana: Json) -> None:
    group = hall.server.group(GROUP, "Neighbours")
    hall.server.admin(group, ana)
    for text in ("/subscribe", "/subscribe all", "/subscribe racism", "/terms", "/help @news"):
        await hall.hear(hall.server.text(ana, ana, text))
    await hall.hear(hall.server.text(group, ana, "/subscribe @news all"))
    assert hall.server.calls_of("getChat") == []


async def test_a_prompt_in_a_channel_has_doors_and_nothing_that_its_readers_cannot_do(
    hall: Booth, content: Content, channel: Json
) -> None:
    await prompt(hall, content, THERE)
    (posted,) = hall.server.said(CHANNEL)
    assert posted.buttons == [
        ("Who gives refuge", f"{DOOR}rumour_sharing-refuge"),
        ("Five minutes: The Last Night Bus", f"{DOOR}quiz_night-bus"),
        ("Questions for the table", f"{DOOR}day_refugee-day"),
    ]


async def test_a_prompt_elsewhere_says_how_it_ends(hall: Booth, content: Content, ana: Json) -> None:
    await write(hall, ana, "/subscribe all")
    await prompt(hall, content, Address("telegram", str(ANA)))
    ended = await press(hall, ana, "Stop these messages")
    assert "No prompts come here any more" in ended.text
    assert await hall.store.read(lambda tx: outcomes.of(tx, [1])) == {1: {"reached": 1, "unsubscribed": 1}}


async def test_a_channel_where_we_lost_our_rights_is_subscribed_no_more(
    hall: Booth, content: Content, ana: Json, channel: Json
) -> None:
    await write(hall, ana, "/subscribe @news all")
    hall.server.mute(CHANNEL)
    await prompt(hall, content, THERE)
    assert await subscription(hall) is None
    assert await hall.store.read(lambda tx: outcomes.of(tx, [1])) == {1: {"barred": 1}}


async def test_a_channel_that_we_are_removed_from_is_subscribed_no_more(hall: Booth, ana: Json, channel: Json) -> None:
    await write(hall, ana, "/subscribe @news all")
    await hall.hear(hall.server.my_chat_member(channel, ana, "administrator", "kicked"))
    assert await subscription(hall) is None


async def test_a_topic_has_its_own_subscription_and_its_prompts_come_there(
    hall: Booth, content: Content, ana: Json
) -> None:
    forum = hall.server.group(GROUP, topics=True)
    hall.server.admin(forum, ana)
    await hall.hear(hall.server.text(forum, ana, "/subscribe all", topic=TOPIC))
    where = Address("telegram", f"{GROUP}/{TOPIC}")
    assert await subscription(hall, where)
    assert await subscription(hall, Address("telegram", str(GROUP))) is None
    await prompt(hall, content, where)
    assert hall.server.said(GROUP)[-1].raw["message_thread_id"] == TOPIC


@pytest.mark.parametrize("runs", [True, False])
async def test_a_link_brings_the_offer_into_a_group_for_those_who_run_it(hall: Booth, ana: Json, *, runs: bool) -> None:
    group = hall.server.group(GROUP, "Neighbours")
    hall.server.admin(group, ana, "administrator" if runs else "member")
    told = await hall.hear(hall.server.text(group, ana, "/start@HearsayTestBot subscribe_racism"))
    shown = "Only: Against racism" in [label for label, _ in told[-1].buttons]
    assert shown is runs
    assert ("only those who run it" in told[-1].text) is not runs


async def test_stop_in_a_group_ends_prompts_for_those_who_run_it_alone(hall: Booth, ana: Json) -> None:
    group, bea = hall.server.group(GROUP, "Neighbours"), hall.server.person(BEA, first_name="Bea")
    hall.server.admin(group, ana)
    await hall.hear(hall.server.text(group, ana, "/subscribe all"))
    await hall.hear(hall.server.text(group, bea, "/stop"))
    assert await subscription(hall, Address("telegram", str(GROUP)))
    await hall.hear(hall.server.text(group, ana, "/stop"))
    assert await subscription(hall, Address("telegram", str(GROUP))) is None
