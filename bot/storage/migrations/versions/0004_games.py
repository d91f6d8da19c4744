"""Escape games: editions, plays and their conversations, votes, a host's games, and the counts that remain."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _rebuild_sessions(sqlite_with_rowid=True)
    op.create_table(
        "editions",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("quiz", sa.String, nullable=False),
        sa.Column("trees", sa.String, nullable=False),
        sa.Column("face", sa.String, nullable=False),
        sa.Column("used", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "plays",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("quiz", sa.String, nullable=False),
        sa.Column("edition", sa.String, nullable=False),
        sa.Column("cut", sa.String),
        sa.Column("game", sa.String),
        sa.Column("team", sa.Integer, nullable=False, server_default="0"),
        sa.Column("name", sa.String, nullable=False, server_default=""),
        sa.Column("mode", sa.String, nullable=False),
        sa.Column("captain", sa.String),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("done_to", sa.Integer, nullable=False, server_default="0"),
        sa.Column("room", sa.String, nullable=False, server_default=""),
        sa.Column("puzzle", sa.String, nullable=False, server_default=""),
        sa.Column("hints", sa.Integer, nullable=False, server_default="0"),
        sa.Column("stage", sa.String, nullable=False),
        sa.Column("ending", sa.String),
        sa.Column("limit_at", sa.Integer),
        sa.Column("paused", sa.Integer),
        sa.Column("asked", sa.Integer),
        sa.Column("changed", sa.Integer, nullable=False),
        sa.Column("ends", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("plays_game", "plays", ["game", "team"], unique=True, sqlite_where=sa.text("game IS NOT NULL"))
    op.create_table(
        "seats",
        sa.Column("address", sa.String, primary_key=True),
        sa.Column("play", sa.Integer, primary_key=True),
        sa.Column("counted", sa.Integer, nullable=False, server_default="0"),
        sa.Column("ends", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("seats_play", "seats", ["play"])
    op.create_table(
        "votes",
        sa.Column("play", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("voter", sa.String, primary_key=True),
        sa.Column("choice", sa.String, nullable=False),
        sa.Column("at", sa.Integer, nullable=False),
        sa.Column("ends", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "play_log",
        sa.Column("play", sa.Integer, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("said", sa.String, nullable=False),
        sa.Column("at", sa.Integer, nullable=False),
        sa.Column("ends", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "games",
        sa.Column("code", sa.String, primary_key=True),
        sa.Column("secret", sa.String, nullable=False, unique=True),
        sa.Column("quiz", sa.String, nullable=False),
        sa.Column("edition", sa.String, nullable=False),
        sa.Column("cut", sa.String),
        sa.Column("mode", sa.String, nullable=False),
        sa.Column("own_names", sa.Integer, nullable=False, server_default="0"),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("hurt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("orders", sa.Integer, nullable=False, server_default="0"),
        sa.Column("teams", sa.Integer, nullable=False, server_default="0"),
        sa.Column("step", sa.String),
        sa.Column("question", sa.String),
        sa.Column("made", sa.Integer, nullable=False),
        sa.Column("ends", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "hosts",
        sa.Column("address", sa.String, primary_key=True),
        sa.Column("game", sa.String, nullable=False),
        sa.Column("ends", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("hosts_game", "hosts", ["game"])
    op.create_table(
        "words",
        sa.Column("game", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("word", sa.String, nullable=False),
        sa.Column("shown", sa.Integer, nullable=False, server_default="0"),
        sa.Column("ends", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "results",
        sa.Column("quiz", sa.String, primary_key=True),
        sa.Column("game", sa.String, primary_key=True),
        sa.Column("what", sa.String, primary_key=True),
        sa.Column("value", sa.String, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("results", "words", "hosts", "games", "play_log", "votes", "seats", "plays", "editions"):
        op.drop_table(table)
    _rebuild_sessions(sqlite_with_rowid=False)


def _rebuild_sessions(**kind: bool) -> None:
    """With rowids a long row needs no page of its own."""
    op.execute("ALTER TABLE sessions RENAME TO old_sessions")
    op.create_table(
        "sessions",
        sa.Column("address", sa.String, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
        **kind,
    )
    op.execute("INSERT INTO sessions SELECT address, state, changed FROM old_sessions")
    op.execute("DROP TABLE old_sessions")
