"""Tellings: what conversations are to hear, once, at their moment."""

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from bot.core.message import Address
from bot.storage.hot import Hot
from bot.storage.moments import millis, moment
from bot.storage.tables import TELLINGS
from bot.storage.upsert import insert
from bot.talk.feature import Telling

_ADDED = ("key", "address", "feature", "what", "due")
_ADD = Hot(insert(TELLINGS).values({name: bindparam(name) for name in _ADDED}).on_conflict_do_nothing())
_HEARD = Hot(
    update(TELLINGS)
    .where(TELLINGS.c.key == bindparam("which"), TELLINGS.c.done.is_(None))
    .values(done=bindparam("done"))
)


def add(tx: Connection, tellings: Iterable[Telling]) -> None:
    """Write `tellings`; one whose key is known changes nothing."""
    for telling in tellings:
        row = {
            "key": telling.key,
            "address": str(telling.to),
            "feature": telling.feature,
            "what": json.dumps(telling.what, ensure_ascii=False),
            "due": millis(telling.when),
        }
        _ADD.run(tx, **row)


def due(tx: Connection, now: datetime, most: int) -> list[Telling]:
    """Return up to `most` tellings whose moment has come, in order."""
    waiting = (TELLINGS.c.due <= millis(now)) & TELLINGS.c.done.is_(None)
    rows = tx.execute(select(TELLINGS).where(waiting).order_by(TELLINGS.c.due, TELLINGS.c.key).limit(most))
    return [
        Telling(Address.parse(row.address), row.feature, json.loads(row.what), moment(row.due), row.key) for row in rows
    ]


def take(tx: Connection, key: str, now: datetime) -> bool:
    """Mark the telling as heard; False where another process was first, or it was forgotten."""
    return _HEARD.run(tx, which=key, done=millis(now)).rowcount == 1
