"""Table definitions for the outbox, deliveries, consents and the activity log."""

from sqlalchemy import JSON, Boolean, Column, ForeignKeyConstraint, Index, Integer, PrimaryKeyConstraint, Table

from adapters.sql.metadata import (
    MAX_CODE_LENGTH,
    MAX_CORRELATION_ID_LENGTH,
    MYSQL,
    TRACEPARENT_LENGTH,
    metadata,
    one_of,
)
from adapters.sql.types import ExactJson, Identifier, Moment, blob, exact_text
from unite_core.notifications.model import DeliveryStatus
from unite_core.phone import MAX_PHONE_LENGTH

MAX_EVENT_TYPE_LENGTH = 64
MAX_SOURCE_LENGTH = 64
"""Characters of the source of a consent: an id of Twilio has 34, a UUID 36."""

# `lead_ids` is the concatenated bytes of the ids: the event of a chunk of an import is about two thousand leads.
outbox_events = Table(
    "outbox_events",
    metadata,
    Column("id", Identifier, nullable=False),
    Column("type", exact_text(MAX_EVENT_TYPE_LENGTH), nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor_id", Identifier),
    Column("correlation_id", exact_text(MAX_CORRELATION_ID_LENGTH)),
    Column("lead_ids", blob(), nullable=False),
    Column("import_id", Identifier),
    Column("data", ExactJson, nullable=False),
    Column("delivery_id", Identifier),
    Column("traceparent", exact_text(TRACEPARENT_LENGTH)),
    PrimaryKeyConstraint("id"),
    **MYSQL,
)

# On MySQL and MariaDB there is no check of the status: changing a check copies the table, and every transaction that
# records an event would wait for that.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Identifier, nullable=False),
    Column("event_id", Identifier, nullable=False),
    Column("destination", exact_text(MAX_CODE_LENGTH), nullable=False),
    Column("status", exact_text(MAX_CODE_LENGTH), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("next_attempt_at", Moment, nullable=False),
    Column("give_up_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("delivered_at", Moment),
    Column("response", JSON, nullable=False),
    PrimaryKeyConstraint("id"),
    ForeignKeyConstraint(["event_id"], ["outbox_events.id"]),
    one_of("status", DeliveryStatus, "ck_deliveries_status").ddl_if(dialect="sqlite"),
    Index("ix_deliveries_due", "destination", "status", "next_attempt_at", "id"),
    Index("ix_deliveries_created", "created_at", "id"),
    Index("ix_deliveries_status_created", "status", "created_at", "id"),
    Index("ix_deliveries_destination_created", "destination", "created_at", "id"),
    Index("ix_deliveries_event_created", "event_id", "created_at", "id"),
    **MYSQL,
)

consents = Table(
    "consents",
    metadata,
    Column("source", exact_text(MAX_SOURCE_LENGTH), nullable=False),
    Column("id", Identifier, nullable=False),
    Column("phone", exact_text(MAX_PHONE_LENGTH), nullable=False),
    Column("opted_out", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("source"),
    Index("ix_consents_phone", "phone", "at", "id"),
    **MYSQL,
)

# `of_import_id` is the import if the event is about the import itself; NULL if it is about leads.
activity = Table(
    "activity",
    metadata,
    Column("id", Identifier, nullable=False),
    Column("type", exact_text(MAX_EVENT_TYPE_LENGTH), nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor_id", Identifier),
    Column("correlation_id", exact_text(MAX_CORRELATION_ID_LENGTH)),
    Column("import_id", Identifier),
    Column("of_import_id", Identifier),
    Column("data", ExactJson, nullable=False),
    Column("delivery_id", Identifier),
    PrimaryKeyConstraint("id"),
    Index("ix_activity_at", "at", "id"),
    Index("ix_activity_of_import", "of_import_id", "at", "id"),
    Index("ix_activity_delivery", "delivery_id", "at", "id"),
    **MYSQL,
)

# Which leads an event is about. The primary key has the order of a lead's history.
activity_leads = Table(
    "activity_leads",
    metadata,
    Column("lead_id", Identifier, nullable=False),
    Column("at", Moment, nullable=False),
    Column("event_id", Identifier, nullable=False),
    PrimaryKeyConstraint("lead_id", "at", "event_id"),
    ForeignKeyConstraint(["event_id"], ["activity.id"]),
    Index("ix_activity_leads_event", "event_id"),
    sqlite_with_rowid=False,
    **MYSQL,
)
