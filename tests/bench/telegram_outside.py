"""All of Telegram that a load needs, in a thread of its own: a stub of the Bot API, and whoever posts the updates.

It knows no more HTTP than it needs, and builds its bytes beforehand, so that it is not what is measured.
`python -m tests.bench.telegram_outside PORT` is the stub alone.
"""

import asyncio
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from typing import Any, Self, TypeVar
from urllib.parse import unquote_plus

from tests.bench.figure import percentile

T = TypeVar("T")
TOKEN = "123456:TEST-token-of-nobody-aaaaaaaaaaaaaaaa"
COMMAND = "/rumour jobs"
QUIET = 0.3  # seconds without a message after which nothing more is taken to come
PATIENCE = 300.0
BATCH = 100  # updates in one answer to a poll, as Telegram gives them
_ME = {"id": 123456, "is_bot": True, "first_name": "Hearsay", "username": "HearsayTestBot"}
_SENT = {"message_id": 7, "date": 0, "from": _ME, "chat": {"id": 1, "type": "private"}, "text": COMMAND}
_RESULTS: dict[bytes, object] = {
    b"getMe": _ME,
    b"sendMessage": _SENT,
    b"editMessageText": _SENT,
    b"getWebhookInfo": {"url": "", "has_custom_certificate": False, "pending_update_count": 0},
    b"getMyCommands": [],
    b"getMyDescription": {"description": ""},
    b"getMyShortDescription": {"short_description": ""},
}
_CHAT = re.compile(rb'chat_id(?:=|": ?)"?(-?\d+)')
_OFFSET = re.compile(rb"offset=(\d+)")
_numbers = count(1)


def update(chat: int, text: str) -> tuple[int, bytes]:
    """Return a new update's id and the update: somebody says a command in private."""
    number = next(_numbers)
    person = {"id": chat, "first_name": "Ana", "language_code": "en"}
    message = {
        "message_id": number,
        "date": 1_760_000_000,
        "from": person | {"is_bot": False},
        "chat": {"id": chat, "first_name": "Ana", "type": "private"},
        "text": text,
        "entities": [{"type": "bot_command", "offset": 0, "length": len(text.split(maxsplit=1)[0])}],
    }
    return number, json.dumps({"update_id": number, "message": message}).encode()


@dataclass(frozen=True)
class Hook:
    """Where updates are posted to."""

    port: int
    path: str = "/hook"
    secret: str = ""

    def post(self, body: bytes) -> bytes:
        """Return the request that posts an update."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"X-Telegram-Bot-Api-Secret-Token: {self.secret}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class Wire(asyncio.Protocol):
    """Cuts what comes over one connection into heads and bodies."""

    _buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if end and len(body) >= length:
            self._buffer = b""
            self.whole(head, body)

    def whole(self, head: bytes, body: bytes) -> None:
        """Hear one request, or one answer."""
        raise NotImplementedError


class Line(Wire):
    """One kept-alive connection to a webhook; one request at a time."""

    _waiting: "asyncio.Future[int] | None" = None

    @classmethod
    async def to(cls, port: int) -> "Line":
        """Connect to `port` of this machine."""
        _, line = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return line

    async def ask(self, request: bytes) -> int:
        """Send `request`; return the answer's status. Raises `ConnectionError` where none comes."""
        if self.transport.is_closing():
            raise ConnectionResetError
        self._waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._waiting

    def whole(self, head: bytes, body: bytes) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(int(head[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError())


class Stub:
    """What every connection to the Bot API knows of: `heard` gets chat and body of each message that is sent."""

    def __init__(self, heard: Callable[[int, bytes], None]) -> None:
        self.heard = heard
        self.hook: tuple[str, str] | None = None
        self.polled = False
        self.updates: list[tuple[int, bytes]] = []
        self._answers = {method: _answer({"ok": True, "result": result}) for method, result in _RESULTS.items()}
        self._yes = _answer({"ok": True, "result": True})

    def asked(self, method: bytes, head: bytes, body: bytes) -> bytes | None:
        """Return the answer to a call, None where a poll finds nothing yet."""
        if method == b"getUpdates":
            return self._poll(_OFFSET.search(head + body))
        if method == b"setWebhook":
            fields = dict(pair.split("=", 1) for pair in body.decode().split("&"))
            self.hook = "/" + unquote_plus(fields["url"]).split("/", 3)[3], fields["secret_token"]
        if method == b"sendMessage" and (chat := _CHAT.search(body)):
            self.heard(int(chat[1]), body)
        return self._answers.get(method, self._yes)

    def _poll(self, offset: re.Match[bytes] | None) -> bytes | None:
        self.polled = True
        if offset:
            self.updates = [pair for pair in self.updates if pair[0] >= int(offset[1])]
        if not self.updates:
            return None
        return _http(b'{"ok":true,"result":[%s]}' % b",".join(body for _, body in self.updates[:BATCH]))


class _Api(Wire):
    """One connection to the stub."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    def whole(self, head: bytes, body: bytes) -> None:
        method = head[: head.index(b" HTTP/")].rpartition(b"/")[2].partition(b"?")[0]
        answer = self._stub.asked(method, head, body)
        if answer:
            self.transport.write(answer)
        else:
            asyncio.get_running_loop().call_later(0.02, self._again, head, body)

    def _again(self, head: bytes, body: bytes) -> None:
        if not self.transport.is_closing():
            self.whole(head, body)


def _answer(told: object) -> bytes:
    return _http(json.dumps(told).encode())


def _http(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@dataclass(frozen=True)
class Pace:
    """How a round went: updates a second, and the milliseconds from posting to the answer that 99 of 100 kept."""

    rate: float
    p99: float


class Outside:
    """The thread: everything is asked of it through `run`; `messages` are those that the stub has heard so far."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, bytes]] = []
        self.stub = Stub(self._heard)
        self._awaited: dict[int, asyncio.Future[float]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self.run(serve(self.stub, 0))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def begin(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Let the thread begin with `work`."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` returns, which is run in the thread."""
        return self.begin(work).result(PATIENCE)

    def settled(self) -> None:
        """Wait until no message has come for a moment."""
        before = -1
        while before < (before := len(self.messages)):
            time.sleep(QUIET)

    def warm(self, hook: Hook, chats: Sequence[int]) -> None:
        """Let every chat say something once: what is said to newcomers is no part of what is measured."""
        self.run(self._warm(hook, chats))
        self.settled()

    def pace(self, hook: Hook, chats: Sequence[int], each: int) -> Pace:
        """Let all `chats` talk at once, each waiting for its answer before it goes on."""
        requests = {chat: [hook.post(update(chat, COMMAND)[1]) for _ in range(each)] for chat in chats}
        self.messages.clear()
        return self.run(self._pace(hook, requests))

    async def _warm(self, hook: Hook, chats: Sequence[int]) -> None:
        line = await Line.to(hook.port)
        for chat in chats:
            await line.ask(hook.post(update(chat, COMMAND)[1]))
        line.transport.close()

    async def _pace(self, hook: Hook, requests: dict[int, list[bytes]]) -> Pace:
        lines = [await Line.to(hook.port) for _ in requests]
        waits: list[float] = []
        began = time.perf_counter()
        talks = zip(lines, requests.items(), strict=True)
        await asyncio.gather(*(self._talk(line, chat, said, waits) for line, (chat, said) in talks))
        took = time.perf_counter() - began
        for line in lines:
            line.transport.close()
        return Pace(len(waits) / took, percentile(waits, 0.99) * 1000)

    async def _talk(self, line: Line, chat: int, requests: Sequence[bytes], waits: list[float]) -> None:
        for request in requests:
            answer = self._awaited[chat] = self._loop.create_future()
            began = time.perf_counter()
            status = await line.ask(request)
            if status != 200:
                raise RuntimeError(f"the webhook answered {status}")
            waits.append(await answer - began)

    def _heard(self, chat: int, body: bytes) -> None:
        self.messages.append((chat, body))
        if waiting := self._awaited.pop(chat, None):
            waiting.set_result(time.perf_counter())


async def serve(stub: Stub, port: int) -> asyncio.Server:
    """Open the stub on `port`, or on any where it is 0."""
    return await asyncio.get_running_loop().create_server(lambda: _Api(stub), "127.0.0.1", port)


async def _alone(port: int) -> None:
    await (await serve(Stub(lambda _chat, _body: None), port)).serve_forever()


if __name__ == "__main__":
    asyncio.run(_alone(int(sys.argv[1])))
