"""Add the outbox (events and deliveries), the activity log, and an index for lists of active users."""

import sqlalchemy as sa
from alembic import op

from adapters.sql.metadata import MYSQL
from adapters.sql.types import ExactJson, Identifier, Moment, blob, exact_text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _outbox()
    _activity()
    op.create_index("ix_users_active_created", "users", ["active", "created_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_users_active_created", "users")
    for table in ("activity_leads", "activity", "deliveries", "outbox_events"):
        op.drop_table(table)


def _outbox() -> None:
    op.create_table(
        "outbox_events",
        sa.Column("id", Identifier(), nullable=False),
        sa.Column("type", exact_text(64), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor_id", Identifier()),
        sa.Column("correlation_id", exact_text(128)),
        sa.Column("lead_ids", blob(), nullable=False),
        sa.Column("import_id", Identifier()),
        sa.Column("data", ExactJson(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_events"),
        **MYSQL,
    )
    op.create_table(
        "deliveries",
        sa.Column("id", Identifier(), nullable=False),
        sa.Column("event_id", Identifier(), nullable=False),
        sa.Column("destination", exact_text(32), nullable=False),
        sa.Column("status", exact_text(32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("next_attempt_at", Moment(), nullable=False),
        sa.Column("give_up_at", Moment(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("delivered_at", Moment()),
        sa.Column("response", sa.JSON(), nullable=False),
        sa.CheckConstraint("status IN ('pending', 'delivered', 'dead')", name="ck_deliveries_status"),
        sa.ForeignKeyConstraint(["event_id"], ["outbox_events.id"], name="fk_deliveries_event_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        **MYSQL,
    )
    op.create_index("ix_deliveries_created", "deliveries", ["created_at", "id"])
    op.create_index("ix_deliveries_destination_created", "deliveries", ["destination", "created_at", "id"])
    op.create_index("ix_deliveries_due", "deliveries", ["destination", "status", "next_attempt_at", "id"])
    op.create_index("ix_deliveries_event_created", "deliveries", ["event_id", "created_at", "id"])
    op.create_index("ix_deliveries_status_created", "deliveries", ["status", "created_at", "id"])


def _activity() -> None:
    op.create_table(
        "activity",
        sa.Column("id", Identifier(), nullable=False),
        sa.Column("type", exact_text(64), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor_id", Identifier()),
        sa.Column("correlation_id", exact_text(128)),
        sa.Column("import_id", Identifier()),
        sa.Column("of_import_id", Identifier()),
        sa.Column("data", ExactJson(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_activity"),
        **MYSQL,
    )
    op.create_index("ix_activity_at", "activity", ["at", "id"])
    op.create_index("ix_activity_of_import", "activity", ["of_import_id", "at", "id"])
    op.create_table(
        "activity_leads",
        sa.Column("lead_id", Identifier(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("event_id", Identifier(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["activity.id"], name="fk_activity_leads_event_id"),
        sa.PrimaryKeyConstraint("lead_id", "at", "event_id", name="pk_activity_leads"),
        sqlite_with_rowid=False,
        **MYSQL,
    )
    op.create_index("ix_activity_leads_event", "activity_leads", ["event_id"])
