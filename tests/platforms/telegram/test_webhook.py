"""The webhook says 200 to nothing that is not durable, and lets in nobody but Telegram."""

import asyncio
import hmac
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
import pytest
import uvicorn
from sqlalchemy import Connection, func, select
from starlette.applications import Starlette

from bot.app import Content
from bot.core.platform import RefusedError
from bot.platforms.telegram import persist
from bot.platforms.telegram.hear import Me
from bot.platforms.telegram.updates import LARGEST, Webhook
from bot.storage.store import Store, StoreError
from bot.storage.tables import SEEN
from tests.platforms.telegram.booth import Booth, Json, booth, memory
from tests.platforms.telegram.server import TOKEN, BotServer

T = TypeVar("T")
CHATS = int(os.environ.get("CHATS_AT_ONCE", "200"))
ANA, BO = 7, 8


class Slow(Store):
    """A store that keeps nothing before its door is opened, or nothing at all."""

    full = False
    waiting = 0
    door: asyncio.Event | None = None

    async def run(self, work: Callable[[Connection], T]) -> T:
        if self.full:
            raise StoreError("database or disk is full")
        if self.door:
            self.waiting += 1
            await self.door.wait()
        return await super().run(work)


class Post:
    """A booth behind a webhook on a real port."""

    def __init__(self, hall: Booth, store: Slow) -> None:
        self.hall = hall
        self.server = hall.server
        self.store = store
        self.webhook = Webhook(hall.telegram, hall.ears, "http://127.0.0.1")
        config = uvicorn.Config(
            Starlette(routes=[self.webhook.route]), port=0, log_config=None, access_log=False, lifespan="off"
        )
        self.web = uvicorn.Server(config)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Post"]:
        self.serving = asyncio.create_task(self.web.serve())
        async with asyncio.timeout(5):
            while not self.web.started:  # noqa: ASYNC110  # uvicorn has no event for it
                await asyncio.sleep(0.001)
        self.url = f"http://127.0.0.1:{self.web.servers[0].sockets[0].getsockname()[1]}"
        self.webhook._url = self.url + self.webhook.path
        self.server.any_webhook_url = True
        await self.webhook.announce()
        try:
            yield self
        finally:
            await self.hang_up()

    async def hang_up(self) -> None:
        """Stop at once; uvicorn's own way takes two beats of a tenth of a second."""
        for connection in list(self.web.server_state.connections):
            connection.shutdown()
        for door in self.web.servers:
            door.close()
        self.serving.cancel()
        await asyncio.gather(self.serving, return_exceptions=True)

    def text(self, who: int, text: str) -> Json:
        person = self.server.person(who)
        return self.server.text(person, person, text)

    async def raw(self, body: bytes, **headers: str) -> httpx.Response:
        """Post whatever, with the right secret unless another is given."""
        known = {"X-Telegram-Bot-Api-Secret-Token": self.hall.telegram.secret("webhook"), **headers}
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.post(self.url + self.webhook.path, content=body, headers=known)

    def texts(self, who: int) -> list[str]:
        return [message.text for message in self.server.said(who)]

    async def keys(self) -> int:
        counted = select(func.count()).select_from(SEEN)
        return await self.store.run(lambda tx: tx.execute(counted).scalar()) or 0


@pytest.fixture
async def post(content: Content, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Post]:
    monkeypatch.setattr("bot.delivery.MARK_EVERY", 0)
    store = await memory(Slow)
    async with booth(content, store, polls=False) as hall, Post(hall, store).open() as opened:
        yield opened
    store.close()


async def test_an_update_that_is_posted_is_answered(post: Post) -> None:
    assert await post.server.post_update(post.text(ANA, "/help")) == 200
    await post.hall.app.delivery.idle()
    assert len(post.texts(ANA)) == 2


async def test_telegram_is_told_the_secret_and_what_is_wanted(post: Post) -> None:
    (call,) = post.server.calls_of("setWebhook")
    assert call.fields["secret_token"] == post.hall.telegram.secret("webhook")
    assert "message" in call.fields["allowed_updates"]
    assert call.fields.get("drop_pending_updates") in (None, False)


def test_nothing_in_the_address_or_the_secret_gives_the_token_away(post: Post) -> None:
    assert post.webhook.path != f"/telegram/{post.hall.telegram.secret('webhook')}"
    assert not any(part in post.webhook.path + post.hall.telegram.secret("webhook") for part in TOKEN.split(":"))


@pytest.mark.parametrize("secret", ["", "wrong", "w\u00f6rng"])
async def test_whoever_does_not_know_the_secret_is_not_even_read(
    post: Post, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_: object) -> None:
        raise AssertionError("it was parsed")

    monkeypatch.setattr("bot.platforms.telegram.updates._read", never)
    body = json.dumps(post.text(ANA, "/help")).encode()
    headers = {b"X-Telegram-Bot-Api-Secret-Token": secret.encode("latin-1")}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(post.url + post.webhook.path, content=body, headers=headers)
        without = await client.post(post.url + post.webhook.path, content=body)
    assert (answer.status_code, without.status_code) == (401, 401)
    assert await post.keys() == 0


async def test_secrets_are_compared_in_constant_time(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[Any, Any]] = []

    def compare(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(
        "bot.platforms.telegram.updates.hmac", type("spy", (), {"compare_digest": staticmethod(compare)})
    )
    assert await post.server.post_update(post.text(ANA, "/help"), "wrong") == 401
    assert compared == [(b"wrong", post.hall.telegram.secret("webhook").encode())]


async def test_only_posts_to_the_path_are_heard(post: Post) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(post.url + post.webhook.path)).status_code == 405
        assert (await client.post(post.url + "/telegram/guess")).status_code == 404


GARBAGE = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"\xff\xfe",
    b'{"update_id": "1"}',
    b"<html>",
    b"[" * 100_000,
    b'{"update_id": 1',
]


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_is_turned_away(post: Post, body: bytes) -> None:
    answer = await post.raw(body)
    assert answer.status_code == 400
    assert answer.text == "not an update"


async def test_an_update_of_more_than_a_mebibyte_is_turned_away(post: Post) -> None:
    update = {"update_id": 1, "message": {"text": "x" * LARGEST}}
    assert (await post.raw(json.dumps(update).encode())).status_code == 400


async def test_an_update_whose_sender_hangs_up_is_let_go(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", int(post.url.rpartition(":")[2]))
    head = f"POST {post.webhook.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
    secret = f"X-Telegram-Bot-Api-Secret-Token: {post.hall.telegram.secret('webhook')}\r\n\r\n"
    writer.write((head + secret + '{"update_id": 1').encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert await post.server.post_update(post.text(ANA, "/help")) == 200
    assert [record for record in caplog.records if record.exc_info] == []


async def test_200_is_said_only_when_the_turn_is_durable(post: Post) -> None:
    post.store.door = asyncio.Event()
    posting = asyncio.create_task(post.server.post_update(post.text(ANA, "/help")))
    async with asyncio.timeout(2):
        while not post.store.waiting:  # noqa: ASYNC110  # the store is a thread's
            await asyncio.sleep(0.001)
    done, _ = await asyncio.wait([posting], timeout=0.05)
    assert not done, "no answer before the commit"
    door, post.store.door = post.store.door, None
    assert await post.keys() == 0
    door.set()
    assert await posting == 200
    assert await post.keys() == 1


async def test_a_repeat_changes_nothing(post: Post) -> None:
    update = post.text(ANA, "/help")
    assert [await post.server.post_update(update) for _ in range(3)] == [200, 200, 200]
    await asyncio.gather(*(post.server.post_update(update) for _ in range(10)))
    await post.hall.app.delivery.idle()
    assert len(post.texts(ANA)) == 2
    assert await post.keys() == 1


async def test_what_cannot_be_kept_is_brought_again(post: Post) -> None:
    update = post.text(ANA, "/help")
    post.store.full = True
    assert await post.server.post_update(update) == 503
    post.store.full = False
    assert await post.server.deliver(update) == 1
    await post.hall.app.delivery.idle()
    assert len(post.texts(ANA)) == 3, "an excuse, then the answer"


async def test_when_too_much_is_in_the_air_telegram_comes_again(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.platforms.telegram.updates.MOST_IN_FLIGHT", 3)
    post.store.door = asyncio.Event()
    held = [asyncio.create_task(post.server.post_update(post.text(who, "/help"))) for who in (1, 2, 3)]
    async with asyncio.timeout(2):
        while post.store.waiting < 3:  # noqa: ASYNC110  # the store is a thread's
            await asyncio.sleep(0.001)
    late = post.text(BO, "/help")
    assert await post.server.post_update(late) == 503
    coming = asyncio.create_task(post.server.deliver(late))
    post.store.door.set()
    assert await asyncio.gather(*held) == [200, 200, 200]
    assert await coming >= 1
    await post.hall.app.delivery.idle()
    assert len(post.texts(BO)) == 2


async def test_a_webhook_that_telegram_refuses_is_told_in_a_sentence(post: Post) -> None:
    post.server.any_webhook_url = False
    refused = Webhook(post.hall.telegram, post.hall.ears, "http://example.org/")
    with pytest.raises(RefusedError, match="HEARSAY_TELEGRAM_WEBHOOK") as told:
        await refused.announce()
    assert "https url must be provided" in str(told.value)
    assert refused.path not in str(told.value)
    other_port = Webhook(post.hall.telegram, post.hall.ears, "https://example.org:81")
    with pytest.raises(RefusedError, match="ports 80, 88, 443 or 8443"):
        await other_port.announce()


async def test_an_unreachable_webhook_is_complained_of_once_for_each_reason(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    def complaints() -> int:
        return sum("cannot reach the webhook" in record.getMessage() for record in caplog.records)

    assert post.server.webhook
    await post.webhook.look()
    post.server.webhook["error"] = "Connection timed out"
    await post.webhook.look()
    assert complaints() == 0, "an old error, and nothing waits"
    post.server.pending.append(post.text(ANA, "/help"))
    for _ in range(3):
        await post.webhook.look()
    assert complaints() == 1
    post.server.webhook["error"] = "SSL error"
    await post.webhook.look()
    assert complaints() == 2
    assert "SSL error" in caplog.text
    post.server.pending.clear()
    await post.webhook.look()
    post.server.pending.append(post.text(ANA, "/help"))
    await post.webhook.look()
    assert complaints() == 3, "it had recovered in between"
    assert post.webhook.path not in caplog.text


async def test_before_telegram_said_who_the_bot_is_nothing_is_heard(post: Post) -> None:
    update, me = post.text(ANA, "/help"), post.hall.telegram.me
    post.hall.telegram.me = Me(0, "")
    assert await post.server.post_update(update) == 503
    post.hall.telegram.me = me
    assert await post.server.post_update(update) == 200
    await post.hall.app.delivery.idle()
    assert len(post.texts(ANA)) == 2


async def test_a_token_that_is_revoked_is_noticed_when_looking(post: Post) -> None:
    post.server.token = "123456:TEST-another-token-aaaaaaaaaaaaaaaa"
    with pytest.raises(RefusedError, match="no longer accepts the token"):
        await persist(post.webhook.look)


async def test_of_many_chats_at_once_no_update_is_lost(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.platforms.telegram.updates.MOST_IN_FLIGHT", 40)
    many, store = CHATS, await memory(Slow)
    async with (
        BotServer(validate=False) as server,
        booth(content, store, server, polls=False) as hall,
        Post(hall, store).open() as post,
    ):
        updates = [post.text(number, "/privacy") for number in range(1, many + 1)]
        tries = await asyncio.gather(*(server.deliver(update, tries=5000) for update in updates))
        await hall.app.delivery.idle()
        assert max(tries) > 1, "some were told to come again"
        assert await post.keys() == many
        assert {len(post.texts(number)) for number in range(1, many + 1)} == {2}
    store.close()


async def test_an_end_in_the_middle_finishes_what_it_took(post: Post) -> None:
    post.store.door = asyncio.Event()
    posting = asyncio.create_task(post.server.post_update(post.text(ANA, "/help")))
    async with asyncio.timeout(2):
        while not post.store.waiting:  # noqa: ASYNC110  # the store is a thread's
            await asyncio.sleep(0.001)
    post.web.should_exit = True
    door, post.store.door = post.store.door, None
    door.set()
    assert await posting == 200
    await post.serving
    assert await post.keys() == 1
    await post.hall.app.delivery.idle()
    assert len(post.texts(ANA)) == 2
