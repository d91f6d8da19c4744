"""A town's part in campaigns, year by year: whether it goes on, what it says otherwise, who approved, what is held."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select

from bot.storage import outbox
from bot.storage.moments import millis, moment
from bot.storage.tables import APPROVALS, CITY_SETTINGS, EDITS, HOLDS, RUNS
from bot.storage.upsert import insert

COMMAND_LINE = 0
"""The number of whoever acts at the command line."""


class Key(NamedTuple):
    """A campaign of a town in the year of its day."""

    city: str
    campaign: str
    year: int


class Kept(NamedTuple):
    """A town's part in a campaign as it is kept: its state, the date it was moved to, since when."""

    key: Key
    state: str
    moved: date | None
    since: datetime


class Approval(NamedTuple):
    """Who approved which text, by its digest; `number` is a coordinator's in their town."""

    number: int
    digest: str
    at: datetime


class Edit(NamedTuple):
    """What a town says in place of a text, and who wrote it."""

    message: str
    language: str
    variant: str
    text: str
    number: int


def _here(table: Any, key: Key) -> Any:
    return (table.c.city == key.city) & (table.c.campaign == key.campaign) & (table.c.year == key.year)


def join(tx: Connection, key: Key, now: datetime, ends: datetime) -> bool:
    """Begin to take part; False where the town does already, or has skipped or stopped it this year."""
    row = {**key._asdict(), "state": "on", "since": millis(now), "ends": millis(ends)}
    return tx.execute(insert(RUNS).values(row).on_conflict_do_nothing()).rowcount == 1


def of_city(tx: Connection, city: str) -> list[Kept]:
    """Return all of a town's parts in campaigns."""
    return [_kept(row) for row in tx.execute(select(RUNS).where(RUNS.c.city == city))]


def of(tx: Connection, key: Key) -> Kept | None:
    """Return a town's part in one campaign; None where it has none."""
    row = tx.execute(select(RUNS).where(_here(RUNS, key))).one_or_none()
    return _kept(row) if row else None


def change(tx: Connection, key: Key, **values: Any) -> bool:
    """Change the `state` or the date `moved` of a town's part; False where it has none."""
    given = {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
    return tx.execute(RUNS.update().where(_here(RUNS, key)).values(given)).rowcount == 1


def _kept(row: Any) -> Kept:
    key = Key(row.city, row.campaign, row.year)
    return Kept(key, row.state, date.fromisoformat(row.moved) if row.moved else None, moment(row.since))


def edits(tx: Connection, key: Key) -> list[Edit]:
    """Return what the town says in place of a campaign's texts this year."""
    rows = tx.execute(select(EDITS).where(_here(EDITS, key)).order_by(EDITS.c.at))
    return [Edit(row.message, row.language, row.variant, row.text, row.number) for row in rows]


def edit(tx: Connection, key: Key, new: Edit, now: datetime, ends: datetime) -> None:
    """Say `new` in place of what was said; every approval so far is of another text by that."""
    row = {**key._asdict(), **new._asdict(), "at": millis(now), "ends": millis(ends)}
    where = ["city", "campaign", "year", "message", "language", "variant"]
    tx.execute(insert(EDITS).values(row).on_conflict_do_update(index_elements=where, set_=row))


def unedit(tx: Connection, key: Key, message: str, language: str, variant: str) -> bool:
    """Say again what the campaign's file says; False where nothing was said in its place."""
    spot = (EDITS.c.message == message) & (EDITS.c.language == language) & (EDITS.c.variant == variant)
    return tx.execute(delete(EDITS).where(_here(EDITS, key) & spot)).rowcount == 1


def approvals(tx: Connection, key: Key) -> list[Approval]:
    """Return who approved a campaign, whatever its text was then."""
    rows = tx.execute(select(APPROVALS).where(_here(APPROVALS, key)).order_by(APPROVALS.c.at))
    return [Approval(row.number, row.digest, moment(row.at)) for row in rows]


def approve(tx: Connection, key: Key, approval: Approval, ends: datetime) -> None:
    """Keep an approval in place of an older one of the same person."""
    row = {**key._asdict(), **approval._asdict(), "at": millis(approval.at), "ends": millis(ends)}
    added = insert(APPROVALS).values(row)
    tx.execute(added.on_conflict_do_update(index_elements=["city", "campaign", "year", "number"], set_=row))


def settings(tx: Connection, cities: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    """Return by town how it plans where that differs from its pack, by name."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for row in tx.execute(select(CITY_SETTINGS).where(CITY_SETTINGS.c.city.in_(list(cities)))):
        found[row.city][row.name] = row.value
    return found


def set_(tx: Connection, city: str, name: str, value: str) -> None:
    """Keep a setting of a town."""
    row = {"city": city, "name": name, "value": value}
    tx.execute(insert(CITY_SETTINGS).values(row).on_conflict_do_update(index_elements=["city", "name"], set_=row))


def unset(tx: Connection, city: str, name: str) -> None:
    """Let a town plan again as its pack says, in one thing."""
    tx.execute(delete(CITY_SETTINGS).where((CITY_SETTINGS.c.city == city) & (CITY_SETTINGS.c.name == name)))


def hold(tx: Connection, city: str, now: datetime) -> bool:
    """Hold all that a town sends of itself, what waits to be sent included; False where it is held already."""
    if not tx.execute(insert(HOLDS).values(city=city, since=millis(now)).on_conflict_do_nothing()).rowcount:
        return False
    outbox.stop(tx, city)
    return True


def release(tx: Connection, city: str) -> bool:
    """Let what a town sends go on; False where nothing is held. What is too late by now its sender leaves unsent."""
    if not tx.execute(delete(HOLDS).where(HOLDS.c.city == city)).rowcount:
        return False
    outbox.let_go(tx, city)
    return True


def held(tx: Connection) -> set[str]:
    """Return the towns whose outgoing messages are held."""
    return set(tx.execute(select(HOLDS.c.city)).scalars())
