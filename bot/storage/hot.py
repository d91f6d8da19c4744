"""Statements that every turn runs, compiled once: SQLAlchemy writes them, the driver alone runs them.

Compiling, even from SQLAlchemy's cache, costs more than SQLite's own work on a row; a turn has four such statements.
"""

import sqlite3
from typing import Any

from sqlalchemy import ClauseElement, Connection
from sqlalchemy.dialects import sqlite

_DIALECT = sqlite.dialect(paramstyle="named")


class Hot:
    """A statement with named parameters, ready for the driver."""

    def __init__(self, statement: ClauseElement) -> None:
        self._sql = str(statement.compile(dialect=_DIALECT))

    def run(self, tx: Connection, **values: Any) -> sqlite3.Cursor:
        """Run the statement in `tx`'s transaction. Raises what SQLite raises."""
        raw = tx.connection.dbapi_connection
        if not isinstance(raw, sqlite3.Connection):
            raise TypeError("hot statements are for SQLite")
        return raw.execute(self._sql, values)
