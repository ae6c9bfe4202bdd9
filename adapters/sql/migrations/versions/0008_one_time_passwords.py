"""Add the expiry of one-time passwords."""

import sqlalchemy as sa
from alembic import op

from adapters.sql.types import Moment

revision = "0008~0007"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("one_time_until", Moment()))


def downgrade() -> None:
    op.drop_column("users", "one_time_until")
