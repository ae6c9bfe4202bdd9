"""Table definitions for leads, their images and status choices."""

from sqlalchemy import (
    CheckConstraint,
    Column,
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

from adapters.sql.metadata import MAX_CODE_LENGTH, MAX_FILE_KEY_LENGTH, MAX_PHONE_KEY_LENGTH, MYSQL, metadata, one_of
from adapters.sql.types import Identifier, Moment, exact_text
from unite_core.email import MAX_EMAIL_LENGTH
from unite_core.leads.details import COMPANY, MAX_NAME_LENGTH, MAX_SOURCE_LENGTH, LeadStatus
from unite_core.leads.model import ImageStatus
from unite_core.leads.use_cases.images import MAX_FILENAME_LENGTH as MAX_IMAGE_NAME_LENGTH
from unite_core.phone import MAX_EXTENSION_LENGTH, MAX_PHONE_LENGTH

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
    Column("filename", String(MAX_IMAGE_NAME_LENGTH)),
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
