"""Campaigns: subscriptions, coordinators, what towns take part in, approve and change, and what is due."""

import sqlalchemy as sa
from alembic import op

from bot.storage.tables import Integer, String, only

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("bubbles", sa.Column("prompt", Integer))
    op.add_column("bubbles", sa.Column("until", Integer))
    op.add_column("audit", sa.Column("city", String, nullable=False, server_default=""))
    op.add_column("audit", sa.Column("who", String, nullable=False, server_default=""))
    op.create_table(
        "subscriptions",
        sa.Column("address", String, primary_key=True),
        sa.Column("city", String, nullable=False),
        sa.Column("language", String, nullable=False),
        sa.Column("topics", String, nullable=False, server_default=""),
        sa.Column("manner", String, nullable=False, server_default="text"),
        sa.Column("school", Integer, nullable=False, server_default="0"),
        sa.Column("monthly", Integer, nullable=False, server_default="8"),
        sa.Column("recent", String, nullable=False, server_default=""),
        sa.Column("since", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("subscriptions_city", "subscriptions", ["city", "address"])
    op.create_table(
        "coordinators",
        sa.Column("address", String, primary_key=True),
        sa.Column("city", String, primary_key=True),
        sa.Column("number", Integer, nullable=False),
        sa.Column("language", String, nullable=False),
        sa.Column("since", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "invites",
        sa.Column("digest", String, primary_key=True),
        sa.Column("city", String, nullable=False),
        sa.Column("tries", Integer, nullable=False, server_default="0"),
        sa.Column("ends", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "runs",
        sa.Column("city", String, primary_key=True),
        sa.Column("campaign", String, primary_key=True),
        sa.Column("year", Integer, primary_key=True),
        sa.Column("state", String, nullable=False),
        sa.Column("moved", String),
        sa.Column("since", Integer, nullable=False),
        sa.Column("ends", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "edits",
        sa.Column("city", String, primary_key=True),
        sa.Column("campaign", String, primary_key=True),
        sa.Column("year", Integer, primary_key=True),
        sa.Column("message", String, primary_key=True),
        sa.Column("language", String, primary_key=True),
        sa.Column("variant", String, primary_key=True),
        sa.Column("text", String, nullable=False),
        sa.Column("number", Integer, nullable=False),
        sa.Column("at", Integer, nullable=False),
        sa.Column("ends", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "approvals",
        sa.Column("city", String, primary_key=True),
        sa.Column("campaign", String, primary_key=True),
        sa.Column("year", Integer, primary_key=True),
        sa.Column("number", Integer, primary_key=True),
        sa.Column("digest", String, nullable=False),
        sa.Column("at", Integer, nullable=False),
        sa.Column("ends", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "city_settings",
        sa.Column("city", String, primary_key=True),
        sa.Column("name", String, primary_key=True),
        sa.Column("value", String, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "holds",
        sa.Column("city", String, primary_key=True),
        sa.Column("since", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "occurrences",
        sa.Column("id", Integer, primary_key=True, autoincrement=True),
        sa.Column("campaign", String, nullable=False),
        sa.Column("city", String, nullable=False),
        sa.Column("year", Integer, nullable=False),
        sa.Column("message", String, nullable=False),
        sa.Column("day", String, nullable=False),
        sa.Column("audience", String, nullable=False),
        sa.Column("at", Integer, nullable=False),
        sa.Column("until", Integer, nullable=False),
        sa.Column("state", String, nullable=False),
        sa.Column("why", String, nullable=False, server_default=""),
        sa.Column("reached", String, nullable=False, server_default=""),
        sqlite_autoincrement=True,
    )
    op.create_index("occurrences_key", "occurrences", ["campaign", "city", "message", "day", "audience"], unique=True)
    op.create_index("occurrences_open", "occurrences", ["at"], **only("state IN ('planned', 'telling')"))
    op.create_table(
        "outcomes",
        sa.Column("occurrence", Integer, primary_key=True),
        sa.Column("what", String, primary_key=True),
        sa.Column("n", Integer, nullable=False),
        sa.Column("last", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "marks",
        sa.Column("name", String, primary_key=True),
        sa.Column("at", Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    tables = (
        "marks",
        "outcomes",
        "occurrences",
        "holds",
        "city_settings",
        "approvals",
        "edits",
        "runs",
        "invites",
        "coordinators",
        "subscriptions",
    )
    for table in tables:
        op.drop_table(table)
    for table, columns in (("audit", ("who", "city")), ("bubbles", ("until", "prompt"))):
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column)
