"""What an update of Telegram says. Pure: raw updates in, what was heard out."""

import re
from dataclasses import dataclass
from typing import Any

from bot.platforms.telegram.draw import pressed
from bot.platforms.telegram.place import Place
from bot.talk.repertoire import Repertoire
from bot.talk.words import call, clean

WANTED = ["message", "callback_query", "inline_query", "my_chat_member"]
"""The kinds of update that Telegram is asked for."""

Raw = dict[str, Any]
_SEEN_NOT_READ = (
    *("animation", "audio", "checklist", "contact", "dice", "document", "game", "live_photo", "location"),
    *("paid_media", "photo", "poll", "rich_message", "sticker", "story", "venue", "video", "video_note", "voice"),
)
_PRESENT = {"member", "administrator", "creator", "restricted"}
_GONE = {"left", "kicked"}


@dataclass(frozen=True, slots=True)
class Me:
    """The bot itself, as Telegram names it; `shares` says that `@name words` works in any chat."""

    id: int
    username: str
    shares: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """Words, a command or a press, meant for the bot; `press` is the id by which a press is answered.

    `number` is that of the message; `loose` marks a press under a card that was shared who knows where.
    """

    place: Place
    person: int
    text: str
    key: str
    language: str | None = None
    turn: int | None = None
    number: int = 0
    press: str | None = None
    loose: bool = False
    unseen: bool = False
    unreachable: bool = False
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """`@bot words`, typed in any chat."""

    id: str
    text: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Joined:
    """The bot was brought into a chat."""

    place: Place
    person: int
    key: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Gone:
    """The bot was removed, or blocked."""

    place: Place


@dataclass(frozen=True, slots=True)
class Moved:
    """A group has a new id."""

    old: Place
    new: Place


Heard = Said | Asked | Joined | Gone | Moved


def heard(update: Raw, me: Me, repertoire: Repertoire) -> Heard | None:
    """Return what `update` says to the bot, None where it says nothing to it."""
    key = str(update["update_id"])
    if "message" in update:
        return _message(update["message"], key, me, repertoire)
    if "callback_query" in update:
        return _press(update["callback_query"], key)
    if "inline_query" in update:
        query = update["inline_query"]
        return Asked(query["id"], query["query"], query["from"].get("language_code"))
    return _membership(update["my_chat_member"], key) if "my_chat_member" in update else None


def _message(message: Raw, key: str, me: Me, repertoire: Repertoire) -> Heard | None:
    place = _place(message)
    if "migrate_to_chat_id" in message:
        return Moved(place, Place(message["migrate_to_chat_id"]))
    sender = message.get("from", {})
    anonymous = place.shared and message.get("sender_chat", {}).get("id") == place.chat
    if (sender.get("is_bot") and not anonymous) or message.get("via_bot", {}).get("id") == me.id:
        return None  # another bot, or a card of our own that somebody shared
    written = message.get("text") or message.get("caption") or ""
    unseen = not written and any(sort in message for sort in _SEEN_NOT_READ)
    if not (written or unseen) or "is_automatic_forward" in message:
        return None  # a service message, or a channel's post in the group that discusses it
    text = clean(written)
    if place.shared and not _addressed(message, text, me, repertoire):
        return None
    return Said(
        place,
        sender.get("id", 0),
        _linked(_without_mention(text, me), place, repertoire),
        _key(message, key),
        sender.get("language_code"),
        number=message["message_id"],
        unseen=unseen,
        anonymous=anonymous,
    )


def _key(message: Raw, key: str) -> str:
    """Return by what a repeat is known, and, after a point, which message is answered; an album is heard once."""
    album = message.get("media_group_id")
    return f"album {album}" if album else f"{key}.{message['message_id']}"


def _place(message: Raw) -> Place:
    topic = message.get("message_thread_id") if message.get("is_topic_message") else None
    return Place(message["chat"]["id"], topic, message["chat"]["type"] == "channel")


def _addressed(message: Raw, text: str, me: Me, repertoire: Repertoire) -> bool:
    """Say whether something in a group is meant for the bot: a command, a reply to it, a mention."""
    if (called := call(text)) and text.strip("/ "):
        named = re.match(r"/\w+@(\w+)", text)
        return _is(named[1], me) if named else repertoire.command(called.name) is not None
    answered = message.get("reply_to_message", {})
    if answered.get("from", {}).get("id") == me.id and "forum_topic_created" not in answered:
        return True  # everything in a topic answers the message by which it was opened
    mentions = [mention[1] for mention in re.finditer(r"@(\w+)", text)]
    return any(_is(name, me) for name in mentions) or _is_named(message, me)


def _is(name: str, me: Me) -> bool:
    return name.casefold() == me.username.casefold()


def _is_named(message: Raw, me: Me) -> bool:
    entities = (*message.get("entities", ()), *message.get("caption_entities", ()))
    return any(entity.get("user", {}).get("id") == me.id for entity in entities)


def _without_mention(text: str, me: Me) -> str:
    """Return `text` without the bot's name; a command keeps its own form."""
    return text if text.startswith("/") else clean(re.sub(rf"@{me.username}\b", " ", text, flags=re.IGNORECASE))


def _linked(text: str, place: Place, repertoire: Repertoire) -> str:
    """Turn `/start rumour_jobs`, which a link says, into `/rumour jobs`; in a group, a bare start asks for help."""
    called = call(text)
    if not called or called.name != "start":
        return text
    if place.shared and not called.argument:
        return "/help"
    return repertoire.linked(called.argument) or repertoire.linked(f"start_{called.argument}") or "/start"


def _press(query: Raw, key: str) -> Said | None:
    message = query.get("message")
    turn, say = pressed(query.get("data", ""))
    person, language = query["from"]["id"], query["from"].get("language_code")
    place = _place(message) if message else Place(person)
    return Said(place, person, clean(say), key, language, turn, press=query["id"], loose=message is None)


def _membership(change: Raw, key: str) -> Joined | Gone | None:
    place = _place(change)
    before, after = change["old_chat_member"]["status"], change["new_chat_member"]["status"]
    if after in _GONE:
        return Gone(place)
    if before in _GONE and after in _PRESENT and place.shared:
        return Joined(place, change["from"]["id"], key, change["from"].get("language_code"))
    return None
