"""Discord: servers, threads and direct messages. Imported only where a token is set, for the library is large."""

import asyncio
import logging

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.core.message import Address, Reply
from bot.core.platform import DeliveryError, Limits, RefusedError, Sending
from bot.platforms import limits
from bot.platforms.discord import draw
from bot.platforms.discord.client import Client
from bot.platforms.discord.failure import TROUBLE, failure
from bot.platforms.discord.hear import NAME
from bot.platforms.discord.invite import REFUSED, invitation, invite_link
from bot.talk.assistant import Assistant

__all__ = ["NAME", "Discord", "invitation", "invite_link"]

log = logging.getLogger(__name__)

STARTING = 2.0  # seconds after which a bubble is tried again that came before we were connected
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
WRONG_TOKEN = 4004


class Discord:
    """Draws what is answered and keeps Discord's rules about when and how often.

    What only an interaction can carry, an answer for one person's eyes, is lost with the process; everything else is a
    row and arrives.
    """

    name = NAME
    pulls = False

    def __init__(self, token: str, api: str | None = None, gateway: str | None = None) -> None:
        self.met = asyncio.Event()
        self._token = token
        self._running: Client | None = None
        self._client: Client | None = None  # it has signed in
        if api:
            Route.BASE = api.rstrip("/")
        if gateway:
            DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)

    def connect(self, assistant: Assistant) -> Client:
        """Return a client, not yet started, through which `assistant` is talked with."""
        logging.getLogger("discord").setLevel(logging.CRITICAL)  # it writes addresses; what matters is logged here
        return Client(assistant, self._signed_in)

    async def run(self, assistant: Assistant) -> None:
        """Hear until cancelled or closed; until `close` bubbles can be sent.

        Raises `RefusedError` where the token is wrong.
        """
        pause = FIRST_PAUSE
        while True:
            self._running = self.connect(assistant)
            try:
                await self._running.start(self._token)
                return
            except (*TROUBLE, discord.DiscordException) as error:
                await self.close()
                if _is_refusal(error):
                    raise RefusedError(REFUSED) from None
                log.warning("discord unreachable error=%s again_in=%s", type(error).__name__, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def close(self) -> None:
        """Let go of the connections; `run` returns."""
        self._client = None
        if self._running:
            await self._running.close()

    async def publish(self) -> None:
        """Publish the commands anew where content that was taken over has changed them."""
        if self._client:
            await self._client.publish()

    @property
    def link(self) -> str | None:
        """The address at which the assistant is invited, None before Discord said which application this is."""
        return invite_link(str(self._client.application_id)) if self._client else None

    def limits(self, address: Address) -> Limits:  # noqa: ARG002  # a thread or a direct message is a channel as well
        """Return what a channel can show."""
        return limits.DISCORD

    def made(self, address: Address) -> None:
        """Never called: bubbles are sent."""

    async def send(self, address: Address, reply: Reply, sending: Sending) -> str | None:
        """Answer what was done, or write into the channel; return `channel:message`. Raises `DeliveryError`."""
        return await self._online().voice.send(address, reply, sending)

    async def leave(self, address: Address) -> None:
        """Go away from the server of a channel."""
        channel = self._online().get_channel(int(address.chat))
        if not isinstance(channel, (discord.abc.GuildChannel, discord.Thread)):
            return
        try:
            await channel.guild.leave()
        except TROUBLE as error:
            raise failure(error) from None

    async def open_room(self, address: Address, title: str) -> Address:
        """Open a public thread in a channel; return its address. Raises `DeliveryError`."""
        channel = self._online().get_channel(int(address.chat))
        if not isinstance(channel, discord.TextChannel):
            raise DeliveryError("threads grow only in a server's text channels", permanent=True)
        public = discord.ChannelType.public_thread
        try:
            thread = await channel.create_thread(name=draw.cut(title, 100), type=public, auto_archive_duration=1440)
        except TROUBLE as error:
            raise failure(error) from None
        return Address(NAME, str(thread.id))

    def _signed_in(self, client: Client) -> None:
        self._client = client
        self.met.set()

    def _online(self) -> Client:
        if self._client is None:
            raise DeliveryError("not connected yet", after=STARTING)
        return self._client


def _is_refusal(error: Exception) -> bool:
    closed = isinstance(error, discord.ConnectionClosed) and error.code == WRONG_TOKEN
    return closed or isinstance(error, discord.LoginFailure)
