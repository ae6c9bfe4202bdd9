"""Add the span in which an event was recorded, and that which made an import due."""

import sqlalchemy as sa
from alembic import op

from adapters.sql.types import exact_text

revision = "0015~0007"
down_revision = "0014~0007"
branch_labels = None
depends_on = None


TABLES = ("outbox_events", "lead_imports")


def upgrade() -> None:
    # MySQL commits each column at once: an upgrade that failed may have left one.
    known = sa.inspect(op.get_bind())
    for table in TABLES:
        if "traceparent" not in {column["name"] for column in known.get_columns(table)}:
            op.add_column(table, sa.Column("traceparent", exact_text(55)))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "traceparent")
