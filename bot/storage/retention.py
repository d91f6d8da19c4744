"""How long things are kept, and the sweep that deletes what is over."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, delete

from bot.storage.moments import millis
from bot.storage.tables import (
    AUDIT,
    BUBBLES,
    COUNTS,
    MISSED_TERMS,
    REPORT_ASKERS,
    REPORT_DRAFTS,
    REPORT_MINUTES,
    REPORTS,
    SEEN,
    SESSIONS,
    TELLINGS,
    VERSIONS,
    WITHDRAWN,
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
}
"""Table → (itself, the column its age counts from, how long)."""


def sweep(tx: Connection, now: datetime) -> int:
    """Delete every row that is older than its table keeps; return how many."""
    return sum(
        tx.execute(delete(table).where(table.c[since] < millis(now - span))).rowcount
        for table, since, span in KEPT.values()
    )
