"""Who prepares the campaigns of a town."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, cast, delete, func, insert, select, update

from bot.core.message import Address
from bot.storage.moments import millis
from bot.storage.tables import AUDIT, COORDINATORS


@dataclass(frozen=True, slots=True)
class Coordinator:
    """A conversation that prepares a town's campaigns; `number` is what the audit calls them."""

    where: Address
    city: str
    number: int
    language: str


def of(tx: Connection, where: Address, city: str) -> Coordinator | None:
    """Return the coordinator of a town that this conversation is, None where it is none."""
    here = (COORDINATORS.c.address == str(where)) & (COORDINATORS.c.city == city)
    row = tx.execute(select(COORDINATORS).where(here)).one_or_none()
    return _coordinator(row) if row else None


def of_city(tx: Connection, city: str) -> list[Coordinator]:
    """Return the coordinators of a town, by number."""
    rows = tx.execute(select(COORDINATORS).where(COORDINATORS.c.city == city).order_by(COORDINATORS.c.number))
    return [_coordinator(row) for row in rows]


def cities(tx: Connection, where: Address) -> list[str]:
    """Return the towns that a conversation is a coordinator of."""
    rows = tx.execute(select(COORDINATORS.c.city).where(COORDINATORS.c.address == str(where)))
    return sorted(rows.scalars())


def add(tx: Connection, where: Address, city: str, language: str, now: datetime) -> Coordinator:
    """Make a conversation a coordinator of a town, under a number that nobody has or had there; one is so once."""
    if known := of(tx, where, city):
        return known
    number = 1 + _highest(tx, city)
    row = {"address": str(where), "city": city, "number": number, "language": language, "since": millis(now)}
    tx.execute(insert(COORDINATORS).values(row))
    return Coordinator(where, city, number, language)


def _highest(tx: Connection, city: str) -> int:
    """Return the highest number ever given in a town: whoever left still stands in the audit."""
    now = tx.execute(select(func.max(COORDINATORS.c.number)).where(COORDINATORS.c.city == city)).scalar()
    once = tx.execute(
        select(func.max(cast(AUDIT.c.who, Integer))).where(AUDIT.c.city == city, AUDIT.c.who != "")
    ).scalar()
    return max(now or 0, once or 0)


def speaks(tx: Connection, me: Coordinator, language: str) -> None:
    """Write down in which language a coordinator is to be told something."""
    here = (COORDINATORS.c.address == str(me.where)) & (COORDINATORS.c.city == me.city)
    if language != me.language:
        tx.execute(update(COORDINATORS).where(here).values(language=language))


def leave(tx: Connection, where: Address, city: str) -> bool:
    """End the part of a conversation in preparing a town's campaigns; False where it had none."""
    here = (COORDINATORS.c.address == str(where)) & (COORDINATORS.c.city == city)
    return tx.execute(delete(COORDINATORS).where(here)).rowcount == 1


def _coordinator(row: Any) -> Coordinator:
    return Coordinator(Address.parse(row.address), row.city, row.number, row.language)
