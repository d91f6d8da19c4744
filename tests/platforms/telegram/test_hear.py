"""What updates say: understood from the raw update alone, and never surprised by what anybody sends."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.app import Content, repertoire
from bot.core.message import Address
from bot.platforms.telegram.hear import Asked, Gone, Heard, Joined, Me, Moved, Said, heard
from bot.platforms.telegram.place import Place
from bot.talk.repertoire import Repertoire

ME = Me(123456, "HearsayTestBot")
ANA = {"id": 7, "is_bot": False, "first_name": "Ana", "language_code": "es"}
PRIVATE = {"id": 7, "type": "private"}
GROUP = {"id": -100500, "type": "supergroup", "title": "G"}
STEADY = settings(deadline=None, derandomize=True, max_examples=150, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def known(content: Content) -> Repertoire:
    return repertoire(content)


def message(chat: dict[str, Any], text: str, **more: Any) -> dict[str, Any]:
    return {"update_id": 5, "message": {"message_id": 9, "date": 0, "chat": chat, "from": ANA, "text": text, **more}}


def hear(update: dict[str, Any], known: Repertoire) -> Heard | None:
    return heard(update, ME, known)


def said(update: dict[str, Any], known: Repertoire) -> Said:
    found = hear(update, known)
    assert isinstance(found, Said)
    return found


def test_words_in_a_private_chat_are_heard_with_all_that_is_known(known: Repertoire) -> None:
    found = said(message(PRIVATE, "hello\nthere"), known)
    assert found == Said(Place(7), 7, "hello there", "5.9", "es", number=9)


@pytest.mark.parametrize(
    ("written", "heard_as"),
    [
        ("@HearsayTestBot hello", "hello"),
        ("hello @hearsaytestbot", "hello"),
        ("what is @HearsayTestBot prejudice?", "what is prejudice?"),
        ("@HearsayTestBot", ""),
        ("@HearsayTestBot /rumour jobs", "/rumour jobs"),
        ("@HearsayTestBot @HearsayTestBotter", "@HearsayTestBotter"),
        ("/term@HearsayTestBot x", "/term@HearsayTestBot x"),
        ("/term\nx\u200b y", "/term x y"),
        ("/start@HearsayTestBot", "/help"),
        ("/start@HearsayTestBot rumour_council-flats", "/rumour council-flats"),
    ],
)
def test_our_name_is_no_part_of_what_is_said(known: Repertoire, written: str, heard_as: str) -> None:
    assert said(message(GROUP, written), known).text == heard_as


def test_a_mention_of_us_by_name_needs_no_at_sign(known: Repertoire) -> None:
    mark = {"type": "text_mention", "offset": 0, "length": 2, "user": {"id": ME.id}}
    assert said(message(GROUP, "hi", entities=[mark]), known).text == "hi"
    other = {**mark, "user": {"id": 99}}
    assert hear(message(GROUP, "hi", entities=[other]), known) is None


@pytest.mark.parametrize(
    ("more", "topic"),
    [
        ({}, None),
        ({"message_thread_id": 3, "is_topic_message": True}, 3),
        ({"message_thread_id": 3}, None),
    ],
)
def test_only_a_topics_messages_belong_to_it(known: Repertoire, more: dict[str, Any], topic: int | None) -> None:
    assert said(message(GROUP, "/help", **more), known).place == Place(-100500, topic)


@pytest.mark.parametrize("words", ["", "x", "/"])
def test_invisible_words_are_answered_in_private(known: Repertoire, words: str) -> None:
    found = hear(message(PRIVATE, f"\u2063{words}"), known)
    assert found is not None
    assert said(message(PRIVATE, f"\u2063{words}"), known).text == words


@pytest.mark.parametrize(
    ("before", "after", "chat", "found"),
    [
        ("left", "member", GROUP, Joined(Place(-100500), 7, "5", "es")),
        ("kicked", "administrator", GROUP, Joined(Place(-100500), 7, "5", "es")),
        ("left", "administrator", {"id": -9, "type": "channel"}, Joined(Place(-9, channel=True), 7, "5", "es")),
        ("member", "administrator", GROUP, None),
        ("member", "restricted", GROUP, None),
        ("kicked", "member", PRIVATE, None),
        ("member", "kicked", PRIVATE, Gone(Place(7))),
        ("administrator", "left", GROUP, Gone(Place(-100500))),
    ],
)
def test_coming_and_going(
    known: Repertoire, before: str, after: str, chat: dict[str, Any], found: Heard | None
) -> None:
    change = {"chat": chat, "from": ANA, "old_chat_member": {"status": before}, "new_chat_member": {"status": after}}
    assert hear({"update_id": 5, "my_chat_member": change}, known) == found


def test_moving(known: Repertoire) -> None:
    update = message(GROUP, "", migrate_to_chat_id=-100900)
    assert hear(update, known) == Moved(Place(-100500), Place(-100900))


def test_a_query_from_anywhere(known: Repertoire) -> None:
    query = {"id": "q", "from": ANA, "query": " racism ", "offset": ""}
    assert hear({"update_id": 5, "inline_query": query}, known) == Asked("q", " racism ", "es")


def test_a_press_under_a_shared_card_is_loose(known: Repertoire) -> None:
    query = {"id": "q", "from": ANA, "inline_message_id": "A", "data": "/help", "chat_instance": "1"}
    found = said({"update_id": 5, "callback_query": query}, known)
    assert (found.loose, found.place, found.key) == (True, Place(7), "5")


def test_a_game_pressed_is_no_command(known: Repertoire) -> None:
    query = {"id": "q", "from": ANA, "message": {"chat": PRIVATE, "message_id": 1, "date": 0}, "game_short_name": "x"}
    assert said({"update_id": 5, "callback_query": query}, known).turn == 0


@STEADY
@given(st.text(max_size=64))
def test_a_forged_press_is_heard_as_clean_words(known: Repertoire, data: str) -> None:
    shown = {"chat": GROUP, "message_id": 1, "date": 0}
    query = {"id": "q", "from": ANA, "message": shown, "data": data, "chat_instance": "1"}
    found = said({"update_id": 5, "callback_query": query}, known)
    assert found.text == " ".join(found.text.split())
    assert "\u200b" not in found.text


@STEADY
@given(st.text(alphabet="/@aHearsytBob_ \n😀\u200e", max_size=40))
def test_nobody_is_heard_in_a_group_who_neither_commands_nor_mentions(known: Repertoire, text: str) -> None:
    if hear(message(GROUP, text), known) is not None:
        assert text.strip().startswith("/") or "hearsaytestbot" in text.casefold() or "\u200e" in text


PLACES = st.builds(
    Place, st.integers(-(10**14), -1), st.none() | st.integers(1, 10**6), channel=st.just(False)
) | st.builds(Place, st.integers(-(10**14), 10**14).filter(bool), channel=st.booleans())


@given(PLACES)
def test_an_address_leads_back_to_its_place(place: Place) -> None:
    assert Place.of(Address.parse(str(place.address))) == place


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KINDS = st.sampled_from(("message", "callback_query", "inline_query", "my_chat_member", "poll"))
WHOLE = json.dumps(message(GROUP, "/help", reply_to_message={"from": {"id": 1}}, entities=[{"type": "bold"}]))


@STEADY
@given(KINDS, JSON)
def test_what_is_not_understood_fails_in_ways_that_are_caught(known: Repertoire, kind: str, content: Any) -> None:
    try:
        hear({"update_id": 5, kind: content}, known)
    except (AttributeError, KeyError, TypeError, ValueError):
        return


@STEADY
@given(st.sampled_from(sorted(json.loads(WHOLE)["message"])), JSON)
def test_one_field_that_is_not_as_documented_fails_in_ways_that_are_caught(
    known: Repertoire, name: str, content: Any
) -> None:
    update = json.loads(WHOLE)
    update["message"][name] = content
    try:
        hear(update, known)
    except (AttributeError, KeyError, TypeError, ValueError):
        return
