"""People talk with Hearsay on Telegram; what counts is what they see there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bot.app import Content
from bot.storage.store import StoreError
from tests.platforms.telegram.booth import Booth, Json, booth
from tests.platforms.telegram.server import PNG, Shown
from tests.platforms.telegram.trial import rehearse, rows

ANA = 7
BEA = 8
WORDS = "they get all the flats before us"
PASSED = "That question has passed."
UNSEEN = "I can't hear or see what you sent"
DOOR = "https://t.me/HearsayTestBot?start="


@pytest.fixture
async def hall(content: Content, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Booth]:
    monkeypatch.setattr("bot.delivery.MARK_EVERY", 0)
    async with booth(content) as opened:
        rehearse(opened)
        yield opened


@pytest.fixture
def ana(hall: Booth) -> Json:
    return hall.server.person(ANA)


async def tell(hall: Booth, text: str, who: int = ANA, **more: Any) -> list[Shown]:
    """Let somebody write to Hearsay; return what it answers, without the introduction."""
    person = hall.server.people[who]
    told = await hall.hear(hall.server.text(person, person, text, **more))
    return [message for message in told if "automated assistant" not in message.text]


def answers(hall: Booth) -> list[Json]:
    """Return how presses were answered."""
    return [call.fields for call in hall.server.calls_of("answerCallbackQuery")]


def links(message: Shown) -> list[str]:
    return [entity["url"] for entity in message.raw.get("entities", []) if entity["type"] == "text_link"]


def styled(message: Shown, sort: str) -> list[str]:
    whole = message.text.encode("utf-16-le")
    found = [entity for entity in message.raw.get("entities", []) if entity["type"] == sort]
    return [whole[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le") for e in found]


# Words and cards.


async def test_a_rumour_in_ones_own_words_gets_a_card(hall: Booth, ana: Json) -> None:
    hello, card = await hall.hear(hall.server.text(ana, ana, WORDS))
    assert "automated assistant" in hello.text
    assert links(hello) == [f"{DOOR}help"]
    assert card.text.startswith("Rules for council homes favour need")
    assert styled(card, "bold")[1:] == ["Say:", "Ask:", "A checked fact:"]
    assert ("More facts", "/rumour council-flats facts") in card.buttons


async def test_nothing_that_is_sent_unfolds_a_link_or_replies_in_a_private_chat(hall: Booth, ana: Json) -> None:
    await tell(hall, WORDS)
    for call in hall.server.calls_of("sendMessage"):
        assert call.fields["link_preview_options"] == {"is_disabled": True}
        assert "reply_parameters" not in call.fields


async def test_what_was_forwarded_or_stands_under_a_picture_is_looked_up(hall: Booth, ana: Json) -> None:
    (typed,) = await tell(hall, WORDS)
    (forwarded,) = await tell(hall, WORDS, forwarded=True)
    (under,) = await hall.hear(hall.server.caption(ana, ana, WORDS, forwarded=True))
    assert typed.text == forwarded.text == under.text


SENT: dict[str, Callable[[Booth, Json], Json]] = {
    "a voice message": lambda hall, ana: hall.server.voice(ana, ana),
    "a picture": lambda hall, ana: hall.server.photo(ana, ana),
    "a forwarded picture": lambda hall, ana: hall.server.photo(ana, ana, forwarded=True),
    "a sticker": lambda hall, ana: hall.server.sticker(ana, ana),
    "a place": lambda hall, ana: said(hall, ana, location={"latitude": 1.5, "longitude": 2.5}),
    "a dice": lambda hall, ana: said(hall, ana, dice={"emoji": "🎲", "value": 3}),
    "a contact": lambda hall, ana: said(hall, ana, contact={"phone_number": "1", "first_name": "X"}),
    "a document": lambda hall, ana: said(hall, ana, document={"file_id": "d", "file_unique_id": "d"}),
    "a checklist": lambda hall, ana: said(
        hall, ana, checklist={"title": "To do", "tasks": [{"id": 1, "text": "Rest"}]}
    ),
}


def said(hall: Booth, ana: Json, **content: Any) -> Json:
    """Return an update with something in the place of words."""
    update = hall.server.text(ana, ana, "x", **content)
    del update["message"]["text"]
    return update


@pytest.mark.parametrize("sort", SENT)
async def test_what_cannot_be_read_gets_its_one_kind_line_and_is_never_fetched(
    hall: Booth, ana: Json, sort: str
) -> None:
    _, kind = await hall.hear(SENT[sort](hall, ana))
    assert kind.text.startswith(UNSEEN)
    assert hall.server.calls_of("getFile") == []


async def test_an_album_gets_one_kind_line(hall: Booth, ana: Json) -> None:
    album = [hall.server.photo(ana, ana, media_group_id="1234") for _ in range(5)]
    for update in album[:4]:
        hall.server.send(update)
    await hall.hear(album[4])
    _, kind = hall.server.said(ANA)
    assert kind.text.startswith(UNSEEN)


async def test_service_messages_and_cards_that_were_shared_are_passed_over(hall: Booth, ana: Json) -> None:
    me = {"id": 123456, "is_bot": True, "first_name": "Hearsay"}
    assert await hall.hear(hall.server.text(ana, ana, WORDS, via_bot=me)) == []
    pinned = {"chat": {"id": ANA, "type": "private"}, "message_id": 1, "date": 0}
    assert await hall.hear(said(hall, ana, pinned_message=pinned)) == []


async def test_edited_messages_are_not_asked_for(hall: Booth, ana: Json) -> None:
    await tell(hall, WORDS)
    update = hall.server.text(ana, ana, WORDS)
    update["edited_message"] = {**update.pop("message"), "edit_date": 1_790_000_000}
    hall.server.send(update)
    assert hall.server.unwanted == [update]


async def test_four_thousand_emoji_are_answered(hall: Booth, ana: Json) -> None:
    (none,) = await tell(hall, "😀" * 4096)
    assert none.text.startswith("I don't know that one.")
    (unknown,) = await tell(hall, "/term " + "😀" * 2040)
    assert "😀" * 20 in unknown.text


async def test_what_reads_from_right_to_left_is_repeated_whole(hall: Booth, ana: Json) -> None:
    (unknown,) = await tell(hall, "/term \u202bמילה *זרה*\u202c")
    assert "“מילה *זרה*”" in unknown.text
    assert styled(unknown, "italic") == []


async def test_markup_that_somebody_types_stays_as_typed(hall: Booth, ana: Json) -> None:
    (unknown,) = await tell(hall, "/term <b>x</b> [a](https://evil.example) **y** 😀")
    assert "“<b>x</b> [a](https://evil.example) **y** 😀”" in unknown.text
    assert "entities" not in unknown.raw


async def test_a_long_text_is_sent_in_parts(hall: Booth, ana: Json) -> None:
    words = " ".join(f"word{number}." for number in range(400))
    parts = await tell(hall, f"/echo {words}")
    assert parts[0].text == words[: len(parts[0].text)]
    deep = "😀 " * 2000 + "end."
    first, second = await tell(hall, f"/echo {deep}")
    assert (first.text + second.text).replace(" ", "") == deep.replace(" ", "")


# Buttons.


async def test_a_commands_button_can_be_pressed_for_ever(hall: Booth, ana: Json) -> None:
    (card,) = await tell(hall, WORDS)
    await tell(hall, "/help")
    (facts,) = await hall.hear(hall.server.press(card, "More facts"))
    (again,) = await hall.hear(hall.server.press(card, "More facts"))
    assert facts.text == again.text
    assert facts.text.startswith("Rules for council homes")
    assert len(answers(hall)) == 2
    assert hall.server.unanswered() == []


async def test_a_press_is_answered_before_what_it_leads_to(hall: Booth, ana: Json) -> None:
    (card,) = await tell(hall, WORDS)
    hall.server.calls.clear()
    await hall.hear(hall.server.press(card, "More facts"))
    methods = [call.method for call in hall.server.calls if call.method != "getUpdates"]
    assert methods == ["answerCallbackQuery", "sendMessage"]


async def test_a_message_waits_until_the_press_that_caused_it_is_answered(hall: Booth, ana: Json) -> None:
    (card,) = await tell(hall, WORDS)
    before = len(hall.server.said(ANA))
    hall.server.misbehave("answerCallbackQuery", "slow", seconds=0.1)
    hall.server.send(hall.server.press(card, "More facts"))
    await hall.server.until(lambda: not hall.server.unanswered() and answers(hall))
    assert len(hall.server.said(ANA)) == before
    await hall.server.until(lambda: len(hall.server.said(ANA)) > before)


async def test_a_press_that_leads_to_nothing_is_answered_once(hall: Booth, ana: Json) -> None:
    (card,) = await tell(hall, WORDS)
    press = hall.server.press(card, "More facts")
    press["callback_query"]["data"] = "/nothing"
    assert await hall.hear(press) == []
    assert len(answers(hall)) == 1
    assert hall.server.unanswered() == []


async def test_a_question_is_answered_by_its_button(hall: Booth, ana: Json) -> None:
    (question,) = await tell(hall, "/sure")
    assert [data.partition("|")[2] for _, data in question.buttons] == ["yes", "no"]
    (said,) = await hall.hear(hall.server.press(question, "Yes"))
    assert said.text == "You said yes."


async def test_a_press_on_a_question_that_has_passed_says_so_and_asks_the_open_one(hall: Booth, ana: Json) -> None:
    (old,) = await tell(hall, "/sure")
    await tell(hall, "/sure")
    passed, again = await hall.hear(hall.server.press(old, "Yes"))
    assert (passed.text, again.text) == (PASSED, "Sure?")
    assert [fields.get("text") for fields in answers(hall)] == [None]
    (said,) = await hall.hear(hall.server.press(again, "No"))
    assert said.text == "You said no."


async def test_a_second_press_on_the_same_question_has_passed(hall: Booth, ana: Json) -> None:
    (question,) = await tell(hall, "/sure")
    hall.server.send(hall.server.press(question, "Yes"))
    await hall.hear(hall.server.press(question, "Yes"))
    assert [message.text for message in hall.server.said(ANA)[-2:]] == ["You said yes.", PASSED]
    assert hall.server.unanswered() == []


async def test_an_update_that_comes_again_changes_nothing(hall: Booth, ana: Json) -> None:
    update = hall.server.text(ana, ana, WORDS)
    shown = await hall.hear(update)
    await hall.ears.take(update)
    await hall.app.delivery.idle()
    assert hall.server.said(ANA) == shown


@pytest.mark.parametrize(
    ("forged", "answer"),
    [
        ("999|yes", PASSED),
        ("|", PASSED),
        ("yes", PASSED),
        ("0|/forget", "Everything from this conversation is deleted."),
        ("2|" + "x" * 62, PASSED),
        ("/no such command", "I don't know that command. Did you mean this one?"),
        ("/", "Write what you heard"),
        ("😀" * 16, PASSED),
    ],
)
async def test_a_forged_press_does_no_more_than_words_could(hall: Booth, ana: Json, forged: str, answer: str) -> None:
    (question,) = await tell(hall, "/sure")
    press = hall.server.press(question, "Yes")
    press["callback_query"]["data"] = forged
    shown = await hall.hear(press)
    assert shown[0].text.startswith(answer)
    assert len(answers(hall)) == 1


async def test_a_press_on_a_message_that_is_too_old_to_be_shown_is_answered(hall: Booth, ana: Json) -> None:
    (card,) = await tell(hall, WORDS)
    del hall.server.rooms[ANA].messages[card.id]
    (facts,) = await hall.hear(hall.server.press(card, "More facts"))
    assert facts.text.startswith("Rules for council homes")
    assert hall.server.unanswered() == []


async def test_what_comes_too_late_to_be_acknowledged_is_answered_all_the_same(hall: Booth, ana: Json) -> None:
    (card,) = await tell(hall, WORDS)
    press = hall.server.press(card, "More facts")
    hall.server.age(press)
    (facts,) = await hall.hear(press)
    assert facts.text.startswith("Rules for council homes")


@pytest.mark.parametrize(
    ("data", "start"),
    [("/rumour council-flats facts", "rumour_council-flats_facts"), ("/language es", "help"), ("3|yes", "help")],
)
async def test_a_press_under_a_shared_card_opens_the_private_chat(
    hall: Booth, ana: Json, data: str, start: str
) -> None:
    (card,) = await tell(hall, WORDS)
    presses = [hall.server.press(card, "More facts", by=hall.server.person(BEA)) for _ in range(2)]
    for press in presses:
        del press["callback_query"]["message"]
        press["callback_query"] |= {"data": data, "inline_message_id": "AAAA"}
        await hall.ears.take(press)
    asked = {fields["callback_query_id"]: fields.get("url") for fields in answers(hall)}
    assert asked == {press["callback_query"]["id"]: f"{DOOR}{start}" for press in presses}
    assert [call.fields["chat_id"] for call in hall.server.calls_of("send*")] == []
    assert await rows(hall, BEA) == 0


async def test_a_press_is_answered_once_though_it_comes_again_when_nothing_could_be_kept(
    hall: Booth, ana: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.platforms.telegram.updates.AGAIN", 0.0)
    (card,) = await tell(hall, WORDS)
    fail_once(hall, monkeypatch)
    (facts,) = await hall.hear(hall.server.press(card, "More facts"))
    assert facts.text.startswith("Rules for council homes")
    assert ["can't keep" in fields.get("text", "") for fields in answers(hall)] == [True]


def fail_once(hall: Booth, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the store break the next time something is to be kept."""
    run = hall.store.run

    async def broken(work: Any) -> Any:
        monkeypatch.setattr(hall.store, "run", run)
        raise StoreError("full")

    monkeypatch.setattr(hall.store, "run", broken)


# Free answers.


@pytest.mark.parametrize(
    ("command", "placeholder", "words", "answer"),
    [
        ("/rumour", "What you heard", WORDS, "Rules for council homes"),
        ("/term", "The word", "prejudice", "Prejudice"),
    ],
)
async def test_a_free_answer_can_be_typed_or_sent_as_a_reply(
    hall: Booth, ana: Json, command: str, placeholder: str, words: str, answer: str
) -> None:
    (asked,) = await tell(hall, command)
    assert asked.force_reply == placeholder
    (typed,) = await tell(hall, words)
    (asked,) = await tell(hall, command)
    (replied,) = await tell(hall, words, reply_to=asked)
    assert typed.text == replied.text
    assert typed.text.startswith(answer)


# Cards that live, pictures.


async def test_a_newer_card_takes_the_older_ones_place(hall: Booth, ana: Json) -> None:
    (card,) = await tell(hall, "/live 1")
    assert await tell(hall, "/live 2") == []
    assert hall.server.said(ANA)[-1].text == "Round 2"
    assert hall.server.said(ANA)[-1].id == card.id


async def test_a_card_that_says_the_same_stays(hall: Booth, ana: Json, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "bot")
    await tell(hall, "/live 1")
    before = len(hall.server.said(ANA))
    await tell(hall, "/live 1")
    assert len(hall.server.calls_of("editMessageText")) == 1
    assert "undeliverable" not in caplog.text
    assert await tell(hall, "/live 2") == []
    assert len(hall.server.said(ANA)) == before
    assert hall.server.said(ANA)[-1].text == "Round 2"


async def test_a_card_that_was_deleted_is_sent_anew(hall: Booth, ana: Json) -> None:
    (card,) = await tell(hall, "/live 1")
    del hall.server.rooms[ANA].messages[card.id]
    await tell(hall, "/live 2")
    fresh = hall.server.said(ANA)[-1]
    assert (fresh.text, fresh.id > card.id) == ("Round 2", True)
    assert await tell(hall, "/live 3") == []


async def test_a_card_that_asks_for_words_is_sent_anew(hall: Booth, ana: Json) -> None:
    await tell(hall, "/live 1")
    (prompted,) = await tell(hall, "/prompted 2")
    assert prompted.force_reply == "Your guess"


async def test_a_picture_says_what_it_shows(hall: Booth, ana: Json) -> None:
    (picture,) = await tell(hall, "/picture")
    assert (picture.photo, picture.text) == (PNG, "A map of the town\n\nLook.")
    (words,) = await tell(hall, "/live 2")
    assert words.text == "Round 2"


async def test_a_picture_with_many_words_is_followed_by_them(hall: Booth, ana: Json) -> None:
    words = " ".join(["word"] * 130) + "."
    picture, text = await tell(hall, f"/atlas {words}")
    assert (picture.photo, picture.text, text.text) == (PNG, ("A map. " * 60).strip(), words)


# Beginning, languages, the end.


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        ("", "Hello, I'm Hearsay"),
        ("youth", "Write what you heard at school"),
        ("rumour_council-flats", "Rules for council homes favour need"),
        ("rumour_council-flats_facts", "Rules for council homes favour need"),
        ("rumour", "What did you hear?"),
        ("term_prejudice", "Prejudice"),
        ("help", "Write what you heard"),
        ("forget", "Hello, I'm Hearsay"),
        ("language_es", "Hello, I'm Hearsay"),
        ("no-such-campaign", "Hello, I'm Hearsay"),
        ("rumour_no-such-card", "Hello, I'm Hearsay"),
        ("_", "Hello, I'm Hearsay"),
    ],
)
async def test_a_link_leads_where_it_says(hall: Booth, ana: Json, payload: str, answer: str) -> None:
    shown = await hall.hear(hall.server.text(ana, ana, f"/start {payload}".strip()))
    assert shown[-1].text.startswith(answer)
    assert "automated assistant" in shown[0].text


async def test_a_link_never_forgets(hall: Booth, ana: Json) -> None:
    await tell(hall, WORDS)
    kept = await rows(hall, ANA)
    await tell(hall, "/start forget")
    assert await rows(hall, ANA) > kept


async def test_the_language_is_that_of_the_app_until_another_is_chosen(hall: Booth) -> None:
    hall.server.person(ANA, language_code="es-MX")
    (hello,) = await hall.hear(hall.server.text(hall.server.people[ANA], hall.server.people[ANA], "/start"))
    assert hello.text.startswith("Hola, soy Hearsay")
    (chosen,) = await tell(hall, "/idioma en")
    assert chosen.text == "From now on I answer in English."
    (letters,) = await tell(hall, "/terminos")
    assert "Pick a letter" in letters.text


async def test_a_language_that_is_not_spoken_is_answered_in_the_packs_own(hall: Booth) -> None:
    hall.server.person(ANA, language_code="uk")
    hall.server.person(BEA, language_code=None)
    assert (await tell(hall, "/terms"))[0].text == (await tell(hall, "/terms", BEA))[0].text


async def test_commands_are_called_by_their_names_in_any_language(hall: Booth, ana: Json) -> None:
    assert (await tell(hall, "/rumores"))[0].text == (await tell(hall, "/Rumours@HearsayTestBot"))[0].text


async def test_forgetting_says_so_last_and_leaves_nothing(hall: Booth, ana: Json) -> None:
    await tell(hall, WORDS)
    assert await rows(hall, ANA) > 0
    (last,) = await tell(hall, "/forget")
    assert last.text.startswith("Everything from this conversation is deleted.")
    assert await rows(hall, ANA) == 0


async def test_blocking_the_bot_deletes_everything(hall: Booth, ana: Json) -> None:
    await tell(hall, WORDS)
    await hall.hear(hall.server.my_chat_member(ana, ana, "member", "kicked"))
    assert await rows(hall, ANA) == 0
    await hall.hear(hall.server.my_chat_member(ana, ana, "kicked", "member"))
    hello, _ = await hall.hear(hall.server.text(ana, ana, WORDS))
    assert "automated assistant" in hello.text


async def test_somebody_who_waits_sees_that_hearsay_types(
    hall: Booth, ana: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.platforms.telegram.ears.TYPES_AFTER", 0.01)
    run = hall.store.run

    async def slow(work: Any) -> Any:
        await hall.server.wait_for("sendChatAction")
        return await run(work)

    monkeypatch.setattr(hall.store, "run", slow)
    assert len(await tell(hall, WORDS)) == 1
    assert [call.fields for call in hall.server.calls_of("sendChatAction")] == [{"chat_id": ANA, "action": "typing"}]


async def test_somebody_who_is_answered_at_once_sees_no_typing(hall: Booth, ana: Json) -> None:
    await tell(hall, WORDS)
    assert hall.server.calls_of("sendChatAction") == []


async def test_people_do_not_wait_for_each_other(hall: Booth, ana: Json) -> None:
    bea = hall.server.person(BEA)
    await tell(hall, WORDS)
    await tell(hall, WORDS, BEA)
    hall.server.misbehave("sendMessage", "slow", seconds=0.2)
    hall.server.send(hall.server.text(ana, ana, "/terms"))
    await hall.server.until(lambda: len(hall.server.calls_of("sendMessage")) == 5)
    hall.server.send(hall.server.text(bea, bea, "/terms"))
    await hall.server.until(lambda: "Pick a letter" in hall.server.said(BEA)[-1].text)
    assert "Pick a letter" not in hall.server.said(ANA)[-1].text
    await hall.app.delivery.idle()


async def test_what_is_said_at_once_is_answered_in_order(hall: Booth, ana: Json) -> None:
    for number in range(12):
        hall.server.send(hall.server.text(ana, ana, f"/echo {number}"))
    async with asyncio.timeout(2):
        await hall.server.until(lambda: len(hall.server.said(ANA)) == 13)
    assert [message.text for message in hall.server.said(ANA)[1:]] == [str(number) for number in range(12)]
