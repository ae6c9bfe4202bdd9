"""Table definitions for users, sessions, leads, imports and idempotency keys."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from adapters.sql.metadata import MAX_CODE_LENGTH, MAX_CORRELATION_ID_LENGTH, MYSQL, metadata, one_of
from adapters.sql.types import Identifier, Moment, blob, exact_text
from unite_core.email import MAX_EMAIL_LENGTH
from unite_core.identity.model import MAX_NAME_LENGTH as LONGEST_USER_NAME
from unite_core.identity.model import Role
from unite_core.imports.model import ImportStatus, RowKind
from unite_core.imports.use_cases.start import MAX_FILENAME_LENGTH
from unite_core.leads.details import COMPANY, MAX_NAME_LENGTH, MAX_SOURCE_LENGTH, LeadStatus
from unite_core.leads.model import ImageStatus
from unite_core.leads.use_cases.images import MAX_FILENAME_LENGTH as LONGEST_IMAGE_NAME
from unite_core.phone import MAX_EXTENSION_LENGTH, MAX_PHONE_LENGTH
from unite_core.zones import MAX_ZONE_LENGTH

MAX_PHONE_KEY_LENGTH = MAX_PHONE_LENGTH + len(";ext=") + MAX_EXTENSION_LENGTH
MAX_DIGEST_LENGTH = 128
MAX_HOLDER_LENGTH = 128
MAX_FILE_KEY_LENGTH = 255
MAX_HASH_LENGTH = 255
TIME_OF_DAY_LENGTH = len("HH:MM")

# `summary_at`, `summary_tz` and `summary_since` are the daily summary, all NULL if the user has none.
# `one_time_hash` is the hash of the one-time password that expires at `one_time_until`.
users = Table(
    "users",
    metadata,
    Column("id", Identifier, nullable=False),
    Column("email", exact_text(MAX_EMAIL_LENGTH), nullable=False),
    Column("name", String(LONGEST_USER_NAME), nullable=False),
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

# A deleted lead keeps its values, except for three columns that become NULL: phone_key and email_key, so that another
# lead can have its phone and e-mail, and listed_at (else equal to created_at), so that it is in no list. So lists never
# read deleted leads, however many an undone import has left.
leads = Table(
    "leads",
    metadata,
    Column("id", Identifier, nullable=False),
    Column("phone", exact_text(MAX_PHONE_LENGTH)),
    Column("phone_extension", exact_text(MAX_EXTENSION_LENGTH)),
    Column("phone_key", exact_text(MAX_PHONE_KEY_LENGTH)),
    Column("email_key", exact_text(MAX_EMAIL_LENGTH)),
    Column("status", exact_text(MAX_CODE_LENGTH), nullable=False),
    Column("assigned_to", Identifier),
    Column("created_by", Identifier),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("deleted_at", Moment),
    Column("listed_at", Moment),
    Column("import_id", Identifier),
    Column("import_row", Integer),
    Column("version", Integer, nullable=False),
    Column("search_text", Text, nullable=False),
    # The texts, in the order of `TEXTS`; then the keys of those that are `cased`.
    Column("name", String(MAX_NAME_LENGTH), nullable=False),
    Column("email", exact_text(MAX_EMAIL_LENGTH)),
    Column("source", exact_text(MAX_SOURCE_LENGTH), nullable=False),
    Column("company", exact_text(COMPANY.max_length)),
    Column("company_key", exact_text(COMPANY.max_key_length)),
    Index("ix_leads_company_listed", "company_key", "listed_at", "id", sqlite_where=text("company_key IS NOT NULL")),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("phone_key", name="uq_leads_phone_key"),
    UniqueConstraint("email_key", name="uq_leads_email_key"),
    ForeignKeyConstraint(["assigned_to"], ["users.id"]),
    ForeignKeyConstraint(["created_by"], ["users.id"]),
    one_of("status", LeadStatus, "ck_leads_status"),
    CheckConstraint("phone IS NOT NULL OR email IS NOT NULL", name="ck_leads_contact"),
    Index("ix_leads_listed", "listed_at", "id"),
    Index("ix_leads_status_listed", "status", "listed_at", "id"),
    Index("ix_leads_source_listed", "source", "listed_at", "id"),
    Index("ix_leads_assigned_listed", "assigned_to", "listed_at", "id"),
    Index("ix_leads_import", "import_id", "import_row"),
    **MYSQL,
)

# When a user last chose the status of a lead; no row if none has. It is not a column of `leads`, because MySQL rebuilt
# that table, which had a full-text index then, for each new column, and no lead could be changed during these minutes.
lead_status_choices = Table(
    "lead_status_choices",
    metadata,
    Column("lead_id", Identifier, nullable=False),
    Column("chosen_at", Moment, nullable=False),
    PrimaryKeyConstraint("lead_id"),
    ForeignKeyConstraint(["lead_id"], ["leads.id"]),
    **MYSQL,
)

lead_images = Table(
    "lead_images",
    metadata,
    Column("id", Identifier, nullable=False),
    Column("lead_id", Identifier, nullable=False),
    Column("content_type", exact_text(MAX_CODE_LENGTH), nullable=False),
    Column("size", Integer, nullable=False),
    Column("filename", String(LONGEST_IMAGE_NAME)),
    Column("file_key", exact_text(MAX_FILE_KEY_LENGTH), nullable=False),
    Column("status", exact_text(MAX_CODE_LENGTH), nullable=False),
    Column("created_by", Identifier, nullable=False),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("id"),
    ForeignKeyConstraint(["lead_id"], ["leads.id"]),
    ForeignKeyConstraint(["created_by"], ["users.id"]),
    one_of("status", ImageStatus, "ck_lead_images_status"),
    Index("ix_lead_images_lead_created", "lead_id", "created_at", "id"),
    Index("ix_lead_images_status_created", "status", "created_at"),
    **MYSQL,
)

# `due` is whether a worker has work to do: the import is queued or running, or is being undone.
lead_imports = Table(
    "lead_imports",
    metadata,
    Column("id", Identifier, nullable=False),
    Column("filename", String(MAX_FILENAME_LENGTH), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("status", exact_text(MAX_CODE_LENGTH), nullable=False),
    Column("due", Boolean, nullable=False),
    Column("options", JSON, nullable=False),
    Column("file_key", exact_text(MAX_FILE_KEY_LENGTH), nullable=False),
    Column("created_by", Identifier, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("dialect", JSON, nullable=False),
    Column("columns", JSON, nullable=False),
    Column("created", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("duplicate", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("last_row", Integer, nullable=False),
    Column("bytes_done", BigInteger, nullable=False),
    Column("seconds_worked", Double, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("failure", JSON(none_as_null=True)),
    Column("report_key", exact_text(MAX_FILE_KEY_LENGTH)),
    Column("same_file_key", exact_text(MAX_DIGEST_LENGTH)),
    Column("cancel_requested", Boolean, nullable=False),
    Column("undone", JSON(none_as_null=True)),
    Column("undo_row", Integer, nullable=False),
    Column("holder", exact_text(MAX_HOLDER_LENGTH)),
    Column("held_until", Moment),
    Column("attempts", Integer, nullable=False),
    Column("correlation_id", exact_text(MAX_CORRELATION_ID_LENGTH)),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("same_file_key", name="uq_lead_imports_same_file_key"),
    ForeignKeyConstraint(["created_by"], ["users.id"]),
    one_of("status", ImportStatus, "ck_lead_imports_status"),
    Index("ix_lead_imports_created", "created_at", "id"),
    Index("ix_lead_imports_status_created", "status", "created_at", "id"),
    Index("ix_lead_imports_due_created", "due", "created_at", "id"),
    **MYSQL,
)

# The row number is called `row_no`, because ROW is a reserved word of MySQL.
import_rejections = Table(
    "import_rejections",
    metadata,
    Column("import_id", Identifier, nullable=False),
    Column("row_no", Integer, nullable=False, autoincrement=False),
    Column("kind", exact_text(MAX_CODE_LENGTH), nullable=False),
    Column("problems", JSON, nullable=False),
    Column("cells", JSON, nullable=False),
    Column("duplicate_of", Identifier),
    Column("duplicate_row", Integer),
    PrimaryKeyConstraint("import_id", "row_no"),
    ForeignKeyConstraint(["import_id"], ["lead_imports.id"]),
    one_of("kind", RowKind, "ck_import_rejections_kind"),
    Index("ix_import_rejections_kind", "import_id", "kind", "row_no"),
    **MYSQL,
)

import_snapshots = Table(
    "import_snapshots",
    metadata,
    Column("import_id", Identifier, nullable=False),
    Column("lead_id", Identifier, nullable=False),
    Column("lead_before", JSON, nullable=False),
    Column("made_by_import", Boolean, nullable=False),
    Column("version_after", Integer, nullable=False),
    PrimaryKeyConstraint("import_id", "lead_id"),
    ForeignKeyConstraint(["import_id"], ["lead_imports.id"]),
    ForeignKeyConstraint(["lead_id"], ["leads.id"]),
    Index("ix_import_snapshots_made", "import_id", "made_by_import", "lead_id"),
    **MYSQL,
)

import_rehearsal = Table(
    "import_rehearsal",
    metadata,
    Column("import_id", Identifier, nullable=False),
    Column("lead_id", Identifier, nullable=False),
    Column("phone_key", exact_text(MAX_PHONE_KEY_LENGTH)),
    Column("email_key", exact_text(MAX_EMAIL_LENGTH)),
    Column("pretended", JSON, nullable=False),
    PrimaryKeyConstraint("import_id", "lead_id"),
    ForeignKeyConstraint(["import_id"], ["lead_imports.id"]),
    Index("ix_import_rehearsal_phone", "import_id", "phone_key"),
    Index("ix_import_rehearsal_email", "import_id", "email_key"),
    **MYSQL,
)

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
