"""Words that people looked up in vain, counted for editors, without an address."""

import re
import unicodedata
from datetime import datetime

from sqlalchemy import Connection, select

from bot.storage.moments import millis
from bot.storage.tables import MISSED_TERMS
from bot.storage.upsert import insert

# Letters only, three words at most: what could be a number, an address or a message is not kept.
_TERM = re.compile(r"[^\W\d_]+(?:[ '’-][^\W\d_]+){0,2}")
LONGEST = 40


def note(tx: Connection, word: str, language: str, now: datetime) -> None:
    """Count that `word` was looked up in vain; anything that is not like a term is not kept."""
    if len(word) > LONGEST or not _TERM.fullmatch(word) or _holds_figure(word):
        return
    new = insert(MISSED_TERMS).values(word=word.casefold(), language=language, count=1, last=millis(now))
    count = {"count": MISSED_TERMS.c.count + 1, "last": new.excluded.last}
    tx.execute(new.on_conflict_do_update(index_elements=["word", "language"], set_=count))


def _holds_figure(word: str) -> bool:
    """Return whether there is a figure of any kind in `word`; to a regular expression ² and Ⅶ are letters."""
    return any(unicodedata.category(character).startswith("N") for character in word)


def most_wanted(tx: Connection) -> list[tuple[str, str, int]]:
    """Return (word, language, count), the most wanted first."""
    wanted = select(MISSED_TERMS.c.word, MISSED_TERMS.c.language, MISSED_TERMS.c.count)
    rows = tx.execute(wanted.order_by(MISSED_TERMS.c.count.desc(), MISSED_TERMS.c.word))
    return [(word, language, count) for word, language, count in rows]
