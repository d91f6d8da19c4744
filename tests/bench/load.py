"""A lean HTTP client: kept-alive raw sockets and bytes built beforehand, so that it is not what is measured.

`python -m tests.bench.load PORT CONNECTIONS` posts until it is ended.
"""

import asyncio
import sys
import time
from collections.abc import Iterable, Sequence
from itertools import count
from urllib.parse import quote_plus


def post(cookie: str, text: str, key: str, path: str = "/say") -> bytes:
    """Return the request with which a page says `text`."""
    body = f"text={quote_plus(text)}&key={key}".encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nCookie: hearsay={cookie}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def cookie(number: int) -> str:
    """Return the cookie of conversation `number`."""
    return f"conversation-{number:011}"


def posts(conversations: int, each: int, text: str, tag: str) -> list[list[bytes]]:
    """Return `each` requests for every conversation, no key twice."""
    return [
        [post(cookie(number), text, f"{tag}.{number}.{turn}") for turn in range(each)]
        for number in range(conversations)
    ]


class Line:
    """One kept-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, port: int) -> "Line":
        """Connect to `port` of this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> int:
        """Send `request`; return the answer's status. Raises `OSError` or `EOFError` where none comes."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        if status != 204:
            await self._reader.readexactly(_length(head))
        return status

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length: ")
    return int(rest.partition(b"\r\n")[0] or 0)


async def drive(port: int, requests: Sequence[Iterable[bytes]]) -> float:
    """Send each row of `requests` over its own connection, all at once; return the seconds it took."""
    lines = [await Line.to(port) for _ in requests]
    began = time.perf_counter()
    await asyncio.gather(*(_drive(line, row) for line, row in zip(lines, requests, strict=True)))
    took = time.perf_counter() - began
    for line in lines:
        line.close()
    return took


async def _drive(line: Line, requests: Iterable[bytes]) -> None:
    for request in requests:
        status = await line.ask(request)
        if status not in (200, 204):
            raise RuntimeError(f"the server answered {status}")


def throughput(port: int, requests: Sequence[Sequence[bytes]]) -> float:
    """Return how many of `requests` a second are answered."""
    return sum(map(len, requests)) / asyncio.run(drive(port, requests))


def _for_ever(number: int) -> Iterable[bytes]:
    return (post(cookie(number), "/rumour jobs", f"busy.{turn}") for turn in count())


if __name__ == "__main__":
    asyncio.run(drive(int(sys.argv[1]), [_for_ever(number) for number in range(int(sys.argv[2]))]))
