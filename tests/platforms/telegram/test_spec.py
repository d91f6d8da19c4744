"""Bad requests and updates are caught, good ones are not."""

import copy
import json
from typing import Any

import pytest

from tests.platforms.telegram.spec import BotApi, Upload, must_have_spec, units

KEYBOARD = {
    "inline_keyboard": [[{"text": "More", "callback_data": "x" * 64}, {"text": "Page", "url": "https://a.org"}]]
}
PICTURE = Upload("photo", "a.png", b"\x89PNG")


@pytest.fixture
def api() -> BotApi:
    found = BotApi.load()
    if found is None and must_have_spec():
        pytest.fail("no description of the Bot API beside the checkout")
    if found is None:
        pytest.skip("no description of the Bot API beside the checkout")
    return found


def said(text: str = "hi", **more: Any) -> dict[str, Any]:
    return {"chat_id": "1", "text": text, **{name: json.dumps(value) for name, value in more.items()}}


def buttons(**button: Any) -> dict[str, Any]:
    return said(reply_markup={"inline_keyboard": [[{"text": "A", **button}]]})


def entity(kind: str, offset: int, length: int, text: str, **more: Any) -> dict[str, Any]:
    return said(text, entities=[{"type": kind, "offset": offset, "length": length, **more}])


def commands(name: str, description: str, count: int = 1) -> dict[str, Any]:
    return {"commands": json.dumps([{"command": name, "description": description}] * count)}


BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "unknown method": ("sendMesage", said()),
    "unknown parameter": ("sendMessage", {**said(), "bogus": "1"}),
    "missing text": ("sendMessage", {"chat_id": "1"}),
    "missing chat": ("sendMessage", {"text": "hi"}),
    "long text": ("sendMessage", said("x" * 5000)),
    "empty text": ("sendMessage", said("")),
    "text of many astral characters": ("sendMessage", said("😀" * 2049)),
    "parse mode": ("sendMessage", {**said(), "parse_mode": "HTML"}),
    "text of the wrong type": ("sendMessage", {"chat_id": 1, "text": 5}),
    "message id of the wrong type": ("editMessageText", {**said(), "message_id": "first"}),
    "boolean as a word": ("sendMessage", {**said(), "disable_notification": "yes"}),
    "boolean as a number": ("sendMessage", {**said(), "disable_notification": "1"}),
    "callback data of 65 bytes": ("sendMessage", buttons(callback_data="x" * 65)),
    "callback data of 65 bytes in 33 letters": ("sendMessage", buttons(callback_data="é" * 32 + "x")),
    "empty callback data": ("sendMessage", buttons(callback_data="")),
    "button without a kind": ("sendMessage", buttons()),
    "button of two kinds": ("sendMessage", buttons(callback_data="x", url="https://a.org")),
    "button of an unknown field": ("sendMessage", buttons(callback_data="x", colour="red")),
    "button of an unknown style": ("sendMessage", buttons(callback_data="x", style="purple")),
    "button without text": ("sendMessage", said(reply_markup={"inline_keyboard": [[{"callback_data": "x"}]]})),
    "keyboard of one row only": ("sendMessage", said(reply_markup={"inline_keyboard": [{"text": "A"}]})),
    "markup that is no object": ("sendMessage", {**said(), "reply_markup": "{"}),
    "placeholder too long": (
        "sendMessage",
        said(reply_markup={"force_reply": True, "input_field_placeholder": "x" * 65}),
    ),
    "keyboard where only inline ones go": (
        "editMessageText",
        {**said(reply_markup={"force_reply": True}), "message_id": "1"},
    ),
    "entity outside": ("sendMessage", entity("bold", 0, 3, "hi")),
    "entity before": ("sendMessage", entity("bold", -1, 2, "hi")),
    "entity of no length": ("sendMessage", entity("bold", 0, 0, "hi")),
    "entity that ends within a surrogate pair": ("sendMessage", entity("bold", 0, 1, "😀a")),
    "entity that begins within a surrogate pair": ("sendMessage", entity("bold", 1, 2, "😀a")),
    "entity of an unknown type": ("sendMessage", entity("loud", 0, 2, "hi")),
    "link without an address": ("sendMessage", entity("text_link", 0, 2, "hi")),
    "entity without a length": ("sendMessage", said(entities=[{"type": "bold", "offset": 0}])),
    "entity outside in an inline result": (
        "answerInlineQuery",
        {
            "inline_query_id": "1",
            "results": json.dumps(
                [
                    {
                        "type": "article",
                        "id": "1",
                        "title": "T",
                        "input_message_content": {
                            "message_text": "hi",
                            "entities": [{"type": "bold", "offset": 1, "length": 2}],
                        },
                    }
                ]
            ),
        },
    ),
    "inline result of no known type": (
        "answerInlineQuery",
        {"inline_query_id": "1", "results": '[{"type": "x", "id": "1"}]'},
    ),
    "too many inline results": (
        "answerInlineQuery",
        {"inline_query_id": "1", "results": json.dumps([{"type": "sticker", "id": "1", "sticker_file_id": "a"}] * 51)},
    ),
    "long caption": ("sendPhoto", {"chat_id": "1", "photo": "file", "caption": "x" * 1025}),
    "photo missing": ("sendPhoto", {"chat_id": "1"}),
    "photo that is not attached": ("sendPhoto", {"chat_id": "1", "photo": "attach://a"}),
    "file as text": ("sendMessage", {"chat_id": "1", "text": PICTURE}),
    "callback answer of 201": ("answerCallbackQuery", {"callback_query_id": "1", "text": "x" * 201}),
    "poll question of 301": (
        "sendPoll",
        {"chat_id": "1", "question": "x" * 301, "options": json.dumps([{"text": "a"}, {"text": "b"}])},
    ),
    "poll without options": ("sendPoll", {"chat_id": "1", "question": "x", "options": "[]"}),
    "command description of 300": ("setMyCommands", commands("start", "x" * 300)),
    "command of 33": ("setMyCommands", commands("x" * 33, "x")),
    "command with a capital": ("setMyCommands", commands("Start", "x")),
    "command with a slash": ("setMyCommands", commands("/start", "x")),
    "too many commands": ("setMyCommands", commands("start", "x", 101)),
    "unknown scope": ("setMyCommands", {**commands("a", "x"), "scope": '{"type": "everybody"}'}),
    "scope without its chat": ("setMyCommands", {**commands("a", "x"), "scope": '{"type": "chat"}'}),
    "description too long": ("setMyDescription", {"description": "x" * 513}),
    "short description too long": ("setMyShortDescription", {"short_description": "x" * 121}),
    "secret of 400": ("setWebhook", {"url": "https://a.org", "secret_token": "x" * 400}),
    "secret with a space": ("setWebhook", {"url": "https://a.org", "secret_token": "x x"}),
    "too many connections": ("setWebhook", {"url": "https://a.org", "max_connections": "101"}),
    "limit of 101": ("getUpdates", {"limit": "101"}),
    "allowed updates as a word": ("getUpdates", {"allowed_updates": "message"}),
    "unknown action": ("sendChatAction", {"chat_id": "1", "action": "thinking"}),
    "unknown reaction": (
        "setMessageReaction",
        {"chat_id": "1", "message_id": "1", "reaction": '[{"type": "emoji", "emoji": "🧇"}]'},
    ),
    "reply to nothing": ("sendMessage", said(reply_parameters={"allow_sending_without_reply": True})),
}

GOOD: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("sendMessage", said()),
    "to a name": ("sendMessage", {"chat_id": "@somewhere", "text": "hi"}),
    "as JSON": ("sendMessage", {"chat_id": -5, "text": "hi", "reply_markup": KEYBOARD}),
    "text that looks like JSON": ("sendMessage", said('{"a": [1]}')),
    "text that is a number": ("sendMessage", said("12")),
    "as long as may be": ("sendMessage", said("😀" * 2048)),
    "keyboard": ("sendMessage", said(reply_markup=KEYBOARD, disable_notification=True)),
    "prompt": ("sendMessage", said(reply_markup={"force_reply": True, "input_field_placeholder": "Say it"})),
    "entity up to the end": ("sendMessage", entity("bold", 2, 1, "😀a")),
    "link": ("sendMessage", entity("text_link", 0, 2, "😀", url="https://a.org")),
    "reply": ("sendMessage", said(reply_parameters={"message_id": 1}, message_thread_id=3)),
    "preview off": ("sendMessage", said(link_preview_options={"is_disabled": True})),
    "edit": ("editMessageText", {**said(reply_markup=KEYBOARD), "message_id": "1"}),
    "photo by id": ("sendPhoto", {"chat_id": "1", "photo": "file", "caption": "x" * 1024}),
    "photo as a part": ("sendPhoto", {"chat_id": "1", "photo": PICTURE}),
    "commands": ("setMyCommands", {**commands("start", "Begin"), "scope": '{"type": "chat", "chat_id": 1}'}),
    "commands for everybody": ("setMyCommands", {**commands("a_1", "x" * 256), "scope": '{"type": "default"}'}),
    "webhook": ("setWebhook", {"url": "https://a.org", "secret_token": "aZ_-9", "allowed_updates": '["message"]'}),
    "poll for updates": ("getUpdates", {"offset": "-1", "limit": "100", "timeout": "10", "allowed_updates": "[]"}),
    "action": ("sendChatAction", {"chat_id": "1", "action": "record_video_note"}),
    "reaction": (
        "setMessageReaction",
        {"chat_id": "1", "message_id": "1", "reaction": '[{"type": "emoji", "emoji": "👍"}]'},
    ),
    "callback answer": ("answerCallbackQuery", {"callback_query_id": "1", "text": "x" * 200, "show_alert": "true"}),
    "nothing at all": ("getMe", {}),
}

UPDATE: dict[str, Any] = {
    "update_id": 1,
    "message": {
        "message_id": 1,
        "date": 1790000000,
        "chat": {"id": 1, "type": "private", "first_name": "Ana"},
        "from": {"id": 1, "is_bot": False, "first_name": "Ana"},
        "text": "/start",
        "entities": [{"type": "bot_command", "offset": 0, "length": 6}],
    },
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_is_caught(api: BotApi, case: str) -> None:
    assert api.check_request(*BAD[case])


@pytest.mark.parametrize("case", GOOD)
def test_a_good_request_passes(api: BotApi, case: str) -> None:
    assert api.check_request(*GOOD[case]) == []


@pytest.mark.parametrize("case", GOOD)
def test_a_good_request_passes_without_the_description(case: str) -> None:
    assert BotApi({}).check_request(*GOOD[case]) == []


def test_an_attached_file_has_to_be_named_and_sent(api: BotApi) -> None:
    files = {"a": Upload("a", "a.png", b"\x89PNG")}
    assert api.check_request("sendPhoto", {"chat_id": "1", "photo": "attach://a"}, files) == []
    assert api.check_request("sendPhoto", {"chat_id": "1", "photo": "file"}, files)


def test_a_good_update_passes(api: BotApi) -> None:
    assert api.check_update(UPDATE) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("update_id",), "1"),
        (("callback_query",), {"id": "1"}),
        (("message", "date"), "2026-05-03"),
        (("message", "date"), 1790000000.5),
        (("message", "chat", "type"), "dm"),
        (("message", "chat", "first_name"), None),
        (("message", "from"), {"id": 1, "first_name": "Ana"}),
        (("message", "text"), "/stop"),
        (("message", "words"), "hi"),
        (("message", "entities", 0, "length"), 7),
        (("message", "entities", 0, "type"), "command"),
    ],
)
def test_a_bad_update_is_caught(api: BotApi, place: tuple[Any, ...], value: Any) -> None:
    update: Any = copy.deepcopy(UPDATE)
    inner = update
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    assert api.check_update(update)


def test_an_answer_has_to_be_what_the_method_returns(api: BotApi) -> None:
    message = UPDATE["message"]
    assert api.check_result("sendMessage", message) == []
    assert api.check_result("sendMessage", True)
    assert api.check_result("sendMessage", {**message, "date": None})
    assert api.check_result("getMe", {"id": 1, "first_name": "Bot"})


def test_forms_are_decoded_alike_with_and_without_the_description(api: BotApi) -> None:
    for method, fields in GOOD.values():
        assert BotApi({}).decode(method, fields) == api.decode(method, fields)


def test_lengths_are_counted_in_utf16_units() -> None:
    assert units("a😀é") == 4
