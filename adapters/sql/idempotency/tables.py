"""Table definitions for idempotency keys and their stored responses."""

from sqlalchemy import (
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
)

from adapters.sql.metadata import MAX_DIGEST_LENGTH, MAX_HOLDER_LENGTH, MYSQL, metadata
from adapters.sql.types import Moment, blob, exact_text

idempotency_answers = Table(
    "idempotency_answers",
    metadata,
    Column("scope", exact_text(MAX_DIGEST_LENGTH), nullable=False),
    Column("fingerprint", exact_text(MAX_DIGEST_LENGTH), nullable=False),
    Column("holder", exact_text(MAX_HOLDER_LENGTH), nullable=False),
    Column("claimed_at", Moment, nullable=False),
    Column("claimed_until", Moment, nullable=False),
    Column("answered_at", Moment),
    Column("answer", blob()),
    PrimaryKeyConstraint("scope"),
    Index("ix_idempotency_answers_claimed", "claimed_at"),
    **MYSQL,
)
