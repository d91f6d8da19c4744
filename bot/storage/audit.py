"""What editors did at the command line: when, what and why; by whom is not kept."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from bot.storage.moments import millis, moment
from bot.storage.tables import AUDIT


class Act(NamedTuple):
    """Something that was done."""

    at: datetime
    act: str
    what: str
    reason: str


def note(tx: Connection, act: Act) -> None:
    """Keep what was done."""
    tx.execute(insert(AUDIT).values({**act._asdict(), "at": millis(act.at)}))


def everything(tx: Connection) -> list[Act]:
    """Return all that was done, the oldest first."""
    columns = (AUDIT.c.at, AUDIT.c.act, AUDIT.c.what, AUDIT.c.reason)
    rows = tx.execute(select(*columns).order_by(AUDIT.c.at, AUDIT.c.id))
    return [Act(moment(row.at), row.act, row.what, row.reason) for row in rows]
