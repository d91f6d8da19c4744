"""Who wishes to hear campaign prompts, and how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, func, select, update

from bot.core.message import Address
from bot.core.session import Session
from bot.storage import outcomes
from bot.storage.hot import Hot
from bot.storage.moments import millis, moment
from bot.storage.sessions import belongs
from bot.storage.tables import BUBBLES, SESSIONS, SUBSCRIPTIONS
from bot.storage.upsert import insert

_HEARD = Hot(
    update(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.address == bindparam("where")).values(recent=bindparam("heard"))
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A conversation that hears prompts of a town, in a language.

    `topics` empty means all; `manner` is text, short or child; `monthly` how many at most in thirty days, 0 as they
    come; `recent` when prompts came in the last thirty days.
    """

    where: Address
    city: str
    language: str
    since: datetime
    topics: tuple[str, ...] = ()
    manner: str = "text"
    school: bool = False
    monthly: int = 8
    recent: tuple[datetime, ...] = ()


def of(tx: Connection, where: Address) -> Subscription | None:
    """Return the subscription of a conversation, None where it has none."""
    row = tx.execute(select(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.address == str(where))).one_or_none()
    return _subscription(row) if row else None


def put(tx: Connection, subscription: Subscription) -> None:
    """Keep `subscription` in place of what there was."""
    row = _row(subscription)
    added = insert(SUBSCRIPTIONS).values(row)
    tx.execute(added.on_conflict_do_update(index_elements=["address"], set_={**row}))


def end(tx: Connection, where: Address) -> bool:
    """Delete the subscription of a conversation; False where it had none."""
    return tx.execute(delete(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.address == str(where))).rowcount > 0


def leave(tx: Connection, where: Address, now: datetime) -> bool:
    """End a subscription as somebody wished, and count it for the prompt heard last within a day; False if none was."""
    if not end(tx, where):
        return False
    heard = (BUBBLES.c.address == str(where)) & BUBBLES.c.prompt.is_not(None)
    last = tx.execute(select(BUBBLES.c.prompt).where(heard).order_by(BUBBLES.c.id.desc()).limit(1)).scalar()
    if last is not None:
        outcomes.add(tx, last, "unsubscribed", now)
    return True


def speak(tx: Connection, where: Address, language: str) -> None:
    """Let the prompts of a conversation come in another language from now on, if any come."""
    if one := of(tx, where):
        put(tx, replace(one, language=language))


def settle(tx: Connection, where: Address, city: str) -> None:
    """Let the prompts of a conversation be those of another town, also in its rooms that chose no town of their own."""
    mine = select(SUBSCRIPTIONS.c.address, SESSIONS.c.state).outerjoin_from(
        SUBSCRIPTIONS, SESSIONS, SESSIONS.c.address == SUBSCRIPTIONS.c.address
    )
    for row in tx.execute(mine.where(belongs(SUBSCRIPTIONS, where))).all():
        own = row.state and Session.from_json(where, row.state).city
        if row.address == str(where) or not own:
            tx.execute(update(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.address == row.address).values(city=city))


def end_unread(tx: Connection, platforms: Sequence[str]) -> int:
    """End the subscriptions on `platforms` whose conversation is over: nobody comes to look there any more."""
    there = exists().where(SESSIONS.c.address == SUBSCRIPTIONS.c.address)
    ended = 0
    for name in platforms:
        here = func.substr(SUBSCRIPTIONS.c.address, 1, len(name) + 1) == f"{name}:"
        ended += tx.execute(delete(SUBSCRIPTIONS).where(here, ~there)).rowcount
    return ended


def after(tx: Connection, city: str, last: str, most: int) -> list[Subscription]:
    """Return up to `most` subscriptions of a town whose address comes after `last`, in the order of addresses."""
    here = (SUBSCRIPTIONS.c.city == city) & (SUBSCRIPTIONS.c.address > last)
    rows = tx.execute(select(SUBSCRIPTIONS).where(here).order_by(SUBSCRIPTIONS.c.address).limit(most))
    return [_subscription(row) for row in rows.all()]


def heard(tx: Connection, prompts: Mapping[Address, Sequence[datetime]]) -> None:
    """Write down when each conversation heard its prompts of the last thirty days."""
    _HEARD.each(tx, [{"where": str(where), "heard": _joined(recent)} for where, recent in prompts.items()])


def count(tx: Connection, city: str) -> int:
    """Return how many conversations hear the prompts of a town."""
    return tx.execute(select(func.count()).where(SUBSCRIPTIONS.c.city == city)).scalar_one()


def _row(one: Subscription) -> dict[str, Any]:
    return {
        "address": str(one.where),
        "city": one.city,
        "language": one.language,
        "topics": ",".join(one.topics),
        "manner": one.manner,
        "school": int(one.school),
        "monthly": one.monthly,
        "recent": _joined(one.recent),
        "since": millis(one.since),
    }


def _joined(moments: Sequence[datetime]) -> str:
    return ",".join(str(millis(at)) for at in moments)


def _subscription(row: Sequence[Any]) -> Subscription:
    where, city, language, topics, manner, school, monthly, recent, since = row
    wanted = tuple(topics.split(",")) if topics else ()
    heard = tuple(moment(int(at)) for at in recent.split(",")) if recent else ()
    address = Address.parse(where)
    return Subscription(address, city, language, moment(since), wanted, manner, bool(school), monthly, heard)
