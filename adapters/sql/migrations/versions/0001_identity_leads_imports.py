"""Create users, sessions, leads with their word index, imports with their rows, and idempotency keys."""

import sqlalchemy as sa
from alembic import op

from adapters.sql.metadata import MYSQL
from adapters.sql.types import Identifier, Moment, blob, exact_text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _identity()
    _leads()
    _imports()
    _answers()
    if op.get_bind().dialect.name == "sqlite":
        _words()
    else:
        op.execute("CREATE FULLTEXT INDEX ft_leads_search_text ON leads (search_text)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for trigger in ("lead_words_added", "lead_words_changed", "lead_words_removed"):
            op.execute(f"DROP TRIGGER {trigger}")
        op.execute("DROP TABLE lead_words_paused")
        op.execute("DROP TABLE lead_words")
    for table in (
        "idempotency_answers",
        "import_rehearsal",
        "import_snapshots",
        "import_rejections",
        "lead_imports",
        "lead_images",
        "leads",
        "refresh_tokens",
        "sessions",
        "users",
    ):
        op.drop_table(table)


def _identity() -> None:
    op.create_table(
        "users",
        sa.Column("id", Identifier(), nullable=False),
        sa.Column("email", exact_text(254), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", exact_text(32), nullable=False),
        sa.Column("phone", exact_text(16)),
        sa.Column("password_hash", exact_text(255), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("role IN ('admin', 'manager', 'agent')", name="ck_users_role"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
        **MYSQL,
    )
    op.create_index("ix_users_created", "users", ["created_at", "id"])
    op.create_index("ix_users_role_created", "users", ["role", "created_at", "id"])
    op.create_table(
        "sessions",
        sa.Column("id", Identifier(), nullable=False),
        sa.Column("user_id", Identifier(), nullable=False),
        sa.Column("current_refresh", exact_text(128), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("revoked_at", Moment()),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        **MYSQL,
    )
    op.create_index("ix_sessions_expires", "sessions", ["expires_at"])
    op.create_index("ix_sessions_user", "sessions", ["user_id", "expires_at"])
    op.create_table(
        "refresh_tokens",
        sa.Column("digest", exact_text(128), nullable=False),
        sa.Column("session_id", Identifier(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_refresh_tokens_session_id"),
        sa.PrimaryKeyConstraint("digest", name="pk_refresh_tokens"),
        **MYSQL,
    )
    op.create_index("ix_refresh_tokens_session", "refresh_tokens", ["session_id"])


def _leads() -> None:
    op.create_table(
        "leads",
        sa.Column("id", Identifier(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("phone", exact_text(16)),
        sa.Column("phone_extension", exact_text(20)),
        sa.Column("email", exact_text(254)),
        sa.Column("phone_key", exact_text(41)),
        sa.Column("email_key", exact_text(254)),
        sa.Column("status", exact_text(32), nullable=False),
        sa.Column("source", exact_text(64), nullable=False),
        sa.Column("assigned_to", Identifier()),
        sa.Column("created_by", Identifier()),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.Column("deleted_at", Moment()),
        sa.Column("listed_at", Moment()),
        sa.Column("import_id", Identifier()),
        sa.Column("import_row", sa.Integer()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.CheckConstraint("status IN ('new', 'contacted', 'qualified', 'converted', 'lost')", name="ck_leads_status"),
        sa.CheckConstraint("phone IS NOT NULL OR email IS NOT NULL", name="ck_leads_contact"),
        sa.ForeignKeyConstraint(["assigned_to"], ["users.id"], name="fk_leads_assigned_to"),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name="fk_leads_created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_leads"),
        sa.UniqueConstraint("email_key", name="uq_leads_email_key"),
        sa.UniqueConstraint("phone_key", name="uq_leads_phone_key"),
        **MYSQL,
    )
    op.create_index("ix_leads_assigned_listed", "leads", ["assigned_to", "listed_at", "id"])
    op.create_index("ix_leads_import", "leads", ["import_id", "import_row"])
    op.create_index("ix_leads_listed", "leads", ["listed_at", "id"])
    op.create_index("ix_leads_source_listed", "leads", ["source", "listed_at", "id"])
    op.create_index("ix_leads_status_listed", "leads", ["status", "listed_at", "id"])
    op.create_table(
        "lead_images",
        sa.Column("id", Identifier(), nullable=False),
        sa.Column("lead_id", Identifier(), nullable=False),
        sa.Column("content_type", exact_text(32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(255)),
        sa.Column("file_key", exact_text(255), nullable=False),
        sa.Column("status", exact_text(32), nullable=False),
        sa.Column("created_by", Identifier(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.CheckConstraint("status IN ('awaiting_upload', 'ready')", name="ck_lead_images_status"),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name="fk_lead_images_created_by"),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name="fk_lead_images_lead_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lead_images"),
        **MYSQL,
    )
    op.create_index("ix_lead_images_lead_created", "lead_images", ["lead_id", "created_at", "id"])
    op.create_index("ix_lead_images_status_created", "lead_images", ["status", "created_at"])


def _imports() -> None:
    op.create_table(
        "lead_imports",
        sa.Column("id", Identifier(), nullable=False),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("status", exact_text(32), nullable=False),
        sa.Column("due", sa.Boolean(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("file_key", exact_text(255), nullable=False),
        sa.Column("created_by", Identifier(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("dialect", sa.JSON(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("duplicate", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("last_row", sa.Integer(), nullable=False),
        sa.Column("bytes_done", sa.BigInteger(), nullable=False),
        sa.Column("seconds_worked", sa.Double(), nullable=False),
        sa.Column("started_at", Moment()),
        sa.Column("finished_at", Moment()),
        sa.Column("failure", sa.JSON(none_as_null=True)),
        sa.Column("report_key", exact_text(255)),
        sa.Column("same_file_key", exact_text(128)),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("undone", sa.JSON(none_as_null=True)),
        sa.Column("undo_row", sa.Integer(), nullable=False),
        sa.Column("holder", exact_text(128)),
        sa.Column("held_until", Moment()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("correlation_id", exact_text(128)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('awaiting_upload', 'queued', 'running', 'completed', 'failed', 'cancelled')",
            name="ck_lead_imports_status",
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name="fk_lead_imports_created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_lead_imports"),
        sa.UniqueConstraint("same_file_key", name="uq_lead_imports_same_file_key"),
        **MYSQL,
    )
    op.create_index("ix_lead_imports_created", "lead_imports", ["created_at", "id"])
    op.create_index("ix_lead_imports_due_created", "lead_imports", ["due", "created_at", "id"])
    op.create_index("ix_lead_imports_status_created", "lead_imports", ["status", "created_at", "id"])
    op.create_table(
        "import_rejections",
        sa.Column("import_id", Identifier(), nullable=False),
        sa.Column("row_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", exact_text(32), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("duplicate_of", Identifier()),
        sa.Column("duplicate_row", sa.Integer()),
        sa.CheckConstraint("kind IN ('rejected', 'duplicate')", name="ck_import_rejections_kind"),
        sa.ForeignKeyConstraint(["import_id"], ["lead_imports.id"], name="fk_import_rejections_import_id"),
        sa.PrimaryKeyConstraint("import_id", "row_no", name="pk_import_rejections"),
        **MYSQL,
    )
    op.create_index("ix_import_rejections_kind", "import_rejections", ["import_id", "kind", "row_no"])
    op.create_table(
        "import_snapshots",
        sa.Column("import_id", Identifier(), nullable=False),
        sa.Column("lead_id", Identifier(), nullable=False),
        sa.Column("lead_before", sa.JSON(), nullable=False),
        sa.Column("made_by_import", sa.Boolean(), nullable=False),
        sa.Column("version_after", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["lead_imports.id"], name="fk_import_snapshots_import_id"),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name="fk_import_snapshots_lead_id"),
        sa.PrimaryKeyConstraint("import_id", "lead_id", name="pk_import_snapshots"),
        **MYSQL,
    )
    op.create_index("ix_import_snapshots_made", "import_snapshots", ["import_id", "made_by_import", "lead_id"])
    op.create_table(
        "import_rehearsal",
        sa.Column("import_id", Identifier(), nullable=False),
        sa.Column("lead_id", Identifier(), nullable=False),
        sa.Column("phone_key", exact_text(41)),
        sa.Column("email_key", exact_text(254)),
        sa.Column("pretended", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["lead_imports.id"], name="fk_import_rehearsal_import_id"),
        sa.PrimaryKeyConstraint("import_id", "lead_id", name="pk_import_rehearsal"),
        **MYSQL,
    )
    op.create_index("ix_import_rehearsal_email", "import_rehearsal", ["import_id", "email_key"])
    op.create_index("ix_import_rehearsal_phone", "import_rehearsal", ["import_id", "phone_key"])


def _answers() -> None:
    op.create_table(
        "idempotency_answers",
        sa.Column("scope", exact_text(128), nullable=False),
        sa.Column("fingerprint", exact_text(128), nullable=False),
        sa.Column("holder", exact_text(128), nullable=False),
        sa.Column("claimed_at", Moment(), nullable=False),
        sa.Column("claimed_until", Moment(), nullable=False),
        sa.Column("answered_at", Moment()),
        sa.Column("answer", blob()),
        sa.PrimaryKeyConstraint("scope", name="pk_idempotency_answers"),
        **MYSQL,
    )
    op.create_index("ix_idempotency_answers_claimed", "idempotency_answers", ["claimed_at"])


def _words() -> None:
    # https://www.sqlite.org/fts5.html. The text itself stays in leads.search_text, which the core has made ready: lower
    # case, no accents, words of letters and digits. So the ascii tokenizer, which takes everything beyond ASCII for
    # letters, tells its words as the core does. Nothing is ranked and no phrase is asked for: columnsize, detail.
    op.execute(
        "CREATE VIRTUAL TABLE lead_words USING fts5("
        "search_text, content='leads', detail='none', columnsize=0, tokenize='ascii')"
    )
    # Whoever adds many leads puts a row in here, indexes them in one go and takes the row away, in one transaction:
    # a trigger's every row costs the index a write of its own.
    op.execute("CREATE TABLE lead_words_paused (paused INTEGER NOT NULL)")
    op.execute(
        "CREATE TRIGGER lead_words_added AFTER INSERT ON leads"
        " WHEN NOT EXISTS (SELECT 1 FROM lead_words_paused) BEGIN"
        " INSERT INTO lead_words (rowid, search_text) VALUES (new.rowid, new.search_text); END"
    )
    op.execute(
        "CREATE TRIGGER lead_words_changed AFTER UPDATE OF search_text ON leads"
        " WHEN old.search_text <> new.search_text BEGIN"
        " INSERT INTO lead_words (lead_words, rowid, search_text) VALUES ('delete', old.rowid, old.search_text);"
        " INSERT INTO lead_words (rowid, search_text) VALUES (new.rowid, new.search_text); END"
    )
    op.execute(
        "CREATE TRIGGER lead_words_removed AFTER DELETE ON leads"
        " WHEN NOT EXISTS (SELECT 1 FROM lead_words_paused) BEGIN"
        " INSERT INTO lead_words (lead_words, rowid, search_text) VALUES ('delete', old.rowid, old.search_text); END"
    )
