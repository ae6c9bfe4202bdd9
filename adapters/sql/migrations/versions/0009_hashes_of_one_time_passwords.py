"""Add the hash of a one-time password, by which it is recognised.

Where it is NULL beside an end, the password is the one-time one: the version before sets and removes the end alone.
"""

import sqlalchemy as sa
from alembic import op

from adapters.sql.types import exact_text

revision = "0009~0007"
down_revision = "0008~0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("one_time_hash", exact_text(255)))


def downgrade() -> None:
    op.drop_column("users", "one_time_hash")
