from typing import Any

import pytest

from tests.platforms.discord.spec import ABSENT, Api

CHANNEL = "/channels/41/messages"
CALLBACK = "/interactions/5/abc/callback"
COMMANDS = "/applications/7/commands"
QUIET: dict[str, Any] = {"allowed_mentions": {"parse": []}}
SENT = QUIET | {"nonce": "12", "enforce_nonce": True, "tts": False, "flags": 0}
FOLLOW_UP = "/webhooks/7/abc"


@pytest.fixture(scope="module")
def api() -> Api:
    api = Api.load()
    return api or pytest.skip(ABSENT)


def button(**more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "Yes", "custom_id": "yes", "disabled": False} | more


def row(*items: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(items)}


def select(options: int = 2, **more: Any) -> dict[str, Any]:
    listed = [{"label": f"L{n}", "value": str(n)} for n in range(options)]
    return {"type": 3, "custom_id": "pick", "options": listed} | more


def sent(**more: Any) -> dict[str, Any]:
    return SENT | {"content": "hello"} | more


def command(**more: Any) -> dict[str, Any]:
    return {"name": "rumour", "description": "Look it up", "type": 1, "options": []} | more


def option(**more: Any) -> dict[str, Any]:
    return {"type": 3, "name": "words", "description": "What you heard", "required": True} | more


def modal(**more: Any) -> dict[str, Any]:
    text = {"type": 4, "custom_id": "words", "style": 1, "label": "Words"}
    return {"type": 9, "data": {"custom_id": "m", "title": "T", "components": [row(text)]} | more}


def choices(count: int) -> dict[str, Any]:
    return {"type": 8, "data": {"choices": [{"name": f"n{n}", "value": f"v{n}"} for n in range(count)]}}


LINK = {"type": 2, "style": 5, "label": "Source", "url": "https://example.org/"}
GOOD: dict[str, tuple[str, str, Any]] = {
    "text": ("POST", CHANNEL, sent()),
    "a whole text": ("POST", CHANNEL, sent(content="x" * 2000)),
    "buttons": ("POST", CHANNEL, sent(components=[row(button(), LINK)])),
    "a full message": (
        "POST",
        CHANNEL,
        sent(components=[row(*[button(custom_id=f"{r}{n}") for n in range(5)]) for r in range(5)]),
    ),
    "a select": ("POST", CHANNEL, sent(components=[row(select(25))])),
    "an answer": ("POST", CHANNEL, sent(message_reference={"message_id": 5, "channel_id": 41})),
    "an edit": ("PATCH", CHANNEL + "/9", QUIET | {"content": "new", "tts": False, "components": []}),
    "a deletion": ("DELETE", CHANNEL + "/9", None),
    "a thread": ("POST", "/channels/41/threads", {"name": "n", "auto_archive_duration": 1440, "type": 11}),
    "a thread of a message": ("POST", CHANNEL + "/9/threads", {"name": "n"}),
    "a direct channel": ("POST", "/users/@me/channels", {"recipient_id": 12}),
    "leaving": ("DELETE", "/users/@me/guilds/5", None),
    "typing": ("POST", "/channels/41/typing", None),
    "a callback": ("POST", CALLBACK, {"type": 4, "data": QUIET | {"content": "hi", "flags": 64}}),
    "a deferral": ("POST", CALLBACK, {"type": 5, "data": {"flags": 64}}),
    "a deferral of an edit": ("POST", CALLBACK, {"type": 6}),
    "an edit by callback": ("POST", CALLBACK, {"type": 7, "data": QUIET | {"content": "hi", "tts": False}}),
    "choices": ("POST", CALLBACK, choices(25)),
    "a modal": ("POST", CALLBACK, modal()),
    "a follow-up": ("POST", FOLLOW_UP, QUIET | {"content": "more", "flags": 64, "tts": False}),
    "an edit of the first": ("PATCH", FOLLOW_UP + "/messages/@original", QUIET | {"content": "more"}),
    "an edit of a follow-up": ("PATCH", FOLLOW_UP + "/messages/8", QUIET | {"content": "more"}),
    "commands": ("PUT", COMMANDS, [command(options=[option(autocomplete=True)]), {"name": "Check this", "type": 3}]),
    "a ban": ("PUT", "/guilds/5/bans/6", {}),
}
BAD: dict[str, tuple[str, str, Any, str]] = {
    "long text": ("POST", CHANNEL, sent(content="x" * 2001), "content of more than"),
    "long follow-up": ("POST", FOLLOW_UP, QUIET | {"content": "x" * 2001}, "too long"),
    "no text": ("POST", CHANNEL, sent(content=None), "empty"),
    "no text by callback": ("POST", CALLBACK, {"type": 4, "data": QUIET}, "empty"),
    "mentions": ("POST", CHANNEL, sent(allowed_mentions={"parse": ["users"]}), "allowed_mentions"),
    "default mentions": ("PATCH", CHANNEL + "/9", {"content": "new"}, "allowed_mentions"),
    "mentions by callback": ("POST", CALLBACK, {"type": 4, "data": {"content": "hi"}}, "allowed_mentions"),
    "mentions by follow-up": ("POST", FOLLOW_UP, {"content": "more"}, "allowed_mentions"),
    "mentions of the first": ("PATCH", FOLLOW_UP + "/messages/@original", {"content": "x"}, "allowed_mentions"),
    "no nonce": ("POST", CHANNEL, QUIET | {"content": "hello"}, "nonce"),
    "a loose nonce": ("POST", CHANNEL, sent(enforce_nonce=False), "nonce"),
    "a long nonce": ("POST", CHANNEL, sent(nonce="1" * 26), "nonce"),
    "a bogus field": ("POST", CHANNEL, sent(parse_mode="HTML"), "parse_mode"),
    "a bogus field of a button": ("POST", CHANNEL, sent(components=[row(button(colour=1))]), "colour"),
    "a number as text": ("POST", CHANNEL, sent(content=5), "content"),
    "long custom_id": ("POST", CHANNEL, sent(components=[row(button(custom_id="x" * 101))]), "custom_id"),
    "long label": ("POST", CHANNEL, sent(components=[row(button(label="x" * 81))]), "label"),
    "no label": ("POST", CHANNEL, sent(components=[row(button(label=None))]), "without label"),
    "a link with custom_id": ("POST", CHANNEL, sent(components=[row(LINK | {"custom_id": "x"})]), "url"),
    "twins": ("POST", CHANNEL, sent(components=[row(button(), button())]), "twice"),
    "six rows": ("POST", CHANNEL, sent(components=[row(button(custom_id=str(n))) for n in range(6)]), "rows"),
    "six buttons": ("POST", CHANNEL, sent(components=[row(*[button(custom_id=str(n)) for n in range(6)])]), "too long"),
    "two selects": ("POST", CHANNEL, sent(components=[row(select(), select(custom_id="b"))]), "full"),
    "26 options": ("POST", CHANNEL, sent(components=[row(select(26))]), "options"),
    "a bare button": ("POST", CHANNEL, sent(components=[button()]), "components/0"),
    "an empty row": ("POST", CHANNEL, sent(components=[row()]), "components/0"),
    "big embeds": ("POST", CHANNEL, sent(embeds=[{"description": "x" * 3001}] * 2), "embeds"),
    "a long title": ("POST", CHANNEL, sent(embeds=[{"title": "x" * 257}]), "title"),
    "no path": ("POST", "/channels/41/cards", {}, "no such request"),
    "no snowflake": ("POST", "/channels/here/messages", sent(), "snowflake"),
    "no body": ("POST", CHANNEL, None, "lacks its body"),
    "a body too many": ("DELETE", CHANNEL + "/9", {"reason": "x"}, "no body"),
    "no type": ("POST", CALLBACK, {"data": {}}, "type"),
    "a bogus type": ("POST", CALLBACK, {"type": 99}, "99"),
    "26 choices": ("POST", CALLBACK, choices(26), "choices"),
    "an empty modal": ("POST", CALLBACK, modal(components=[]), "components"),
    "a modal's long title": ("POST", CALLBACK, modal(title="x" * 46), "title"),
    "a long description": ("PUT", COMMANDS, [command(description="x" * 101)], "description"),
    "no description": ("PUT", COMMANDS, [command(description="")], "description"),
    "a capital": ("PUT", COMMANDS, [command(name="Rumour")], "name"),
    "a translated space": ("PUT", COMMANDS, [command(name_localizations={"es-ES": "un rumor"})], "name"),
    "order": ("PUT", COMMANDS, [command(options=[option(required=False), option(name="b")])], "required"),
    "an option's type": ("PUT", COMMANDS, [command(options=[option(type=30)])], "options"),
    "a long thread": ("POST", "/channels/41/threads", {"name": "x" * 101}, "name"),
    "a thread's life": ("POST", CHANNEL + "/9/threads", {"name": "x", "auto_archive_duration": 5}, "auto_archive"),
}
USER = {"id": "1", "username": "a", "avatar": None, "discriminator": "0", "public_flags": 0, "flags": 0}


@pytest.mark.parametrize("case", GOOD)
def test_what_discord_takes_passes(api: Api, case: str) -> None:
    method, path, body = GOOD[case]
    assert api.check_request(method, path, {}, body) == []


@pytest.mark.parametrize("case", BAD)
def test_what_discord_refuses_is_caught(api: Api, case: str) -> None:
    method, path, body, why = BAD[case]
    found = api.check_request(method, path, {}, body)
    assert any(why in what for what in found), found


def test_a_file_alone_is_no_empty_message(api: Api) -> None:
    body = SENT | {"attachments": [{"id": 0, "filename": "card.png"}]}
    assert api.check_request("POST", CHANNEL, {}, body, "multipart/form-data; boundary=x") == []
    assert api.check_request("POST", CHANNEL, {}, body)


def test_a_body_of_another_kind_is_caught(api: Api) -> None:
    assert api.check_request("POST", CHANNEL, {}, sent(), "text/plain")


def test_queries_are_checked_and_booleans_may_be_numbers(api: Api) -> None:
    deferral = {"type": 5}
    assert api.check_request("POST", CALLBACK, {"with_response": "1"}, deferral) == []
    assert api.check_request("PUT", "/guilds/5/bans/6", {"delete_message_seconds": "0"}, {}) == []
    assert api.check_request("POST", CALLBACK, {"with_response": "maybe"}, deferral)
    assert api.check_request("POST", CALLBACK, {"with_answer": "1"}, deferral)


def test_the_path_with_the_fewest_parameters_is_meant(api: Api) -> None:
    operation = api.operation("PATCH", "/webhooks/7/abc/messages/@original")
    assert operation is not None
    assert operation.template.endswith("/@original")


def test_answers_are_checked_for_fields_missing_unknown_and_mistyped(api: Api) -> None:
    channel = {"id": "3", "type": 1, "flags": 0, "recipients": [USER | {"global_name": None, "primary_guild": None}]}
    path = "/users/@me/channels"
    assert api.check_response("POST", path, 200, channel) == []
    assert api.check_response("POST", path, 200, channel | {"id": 3})
    assert api.check_response("POST", path, 200, channel | {"colour": 3})
    assert api.check_response("POST", path, 200, {"id": "3", "type": 1, "flags": 0})
    assert api.check_response("POST", path, 204, None)


def test_errors_are_answered_as_discord_does(api: Api) -> None:
    typing = "/channels/4/typing"
    assert api.check_response("POST", typing, 403, {"code": 50013, "message": "Missing Permissions"}) == []
    assert api.check_response("POST", typing, 403, {"message": "Missing Permissions"})
    limited = {"code": 0, "message": "slow", "retry_after": 0.1, "global": False}
    assert api.check_response("POST", typing, 429, limited) == []
    assert api.check_response("POST", typing, 429, {"code": 0, "message": "slow"})
    assert api.check_response("POST", typing, 204, None) == []
    assert api.check_response("POST", typing, 204, {})


def test_where_ci_runs_the_file_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.platforms.discord.spec._read", lambda: None)
    monkeypatch.delenv("CI", raising=False)
    assert Api.load() is None
    monkeypatch.setenv("CI", "true")
    with pytest.raises(AssertionError, match="not beside"):
        Api.load()
