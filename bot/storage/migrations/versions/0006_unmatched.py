"""What people asked and nobody knows, where their city keeps it."""

import sqlalchemy as sa
from alembic import op

from bot.storage.tables import Integer, String

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "unmatched",
        sa.Column("day", Integer, primary_key=True),
        sa.Column("city", String, primary_key=True),
        sa.Column("language", String, primary_key=True),
        sa.Column("words", String, primary_key=True),
        sa.Column("n", Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("unmatched")
