"""Add the settings of daily summaries, and the summaries that were made."""

import sqlalchemy as sa
from alembic import op

from adapters.sql.metadata import MYSQL
from adapters.sql.types import Identifier, Moment, exact_text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("summary_at", exact_text(5)))
    op.add_column("users", sa.Column("summary_tz", exact_text(64)))
    op.add_column("users", sa.Column("summary_since", sa.Date()))
    op.create_index("ix_users_summary", "users", ["summary_tz", "summary_at", "id"])
    op.create_table(
        "daily_summaries",
        sa.Column("user_id", Identifier(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("event_id", Identifier(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "local_date", name="pk_daily_summaries"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_daily_summaries_user_id"),
        **MYSQL,
    )


def downgrade() -> None:
    op.drop_table("daily_summaries")
    op.drop_index("ix_users_summary", "users")
    op.drop_column("users", "summary_since")
    op.drop_column("users", "summary_tz")
    op.drop_column("users", "summary_at")
