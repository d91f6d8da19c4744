"""How long things are kept, and the sweep that deletes what is over."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, delete

from bot.storage.lock import alone
from bot.storage.moments import millis
from bot.storage.tables import (
    AUDIT,
    BUBBLES,
    COUNTS,
    EDITIONS,
    GAMES,
    HOSTS,
    MISSED_TERMS,
    PLAY_LOG,
    PLAYS,
    REPORT_ASKERS,
    REPORT_DRAFTS,
    REPORT_MINUTES,
    REPORTS,
    RESULTS,
    SEATS,
    SEEN,
    SESSIONS,
    TELLINGS,
    VERSIONS,
    VOTES,
    WITHDRAWN,
    WORDS,
)

FIVE_YEARS = timedelta(days=1826)

KEPT: dict[str, tuple[Table, str, timedelta]] = {
    "sessions": (SESSIONS, "changed", timedelta(days=30)),
    "seen": (SEEN, "at", timedelta(hours=48)),
    "bubbles": (BUBBLES, "made", timedelta(days=1)),
    "tellings": (TELLINGS, "done", timedelta(hours=48)),
    "missed_terms": (MISSED_TERMS, "last", timedelta(days=90)),
    "reports": (REPORTS, "day", timedelta(days=366)),
    "report_drafts": (REPORT_DRAFTS, "made", timedelta(days=1)),
    "report_askers": (REPORT_ASKERS, "day", timedelta(days=366)),
    "report_minutes": (REPORT_MINUTES, "minute", timedelta(hours=1)),
    "counts": (COUNTS, "day", timedelta(days=762)),
    "versions": (VERSIONS, "until", FIVE_YEARS),
    "withdrawn": (WITHDRAWN, "back", FIVE_YEARS),
    "audit": (AUDIT, "at", FIVE_YEARS),
    "editions": (EDITIONS, "used", timedelta(days=30)),
    "plays": (PLAYS, "ends", timedelta(days=1)),
    "seats": (SEATS, "ends", timedelta(days=1)),
    "votes": (VOTES, "ends", timedelta(days=1)),
    "play_log": (PLAY_LOG, "ends", timedelta(days=1)),
    "games": (GAMES, "ends", timedelta(days=1)),
    "hosts": (HOSTS, "ends", timedelta(days=1)),
    "words": (WORDS, "ends", timedelta(days=1)),
    "results": (RESULTS, "last", timedelta(days=400)),
}
"""Table → (itself, the column its age counts from, how long)."""


def sweep(tx: Connection, now: datetime) -> int:
    """Delete every row that is older than its table keeps; return how many."""
    alone(tx, "sweep")
    return sum(
        tx.execute(delete(table).where(table.c[since] < millis(now - span))).rowcount
        for table, since, span in KEPT.values()
    )
