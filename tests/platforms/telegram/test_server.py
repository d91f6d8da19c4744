"""The server is what python-telegram-bot and aiogram expect of Telegram."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import telegram
from aiogram import Bot as AiogramBot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiohttp import ClientSession, web
from telegram import ForceReply, InlineKeyboardButton, InlineKeyboardMarkup, error

from tests.platforms.telegram.server import PNG, TOKEN, BotServer, Pace

GROUP = -(10**12) - 5


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BotServer]:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # without it, reading how long to wait warns
    async with BotServer() as found:
        yield found


@pytest.fixture
async def bot(server: BotServer) -> AsyncIterator[telegram.Bot]:
    async with telegram.Bot(TOKEN, base_url=server.url + "/bot", base_file_url=server.url + "/file/bot") as found:
        yield found


@pytest.fixture
def ana(server: BotServer) -> dict[str, Any]:
    person = server.person(7)
    server.open_chat(7)
    return person


def keyboard(*labels: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=f"do {label}")] for label in labels])


async def test_the_bot_learns_who_it_is(bot: telegram.Bot) -> None:
    me = await bot.get_me()
    assert (me.username, me.is_bot, me.can_read_all_group_messages) == ("HearsayTestBot", True, False)


async def test_a_wrong_token_is_refused(server: BotServer) -> None:
    bot = telegram.Bot("1:WRONG", base_url=server.url + "/bot")
    with pytest.raises(error.InvalidToken):
        await bot.initialize()
    await bot.shutdown()


async def test_a_long_poll_ends_when_an_update_comes(server: BotServer, bot: telegram.Bot, ana: dict[str, Any]) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=5))
    await server.wait_for("getUpdates")
    server.send(server.text(ana, ana, "/start now"))
    (update,) = await asyncio.wait_for(poll, 1)
    assert update.message
    assert (update.message.text, update.message.entities[0].length) == ("/start now", 6)


async def test_updates_come_again_until_the_offset_confirms_them(
    server: BotServer, bot: telegram.Bot, ana: dict[str, Any]
) -> None:
    for text in "abc":
        server.send(server.text(ana, ana, text))
    first = await bot.get_updates(limit=2)
    assert [update.message and update.message.text for update in first] == ["a", "b"]
    assert await bot.get_updates(limit=2) == first
    (last,) = await bot.get_updates(offset=first[-1].update_id + 1)
    assert last.message
    assert last.message.text == "c"


async def test_only_updates_that_were_asked_for_come(server: BotServer, bot: telegram.Bot, ana: dict[str, Any]) -> None:
    await bot.get_updates(allowed_updates=["callback_query"])
    server.send(server.text(ana, ana, "hi"))
    assert await bot.get_updates() == ()
    assert len(server.unwanted) == 1


async def test_the_older_of_two_polls_is_told_of_the_conflict(server: BotServer, bot: telegram.Bot) -> None:
    older = asyncio.create_task(bot.get_updates(timeout=5))
    await server.wait_for("getUpdates")
    server.rival()
    with pytest.raises(error.Conflict, match=r"(?i)terminated by other getUpdates"):
        await asyncio.wait_for(older, 1)


async def test_nobody_polls_while_a_webhook_is_set(bot: telegram.Bot) -> None:
    await bot.set_webhook("https://example.org/hook")
    with pytest.raises(error.Conflict, match=r"(?i)webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    assert await bot.get_updates() == ()


async def test_a_webhook_needs_https_and_one_of_four_ports(bot: telegram.Bot) -> None:
    for url in ("http://example.org", "https://example.org:9000"):
        with pytest.raises(error.BadRequest, match=r"(?i)bad webhook"):
            await bot.set_webhook(url)


@asynccontextmanager
async def listening(statuses: list[int]) -> AsyncIterator[tuple[str, list[str | None]]]:
    """Answer posts with `statuses`, then 200; yield the address and the secrets that come."""
    secrets: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        return web.Response(status=statuses.pop(0) if statuses else 200)

    app = web.Application()
    app.router.add_post("/hook", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", secrets
    await runner.cleanup()


async def test_a_webhook_gets_its_secret_and_whatever_it_did_not_accept_again(
    server: BotServer, bot: telegram.Bot, ana: dict[str, Any]
) -> None:
    server.any_webhook_url = True
    async with listening([500, 403]) as (url, secrets):
        await bot.set_webhook(url, secret_token="quiet")
        assert await server.deliver(server.text(ana, ana, "hi"), pause=0) == 3
        assert secrets == ["quiet"] * 3
    info = await bot.get_webhook_info()
    assert (info.url, info.last_error_message) == (url, "Wrong response from the webhook: 403")
    assert len(server.messages(7)) == 1


async def test_a_message_is_shown_with_its_buttons(server: BotServer, bot: telegram.Bot, ana: dict[str, Any]) -> None:
    bold = telegram.MessageEntity("bold", 0, 2)
    sent = await bot.send_message(7, "😀 hi", entities=[bold], reply_markup=keyboard("More"))
    (shown,) = server.said(7)
    assert (sent.text, sent.entities, sent.reply_markup) == ("😀 hi", (bold,), keyboard("More"))
    assert (shown.text, shown.buttons, shown.force_reply) == ("😀 hi", [("More", "do More")], None)


async def test_a_prompt_is_shown(server: BotServer, bot: telegram.Bot, ana: dict[str, Any]) -> None:
    await bot.send_message(7, "Which?", reply_markup=ForceReply(input_field_placeholder="Say it"))
    assert server.said(7)[0].force_reply == "Say it"


async def test_an_edit_changes_what_is_shown_and_needs_a_difference(
    server: BotServer, bot: telegram.Bot, ana: dict[str, Any]
) -> None:
    sent = await bot.send_message(7, "one", reply_markup=keyboard("More"))
    edited = await bot.edit_message_text("two", 7, sent.message_id)
    assert isinstance(edited, telegram.Message)
    assert [(it.text, it.buttons) for it in server.said(7)] == [("two", [])]
    with pytest.raises(error.BadRequest, match=r"(?i)message is not modified"):
        await bot.edit_message_text("two", 7, sent.message_id)
    with pytest.raises(error.BadRequest, match=r"(?i)message to edit not found"):
        await bot.edit_message_text("two", 7, 99)
    with pytest.raises(error.BadRequest, match=r"(?i)not modified"):
        await bot.edit_message_reply_markup(7, sent.message_id)


async def test_a_pressed_button_is_answered_once_only(
    server: BotServer, bot: telegram.Bot, ana: dict[str, Any]
) -> None:
    await bot.send_message(7, "hi", reply_markup=keyboard("More"))
    server.send(server.press(server.said(7)[0], "More"))
    query = (await bot.get_updates())[0].callback_query
    assert query
    assert (query.data, query.from_user.id) == ("do More", 7)
    assert server.unanswered() == [query.id]
    await query.answer()
    with pytest.raises(error.BadRequest, match=r"(?i)query is too old"):
        await query.answer()
    assert server.violations == [f"{query.id}: answered twice"]
    server.violations.clear()


async def test_who_never_wrote_or_blocked_the_bot_is_not_written_to(
    server: BotServer, bot: telegram.Bot, ana: dict[str, Any]
) -> None:
    server.person(8)
    with pytest.raises(error.Forbidden, match=r"(?i)can't initiate conversation"):
        await bot.send_message(8, "hi")
    server.send(server.my_chat_member(ana, ana, "member", "kicked"))
    with pytest.raises(error.Forbidden, match=r"(?i)bot was blocked by the user"):
        await bot.send_chat_action(7, "typing")
    with pytest.raises(error.BadRequest, match=r"(?i)chat not found"):
        await bot.send_message(9, "hi")


async def test_a_group_may_mute_and_throw_out(server: BotServer, bot: telegram.Bot) -> None:
    server.group(GROUP)
    await bot.send_message(GROUP, "hi")
    server.mute(GROUP)
    with pytest.raises(error.BadRequest, match=r"(?i)not enough rights to send text messages to the chat"):
        await bot.send_message(GROUP, "hi")
    server.kick(GROUP)
    with pytest.raises(error.Forbidden, match=r"(?i)bot was kicked from the supergroup chat"):
        await bot.send_message(GROUP, "hi")


async def test_a_group_that_moved_says_where_to(server: BotServer, bot: telegram.Bot) -> None:
    server.group(-5)
    server.send(server.migrated(-5, GROUP))
    with pytest.raises(error.ChatMigrated) as caught:
        await bot.send_message(-5, "hi")
    assert caught.value.new_chat_id == GROUP
    await bot.send_message(GROUP, "hi")


async def test_members_and_administrators_are_known(server: BotServer, bot: telegram.Bot, ana: dict[str, Any]) -> None:
    group, ben = server.group(GROUP), server.person(8)
    server.send(server.text(group, ben, "hi"))
    server.admin(group, ana)
    assert [it.user.id for it in await bot.get_chat_administrators(GROUP)] == [7]
    assert (await bot.get_chat_member(GROUP, 8)).status == "member"
    assert (await bot.get_chat(GROUP)).title == "Group"
    assert await bot.leave_chat(GROUP)
    with pytest.raises(error.Forbidden, match=r"(?i)not a member"):
        await bot.send_message(GROUP, "hi")


async def test_every_deed_is_an_update_that_telegram_could_send(
    server: BotServer, bot: telegram.Bot, ana: dict[str, Any]
) -> None:
    group, forum = server.group(GROUP), server.group(GROUP - 1, topics=True)
    await bot.send_message(GROUP, "hi", reply_markup=keyboard("More"))
    said = server.said(GROUP)[0]
    deeds = [
        server.text(group, ana, "/find@HearsayTestBot 😀 @HearsayTestBot", reply_to=said),
        server.text(forum, ana, "hi", topic=4),
        server.text(ana, ana, "they say", forwarded=True),
        server.text(group, server.anonymous(group), "hi"),
        server.caption(ana, ana, "look @somebody"),
        server.photo(ana, ana),
        server.voice(ana, ana),
        server.sticker(ana, ana),
        server.press(said, "More", by=ana),
        server.inline(ana, "jobs"),
        server.my_chat_member(group, ana, "left", "administrator"),
        server.my_chat_member(group, ana, "administrator", "restricted"),
        server.my_chat_member(group, ana, "restricted", "member"),
    ]
    for deed in deeds:
        server.send(deed)
    updates = await bot.get_updates()
    assert len(updates) == len(deeds)
    first = updates[0].message
    assert first
    assert [first.parse_entity(it) for it in first.entities] == ["/find@HearsayTestBot", "@HearsayTestBot"]
    assert first.reply_to_message
    await bot.send_message(GROUP - 1, "in the topic", message_thread_id=4)
    with pytest.raises(error.BadRequest, match=r"(?i)thread not found"):
        await bot.send_message(GROUP, "no topic", message_thread_id=4)


async def test_an_update_that_telegram_would_not_send_is_not_sent(server: BotServer, ana: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="not an update"):
        server.send(server.text(ana, ana, "hi", date="today"))


async def test_a_photo_is_uploaded_and_can_be_fetched(
    server: BotServer, bot: telegram.Bot, ana: dict[str, Any]
) -> None:
    sent = await bot.send_photo(7, PNG + b"more", caption="look")
    again = await bot.send_photo(7, sent.photo[-1].file_id)
    assert [it.photo for it in server.said(7)] == [PNG + b"more"] * 2
    file = await again.photo[-1].get_file()
    assert bytes(await file.download_as_bytearray()) == PNG + b"more"
    with pytest.raises(error.BadRequest, match=r"(?i)IMAGE_PROCESS_FAILED"):
        await bot.send_photo(7, b"no picture")


async def test_commands_are_kept_for_each_scope_and_language(bot: telegram.Bot) -> None:
    scope = telegram.BotCommandScopeAllPrivateChats()
    await bot.set_my_commands([("help", "Help")])
    await bot.set_my_commands([("help", "Ayuda")], scope=scope, language_code="es")
    assert [it.description for it in await bot.get_my_commands()] == ["Help"]
    assert [it.description for it in await bot.get_my_commands(scope, "es")] == ["Ayuda"]
    await bot.delete_my_commands()
    assert await bot.get_my_commands() == ()
    await bot.set_my_description("Long")
    assert (await bot.get_my_description("es")).description == "Long"


async def test_too_many_requests_say_how_long_to_wait(
    server: BotServer, bot: telegram.Bot, ana: dict[str, Any]
) -> None:
    server.misbehave("send*", 429, retry_after=3)
    with pytest.raises(error.RetryAfter) as caught:
        await bot.send_message(7, "hi")
    assert caught.value.retry_after == timedelta(seconds=3)
    await bot.send_message(7, "hi")
    assert len(server.said(7)) == 1


@pytest.mark.parametrize("kind", [500, 502, "garbage", "reset", "headers", "half", "stall"])
@pytest.mark.parametrize("after", [False, True])
async def test_a_fault_comes_before_or_after_the_effect(
    server: BotServer, bot: telegram.Bot, ana: dict[str, Any], kind: int | str, after: bool
) -> None:
    server.misbehave("sendMessage", kind, after=after, seconds=5)
    with pytest.raises(error.TelegramError):
        await bot.send_message(7, "hi", read_timeout=0.1)
    assert len(server.said(7)) == int(after)


@pytest.mark.parametrize(("kind", "caught"), [(400, error.BadRequest), (403, error.Forbidden)])
async def test_a_refusal_has_the_words_it_was_given(
    server: BotServer, bot: telegram.Bot, ana: dict[str, Any], kind: int, caught: type[Exception]
) -> None:
    server.misbehave("*", kind, description="Somehow: no")
    with pytest.raises(caught, match="no"):
        await bot.send_message(7, "hi")


async def test_the_limits_are_telegrams_own(server: BotServer, bot: telegram.Bot, ana: dict[str, Any]) -> None:
    server.limits = True
    for _ in range(3):
        await bot.send_message(7, "hi")
    with pytest.raises(error.RetryAfter):
        await bot.send_message(7, "hi")
    assert len(server.refused) == 1


def test_a_group_gets_twenty_a_minute_and_all_together_thirty_a_second() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    assert [pace.wait(-1) for _ in range(21)] == [0] * 20 + [60]
    assert [pace.wait(chat) for chat in range(1, 12)] == [0] * 10 + [1]
    now[0] = 59.5
    assert pace.wait(-1) == 1
    now[0] = 60
    assert pace.wait(-1) == 0


async def test_what_is_not_allowed_fails_the_test(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    server = await BotServer().__aenter__()
    server.open_chat(7)
    async with telegram.Bot(TOKEN, base_url=server.url + "/bot") as bot:
        with pytest.raises(error.BadRequest):
            await bot.send_message(7, "<b>hi</b>", parse_mode="HTML")
    with pytest.raises(AssertionError, match="entities are to be used"):
        await server.close()


async def test_a_slow_answer_is_an_answer(server: BotServer, bot: telegram.Bot, ana: dict[str, Any]) -> None:
    server.misbehave("sendMessage", "slow", seconds=0.05)
    asking = asyncio.create_task(bot.send_message(7, "hi"))
    (call,) = await server.wait_for("sendMessage")
    assert call.fields == {"chat_id": 7, "text": "hi"}
    assert await server.until(lambda: server.said(7))
    await asking


async def test_a_deleted_message_is_gone_but_its_button_may_still_be_pressed(
    server: BotServer, bot: telegram.Bot, ana: dict[str, Any]
) -> None:
    await bot.send_message(7, "hi", reply_markup=keyboard("More"))
    (stale,) = server.said(7)
    await bot.delete_message(7, stale.id)
    assert server.messages(7) == []
    await server.arrive(server.press(stale, "More"))
    query = (await bot.get_updates())[0].callback_query
    assert query
    assert query.message
    assert not query.message.is_accessible


async def test_an_inline_query_is_answered(server: BotServer, bot: telegram.Bot, ana: dict[str, Any]) -> None:
    asked = server.send(server.inline(ana, "jobs"))["inline_query"]["id"]
    content = telegram.InputTextMessageContent("hi", entities=[telegram.MessageEntity("bold", 0, 2)])
    assert await bot.answer_inline_query(asked, [telegram.InlineQueryResultArticle("1", "Jobs", content)])
    server.age(late := server.inline(ana, "more"))
    with pytest.raises(error.BadRequest, match=r"(?i)query is too old"):
        await bot.answer_inline_query(late["inline_query"]["id"], [])


async def test_a_server_that_does_not_validate_lets_everything_pass() -> None:
    async with BotServer(validate=False) as server, ClientSession() as client:
        server.open_chat(7)
        fields = {"chat_id": "7", "text": "hi", "parse_mode": "HTML"}
        async with client.post(f"{server.url}/bot{TOKEN}/sendMessage", data=fields) as answer:
            assert answer.status == 200


async def test_forms_queries_and_json_are_understood(server: BotServer, ana: dict[str, Any]) -> None:
    url = f"{server.url}/bot{TOKEN}/sendMessage"
    async with ClientSession() as client:
        for how in ({"params": {"chat_id": 7, "text": "hi"}}, {"json": {"chat_id": 7, "text": "hi"}}):
            async with client.get(url, **how) as answer:  # type: ignore[arg-type]
                assert (await answer.json())["ok"]
    assert [it.text for it in server.said(7)] == ["hi", "hi"]


async def test_aiogram_gets_along_with_it(server: BotServer, ana: dict[str, Any]) -> None:
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
    async with AiogramBot(TOKEN, session=session) as bot:
        assert (await bot.me()).username == "HearsayTestBot"
        sent = await bot.send_message(7, "hi")
        await bot.edit_message_text("two", chat_id=7, message_id=sent.message_id)
        server.send(server.text(ana, ana, "back"))
        (update,) = await bot.get_updates(timeout=1)
        assert update.message
        assert update.message.text == "back"
    assert [it.text for it in server.messages(7)] == ["two", "back"]
