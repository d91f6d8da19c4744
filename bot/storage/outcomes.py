"""How the bubbles of an occurrence went, as counts; never to whom."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from bot.storage.hot import Hot
from bot.storage.moments import millis
from bot.storage.tables import OUTCOMES
from bot.storage.upsert import insert

_added = insert(OUTCOMES).values(
    occurrence=bindparam("occurrence"), what=bindparam("what"), n=bindparam("n"), last=bindparam("last")
)
_ADD = Hot(
    _added.on_conflict_do_update(
        index_elements=["occurrence", "what"],
        set_={"n": OUTCOMES.c.n + _added.excluded.n, "last": _added.excluded.last},
    )
)


def add(tx: Connection, occurrence: int, what: str, now: datetime, n: int = 1) -> None:
    """Count `n` more of what became of an occurrence's bubbles: reached, blocked, gone, late, quota, unsubscribed …"""
    _ADD.run(tx, occurrence=occurrence, what=what, n=n, last=millis(now))


def of(tx: Connection, occurrences: Iterable[int]) -> Mapping[int, Mapping[str, int]]:
    """Return what became of each of `occurrences`."""
    found: dict[int, dict[str, int]] = {}
    for row in tx.execute(select(OUTCOMES).where(OUTCOMES.c.occurrence.in_(list(occurrences)))):
        found.setdefault(row.occurrence, {})[row.what] = row.n
    return found
