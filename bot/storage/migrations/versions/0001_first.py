"""The first shape: sessions, seen updates, bubbles, tellings, missed terms."""

import sqlalchemy as sa
from alembic import op

from bot.storage.tables import Integer, String, only

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("address", String, primary_key=True),
        sa.Column("state", String, nullable=False),
        sa.Column("changed", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "seen",
        sa.Column("address", String, primary_key=True),
        sa.Column("key", String, primary_key=True),
        sa.Column("at", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "bubbles",
        sa.Column("id", Integer, primary_key=True, autoincrement=True),
        sa.Column("address", String, nullable=False),
        sa.Column("turn", Integer),
        sa.Column("slot", String),
        sa.Column("language", String, nullable=False),
        sa.Column("reply", String, nullable=False),
        sa.Column("state", String, nullable=False),
        sa.Column("ref", String),
        sa.Column("tries", Integer, nullable=False, server_default="0"),
        sa.Column("lease", Integer, nullable=False, server_default="0"),
        sa.Column("made", Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("bubbles_address", "bubbles", ["address", "id"])
    op.create_index("bubbles_waiting", "bubbles", ["lease"], **only("state = 'waiting'"))
    op.create_table(
        "tellings",
        sa.Column("key", String, primary_key=True),
        sa.Column("address", String, nullable=False),
        sa.Column("feature", String, nullable=False),
        sa.Column("what", String, nullable=False),
        sa.Column("due", Integer, nullable=False),
        sa.Column("done", Integer),
    )
    op.create_index("tellings_due", "tellings", ["due"])
    op.create_index("tellings_address", "tellings", ["address"])
    op.create_table(
        "missed_terms",
        sa.Column("word", String, primary_key=True),
        sa.Column("language", String, primary_key=True),
        sa.Column("count", Integer, nullable=False),
        sa.Column("last", Integer, nullable=False),
    )


def downgrade() -> None:
    for table in ("missed_terms", "tellings", "bubbles", "seen", "sessions"):
        op.drop_table(table)
