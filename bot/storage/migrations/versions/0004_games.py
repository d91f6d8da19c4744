"""Escape games: editions, plays and their conversations, votes, a host's games, and the counts that remain."""

import sqlalchemy as sa
from alembic import op

from bot.storage.tables import Integer, String, only

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _rebuild_sessions(sqlite_with_rowid=True)
    op.create_table(
        "editions",
        sa.Column("digest", String, primary_key=True),
        sa.Column("quiz", String, nullable=False),
        sa.Column("trees", String, nullable=False),
        sa.Column("face", String, nullable=False),
        sa.Column("used", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "plays",
        sa.Column("id", Integer, primary_key=True, autoincrement=True),
        sa.Column("quiz", String, nullable=False),
        sa.Column("edition", String, nullable=False),
        sa.Column("cut", String),
        sa.Column("game", String),
        sa.Column("team", Integer, nullable=False, server_default="0"),
        sa.Column("name", String, nullable=False, server_default=""),
        sa.Column("mode", String, nullable=False),
        sa.Column("captain", String),
        sa.Column("state", String, nullable=False),
        sa.Column("number", Integer, nullable=False),
        sa.Column("version", Integer, nullable=False),
        sa.Column("done_to", Integer, nullable=False, server_default="0"),
        sa.Column("room", String, nullable=False, server_default=""),
        sa.Column("puzzle", String, nullable=False, server_default=""),
        sa.Column("hints", Integer, nullable=False, server_default="0"),
        sa.Column("stage", String, nullable=False),
        sa.Column("ending", String),
        sa.Column("limit_at", Integer),
        sa.Column("paused", Integer),
        sa.Column("asked", Integer),
        sa.Column("changed", Integer, nullable=False),
        sa.Column("ends", Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("plays_game", "plays", ["game", "team"], unique=True, **only("game IS NOT NULL"))
    op.create_table(
        "seats",
        sa.Column("address", String, primary_key=True),
        sa.Column("play", Integer, primary_key=True),
        sa.Column("counted", Integer, nullable=False, server_default="0"),
        sa.Column("ends", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("seats_play", "seats", ["play"])
    op.create_table(
        "votes",
        sa.Column("play", Integer, primary_key=True),
        sa.Column("number", Integer, primary_key=True),
        sa.Column("voter", String, primary_key=True),
        sa.Column("choice", String, nullable=False),
        sa.Column("at", Integer, nullable=False),
        sa.Column("ends", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "play_log",
        sa.Column("play", Integer, primary_key=True),
        sa.Column("version", Integer, primary_key=True),
        sa.Column("said", String, nullable=False),
        sa.Column("at", Integer, nullable=False),
        sa.Column("ends", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "games",
        sa.Column("code", String, primary_key=True),
        sa.Column("secret", String, nullable=False, unique=True),
        sa.Column("quiz", String, nullable=False),
        sa.Column("edition", String, nullable=False),
        sa.Column("cut", String),
        sa.Column("mode", String, nullable=False),
        sa.Column("own_names", Integer, nullable=False, server_default="0"),
        sa.Column("language", String, nullable=False),
        sa.Column("state", String, nullable=False),
        sa.Column("hurt", Integer, nullable=False, server_default="0"),
        sa.Column("orders", Integer, nullable=False, server_default="0"),
        sa.Column("teams", Integer, nullable=False, server_default="0"),
        sa.Column("step", String),
        sa.Column("question", String),
        sa.Column("made", Integer, nullable=False),
        sa.Column("ends", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "hosts",
        sa.Column("address", String, primary_key=True),
        sa.Column("game", String, nullable=False),
        sa.Column("ends", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("hosts_game", "hosts", ["game"])
    op.create_table(
        "words",
        sa.Column("game", String, primary_key=True),
        sa.Column("number", Integer, primary_key=True),
        sa.Column("word", String, nullable=False),
        sa.Column("shown", Integer, nullable=False, server_default="0"),
        sa.Column("ends", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "results",
        sa.Column("quiz", String, primary_key=True),
        sa.Column("game", String, primary_key=True),
        sa.Column("what", String, primary_key=True),
        sa.Column("value", String, primary_key=True),
        sa.Column("count", Integer, nullable=False),
        sa.Column("last", Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("results", "words", "hosts", "games", "play_log", "votes", "seats", "plays", "editions"):
        op.drop_table(table)
    _rebuild_sessions(sqlite_with_rowid=False)


def _rebuild_sessions(**kind: bool) -> None:
    """With rowids a long row of SQLite's needs no page of its own."""
    if op.get_bind().dialect.name != "sqlite":
        return
    op.execute("ALTER TABLE sessions RENAME TO old_sessions")
    op.create_table(
        "sessions",
        sa.Column("address", String, primary_key=True),
        sa.Column("state", String, nullable=False),
        sa.Column("changed", Integer, nullable=False),
        **kind,
    )
    op.execute("INSERT INTO sessions SELECT address, state, changed FROM old_sessions")
    op.execute("DROP TABLE old_sessions")
