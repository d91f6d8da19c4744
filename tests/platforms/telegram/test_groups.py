"""Groups, their topics and channels: silent unless addressed, and nobody is shown a rumour there."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bot.app import Content
from bot.core.message import Address, Message
from tests.platforms.telegram.booth import Booth, Json, booth
from tests.platforms.telegram.server import Shown
from tests.platforms.telegram.trial import rehearse, rows

ANA = 7
BEA = 8
GROUP = -(10**12) - 5
SMALL = -500
CHANNEL = -(10**12) - 9
WORDS = "they get all the flats before us"
DOOR = "https://t.me/HearsayTestBot?start="
ME: Json = {"id": 123456, "is_bot": True, "first_name": "Hearsay", "username": "HearsayTestBot"}
BOT: Json = {"id": 99, "is_bot": True, "first_name": "Other", "username": "OtherBot"}
TOPIC = 40


@pytest.fixture
async def hall(content: Content, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Booth]:
    monkeypatch.setattr("bot.delivery.MARK_EVERY", 0)
    async with booth(content) as opened:
        rehearse(opened)
        yield opened


@pytest.fixture
def ana(hall: Booth) -> Json:
    return hall.server.person(ANA)


@pytest.fixture
def group(hall: Booth) -> Json:
    return hall.server.group(GROUP, "Neighbours")


async def tell(hall: Booth, chat: Json, text: str, who: int = ANA, **more: Any) -> list[Shown]:
    """Let somebody write in a group; return what is said there, without the introduction."""
    told = await hall.hear(hall.server.text(chat, hall.server.people[who], text, **more))
    return [message for message in told if "automated assistant" not in message.text]


def answered(message: Shown) -> str:
    return str(message.raw["reply_to_message"].get("text"))


def asked(hall: Booth) -> list[str]:
    """Return what Telegram was asked, beside for updates and who we are."""
    starting = {"getUpdates", "getMe", "getWebhookInfo"}
    return [call.method for call in hall.server.calls if call.method not in starting]


def wordless(update: Json, **content: Any) -> Json:
    del update["message"]["text"]
    update["message"] |= content
    return update


# Silence.

SILENT: dict[str, Callable[[Booth, Json, Json], Json]] = {
    "words": lambda hall, group, ana: hall.server.text(group, ana, WORDS),
    "a command of another bot": lambda hall, group, ana: hall.server.text(group, ana, "/rumour@OtherBot jobs"),
    "a command that is not known": lambda hall, group, ana: hall.server.text(group, ana, "/weather today"),
    "a slash": lambda hall, group, ana: hall.server.text(group, ana, "/"),
    "a mention of somebody else": lambda hall, group, ana: hall.server.text(group, ana, "@HearsayTestBots hello"),
    "a picture": lambda hall, group, ana: hall.server.photo(group, ana),
    "a voice message": lambda hall, group, ana: hall.server.voice(group, ana),
    "somebody who comes": lambda hall, group, ana: wordless(
        hall.server.text(group, ana, "x"), new_chat_members=[hall.server.person(BEA)]
    ),
    "our own arrival": lambda hall, group, ana: wordless(hall.server.text(group, ana, "x"), new_chat_members=[ME]),
    "a new title": lambda hall, group, ana: wordless(hall.server.text(group, ana, "x"), new_chat_title="/help"),
    "another bot": lambda hall, group, ana: hall.server.text(group, BOT, "/help@HearsayTestBot"),
    "a channel's post": lambda hall, group, ana: hall.server.text(
        group,
        {"id": 777000, "is_bot": False, "first_name": "Telegram"},
        "Ask @HearsayTestBot",
        is_automatic_forward=True,
        sender_chat={"id": CHANNEL, "type": "channel", "title": "News"},
    ),
    "a shared card of our own": lambda hall, group, ana: hall.server.text(group, ana, "@HearsayTestBot", via_bot=ME),
    "a reply to somebody else": lambda hall, group, ana: hall.server.text(
        group, ana, WORDS, reply_to=hall.server.shown(hall.server.text(group, ana, "Hm?")["message"])
    ),
    "a topic that we opened": lambda hall, group, ana: opened_topic(hall.server.text(group, ana, WORDS, topic=TOPIC)),
}


def opened_topic(update: Json) -> Json:
    update["message"]["reply_to_message"]["from"] = ME
    return update


@pytest.mark.parametrize("what", SILENT)
async def test_what_is_not_meant_for_hearsay_is_not_heard(hall: Booth, group: Json, ana: Json, what: str) -> None:
    assert await hall.hear(SILENT[what](hall, group, ana)) == []
    assert asked(hall) == []
    assert await rows(hall, GROUP) == 0


async def test_messages_that_are_edited_and_posts_in_channels_are_not_asked_for(
    hall: Booth, group: Json, ana: Json
) -> None:
    await tell(hall, group, "/terms")
    edited, post = (hall.server.text(group, ana, "/help@HearsayTestBot") for _ in range(2))
    edited["edited_message"] = {**edited.pop("message"), "edit_date": 1_790_000_000}
    post["channel_post"] = post.pop("message")
    hall.server.send(edited)
    hall.server.send(post)
    assert hall.server.unwanted == [edited, post]


# Being addressed.


@pytest.mark.parametrize(
    "text", ["/terms", "/Terms@hearsaytestbot", "/terminos", "/terms@HearsayTestBot", "@HearsayTestBot /terms"]
)
async def test_a_command_is_answered_to_whoever_gave_it(hall: Booth, group: Json, ana: Json, text: str) -> None:
    (letters,) = await tell(hall, group, text)
    assert "Pick a letter" in letters.text
    assert answered(letters) == text


async def test_a_command_that_is_not_known_is_answered_if_it_names_us(hall: Booth, group: Json, ana: Json) -> None:
    (unknown,) = await tell(hall, group, "/weather@HearsayTestBot")
    assert unknown.text.startswith("I don't know that command.")


MEANT: dict[str, Callable[[Booth, Json, Json], Json]] = {
    "a mention": lambda hall, group, ana: hall.server.text(group, ana, "@HearsayTestBot thank you"),
    "a mention at the end": lambda hall, group, ana: hall.server.text(group, ana, "Thanks, @hearsaytestbot"),
    "a mention under a picture": lambda hall, group, ana: hall.server.caption(group, ana, "thanks @HEARSAYTESTBOT"),
    "a mention by name": lambda hall, group, ana: hall.server.text(
        group, ana, "thanks", entities=[{"type": "text_mention", "offset": 0, "length": 6, "user": ME}]
    ),
    "a reply": lambda hall, group, ana: hall.server.text(group, ana, "thanks", reply_to=hall.server.said(GROUP)[-1]),
    "a reply in a thread": lambda hall, group, ana: hall.server.text(
        group, ana, "thanks", reply_to=hall.server.said(GROUP)[-1], message_thread_id=3
    ),
}


@pytest.mark.parametrize("how", MEANT)
async def test_words_that_are_meant_for_hearsay_are_answered(hall: Booth, group: Json, ana: Json, how: str) -> None:
    await tell(hall, group, "/terms")
    (thanks,) = await hall.hear(MEANT[how](hall, group, ana))
    assert thanks.text == "You're welcome."
    call = hall.server.calls_of("sendMessage")[-1].fields
    assert call["chat_id"] == GROUP
    assert call["reply_parameters"]["allow_sending_without_reply"] is True
    assert "message_thread_id" not in call


async def test_a_picture_sent_as_a_reply_gets_its_kind_line(hall: Booth, group: Json, ana: Json) -> None:
    (letters,) = await tell(hall, group, "/terms")
    (kind,) = await hall.hear(hall.server.photo(group, ana, reply_to=letters))
    assert kind.text.startswith("I can't hear or see")


async def test_a_deleted_question_is_answered_all_the_same(hall: Booth, group: Json, ana: Json) -> None:
    update = hall.server.text(group, ana, "/terms")
    hall.server.enter(update)
    del hall.server.rooms[GROUP].messages[update["message"]["message_id"]]
    told = await hall.hear(update)
    assert "Pick a letter" in told[-1].text


async def test_what_is_said_in_a_topic_stays_there(hall: Booth, ana: Json) -> None:
    forum = hall.server.group(GROUP, topics=True)
    (letters,) = await tell(hall, forum, "/terms", topic=TOPIC)
    assert letters.raw["message_thread_id"] == TOPIC
    press = hall.server.press(letters, "D", by=ana)
    (words,) = await hall.hear(press)
    assert words.raw["message_thread_id"] == TOPIC
    (general,) = await tell(hall, forum, "/terms")
    assert "message_thread_id" not in general.raw


async def test_topics_are_conversations_of_their_own(hall: Booth, ana: Json) -> None:
    forum = hall.server.group(GROUP, topics=True)
    (one,) = await tell(hall, forum, "/sure@HearsayTestBot", topic=TOPIC)
    await tell(hall, forum, "/sure@HearsayTestBot", topic=TOPIC + 1)
    (said,) = await hall.hear(hall.server.press(one, "Yes", by=ana))
    assert (said.text, said.raw["message_thread_id"]) == ("You said yes.", TOPIC)


async def test_a_start_in_a_group_helps(hall: Booth, group: Json, ana: Json) -> None:
    (help_,) = await tell(hall, group, "/start@HearsayTestBot")
    assert help_.text.startswith("Write what you heard")


# Private commands.


async def test_a_private_command_is_answered_in_private_and_marked_in_the_group(
    hall: Booth, group: Json, ana: Json
) -> None:
    hall.server.open_chat(ANA)
    update = hall.server.text(group, ana, f"/rumour {WORDS}")
    assert await hall.hear(update) == []
    _, card = hall.server.said(ANA)
    assert card.text.startswith("Rules for council homes")
    assert "reply_to_message" not in card.raw
    (reaction,) = hall.server.calls_of("setMessageReaction")
    assert reaction.fields["reaction"] == [{"type": "emoji", "emoji": "👀"}]
    assert (reaction.fields["chat_id"], reaction.fields["message_id"]) == (GROUP, update["message"]["message_id"])
    assert await rows(hall, GROUP) == 0


async def test_a_group_that_allows_no_reactions_changes_nothing(hall: Booth, group: Json, ana: Json) -> None:
    hall.server.open_chat(ANA)
    hall.server.misbehave("setMessageReaction", 400, description="Bad Request: REACTION_INVALID")
    assert await tell(hall, group, "/tip") == []
    assert len(hall.server.said(ANA)) == 2


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("/rumour they get all the flats", "rumour"),
        ("/rumour@HearsayTestBot council-flats facts", "rumour_council-flats_facts"),
        ("/rumour@HearsayTestBot\nthey get all the flats", "rumour"),
        ("@HearsayTestBot /rumour they get all the flats", "rumour"),
        ("/rumor", "rumour"),
        ("/tip family home", "tip_family_home"),
        ("/term prejudice", "term_prejudice"),
        ("/Support", "support"),
        ("/start@HearsayTestBot rumour_council-flats", "rumour_council-flats"),
    ],
)
async def test_where_no_private_chat_is_open_a_button_opens_it(
    hall: Booth, group: Json, ana: Json, text: str, start: str
) -> None:
    (door,) = await tell(hall, group, text)
    assert (door.text, door.buttons) == (
        "I answer that in private. Press the button, then write it there once more.",
        [("Open our private chat", DOOR + start)],
    )
    assert answered(door) == text
    assert "flats" not in door.text
    assert hall.server.said(ANA) == []


async def test_a_reply_with_a_hidden_mark_before_its_command_is_answered_in_private(
    hall: Booth, group: Json, ana: Json
) -> None:
    (letters,) = await tell(hall, group, "/terms")
    (door,) = await tell(hall, group, "\u200e/rumour they get all the flats", reply_to=letters)
    assert door.buttons == [("Open our private chat", f"{DOOR}rumour")]


async def test_an_album_under_a_private_command_is_answered_once(hall: Booth, group: Json, ana: Json) -> None:
    hall.server.open_chat(ANA)
    hall.server.send(hall.server.caption(group, ana, f"/rumour {WORDS}", media_group_id="55"))
    await hall.hear(hall.server.caption(group, ana, f"/rumour {WORDS}", media_group_id="55"))
    assert len(hall.server.said(ANA)) == 2
    assert hall.server.said(GROUP) == []


async def test_somebody_who_blocked_the_bot_is_shown_the_door(hall: Booth, group: Json, ana: Json) -> None:
    hall.server.block(ANA)
    (door,) = await tell(hall, group, "/tip")
    assert door.buttons == [("Open our private chat", f"{DOOR}tip")]


async def test_private_commands_under_a_card_in_a_group_are_doors(hall: Booth, group: Json, ana: Json) -> None:
    (card,) = await tell(hall, group, f"@HearsayTestBot {WORDS}")
    assert WORDS not in card.text
    doors = {label: meaning for label, meaning in card.buttons if meaning.startswith("https")}
    assert doors["More facts"] == f"{DOOR}rumour_council-flats_facts"
    assert [label for label, meaning in card.buttons if not meaning.startswith("https")] == [
        "Was this useful?",
        "That's not it",
    ]
    (near,) = await hall.hear(hall.server.press(card, "That's not it", by=ana))
    assert near.text.startswith("Sorry about that.")


async def test_a_press_on_a_private_command_opens_its_link(hall: Booth, group: Json, ana: Json) -> None:
    (letters,) = await tell(hall, group, "/terms")
    hall.server.open_chat(ANA)
    press = hall.server.press(letters, "D", by=ana)
    press["callback_query"]["data"] = "/rumour council-flats facts"
    assert await hall.hear(press) == []
    (answer,) = hall.server.calls_of("answerCallbackQuery")
    assert answer.fields["url"] == f"{DOOR}rumour_council-flats_facts"
    assert hall.server.said(ANA) == []


async def test_a_stale_press_in_a_group_is_answered_to_its_person_alone(hall: Booth, group: Json, ana: Json) -> None:
    (old,) = await tell(hall, group, "/sure@HearsayTestBot")
    await tell(hall, group, "/sure@HearsayTestBot")
    (again,) = await hall.hear(hall.server.press(old, "Yes", by=ana))
    (answer,) = hall.server.calls_of("answerCallbackQuery")
    assert (answer.fields["text"], again.text) == ("That question has passed.", "Sure?")
    assert hall.server.unanswered() == []


async def test_two_people_who_press_at_once_are_both_acknowledged(hall: Booth, group: Json, ana: Json) -> None:
    (question,) = await tell(hall, group, "/sure@HearsayTestBot")
    hall.server.send(hall.server.press(question, "Yes", by=ana))
    (said,) = await hall.hear(hall.server.press(question, "No", by=hall.server.person(BEA)))
    assert said.text == "You said yes."
    texts = [call.fields.get("text") for call in hall.server.calls_of("answerCallbackQuery")]
    assert sorted(texts, key=str) == [None, "That question has passed."]


# Those who run a group.


@pytest.mark.parametrize(
    ("status", "may"), [("member", False), ("restricted", False), ("creator", True), ("administrator", True)]
)
async def test_only_those_who_run_a_group_may_set_it(
    hall: Booth, group: Json, ana: Json, status: str, may: bool
) -> None:
    hall.server.admin(group, ana, status)
    for text in ("/language es", "/idioma es"):
        (said,) = await tell(hall, group, text)
        assert said.text.startswith("A partir de ahora" if may else "In a shared chat, only those")
    assert len(hall.server.calls_of("getChatMember")) == 1


async def test_a_press_by_somebody_who_does_not_run_the_group_is_declined_to_them_alone(
    hall: Booth, group: Json, ana: Json
) -> None:
    hall.server.admin(group, ana)
    (choose,) = await tell(hall, group, "/language")
    assert await hall.hear(hall.server.press(choose, "Español", by=hall.server.person(BEA))) == []
    (answer,) = hall.server.calls_of("answerCallbackQuery")
    assert answer.fields["text"] == "In a shared chat, only those who run it can do that."
    (chosen,) = await hall.hear(hall.server.press(choose, "Español", by=ana))
    assert chosen.text == "A partir de ahora respondo en español."


async def test_a_rank_is_asked_for_again_after_a_minute(
    hall: Booth, group: Json, ana: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.platforms.telegram.ears.KNOWN_FOR", -1.0)
    await tell(hall, group, "/language es")
    hall.server.admin(group, ana)
    (chosen,) = await tell(hall, group, "/language es")
    assert chosen.text == "A partir de ahora respondo en español."


async def test_an_anonymous_administrator_runs_the_group(hall: Booth, group: Json, ana: Json) -> None:
    told = await hall.hear(hall.server.text(group, hall.server.anonymous(group), "/language es"))
    assert told[-1].text == "A partir de ahora respondo en español."
    assert hall.server.calls_of("getChatMember") == []
    told = await hall.hear(hall.server.text(group, hall.server.anonymous(group), "/apoyo"))
    assert [address for _, address in told[-1].buttons] == [f"{DOOR}support"]


async def test_somebody_whose_rank_cannot_be_learnt_does_not_run_the_group(hall: Booth, group: Json, ana: Json) -> None:
    hall.server.misbehave("getChatMember", 400)
    (said,) = await tell(hall, group, "/language es")
    assert said.text.startswith("In a shared chat, only those")


async def test_a_quiet_group_is_answered_by_command_only(hall: Booth, group: Json, ana: Json) -> None:
    hall.server.admin(group, ana)
    (quiet,) = await tell(hall, group, "/quiet on")
    assert await tell(hall, group, "thanks", reply_to=quiet) == []
    assert await tell(hall, group, "@HearsayTestBot thanks") == []
    assert len(await tell(hall, group, "/terms")) == 1


async def test_a_group_has_one_language_for_all(hall: Booth, group: Json) -> None:
    hall.server.person(ANA, language_code="es")
    (letters,) = await tell(hall, group, "/terms")
    assert "Pick a letter" in letters.text


async def test_bye_is_said_before_leaving_and_nothing_is_kept(hall: Booth, group: Json, ana: Json) -> None:
    hall.server.admin(group, ana)
    hall.server.calls.clear()
    (last,) = await tell(hall, group, "/bye")
    assert last.text.startswith("Goodbye.")
    assert asked(hall) == ["getChatMember", "sendMessage", "leaveChat"]
    assert await rows(hall, GROUP) == 0
    await hall.hear(hall.server.my_chat_member(group, ME, "member", "left"))
    assert await rows(hall, GROUP) == 0


async def test_forgetting_a_forum_forgets_its_topics(hall: Booth, ana: Json) -> None:
    forum = hall.server.group(GROUP, topics=True)
    await tell(hall, forum, "/terms", topic=TOPIC)
    await hall.hear(hall.server.my_chat_member(forum, ana, "member", "kicked"))
    assert await rows(hall, GROUP) == 0


# Coming, going, moving.


async def test_a_group_is_greeted_once(hall: Booth, group: Json, ana: Json) -> None:
    (hello,) = await hall.hear(hall.server.my_chat_member(group, ana, "left", "member"))
    assert "automated assistant" in hello.text
    assert "reply_to_message" not in hello.raw
    assert await hall.hear(hall.server.my_chat_member(group, ana, "member", "administrator")) == []
    assert len(await hall.hear(hall.server.text(group, ana, "/terms"))) == 1


async def test_a_channel_is_explained_in_private_to_whoever_brought_us(hall: Booth, ana: Json) -> None:
    channel = hall.server.group(CHANNEL, "News", type="channel")
    hall.server.open_chat(ANA)
    await hall.hear(hall.server.my_chat_member(channel, ana, "left", "administrator"))
    assert hall.server.said(CHANNEL) == []
    assert hall.server.said(ANA)[-1].text.startswith("I'm in your channel now.")


async def test_a_channel_brought_by_somebody_who_never_wrote_to_us_is_let_be(hall: Booth, ana: Json) -> None:
    channel = hall.server.group(CHANNEL, "News", type="channel")
    await hall.hear(hall.server.my_chat_member(channel, ana, "left", "administrator"))
    assert hall.server.said(CHANNEL) == hall.server.said(ANA) == []


async def test_buttons_in_a_channel_are_doors_and_forged_presses_post_nothing(hall: Booth, ana: Json) -> None:
    hall.server.group(CHANNEL, "News", type="channel")
    where = Address("telegram", f"{CHANNEL}/channel")
    await hall.app.assistant.handle(Message(where, "/rumours", "1", shared=True, introduced=True))
    await hall.app.delivery.idle()
    posted = hall.server.said(CHANNEL)
    assert {address for message in posted for _, address in message.buttons} >= {f"{DOOR}rumours_work"}
    press = hall.server.press(posted[-1], posted[-1].buttons[0][0], by=ana)
    press["callback_query"]["data"] = "/terms"
    assert await hall.hear(press) == []
    assert hall.server.calls_of("answerCallbackQuery")[0].fields["url"] == f"{DOOR}terms"


@pytest.mark.parametrize("status", ["left", "kicked"])
async def test_being_removed_deletes_everything(hall: Booth, group: Json, ana: Json, status: str) -> None:
    await tell(hall, group, "/terms")
    assert await rows(hall, GROUP) > 0
    await hall.hear(hall.server.my_chat_member(group, ana, "member", status))
    assert await rows(hall, GROUP) == 0


async def test_a_muted_hearsay_stays_silent_and_keeps_running(hall: Booth, group: Json, ana: Json) -> None:
    await hall.hear(hall.server.my_chat_member(group, ana, "member", "restricted"))
    assert await tell(hall, group, "/terms") == []
    hall.server.open_chat(ANA)
    assert len(await hall.hear(hall.server.text(ana, ana, "/terms"))) == 2


async def test_a_group_that_becomes_a_supergroup_goes_on_there(hall: Booth, ana: Json) -> None:
    small = hall.server.group(SMALL, "Neighbours")
    hall.server.admin(small, ana)
    await tell(hall, small, "/language es")
    for seen_from_new in (False, True):
        hall.server.send(hall.server.migrated(SMALL, GROUP, seen_from_new=seen_from_new))
    (letters,) = await tell(hall, hall.server.rooms[GROUP].chat, "/terms")
    assert letters.text.startswith("Hay ")
    assert await rows(hall, SMALL) == 0


async def test_an_answer_that_finds_its_group_moved_follows_it(hall: Booth, ana: Json) -> None:
    small = hall.server.group(SMALL, "Neighbours")
    hall.server.admin(small, ana)
    await tell(hall, small, "/language es")
    hall.server.migrate(SMALL, GROUP)
    hall.server.send(hall.server.text(small, ana, "/terms"))
    await hall.hear(hall.server.text(small, ana, "/gracias@HearsayTestBot"))
    letters, unknown = hall.server.said(GROUP)
    assert letters.text.startswith("Hay ")
    assert unknown.text.startswith("No conozco")
    hall.server.send(hall.server.migrated(SMALL, GROUP))
    (again,) = await tell(hall, hall.server.rooms[GROUP].chat, "/terms")
    assert again.text == letters.text
    assert await rows(hall, SMALL) == 0


async def test_an_address_that_leads_to_a_topic_is_read_back(hall: Booth) -> None:
    assert not hall.telegram.limits(Address("telegram", f"{CHANNEL}/channel")).forms
    assert hall.telegram.limits(Address("telegram", f"{GROUP}/{TOPIC}")).forms
