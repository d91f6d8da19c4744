"""Long polling confirms nothing too early, and gets over whatever can happen to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, select
from telegram.error import NetworkError, RetryAfter, TelegramError

from bot.app import Content
from bot.core.platform import RefusedError
from bot.platforms.telegram import Telegram, persist
from bot.platforms.telegram.request import NotSent
from bot.platforms.telegram.updates import poll
from bot.storage.store import Store, StoreError
from bot.storage.tables import SEEN
from tests.platforms.telegram.booth import Booth, Json, booth, memory
from tests.platforms.telegram.server import TOKEN, BotServer
from tests.serving import free_port

T = TypeVar("T")
ANA, BO = 7, 8


class Full(Store):
    """A store whose disk can be full: for everybody, or for whoever is named."""

    full = False
    spared = ""
    refused = 0

    async def run(self, work: Callable[[Connection], T]) -> T:
        if self.full:
            self.refused += 1
            raise StoreError("database or disk is full")
        return await super().run(work)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.delivery.MARK_EVERY", 0)
    monkeypatch.setattr("bot.platforms.telegram.updates.AGAIN", 0.01)
    monkeypatch.setattr("bot.platforms.telegram.updates.CONFLICT_PAUSE", 0.02)


@pytest.fixture
async def store() -> AsyncIterator[Full]:
    made = await memory(Full)
    yield made
    made.close()


@pytest.fixture
async def hall(content: Content, store: Full) -> AsyncIterator[Booth]:
    async with booth(content, store) as opened:
        opened.server.person(ANA)
        opened.server.person(BO)
        yield opened


def say(hall: Booth, who: int, text: str) -> Json:
    person = hall.server.people[who]
    return hall.server.send(hall.server.text(person, person, text))


async def heard(hall: Booth) -> None:
    await hall.server.until(lambda: not hall.server.pending)
    await hall.app.delivery.idle()


def texts(hall: Booth, who: int) -> list[str]:
    return [message.text for message in hall.server.said(who)]


def offsets(hall: Booth) -> list[int]:
    return [call.fields["offset"] for call in hall.server.calls_of("getUpdates")]


async def test_an_update_is_confirmed_when_its_turn_is_kept_and_not_before(hall: Booth, store: Full) -> None:
    store.full = True
    update = say(hall, ANA, "/help")
    await hall.server.until(lambda: store.refused >= 3)
    assert max(offsets(hall)) <= update["update_id"]
    assert hall.server.pending == [update]
    store.full = False
    await heard(hall)
    assert max(offsets(hall)) == update["update_id"] + 1
    excuse, introduction, _ = texts(hall, ANA)
    assert "again" in excuse or "moment" in excuse
    assert "automated assistant" in introduction


async def test_an_update_that_could_not_be_kept_has_its_effect_once(hall: Booth, store: Full) -> None:
    store.full = True
    say(hall, ANA, "/term zzqqx")
    await hall.server.until(lambda: store.refused >= 3)
    store.full = False
    await heard(hall)
    seen = await store.read(lambda tx: tx.execute(select(SEEN.c.key)).scalars().all())
    assert len(seen) == 1
    assert len(texts(hall, ANA)) == len(set(texts(hall, ANA))) == 3


async def test_an_excuse_is_made_once_a_minute_to_each_chat(hall: Booth, store: Full) -> None:
    store.full = True
    for who in (ANA, ANA, BO):
        say(hall, who, "/help")
    await hall.server.until(lambda: store.refused >= 12)
    assert [len(texts(hall, who)) for who in (ANA, BO)] == [1, 1]
    assert texts(hall, ANA) == texts(hall, BO)


async def test_a_press_is_excused_by_a_toast(hall: Booth, store: Full) -> None:
    say(hall, ANA, "/help")
    await heard(hall)
    help_, before = hall.server.said(ANA)[-1], len(texts(hall, ANA))
    store.full = True
    hall.server.send(hall.server.press(help_, help_.buttons[0][0]))
    (call,) = await hall.server.wait_for("answerCallbackQuery")
    assert call.fields["text"]
    assert len(texts(hall, ANA)) == before
    store.full = False
    await heard(hall)
    assert len(texts(hall, ANA)) == before + 1
    assert len(hall.server.calls_of("answerCallbackQuery")) == 1, "a press is answered once"


async def test_updates_of_one_chat_are_answered_in_their_order(hall: Booth) -> None:
    words = ["/help", "/techniques", "/rumours", "/terms", "/privacy", "/support"] * 3
    for word in words:
        say(hall, ANA, word)
    await heard(hall)
    for word in words:
        await hall.hear(hall.server.text(hall.server.people[BO], hall.server.people[BO], word))
    assert texts(hall, ANA) == texts(hall, BO)


async def test_an_update_that_breaks_something_holds_nobody_up(
    hall: Booth, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    take = hall.ears.take

    async def broken(update: Json) -> None:
        if update.get("message", {}).get("text") == "/break":
            raise ZeroDivisionError("words of a person")
        await take(update)

    monkeypatch.setattr(hall.ears, "take", broken)
    say(hall, ANA, "/break")
    say(hall, ANA, "/help")
    await heard(hall)
    assert len(texts(hall, ANA)) == 2
    assert "update broken error=ZeroDivisionError" in caplog.text
    assert "words of a person" not in caplog.text


@pytest.mark.parametrize(
    "update",
    [
        {"message": {}},
        {"message": {"message_id": 1}},
        {"message": {"message_id": 1, "chat": {"id": "x", "type": "private"}, "text": "x"}},
        {"message": {"message_id": 1, "chat": {"id": 7}, "text": 5}},
        {"message": None},
        {"callback_query": {"id": "1", "data": "x"}},
        {"callback_query": {"id": "1", "from": {"id": 7}, "data": None}},
        {"inline_query": {}},
        {"my_chat_member": {"chat": {"id": 7, "type": "private"}}},
        {"something_new": {"that": "nobody knows"}},
        {},
    ],
)
async def test_what_cannot_be_understood_is_passed_over(hall: Booth, update: Json) -> None:
    hall.server.validate = False
    hall.server.pending.append({"update_id": 1, **update})
    hall.server.open_chat(ANA)
    say(hall, ANA, "/help")
    await heard(hall)
    assert len(texts(hall, ANA)) == 2


SENTENCE = "Another program polls with this Telegram token."


async def test_a_second_poller_is_told_of_once_and_recovered_from(
    hall: Booth, caplog: pytest.LogCaptureFixture
) -> None:
    for polls in (1, 2, 3):
        await hall.server.wait_for("getUpdates", polls)
        hall.server.rival()
    await hall.server.wait_for("getUpdates", 4)
    assert caplog.text.count(SENTENCE) == 1
    say(hall, ANA, "/help")
    await heard(hall)
    assert len(texts(hall, ANA)) == 2
    polls = len(hall.server.calls_of("getUpdates"))
    hall.server.rival()
    await hall.server.wait_for("getUpdates", polls + 1)
    assert caplog.text.count(SENTENCE) == 2, "after a time of peace it is news again"


@asynccontextmanager
async def poller(server: BotServer, content: Content) -> AsyncIterator["asyncio.Task[None]"]:
    """Start to poll by hand, so that a test may see how polling ends."""
    async with booth(content, server=server, polls=False) as opened:
        polling = asyncio.create_task(poll(opened.telegram, opened.ears))
        try:
            yield polling
        finally:
            polling.cancel()
            with suppress(asyncio.CancelledError, RefusedError):
                await polling


@pytest.fixture
async def server() -> AsyncIterator[BotServer]:
    async with BotServer() as opened:
        yield opened


async def test_a_webhook_that_was_set_is_removed(server: BotServer, content: Content) -> None:
    server.webhook = {"url": "https://old.example/x", "secret": None, "connections": 40}
    ana = server.person(ANA)
    async with poller(server, content):
        await server.wait_for("deleteWebhook")
        server.send(server.text(ana, ana, "/help"))
        await server.until(lambda: len(server.said(ANA)) == 2)
    assert server.calls_of("deleteWebhook")[0].fields.get("drop_pending_updates") in (None, False)


async def test_where_no_webhook_is_set_none_is_removed(server: BotServer, content: Content) -> None:
    async with poller(server, content):
        await server.wait_for("getUpdates")
    assert server.calls_of("deleteWebhook") == []


async def test_a_webhook_that_is_set_meanwhile_is_a_conflict_too(
    server: BotServer, content: Content, caplog: pytest.LogCaptureFixture
) -> None:
    async with poller(server, content):
        await server.wait_for("getUpdates")
        server.webhook = {"url": "https://new.example/x", "secret": None, "connections": 40}
        server._ring()
        await server.wait_for("getUpdates", 3)
    assert caplog.text.count(SENTENCE) == 1


async def test_a_token_that_is_revoked_ends_polling_with_a_sentence(server: BotServer, content: Content) -> None:
    async with poller(server, content) as polling:
        await server.wait_for("getUpdates")
        server.token = "123456:TEST-another-token-aaaaaaaaaaaaaaaa"
        server.rival()
        with pytest.raises(RefusedError, match="no longer accepts the token"):
            async with asyncio.timeout(2):
                await polling


async def test_a_wrong_token_is_refused_with_a_sentence(server: BotServer, content: Content) -> None:
    wrong = Telegram("123456:TEST-wrong-token-aaaaaaaaaaaaaaaaaaa", server.url)
    with pytest.raises(RefusedError, match="HEARSAY_TELEGRAM_TOKEN") as refused:
        async with booth(content, server=server, polls=False) as opened:
            await wrong.connect(opened.app.assistant)
    assert "wrong-token" not in str(refused.value)


@pytest.mark.parametrize("kind", [429, 500, 502, "garbage", "reset", "half"])
async def test_trouble_at_the_start_is_sat_out(
    server: BotServer, content: Content, kind: int | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.platforms.telegram.persist", quick)
    monkeypatch.setattr("bot.platforms.telegram.updates.persist", quick)
    server.misbehave("getWebhookInfo", kind, 3, retry_after=0)
    ana = server.person(ANA)
    async with poller(server, content):
        server.send(server.text(ana, ana, "/help"))
        await server.until(lambda: len(server.said(ANA)) == 2)


async def quick(asking: Any) -> Any:
    return await persist(asking, pause=0.01, longest=0.02)


async def test_a_telegram_that_does_not_answer_at_the_start_is_waited_for(content: Content, server: BotServer) -> None:
    async with booth(content, server=server, polls=False) as opened:
        server.misbehave("getMe", "reset", 2)
        late = Telegram(TOKEN, server.url)
        await quick(lambda: late.connect(opened.app.assistant))
        assert late.me.username == "HearsayTestBot"
        await late.close()


async def test_where_nobody_listens_the_bot_says_that_nothing_was_sent(server: BotServer, content: Content) -> None:
    nobody = Telegram(TOKEN, f"http://127.0.0.1:{free_port()}")
    async with booth(content, server=server, polls=False) as opened:
        with pytest.raises(NotSent):
            await nobody.connect(opened.app.assistant)
    await nobody.close()


async def test_the_pause_between_tries_grows_to_its_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("bot.platforms.telegram.asyncio.sleep", pause)
    failures: list[TelegramError] = [NetworkError("down") for _ in range(8)]
    failures.insert(2, RetryAfter(7))

    async def asking() -> str:
        if failures:
            raise failures.pop(0)
        return "up"

    assert await persist(asking) == "up"
    assert pauses == [2, 4, 7, 8, 16, 32, 60, 60, 60]
