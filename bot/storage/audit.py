"""What editors and coordinators did: when, what and why; of who it was only a number that a town gave."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from bot.storage.moments import millis, moment
from bot.storage.tables import AUDIT


class Act(NamedTuple):
    """Something that was done; `who` is a coordinator's number in the town, "" at the command line."""

    at: datetime
    act: str
    what: str
    reason: str
    city: str = ""
    who: str = ""


def note(tx: Connection, act: Act) -> None:
    """Keep what was done."""
    tx.execute(insert(AUDIT).values({**act._asdict(), "at": millis(act.at)}))


def everything(tx: Connection) -> list[Act]:
    """Return all that was done, the oldest first."""
    return [_act(row) for row in tx.execute(select(AUDIT).order_by(AUDIT.c.at, AUDIT.c.id))]


def last(tx: Connection, city: str, most: int) -> list[Act]:
    """Return the last acts in a town, the newest first."""
    rows = tx.execute(select(AUDIT).where(AUDIT.c.city == city).order_by(AUDIT.c.at.desc(), AUDIT.c.id.desc()))
    return [_act(row) for row in rows.fetchmany(most)]


def _act(row: Any) -> Act:
    return Act(moment(row.at), row.act, row.what, row.reason, row.city, row.who)
