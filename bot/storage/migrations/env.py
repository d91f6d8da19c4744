"""Alembic's way in: all steps in one transaction, one process at a time."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.pool import NullPool

from bot.storage.migrate import LOCK
from bot.storage.tables import METADATA

url = make_url(context.config.attributes["url"])
is_file = url.get_backend_name() == "sqlite"
engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 60} if is_file else {})


@event.listens_for(engine, "connect")
def _leave_beginning_to_us(raw: Any, _: object) -> None:
    if is_file:
        raw.isolation_level = None  # the driver would commit before each CREATE TABLE


@event.listens_for(engine, "begin")
def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_file else LOCK)


with engine.connect() as connection:
    context.configure(connection, target_metadata=METADATA, render_as_batch=is_file, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
