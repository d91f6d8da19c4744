"""What is heard from the gateway: eyes only for what is meant for us, no memory of members or messages."""

import logging
import sys
import traceback
from collections.abc import Callable
from typing import Any

import discord
from discord.http import Route

from bot.core.message import Address, Message
from bot.platforms.discord import draw, hear, menu
from bot.platforms.discord.ask import Ask, quietly
from bot.platforms.discord.failure import TROUBLE
from bot.platforms.discord.speak import Voice
from bot.storage.store import StoreError
from bot.talk.assistant import Assistant, Turn

log = logging.getLogger(__name__)

PROMISE_AFTER = 2.0  # seconds; Discord waits for three
LONGEST_WAIT = 30.0  # seconds that the library waits for a rate limit before it gives the bubble back


class Client(discord.AutoShardedClient):
    """Hands what people do to `assistant`; as many connections as Discord asks for, one for most."""

    def __init__(self, assistant: Assistant, signed_in: Callable[["Client"], None]) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True, guild_messages=True, dm_messages=True),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            max_ratelimit_timeout=LONGEST_WAIT,
        )
        self.voice = Voice(self, assistant)
        self._assistant = assistant
        self._signed_in = signed_in

    async def setup_hook(self) -> None:
        """Publish the commands before anything is heard."""
        self._signed_in(self)
        await self.publish()

    async def publish(self) -> None:
        """Publish the commands, if they are not what Discord shows already."""
        repertoire, application = self._assistant.repertoire, self.application_id or 0
        wanted = menu.payload(repertoire)
        route = Route("GET", "/applications/{application_id}/commands", application_id=application)
        try:
            known: list[Any] = await self.http.request(route, params={"with_localizations": "true"})
            if menu.digest(known) != menu.digest(wanted):
                known = list(await self.http.bulk_upsert_global_commands(application, wanted))
                log.info("discord commands published count=%s", len(known))
        except TROUBLE as error:
            log.warning("discord commands not published error=%s", type(error).__name__)
            return
        self.voice.published(menu.mentions(repertoire, known))

    async def on_interaction(self, heard: discord.Interaction) -> None:
        """Let the assistant hear what was done; acknowledge it whatever becomes of it."""
        if heard.type is discord.InteractionType.autocomplete:
            await quietly(self._suggest(heard))
        elif form := hear.asks(heard):
            await quietly(self._open_form(heard, *form))
        elif message := hear.interaction(heard, self._assistant.repertoire):
            await self._answer(message, heard)
        else:
            await quietly(Ask(heard, hidden=True).close())

    async def on_message(self, heard: discord.Message) -> None:
        """Let the assistant hear a message that is meant for it."""
        message = hear.words(heard, self.user.id if self.user else 0)
        if message is None:
            return
        if message.shared:
            self.voice.mentioned(message)
        await self._handle(message)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Introduce ourselves where we were invited, once."""
        if message := hear.joined(guild):
            await self._handle(message)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Forget the channels of a server that we are no longer in."""
        await self._forget(*(channel.id for channel in (*guild.channels, *guild.threads)))

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Forget a channel that is no more."""
        await self._forget(channel.id)

    async def on_raw_thread_delete(self, gone: discord.RawThreadDeleteEvent) -> None:
        """Forget a thread that is no more."""
        await self._forget(gone.thread_id)

    async def on_shard_ready(self, shard: int) -> None:
        """Note that a connection stands."""
        log.info("discord connected shard=%s", shard)

    async def on_shard_resumed(self, shard: int) -> None:
        """Note that a connection stands again."""
        log.info("discord resumed shard=%s", shard)

    async def on_shard_disconnect(self, shard: int) -> None:
        """Note that a connection broke; the library makes it anew."""
        if not self.is_closed():
            log.warning("discord reconnecting shard=%s", shard)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Note where something broke, without the error's message, which may hold a person's words."""
        kind, _, trace = sys.exc_info()
        path = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(traceback.extract_tb(trace)[-6:]))
        log.error("discord broken event=%s error=%s at=%s", event_method, kind and kind.__name__, path)

    async def _answer(self, message: Message, heard: discord.Interaction) -> None:
        say = self.voice.say(message.language)
        rest = say("discord.rest") if hear.is_guest(heard) else ""
        ask = Ask(heard, hidden=message.where.person is not None, rest=rest)
        self.voice.expect(message, ask)
        ask.promise_after(PROMISE_AFTER)
        turn = await self._handle(message)
        if turn and turn.repeat:
            ask.stop_waiting()  # another process heard it first, and answers
        elif turn and not (turn.bubbles or turn.farewell):
            await quietly(ask.close())

    async def _handle(self, message: Message) -> Turn | None:
        """Hand a message over; say so where nothing can be kept."""
        try:
            return await self._assistant.handle(message)
        except StoreError:
            await self.voice.full(message)
            return None

    async def _forget(self, *channels: int) -> None:
        try:
            for channel in channels:
                await self._assistant.forget(Address(hear.NAME, str(channel)))
        except StoreError as error:
            log.error("discord not forgotten error=%s", type(error).__name__)

    async def _suggest(self, heard: discord.Interaction) -> None:
        """Offer what half-typed words may become."""
        name, typed = hear.half_typed(heard)
        repertoire = await self._assistant.repertoire_for(hear.place(heard))
        command, language = repertoire.command(name), repertoire.spoken(heard.locale.value)
        hidden = await self._assistant.hidden(repertoire)
        found = repertoire.complete(command, typed, language, hidden) if command else []
        offered = {choice.say[: draw.VALUE]: draw.cut(choice.label, draw.VALUE) for choice in found}
        choices = [discord.app_commands.Choice(name=label, value=say) for say, label in offered.items()]
        await heard.response.autocomplete(choices[:25])

    async def _open_form(self, heard: discord.Interaction, title: str, custom_id: str) -> None:
        say = self.voice.say(heard.locale.value)
        label = say("discord.answer")
        await heard.response.send_modal(draw.form(title or label, label, custom_id))
