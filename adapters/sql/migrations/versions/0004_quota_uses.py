"""Add the uses that count against hourly quotas: notes of a user, text messages to a number."""

import sqlalchemy as sa
from alembic import op

from adapters.sql.metadata import MYSQL
from adapters.sql.types import Identifier, Moment, exact_text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quota_uses",
        sa.Column("subject", exact_text(128), nullable=False),
        sa.Column("id", Identifier(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "id", name="pk_quota_uses"),
        **MYSQL,
    )
    op.create_index("ix_quota_uses_at", "quota_uses", ["at"])
    op.create_index("ix_quota_uses_subject_at", "quota_uses", ["subject", "at"])


def downgrade() -> None:
    op.drop_table("quota_uses")
