"""What an adapter offers, what a place can show, and the only way in which sending fails."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal, Protocol, get_args

from bot.core.message import Address, Reply


class Hears(Enum):
    """What an address lets the assistant hear."""

    EVERYTHING = "everything"
    ADDRESSED = "addressed"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Limits:
    """What an address can do: lengths in characters as that platform counts them, numbers of things, abilities.

    `choices` is the number of buttons under one bubble, 0 where there are none; `choices_with_prompt` says whether one
    bubble can carry both buttons and a place to write.
    """

    text: int
    choices: int
    label: int
    caption: int = 1024
    images: bool = True
    edits: bool = True
    forms: bool = True
    choices_with_prompt: bool = True
    hears: Hears = Hears.EVERYTHING
    utf16: bool = False

    def length(self, text: str) -> int:
        """Return the length of `text` as this platform counts it."""
        return len(text.encode("utf-16-le")) // 2 if self.utf16 else len(text)


Lost = Literal["blocked", "gone", "barred"]
LOST: frozenset[str] = frozenset(get_args(Lost))
"""Why a conversation hears nothing any more: it blocked us, it is no more, we may no longer write there."""


class DeliveryError(Exception):
    """A bubble could not be sent.

    `permanent`: never again; `lost`: because the conversation is, for one of `LOST`; `after`: seconds to wait first;
    `moved`: the address's new name; `unknown`: it may have arrived (a time-out after the bytes were out).
    """

    def __init__(
        self,
        why: str,
        *,
        permanent: bool = False,
        lost: Lost | None = None,
        after: float | None = None,
        moved: Address | None = None,
        unknown: bool = False,
    ) -> None:
        super().__init__(why)
        self.why = why
        self.permanent = permanent or lost is not None
        self.lost = lost
        self.after = after
        self.moved = moved
        self.unknown = unknown


class RefusedError(Exception):
    """A platform will not have us; the message says why, and what to do, in one sentence."""


@dataclass(frozen=True, slots=True)
class Sending:
    """How one part of a bubble is to be sent.

    `key` is the same at every try of the same part; `turn` numbers the question it asks; `edit` is the ref of the older
    bubble whose place it takes; `cause` is the key of the message it answers, None where it was told or where the
    process that heard the message is no more; `language` is that of its words.
    """

    key: str
    turn: int | None = None
    edit: str | None = None
    cause: str | None = None
    language: str = ""


class Platform(Protocol):
    """An adapter: draws replies. It hears messages in its own way and hands them to `Assistant.handle`.

    `pulls` marks a platform that reads its bubbles from the database itself (the web); its rows need no sender and it
    only hears by `made` that there are new ones.
    """

    name: str
    pulls: bool

    def limits(self, address: Address) -> Limits:
        """Return what this address can show."""

    async def send(self, address: Address, reply: Reply, sending: Sending) -> str | None:
        """Send a reply that fits, or edit the one it replaces; return the ref that a later edit needs.

        Raises `DeliveryError`.
        """

    async def leave(self, address: Address) -> None:
        """Go away from a shared chat, where the platform knows such a thing."""

    def made(self, address: Address) -> None:
        """Hear that new bubbles for `address` are in the database."""
