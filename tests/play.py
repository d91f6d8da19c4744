"""Plays golden conversations: what stands at the margin is said by people, what is indented is the assistant.

at 2026-05-03 10:00      the clock
on telegram              whose limits to draw with
in es                    the platform's language hint
> they take our jobs     typed
> [More facts]           presses the newest button so labelled, even a stale one
ana> hello               typed by somebody in a shared chat, addressed to the assistant
admin> /forget           the same by somebody who runs the chat
wait 12 minutes          time passes
until 2027-06-20 07:00   time passes up to then, and all that campaigns have due comes in its hour
restart                  the process restarts on the same database
withdraw rumour jobs: …  an editor withdraws an entry, with a reason
back rumour jobs         and brings it back
runs @news               the person who speaks runs a channel of that name, where we may post
chat blue                another private chat; what other chats than the speaker's are shown is headed by their name
with cities              the example cities are there; nobody is in one before choosing it
keeping what is unknown  the pack keeps what nobody knows
with campaigns           two invented days are there, and the example cities
code puertaluna abcd2345 the command line invites a coordinator of a town, "none" being the shared pack, with this code
went none harvest-day 2027 today: reached 12, blocked 2     how a message went, or why it was not sent
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import func, select

from bot.app import App, Content, load_content
from bot.core.message import Address, Choice, Message, Reply
from bot.core.platform import Limits, Platform, Sending
from bot.library.city import NO_CITY
from bot.platforms import limits
from bot.storage import withdrawn
from bot.storage.moments import millis
from bot.storage.moments import moment as from_millis
from bot.storage.outbox import Bubble
from bot.storage.store import Store
from bot.storage.tables import METADATA, OCCURRENCES
from bot.storage.withdrawn import Entry
from bot.talk.transcript import bubbles, lines
from tests import coordination

CHANNEL = "-1009000000001"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
_SPAN = re.compile(r"wait (\d+) (second|minute|hour|day)s?")
_UNTIL = re.compile(r"until (\S+(?: \S+)?)")
_SET = {"on": "platform", "in": "language", "chat": "chat", "runs": "channel"}
_SAID = re.compile(r"(\w*)> ?(.*)")


@dataclass
class Screen:
    """A platform that remembers what it was sent."""

    name: str
    drawn_as: Limits
    pulls: bool = False
    shown: list[tuple[Address, list[str]]] = field(default_factory=list)
    left: list[Address] = field(default_factory=list)

    def limits(self, address: Address) -> Limits:
        return self.drawn_as

    def made(self, address: Address) -> None:
        raise AssertionError("a screen is sent to")

    async def leave(self, address: Address) -> None:
        self.left.append(address)

    async def send(self, address: Address, reply: Reply, sending: Sending) -> str | None:
        self.shown.append((address, lines(reply, edited=sending.edit is not None)))
        return sending.key


def doors(command: str) -> dict[str, str]:
    """Return the links that say a command."""
    return {"telegram": f"https://t.me/example_bot?start={command[1:].replace(' ', '_')}"}


@cache
def with_cities() -> Content:
    """Return the shipped content with the example cities."""
    root = Path(__file__).parent.parent
    roots = {name: root / name for name in ("quizzes", "campaigns")}
    return load_content(root / "content", roots, root / "content" / "cities")


@cache
def keeping() -> Content:
    """Return the shipped content as a city has it that keeps what nobody knows."""
    whole = load_content(Path(__file__).parent.parent / "content")
    pack = whole.library.pack.model_copy(update={"keep_unmatched": True})
    return replace(whole, library=replace(whole.library, pack=pack))


class Stage:
    """A real application on a database in memory, screens for every platform, a clock that is told the time."""

    def __init__(self, store: Store, content: Content) -> None:
        self.now = NOON
        self.content = content
        self.store = store
        self.screens = {name: Screen(name, shape) for name, shape in limits.BY_NAME.items()}
        self.platform = "terminal"
        self.chat = "here"
        self.language: str | None = None
        self.channel = ""
        self.pressable: list[tuple[Address, Choice, int | None]] = []
        self._heard = 0
        self.app = self._open()

    @classmethod
    async def build(cls, content: Content, store: Store | None = None) -> "Stage":
        """Return a stage on `store`, which is empty; without one, on a database in memory."""
        if store is None:
            store = Store(":memory:")
            await store.run(METADATA.create_all)
        return cls(store, content)

    def _open(self) -> App:
        platforms: dict[str, Platform] = dict(self.screens)
        app = App(self.store, self.content, platforms, lambda: self.now, Random(7), NO_CITY, doors)
        made = app.assistant._made

        def remember(bubbles: Sequence[Bubble]) -> None:
            self._remember(bubbles)
            made(bubbles)

        app.assistant._made = remember
        app.delivery.made = remember  # type: ignore[method-assign]  # the broadcast calls it by its name
        return app

    def restart(self) -> None:
        self.app = self._open()

    def close(self) -> None:
        self.store.close()

    async def say(self, text: str, who: str = "", **more: Any) -> list[list[str]]:
        """Say `text` (or press `[Label]`); return what is shown for it."""
        where = Address(self.platform, "room" if who else self.chat)
        label = re.fullmatch(r"\[(.+)\]", text)
        turn = None
        if label:
            choice, turn = self._button(where, label[1])
            text = choice.say
        self._heard += 1
        message = Message(where, text, f"key-{self._heard}", turn, who, self.language, shared=bool(who))
        if self.channel and {self.channel, CHANNEL} & {*text.split()[1:2]} and not who:
            more["runs"] = Address(self.platform, f"{CHANNEL}/channel")
        return await self.hear(replace(message, admin=who == "admin", **more))

    async def hear(self, message: Message) -> list[list[str]]:
        """Hand `message` over; return what is shown for it."""
        await self.app.assistant.handle(message)
        await self.app.delivery.idle()
        return self.drain(message.where)

    async def wait(self, span: timedelta) -> list[list[str]]:
        """Let time pass; return what is shown for it."""
        self.now += span
        while await self.app.assistant.hear_due():
            await self.app.delivery.idle()
        return self.drain(None)

    async def until(self, moment: datetime) -> list[list[str]]:
        """Let time pass up to `moment`, a day at most at a time; return what campaigns said meanwhile."""
        while True:
            await self.app.broadcast.plan()
            while await self.app.broadcast.release():
                await self.app.delivery.idle()
            if self.now >= moment:
                return self.drain(None)
            self.now = min(moment, self.now + timedelta(days=1), *await self._due_next())

    async def _due_next(self) -> list[datetime]:
        first = select(func.min(OCCURRENCES.c.at)).where(OCCURRENCES.c.at > millis(self.now))
        found = await self.store.read(lambda tx: tx.execute(first).scalar())
        return [] if found is None else [from_millis(found)]

    def drain(self, where: Address | None) -> list[list[str]]:
        """Return what was shown at `where` since the last time, then what other chats were, under their names."""
        shown = [part for screen in self.screens.values() for part in screen.shown]
        for screen in self.screens.values():
            screen.shown.clear()
        here = [part for address, part in shown if address == where]
        others = sorted((str(address), number) for number, (address, _) in enumerate(shown) if address != where)
        return here + [[f"(to {name})", *shown[number][1]] for name, number in others]

    def _remember(self, said: Sequence[Bubble]) -> None:
        for bubble in said:
            for choice in bubble.reply.choices:
                turn = None if choice.is_command else bubble.turn
                self.pressable.append((bubble.where, choice, turn))

    def _button(self, where: Address, label: str) -> tuple[Choice, int | None]:
        for place, choice, turn in reversed(self.pressable):
            if place == where and choice.label == label:
                return choice, turn
        raise LookupError(f"no button was ever labelled {label!r}")

    async def press_everything(self) -> list[str]:
        """Press every button ever shown once more; return whatever broke."""
        broken: list[str] = []
        for where, choice, turn in list(dict.fromkeys(self.pressable)):
            self._heard += 1
            shown = await self.hear(Message(where, choice.say, f"again-{self._heard}", turn))
            if not shown or any("(" + "broken" in line for part in shown for line in part):
                broken.append(choice.say)
        return broken


async def play(stage: Stage, script: str) -> str:
    """Play `script`; return it with what the assistant really said."""
    played: list[str] = []
    for line in script.split("\n"):
        if line.startswith(" "):
            continue
        if said := _SAID.fullmatch(line):
            _end_gap(played)
            played.append(line + "\n")
            played.append(bubbles(await stage.say(said[2], said[1])))
            continue
        if span := _SPAN.fullmatch(line):
            shown = await stage.wait(timedelta(**{f"{span[2]}s": int(span[1])}))
            played.append(line + "\n" + (bubbles(shown) if shown else ""))
            continue
        if moment := _UNTIL.fullmatch(line):
            shown = await stage.until(datetime.fromisoformat(moment[1]).replace(tzinfo=UTC))
            played.append(line + "\n" + (bubbles(shown) if shown else ""))
            continue
        if not await _edit(stage, line):
            _direct(stage, line)
        if line or (played and played[-1] != "\n"):
            played.append(line + "\n")
    return "".join(played).rstrip("\n") + "\n"


def _end_gap(played: list[str]) -> None:
    if played and not played[-1].endswith("\n\n") and played[-1] != "\n":
        played.append("\n")


async def _edit(stage: Stage, line: str) -> bool:
    """Do what an editor does in another process; say whether `line` is such."""
    if coded := re.fullmatch(r"code (\S+) (\w+)", line):
        city = coded[1].removeprefix(NO_CITY)
        await stage.store.run(lambda tx: coordination.invite(tx, city, coded[2], stage.now))
        return True
    if gone := re.fullmatch(r"went (\S+) (\S+ \d+ \S+): (.+)", line):
        city = gone[1].removeprefix(NO_CITY)
        await stage.store.run(lambda tx: coordination.went(tx, city, gone[2], gone[3], stage.now))
        return True
    found = re.fullmatch(r"(withdraw|back) (\w+) ([\w-]+)(?:: (.+))?", line)
    if not found:
        return False
    entry, why = Entry("", found[2], found[3]), found[4] or ""
    edit = withdrawn.withdraw if found[1] == "withdraw" else withdrawn.bring_back
    assert await stage.store.run(lambda tx: edit(tx, entry, why, stage.now))
    return True


def _direct(stage: Stage, line: str) -> None:
    word, _, rest = line.partition(" ")
    if word in _SET:
        setattr(stage, _SET[word], rest)
    elif word == "at":
        stage.now = datetime.fromisoformat(rest).replace(tzinfo=UTC)
    elif line == "with cities":
        stage.content = with_cities()
        stage.restart()
    elif line == "keeping what is unknown":
        stage.content = keeping()
        stage.restart()
    elif line == "with campaigns":
        stage.content = coordination.with_campaigns()
        stage.restart()
    elif line == "restart":
        stage.restart()
    elif line and not line.startswith("#"):
        raise ValueError(f"not a line of a transcript: {line!r}")
