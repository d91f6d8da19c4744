"""What a broadcast needs and no more: a town with a day, subscribers, a platform that fails as it is told."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from bot.broadcast import Broadcast
from bot.core.message import Address, Reply
from bot.core.platform import DeliveryError, Limits, Sending
from bot.delivery import Delivery
from bot.features.campaigns.campaign import Campaign
from bot.features.campaigns.town import Town, as_edits, digest
from bot.library.planning import Planning
from bot.platforms import limits
from bot.storage import outcomes, runs, subscriptions
from bot.storage.runs import Approval, Key
from bot.storage.store import Store
from bot.storage.subscriptions import Subscription
from bot.storage.tables import OCCURRENCES

SPRING = datetime(2027, 6, 1, tzinfo=UTC)
DAY = date(2027, 6, 22)  # a Tuesday
NINE = datetime(2027, 6, 22, 7, tzinfo=UTC)  # in Madrid
HARVEST = Key("", "harvest-day", 2027)
WAYS = {"talk": {"label": "Talk", "opens": "/tip"}}


def campaign(day: Mapping[str, Any] | None = None, *, focus: bool = True, **messages: Mapping[str, Any]) -> Campaign:
    """Return a day with `messages`; by default one on the day itself, at nine."""
    said = messages or {"today": {}}
    return Campaign.model_validate(
        {
            "name": "Harvest day",
            "day": day or {"every": "22 June"},
            "basis": {"by": "The gardeners"},
            "why": "Because.",
            "topics": ["culture"],
            "focus": focus,
            "talk": ["What?", "Who?"],
            "messages": {name: {"text": f"Of {name}.", "ways": WAYS, **more} for name, more in said.items()},
            "provenance": {"status": "draft", "drafted": "people"},
        }
    )


def translated(of: Campaign, **texts: str) -> Campaign:
    """Return a campaign with some messages' texts in another language; the others are as in the first."""
    messages = {
        name: prompt.model_copy(update={"text": texts.get(name, prompt.text)}) for name, prompt in of.messages.items()
    }
    return of.model_copy(update={"messages": messages})


def town(city: str = "", campaigns: Mapping[str, Campaign] | None = None, **more: Any) -> Town:
    """Return a town that speaks English and Spanish, `more` being fields of its own, or of its planning."""
    english = campaigns if campaigns is not None else {"harvest-day": campaign()}
    spanish = more.pop("spanish", {name: translated(found, **_SPANISH) for name, found in english.items()})
    fields = {name: more.pop(name) for name in list(more) if name in Town.__dataclass_fields__}
    planning = Planning.model_validate({"join": list(english), **more})
    none: Any = {"en": {}, "es": {}}
    languages, both = {"en": "English", "es": "español"}, {"en": english, "es": spanish}
    found = Town(city, city, languages, "Europe/Madrid", planning, _say_in, both, none, none, none)
    return replace(found, **fields)


_SPANISH = {"today": "De hoy.", "soon": "De pronto.", "thanks": "De gracias."}


def _say_in(language: str) -> Any:
    return lambda key, /, **values: f"{key} in {language}"


@dataclass
class Post:
    """A platform that remembers what it was sent, and fails as it is told: by chat, or as a whole."""

    name: str = "post"
    pulls: bool = False
    sent: list[tuple[str, str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    errors: dict[str, DeliveryError] = field(default_factory=dict)
    down: DeliveryError | None = None

    def limits(self, address: Address) -> Limits:
        return limits.TELEGRAM

    def made(self, address: Address) -> None:
        pass

    async def leave(self, address: Address) -> None:
        raise AssertionError("nobody leaves")

    async def send(self, address: Address, reply: Reply, sending: Sending) -> str | None:
        if error := self.down or self.errors.get(address.chat):
            raise error
        self.sent.append((address.chat, reply.text))
        self.keys.append(sending.key)
        return None

    @property
    def chats(self) -> Counter[str]:
        return Counter(chat for chat, _ in self.sent)


class Office:
    """One process: a broadcast and a delivery on a store, a clock that is told the time."""

    def __init__(self, store: Store, *towns: Town, post: Post | None = None) -> None:
        self.store = store
        self.now = SPRING
        self.towns = {one.id: one for one in towns or [town()]}
        self.post = post or Post()
        platforms = {"post": self.post, "page": Post("page", pulls=True)}
        self.delivery = Delivery(store, platforms, self.clock)
        self.broadcast = Broadcast(store, lambda: self.towns, self.delivery, self.clock, frozenset({"page"}))

    def clock(self) -> datetime:
        return self.now

    async def subscribe(self, *chats: str, city: str = "", **more: Any) -> None:
        """Let chats hear the prompts of a town, in English unless said otherwise."""
        for chat in chats:
            one = Subscription(Address("post", chat), city, **{"language": "en", "since": self.now, **more})
            await self.store.run(lambda tx, one=one: subscriptions.put(tx, one))  # type: ignore[misc]  # mypy reads no default

    async def begin(self) -> None:
        """Take part, a month before the day."""
        await self.broadcast.plan()

    async def approve(self, key: Key = HARVEST, number: int = 1) -> None:
        """Approve what a campaign says by now."""
        edits = await self.store.read(lambda tx: as_edits(runs.edits(tx, key)))
        approval = Approval(number, digest(self.towns[key.city], key.campaign, edits), self.now)
        await self.store.run(lambda tx: runs.approve(tx, key, approval, self.now + timedelta(days=30)))

    async def change(self, key: Key = HARVEST, **values: Any) -> None:
        await self.store.run(lambda tx: runs.change(tx, key, **values))

    async def beat(self, moment: datetime | None = None) -> list[tuple[str, str]]:
        """Be at `moment`: plan, let out what is due, send it; return what was sent, in the order of chats."""
        self.now = moment or self.now
        before = len(self.post.sent)
        await self.broadcast.plan()
        await self.broadcast.release()
        await self.delivery.idle()
        await self.delivery.pick_up()
        await self.delivery.idle()
        return sorted(self.post.sent[before:])

    async def rows(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Return the state of each message of a date, and why it is so."""
        found = await self.store.read(lambda tx: tx.execute(select(OCCURRENCES).order_by(OCCURRENCES.c.at)).all())
        return {(row.message, row.day): (row.state, row.why) for row in found if row.audience != "coordinators"}

    async def outcome(self) -> dict[str, int]:
        """Return what became of all bubbles."""
        numbers = await self.store.read(lambda tx: list(tx.execute(select(OCCURRENCES.c.id)).scalars()))
        found = await self.store.read(lambda tx: outcomes.of(tx, numbers))
        total: Counter[str] = Counter()
        for counts in found.values():
            total.update(counts)
        return dict(total)


def texts(sent: Iterable[tuple[str, str]]) -> list[str]:
    """Return what was said, without to whom."""
    return [text for _, text in sent]
