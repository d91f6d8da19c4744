"""Statements that every turn runs, compiled once: SQLAlchemy writes them, the driver alone runs them.

Compiling, even from SQLAlchemy's cache, costs more than SQLite's own work on a row; a turn has four such statements.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, Dialect, Insert, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.expression import ClauseElement


class Rows(Protocol):
    """What a driver's cursor tells of a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows were written."""

    def fetchone(self) -> Any:
        """Return the next row, None where there is none."""

    def fetchall(self) -> list[Any]:
        """Return all rows."""

    def __iter__(self) -> Iterator[Any]: ...


class Hot:
    """A statement with named parameters, ready for the driver of whichever database it is run on."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._sql = {"sqlite": str(statement.compile(dialect=sqlite.dialect(paramstyle="named")))}

    def run(self, tx: Connection, **values: Any) -> Rows:
        """Run the statement in `tx`'s transaction. Raises what the driver raises."""
        sql = self._sql.get(tx.dialect.name) or self._compiled(tx.dialect)
        cursor: Rows = tx.connection.dbapi_connection.execute(sql, values)  # type: ignore[union-attr]
        return cursor

    def each(self, tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run the statement, which writes, once for each of `rows`. Raises what the driver raises."""
        sql = self._sql.get(tx.dialect.name) or self._compiled(tx.dialect)
        tx.connection.dbapi_connection.cursor().executemany(sql, rows)  # type: ignore[union-attr]

    def add(self, tx: Connection, **values: Any) -> int:
        """Run the statement, which inserts one row; return its id, which the database gave."""
        cursor: Any = self.run(tx, **values)
        return int(cursor.lastrowid if tx.dialect.name == "sqlite" else cursor.fetchone()[0])

    def _compiled(self, dialect: Dialect) -> str:
        """Compile for another database than SQLite; an id that it gives comes back with the row."""
        statement = self._statement
        if isinstance(statement, Insert) and isinstance(statement.table, Table):
            given = statement.table.autoincrement_column
            statement = statement if given is None else statement.returning(given)
        return self._sql.setdefault(dialect.name, str(statement.compile(dialect=dialect)))
