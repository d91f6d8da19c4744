"""Telegram as `hearsay run` keeps it: it meets Telegram, brings its menus up to date, and hears until it is stopped."""

import asyncio
import logging
from collections.abc import Sequence

from starlette.routing import BaseRoute
from telegram.error import NetworkError, TelegramError

from bot.core.platform import RefusedError
from bot.platforms.telegram import Telegram, persist
from bot.platforms.telegram.ears import Ears
from bot.platforms.telegram.menu import publish
from bot.platforms.telegram.updates import Webhook, poll
from bot.talk.assistant import Assistant

log = logging.getLogger(__name__)

LOOK_EVERY = 60.0  # seconds between looks at whether Telegram reaches the webhook


class Service:
    """Everything of Telegram but the web server that its webhook needs, which gets the `routes`."""

    def __init__(self, token: str, api: str, webhook: str | None) -> None:
        self._telegram = Telegram(token, api)
        self.met = asyncio.Event()
        self._public = webhook
        self._webhook: Webhook | None = None

    @property
    def platform(self) -> Telegram:
        """What draws the replies."""
        return self._telegram

    def listen(self, assistant: Assistant) -> Sequence[BaseRoute]:
        """Learn whom to hand what is heard; return the ways in that the web server is to open."""
        self._assistant = assistant
        self._ears = Ears(self._telegram, assistant)
        if self._public is None:
            return []
        self._webhook = Webhook(self._telegram, self._ears, self._public)
        return [self._webhook.route]

    async def run(self) -> None:
        """Hear until cancelled. Raises `RefusedError`."""
        await persist(lambda: self._telegram.connect(self._assistant))
        self.met.set()
        publishing = asyncio.create_task(self.publish())
        try:
            await (self._watch(self._webhook) if self._webhook else poll(self._telegram, self._ears))
        finally:
            publishing.cancel()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._telegram.close()

    @property
    def greeting(self) -> str:
        """What is on, for whoever started it."""
        if not self.met.is_set():
            return "on   no answer from Telegram yet; trying again"
        return f"on   https://t.me/{self._telegram.me.username}"

    async def publish(self) -> None:
        """Bring menus and descriptions up to date; where that fails, those of the last time stay."""
        if not self.met.is_set():
            return
        try:
            await publish(self._telegram.bot, self._assistant.repertoire)
        except TelegramError as error:
            log.warning("menus not brought up to date why=%s", type(error).__name__)

    async def _watch(self, webhook: Webhook) -> None:
        await persist(webhook.announce)
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await persist(webhook.look)


async def link(token: str, api: str, payload: str) -> str:
    """Return the link that says `payload` to the bot. Raises `RefusedError`, also where nobody answers."""
    telegram = Telegram(token, api)
    try:
        await telegram.meet()
    except NetworkError:
        raise RefusedError(
            "Telegram does not answer; the link holds the bot's name, which only Telegram knows."
        ) from None
    finally:
        await telegram.close()
    return f"https://t.me/{telegram.me.username}?start={payload}"
