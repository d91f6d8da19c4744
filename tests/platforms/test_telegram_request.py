"""Holds the way to Telegram to account: what comes back, what fails how, and that the token is told nobody."""

import asyncio
import email.policy
import gzip
import json
import logging
import socket
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import pytest
from telegram import Bot, InputFile, InputMediaPhoto
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import BaseRequest, HTTPXRequest

from bot.platforms.telegram import request as module
from bot.platforms.telegram.request import AiohttpRequest, NotSent

SECRET = "TEST-token-of-nobody-aaaaaaaaaaaaaaaa"
TOKEN = f"123456:{SECRET}"
SENT = {"message_id": 7, "date": 0, "chat": {"id": 1, "type": "private"}, "text": "hi"}
Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Heard:
    """One request as it came in."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode(), strict_parsing=True).items()}

    @property
    def parts(self) -> dict[str, tuple[str | None, bytes]]:
        """Return the parts of a multipart body: name to file name and content."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        whole = email.message_from_bytes(head + self.body, policy=email.policy.HTTP)
        found: dict[str, tuple[str | None, bytes]] = {}
        for part in whole.iter_parts():
            content: Any = part.get_payload(decode=True)
            found[str(part.get_param("name", header="content-disposition"))] = (part.get_filename(), content)
        return found


def answer(status: int, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def told(status: int = 200, **said: Any) -> bytes:
    return answer(status, json.dumps({"ok": status == 200, **said}).encode(), "Content-Type: application/json")


@dataclass
class Api:
    """A server on this machine that says `reply` to every request, or does `act` once it has heard one."""

    reply: bytes = field(default_factory=partial(told, result=True))
    act: Act | None = None
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/bot{TOKEN}/sendMessage"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                line, *rest = head.strip().split("\r\n")
                headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in rest)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.heard.append(Heard(line, headers, body))
                if self.act:
                    await self.act(reader, writer)
                    return
                writer.write(self.reply)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    served = Api()
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0, limit=2**24)
    served.port = server.sockets[0].getsockname()[1]
    yield served
    server.close()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        if getattr(task.get_coro(), "__name__", "") == "serve":
            task.cancel()
    await asyncio.sleep(0.01)


@pytest.fixture
async def way() -> AsyncIterator[AiohttpRequest]:
    async with asyncio.timeout(10), AiohttpRequest() as opened:
        yield opened


@pytest.fixture(autouse=True)
def silent(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a test does, nothing that is logged holds the token; what PTB's Bot and httpx log is not ours."""
    caplog.set_level(logging.DEBUG)
    for name in ("aiohttp", "asyncio", "telegram"):
        caplog.set_level(logging.DEBUG, name)
    yield
    theirs = ("httpx", "httpcore")
    for record in caplog.get_records("call"):
        if record.name.startswith(theirs) or record.getMessage().startswith("Set Bot API"):
            continue
        assert SECRET not in f"{record.getMessage()}{record.exc_text}{record.exc_info}{record.args!r}"


@asynccontextmanager
async def fails(kind: type[BaseException], match: str | None = None) -> AsyncIterator[None]:
    """Expect exactly `kind`, and the token nowhere in it."""
    with pytest.raises(kind, match=match) as caught:
        yield
    assert type(caught.value) is kind
    seen: list[BaseException | None] = [caught.value]
    while error := seen.pop():
        assert SECRET not in f"{error!r}{error!s}{error.args!r}{getattr(error, 'message', '')}"
        assert SECRET not in "".join(traceback.format_exception(error))
        assert SECRET not in repr({name: getattr(error, name, None) for name in dir(error) if name[0] != "_"})
        seen = [None, *seen, *(inner for inner in (error.__cause__, error.__context__) if inner)]


def acting(*pieces: bytes, stall: float = 0, reset: bool = False) -> Act:
    async def act(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
        await writer.drain()
        await asyncio.sleep(stall)
        if reset:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.transport.abort()

    return act


def closed_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def bot(api: Api, way: BaseRequest) -> Bot:
    return Bot(TOKEN, base_url=f"http://127.0.0.1:{api.port}/bot", request=way, get_updates_request=AiohttpRequest())


async def test_the_result_comes_back(api: Api, way: AiohttpRequest) -> None:
    api.reply = told(result={"a": ["ü", 1]})
    assert await way.post(api.url) == {"a": ["ü", 1]}
    assert api.heard[0].line == f"POST /bot{TOKEN}/sendMessage HTTP/1.1"
    assert api.heard[0].headers["user-agent"] == BaseRequest.USER_AGENT


async def test_bytes_that_are_no_utf8_are_replaced(api: Api, way: AiohttpRequest) -> None:
    api.reply = answer(200, b'{"result": "test\x80"}')
    result: Any = await way.post(api.url)
    assert result == "test�"


async def test_a_download_comes_back_as_it_is(api: Api, way: AiohttpRequest) -> None:
    api.reply = answer(200, b"\x00\x80{")
    assert await way.retrieve(api.url) == b"\x00\x80{"
    assert api.heard[0].line.startswith("GET ")


async def test_a_packed_answer_is_unpacked(api: Api, way: AiohttpRequest) -> None:
    api.reply = answer(200, gzip.compress(b'{"result": 5}'), "Content-Encoding: gzip")
    assert await way.post(api.url) == 5
    assert "gzip" in api.heard[0].headers["accept-encoding"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (401, InvalidToken),
        (403, Forbidden),
        (404, InvalidToken),
        (409, Conflict),
        (413, NetworkError),
        (500, NetworkError),
        (502, NetworkError),
        (599, NetworkError),
    ],
)
@pytest.mark.parametrize("said", ["in words", ""])
async def test_a_status_becomes_its_error(
    api: Api, way: AiohttpRequest, status: int, kind: type[TelegramError], said: str
) -> None:
    api.reply = told(status, **({"description": said} if said else {}))
    async with fails(kind, said or str(status)):
        await way.post(api.url)


async def test_a_flood_says_when_to_come_again(api: Api, way: AiohttpRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    api.reply = told(429, description="Too Many Requests", parameters={"retry_after": 42})
    with pytest.raises(RetryAfter) as caught:
        await way.post(api.url)
    assert caught.value.retry_after == timedelta(seconds=42)


async def test_a_group_that_moved_says_where(api: Api, way: AiohttpRequest) -> None:
    api.reply = told(400, description="upgraded", parameters={"migrate_to_chat_id": -100123})
    with pytest.raises(ChatMigrated) as caught:
        await way.post(api.url)
    assert caught.value.new_chat_id == -100123


@pytest.mark.parametrize("status", [200, 404, 502, 302])
@pytest.mark.parametrize(
    "body",
    [
        f"<html>The requested URL /bot{TOKEN}/sendMessage was not found</html>",
        f'{{"description": "no route to /bot{TOKEN}/sendMessage", "ok": 1',
        f'["/bot{TOKEN}/"]',
        "",
        '"\udcff"',
    ],
)
async def test_a_page_of_a_gateway_is_never_repeated(api: Api, way: AiohttpRequest, status: int, body: str) -> None:
    api.reply = answer(status, body.encode(errors="surrogateescape"), "Location: /elsewhere")
    async with fails(InvalidToken if status == 404 else NetworkError, r"^(?!.*(html|route|Parsing))"):
        await way.post(api.url)
    assert len(api.heard) == 1


@pytest.mark.parametrize("written", [TOKEN, TOKEN.replace(":", "%3A"), TOKEN.replace(":", "%3a")])
async def test_a_description_keeps_its_words_but_no_token(api: Api, way: AiohttpRequest, written: str) -> None:
    api.reply = told(400, description=f"no route to /bot{written}/sendMessage")
    async with fails(BadRequest, r"no route to /bot\(token\)/sendMessage"):
        await way.post(api.url)


async def test_a_redirect_is_not_followed(api: Api, way: AiohttpRequest) -> None:
    api.reply = answer(307, b"", f"Location: {api.url}/again")
    async with fails(NetworkError):
        await way.post(api.url)
    assert len(api.heard) == 1


async def test_a_refused_connection_was_not_sent(way: AiohttpRequest) -> None:
    async with fails(NotSent, r"^not sent"):
        await way.post(f"http://127.0.0.1:{closed_port()}/bot{TOKEN}/getMe")


async def test_a_name_that_nobody_knows_was_not_sent(way: AiohttpRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    async with fails(NotSent):
        await way.post(f"http://nowhere.invalid/bot{TOKEN}/getMe")


async def test_a_handshake_that_fails_was_not_sent(api: Api, way: AiohttpRequest) -> None:
    async with fails(NotSent):
        await way.post(f"https://127.0.0.1:{api.port}/bot{TOKEN}/getMe", connect_timeout=0.1)


@pytest.mark.parametrize("url", [f"http:///bot{TOKEN}/x", f"http://[::/bot{TOKEN}/x", f"gopher://a/bot{TOKEN}/x"])
async def test_an_address_that_is_none_is_not_repeated(way: AiohttpRequest, url: str) -> None:
    async with fails(NotSent):
        await way.post(url)


async def test_a_connection_that_takes_too_long_was_not_sent(way: AiohttpRequest) -> None:
    with socket.socket() as door, socket.socket() as first, socket.socket() as second:
        door.bind(("127.0.0.1", 0))
        door.listen(0)
        for knock in (first, second):  # fill the queue of those who wait to be let in
            knock.setblocking(False)
            knock.connect_ex(door.getsockname())
        async with fails(NotSent):
            await way.post(f"http://127.0.0.1:{door.getsockname()[1]}/bot{TOKEN}/x", connect_timeout=0.1)


async def test_whoever_finds_no_free_connection_in_time_was_not_sent(api: Api) -> None:
    api.act = acting(stall=5)
    async with asyncio.timeout(5), AiohttpRequest(connections=1) as way:
        first = asyncio.create_task(way.post(api.url, read_timeout=0.2))
        await asyncio.sleep(0.05)
        began = time.monotonic()
        async with fails(NotSent):
            await way.post(api.url, pool_timeout=0.05)
        assert time.monotonic() - began < 0.14
        async with fails(TimedOut):
            await first
        api.act = None
        assert await way.post(api.url) is True  # the place is free again


async def test_no_patience_at_all_still_takes_a_free_connection(api: Api, way: AiohttpRequest) -> None:
    assert await way.post(api.url, pool_timeout=0) is True


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (acting(stall=5), TimedOut),
        (acting(told(result=1)[:-3], stall=5), TimedOut),
        (acting(b"HTTP/1.1 200 OK\r\nContent-", stall=5), TimedOut),
        (acting(), TimedOut),
        (acting(reset=True), TimedOut),
        (acting(told(result=1)[:-3]), TimedOut),
        (acting(told(result=1)[:-3], reset=True), TimedOut),
        (acting(b"HTTP/1.1 200 OK\r\nContent-"), TimedOut),
        (acting(b"\x16\x03\x01 what?\r\n\r\n"), TimedOut),
        (acting(b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\n"), TimedOut),
        (acting(answer(200, b"no gzip", "Content-Encoding: gzip")), TimedOut),
        (acting(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), TimedOut),
    ],
)
async def test_what_breaks_after_sending_may_have_arrived(
    api: Api, way: AiohttpRequest, act: Act, kind: type[NetworkError]
) -> None:
    api.act = act
    async with fails(kind):
        await way.post(api.url, read_timeout=0.1)
    assert len(api.heard) == 1  # and nobody tried again behind our back


async def test_a_server_that_reads_nothing_ends_the_writing(way: AiohttpRequest) -> None:
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        door.bind(("127.0.0.1", 0))
        door.listen()
        api = Api(port=door.getsockname()[1])
        asked = Bot(TOKEN, base_url=f"http://127.0.0.1:{api.port}/bot", request=way)
        async with fails(TimedOut):
            await asked.send_document(1, b"x" * 8_000_000, connect_timeout=0.05, write_timeout=0.05, read_timeout=0.05)


async def test_time_without_end_may_be_asked_for(api: Api, way: AiohttpRequest) -> None:
    given = dict.fromkeys(("read_timeout", "write_timeout", "connect_timeout", "pool_timeout"))
    assert await way.post(api.url, **given) is True


async def test_what_nobody_says_is_within_a_lease() -> None:
    from bot.storage.outbox import LEASE

    assert AiohttpRequest().read_timeout == module.READ
    longest = module.POOL + module.CONNECT + module.UPLOAD + module.READ
    assert longest < LEASE.total_seconds()


async def test_an_endless_answer_is_cut(api: Api, way: AiohttpRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 10_000)
    api.reply = answer(200, gzip.compress(b"x" * 10_000), "Content-Encoding: gzip")
    assert len(await way.retrieve(api.url)) == 10_000
    api.reply = answer(200, gzip.compress(b"x" * 10_001), "Content-Encoding: gzip")
    async with fails(NetworkError):
        await way.retrieve(api.url)


async def test_nothing_is_sent_before_and_after_it_is_open(api: Api) -> None:
    way = AiohttpRequest()
    await way.shutdown()
    async with fails(NotSent):
        await way.post(api.url)
    await way.initialize()
    await way.initialize()
    assert await way.post(api.url) is True
    await way.shutdown()
    await way.shutdown()
    async with fails(NotSent):
        await way.post(api.url)
    async with way:  # and it opens again
        assert await way.post(api.url) is True


async def test_shutting_down_ends_what_is_under_way(api: Api) -> None:
    api.act = acting(stall=5)
    way = AiohttpRequest(connections=1)
    await way.initialize()
    first = asyncio.create_task(way.post(api.url))
    second = asyncio.create_task(way.post(api.url))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(2):
        await way.shutdown()
        async with fails(TimedOut):
            await first
        async with fails(NotSent):
            await second


async def test_whoever_gives_up_frees_the_connection(api: Api) -> None:
    api.act = acting(stall=5)
    async with asyncio.timeout(5), AiohttpRequest(connections=1) as way:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await way.post(api.url)
        api.act = None
        assert await way.post(api.url, pool_timeout=0.1) is True


async def test_five_hundred_at_once_share_the_connections(api: Api) -> None:
    async with asyncio.timeout(10), AiohttpRequest(connections=20) as way:
        assert await asyncio.gather(*(way.post(api.url) for _ in range(500))) == [True] * 500
    assert len(api.heard) == 500
    assert api.connections <= 20


async def test_no_cookie_is_kept_and_no_proxy_believed(
    api: Api, way: AiohttpRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    api.reply = answer(200, b'{"result": 1}', "Set-Cookie: a=b; Path=/")
    named = api.url.replace("127.0.0.1", "localhost")  # a jar would take nothing from a bare number
    assert [await way.post(named), await way.post(named)] == [1, 1]
    assert "cookie" not in api.heard[1].headers


@pytest.mark.parametrize("text", ["plain", "ü €\n🙂 & = + % שלום", " ", '{"a": 1}'])
async def test_a_bot_sends_what_it_would_send_by_httpx(api: Api, text: str) -> None:
    api.reply = told(result=SENT)
    for way in (AiohttpRequest(), HTTPXRequest()):
        async with way:
            message = await bot(api, way).send_message(1, text, disable_notification=True, message_thread_id=3)
            assert message.message_id == 7
    ours, theirs = api.heard
    assert ours.form == theirs.form
    assert ours.form["text"] == text
    assert ours.line == theirs.line
    assert ours.headers["content-type"] == theirs.headers["content-type"]


async def test_half_a_character_does_not_stop_a_message(api: Api, way: AiohttpRequest) -> None:
    api.reply = told(result=SENT)
    await bot(api, way).send_message(1, "half \ud83d")
    assert api.heard[0].form["text"] == "half ?"


async def test_files_are_sent_as_httpx_would_send_them(api: Api) -> None:
    api.reply = told(result=[SENT])
    big = bytes(range(256)) * 6000  # larger than what aiohttp warns of
    for way in (AiohttpRequest(), HTTPXRequest()):
        media = [
            InputMediaPhoto(b"one", caption="ü €", filename='ü "1".png'),
            InputMediaPhoto(big, filename="two.png"),
        ]
        async with way:
            sent = await bot(api, way).send_media_group(1, media)
            assert [message.message_id for message in sent] == [7]
    ours, theirs = (sorted(heard.parts.items(), key=lambda part: part[1][1]) for heard in api.heard)
    assert [content for _, (_, content) in ours if not content.startswith(b"[{")] == [
        content for _, (_, content) in theirs if not content.startswith(b"[{")
    ]
    parts = api.heard[0].parts
    described = json.loads(parts["media"][1])
    assert parts[described[0]["media"].removeprefix("attach://")][1] == b"one"
    assert parts[described[1]["media"].removeprefix("attach://")] == ("two.png", big)
    assert 'filename="ü \\"1\\".png"'.encode() in api.heard[0].body


async def test_a_picture_that_was_not_sent_can_be_sent_again(api: Api, way: AiohttpRequest) -> None:
    picture, there = InputFile(b"one", filename="one.png"), api.port
    api.reply, api.port = told(result=SENT), closed_port()
    with pytest.raises(NotSent):
        await bot(api, way).send_photo(1, picture)
    api.port = there
    await bot(api, way).send_photo(1, picture)
    assert api.heard[0].parts["photo"] == ("one.png", b"one")


async def test_a_bot_starts_polls_and_stops(api: Api) -> None:
    async with asyncio.timeout(5):
        api.reply = told(result={"id": 123456, "is_bot": True, "first_name": "b", "username": "b_bot"})
        async with bot(api, AiohttpRequest()) as asked:
            assert asked.username == "b_bot"
            api.reply = told(result=[{"update_id": 5}])
            assert [update.update_id for update in await asked.get_updates(timeout=1)] == [5]
    assert api.heard[-1].line.startswith(f"POST /bot{TOKEN}/getUpdates ")


async def test_an_event_loop_that_tells_everything_does_not_tell_the_token(api: Api, way: AiohttpRequest) -> None:
    asyncio.get_running_loop().set_debug(True)
    assert await way.post(api.url) is True
    api.act = acting(told(result=1)[:-3], reset=True)
    async with fails(TimedOut):
        await way.post(api.url)
