"""Turns that must not meet: on PostgreSQL, where several write at the same time, one waits for the other's commit.

SQLite has one writer, so there nobody is met and nothing is asked.
"""

from sqlalchemy import Connection, bindparam, func, literal_column, select

from bot.storage.hot import Hot

READING = "reading"
"""The execution option of a connection that only reads: it changes nothing, so it need not wait for anybody."""

_ALONE = Hot(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name"), literal_column("0")))))


def meets(tx: Connection) -> bool:
    """Say whether others may write while `tx` does."""
    return tx.dialect.name != "sqlite" and not tx.get_execution_options().get(READING)


def alone(tx: Connection, *names: str) -> None:
    """Let `tx` alone go on under `names`, until it is over; what is asked after this sees all that others wrote."""
    if meets(tx):
        for name in sorted(set(names)):
            _ALONE.run(tx, name=f"hearsay {name}")
