"""Reports left for the city, with drafts, askers and the cap of a minute; counts of a day."""

import sqlalchemy as sa
from alembic import op

from bot.storage.tables import Integer, String

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", Integer, primary_key=True, autoincrement=True),
        sa.Column("day", Integer, nullable=False),
        sa.Column("city", String, nullable=False),
        sa.Column("language", String, nullable=False),
        sa.Column("words", String, nullable=False),
        sa.Column("place", String, nullable=False),
        sa.Column("district", String, nullable=False),
        sa.Column("state", String, nullable=False),
        sa.Column("card", String),
        sa.Column("reason", String),
        sa.Column("code", String),
        sqlite_autoincrement=True,
    )
    op.create_index("reports_code", "reports", ["code"], unique=True)
    op.create_table(
        "report_drafts",
        sa.Column("address", String, primary_key=True),
        sa.Column("words", String, nullable=False),
        sa.Column("place", String),
        sa.Column("district", String),
        sa.Column("report", Integer),
        sa.Column("made", Integer, nullable=False),
    )
    op.create_table(
        "report_askers",
        sa.Column("report", Integer, primary_key=True, autoincrement=False),
        sa.Column("address", String, nullable=False),
        sa.Column("language", String, nullable=False),
        sa.Column("day", Integer, nullable=False),
    )
    op.create_index("report_askers_address", "report_askers", ["address"])
    op.create_table(
        "report_minutes",
        sa.Column("minute", Integer, primary_key=True, autoincrement=False),
        sa.Column("n", Integer, nullable=False),
    )
    op.create_table(
        "counts",
        sa.Column("day", Integer, primary_key=True),
        sa.Column("city", String, primary_key=True),
        sa.Column("language", String, primary_key=True),
        sa.Column("what", String, primary_key=True),
        sa.Column("entry", String, primary_key=True),
        sa.Column("n", Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("counts", "report_minutes", "report_askers", "report_drafts", "reports"):
        op.drop_table(table)
