"""Reports left for the city, with drafts, askers and the cap of a minute; counts of a day."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("city", sa.String, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("words", sa.String, nullable=False),
        sa.Column("place", sa.String, nullable=False),
        sa.Column("district", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("card", sa.String),
        sa.Column("reason", sa.String),
        sa.Column("code", sa.String),
        sqlite_autoincrement=True,
    )
    op.create_index("reports_code", "reports", ["code"], unique=True)
    op.create_table(
        "report_drafts",
        sa.Column("address", sa.String, primary_key=True),
        sa.Column("words", sa.String, nullable=False),
        sa.Column("place", sa.String),
        sa.Column("district", sa.String),
        sa.Column("report", sa.Integer),
        sa.Column("made", sa.Integer, nullable=False),
    )
    op.create_table(
        "report_askers",
        sa.Column("report", sa.Integer, primary_key=True),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
    )
    op.create_index("report_askers_address", "report_askers", ["address"])
    op.create_table(
        "report_minutes",
        sa.Column("minute", sa.Integer, primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
    )
    op.create_table(
        "counts",
        sa.Column("day", sa.Integer, primary_key=True),
        sa.Column("city", sa.String, primary_key=True),
        sa.Column("language", sa.String, primary_key=True),
        sa.Column("what", sa.String, primary_key=True),
        sa.Column("entry", sa.String, primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("counts", "report_minutes", "report_askers", "report_drafts", "reports"):
        op.drop_table(table)
