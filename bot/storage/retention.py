"""How long things are kept, and the sweep that deletes what is over."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, delete

from bot.storage import subscriptions
from bot.storage.lock import alone
from bot.storage.moments import millis
from bot.storage.tables import (
    APPROVALS,
    AUDIT,
    BUBBLES,
    CITY_SETTINGS,
    COORDINATORS,
    COUNTS,
    EDITIONS,
    EDITS,
    GAMES,
    HOLDS,
    HOSTS,
    INVITES,
    MARKS,
    MISSED_TERMS,
    OCCURRENCES,
    OUTCOMES,
    PLAY_LOG,
    PLAYS,
    REPORT_ASKERS,
    REPORT_DRAFTS,
    REPORT_MINUTES,
    REPORTS,
    RESULTS,
    RUNS,
    SEATS,
    SEEN,
    SESSIONS,
    SUBSCRIPTIONS,
    TELLINGS,
    UNMATCHED,
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
    "unmatched": (UNMATCHED, "day", timedelta(days=90)),
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
    "invites": (INVITES, "ends", timedelta(0)),
    "runs": (RUNS, "ends", timedelta(days=762)),
    "edits": (EDITS, "ends", timedelta(days=762)),
    "approvals": (APPROVALS, "ends", timedelta(days=762)),
    "occurrences": (OCCURRENCES, "until", timedelta(days=762)),
    "outcomes": (OUTCOMES, "last", timedelta(days=762)),
}
"""Table → (itself, the column its age counts from, how long)."""

LASTING = (SUBSCRIPTIONS, COORDINATORS, CITY_SETTINGS, HOLDS, MARKS)
"""What is kept until somebody ends it."""


VISITED = ("web",)
"""Platforms whose prompts are only read by whoever comes: there a subscription ends with its conversation."""


def sweep(tx: Connection, now: datetime) -> int:
    """Delete every row that is older than its table keeps, and what nobody can read any more; return how many."""
    alone(tx, "sweep")
    over = sum(
        tx.execute(delete(table).where(table.c[since] < millis(now - span))).rowcount
        for table, since, span in KEPT.values()
    )
    return over + subscriptions.end_unread(tx, VISITED)
