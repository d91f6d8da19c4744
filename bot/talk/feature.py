"""What a feature offers the conversation, and all it may know and do."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import Any

from sqlalchemy import Connection

from bot.core.message import Address, Choice, Reply
from bot.core.session import Session
from bot.storage.withdrawn import Hidden

Say = Callable[..., str]
"""Word a phrase: `say("rumours.none", name=…)` in the language of the conversation."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a feature may know beyond its library: this conversation, this turn's transaction, the clock, chance.

    `say_in` words phrases in another language; `admin` says that who spoke runs a shared chat, `sender` is their opaque
    key; `city` is the town whose pack answers, "" the shared one; `hidden` what editors withdrew here, and why; `runs`
    another chat, which who spoke named and runs.
    """

    session: Session
    language: str
    say: Say
    say_in: Callable[[str], Say]
    now: datetime
    chance: Random
    tx: Connection
    shared: bool = False
    admin: bool = False
    city: str = ""
    hidden: Hidden = field(default_factory=dict)
    sender: str = ""
    runs: Address | None = None

    def show(self, text: str, *choices: Choice, **wishes: Any) -> "Outcome":
        """Return the outcome that shows one reply and changes nothing."""
        return Outcome((Reply(text, choices, **wishes),))


@dataclass(frozen=True, slots=True)
class Telling:
    """Something another conversation (or this one, later) is to hear; run as that conversation's own turn.

    `feature` is whose `wake` hears `what`, a small JSON object; `key` makes it happen once.
    """

    to: Address
    feature: str
    what: dict[str, Any]
    when: datetime
    key: str


@dataclass(frozen=True, slots=True)
class Count:
    """One more of something, for a day's figures: what it was, and of which entry; never of whom."""

    what: str
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything a feature may do: replies, the session changed, tellings, counts, forgetting, leaving.

    `session=None` leaves the session as it is; leaving a shared chat is for whoever also forgets it;
    `leads_away` says that the answer is given elsewhere, so that nothing is introduced here.
    """

    replies: tuple[Reply, ...] = ()
    session: Session | None = None
    tell: tuple[Telling, ...] = ()
    forget: bool = False
    leave: bool = False
    leads_away: bool = False
    counts: tuple[Count, ...] = ()

    def then(self, session: Session) -> "Outcome":
        """Return the outcome with the session changed."""
        return replace(self, session=session)

    def counted(self, *counts: Count) -> "Outcome":
        """Return the outcome with `counts` added to it."""
        return replace(self, counts=(*self.counts, *counts))


Answer = Callable[[Context], Outcome]
"""The quick part of an answer. It runs inside the transaction and may be run again."""

Read = Callable[[str], Answer]
"""The slow and pure part: look at the words, outside of any transaction, and return the answer to give."""


def _shows_no_entry(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Command:
    """`/name text`, the same on every platform.

    `suggest(argument, language)` completes a half-typed argument from memory, at once: each choice says an argument.
    Only a command that is `linkable` may come from a link, and only with an argument that leads somewhere. A `private`
    one is answered to the asker alone, in a shared chat an `admin` one to those who run it; menus
    of private chats leave `shared` ones out, and all menus `hidden` ones. `shows(argument)` names the kind and id of
    the entry that it shows, if any: while editors have withdrawn that, no choice offers it. One that is `ranked` is
    answered otherwise to those who run a shared chat; one that may be for `elsewhere` may name another chat.
    """

    name: str
    read: Read
    suggest: Callable[[str, str], list[Choice]] | None = None
    argument: bool = False
    private: bool = False
    admin: bool = False
    linkable: Callable[[str], bool] | None = None
    shared: bool = False
    hidden: bool = False
    ranked: bool = False
    elsewhere: bool = False
    shows: Callable[[str], tuple[str, str] | None] = _shows_no_entry


@dataclass(frozen=True, slots=True)
class Heard:
    """How sure a feature is (0 to 1) that free text is for it, and what it would answer.

    What is heeded `anywhere` competes wherever words were typed: also in a command, or as the answer to a question.
    """

    score: float
    answer: Answer
    anywhere: bool = False


def _nothing(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Feature:
    """A slice of what Hearsay does.

    `heed` is asked before everything else about whatever a person typed: what it is entirely sure of (1) is answered
    whatever the conversation is in the middle of, anything less competes with what `listen` says of free text.
    `listen` judges free text that nobody claimed; `resume` gets the words while this feature's scene is on top; `ask`
    words its open question again; `wake` hears a telling.
    """

    name: str
    commands: tuple[Command, ...] = ()
    heed: Callable[[str], Heard | None] = _nothing
    listen: Callable[[str], Heard | None] = _nothing
    resume: Read | None = None
    ask: Callable[[Context], Reply | None] | None = None
    wake: Callable[[dict[str, Any]], Answer] | None = None
