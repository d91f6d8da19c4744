"""Telegram: private chats, groups and their topics, channels."""

import asyncio
import hashlib
import hmac
import json
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from telegram import Bot, Message
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.core.message import Address, Image, Reply
from bot.core.platform import DeliveryError, Limits, Lost, RefusedError, Sending
from bot.platforms.telegram import draw
from bot.platforms.telegram.hear import Me, Raw
from bot.platforms.telegram.lanes import Lanes
from bot.platforms.telegram.place import NAME, Place
from bot.platforms.telegram.request import AiohttpRequest
from bot.talk.assistant import Assistant

log = logging.getLogger(__name__)

os.environ.setdefault("PTB_TIMEDELTA", "1")  # spans as timedelta; else every RetryAfter comes with a warning
T = TypeVar("T")
REVOKED = "Telegram no longer accepts the token; it was revoked."
OFFICIAL = "https://api.telegram.org"
PATIENCE = 3.0  # seconds that a message waits until the press it answers is acknowledged
_NO_PREVIEW = {"is_disabled": True}
_SAME = "message is not modified"
_UNEDITABLE = ("message to edit not found", "message can't be edited", "there is no text in the message to edit")


class Telegram:
    """Draws replies as messages, and answers presses. What it hears goes through `ears.Ears`."""

    name = NAME
    pulls = False

    def __init__(self, token: str, api: str = OFFICIAL) -> None:
        self._token = token.encode()
        self._request, self._polling = AiohttpRequest(), AiohttpRequest(connections=2)
        base = f"{api.rstrip('/')}/bot"
        self.bot = Bot(token, base_url=base, request=self._request, get_updates_request=self._polling)
        self.me = Me(0, "")
        self._lanes = Lanes()  # from the first: what a dead process left behind may be sent before anybody answers
        self._presses: dict[str, str] = {}
        self._answering: dict[str, asyncio.Task[None]] = {}
        self._assistant: Assistant | None = None

    async def connect(self, assistant: Assistant) -> None:
        """Get ready to speak for `assistant`. Raises `RefusedError`, and `TelegramError` where nobody answers."""
        self._assistant = assistant
        await self.meet()

    async def meet(self) -> None:
        """Learn who the bot is. Raises as `connect` does."""
        if not await self._is_known():  # the error that says so names the token, and must be no context of ours
            await self.close()
            raise RefusedError(
                "Telegram does not know the token in HEARSAY_TELEGRAM_TOKEN. Copy it again from BotFather (/token)."
            )
        self.me = Me(self.bot.id, self.bot.username, self.bot.supports_inline_queries)

    async def _is_known(self) -> bool:
        try:
            await self.bot.initialize()
        except InvalidToken:
            return False
        return True

    async def close(self) -> None:
        """Let go of the connections."""
        await self.bot.shutdown()

    async def updates(self, offset: int, wait: int, wanted: Sequence[str]) -> list[Raw]:
        """Return the updates from `offset` on, as they came, as soon as there are any, or none after `wait` seconds."""
        asked = urlencode({"offset": offset, "timeout": wait, "allowed_updates": json.dumps(wanted)})
        found = await self._polling.post(f"{self.bot.base_url}/getUpdates?{asked}", read_timeout=wait + 10)
        return cast(list[Raw], found)

    def limits(self, address: Address) -> Limits:
        """Return what a chat can show."""
        return Place.of(address).limits

    def made(self, address: Address) -> None:
        """Do nothing: bubbles are sent here."""

    async def leave(self, address: Address) -> None:
        """Go away from a group."""
        await self._safely(self.bot.leave_chat(Place.of(address).chat), Place.of(address))

    def pressed(self, key: str, query: str) -> None:
        """Remember that the press heard as `key` waits for its acknowledgement."""
        self._presses[key] = query

    async def acknowledge(self, key: str, words: str = "", url: str | None = None) -> None:
        """Answer a press once, with words that only its person sees, or a link that opens; late ones are let go."""
        if query := self._presses.pop(key, None):
            self._answering[key] = answer = asyncio.create_task(self._answer(query, words, url))
            answer.add_done_callback(lambda _: self._answering.pop(key, None))
        if key in self._answering:  # whoever else is asked to answer it waits too, so that no message comes first
            await asyncio.wait((self._answering[key],), timeout=PATIENCE)

    async def _answer(self, query: str, words: str, url: str | None) -> None:
        try:
            await self.bot.answer_callback_query(query, words or None, show_alert=len(words) > 60 or None, url=url)
        except TelegramError as error:
            log.info("press not acknowledged why=%s", type(error).__name__)

    async def send(self, address: Address, reply: Reply, sending: Sending) -> str | None:
        """Send a message, or edit one; a press is acknowledged first, in a group by an aside in its words."""
        place, cause = Place.of(address), sending.cause or ""
        if reply.aside and place.shared and cause in self._presses:
            await self.acknowledge(cause, draw.toast(reply))
            return None
        await self.acknowledge(cause)
        async with self._lanes.passing(place.chat, broadcast=reply.broadcast):
            message = await self._safely(self._put(place, reply, sending), place)
        return str(message)

    def door(self, command: str) -> str | None:
        """Return the link that opens `command` in the private chat, None where no link may say it."""
        payload = self._assistant.repertoire.payload(command) if self._assistant else None
        return f"https://t.me/{self.me.username}?start={payload}" if payload else None

    async def _put(self, place: Place, reply: Reply, sending: Sending) -> int:
        """Show `reply`, in the place of an older message where that still stands; return the message's id."""
        if reply.image:
            return await self._show(place, reply, reply.image, sending)
        words, entities = draw.text(reply.text or "…", self.door)
        shown: Raw = {
            "text": words,
            "entities": [entity.raw for entity in entities],
            "link_preview_options": _NO_PREVIEW,
        }
        if markup := self._markup(place, reply, sending):
            shown["reply_markup"] = markup
        if sending.edit and not reply.prompt and await self._edit(place, int(sending.edit), shown):
            return int(sending.edit)
        message = await self._ask("sendMessage", shown | _where(place, sending))
        return int(message["message_id"])

    async def _show(self, place: Place, reply: Reply, image: Image, sending: Sending) -> int:
        words, entities = draw.text(draw.caption(reply), self.door)
        if reply.text and draw.units(words) > draw.LONGEST_CAPTION:
            await self._show(place, Reply("", image=image), image, sending)
            return await self._put(place, replace(reply, image=None), sending)
        shown: Raw = {"caption_entities": [entity.raw for entity in entities]} | _where(place, sending)
        if markup := self._markup(place, reply, sending):
            shown["reply_markup"] = markup
        photo = Path(image.path) if image.path else image.data or b""
        message: Message = await self.bot.send_photo(place.chat, photo, words, api_kwargs=shown)
        return message.message_id

    async def _ask(self, method: str, fields: Raw) -> Any:
        return await self._request.ask(f"{self.bot.base_url}/{method}", fields)

    async def _edit(self, place: Place, number: int, shown: Raw) -> bool:
        """Change a message; say whether it still stands there to be changed."""
        try:
            await self._ask("editMessageText", {"chat_id": place.chat, "message_id": number, **shown})
        except BadRequest as error:
            if _SAME in error.message.lower():
                return True
            if any(reason in error.message.lower() for reason in _UNEDITABLE):
                return False
            raise
        return True

    def _markup(self, place: Place, reply: Reply, sending: Sending) -> Raw | None:
        choices = [choice for choice in reply.choices if not (place.channel and self._is_for_admins(choice.say))]
        keys = draw.keyboard(choices, sending.turn, self._opens(place))
        if keys and reply.link and self.me.shares and self._assistant and not place.shared:
            label = self._assistant.repertoire.say_in(sending.language)("telegram.share")
            keys["inline_keyboard"].append([{"text": label, "switch_inline_query": reply.link}])
        return keys or draw.form(reply)

    def _opens(self, place: Place) -> draw.Door:
        """Return which buttons lead into the private chat: in a channel all, in a group those of private commands."""
        if place.channel:
            return lambda command: self.door(command) or self.door("/help")
        return self._opens_in_group if place.shared else _stays

    def _is_for_admins(self, command: str) -> bool:
        """Say whether only those who run a chat may say a command; a channel's readers cannot be asked who they are."""
        name = command.removeprefix("/").partition(" ")[0]
        known = self._assistant.repertoire.command(name) if self._assistant else None
        return known is not None and known.admin

    def _opens_in_group(self, command: str) -> str | None:
        return self.door(command) if self._assistant and self._assistant.repertoire.is_private(command) else None

    async def _safely(self, asking: Awaitable[Any], place: Place) -> Any:
        """Await an answer of the Bot API. Raises `DeliveryError` in the place of its errors."""
        try:
            return await asking
        except RetryAfter as error:
            self._lanes.refused(place.chat, seconds(error))
            raise DeliveryError("told to wait", after=seconds(error)) from None
        except TelegramError as error:
            raise _failure(error, place) from None

    def secret(self, purpose: str) -> str:
        """Return a word that only the holder of the token can know, the same in every process and at every start."""
        return hmac.new(self._token, purpose.encode(), hashlib.sha256).hexdigest()[:40]


def _stays(_: str) -> None:
    return None


def _where(place: Place, sending: Sending) -> Raw:
    """Return where to send to: a chat, its topic, and in a group the message that is answered."""
    where: Raw = {"chat_id": place.chat}
    if place.topic:
        where["message_thread_id"] = place.topic
    _, _, asked = (sending.cause or "").partition(".")
    if asked and place.shared:
        where["reply_parameters"] = {"message_id": int(asked), "allow_sending_without_reply": True}
    return where


def seconds(error: RetryAfter) -> float:
    """Return how long Telegram wants silence."""
    after = error.retry_after
    return float(after) if isinstance(after, int) else after.total_seconds()


def _failure(error: TelegramError, place: Place) -> DeliveryError:
    """Return what an error of the Bot API means for a message; none of its own words, which may repeat ours."""
    why = type(error).__name__
    if isinstance(error, ChatMigrated):
        return DeliveryError(why, moved=Place(error.new_chat_id, place.topic).address)
    if isinstance(error, Forbidden | BadRequest):
        reason = _reason(error)
        return DeliveryError(f"{why} {reason}".strip(), permanent=True, lost=LOST.get(reason))
    return DeliveryError(why, unknown=isinstance(error, TimedOut))


LOST: dict[str, Lost] = {
    "blocked_by_the_user": "blocked",
    "can't_initiate": "blocked",
    "kicked": "barred",
    "not_enough_rights": "barred",
    "deactivated": "gone",
    "chat_not_found": "gone",
}


def _reason(error: TelegramError) -> str:
    """Return Telegram's reason where it is one of those that hold no words of ours."""
    said = error.message.lower()
    return next((reason for reason in LOST if reason.replace("_", " ") in said), "")


async def persist(asking: Callable[[], Awaitable[T]], pause: float = 2.0, longest: float = 60.0) -> T:
    """Return the answer to `asking` as soon as the network lets it through, pausing longer each time.

    Raises `RefusedError` where the token is no longer good.
    """
    while True:
        try:
            return await asking()
        except BadRequest:
            raise
        except InvalidToken:
            raise RefusedError(REVOKED) from None
        except RetryAfter as error:
            await asyncio.sleep(seconds(error))
        except NetworkError as error:
            log.warning("telegram does not answer why=%s again_in=%s", type(error).__name__, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)
