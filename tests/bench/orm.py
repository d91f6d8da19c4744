"""The usual way to keep a turn: the async ORM on aiosqlite, one session for each turn, as durable as ours."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from sqlalchemy import String, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

POOL = 5
Turn = Callable[[str, str], Awaitable[None]]


class _Row(DeclarativeBase):
    pass


class SessionRow(_Row):
    __tablename__ = "sessions"
    address: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    changed: Mapped[int]


class SeenRow(_Row):
    __tablename__ = "seen"
    address: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[int]


class BubbleRow(_Row):
    __tablename__ = "bubbles"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    address: Mapped[str] = mapped_column(String, index=True)
    language: Mapped[str]
    reply: Mapped[str]
    state: Mapped[str]
    made: Mapped[int]


async def opened(path: Path) -> AsyncEngine:
    """Return the engine on a new database at `path`."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=POOL, max_overflow=0, pool_timeout=600)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(raw: sqlite3.Connection, _: object) -> None:
        cursor = raw.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    async with engine.begin() as connection:
        await connection.run_sync(_Row.metadata.create_all)
    return engine


def turn_with(engine: AsyncEngine, state: str, reply: str) -> Turn:
    """Return the function that does the work of one turn: (address, key)."""
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def turn(address: str, key: str) -> None:
        while True:
            try:
                async with sessions() as session:
                    await _work(session, address, key, state, reply)
            except OperationalError as error:
                if "locked" not in str(error.orig):
                    raise
                await asyncio.sleep(0.001)
            else:
                return

    return turn


async def _work(session: AsyncSession, address: str, key: str, state: str, reply: str) -> None:
    now = int(time.time() * 1000)
    kept = await session.get(SessionRow, address)
    session.add(SeenRow(address=address, key=key, at=now))
    if kept is None:
        session.add(SessionRow(address=address, state=state, changed=now))
    else:
        kept.state, kept.changed = state, now
    session.add(BubbleRow(address=address, language="en", reply=reply, state="read", made=now))
    await session.commit()
