"""What people leave for the city: their drafts, what is kept, who wishes to hear of an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from bot.core.message import Address
from bot.storage import sessions, tellings
from bot.storage.hot import Hot
from bot.storage.moments import midnight, millis, moment
from bot.storage.tables import REPORT_ASKERS, REPORT_DRAFTS, REPORT_MINUTES, REPORTS, SEEN, TELLINGS
from bot.storage.upsert import insert
from bot.talk.feature import Telling

FEATURE = "reports"  # whose `wake` hears of an answer
MINUTE = 60_000  # milliseconds


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody is about to leave; `report` is its number once it is kept, until they said whether to be told."""

    words: str
    place: str | None = None
    district: str | None = None
    report: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What was left for a city, and what became of it."""

    id: int
    day: date
    city: str
    language: str
    words: str
    place: str
    district: str
    state: str
    card: str | None
    reason: str | None


_GIVEN = ("day", "city", "language", "words", "place", "district", "state")
_ADD = Hot(insert(REPORTS).values({name: bindparam(name) for name in _GIVEN}))
_COLUMNS = tuple(column for column in REPORTS.c if column.name != "code")


def draft(tx: Connection, where: Address) -> Draft | None:
    """Return what the conversation is about to leave, None where there is nothing (any more)."""
    row = tx.execute(select(REPORT_DRAFTS).where(REPORT_DRAFTS.c.address == str(where))).one_or_none()
    return Draft(row.words, row.place, row.district, row.report) if row else None


def put_draft(tx: Connection, where: Address, held: Draft, now: datetime) -> None:
    """Hold `held` for a day, in place of an older one."""
    new = insert(REPORT_DRAFTS).values(
        address=str(where),
        words=held.words,
        place=held.place,
        district=held.district,
        report=held.report,
        made=millis(now),
    )
    tx.execute(new.on_conflict_do_update(index_elements=["address"], set_=dict(new.excluded)))


def drop_draft(tx: Connection, where: Address) -> None:
    """Throw away what the conversation was about to leave."""
    tx.execute(delete(REPORT_DRAFTS).where(REPORT_DRAFTS.c.address == str(where)))


def keep(tx: Connection, where: Address, held: Draft, *, city: str, language: str, now: datetime) -> int:
    """Keep what `where` leaves, without any address; return its number."""
    day = midnight(now)
    row = {"day": day, "city": city, "language": language, "words": held.words, "state": "new"}
    place = {"place": held.place or "", "district": held.district or ""}
    minute = insert(REPORT_MINUTES).values(minute=_minute(now), n=1)
    tx.execute(minute.on_conflict_do_update(index_elements=["minute"], set_={"n": REPORT_MINUTES.c.n + 1}))
    sessions.first_time(tx, where, f"{_today(now)}{token_hex(8)}", now)
    return _ADD.add(tx, **row, **place)


def of_today(tx: Connection, where: Address, now: datetime) -> int:
    """Return how many reports `where` left today, as far as `seen` says: it knows that, and never which."""
    start = _today(now)
    mine = (SEEN.c.address == str(where)) & SEEN.c.key.startswith(start, autoescape=True)
    return tx.execute(select(func.count()).select_from(SEEN).where(mine)).scalar_one()


def of_minute(tx: Connection, now: datetime) -> int:
    """Return how many reports this minute brought so far, from everybody."""
    return tx.execute(select(REPORT_MINUTES.c.n).where(REPORT_MINUTES.c.minute == _minute(now))).scalar() or 0


def _today(now: datetime) -> str:
    return f"report/{now:%Y-%m-%d}/"


def _minute(now: datetime) -> int:
    return millis(now) // MINUTE * MINUTE


def ask(tx: Connection, report: int, where: Address, language: str, now: datetime) -> None:
    """Note that `where` wishes to be told, in `language`, when the report has an answer."""
    row = {"report": report, "address": str(where), "language": language, "day": midnight(now)}
    tx.execute(insert(REPORT_ASKERS).values(row).on_conflict_do_nothing())


def give_code(tx: Connection, report: int, code: str) -> None:
    """Let `code` look the report's answer up."""
    tx.execute(update(REPORTS).where(REPORTS.c.id == report).values(code=code))


def by_code(tx: Connection, code: str) -> Report | None:
    """Return the report that `code` was given for."""
    row = tx.execute(select(*_COLUMNS).where(REPORTS.c.code == code)).one_or_none()
    return _report(row) if row else None


def hush(tx: Connection, where: Address) -> None:
    """Throw away what `where` was about to leave, and tell it of no answer any more."""
    drop_draft(tx, where)
    tx.execute(delete(REPORT_ASKERS).where(REPORT_ASKERS.c.address == str(where)))
    waiting = (TELLINGS.c.feature == FEATURE) & TELLINGS.c.done.is_(None)
    tx.execute(delete(TELLINGS).where(TELLINGS.c.address == str(where), waiting))


def listed(tx: Connection, city: str | None = None, state: str | None = None) -> list[Report]:
    """Return what was left, the oldest first; None takes every city, every state."""
    asked = select(*_COLUMNS).order_by(REPORTS.c.id)
    asked = asked if city is None else asked.where(REPORTS.c.city == city)
    asked = asked if state is None else asked.where(REPORTS.c.state == state)
    return [_report(row) for row in tx.execute(asked)]


def cities(tx: Connection) -> set[str]:
    """Return every city that something was left for."""
    return set(tx.execute(select(REPORTS.c.city).distinct()).scalars())


def answer(tx: Connection, number: int, card: str, now: datetime) -> bool:
    """Mark a report as answered by `card`; whoever asked hears it once. False where there is no such report."""
    return _settle(tx, number, {"state": "answered", "card": card, "reason": None}, now)


def decline(tx: Connection, number: int, reason: str, now: datetime) -> bool:
    """Mark a report as one that gets no card; whoever asked hears it once. False where there is no such report."""
    return _settle(tx, number, {"state": "declined", "card": None, "reason": reason}, now)


def _settle(tx: Connection, number: int, outcome: dict[str, str | None], now: datetime) -> bool:
    if not tx.execute(update(REPORTS).where(REPORTS.c.id == number).values(outcome)).rowcount:
        return False
    asker = tx.execute(select(REPORT_ASKERS).where(REPORT_ASKERS.c.report == number)).one_or_none()
    if asker:
        what = {"language": asker.language, **outcome}
        # the key is chance: a number would lead from the conversation to the words
        tellings.add(tx, [Telling(Address.parse(asker.address), FEATURE, what, now, f"report/{token_hex(8)}")])
        tx.execute(delete(REPORT_ASKERS).where(REPORT_ASKERS.c.report == number))
    return True


def _report(row: Sequence[Any]) -> Report:
    number, day, *rest = row
    return Report(number, moment(day).date(), *rest)
