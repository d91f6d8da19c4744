"""The tables. Every turn writes three of them, so they carry no index that only the hourly sweep would use.

Times are whole milliseconds since 1970 in UTC; addresses are written `platform:chat@person`.
"""

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, text

METADATA = MetaData()
_WAITING = text("state = 'waiting'")

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("address", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("changed", Integer, nullable=False),
    sqlite_with_rowid=False,
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
# before it was sent), or read (by the web page, which needs no sender). `lease` is the moment until which one process
# alone may send it.
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
    Index("bubbles_address", "address", "id"),
    Index("bubbles_waiting", "lease", sqlite_where=_WAITING),
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
    Column("report", Integer, primary_key=True),
    Column("address", String, nullable=False),
    Column("language", String, nullable=False),
    Column("day", Integer, nullable=False),
    Index("report_askers_address", "address"),
)

# How many reports a minute brought, for the cap.
REPORT_MINUTES = Table(
    "report_minutes",
    METADATA,
    Column("minute", Integer, primary_key=True),
    Column("n", Integer, nullable=False),
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
    Index("versions_live", "city", "kind", "entry", "language", unique=True, sqlite_where=text("until IS NULL")),
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
    Index("withdrawn_now", "city", "kind", "entry", unique=True, sqlite_where=text("back IS NULL")),
)

# What editors did at the command line; by whom is not kept.
AUDIT = Table(
    "audit",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", Integer, nullable=False),
    Column("act", String, nullable=False),
    Column("what", String, nullable=False),
    Column("reason", String, nullable=False),
)

BY_ADDRESS = (SESSIONS, SEEN, BUBBLES, TELLINGS, REPORT_DRAFTS, REPORT_ASKERS)
"""Every table whose rows belong to a conversation; `/forget` clears them all."""
