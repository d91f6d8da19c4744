"""What was live, and when: every text as its file stood, kept when it is taken over."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from bot.storage.lock import alone
from bot.storage.moments import millis, moment
from bot.storage.tables import VERSIONS

_LIVE = VERSIONS.c.until.is_(None)


class Name(NamedTuple):
    """Which text: whose ("" is the shared pack's), of which kind and entry, in which language."""

    city: str
    kind: str
    entry: str
    language: str


@dataclass(frozen=True, slots=True)
class Version:
    """A text with the span in which it was live; `until` is None while it is."""

    name: Name
    text: str
    digest: str
    since: datetime
    until: datetime | None


def digest(text: str) -> str:
    """Return the SHA-256 of a file with this text."""
    return hashlib.sha256(text.encode()).hexdigest()


def record(tx: Connection, texts: Mapping[Name, str], now: datetime) -> int:
    """Write down that `texts` are live from now on, and what no longer is; return how many changed."""
    alone(tx, "versions")
    columns = (VERSIONS.c.id, *(VERSIONS.c[part] for part in Name._fields), VERSIONS.c.digest)
    known = {Name(*row[1:5]): (row[0], row[5]) for row in tx.execute(select(*columns).where(_LIVE))}
    digests = {name: digest(text) for name, text in texts.items()}
    over = [{"number": number} for name, (number, seen) in known.items() if digests.get(name) != seen]
    new = [name for name, found in digests.items() if name not in known or known[name][1] != found]
    at = millis(now)
    if over:
        tx.execute(update(VERSIONS).where(VERSIONS.c.id == bindparam("number")).values(until=at), over)
    if new:
        rows = [{**name._asdict(), "digest": digests[name], "text": texts[name], "since": at} for name in new]
        tx.execute(insert(VERSIONS), rows)
    return len({*new, *(name for name in known if name not in digests)})


def between(tx: Connection, entry: str, first: datetime, last: datetime) -> list[Version]:
    """Return every version of `entry`, of any kind, city and language, that was live between two moments, in order."""
    still = or_(_LIVE, VERSIONS.c.until > millis(first))
    wanted = select(VERSIONS).where(VERSIONS.c.entry == entry, VERSIONS.c.since < millis(last), still)
    rows = tx.execute(wanted.order_by(*(VERSIONS.c[part] for part in Name._fields), VERSIONS.c.since))
    return [
        Version(
            Name(row.city, row.kind, row.entry, row.language),
            row.text,
            row.digest,
            moment(row.since),
            None if row.until is None else moment(row.until),
        )
        for row in rows
    ]


def entries(tx: Connection) -> set[tuple[str, str]]:
    """Return the kind and id of everything that was ever live."""
    return {(row.kind, row.entry) for row in tx.execute(select(VERSIONS.c.kind, VERSIONS.c.entry).distinct())}


def first(tx: Connection) -> datetime | None:
    """Return when the record begins, None where there is none."""
    found = tx.execute(select(func.min(VERSIONS.c.since))).scalar()
    return None if found is None else moment(found)


def newest(tx: Connection, kind: str, cities: Collection[str]) -> datetime | None:
    """Return since when all that is live of a kind is as it is, in any of `cities`; None where there is no record."""
    found = select(func.max(VERSIONS.c.since)).where(_LIVE, VERSIONS.c.kind == kind, VERSIONS.c.city.in_(list(cities)))
    at = tx.execute(found).scalar()
    return None if at is None else moment(at)
