"""`insert(table)` with `on_conflict_do_nothing` and `on_conflict_do_update`, for SQLite and PostgreSQL alike.

Both write these clauses in the same way; SQLAlchemy has a class for each dialect. Ours is SQLite's, which loads nothing
of PostgreSQL where there is none, and PostgreSQL's compiler is told the one thing that it misses.
"""

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite.dml import OnConflictDoNothing, OnConflictDoUpdate
from sqlalchemy.ext.compiler import compiles


def insert(table: Table) -> sqlite.Insert:
    """Return an insert; the `rowcount` of its result says whether a row was written."""
    return sqlite.insert(table).execution_options(preserve_rowcount=True)


@compiles(OnConflictDoNothing, "postgresql")
def _nothing(clause: Any, compiler: Any, **more: Any) -> str:
    return str(compiler.visit_on_conflict_do_nothing(_aimed(clause), **more))


@compiles(OnConflictDoUpdate, "postgresql")
def _update(clause: Any, compiler: Any, **more: Any) -> str:
    return str(compiler.visit_on_conflict_do_update(_aimed(clause), **more))


def _aimed(clause: Any) -> Any:
    clause.constraint_target = None  # a constraint by name, which SQLite has not
    return clause
