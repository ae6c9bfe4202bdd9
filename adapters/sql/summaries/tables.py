"""Table definition for the daily summaries that were made."""

from sqlalchemy import Column, Date, ForeignKeyConstraint, PrimaryKeyConstraint, Table

from adapters.sql.metadata import MYSQL, metadata
from adapters.sql.types import Identifier, Moment

daily_summaries = Table(
    "daily_summaries",
    metadata,
    Column("user_id", Identifier, nullable=False),
    Column("local_date", Date, nullable=False),
    Column("event_id", Identifier, nullable=False),
    Column("made_at", Moment, nullable=False),
    PrimaryKeyConstraint("user_id", "local_date"),
    ForeignKeyConstraint(["user_id"], ["users.id"]),
    **MYSQL,
)
