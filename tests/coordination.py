"""What transcripts need of an installation: invented days, codes with known letters, how a message went."""

from datetime import datetime
from functools import cache
from pathlib import Path
from random import Random

from sqlalchemy import Connection, insert

from bot.app import Content, load_content
from bot.storage import invites
from bot.storage.moments import millis
from bot.storage.tables import OCCURRENCES, OUTCOMES

TESTS = Path(__file__).parent
CONTENT = TESTS.parent / "content"


@cache
def with_campaigns() -> Content:
    """Return the shipped content with two invented days and the example cities."""
    return load_content(CONTENT, {"campaigns": TESTS / "campaigns"}, CONTENT / "cities")


class Known(Random):
    """Chance that draws the letters of a code as they are given."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self._code = code

    def choices(self, *_: object, **__: object) -> list[str]:  # type: ignore[override]
        return list(self._code)


def invite(tx: Connection, city: str, code: str, now: datetime) -> None:
    """Make a code that is known to whoever writes a test."""
    invites.make(tx, city, Known(code), now)


def went(tx: Connection, city: str, spot: str, told: str, now: datetime) -> None:
    """Write down how a message went: `harvest-day 2027 today` `reached 12, blocked 2`, or `unapproved`."""
    campaign, year, message = spot.split()
    counts = dict(part.rsplit(" ", 1) for part in told.split(", ") if part[-1].isdecimal())
    row = {
        "campaign": campaign,
        "city": city,
        "year": int(year),
        "message": message,
        "day": now.date().isoformat(),
        "audience": "all",
        "at": millis(now),
        "until": millis(now),
        "state": "told" if counts else "skipped",
        "why": "" if counts else told,
    }
    number = tx.execute(insert(OCCURRENCES).values(row)).lastrowid
    for what, count in counts.items():
        tx.execute(insert(OUTCOMES).values(occurrence=number, what=what, n=int(count), last=millis(now)))
