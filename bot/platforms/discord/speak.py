"""How bubbles reach people: as answers while somebody waits for one, else as messages in the channel."""

import asyncio
from base64 import b32encode
from collections import OrderedDict
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeVar

import discord

from bot.core.message import Address, Message, Reply
from bot.core.platform import DeliveryError, Sending
from bot.platforms.discord import draw
from bot.platforms.discord.ask import PATIENCE, Ask, Bubble, GoneError, quietly
from bot.platforms.discord.failure import TROUBLE, Graves, failure
from bot.platforms.discord.pace import Lanes
from bot.talk.assistant import Assistant
from bot.talk.feature import Say
from bot.talk.words import call

K = TypeVar("K")
V = TypeVar("V")

REMEMBERED = 4096
UNKNOWN_MESSAGE = 10008
NO_REPLIES = 160002  # where we may not read what was said before


class Recent(OrderedDict[K, V]):
    """Remembers the newest few thousand."""

    def put(self, key: K, value: V) -> None:
        """Remember `value`, and forget the oldest where there are too many."""
        self[key] = value
        self.move_to_end(key)
        while len(self) > REMEMBERED:
            self.popitem(last=False)


class Voice:
    """Sends; remembers who waits for an answer, and which channels refuse."""

    def __init__(self, client: discord.Client, assistant: Assistant) -> None:
        self._client = client
        self._assistant = assistant
        self._asks: Recent[str, Ask] = Recent()
        self._corners: Recent[Address, Ask] = Recent()
        self._mentions: Recent[str, int] = Recent()
        self._lanes = Lanes()
        self._graves = Graves()
        self._commands: dict[str, str] = {}
        self._pages = lru_cache(maxsize=2048)(self._draw)  # the same cards are shown again and again

    def published(self, commands: dict[str, str]) -> None:
        """Hear which commands can be pressed where they stand in a text, and how they are written there."""
        self._commands = commands
        self._pages.cache_clear()

    def say(self, language: str | None) -> Say:
        """Return how phrases are worded in `language`, or the nearest to it that the pack speaks."""
        repertoire = self._assistant.repertoire
        return repertoire.say_in(repertoire.spoken(language))

    def expect(self, message: Message, ask: Ask) -> None:
        """Remember that `message` awaits its answers through `ask`."""
        if message.key not in self._asks:
            self._asks.put(message.key, ask)
        if message.where.person:
            self._corners.put(message.where, ask)

    def mentioned(self, message: Message) -> None:
        """Remember that somebody called us among others, so that the answer is a reply to them."""
        self._mentions.put(message.key, int(message.key))

    async def send(self, address: Address, reply: Reply, sending: Sending) -> str:
        """Show a reply; return `channel:message`. Raises `DeliveryError`."""
        ask = self._ask(address, sending.cause)
        async with self._lanes.broadcast() if reply.broadcast else self._lanes.answer():
            try:
                async with asyncio.timeout(PATIENCE):
                    return await self._send(address, reply, sending, ask)
            except GoneError:
                raise DeliveryError("nobody waits for it any more", permanent=True) from None
            except TROUBLE as error:
                raise failure(error, unknown=ask is not None and ask.is_in_doubt) from None

    async def full(self, message: Message) -> None:
        """Say that nothing can be kept, so nothing is answered."""
        say, hidden = self.say(message.language), message.key in self._asks
        bubble = Bubble(nonce(f"full.{message.key}"), say("talk.full"), hidden=hidden)
        await quietly(self._add(message.where, bubble, message.key, self._ask(message.where, message.key)))

    async def _send(self, address: Address, reply: Reply, sending: Sending, ask: Ask | None) -> str:
        first, *more = self._drawn(address, reply, sending)
        message = await self._replace(address, first, sending.edit, ask) if sending.edit else None
        if message is None:
            message = await self._add(address, first, sending.cause, ask)
        for bubble in more:
            await self._add(address, bubble, sending.cause, ask)
        return f"{address.chat}:{message}"

    def _drawn(self, address: Address, reply: Reply, sending: Sending) -> list[Bubble]:
        """Draw a reply, in several messages where its markup needs more room than its words."""
        say = self.say(sending.language)
        texts = self._pages(reply.text, sending.language)
        view = draw.view(reply, sending.turn, say("discord.choose"))
        hidden, last = address.person is not None or reply.aside, len(texts) - 1
        return [
            Bubble(
                nonce(f"{sending.key}.{number}.{text}"),  # the words too: a new database counts from one again
                text,
                view if number == last else None,
                None if number else reply.image,
                hidden,
            )
            for number, text in enumerate(texts)
        ]

    async def _replace(self, address: Address, bubble: Bubble, edit: str, ask: Ask | None) -> int | None:
        """Put a bubble in the place of an older message; return its id, None where that message is gone."""
        message = int(edit.rpartition(":")[2])
        try:
            return await self._edit(address, bubble, message, ask)
        except discord.NotFound as error:
            if error.code == UNKNOWN_MESSAGE:
                return None
            raise

    async def _edit(self, address: Address, bubble: Bubble, message: int, ask: Ask | None) -> int:
        """Edit a message: by acknowledging the press on it, by the token of a corner, or as one of our own."""
        if ask and (bubble.hidden or ask.awaits(message)):
            try:
                return await ask.replace(message, bubble)
            except GoneError:
                if bubble.hidden:
                    raise
        elif bubble.hidden:
            raise GoneError
        channel = self._client.get_partial_messageable(int(address.chat))
        await channel.get_partial_message(message).edit(**bubble.edited())
        if ask:
            await quietly(ask.close())
        return message

    async def _add(self, address: Address, bubble: Bubble, cause: str | None, ask: Ask | None) -> int:
        """Answer where somebody waits for it; write into the channel where nobody does any more."""
        if ask:
            try:
                return await ask.show(bubble)
            except GoneError:
                if bubble.hidden:
                    raise
        elif address.person or (bubble.hidden and cause is None):
            raise GoneError
        return await self._post(int(address.chat), bubble, cause)

    async def _post(self, channel: int, bubble: Bubble, cause: str | None) -> int:
        """Write into a channel, once however often it is tried; as a reply to whoever mentioned us."""
        self._graves.check(channel)
        more: dict[str, Any] = bubble.fresh()
        if asked := self._mentions.get(cause or ""):
            more["reference"] = _reply_to(channel, asked)
        try:
            message = await self._client.get_partial_messageable(channel).send(
                **more, nonce=bubble.key, mention_author=False
            )
        except discord.HTTPException as error:
            if error.code == NO_REPLIES and self._mentions.pop(cause or "", 0):
                return await self._post(channel, bubble, cause)
            self._graves.bury(channel, error)
            raise
        self._mentions.pop(cause or "", 0)
        return int(message.id)

    def _ask(self, address: Address, cause: str | None) -> Ask | None:
        """Return what a bubble may answer: its cause, or the last thing done in this corner."""
        return self._asks.get(cause or "") or (self._corners.get(address) if address.person else None)

    def _draw(self, text: str, language: str) -> list[str]:
        """Draw a text; commands in it are to be pressed where they stand alone, else written as they are typed."""
        say = self.say(language)

        def mention(command: str) -> str:
            called = call(command)
            known = self._assistant.repertoire.command(called.name) if called else None
            if called is None or known is None or known.hidden:
                return draw.code(command)
            if not called.argument and known.name in self._commands:
                return self._commands[known.name]
            return draw.code(f"/{say(f'name.{known.name}')} {called.argument}".strip())

        return draw.pages(text, mention)


def nonce(key: str) -> str:
    """Return at most 25 characters that are the same for the same `key`."""
    return b32encode(blake2b(key.encode(), digest_size=15).digest()).decode().lower()


def _reply_to(channel: int, message: int) -> discord.MessageReference:
    return discord.MessageReference(message_id=message, channel_id=channel, fail_if_not_exists=False)
