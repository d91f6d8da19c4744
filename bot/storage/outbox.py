"""Bubbles: what was said and is to be sent, or read by the web page."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, false, func, insert, literal_column, or_, select, text, update

from bot.core.message import Address, Reply, decode, encode
from bot.core.platform import LOST
from bot.storage import outcomes, subscriptions
from bot.storage.hot import Hot
from bot.storage.moments import millis
from bot.storage.tables import BUBBLES, OCCURRENCES

LEASE = timedelta(seconds=60)

_WAITING = text("state = 'waiting'")  # not a parameter, or SQLite would leave the index of what waits aside
_BY_ID = text("+id")  # the plus keeps SQLite from reading all rows by id instead of that index
_WRITTEN = ("address", "turn", "slot", "language", "reply", "state", "lease", "made", "prompt", "until")
_ADD = Hot(insert(BUBBLES).values({name: bindparam(name) for name in _WRITTEN}))
_COLUMNS = tuple(
    BUBBLES.c[name] for name in ("id", "address", "turn", "language", "reply", "tries", "lease", "prompt", "until")
)
_AFTER = Hot(
    select(*_COLUMNS)
    .where(BUBBLES.c.address == bindparam("where"), BUBBLES.c.id > bindparam("last"), text("state != 'dead'"))
    .order_by(BUBBLES.c.id.desc())
    .limit(bindparam("most"))
    .offset(literal_column("0"))  # SQLite's dialect would add a parameter of its own
)


_HOLD = Hot(
    update(BUBBLES)
    .where(BUBBLES.c.id == bindparam("number"), BUBBLES.c.lease == bindparam("held"))
    .values(lease=bindparam("until"))
)
_SETTLE = Hot(
    update(BUBBLES)
    .where(BUBBLES.c.id == bindparam("number"), BUBBLES.c.lease == bindparam("held"))
    .values(state=bindparam("state"), ref=bindparam("ref"), lease=literal_column("0"))
)


@dataclass(frozen=True, slots=True)
class Bubble:
    """A reply as a row; `turn` is the question it asks, `edit` the ref of the older bubble whose place it takes.

    `lease` is the moment, in milliseconds, until which its holder alone may send it. No two holders' are the same, so
    it also says whose the row is. `cause` is the key of the message it answers; the row does not hold it. `prompt` is
    the occurrence of a campaign that it belongs to, `until` the moment, in milliseconds, from which it is too late.
    """

    id: int
    where: Address
    reply: Reply
    language: str
    turn: int | None = None
    edit: str | None = None
    tries: int = 0
    lease: int = 0
    cause: str | None = None
    prompt: int | None = None
    until: int | None = None


def add(tx: Connection, bubble: Bubble, now: datetime, *, state: str) -> Bubble:
    """Write `bubble` as a row, leased to this process for a minute if it is to be sent; return it with its id."""
    reply = bubble.reply
    if reply.slot:
        _replace(tx, bubble.where, reply.slot, state)
    lease = millis(now + LEASE) if state == "waiting" else 0
    number = _ADD.add(tx, **_row(bubble, lease, millis(now)) | {"state": state})
    return replace(bubble, id=number, lease=lease)


def add_prompts(tx: Connection, bubbles: Sequence[Bubble], now: datetime, keeps: Container[str]) -> list[Bubble]:
    """Write `bubbles`, all of one occurrence and without slots, as `add` does; those of platforms in `keeps` are read.

    One after the other they would take twice the time (measured).
    """
    if not bubbles:
        return []
    before, held = newest(tx), millis(now + LEASE)
    made = millis(now)
    rows = [_row(bubble, 0 if bubble.where.platform in keeps else held, made) for bubble in bubbles]
    _ADD.each(tx, rows)
    ours = (BUBBLES.c.id > before) & (BUBBLES.c.prompt == bubbles[0].prompt)
    numbers = tx.execute(select(BUBBLES.c.id).where(ours).order_by(BUBBLES.c.id)).scalars().all()
    written = zip(bubbles, numbers, rows, strict=True)
    return [
        Bubble(
            number,
            bubble.where,
            bubble.reply,
            bubble.language,
            lease=row["lease"],
            prompt=bubble.prompt,
            until=bubble.until,
        )
        for bubble, number, row in written
    ]


def _row(bubble: Bubble, lease: int, made: int) -> dict[str, Any]:
    return {
        "address": str(bubble.where),
        "turn": bubble.turn,
        "slot": bubble.reply.slot,
        "language": bubble.language,
        "reply": encode(bubble.reply),
        "state": "waiting" if lease else "read",
        "lease": lease,
        "made": made,
        "prompt": bubble.prompt,
        "until": bubble.until,
    }


def _replace(tx: Connection, where: Address, slot: str, state: str) -> None:
    """Let the older bubbles of `slot` give way to one in `state`.

    What is to be sent keeps the older rows until it is: one may be in the air, and its ref is not known before it came
    down.
    """
    older = _of_slot(where, slot)
    if state == "read":
        tx.execute(delete(BUBBLES).where(older))
    else:
        tx.execute(update(BUBBLES).where(older, BUBBLES.c.state == "waiting").values(state="dead"))


def after(tx: Connection, where: Address, last: int, most: int) -> list[Bubble]:
    """Return the newest `most` bubbles of `where` with an id above `last`, oldest first."""
    rows = _AFTER.run(tx, where=str(where), last=last, most=most)
    return [_bubble(row) for row in rows][::-1]


def offered(tx: Connection, where: Address, command: str) -> bool:
    """Say whether an answer that is still kept offered `where` a choice that begins with `command`."""
    said = BUBBLES.c.reply.contains(f'"{command}', autoescape=True)
    asked = select(BUBBLES.c.id).where(BUBBLES.c.address == str(where), said).limit(1)
    return tx.execute(asked).first() is not None


def newest(tx: Connection) -> int:
    """Return the highest bubble id, 0 where there is none."""
    return tx.execute(select(BUBBLES.c.id).order_by(BUBBLES.c.id.desc()).limit(1)).scalar() or 0


def addresses_after(tx: Connection, last: int) -> set[Address]:
    """Return where bubbles with an id above `last` were written."""
    rows = tx.execute(select(BUBBLES.c.address).where(BUBBLES.c.id > last).distinct())
    return {Address.parse(address) for address in rows.scalars()}


def claim(tx: Connection, platforms: Iterable[str], now: datetime, most: int) -> list[Bubble]:
    """Lease up to `most` waiting bubbles of `platforms` that nobody holds, oldest first; return them."""
    free = (_WAITING, BUBBLES.c.lease <= millis(now))
    mine = or_(false(), *(func.substr(BUBBLES.c.address, 1, len(name) + 1) == f"{name}:" for name in platforms))
    wanted = select(*_COLUMNS).where(*free, mine).order_by(_BY_ID).limit(most)
    rows = tx.execute(wanted.with_for_update(skip_locked=True)).all()  # SQLite has one writer and needs none of it
    return [hold(tx, _bubble(row), now + LEASE) for row in rows]


def current(tx: Connection, bubble: Bubble) -> Bubble | None:
    """Return `bubble` as it is to be sent now; None where it was forgotten or replaced, or somebody else holds it."""
    row = tx.execute(select(*_COLUMNS).where(_held(bubble), BUBBLES.c.state == "waiting")).one_or_none()
    return replace(_bubble(row), edit=_older_ref(tx, bubble), cause=bubble.cause) if row else None


def _older_ref(tx: Connection, bubble: Bubble) -> str | None:
    if not bubble.reply.slot:
        return None
    sent = select(BUBBLES.c.ref).where(_older(bubble), BUBBLES.c.ref.is_not(None))
    return tx.execute(sent.order_by(BUBBLES.c.id.desc()).limit(1)).scalar()


def hold(tx: Connection, bubble: Bubble, until: datetime) -> Bubble:
    """Lease a bubble that this process holds until a later moment; return it so."""
    lease = millis(until)
    mine = _HOLD.run(tx, number=bubble.id, held=bubble.lease, until=lease).rowcount
    return replace(bubble, lease=lease) if mine else bubble


def put_off(tx: Connection, bubble: Bubble, until: datetime) -> Bubble:
    """Count a try of a bubble that this process holds, and let it wait until a later one; return it so."""
    tx.execute(update(BUBBLES).where(_held(bubble)).values(tries=BUBBLES.c.tries + 1))
    return hold(tx, bubble, until)


def settle(tx: Connection, bubble: Bubble, state: str, ref: str | None, why: str, now: datetime) -> None:
    """Write how sending went, `sent` with its ref or `dead` and why; the bubbles whose place it took are over."""
    mine = _SETTLE.run(tx, number=bubble.id, held=bubble.lease, state=state, ref=ref).rowcount
    if mine and state == "sent" and bubble.reply.slot:
        tx.execute(delete(BUBBLES).where(_older(bubble)))
    if mine and bubble.prompt:
        outcomes.add(tx, bubble.prompt, why, now)
    if mine and why in LOST:
        subscriptions.end(tx, bubble.where)


def stop(tx: Connection, city: str) -> int:
    """Hold what waits to be sent of a town's campaigns; return how many bubbles."""
    here = (BUBBLES.c.state == "waiting") & BUBBLES.c.prompt.in_(_prompts(city))
    return tx.execute(update(BUBBLES).where(here).values(state="held")).rowcount


def let_go(tx: Connection, city: str) -> int:
    """Let what was held of a town's campaigns be sent, by whoever claims it; return how many bubbles."""
    here = (BUBBLES.c.state == "held") & BUBBLES.c.prompt.in_(_prompts(city))
    return tx.execute(update(BUBBLES).where(here).values(state="waiting", lease=0)).rowcount


def _prompts(city: str) -> Any:
    return select(OCCURRENCES.c.id).where(OCCURRENCES.c.city == city)


def _held(bubble: Bubble) -> Any:
    return (BUBBLES.c.id == bubble.id) & (BUBBLES.c.lease == bubble.lease)


def _older(bubble: Bubble) -> Any:
    return _of_slot(bubble.where, bubble.reply.slot) & (BUBBLES.c.id < bubble.id)


def _of_slot(where: Address, slot: str | None) -> Any:
    return (BUBBLES.c.address == str(where)) & (BUBBLES.c.slot == slot)


def _bubble(row: Sequence[Any]) -> Bubble:
    number, where, turn, language, reply, tries, lease, prompt, until = row
    told = {"prompt": prompt, "until": until}
    return Bubble(number, Address.parse(where), decode(reply), language, turn, tries=tries, lease=lease, **told)
