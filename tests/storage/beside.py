"""What another process does beside a test: `python -m tests.storage.beside hammer|talk URL BOOK`."""

import asyncio
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from bot.core.message import Address, Reply
from bot.core.platform import Limits, Sending
from bot.delivery import Delivery
from bot.platforms import limits
from bot.storage import outbox, sessions
from bot.storage.database import opened, parse
from bot.storage.outbox import Bubble
from bot.storage.store import Store

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HERE = Address("telegram", "-1")
EACH = 60  # turns of each process in one conversation
CHATS, WORDS = 4, 8


def one_more(tx: Connection) -> None:
    """Take one more turn in one conversation."""
    session = sessions.take(tx, HERE)
    sessions.put(tx, replace(session, turns=session.turns + 1), NOON)


async def hammer(store: Store, _: Path) -> None:
    """When told to, take many turns in one conversation, all at once."""
    say("here")
    sys.stdin.readline()
    await asyncio.gather(*(store.run(one_more) for _ in range(EACH)))


async def talk(store: Store, book: Path) -> None:
    """Write bubbles for some chats, and send them slowly, until somebody ends us."""
    delivery = Delivery(store, {"telegram": Line(book, 0.05)}, lambda: NOON)
    for number in range(WORDS):
        for chat in range(CHATS):
            bubble = Bubble(0, Address("telegram", str(chat)), Reply(str(number)), "en")
            delivery.made([await store.run(partial(outbox.add, bubble=bubble, now=NOON, state="waiting"))])
    say("here")
    await delivery.idle()


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


class Line:
    """A platform that writes down what arrives, and takes its time."""

    name = "telegram"
    pulls = False

    def __init__(self, book: Path, pause: float) -> None:
        self.book = book
        self.pause = pause

    def limits(self, address: Address) -> Limits:
        return limits.TELEGRAM

    def made(self, address: Address) -> None:
        raise AssertionError("a line is sent to")

    async def leave(self, address: Address) -> None:
        raise AssertionError("nobody leaves")

    async def send(self, address: Address, reply: Reply, sending: Sending) -> str | None:
        with self.book.open("a") as book:
            book.write(json.dumps([str(address), reply.text]) + "\n")
        await asyncio.sleep(self.pause)
        return sending.key

    def arrived(self) -> list[tuple[str, str]]:
        lines = self.book.read_text().splitlines() if self.book.exists() else []
        return [(where, words) for where, words in map(json.loads, lines)]


async def main(what: str, url: str, book: str) -> None:
    store = opened(parse(url))
    await {"hammer": hammer, "talk": talk}[what](store, Path(book))
    store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
