"""Entries that editors hide for now, looked up in the very transaction of each turn."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, or_, select, text, update

from bot.storage import audit
from bot.storage.audit import Act
from bot.storage.hot import Hot
from bot.storage.moments import millis, moment
from bot.storage.tables import WITHDRAWN
from bot.storage.upsert import insert

Hidden = Mapping[tuple[str, str], str]
"""Kind and entry → why it is hidden."""

_HIDDEN = text("back IS NULL")  # not a parameter, or SQLite would leave the index of what is hidden aside
_NOW = Hot(
    select(WITHDRAWN.c.kind, WITHDRAWN.c.entry, WITHDRAWN.c.reason).where(
        _HIDDEN, or_(WITHDRAWN.c.city == text("''"), WITHDRAWN.c.city == bindparam("city"))
    )
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is hidden: in one city, or everywhere ("")."""

    city: str
    kind: str
    entry: str

    def __str__(self) -> str:
        return f"{self.kind} {self.entry}" + (f" in {self.city}" if self.city else "")


@dataclass(frozen=True, slots=True)
class Span:
    """When and why an entry was hidden; `back` is None while it is."""

    of: Entry
    reason: str
    since: datetime
    back: datetime | None


def hidden(tx: Connection, city: str) -> Hidden:
    """Return what is hidden in `city`."""
    return {(kind, entry): reason for kind, entry, reason in _NOW.run(tx, city=city)}


def withdraw(tx: Connection, entry: Entry, reason: str, now: datetime, who: str = "") -> bool:
    """Hide an entry and note it; False where it is hidden already, and stays so for its first reason."""
    values = {"city": entry.city, "kind": entry.kind, "entry": entry.entry, "reason": reason, "since": millis(now)}
    if not tx.execute(insert(WITHDRAWN).values(values).on_conflict_do_nothing()).rowcount:
        return False
    audit.note(tx, Act(now, "withdraw", str(entry), reason, entry.city, who))
    return True


def bring_back(tx: Connection, entry: Entry, reason: str, now: datetime, who: str = "") -> bool:
    """Show an entry again and note it; False where it was not hidden."""
    here = WITHDRAWN.c.city == entry.city, WITHDRAWN.c.kind == entry.kind, WITHDRAWN.c.entry == entry.entry
    if not tx.execute(update(WITHDRAWN).where(*here, _HIDDEN).values(back=millis(now))).rowcount:
        return False
    audit.note(tx, Act(now, "back", str(entry), reason, entry.city, who))
    return True


def between(tx: Connection, entry: str, first: datetime, last: datetime) -> list[Span]:
    """Return when an entry of any kind was hidden between two moments, in order."""
    still = or_(WITHDRAWN.c.back.is_(None), WITHDRAWN.c.back > millis(first))
    wanted = select(WITHDRAWN).where(WITHDRAWN.c.entry == entry, WITHDRAWN.c.since < millis(last), still)
    return [
        Span(
            Entry(row.city, row.kind, row.entry),
            row.reason,
            moment(row.since),
            None if row.back is None else moment(row.back),
        )
        for row in tx.execute(wanted.order_by(WITHDRAWN.c.since))
    ]
