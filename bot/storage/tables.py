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

BY_ADDRESS = (SESSIONS, SEEN, BUBBLES, TELLINGS)
"""Every table whose rows belong to a conversation; `/forget` clears them all."""
