"""One-time codes that make somebody a coordinator: kept as digests only, for ten minutes and five tries."""

import hashlib
import re
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import Connection, delete, insert, select, update

from bot.storage.moments import millis
from bot.storage.tables import INVITES

GOOD_FOR = timedelta(minutes=10)
TRIES = 5
LETTERS = "abcdefghkmnpqrstuvwxyz23456789"  # none that looks like another; a code is 39 bits
LENGTH = 8
CODE = re.compile(rf"[{LETTERS}]{{{LENGTH}}}")


def plain(code: str) -> str:
    """Return a code as it is compared: without case, spaces and hyphens."""
    return re.sub(r"[\s-]", "", code).casefold()


def make(tx: Connection, city: str, chance: Random, now: datetime) -> str:
    """Make a code that is good once, in the next ten minutes, for a town; `chance` must be unguessable."""
    code = "".join(chance.choices(LETTERS, k=LENGTH))
    tx.execute(insert(INVITES).values(digest=_digest(code), city=city, ends=millis(now + GOOD_FOR)))
    return code


def use(tx: Connection, code: str, now: datetime) -> str | None:
    """Use a code up and return its town; None where it is not good, which counts as a try of every code there is."""
    live = (INVITES.c.ends > millis(now)) & (INVITES.c.tries < TRIES)
    mine = live & (INVITES.c.digest == _digest(plain(code)))
    city: str | None = tx.execute(select(INVITES.c.city).where(mine)).scalar()
    if city is None:
        tx.execute(update(INVITES).where(live).values(tries=INVITES.c.tries + 1))
        return None
    tx.execute(delete(INVITES).where(mine))
    return city


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
