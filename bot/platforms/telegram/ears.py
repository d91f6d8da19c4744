"""From updates to turns: each chat in its order, nothing taken as heard before it is durable."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from weakref import WeakValueDictionary

from telegram import ChatMemberAdministrator, ReactionTypeEmoji
from telegram.error import Forbidden, TelegramError

from bot.core.message import Address, Message
from bot.platforms.telegram import Telegram
from bot.platforms.telegram.hear import Asked, Gone, Joined, Moved, Raw, Said, heard
from bot.platforms.telegram.inline import answer
from bot.platforms.telegram.place import Place
from bot.storage.store import StoreError
from bot.talk.assistant import Assistant, Turn
from bot.talk.feature import Command
from bot.talk.words import call

log = logging.getLogger(__name__)

KNOWN_FOR = 60.0  # seconds for which somebody is taken to run a group
TYPES_AFTER = 0.7  # seconds of thinking after which "typing" is shown
SORRY_EVERY = 60.0  # seconds between two excuses to one chat
ANSWERED_ELSEWHERE = ReactionTypeEmoji("👀")
_RUNS_IT = ("creator", "administrator")
_CHANNEL = re.compile(r"@[A-Za-z]\w{3,31}|-100\d{1,13}")


class Ears:
    """Hands what is said to the assistant."""

    def __init__(self, telegram: Telegram, assistant: Assistant) -> None:
        self._telegram = telegram
        self._assistant = assistant
        self._orders: WeakValueDictionary[Place, asyncio.Lock] = WeakValueDictionary()
        self._runs: dict[tuple[int, int], tuple[bool, float]] = {}
        self._excused: dict[Place | str, float] = {}
        self._hints: set[asyncio.Task[bool]] = set()

    async def take(self, update: Raw) -> None:
        """Hear `update`; when this returns, what it led to is durable. Raises `StoreError` where nothing can be kept.

        What cannot be understood is passed over: it would not be understood the next time either.
        """
        try:
            found = heard(update, self._telegram.me, self._assistant.repertoire)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            log.error("update not understood error=%s", type(error).__name__)
            return
        match found:
            case Said():
                await self._said(found)
            case Asked():
                await answer(self._telegram, self._assistant, found)
            case Joined():
                await self._joined(found)
            case Gone():
                await self._assistant.forget(found.place.address)
            case Moved():
                await self._assistant.move(found.old.address, found.new.address)

    async def _said(self, said: Said) -> None:
        if said.press and said.press not in self._excused:
            self._telegram.pressed(said.key, said.press)
        order = self._orders.setdefault(said.place, asyncio.Lock())
        async with order:
            try:
                turn = await self._heed(said)
            except StoreError:
                await self._excuse(said)
                raise
        if not (said.place.shared and any(bubble.reply.aside for bubble in turn.bubbles)):
            await self._telegram.acknowledge(said.key)  # an aside does it in its own words

    async def _heed(self, said: Said) -> Turn:
        called, asked = call(said.text), said.place
        command = self._assistant.repertoire.command(called.name) if called else None
        elsewhere = command is not None and command.private and asked.shared
        if said.press and (elsewhere or said.loose or asked.channel):
            door = self._telegram.door(said.text) or self._telegram.door("/help")
            await self._telegram.acknowledge(said.key, url=door)
            return Turn()
        if elsewhere and called and command:
            said = await self._in_private(said, f"/{command.name} {called.argument}".strip(), f"/{command.name}")
        async with self._typing(said.place):
            turn = await self._assistant.handle(await self._message(said, command))
        if said.place != asked and not turn.repeat:
            await self._point(asked, said)
        return turn

    async def _message(self, said: Said, command: Command | None) -> Message:
        shared = said.place.shared
        return Message(
            said.place.address,
            said.text,
            said.key,
            said.turn,
            str(said.person) if shared else "",
            None if shared else said.language,
            shared=shared,
            admin=bool(shared and command and (command.admin or command.ranked)) and await self._runs_it(said),
            unseen=said.unseen,
            unreachable=said.unreachable,
            runs=await self._named(said, command),
        )

    async def _in_private(self, said: Said, whole: str, bare: str) -> Said:
        """Return what was said as if said in the private chat; where there is none yet, the way to open one."""
        if not said.anonymous and await self._is_open(Place(said.person)):
            return replace(said, place=Place(said.person))
        return replace(said, text=whole if self._assistant.repertoire.payload(whole) else bare, unreachable=True)

    async def _is_open(self, place: Place) -> bool:
        """Say whether the bot may write somewhere, by showing there that it types."""
        try:
            await self._telegram.bot.send_chat_action(place.chat, "typing", message_thread_id=place.topic)
        except Forbidden:
            return False
        except TelegramError:
            return True  # in doubt, the outbox finds out
        return True

    async def _point(self, group: Place, said: Said) -> None:
        """Show in the group that the answer went elsewhere, without a message; not every group allows it."""
        try:
            await self._telegram.bot.set_message_reaction(group.chat, said.number, ANSWERED_ELSEWHERE)
        except TelegramError as error:
            log.debug("no reaction why=%s", type(error).__name__)

    async def _runs_it(self, said: Said) -> bool:
        """Say whether who spoke is an administrator, as Telegram said within the last minute."""
        if said.anonymous:
            return True
        who, now = (said.place.chat, said.person), time.monotonic()
        known = self._runs.get(who)
        if known is None or known[1] < now:
            self._runs = {other: fact for other, fact in self._runs.items() if fact[1] >= now}
            self._runs[who] = known = (await self._ask_for_rank(*who), now + KNOWN_FOR)
        return known[0]

    async def _named(self, said: Said, command: Command | None) -> Address | None:
        """Return the channel that a command in a private chat names, if who spoke runs it and the bot may post there.

        Asked anew each time: whoever runs a channel today may not do so tomorrow.
        """
        called = call(said.text)
        words = called.argument.split() if called and command and command.elsewhere else []
        if not words or said.place.shared or not _CHANNEL.fullmatch(words[0]):
            return None
        named = words[0] if words[0].startswith("@") else int(words[0])
        try:
            chat = await self._telegram.bot.get_chat(named)
            if chat.type != "channel":
                return None
            mine = await self._telegram.bot.get_chat_member(chat.id, self._telegram.me.id)
            theirs = await self._telegram.bot.get_chat_member(chat.id, said.person)
        except TelegramError:  # no such channel, or one that we know nothing of
            return None
        may_post = isinstance(mine, ChatMemberAdministrator) and bool(mine.can_post_messages)
        return Place(chat.id, channel=True).address if may_post and theirs.status in _RUNS_IT else None

    async def _ask_for_rank(self, chat: int, person: int) -> bool:
        try:
            member = await self._telegram.bot.get_chat_member(chat, person)
        except TelegramError:
            return False
        return member.status in _RUNS_IT

    async def _joined(self, joined: Joined) -> None:
        """Greet a group; of a channel, where nobody can answer, tell whoever brought the bot there."""
        place, text = (Place(joined.person), "/channel") if joined.place.channel else (joined.place, "/joined")
        language = joined.language if not place.shared else None
        message = Message(
            place.address,
            text,
            joined.key,
            language=language,
            shared=place.shared,
            introduced=True,
            runs=joined.place.address if joined.place.channel else None,
        )
        await self._assistant.handle(message)

    async def _excuse(self, said: Said) -> None:
        """Say, at most once a minute, that nothing can be kept: Telegram will bring the update again."""
        now, repertoire = time.monotonic(), self._assistant.repertoire
        words = repertoire.say_in(repertoire.spoken(said.language))("talk.full")
        if said.press:
            self._excused[said.press] = now + SORRY_EVERY  # when it comes again, it is answered already
            await self._telegram.acknowledge(said.key, words)
        elif self._excused.get(said.place, 0.0) < now:
            self._excused = {other: until for other, until in self._excused.items() if until > now}
            self._excused[said.place] = now + SORRY_EVERY
            try:
                await self._telegram.bot.send_message(said.place.chat, words, message_thread_id=said.place.topic)
            except TelegramError as error:
                log.info("excuse not sent why=%s", type(error).__name__)

    @asynccontextmanager
    async def _typing(self, place: Place) -> AsyncIterator[None]:
        """Show that the bot types, if what follows takes long."""
        soon = asyncio.get_running_loop().call_later(TYPES_AFTER, self._type, place)
        try:
            yield
        finally:
            soon.cancel()

    def _type(self, place: Place) -> None:
        hint = asyncio.create_task(self._is_open(place))
        self._hints.add(hint)
        hint.add_done_callback(self._hints.discard)
