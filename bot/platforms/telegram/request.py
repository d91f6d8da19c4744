"""The way to Telegram: what python-telegram-bot asks is carried by aiohttp, several times as fast as by its httpx."""

import asyncio
import json
import re
from contextlib import suppress
from functools import lru_cache
from io import BytesIO
from typing import Any, cast
from urllib.parse import urlencode

import aiohttp
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

READ, WRITE, UPLOAD, CONNECT, POOL = 15.0, 5.0, 30.0, 5.0, 5.0  # seconds; in all less than a bubble's lease
LARGEST = 20 * 2**20  # bytes of an answer; the Bot API serves no larger file
_UNSET = BaseRequest.DEFAULT_NONE
_HEADERS = {"User-Agent": BaseRequest.USER_AGENT, "Accept-Encoding": "gzip, deflate"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_JSON = {"Content-Type": "application/json"}
_TOKEN = re.compile(rb"\d{6,}(:|%3A)[\w-]{30,}", re.IGNORECASE)
_UNCONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_MISADDRESSED = (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)


class NotSent(NetworkError):  # noqa: N818  # a sister of TimedOut and Conflict
    """Nothing of the request left this machine, so that sending it again doubles nothing."""


class _Fields:
    """What is asked, as JSON; stands where a RequestData would, which is final."""

    contains_files = False

    def __init__(self, fields: dict[str, Any]) -> None:
        self.json = json.dumps(fields).encode()


class AiohttpRequest(BaseRequest):
    """Asks the Bot API; what may have arrived raises `TimedOut`, what never left `NotSent`.

    The address holds the token: no error names it, nor does an error's cause or context.
    """

    read_timeout = READ

    def __init__(self, connections: int = 256) -> None:
        self._places = asyncio.Semaphore(connections)  # aiohttp's own limit knows no time-out but that of connecting
        self._session: aiohttp.ClientSession | None = None

    async def initialize(self) -> None:
        """Open the session, if it is not open."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60, ttl_dns_cache=300)
            jar = aiohttp.DummyCookieJar()
            self._session = aiohttp.ClientSession(connector=connector, headers=_HEADERS, cookie_jar=jar)

    async def shutdown(self) -> None:
        """Close the session, if it is open."""
        session, self._session = self._session, None
        if session:
            await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = _UNSET,
        write_timeout: object = _UNSET,
        connect_timeout: object = _UNSET,
        pool_timeout: object = _UNSET,
    ) -> tuple[int, bytes]:
        """Return status and body of the answer; `write_timeout` bounds all of the writing, not each piece of it."""
        write = UPLOAD if request_data and request_data.contains_files else WRITE
        timeout = _timeouts(method, write, connect_timeout, write_timeout, read_timeout)
        patience = POOL if pool_timeout is _UNSET else cast("float | None", pool_timeout)
        try:
            return await self._ask(method, url, patience, timeout=timeout, **_body(request_data))
        except Exception as error:
            failure = _failure(error)
        raise failure  # out here, where the error that may name the address is no longer its context

    async def ask(self, url: str, fields: dict[str, Any]) -> Any:
        """Return the answer to `fields`: the short way for what is asked most. Raises as `post` does."""
        return await self.post(url, cast(RequestData, _Fields(fields)))

    async def _ask(self, method: str, url: str, patience: float | None, **more: Any) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(patience):
                await self._places.acquire()
        except TimeoutError:
            raise NotSent("not sent: every connection is busy") from None
        try:
            if self._session is None:
                raise NotSent("not sent: not initialized, or shut down")
            async with self._session.request(method, url, allow_redirects=False, **more) as response:
                body = await _read(response)
                return response.status, body if response.status < 300 else _error(body)
        finally:
            self._places.release()

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Return what an answer says; where it says nothing, neither an error nor a log repeats it."""
        with suppress(ValueError):
            told = json.loads(payload.decode("utf-8", "replace"))
            if isinstance(told, dict):
                return told
        raise NetworkError("Invalid server response")


@lru_cache(64)
def _timeouts(method: str, write: float, *given: Any) -> aiohttp.ClientTimeout:
    """Return what bounds connecting, writing and reading; a download may go on for as long as bytes keep coming."""
    usual = (CONNECT, write, READ)
    parts = [one if value is _UNSET else value for value, one in zip(given, usual, strict=True)]
    total = None if method == "GET" or None in parts else sum(parts)
    return aiohttp.ClientTimeout(total=total, connect=parts[0], sock_read=parts[2])


def _body(asked: RequestData | _Fields | None) -> dict[str, Any]:
    if isinstance(asked, _Fields):
        return {"data": asked.json, "headers": _JSON}
    if asked and asked.contains_files:
        form = aiohttp.FormData(asked.json_parameters, quote_fields=False)  # names as browsers and httpx write them
        for name, (filename, content, kind) in asked.multipart_data.items():
            file = BytesIO(content) if isinstance(content, bytes) else content
            form.add_field(name, file, filename=filename, content_type=kind)
        return {"data": form}
    return {"data": urlencode(asked.json_parameters, errors="replace").encode(), "headers": _FORM} if asked else {}


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > LARGEST:
            raise NetworkError(f"the answer is longer than {LARGEST} bytes")
    return bytes(body)


def _error(body: bytes) -> bytes:
    """Return what the Bot API said; what a gateway said in its place may name the address and is left out."""
    body = _TOKEN.sub(b"(token)", body)
    with suppress(ValueError):
        return body if isinstance(json.loads(body), dict) else b"{}"
    return b"{}"


def _failure(error: Exception) -> NetworkError:
    """Return `error` in our words."""
    if isinstance(error, NetworkError):
        return error
    if isinstance(error, _UNCONNECTED + _MISADDRESSED):
        return NotSent(f"not sent: {type(error).__name__}")
    if isinstance(error, TimeoutError):
        return TimedOut("no answer in time, it may have arrived")
    return TimedOut(f"no answer, it may have arrived: {type(error).__name__}")
