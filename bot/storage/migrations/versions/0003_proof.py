"""What was live and when, what is withdrawn and why, what editors did."""

import sqlalchemy as sa
from alembic import op

from bot.storage.tables import Integer, String, only

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "versions",
        sa.Column("id", Integer, primary_key=True),
        sa.Column("city", String, nullable=False),
        sa.Column("kind", String, nullable=False),
        sa.Column("entry", String, nullable=False),
        sa.Column("language", String, nullable=False),
        sa.Column("digest", String, nullable=False),
        sa.Column("text", String, nullable=False),
        sa.Column("since", Integer, nullable=False),
        sa.Column("until", Integer),
    )
    names = ["city", "kind", "entry", "language"]
    op.create_index("versions_live", "versions", names, unique=True, **only("until IS NULL"))
    op.create_index("versions_entry", "versions", ["entry", "since"])
    op.create_table(
        "withdrawn",
        sa.Column("id", Integer, primary_key=True),
        sa.Column("city", String, nullable=False),
        sa.Column("kind", String, nullable=False),
        sa.Column("entry", String, nullable=False),
        sa.Column("reason", String, nullable=False),
        sa.Column("since", Integer, nullable=False),
        sa.Column("back", Integer),
    )
    names = ["city", "kind", "entry"]
    op.create_index("withdrawn_now", "withdrawn", names, unique=True, **only("back IS NULL"))
    op.create_table(
        "audit",
        sa.Column("id", Integer, primary_key=True),
        sa.Column("at", Integer, nullable=False),
        sa.Column("act", String, nullable=False),
        sa.Column("what", String, nullable=False),
        sa.Column("reason", String, nullable=False),
    )


def downgrade() -> None:
    for table in ("audit", "withdrawn", "versions"):
        op.drop_table(table)
