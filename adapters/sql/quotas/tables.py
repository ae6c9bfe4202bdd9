"""Table definition for uses that count against quotas."""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table

from adapters.sql.metadata import MYSQL, metadata
from adapters.sql.types import Identifier, Moment, exact_text

MAX_SUBJECT_LENGTH = 128

# A row with the id `HOLDS_SUBJECT` is not a use, but a lock: a transaction locks it before it counts.
quota_uses = Table(
    "quota_uses",
    metadata,
    Column("subject", exact_text(MAX_SUBJECT_LENGTH), nullable=False),
    Column("id", Identifier, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("subject", "id"),
    Index("ix_quota_uses_subject_at", "subject", "at"),
    Index("ix_quota_uses_at", "at"),
    **MYSQL,
)
