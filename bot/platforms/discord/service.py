"""Discord as `hearsay run` keeps it: it signs in, brings its menu up to date, and hears until it is stopped."""

import asyncio
from collections.abc import Sequence

from starlette.routing import BaseRoute

from bot.platforms.discord import Discord
from bot.talk.assistant import Assistant


class Service:
    """Everything of Discord. It needs no way in: it calls out."""

    def __init__(self, token: str, api: str | None = None, gateway: str | None = None) -> None:
        self._discord = Discord(token, api, gateway)

    @property
    def platform(self) -> Discord:
        """What draws the replies."""
        return self._discord

    @property
    def met(self) -> asyncio.Event:
        """Whether Discord has taken the token."""
        return self._discord.met

    def listen(self, assistant: Assistant) -> Sequence[BaseRoute]:
        """Learn whom to hand what is heard."""
        self._assistant = assistant
        return []

    async def run(self) -> None:
        """Hear until cancelled. Raises `RefusedError` where the token is wrong."""
        await self._discord.run(self._assistant)

    async def publish(self) -> None:
        """Bring the commands up to date."""
        await self._discord.publish()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._discord.close()

    @property
    def greeting(self) -> str:
        """What is on, for whoever started it."""
        if not self._discord.link:
            return "on   no answer from Discord yet; trying again"
        return f"on   to invite it: {self._discord.link}"
