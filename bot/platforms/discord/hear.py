"""What people do on Discord, as messages: commands, presses, choices, forms, words meant for us."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import discord

from bot.core.message import Address, Message
from bot.platforms.discord import draw, menu
from bot.talk.repertoire import Repertoire

NAME = "discord"
_WORDS = (discord.MessageType.default, discord.MessageType.reply)


@dataclass(frozen=True, slots=True)
class Said:
    """What an interaction says; `alone` where only who said it may see the answer."""

    text: str
    turn: int | None = None
    unseen: bool = False
    alone: bool = False


def interaction(heard: discord.Interaction, repertoire: Repertoire) -> Message | None:
    """Return what an interaction says, None where it says nothing that we know.

    In a place of several people, what is private becomes a conversation of its own in that person's corner. Where
    nobody invited us, and only a person brought us along, everything is private.
    """
    said = _said(heard)
    if said is None or heard.channel_id is None:
        return None
    several = heard.guild_id is not None or heard.context.private_channel
    private = said.text.startswith("/") and repertoire.is_private(said.text)
    alone = said.alone or private or is_guest(heard) or _is_hidden(heard.message)
    corner = str(heard.user.id) if several and alone else None
    shared = several and corner is None
    place = heard.guild_locale if shared and heard.guild_locale else heard.locale
    return Message(
        Address(NAME, str(heard.channel_id), corner),
        said.text,
        str(heard.id),
        said.turn,
        str(heard.user.id),
        place.value,
        shared=shared,
        admin=_runs(heard.permissions),
        unseen=said.unseen,
    )


def is_guest(heard: discord.Interaction) -> bool:
    """Say whether a person brought us to a place that has not invited us."""
    invited = heard.is_guild_integration() or not heard.is_user_integration()
    return heard.context.private_channel or (heard.guild_id is not None and not invited)


def words(heard: discord.Message, me: int) -> Message | None:
    """Return what a message says, None where it is not meant for us: other bots, system notes, talk among others."""
    if heard.author.bot or heard.webhook_id or heard.type not in _WORDS:
        return None
    guild = heard.guild
    if guild and not _is_meant(heard, me):
        return None
    text = re.sub(rf"<@!?{me}>", " ", _text(heard)).strip()
    unseen = not text and bool(heard.attachments or heard.stickers or heard.poll)
    if guild and not text and not unseen and not _is_named(heard, me):
        return None  # a reply to us whose words Discord keeps from us
    return Message(
        Address(NAME, str(heard.channel.id)),
        text,
        str(heard.id),
        sender=str(heard.author.id),
        language=guild.preferred_locale.value if guild else None,
        shared=guild is not None,
        admin=isinstance(heard.author, discord.Member) and _runs(heard.author.guild_permissions),
        unseen=unseen,
    )


def joined(guild: discord.Guild) -> Message | None:
    """Return that we were invited, where a guild has a channel to say so in."""
    channel, me = guild.system_channel, guild.me
    if channel is None or not channel.permissions_for(me).send_messages:
        return None
    since = int(me.joined_at.timestamp()) if me.joined_at else 0
    where, language = Address(NAME, str(channel.id)), guild.preferred_locale.value
    return Message(where, "/joined", f"joined-{guild.id}-{since}", language=language, shared=True)


def place(heard: discord.Interaction) -> Address:
    """Return the conversation of the whole channel in which something is typed."""
    return Address(NAME, str(heard.channel_id))


def half_typed(heard: discord.Interaction) -> tuple[str, str]:
    """Return the command that is being typed, and as much of its argument as there is."""
    data: Any = heard.data
    focused = (option["value"] for option in data.get("options", ()) if option.get("focused"))
    return data["name"], str(next(focused, ""))


def asks(heard: discord.Interaction) -> tuple[str, str] | None:
    """Return the label and the id of a pressed button that opens a form, None where it does not."""
    data: Any = heard.data
    if heard.type is not discord.InteractionType.component or draw.read_asked(data["custom_id"]) is None:
        return None
    return _label(heard.message, data["custom_id"]), data["custom_id"]


def _label(message: discord.Message | None, custom_id: str) -> str:
    rows = message.components if message else ()
    buttons = (item for row in rows if isinstance(row, discord.ActionRow) for item in row.children)
    for button in buttons:
        if isinstance(button, discord.Button) and button.custom_id == custom_id:
            return button.label or ""
    return ""


def _said(heard: discord.Interaction) -> Said | None:
    data: Any = heard.data
    match heard.type:
        case discord.InteractionType.application_command if data.get("type", menu.SLASH) == menu.SLASH:
            typed = " ".join(str(option["value"]) for option in data.get("options", ()) if "value" in option)
            return Said(f"/{data['name']} {typed}".strip())
        case discord.InteractionType.application_command if data["type"] == menu.ON_MESSAGE:
            return _checked(data)
        case discord.InteractionType.component:
            found = draw.read_press(next(iter(data.get("values", ())), data["custom_id"]))
            return Said(*found) if found else None
        case discord.InteractionType.modal_submit:
            asked = draw.read_asked(data["custom_id"])
            return Said("\n".join(_typed(data["components"])), *asked) if asked else None
    return None


def _checked(data: Any) -> Said:
    """Take somebody's message as words: a command in it was not said by who asks."""
    message = data["resolved"]["messages"][data["target_id"]]
    forwarded = [shot["message"] for shot in message.get("message_snapshots", ())]
    text = next(filter(None, (one.get("content") for one in (message, *forwarded))), "")
    return Said(text.lstrip("/ \n"), unseen=not text, alone=True)


def _typed(components: list[Any]) -> Iterator[str]:
    for part in components:
        inner = [*part.get("components", ()), *filter(None, [part.get("component")])]
        yield from (field["value"] for field in inner if "value" in field)


def _is_hidden(message: discord.Message | None) -> bool:
    return message is not None and message.flags.ephemeral


def _is_meant(heard: discord.Message, me: int) -> bool:
    answered = heard.reference.resolved if heard.reference else None
    return _is_named(heard, me) or (isinstance(answered, discord.Message) and answered.author.id == me)


def _is_named(heard: discord.Message, me: int) -> bool:
    return any(user.id == me for user in heard.mentions)


def _text(heard: discord.Message) -> str:
    """Return the words of a message, or those that it forwards."""
    forwarded = (shot.content for shot in heard.message_snapshots)
    return heard.content or next(filter(None, forwarded), "")


def _runs(permissions: discord.Permissions) -> bool:
    return permissions.manage_guild or permissions.administrator
