"""Table definitions for users and their sessions."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from adapters.sql.metadata import MAX_CODE_LENGTH, MAX_DIGEST_LENGTH, MYSQL, metadata, one_of
from adapters.sql.types import Identifier, Moment, exact_text
from unite_core.email import MAX_EMAIL_LENGTH
from unite_core.identity.model import MAX_NAME_LENGTH as MAX_USER_NAME_LENGTH
from unite_core.identity.model import Role
from unite_core.phone import MAX_PHONE_LENGTH
from unite_core.zones import MAX_ZONE_LENGTH

MAX_HASH_LENGTH = 255
TIME_OF_DAY_LENGTH = len("HH:MM")

users = Table(
    "users",
    metadata,
    Column("id", Identifier, nullable=False),
    Column("email", exact_text(MAX_EMAIL_LENGTH), nullable=False),
    Column("name", String(MAX_USER_NAME_LENGTH), nullable=False),
    Column("role", exact_text(MAX_CODE_LENGTH), nullable=False),
    Column("phone", exact_text(MAX_PHONE_LENGTH)),
    Column("password_hash", exact_text(MAX_HASH_LENGTH), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("version", Integer, nullable=False),
    Column("summary_at", exact_text(TIME_OF_DAY_LENGTH)),
    Column("summary_tz", exact_text(MAX_ZONE_LENGTH)),
    Column("summary_since", Date),
    Column("one_time_until", Moment),
    Column("one_time_hash", exact_text(MAX_HASH_LENGTH)),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("email", name="uq_users_email"),
    one_of("role", Role, "ck_users_role"),
    Index("ix_users_created", "created_at", "id"),
    Index("ix_users_role_created", "role", "created_at", "id"),
    Index("ix_users_active_created", "active", "created_at", "id"),
    Index("ix_users_summary", "summary_tz", "summary_at", "id"),
    **MYSQL,
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Identifier, nullable=False),
    Column("user_id", Identifier, nullable=False),
    Column("current_refresh", exact_text(MAX_DIGEST_LENGTH), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    PrimaryKeyConstraint("id"),
    ForeignKeyConstraint(["user_id"], ["users.id"]),
    Index("ix_sessions_user", "user_id", "expires_at"),
    Index("ix_sessions_expires", "expires_at"),
    **MYSQL,
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("digest", exact_text(MAX_DIGEST_LENGTH), nullable=False),
    Column("session_id", Identifier, nullable=False),
    PrimaryKeyConstraint("digest"),
    ForeignKeyConstraint(["session_id"], ["sessions.id"]),
    Index("ix_refresh_tokens_session", "session_id"),
    **MYSQL,
)
