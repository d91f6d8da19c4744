"""The tables. Every turn writes three of them, so they carry no index that only the hourly sweep would use.

Times are whole milliseconds since 1970 in UTC; addresses are written `platform:chat@person`.
"""

from typing import Any

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, MetaData, Table, text

Integer = sqlalchemy.Integer().with_variant(BigInteger(), "postgresql")
"""A whole number as large as SQLite's: moments need more than PostgreSQL's own INTEGER holds."""

String = sqlalchemy.String().with_variant(sqlalchemy.String(collation="C"), "postgresql")
"""A text that sorts by its code points, as SQLite's does: that is how the rooms of a chat are found."""

METADATA = MetaData()


def only(which: str) -> dict[str, Any]:
    """Return what lets an index hold only the rows of which `which`, some SQL, is true."""
    return {"sqlite_where": text(which), "postgresql_where": text(which)}


# With rowids: without them SQLite gives each row of more than a quarter of a page a page of its own.
SESSIONS = Table(
    "sessions",
    METADATA,
    Column("address", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("changed", Integer, nullable=False),
)

# A platform's update id, so that an update that comes again changes nothing.
SEEN = Table(
    "seen",
    METADATA,
    Column("address", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# The outbox: every bubble, written in the turn that caused it. `state`: waiting, sent, dead (undeliverable, or replaced
# before it was sent), held (its town holds all that nobody asked for), or read (by the web page, which needs no
# sender). `lease` is the moment until which one process alone may send it. `prompt` is the occurrence that it belongs
# to, `until` the moment from which it is too late to send it.
BUBBLES = Table(
    "bubbles",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("address", String, nullable=False),
    Column("turn", Integer),
    Column("slot", String),
    Column("language", String, nullable=False),
    Column("reply", String, nullable=False),
    Column("state", String, nullable=False),
    Column("ref", String),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("lease", Integer, nullable=False, server_default="0"),
    Column("made", Integer, nullable=False),
    Column("prompt", Integer),
    Column("until", Integer),
    Index("bubbles_address", "address", "id"),
    Index("bubbles_waiting", "lease", **only("state = 'waiting'")),
    sqlite_autoincrement=True,
)

# Something a conversation is to hear at a moment, once: the key is unique.
TELLINGS = Table(
    "tellings",
    METADATA,
    Column("key", String, primary_key=True),
    Column("address", String, nullable=False),
    Column("feature", String, nullable=False),
    Column("what", String, nullable=False),
    Column("due", Integer, nullable=False),
    Column("done", Integer),
    Index("tellings_due", "due"),
    Index("tellings_address", "address"),
)

# Words that people looked up in vain, for editors: without an address, counted.
MISSED_TERMS = Table(
    "missed_terms",
    METADATA,
    Column("word", String, primary_key=True),
    Column("language", String, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last", Integer, nullable=False),
)

# Rumours that people left for the city, without who they were. `day` is midnight, so that nothing of the same moment
# leads to a conversation. `state`: new, answered (`card` says by which), declined (`reason` says why). `code` looks an
# answer up where nobody can be told.
REPORTS = Table(
    "reports",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("day", Integer, nullable=False),
    Column("city", String, nullable=False),
    Column("language", String, nullable=False),
    Column("words", String, nullable=False),
    Column("place", String, nullable=False),
    Column("district", String, nullable=False),
    Column("state", String, nullable=False),
    Column("card", String),
    Column("reason", String),
    Column("code", String),
    Index("reports_code", "code", unique=True),
    sqlite_autoincrement=True,
)

# What somebody is about to leave. `report` is its number from when it is kept until they said whether to be told.
REPORT_DRAFTS = Table(
    "report_drafts",
    METADATA,
    Column("address", String, primary_key=True),
    Column("words", String, nullable=False),
    Column("place", String),
    Column("district", String),
    Column("report", Integer),
    Column("made", Integer, nullable=False),
)

# Who wished to be told when there is an answer, until they are.
REPORT_ASKERS = Table(
    "report_askers",
    METADATA,
    Column("report", Integer, primary_key=True, autoincrement=False),
    Column("address", String, nullable=False),
    Column("language", String, nullable=False),
    Column("day", Integer, nullable=False),
    Index("report_askers_address", "address"),
)

# How many reports a minute brought, for the cap.
REPORT_MINUTES = Table(
    "report_minutes",
    METADATA,
    Column("minute", Integer, primary_key=True, autoincrement=False),
    Column("n", Integer, nullable=False),
)

# What people asked and nobody knows, where their city keeps it: by day, counted, in no order that tells who wrote it.
UNMATCHED = Table(
    "unmatched",
    METADATA,
    Column("day", Integer, primary_key=True),
    Column("city", String, primary_key=True),
    Column("language", String, primary_key=True),
    Column("words", String, primary_key=True),
    Column("n", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# How often something was shown or said on a day, in a city, in a language: never by whom.
COUNTS = Table(
    "counts",
    METADATA,
    Column("day", Integer, primary_key=True),
    Column("city", String, primary_key=True),
    Column("language", String, primary_key=True),
    Column("what", String, primary_key=True),
    Column("entry", String, primary_key=True),
    Column("n", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Every text that was live, as its file stood: since when, and until when, null while it is. `city` is "" for the shared
# pack. The digest is the SHA-256 of the file.
VERSIONS = Table(
    "versions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("city", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("entry", String, nullable=False),
    Column("language", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("text", String, nullable=False),
    Column("since", Integer, nullable=False),
    Column("until", Integer),
    Index("versions_live", "city", "kind", "entry", "language", unique=True, **only("until IS NULL")),
    Index("versions_entry", "entry", "since"),
)

# Entries that editors hide, everywhere where `city` is "": since when, why, and from when on they were back.
WITHDRAWN = Table(
    "withdrawn",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("city", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("entry", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("since", Integer, nullable=False),
    Column("back", Integer),
    Index("withdrawn_now", "city", "kind", "entry", unique=True, **only("back IS NULL")),
)

# What editors and coordinators did. `who` is "" at the command line, else a coordinator's number in their town.
AUDIT = Table(
    "audit",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", Integer, nullable=False),
    Column("act", String, nullable=False),
    Column("what", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("city", String, nullable=False, server_default=""),
    Column("who", String, nullable=False, server_default=""),
)

# The checked texts of a quiz in every language, once for each digest: an edited file changes nothing in mid-game.
# `face` is what a projector needs of it.
EDITIONS = Table(
    "editions",
    METADATA,
    Column("digest", String, primary_key=True),
    Column("quiz", String, nullable=False),
    Column("trees", String, nullable=False),
    Column("face", String, nullable=False),
    Column("used", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# One team's run of a quiz. `state` is the rules' own, "" before it begins; what a host and a projector need of it
# stands beside it. `number` counts questions, `version` changes; `done_to` is the last of the game's orders that was
# carried out. `ends` is the moment from which the row is over: a week after the last change, or the play's end.
PLAYS = Table(
    "plays",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("quiz", String, nullable=False),
    Column("edition", String, nullable=False),
    Column("cut", String),
    Column("game", String),
    Column("team", Integer, nullable=False, server_default="0"),
    Column("name", String, nullable=False, server_default=""),
    Column("mode", String, nullable=False),
    Column("captain", String),
    Column("state", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("done_to", Integer, nullable=False, server_default="0"),
    Column("room", String, nullable=False, server_default=""),
    Column("puzzle", String, nullable=False, server_default=""),
    Column("hints", Integer, nullable=False, server_default="0"),
    Column("stage", String, nullable=False),
    Column("ending", String),
    Column("limit_at", Integer),
    Column("paused", Integer),
    Column("asked", Integer),
    Column("changed", Integer, nullable=False),
    Column("ends", Integer, nullable=False),
    Index("plays_game", "game", "team", unique=True, **only("game IS NOT NULL")),
    sqlite_autoincrement=True,
)

# The conversations of a play. `counted` says whether it was told how ready somebody feels: 1 before, 2 after, 3 both.
SEATS = Table(
    "seats",
    METADATA,
    Column("address", String, primary_key=True),
    Column("play", Integer, primary_key=True),
    Column("counted", Integer, nullable=False, server_default="0"),
    Column("ends", Integer, nullable=False),
    Index("seats_play", "play"),
    sqlite_with_rowid=False,
)

# What each voter of a play wants at a question; a voter is a hash that means nothing in another play.
VOTES = Table(
    "votes",
    METADATA,
    Column("play", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("voter", String, primary_key=True),
    Column("choice", String, nullable=False),
    Column("at", Integer, nullable=False),
    Column("ends", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# What was said in a play and when, enough to play it again; it goes with the play.
PLAY_LOG = Table(
    "play_log",
    METADATA,
    Column("play", Integer, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("said", String, nullable=False),
    Column("at", Integer, nullable=False),
    Column("ends", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# A host's game of several plays; `secret` is the code by which another takes over. `orders` counts what its host did.
GAMES = Table(
    "games",
    METADATA,
    Column("code", String, primary_key=True),
    Column("secret", String, nullable=False, unique=True),
    Column("quiz", String, nullable=False),
    Column("edition", String, nullable=False),
    Column("cut", String),
    Column("mode", String, nullable=False),
    Column("own_names", Integer, nullable=False, server_default="0"),
    Column("language", String, nullable=False),
    Column("state", String, nullable=False),
    Column("hurt", Integer, nullable=False, server_default="0"),
    Column("orders", Integer, nullable=False, server_default="0"),
    Column("teams", Integer, nullable=False, server_default="0"),
    Column("step", String),
    Column("question", String),
    Column("made", Integer, nullable=False),
    Column("ends", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# The conversations from which a game is hosted.
HOSTS = Table(
    "hosts",
    METADATA,
    Column("address", String, primary_key=True),
    Column("game", String, nullable=False),
    Column("ends", Integer, nullable=False),
    Index("hosts_game", "game"),
    sqlite_with_rowid=False,
)

# Words that teams gave to close with; on the wall only once the host released them.
WORDS = Table(
    "words",
    METADATA,
    Column("game", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("word", String, nullable=False),
    Column("shown", Integer, nullable=False, server_default="0"),
    Column("ends", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# What remains of games: counts of how puzzles went and how ready people felt, without a team and without an address.
RESULTS = Table(
    "results",
    METADATA,
    Column("quiz", String, primary_key=True),
    Column("game", String, primary_key=True),
    Column("what", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Who wishes to hear campaign prompts, of which town and how. `topics` are ids by comma, "" all; `manner` text, short or
# child; `monthly` how many at most in thirty days, 0 as they come; `recent` when prompts came in the last thirty days.
SUBSCRIPTIONS = Table(
    "subscriptions",
    METADATA,
    Column("address", String, primary_key=True),
    Column("city", String, nullable=False),
    Column("language", String, nullable=False),
    Column("topics", String, nullable=False, server_default=""),
    Column("manner", String, nullable=False, server_default="text"),
    Column("school", Integer, nullable=False, server_default="0"),
    Column("monthly", Integer, nullable=False, server_default="8"),
    Column("recent", String, nullable=False, server_default=""),
    Column("since", Integer, nullable=False),
    Index("subscriptions_city", "city", "address"),
    sqlite_with_rowid=False,
)

# Who prepares the campaigns of a town. `number` is what the audit calls them; it is never used again in that town.
COORDINATORS = Table(
    "coordinators",
    METADATA,
    Column("address", String, primary_key=True),
    Column("city", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("language", String, nullable=False),
    Column("since", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Ways to become a coordinator: the digest of a code, good once, for ten minutes and five tries.
INVITES = Table(
    "invites",
    METADATA,
    Column("digest", String, primary_key=True),
    Column("city", String, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("ends", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# A town's part in a campaign in the year of its day. `state`: on, skipped, paused or stopped; `moved` the date in place
# of the day's own.
RUNS = Table(
    "runs",
    METADATA,
    Column("city", String, primary_key=True),
    Column("campaign", String, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("state", String, nullable=False),
    Column("moved", String),
    Column("since", Integer, nullable=False),
    Column("ends", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# What a town says in place of a campaign's text, this year only.
EDITS = Table(
    "edits",
    METADATA,
    Column("city", String, primary_key=True),
    Column("campaign", String, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("message", String, primary_key=True),
    Column("language", String, primary_key=True),
    Column("variant", String, primary_key=True),
    Column("text", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Integer, nullable=False),
    Column("ends", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Who approved what: the digest of all that a campaign says in a town. Number 0 is the command line.
APPROVALS = Table(
    "approvals",
    METADATA,
    Column("city", String, primary_key=True),
    Column("campaign", String, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", String, nullable=False),
    Column("at", Integer, nullable=False),
    Column("ends", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# How a town plans, where that differs from its pack.
CITY_SETTINGS = Table(
    "city_settings",
    METADATA,
    Column("city", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
    sqlite_with_rowid=False,
)

# Towns whose outgoing messages are all held.
HOLDS = Table(
    "holds",
    METADATA,
    Column("city", String, primary_key=True),
    Column("since", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# When a message of a campaign is due in a town. `day` is the date in the town's own zone; `audience`: all, schools,
# others (than schools) or coordinators. `state`: planned, telling (up to `reached`, an address), told, or skipped and
# `why`.
OCCURRENCES = Table(
    "occurrences",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("campaign", String, nullable=False),
    Column("city", String, nullable=False),
    Column("year", Integer, nullable=False),
    Column("message", String, nullable=False),
    Column("day", String, nullable=False),
    Column("audience", String, nullable=False),
    Column("at", Integer, nullable=False),
    Column("until", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("why", String, nullable=False, server_default=""),
    Column("reached", String, nullable=False, server_default=""),
    Index("occurrences_key", "campaign", "city", "message", "day", "audience", unique=True),
    Index("occurrences_open", "at", **only("state IN ('planned', 'telling')")),
    sqlite_autoincrement=True,
)

# How the bubbles of an occurrence went: reached, failed and why, unsubscribed; never to whom.
OUTCOMES = Table(
    "outcomes",
    METADATA,
    Column("occurrence", Integer, primary_key=True),
    Column("what", String, primary_key=True),
    Column("n", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Up to which moment something was done, such as planning.
MARKS = Table(
    "marks",
    METADATA,
    Column("name", String, primary_key=True),
    Column("at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

BY_ADDRESS = (
    SESSIONS,
    SEEN,
    BUBBLES,
    TELLINGS,
    REPORT_DRAFTS,
    REPORT_ASKERS,
    SEATS,
    HOSTS,
    SUBSCRIPTIONS,
    COORDINATORS,
)
"""Every table whose rows belong to a conversation; `/forget` clears them all."""
