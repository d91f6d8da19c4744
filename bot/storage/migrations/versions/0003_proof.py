"""What was live and when, what is withdrawn and why, what editors did."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "versions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("city", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("entry", sa.String, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("since", sa.Integer, nullable=False),
        sa.Column("until", sa.Integer),
    )
    names = ["city", "kind", "entry", "language"]
    op.create_index("versions_live", "versions", names, unique=True, sqlite_where=sa.text("until IS NULL"))
    op.create_index("versions_entry", "versions", ["entry", "since"])
    op.create_table(
        "withdrawn",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("city", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("entry", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("since", sa.Integer, nullable=False),
        sa.Column("back", sa.Integer),
    )
    names = ["city", "kind", "entry"]
    op.create_index("withdrawn_now", "withdrawn", names, unique=True, sqlite_where=sa.text("back IS NULL"))
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.Integer, nullable=False),
        sa.Column("act", sa.String, nullable=False),
        sa.Column("what", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
    )


def downgrade() -> None:
    for table in ("audit", "withdrawn", "versions"):
        op.drop_table(table)
