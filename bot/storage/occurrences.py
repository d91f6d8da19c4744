"""What is due and how far it was said: a row for each message of a campaign, town, date and audience."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, literal, select, text, update

from bot.storage.moments import millis, moment
from bot.storage.tables import MARKS, OCCURRENCES
from bot.storage.upsert import insert

_OPEN = text("state IN ('planned', 'telling')")  # not parameters, or SQLite would leave the index aside
_PLANNED = text("state = 'planned'")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A message that is due, as a row. `state`: planned, telling (up to the address `reached`), told, skipped."""

    id: int
    campaign: str
    city: str
    year: int
    message: str
    day: date
    audience: str
    at: datetime
    until: datetime
    state: str = "planned"
    why: str = ""
    reached: str = ""


def plan(
    tx: Connection,
    wanted: Sequence[Occurrence],
    cities: Iterable[str],
    since: datetime,
    until: datetime,
    now: datetime,
) -> int:
    """Make what `cities` have planned from `since` on and before `until` what is `wanted`; return how much changed.

    What was begun or is over stays as it is; what is no longer wanted goes, what is wanted at another moment moves.
    What was skipped is planned again where it is not too late after all: the clock was wrong, or the hours changed.
    """
    here = OCCURRENCES.c.city.in_(list(cities)), OCCURRENCES.c.at >= millis(since), OCCURRENCES.c.at < millis(until)
    known = {_key(row): row for row in tx.execute(select(OCCURRENCES).where(_PLANNED, *here))}
    changed = 0
    for one in wanted:
        row = known.pop(_key(one), None)
        if row is None:
            changed += _add(tx, one, now)
        elif (row.at, row.until) != (millis(one.at), millis(one.until)):
            changed += tx.execute(
                update(OCCURRENCES).where(OCCURRENCES.c.id == row.id).values(at=millis(one.at), until=millis(one.until))
            ).rowcount
    gone = [row.id for row in known.values()]
    return changed + (tx.execute(delete(OCCURRENCES).where(OCCURRENCES.c.id.in_(gone))).rowcount if gone else 0)


def _key(row: Any) -> tuple[str, str, str, str, str]:
    return row.campaign, row.city, row.message, str(row.day), row.audience


def _add(tx: Connection, one: Occurrence, now: datetime) -> int:
    """Add a row; one that is known but was due outside of the span, and is still planned, moves into it."""
    row = {
        "campaign": one.campaign,
        "city": one.city,
        "year": one.year,
        "message": one.message,
        "day": one.day.isoformat(),
        "audience": one.audience,
        "at": millis(one.at),
        "until": millis(one.until),
        "state": "planned",
    }
    added = insert(OCCURRENCES).values(row)
    index = ["campaign", "city", "message", "day", "audience"]
    anew = {name: row[name] for name in ("at", "until", "state")} | {"why": ""}
    skipped = (OCCURRENCES.c.state == "skipped") & (OCCURRENCES.c.why != "done") & literal(one.until > now)
    where = (OCCURRENCES.c.state == "planned") | skipped
    return tx.execute(added.on_conflict_do_update(index_elements=index, set_=anew, where=where)).rowcount


def open_(tx: Connection, now: datetime) -> list[Occurrence]:
    """Return what is due and not over, the earliest first."""
    due = select(OCCURRENCES).where(_OPEN, OCCURRENCES.c.at <= millis(now))
    return [_occurrence(row) for row in tx.execute(due.order_by(OCCURRENCES.c.at, OCCURRENCES.c.id))]


def at(tx: Connection, number: int) -> Occurrence | None:
    """Return a row that is due and not over; None where it is over by now."""
    row = tx.execute(select(OCCURRENCES).where(_OPEN, OCCURRENCES.c.id == number)).one_or_none()
    return _occurrence(row) if row else None


def of_campaign(tx: Connection, city: str, campaign: str, year: int) -> list[Occurrence]:
    """Return everything of a town's campaign in a year, in order."""
    here = (OCCURRENCES.c.city == city) & (OCCURRENCES.c.campaign == campaign) & (OCCURRENCES.c.year == year)
    return [_occurrence(row) for row in tx.execute(select(OCCURRENCES).where(here).order_by(OCCURRENCES.c.at))]


def mark(tx: Connection, one: Occurrence, state: str, *, why: str = "", reached: str | None = None) -> bool:
    """Write how far `one` has come, if it stands as it was read; False where another process was quicker."""
    as_read = (OCCURRENCES.c.id == one.id) & (OCCURRENCES.c.state == one.state) & (OCCURRENCES.c.reached == one.reached)
    values = {"state": state, "why": why, **({"reached": reached} if reached is not None else {})}
    return tx.execute(update(OCCURRENCES).where(as_read).values(values)).rowcount == 1


def planned_to(tx: Connection) -> datetime | None:
    """Return the moment of the last planning, None where there was none."""
    at = tx.execute(select(MARKS.c.at).where(MARKS.c.name == "planned")).scalar()
    return None if at is None else moment(at)


def note_planned(tx: Connection, now: datetime) -> None:
    """Write down that everything due up to `now` was planned."""
    row = {"name": "planned", "at": millis(now)}
    tx.execute(insert(MARKS).values(row).on_conflict_do_update(index_elements=["name"], set_=row))


def _occurrence(row: Any) -> Occurrence:
    return Occurrence(
        row.id,
        row.campaign,
        row.city,
        row.year,
        row.message,
        date.fromisoformat(row.day),
        row.audience,
        moment(row.at),
        moment(row.until),
        row.state,
        row.why,
        row.reached,
    )
