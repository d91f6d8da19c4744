"""One thing that somebody did and its answers: acknowledged within three seconds, once, for fifteen minutes."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import discord

from bot.core.message import Image
from bot.core.platform import DeliveryError
from bot.platforms.discord import draw
from bot.platforms.discord.failure import TROUBLE

log = logging.getLogger(__name__)

PATIENCE = 45.0  # seconds for one bubble, the library's own tries included
LIFE = 15 * 60 - 15  # seconds for which an interaction takes answers, a little less than Discord allows
FOLLOW_UPS = 5  # where nobody invited us
UNKNOWN, ANSWERED, UNKNOWN_HOOK, EXPIRED = 10062, 40060, 10015, 50027
NOBODY = discord.AllowedMentions.none()


class GoneError(Exception):
    """Discord takes no answer to this any more."""


@dataclass(frozen=True, slots=True)
class Bubble:
    """A message as it is drawn; `key` is the same at every try."""

    key: str
    text: str
    view: discord.ui.View | None = None
    image: Image | None = None
    hidden: bool = False

    def fresh(self) -> dict[str, Any]:
        """Return what discord.py needs to send it."""
        view = {"view": self.view} if self.view else {}
        files = {"file": draw.picture(self.image)} if self.image else {}
        return {"content": self.text or None, "suppress_embeds": True, "allowed_mentions": NOBODY, **view, **files}

    def edited(self) -> dict[str, Any]:
        """Return what discord.py needs to put it in the place of an older one."""
        files = [draw.picture(self.image)] if self.image else []
        return {"content": self.text or None, "view": self.view, "attachments": files, "allowed_mentions": NOBODY}


class Ask:
    """An interaction, and how far it is answered.

    It lets go of discord.py's large object as soon as it is answered; what is left is small enough to be kept. `rest`
    is what the last answer says where only a few are taken, "" where any number is.
    """

    __slots__ = (
        "_done",
        "_follow_ups",
        "_heard",
        "_hook",
        "_lock",
        "_lost",
        "_over",
        "_promise",
        "_promised",
        "_rest",
        "_timer",
        "born",
        "hidden",
    )

    def __init__(self, heard: discord.Interaction, *, hidden: bool, rest: str = "") -> None:
        self._heard: discord.Interaction | None = heard
        self._hook = heard.followup
        self._lock = asyncio.Lock()
        self._done = False  # acknowledged, by whomever
        self._over = False  # Discord said that it was too late
        self._promised = False  # an answer stands there that says no more than that one will come
        self._lost: str | None = None  # the bubble whose sending was cut off
        self._timer: asyncio.TimerHandle | None = None
        self._promise: asyncio.Task[None] | None = None
        self._follow_ups = 0
        self._rest = rest
        self.born = time.monotonic()
        self.hidden = hidden

    @property
    def is_over(self) -> bool:
        """Whether no answer is taken any more."""
        return self._over or time.monotonic() - self.born > LIFE

    @property
    def is_in_doubt(self) -> bool:
        """Whether a follow-up was cut off: Discord can say whether a first answer arrived, but not whether this did."""
        return self._lost is not None and self._done and not (self._promised or self.is_over)

    def awaits(self, message: int) -> bool:
        """Say whether this is a press on `message` that is still to be acknowledged."""
        return not self._done and self._source() == message

    def promise_after(self, seconds: float) -> None:
        """Acknowledge in so many seconds, with the privacy that the answer will have, unless it comes before."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self._begin_promise)

    def stop_waiting(self) -> None:
        """Do not acknowledge by itself: there is an answer, or it is for somebody else to give."""
        if self._timer:
            self._timer.cancel()

    def _begin_promise(self) -> None:
        self._promise = asyncio.create_task(quietly(self.promise()))

    async def promise(self) -> None:
        """Acknowledge now, if that has not happened yet."""
        async with self._lock:
            if self._heard and not self._done:
                await self._acknowledge(self._heard, hidden=self.hidden)

    async def close(self) -> None:
        """Acknowledge, and show nothing, if nothing was shown yet."""
        async with self._lock:
            if self._heard and not self._done:
                await self._acknowledge(self._heard, hidden=True)
            if self._heard and self._promised:
                await self._heard.delete_original_response()
            self._heard = None

    async def show(self, bubble: Bubble) -> int:
        """Answer, or go on answering; return the message's id. Raises `GoneError`."""
        async with self._lock:
            self._check()
            shown = await self._arrived() if self._lost == bubble.key else None
            self._lost = bubble.key
            shown = shown or await self._show(bubble)
            self._lost = self._heard = None
            return shown

    async def replace(self, message: int, bubble: Bubble) -> int:
        """Put `bubble` in the place of an older message. Raises `discord.NotFound` where that is gone, `GoneError`."""
        async with self._lock:
            self._check()
            heard = self._heard
            if heard and self.awaits(message) and await self._first(lambda: self._edit(heard, bubble)):
                self._heard = None
                return message
            await _alive(self._hook.edit_message(message, **bubble.edited()))
            return message

    def _check(self) -> None:
        if self.is_over:
            raise GoneError

    async def _show(self, bubble: Bubble) -> int:
        heard = self._heard
        if heard and self._promised:
            return await self._keep(heard, bubble)
        if heard and (sent := await self._first(lambda: self._send(heard, bubble))):
            return int(sent.message_id)
        return await self._follow(bubble)

    async def _send(self, heard: discord.Interaction, bubble: Bubble) -> Any:
        return await heard.response.send_message(**bubble.fresh(), ephemeral=bubble.hidden)

    async def _edit(self, heard: discord.Interaction, bubble: Bubble) -> Any:
        return await heard.response.edit_message(**bubble.edited())

    def _source(self) -> int | None:
        """Return the id of the message that was pressed."""
        return self._heard.message.id if self._heard and self._heard.message else None

    async def _first(self, answer: Callable[[], Awaitable[Any]]) -> Any:
        """Return how Discord took the first answer, None where this has been acknowledged. Raises `GoneError`."""
        if self._done:
            return None
        try:
            taken = await answer()
        except discord.HTTPException as error:
            if error.code == UNKNOWN:
                self._over = True
                raise GoneError from None
            if error.code != ANSWERED:
                raise
            taken = None
        self._done = True
        self.stop_waiting()
        return taken

    async def _keep(self, heard: discord.Interaction, bubble: Bubble) -> int:
        """Put the answer where it was promised; one of another privacy stands after it."""
        if bubble.hidden == self.hidden:
            message = await _alive(heard.edit_original_response(**bubble.edited()))
            return int(message.id)
        await _alive(heard.delete_original_response())
        self._promised = False
        return await self._follow(bubble)

    async def _follow(self, bubble: Bubble) -> int:
        if self._rest and self._follow_ups == FOLLOW_UPS:
            raise GoneError
        if self._rest and self._follow_ups == FOLLOW_UPS - 1:
            bubble = replace(bubble, text=f"{bubble.text[: draw.MOST - len(self._rest) - 2]}\n\n{self._rest}")
        message = await _alive(self._hook.send(**bubble.fresh(), ephemeral=bubble.hidden, wait=True))
        self._follow_ups += 1
        return int(message.id)

    async def _acknowledge(self, heard: discord.Interaction, *, hidden: bool) -> None:
        thinking = heard.type is discord.InteractionType.application_command
        taken = await self._first(lambda: heard.response.defer(ephemeral=hidden and thinking))
        self._promised = thinking and taken is not None

    async def _arrived(self) -> int | None:
        """Look whether an answer arrived whose sending was cut off."""
        if self._heard is None:
            return None
        try:
            message = await self._heard.original_response()
        except discord.NotFound:
            return None
        return None if message.flags.loading or message.id == self._source() else message.id


async def quietly(deed: Awaitable[Any]) -> None:
    """Do what may fail without harm: whoever waits for it sees what Discord says."""
    try:
        async with asyncio.timeout(PATIENCE):
            await deed
    except (GoneError, DeliveryError, *TROUBLE) as error:
        log.info("discord not acknowledged error=%s", type(error).__name__)


async def _alive(answer: Awaitable[Any]) -> Any:
    """Await `answer`. Raises `GoneError` where the token of the interaction is over."""
    try:
        return await answer
    except discord.HTTPException as error:
        if error.code in (UNKNOWN_HOOK, EXPIRED, UNKNOWN):
            raise GoneError from None
        raise
