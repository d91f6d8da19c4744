"""What people asked and nobody knows, for editors: the words, day, city and language; nothing of who wrote them.

Only a city that says so keeps them. They belong to no conversation: `/forget` and `/export` find nothing here.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from bot.core.message import Address
from bot.storage import outbox, sessions
from bot.storage.moments import midnight, moment
from bot.storage.tables import UNMATCHED
from bot.storage.upsert import insert

A_DAY = 5  # from one conversation, so that nobody fills the list
MOST = 500  # different ones of a city and a day
HELP = "/safe"  # what an answer offers to somebody who may be hurt or in danger


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Words that led nowhere on a day, and how often."""

    day: date
    city: str
    language: str
    words: str
    n: int


def keep(tx: Connection, where: Address, words: str, *, city: str, language: str, now: datetime) -> bool:
    """Keep `words` without `where`; False where a limit is reached, or help was shown there within a day.

    To whoever was shown help it was said that nothing is kept. `seen` holds that something was kept that day, never
    what, for two days.
    """
    if _of_day(tx, city, now) >= MOST or outbox.offered(tx, where, HELP) or not _has_room(tx, where, now):
        return False
    new = insert(UNMATCHED).values(day=midnight(now), city=city, language=language, words=words, n=1)
    tx.execute(new.on_conflict_do_update(index_elements=UNMATCHED.primary_key, set_={"n": UNMATCHED.c.n + 1}))
    return True


def listed(tx: Connection, city: str | None = None, language: str | None = None) -> list[Unmatched]:
    """Return what was kept, the oldest day first; None takes every city, every language."""
    asked = select(UNMATCHED).order_by(*UNMATCHED.primary_key)
    asked = asked if city is None else asked.where(UNMATCHED.c.city == city)
    asked = asked if language is None else asked.where(UNMATCHED.c.language == language)
    return [Unmatched(moment(day).date(), *rest) for day, *rest in tx.execute(asked)]


def cities(tx: Connection) -> set[str]:
    """Return every city that something was kept of."""
    return set(tx.execute(select(UNMATCHED.c.city).distinct()).scalars())


def _of_day(tx: Connection, city: str, now: datetime) -> int:
    today = (UNMATCHED.c.day == midnight(now)) & (UNMATCHED.c.city == city)
    return tx.execute(select(func.count()).select_from(UNMATCHED).where(today)).scalar_one()


def _has_room(tx: Connection, where: Address, now: datetime) -> bool:
    """Take one of the conversation's places of today; False where none is left."""
    return any(sessions.first_time(tx, where, f"unmatched/{now:%Y-%m-%d}/{n}", now) for n in range(A_DAY))
