"""The first shape: sessions, seen updates, bubbles, tellings, missed terms."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("address", sa.String, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "seen",
        sa.Column("address", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("at", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "bubbles",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("turn", sa.Integer),
        sa.Column("slot", sa.String),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("reply", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("ref", sa.String),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("lease", sa.Integer, nullable=False, server_default="0"),
        sa.Column("made", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("bubbles_address", "bubbles", ["address", "id"])
    op.create_index("bubbles_waiting", "bubbles", ["lease"], sqlite_where=sa.text("state = 'waiting'"))
    op.create_table(
        "tellings",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("feature", sa.String, nullable=False),
        sa.Column("what", sa.String, nullable=False),
        sa.Column("due", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer),
    )
    op.create_index("tellings_due", "tellings", ["due"])
    op.create_index("tellings_address", "tellings", ["address"])
    op.create_table(
        "missed_terms",
        sa.Column("word", sa.String, primary_key=True),
        sa.Column("language", sa.String, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    for table in ("missed_terms", "tellings", "bubbles", "seen", "sessions"):
        op.drop_table(table)
