"""How often things were shown or said, by day, city and language; never by whom."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import Connection, cast, func, select

from bot.storage.hot import Hot
from bot.storage.moments import midnight
from bot.storage.tables import COUNTS, Integer
from bot.storage.upsert import insert
from bot.talk.feature import Count

_new = insert(COUNTS)
_ADD = Hot(_new.on_conflict_do_update(index_elements=COUNTS.primary_key, set_={"n": COUNTS.c.n + _new.excluded.n}))

_HOW_OFTEN = cast(func.sum(COUNTS.c.n), Integer)  # PostgreSQL's sums are decimals


@dataclass(frozen=True, slots=True)
class Sum:
    """How often `entry` was counted under `what` in a language, over some days."""

    what: str
    entry: str
    language: str
    n: int


def add(tx: Connection, counts: Iterable[Count], *, city: str, language: str, now: datetime) -> None:
    """Count each of `counts` once, on the day of `now` in UTC."""
    for count in sorted(counts, key=astuple):  # in one order, or two turns would wait for each other
        _ADD.run(tx, day=midnight(now), city=city, language=language, what=count.what, entry=count.entry, n=1)


def sums(tx: Connection, city: str | None, first: date, last: date) -> list[Sum]:
    """Return what was counted from `first` to `last`, both included; `city` None takes all of them."""
    days = COUNTS.c.day.between(_midnight(first), _midnight(last))
    asked = select(COUNTS.c.what, COUNTS.c.entry, COUNTS.c.language, _HOW_OFTEN).where(days)
    if city is not None:
        asked = asked.where(COUNTS.c.city == city)
    return [Sum(*row) for row in tx.execute(asked.group_by(COUNTS.c.what, COUNTS.c.entry, COUNTS.c.language))]


def cities(tx: Connection) -> set[str]:
    """Return every city that something was counted in."""
    return set(tx.execute(select(COUNTS.c.city).distinct()).scalars())


def _midnight(day: date) -> int:
    return midnight(datetime.combine(day, time(), UTC))
