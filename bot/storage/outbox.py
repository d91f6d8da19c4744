"""Bubbles: what was said and is to be sent, or read by the web page."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from bot.core.message import Address, Reply, pack, unpack
from bot.storage.moments import millis
from bot.storage.tables import BUBBLES

LEASE = timedelta(seconds=60)

_ADD = insert(BUBBLES).returning(BUBBLES.c.id)
_COLUMNS = tuple(BUBBLES.c[name] for name in ("id", "address", "turn", "language", "reply", "ref", "tries"))
_AFTER = (
    select(*_COLUMNS)
    .where(BUBBLES.c.address == bindparam("where"), BUBBLES.c.id > bindparam("last"))
    .order_by(BUBBLES.c.id.desc())
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class Bubble:
    """A reply as a row; `turn` is the question it asks, `edit` the ref of the older bubble whose place it takes."""

    id: int
    where: Address
    reply: Reply
    language: str
    turn: int | None = None
    edit: str | None = None
    tries: int = 0


def add(tx: Connection, bubble: Bubble, now: datetime, *, state: str) -> Bubble:
    """Write `bubble` as a row, leased to this process for a minute; return it with its id."""
    where, reply = bubble.where, bubble.reply
    edit = _replace(tx, where, reply.slot) if reply.slot else None
    row = {
        "address": str(where),
        "turn": bubble.turn,
        "language": bubble.language,
        "slot": reply.slot,
        "reply": json.dumps(pack(reply), ensure_ascii=False),
        "state": state,
        "ref": edit,
        "lease": millis(now + LEASE),
        "made": millis(now),
    }
    return replace(bubble, id=int(tx.execute(_ADD, row).scalar_one()), edit=edit)


def _replace(tx: Connection, where: Address, slot: str) -> str | None:
    """Take the older bubbles of `slot` away; return the ref of the one that was sent, to be edited."""
    same = (BUBBLES.c.address == str(where)) & (BUBBLES.c.slot == slot)
    ref = tx.execute(select(BUBBLES.c.ref).where(same, BUBBLES.c.ref.is_not(None)).limit(1)).scalar()
    tx.execute(delete(BUBBLES).where(same))
    return ref


def after(tx: Connection, where: Address, last: int, most: int) -> list[Bubble]:
    """Return the newest `most` bubbles of `where` with an id above `last`, oldest first."""
    rows = tx.execute(_AFTER, {"where": str(where), "last": last, "most": most})
    return [_bubble(row) for row in rows][::-1]


def newest(tx: Connection) -> int:
    """Return the highest bubble id, 0 where there is none."""
    return tx.execute(select(BUBBLES.c.id).order_by(BUBBLES.c.id.desc()).limit(1)).scalar() or 0


def addresses_after(tx: Connection, last: int) -> set[Address]:
    """Return where bubbles with an id above `last` were written."""
    rows = tx.execute(select(BUBBLES.c.address).where(BUBBLES.c.id > last).distinct())
    return {Address.parse(address) for address in rows.scalars()}


def claim(tx: Connection, platforms: Iterable[str], now: datetime, most: int) -> list[Bubble]:
    """Lease up to `most` waiting bubbles of `platforms` that nobody holds, oldest first; return them."""
    free = (BUBBLES.c.state == "waiting") & (BUBBLES.c.lease <= millis(now))
    mine = BUBBLES.c.address.op("GLOB")(bindparam("platform"))
    found: list[Sequence[Any]] = []
    for platform in platforms:
        query = select(*_COLUMNS).where(free, mine).order_by(BUBBLES.c.id).limit(most)
        found.extend(tx.execute(query, {"platform": f"{platform}:*"}))
    ids = [row[0] for row in found]
    tx.execute(
        update(BUBBLES).where(BUBBLES.c.id.in_(ids)).values(lease=millis(now + LEASE), tries=BUBBLES.c.tries + 1)
    )
    return [_bubble(row) for row in found]


def settle(tx: Connection, bubble: int, state: str, ref: str | None) -> None:
    """Write how sending went: `sent` with its ref, or `dead`."""
    tx.execute(update(BUBBLES).where(BUBBLES.c.id == bubble).values(state=state, ref=ref, lease=0))


def put_off(tx: Connection, bubble: int, until: datetime) -> None:
    """Let a bubble wait until a later try."""
    later = {"lease": millis(until), "tries": BUBBLES.c.tries + 1}
    tx.execute(update(BUBBLES).where(BUBBLES.c.id == bubble).values(later))


def _bubble(row: Sequence[Any]) -> Bubble:
    number, where, turn, language, reply, ref, tries = row
    return Bubble(number, Address.parse(where), unpack(json.loads(reply)), language, turn, ref, tries)
