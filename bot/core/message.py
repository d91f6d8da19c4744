"""What people say to Hearsay and what it shows them, on every platform alike."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Address:
    """Where to write: a chat of a platform, or one person's private corner of a shared chat.

    Prints as `telegram:-1001` or `telegram:-1001@42`; `parse` reads it back. `chat` includes a topic or room after
    a slash, and holds neither `@` nor white space.
    """

    platform: str
    chat: str
    person: str | None = None

    def __str__(self) -> str:
        corner = f"@{self.person}" if self.person else ""
        return f"{self.platform}:{self.chat}{corner}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str(address)` wrote."""
        platform, _, rest = text.partition(":")
        chat, _, person = rest.partition("@")
        return cls(platform, chat, person or None)


@dataclass(frozen=True, slots=True)
class Message:
    """Something was said.

    `turn` is set when a button or form says which question it answers; `key` is the platform's own id of this update,
    by which a repeat is known; `language` is the platform's hint; `shared` marks a chat of several people, where only
    what is `addressed` to the assistant is answered; `introduced` says that the platform itself already told the
    person that this is an automated assistant; `unseen` that what came (a voice message, a picture) cannot be read;
    `unreachable` that a private command was given in a shared chat by somebody to whom nothing can be sent in private;
    `city` is the id of the town whose link led here; `runs` is the other chat that the text names, where whoever spoke
    runs it and we may write there.
    """

    where: Address
    text: str
    key: str
    turn: int | None = None
    sender: str = ""
    language: str | None = None
    shared: bool = False
    addressed: bool = True
    admin: bool = False
    introduced: bool = False
    unseen: bool = False
    unreachable: bool = False
    city: str = ""
    runs: Address | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A shortcut for saying something: pressing it is the same as typing `say` (at most 48 bytes)."""

    label: str
    say: str

    @property
    def is_command(self) -> bool:
        """Commands are true for ever; any other choice answers one question."""
        return self.say.startswith("/")


@dataclass(frozen=True, slots=True)
class Image:
    """A picture; `alt` is required, because on a terminal and to a screen reader it *is* the picture."""

    alt: str
    path: Path | None = None
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One thing to show, with wishes that `fit` turns into what a platform can do.

    `text` is our small Markdown. `prompt` names the free answer awaited ("Your code word"). `slot` names a live card:
    a newer reply of the slot takes the older one's place. `aside` is for whoever spoke only. `link` is the linkable
    command that shows the same thing to anybody. `broadcast` marks one of many that are told to subscribers: answers
    may overtake it.
    """

    text: str
    choices: tuple[Choice, ...] = ()
    prompt: str | None = None
    image: Image | None = None
    slot: str | None = None
    aside: bool = False
    link: str | None = None
    broadcast: bool = False

    @property
    def is_question(self) -> bool:
        """Only a prompt, or a choice that is not a command, waits for an answer."""
        return self.prompt is not None or any(not choice.is_command for choice in self.choices)


def pack(reply: Reply) -> dict[str, Any]:
    """Return `reply` as JSON can hold it; what is empty is left out."""
    packed: dict[str, Any] = {
        "text": reply.text,
        "choices": [[choice.label, choice.say] for choice in reply.choices],
        "prompt": reply.prompt,
        "image": _pack_image(reply.image),
        "slot": reply.slot,
        "aside": reply.aside,
        "link": reply.link,
        "broadcast": reply.broadcast,
    }
    return {name: value for name, value in packed.items() if value}


@lru_cache(maxsize=4096)  # the same cards are written again and again
def encode(reply: Reply) -> str:
    """Return `reply` as text for its row."""
    return json.dumps(pack(reply), ensure_ascii=False)


@lru_cache(maxsize=4096)
def decode(text: str) -> Reply:
    """Return the reply that `encode` wrote."""
    return unpack(json.loads(text))


def unpack(packed: dict[str, Any]) -> Reply:
    """Return the reply that `pack` wrote."""
    choices = tuple(Choice(*pair) for pair in packed.get("choices", ()))
    rest = {name: value for name, value in packed.items() if name not in {"text", "choices", "image"}}
    return Reply(packed.get("text", ""), choices, image=_unpack_image(packed.get("image")), **rest)


def _pack_image(image: Image | None) -> dict[str, str] | None:
    if image is None:
        return None
    path = {"path": str(image.path)} if image.path else {}
    data = {"data": b64encode(image.data).decode()} if image.data else {}
    return {"alt": image.alt, **path, **data}


def _unpack_image(packed: dict[str, Any] | None) -> Image | None:
    if not packed:
        return None
    path, data = packed.get("path"), packed.get("data")
    return Image(packed["alt"], Path(path) if path else None, b64decode(data) if data else None)
