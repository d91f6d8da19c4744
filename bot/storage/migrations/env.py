"""Alembic's way in: all steps in one transaction, one process at a time."""

import sqlite3

from alembic import context
from sqlalchemy import Connection, create_engine, event

from bot.storage.tables import METADATA

engine = create_engine(context.config.attributes["url"], connect_args={"timeout": 60})


@event.listens_for(engine, "connect")
def _leave_beginning_to_us(raw: sqlite3.Connection, _: object) -> None:
    raw.isolation_level = None  # the driver would commit before each CREATE TABLE


@event.listens_for(engine, "begin")
def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


with engine.connect() as connection:
    context.configure(connection, target_metadata=METADATA, render_as_batch=True, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
