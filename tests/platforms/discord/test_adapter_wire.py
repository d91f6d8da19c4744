"""Discord over real sockets: late, double, slow and broken, with every request checked against Discord's own file."""

import asyncio
import logging
import threading
from typing import Any

import pytest

from bot.app import Content
from bot.core.message import Address, Choice, Image, Reply
from bot.core.platform import DeliveryError, RefusedError
from bot.platforms.discord import Discord, invitation
from bot.platforms.discord.ask import Ask
from bot.platforms.discord.service import Service
from bot.storage.store import StoreError
from bot.talk.assistant import Turn
from tests.platforms.discord.conftest import Desk, Wire, until, wired
from tests.platforms.discord.server import APPLICATION, TOKEN, DiscordServer, Interaction

CARD = "Taken together, studies find"


def here(wire: Wire) -> Address:
    return Address("discord", wire.channel.id)


class Slow:
    """Holds the database back until told."""

    def __init__(self, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gate = threading.Event()
        run = wire.desk.store.run

        async def held(work: Any) -> Any:
            await asyncio.to_thread(self.gate.wait, 2)
            return await run(work)

        monkeypatch.setattr(wire.desk.store, "run", held)


# -------------------- the conversation


async def test_a_private_answer_is_seen_by_its_asker_alone(wire: Wire) -> None:
    hello, card = await wire.shown(wire.server.slash(wire.ana, wire.channel, "rumour", {"words": "jobs"}), 2)
    assert (hello.ephemeral_for, card.ephemeral_for) == (wire.ana, wire.ana)
    assert CARD in card.content
    assert wire.said() == []


async def test_menus_names_and_answers_are_in_the_language_of_whoever_asks(wire: Wire) -> None:
    direct = wire.server.direct(wire.ana)
    _, themes = await wire.shown(wire.server.slash(wire.ana, direct, "rumours", locale="es-ES"), 2)
    assert themes.content.startswith("Elige un tema")
    found = await wire.server.autocomplete(wire.ana, direct, "term", "words", "prej", locale="es-419").acknowledged()
    assert found.choices[0]["name"] == "prejuicio"


async def test_words_are_written_into_the_form_and_the_answer_is_private(wire: Wire) -> None:
    _, question = await wire.shown(wire.server.slash(wire.ana, wire.channel, "rumour"), 2)
    opened = await wire.server.press(question, "What you heard").acknowledged()
    (card,) = await wire.shown(wire.server.submit(opened, {"answer": "they take our jobs"}))
    assert CARD in card.content
    assert card.ephemeral_for is wire.ana


async def test_a_select_says_what_was_chosen(wire: Wire) -> None:
    _, letters = await wire.shown(wire.server.slash(wire.ana, wire.channel, "terms"), 2)
    (words,) = await wire.shown(wire.server.choose(letters, "B"))
    assert words.buttons[0][0] == "bystander"


async def test_a_message_that_is_checked_is_answered_in_private(wire: Wire) -> None:
    said = wire.server.say(wire.ana, wire.channel, "they take our jobs")
    _, card = await wire.shown(wire.server.context(wire.ana, "Check this rumour", said), 2)
    assert CARD in card.content
    assert card.ephemeral_for is wire.ana


async def test_only_what_is_meant_for_it_is_heard_in_a_server(wire: Wire) -> None:
    wire.server.say(wire.ana, wire.channel, "they take our jobs")
    wire.server.say(wire.ana, wire.channel, "/terms", mention=True)
    said = await wire.until_said(4)
    assert "Pick a letter" in said[-1]
    reply = wire.server.messages(wire.channel)[-1]
    wire.server.say(wire.ana, wire.channel, "/rumours", reply_to=reply)
    assert "Pick a theme" in (await wire.until_said(6))[-1]


async def test_words_in_a_direct_message_are_answered(wire: Wire) -> None:
    direct = wire.server.direct(wire.ana)
    wire.server.say(wire.ana, direct, "they take our jobs")
    await until(lambda: len(wire.server.messages(direct)) == 3)
    assert CARD in wire.server.messages(direct)[-1].content


async def test_a_thread_is_answered_in(wire: Wire) -> None:
    thread = wire.server.thread(wire.ana, wire.channel, "Team Blue")
    *_, themes = await wire.shown(wire.server.slash(wire.ana, thread, "rumours"), 2)
    assert themes.channel is thread


async def test_a_room_is_a_public_thread(wire: Wire) -> None:
    room = await wire.desk.discord.open_room(here(wire), "Team Blue")
    await wire.desk.tell(room, Reply("Welcome."), "1.0")
    assert [message.content for message in wire.server.messages(room.chat)] == ["Welcome."]


async def test_an_image_arrives_with_its_description(wire: Wire) -> None:
    await wire.desk.tell(here(wire), Reply("Look.", image=Image("A torn newspaper", data=b"\x89PNG")), "1.0")
    (message,) = wire.server.messages(wire.channel)
    assert message.attachments[0]["description"] == "A torn newspaper"
    assert list(message.files.values()) == [b"\x89PNG"]


async def test_a_wall_of_marks_arrives_in_several_messages_and_the_buttons_come_last(wire: Wire) -> None:
    await wire.desk.tell(here(wire), Reply("\\*" * 1800, (Choice("On", "/help"),)), "1.0")
    messages = wire.server.messages(wire.channel)
    assert "".join(message.content for message in messages) == "\\*" * 1800
    assert [len(message.buttons) for message in messages] == [0] * (len(messages) - 1) + [1]


async def test_a_card_that_was_not_pressed_is_edited_and_the_press_acknowledged(wire: Wire) -> None:
    ref = await wire.desk.tell(here(wire), Reply("Nobody joined."), "1.0")
    pressed = await quiet_press(wire)
    assert await wire.desk.tell(here(wire), Reply("Ana joined."), "3.0", edit=ref, cause=pressed.id) == ref
    assert wire.said()[0] == "Ana joined."
    assert [response.type for response in pressed.responses] == [6]


async def test_a_press_is_acknowledged_by_the_edit_of_its_own_card(wire: Wire) -> None:
    pressed = await quiet_press(wire)
    assert pressed.source is not None
    ref = f"{wire.channel.id}:{pressed.source.id}"
    assert await wire.desk.tell(here(wire), Reply("Joined."), "3.0", edit=ref, cause=pressed.id) == ref
    assert [response.type for response in pressed.responses] == [7]
    assert wire.said() == ["Joined."]


async def quiet(wire: Wire) -> None:
    """Let the assistant say nothing by itself, as if another process answered."""

    async def nothing(message: object) -> Turn:
        return Turn(repeat=True)

    wire.desk.app.assistant.handle = nothing  # type: ignore[method-assign]


async def quiet_press(wire: Wire) -> Interaction:
    """Let Ana press a button of a card."""
    await quiet(wire)
    await wire.desk.tell(here(wire), Reply("Join?", (Choice("Join", "join"),)), "2.0", turn=1)
    pressed = wire.server.press(wire.server.messages(wire.channel)[-1], "Join", wire.ana)
    await heard(wire, pressed)
    return pressed


async def heard(wire: Wire, did: Interaction) -> Ask:
    """Wait until the adapter has heard of `did`; return what it knows of it."""
    client = wire.desk.discord._client
    assert client is not None
    await until(lambda: did.id in client.voice._asks)
    return client.voice._asks[did.id]


# -------------------- three seconds, once


async def test_a_late_answer_is_promised_with_the_privacy_that_it_will_have(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.platforms.discord.client.PROMISE_AFTER", 0.02)
    slow = Slow(wire, monkeypatch)
    private = await wire.server.slash(wire.ana, wire.channel, "rumour", {"words": "jobs"}).acknowledged()
    public = await wire.server.slash(wire.ana, wire.channel, "rumours").acknowledged()
    assert [private.responses[0].type, private.responses[0].ephemeral] == [5, True]
    assert [public.responses[0].type, public.responses[0].ephemeral] == [5, False]
    slow.gate.set()
    assert CARD in (await wire.shown(private, 2))[-1].content
    assert "Pick a theme" in (await wire.shown(public, 2))[-1].content
    assert not any(message.is_thinking for message in wire.server.messages(wire.channel))


async def test_a_late_refusal_is_seen_by_whoever_asked_alone(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.platforms.discord.client.PROMISE_AFTER", 0.02)
    slow = Slow(wire, monkeypatch)
    did = await wire.server.slash(wire.ana, wire.channel, "forget").acknowledged()
    assert not did.responses[0].ephemeral
    slow.gate.set()
    await until(lambda: any("those who run it" in one.content for one in did.follow_ups))
    assert all(one.ephemeral_for is wire.ana for one in did.follow_ups)


async def test_a_late_press_is_acknowledged_in_silence_and_then_answered(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, themes = await wire.shown(wire.server.slash(wire.ana, wire.channel, "rumours"), 2)
    monkeypatch.setattr("bot.platforms.discord.client.PROMISE_AFTER", 0.02)
    slow = Slow(wire, monkeypatch)
    pressed = await wire.server.press(themes, themes.buttons[0][0]).acknowledged()
    assert [response.type for response in pressed.responses] == [6]
    slow.gate.set()
    (cards,) = await wire.shown(pressed)
    assert len(cards.buttons) > 3


async def test_an_answer_that_comes_too_late_for_its_question_stands_in_the_channel(wire: Wire) -> None:
    wire.server.window = -1.0
    wire.server.slash(wire.ana, wire.channel, "rumours")
    assert "Pick a theme" in (await wire.until_said(2))[-1]


async def test_a_private_answer_that_comes_too_late_is_never_shown_to_everybody(wire: Wire) -> None:
    wire.server.window = -1.0
    wire.server.slash(wire.ana, wire.channel, "rumour", {"words": "jobs"})
    await wire.server.wait_for("POST", "/callback")
    await wire.desk.app.delivery.idle()
    wire.server.window = 3.0
    assert wire.server.messages(wire.channel) == []
    *_, card = await wire.shown(wire.server.slash(wire.ana, wire.channel, "rumour", {"words": "jobs"}))
    assert CARD in card.content


async def test_what_somebody_else_has_acknowledged_is_answered_after_it(wire: Wire) -> None:
    *_, themes = await wire.shown(wire.server.slash(wire.ana, wire.channel, "rumours"), 2)
    wire.server.misbehave("POST", "/callback", "status", status=400, code=40060)
    pressed = wire.server.press(themes, themes.buttons[0][0])
    pressed.answer(type(themes.interaction.responses[0])(6, {}))  # type: ignore[union-attr]
    (cards,) = await wire.shown(pressed)
    assert len(cards.buttons) > 3


async def test_a_double_press_is_answered_twice_and_breaks_nothing(wire: Wire) -> None:
    _, question = await wire.shown(wire.server.slash(wire.ana, wire.channel, "rumours"), 2)
    first, second = (wire.server.press(question, question.buttons[0][0]) for _ in range(2))
    assert len(await wire.shown(first)) == len(await wire.shown(second)) == 1


async def test_the_same_interaction_heard_twice_is_answered_once(wire: Wire) -> None:
    did = wire.server.slash(wire.ana, wire.channel, "rumours")
    wire.server.wire.push("INTERACTION_CREATE", wire.server._event(did))
    await wire.shown(did, 2)
    wire.server.wire.push("INTERACTION_CREATE", wire.server._event(did))
    await wire.shown(wire.server.slash(wire.ana, wire.channel, "terms"))
    assert [said[:5] for said in wire.said()] == ["Hello", "Pick ", "There"]


async def test_a_press_on_something_strange_is_acknowledged_in_silence(wire: Wire) -> None:
    await wire.desk.tell(here(wire), Reply("Old", (Choice("Old", "/help"),)), "1.0")
    (message,) = wire.server.messages(wire.channel)
    message.data["components"][0]["components"][0]["custom_id"] = "written by an older version"
    pressed = await wire.server.press(message, "Old", wire.ana).acknowledged()
    assert [response.type for response in pressed.responses] == [6]


async def test_an_answer_whose_arrival_was_not_heard_of_is_not_sent_again(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.FIRST_PAUSE", 0.01)
    wire.server.misbehave("POST", "/callback", "reset", after=True)
    wire.server.slash(wire.ana, wire.channel, "rumours")
    async with asyncio.timeout(2):
        while len(wire.said()) < 2:
            await asyncio.sleep(0.01)
            await wire.desk.app.delivery.pick_up()
            await wire.desk.app.delivery.idle()
    assert [said[:5] for said in wire.said()] == ["Hello", "Pick "]


async def test_an_answer_that_arrived_unheard_is_neither_promised_nor_sent_again(wire: Wire) -> None:
    await quiet(wire)
    wire.server.misbehave("POST", "/callback", "reset", after=True)
    did = wire.server.slash(wire.ana, wire.channel, "rumours")
    ask = await heard(wire, did)
    with pytest.raises(DeliveryError) as lost:
        await wire.desk.tell(here(wire), Reply("Once."), "1.0", cause=did.id)
    assert not lost.value.unknown
    await ask.promise()
    ref = await wire.desk.tell(here(wire), Reply("Once."), "1.0", cause=did.id)
    assert did.original is not None
    assert ref == f"{wire.channel.id}:{did.original.id}"
    assert wire.said() == ["Once."]


async def test_what_comes_after_a_quarter_of_an_hour_stands_in_the_channel(wire: Wire) -> None:
    did = wire.server.slash(wire.ana, wire.channel, "rumours")
    await wire.shown(did, 2)
    wire.server.advance(16 * 60)
    await wire.desk.tell(here(wire), Reply("At last."), "900.0", cause=did.id)
    assert wire.said()[-1] == "At last."
    with pytest.raises(DeliveryError) as over:
        await wire.desk.tell(here(wire), Reply("Psst.", aside=True), "901.0", cause=did.id)
    assert over.value.permanent
    assert wire.said()[-1] == "At last."


async def test_an_aside_that_a_dead_process_left_behind_is_not_told_to_everybody(wire: Wire) -> None:
    with pytest.raises(DeliveryError) as nobody:
        await wire.desk.tell(here(wire), Reply("Psst.", aside=True), "1.0")
    assert nobody.value.permanent
    assert wire.said() == []


async def test_a_private_card_that_is_gone_is_shown_anew(wire: Wire) -> None:
    corner = Address("discord", wire.channel.id, wire.ana.id)
    _, card = await wire.shown(wire.server.slash(wire.ana, wire.channel, "rumour", {"words": "jobs"}), 2)
    card.channel.messages.remove(card)  # dismissed by its reader
    ref = await wire.desk.tell(corner, Reply("Anew."), "900.0", edit=f"{wire.channel.id}:{card.id}")
    assert ref != f"{wire.channel.id}:{card.id}"
    assert wire.server.messages(wire.channel)[-1].content == "Anew."


async def test_old_buttons_work_after_a_restart_and_nothing_is_published_again(wire: Wire) -> None:
    _, card = await wire.shown(wire.server.slash(wire.ana, wire.channel, "rumour", {"words": "jobs"}), 2)
    _, question = await wire.shown(wire.server.slash(wire.ana, wire.server.direct(wire.ana), "rumour"), 2)
    await wire.restart()
    (feeling,) = await wire.shown(wire.server.press(card, "The feeling behind it"))
    assert feeling.ephemeral_for is wire.ana
    opened = await wire.server.press(question, "What you heard").acknowledged()
    (found,) = await wire.shown(wire.server.submit(opened, {"answer": "they take our jobs"}))
    assert CARD in found.content
    assert len(wire.server.asked("PUT", "/commands")) == 1


# -------------------- corners, guests


async def test_a_corner_is_told_something_as_long_as_its_last_interaction_lives(wire: Wire) -> None:
    corner = Address("discord", wire.channel.id, wire.ana.id)
    await wire.shown(wire.server.slash(wire.ana, wire.channel, "rumour", {"words": "jobs"}), 2)
    ref = await wire.desk.tell(corner, Reply("One more thing."), "900.0")
    assert wire.server.messages(wire.channel)[-1].ephemeral_for is wire.ana
    assert await wire.desk.tell(corner, Reply("One more card."), "901.0", edit=ref) == ref
    assert wire.server.messages(wire.channel)[-1].content == "One more card."
    wire.server.advance(16 * 60)
    with pytest.raises(DeliveryError) as over:
        await wire.desk.tell(corner, Reply("Too late."), "902.0")
    assert over.value.permanent


async def test_a_corner_that_nobody_opened_cannot_be_told_anything(wire: Wire) -> None:
    with pytest.raises(DeliveryError) as nobody:
        await wire.desk.tell(Address("discord", wire.channel.id, wire.ana.id), Reply("Psst."), "1.0")
    assert nobody.value.permanent
    assert wire.server.messages(wire.channel) == []


async def test_an_aside_to_a_press_is_seen_by_whoever_pressed(wire: Wire) -> None:
    await wire.desk.tell(here(wire), Reply("Ready?", (Choice("Yes", "yes"),)), "1.0", turn=99)
    pressed = wire.server.press(wire.server.messages(wire.channel)[0], "Yes", wire.ana)
    hello, passed = await wire.shown(pressed, 2)
    assert (hello.ephemeral_for, passed.ephemeral_for) == (None, wire.ana)
    assert passed.content == "That question has passed."


@pytest.fixture
def as_guest(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody but Ana have invited the assistant."""
    event = wire.server._event

    def brought(did: Interaction) -> dict[str, Any]:
        return event(did) | {"authorizing_integration_owners": {"1": wire.ana.id}}

    monkeypatch.setattr(wire.server, "_event", brought)


@pytest.mark.usefixtures("as_guest")
async def test_where_nobody_invited_it_the_assistant_speaks_to_whoever_brought_it_alone(wire: Wire) -> None:
    _, themes = await wire.shown(wire.server.slash(wire.ana, wire.channel, "rumours"), 2)
    assert themes.ephemeral_for is wire.ana
    (cards,) = await wire.shown(wire.server.press(themes, themes.buttons[0][0]))
    assert cards.ephemeral_for is wire.ana
    assert wire.said() == []


async def test_among_friends_who_have_not_invited_it_everything_is_private(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = wire.server._event
    monkeypatch.setattr(wire.server, "_event", lambda did: event(did) | {"context": 2})
    friends = wire.server.direct(wire.server.person("ben"))
    _, themes = await wire.shown(wire.server.slash(wire.ana, friends, "rumours"), 2)
    assert themes.ephemeral_for is wire.ana


@pytest.mark.usefixtures("as_guest")
async def test_a_guest_stops_at_five_follow_ups_and_says_so(wire: Wire) -> None:
    did = wire.server.slash(wire.ana, wire.channel, "rumours")
    await wire.shown(did, 2)
    corner = Address("discord", wire.channel.id, wire.ana.id)
    for number in range(4):
        await wire.desk.tell(corner, Reply(f"Part {number}"), f"{number}.0")
    with pytest.raises(DeliveryError) as enough:
        await wire.desk.tell(corner, Reply("Part 5"), "5.0")
    assert enough.value.permanent
    assert len(did.follow_ups) == 5
    assert "direct message" in did.follow_ups[-1].content


# -------------------- trouble


async def test_a_full_disk_is_admitted_to_whoever_asked(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(work: Any) -> None:
        raise StoreError("full")

    with monkeypatch.context() as patched:
        patched.setattr(wire.desk.store, "run", full)
        (sorry,) = await wire.shown(wire.server.slash(wire.ana, wire.channel, "rumours"))
        assert sorry.ephemeral_for is wire.ana
        assert sorry.content.startswith("I can't keep anything at the moment")
        wire.server.say(wire.ana, wire.channel, "hello", mention=True)
        assert (await wire.until_said(2))[-1].startswith("I can't keep anything at the moment")


async def test_a_message_whose_arrival_was_not_heard_of_stands_there_once(wire: Wire) -> None:
    wire.server.misbehave("POST", "/messages$", "reset", after=True)
    with pytest.raises(DeliveryError) as lost:
        await wire.desk.tell(here(wire), Reply("Once."), "1.0")
    assert not lost.value.unknown
    ref = await wire.desk.tell(here(wire), Reply("Once."), "1.0")
    (message,) = wire.server.messages(wire.channel)
    assert ref == f"{wire.channel.id}:{message.id}"


@pytest.mark.parametrize("kind", ["reset", "stall"])
async def test_only_of_a_follow_up_is_it_unknown_whether_it_arrived(
    wire: Wire, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    did = wire.server.slash(wire.ana, wire.channel, "rumours")
    await wire.shown(did, 2)
    monkeypatch.setattr("bot.platforms.discord.speak.PATIENCE", 0.1)
    args: dict[str, Any] = {"seconds": 0.15} if kind == "stall" else {}
    wire.server.misbehave("POST", "/webhooks/", kind, after=True, **args)
    with pytest.raises(DeliveryError) as lost:
        await wire.desk.tell(here(wire), Reply("Perhaps."), "900.0", cause=did.id)
    assert lost.value.unknown


async def test_a_rate_limit_is_waited_for(wire: Wire) -> None:
    wire.server.misbehave("POST", "/messages$", "limit", retry_after=0.05)
    await wire.desk.tell(here(wire), Reply("Patience."), "1.0")
    assert wire.said() == ["Patience."]


@pytest.mark.parametrize(
    ("kind", "args", "after", "permanent"),
    [
        ("limit", {"retry_after": 99.0}, 99.0, False),
        ("limit", {"retry_after": 1.0, "via": False}, 60.0, False),
        ("status", {"status": 403, "code": 50007}, None, True),
        ("status", {"status": 404, "code": 10003}, None, True),
        ("status", {"status": 401}, None, False),
    ],
)
async def test_refusals_say_whether_and_when_to_try_again(
    wire: Wire, kind: str, args: dict[str, Any], after: float | None, permanent: bool
) -> None:
    wire.server.misbehave("POST", "/messages$", kind, **args)
    with pytest.raises(DeliveryError) as refused:
        await wire.desk.tell(here(wire), Reply("Hello."), "1.0")
    assert (refused.value.after, refused.value.permanent) == (after, permanent)
    assert wire.channel.id not in refused.value.why


async def test_a_stalled_request_is_given_back(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.platforms.discord.speak.PATIENCE", 0.05)
    wire.server.misbehave("POST", "/messages$", "stall", seconds=0.15)
    with pytest.raises(DeliveryError) as stalled:
        await wire.desk.tell(here(wire), Reply("Hello."), "1.0")
    assert not stalled.value.unknown
    assert not stalled.value.permanent


async def test_answers_overtake_what_is_told_to_many(wire: Wire) -> None:
    wire.server.misbehave("POST", "/messages$", "stall", times=1, seconds=0.05)
    answer = asyncio.create_task(wire.desk.tell(here(wire), Reply("An answer."), "1.0"))
    await asyncio.sleep(0)
    told = [wire.desk.tell(here(wire), Reply("To all.", broadcast=True), f"{n}.0") for n in range(2, 4)]
    await asyncio.gather(answer, *told)
    assert wire.said() == ["An answer.", "To all.", "To all."]


@pytest.mark.usefixtures("quick")
async def test_before_it_is_connected_bubbles_wait(content: Content) -> None:
    desk = await Desk.open(content)
    with pytest.raises(DeliveryError) as early:
        await desk.tell(Address("discord", "1"), Reply("Hello."), "1.0")
    desk.store.close()
    assert early.value.after
    assert not early.value.permanent


async def test_a_mention_is_answered_even_where_replies_are_not_allowed(wire: Wire) -> None:
    wire.server.misbehave("POST", "/messages$", "status", status=400, code=160002)
    wire.server.say(wire.ana, wire.channel, "/terms", mention=True)
    assert "Pick a letter" in (await wire.until_said(3))[-1]


# -------------------- the connection


async def test_no_privileged_intent_is_asked_for(wire: Wire) -> None:
    (asked,) = wire.server.wire.identifies
    assert asked["intents"] == (1 << 0) | (1 << 9) | (1 << 12)


@pytest.mark.parametrize("how", ["close", "reconnect", "resumable", "new"])
async def test_a_broken_connection_is_made_again_and_nothing_is_lost(
    wire: Wire, how: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = wire.server.wire
    match how:
        case "close":
            side.close_lines(4000)
        case "reconnect":
            side.reconnect()
        case _:
            side.invalidate(resumable=how == "resumable")
    if how == "new":
        await wire.server.identified(2, 8)
    else:
        did = wire.server.slash(wire.ana, wire.channel, "rumours")
        await wire.server.until(lambda: bool(side.resumes), 8)
        await wire.shown(did, 2)
    assert any("discord reconnecting" in line for line in caplog.messages)
    await wire.shown(wire.server.slash(wire.ana, wire.channel, "terms"))
    assert "Pick a letter" in (await wire.until_said(3 if how != "new" else 2))[-1]


@pytest.mark.usefixtures("quick")
async def test_a_wrong_token_ends_in_a_plain_sentence(content: Content) -> None:
    async with DiscordServer() as server:
        with server.point():
            desk = await Desk.open(content)
            desk.discord = Discord("wrong")
            with pytest.raises(RefusedError, match="HEARSAY_DISCORD_TOKEN"):
                await desk.discord.run(desk.app.assistant)
            desk.store.close()


async def test_a_token_that_is_withdrawn_ends_in_a_plain_sentence(wire: Wire) -> None:
    assert wire.running is not None
    wire.server.wire.close_lines(4004)
    with pytest.raises(RefusedError):
        await asyncio.wait_for(wire.running, 2)
    wire.running = None


async def test_an_outage_at_the_start_is_waited_out(
    content: Content, quick: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.platforms.discord.FIRST_PAUSE", 0.01)
    async with DiscordServer() as server:
        server.misbehave("GET", "/users/@me", "reset", times=2)
        async with wired(content, server) as wire:
            *_, themes = await wire.shown(wire.server.slash(wire.ana, wire.channel, "rumours"), 2)
            assert "Pick a theme" in themes.content
    assert "discord unreachable" in caplog.text


async def test_two_connections_are_as_good_as_one(content: Content, quick: None) -> None:
    async with DiscordServer(shards=2) as server, wired(content, server) as wire:
        await server.identified(2)
        assert [one["shard"] for one in server.wire.identifies] == [[0, 2], [1, 2]]
        *_, themes = await wire.shown(server.slash(wire.ana, wire.channel, "rumours"), 2)
        assert "Pick a theme" in themes.content


async def test_a_channel_that_is_no_more_is_forgotten(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[str] = []

    async def forget(where: Address) -> None:
        forgotten.append(str(where))

    monkeypatch.setattr(wire.desk.app.assistant, "forget", forget)
    thread = wire.server.thread(wire.ana, wire.channel, "Team Blue")
    gone = {"id": thread.id, "guild_id": wire.guild.id, "parent_id": wire.channel.id, "type": 11}
    wire.server.wire.push("THREAD_DELETE", gone)
    wire.server.leave(wire.guild)
    await until(lambda: len(forgotten) == 2)
    assert forgotten == [f"discord:{thread.id}", f"discord:{wire.channel.id}"]


async def test_who_is_invited_introduces_itself_once(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.platforms.discord import server as world

    guild = world.Guild("New")
    channel = world.Channel("welcome", world.TEXT, guild)
    wire.server._place(channel)
    described = guild.describe(wire.server.bot) | {"system_channel_id": channel.id}
    wire.server.guilds.append(guild)
    for _ in range(2):
        wire.server.wire.push("GUILD_CREATE", described)
        wire.server.wire.push("GUILD_DELETE", {"id": guild.id, "unavailable": True})
    await until(lambda: bool(wire.server.messages(channel)))
    await wire.desk.app.delivery.idle()
    (hello,) = wire.server.messages(channel)
    assert "automated assistant" in hello.content


async def test_nothing_that_is_logged_says_who_or_what_or_the_token(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    wire.server.misbehave("POST", "/callback", "status", status=404, code=10062)
    wire.server.misbehave("POST", "/messages$", "status", status=403, code=50013)
    wire.server.slash(wire.ana, wire.channel, "rumour", {"words": "secret words"})
    wire.server.say(wire.ana, wire.channel, "more secret words", mention=True)
    await wire.server.wait_for("POST", "/messages$")
    await wire.desk.app.delivery.idle()
    wire.server.wire.close_lines(4000)
    await wire.server.until(lambda: bool(wire.server.wire.resumes), 8)
    text = caplog.text
    assert "discord reconnecting" in text
    for hidden in (TOKEN, wire.ana.id, wire.channel.id, wire.guild.id, "secret words", "interaction-"):
        assert hidden not in text


@pytest.mark.usefixtures("quick")
async def test_whoever_starts_it_is_told_how_to_invite_it(content: Content) -> None:
    async with DiscordServer() as server:
        with server.point():
            desk = await Desk.open(content)
            service = Service(TOKEN, server.api, server.gateway)
            assert list(service.listen(desk.app.assistant)) == []
            assert "no answer from Discord yet" in service.greeting
            running = asyncio.create_task(service.run())
            await asyncio.wait_for(service.met.wait(), 2)
            await server.identified()
            assert f"client_id={APPLICATION}&" in service.greeting
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await service.close()
            desk.store.close()


async def test_the_invitation_is_fetched_where_the_token_does_not_hold_it() -> None:
    async with DiscordServer() as server:
        assert f"client_id={APPLICATION}&" in await invitation(TOKEN, server.api)
        with pytest.raises(RefusedError, match="HEARSAY_DISCORD_TOKEN"):
            await invitation("wrong", server.api)
    with pytest.raises(RefusedError, match="does not answer"):
        await invitation(TOKEN, server.api)
