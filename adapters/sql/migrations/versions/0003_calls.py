"""Add call tasks, the call ledger, consents, lead status choices, skipped deliveries, and delivery ids of events."""

import sqlalchemy as sa
from alembic import op

from adapters.sql.metadata import MYSQL
from adapters.sql.types import Identifier, Moment, exact_text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OUTCOMES = (
    "outcome IN ('connected', 'voicemail', 'no_answer', 'busy', 'wrong_number', 'callback_requested', "
    "'not_interested', 'converted')"
)
CHECK = "ck_deliveries_status"
UNCHANGED = "The call ledger is append-only: an entry is never changed. Append a correction."
KEPT = "The call ledger is append-only: an entry is never taken away."
THERE = "The call ledger is append-only: an entry with this id is there already."
TAKEN = "The call ledger is append-only: another entry has this place in the chain."


def upgrade() -> None:
    _tasks()
    _ledger()
    # Before anything that is there already is touched: a server may refuse to make triggers.
    try:
        _guard()
    except sa.exc.DatabaseError:
        _drop_calls()
        raise
    _consents()
    _choices()
    op.add_column("outbox_events", sa.Column("delivery_id", Identifier()))
    op.add_column("activity", sa.Column("delivery_id", Identifier()))
    op.create_index("ix_activity_delivery", "activity", ["delivery_id", "at", "id"])
    _allow_skipped()


def downgrade() -> None:
    op.execute("UPDATE deliveries SET status = 'delivered', delivered_at = created_at WHERE status = 'skipped'")
    _allow_no_skipped()
    op.drop_index("ix_activity_delivery", "activity")
    op.drop_column("activity", "delivery_id")
    op.drop_column("outbox_events", "delivery_id")
    op.drop_table("lead_status_choices")
    op.drop_table("consents")
    _drop_calls()


def _drop_calls() -> None:
    for table in ("call_ledger", "call_task_notes", "call_tasks"):
        op.drop_table(table)


def _tasks() -> None:
    op.create_table(
        "call_tasks",
        sa.Column("id", Identifier(), nullable=False),
        sa.Column("lead_id", Identifier(), nullable=False),
        sa.Column("assigned_to", Identifier()),
        sa.Column("status", exact_text(32), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("created_by", Identifier(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.Column("closed_at", Moment()),
        sa.Column("cancel_reason", exact_text(500)),
        sa.Column("outcome", exact_text(32)),
        sa.Column("duration_seconds", sa.Integer()),
        sa.Column("note", exact_text(2000)),
        sa.Column("started_at", Moment()),
        sa.Column("follow_up_at", Moment()),
        sa.Column("follow_up_of", Identifier()),
        sa.Column("follow_up_id", Identifier()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("status IN ('pending', 'completed', 'missed', 'cancelled')", name="ck_call_tasks_status"),
        sa.CheckConstraint(OUTCOMES, name="ck_call_tasks_outcome"),
        sa.ForeignKeyConstraint(["assigned_to"], ["users.id"], name="fk_call_tasks_assigned_to"),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name="fk_call_tasks_created_by"),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name="fk_call_tasks_lead_id"),
        sa.PrimaryKeyConstraint("id", name="pk_call_tasks"),
        **MYSQL,
    )
    op.create_index("ix_call_tasks_assigned_due", "call_tasks", ["assigned_to", "due_at", "id"])
    op.create_index("ix_call_tasks_assigned_status_due", "call_tasks", ["assigned_to", "status", "due_at", "id"])
    op.create_index("ix_call_tasks_due", "call_tasks", ["due_at", "id"])
    op.create_index("ix_call_tasks_lead_due", "call_tasks", ["lead_id", "due_at", "id"])
    op.create_index("ix_call_tasks_status_due", "call_tasks", ["status", "due_at", "id"])
    op.create_table(
        "call_task_notes",
        sa.Column("task_id", Identifier(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", Identifier(), nullable=False),
        sa.Column("author", Identifier(), nullable=False),
        sa.Column("text", exact_text(2000), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["author"], ["users.id"], name="fk_call_task_notes_author"),
        sa.ForeignKeyConstraint(["task_id"], ["call_tasks.id"], name="fk_call_task_notes_task_id"),
        sa.PrimaryKeyConstraint("task_id", "number", name="pk_call_task_notes"),
        **MYSQL,
    )


def _ledger() -> None:
    op.create_table(
        "call_ledger",
        sa.Column("id", Identifier(), nullable=False),
        sa.Column("task_id", Identifier(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", exact_text(32), nullable=False),
        sa.Column("lead_id", Identifier(), nullable=False),
        sa.Column("agent_id", Identifier()),
        sa.Column("actor_id", Identifier()),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("outcome", exact_text(32)),
        sa.Column("duration_seconds", sa.Integer()),
        sa.Column("started_at", Moment()),
        sa.Column("follow_up_at", Moment()),
        sa.Column("note", exact_text(2000)),
        sa.Column("reason", exact_text(500)),
        sa.Column("corrects", Identifier()),
        sa.Column("previous_hash", exact_text(64), nullable=False),
        sa.Column("hash", exact_text(64), nullable=False),
        sa.CheckConstraint("kind IN ('completed', 'missed', 'cancelled', 'correction')", name="ck_call_ledger_kind"),
        sa.CheckConstraint(OUTCOMES, name="ck_call_ledger_outcome"),
        sa.ForeignKeyConstraint(["task_id"], ["call_tasks.id"], name="fk_call_ledger_task_id"),
        sa.PrimaryKeyConstraint("id", name="pk_call_ledger"),
        sa.UniqueConstraint("task_id", "number", name="uq_call_ledger_chain"),
        sqlite_with_rowid=False,
        **MYSQL,
    )
    op.create_index("ix_call_ledger_agent_at", "call_ledger", ["agent_id", "at", "id"])
    op.create_index("ix_call_ledger_at", "call_ledger", ["at", "id"])
    op.create_index("ix_call_ledger_lead_at", "call_ledger", ["lead_id", "at", "id"])


def _guard() -> None:
    """Create triggers that refuse every change of the ledger."""
    if op.get_bind().dialect.name != "sqlite":
        for name, event, refused in (("changed", "UPDATE", UNCHANGED), ("removed", "DELETE", KEPT)):
            op.execute(
                f"CREATE TRIGGER call_ledger_{name} BEFORE {event} ON call_ledger FOR EACH ROW"
                f" SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{refused}'"
            )
        return
    # INSERT OR REPLACE takes away what is in its way without telling the triggers of it: what would be in its way is
    # looked for before, by every key there is. That is why the table has no rowid.
    # https://www.sqlite.org/lang_conflict.html
    same_id = "EXISTS (SELECT 1 FROM call_ledger WHERE id = new.id)"
    same_place = "EXISTS (SELECT 1 FROM call_ledger WHERE task_id = new.task_id AND number = new.number)"
    for name, event, refused in (
        ("changed", "UPDATE ON call_ledger", UNCHANGED),
        ("removed", "DELETE ON call_ledger", KEPT),
        ("replaced", f"INSERT ON call_ledger WHEN {same_id}", THERE),
        ("taken", f"INSERT ON call_ledger WHEN {same_place}", TAKEN),
    ):
        op.execute(f"CREATE TRIGGER call_ledger_{name} BEFORE {event} BEGIN SELECT RAISE(ABORT, '{refused}'); END")


def _consents() -> None:
    op.create_table(
        "consents",
        sa.Column("source", exact_text(64), nullable=False),
        sa.Column("id", Identifier(), nullable=False),
        sa.Column("phone", exact_text(16), nullable=False),
        sa.Column("opted_out", sa.Boolean(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_consents"),
        **MYSQL,
    )
    op.create_index("ix_consents_phone", "consents", ["phone", "at", "id"])


def _choices() -> None:
    # Not a column of the leads: with their full-text index MySQL copies all of them for it, which took two minutes for
    # 300,000, and nobody can change one meanwhile.
    op.create_table(
        "lead_status_choices",
        sa.Column("lead_id", Identifier(), nullable=False),
        sa.Column("chosen_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name="fk_lead_status_choices_lead_id"),
        sa.PrimaryKeyConstraint("lead_id", name="pk_lead_status_choices"),
        **MYSQL,
    )


def _allow_skipped() -> None:
    """Allow the status `skipped` of deliveries."""
    if op.get_bind().dialect.name == "sqlite":
        _deliveries_anew("status IN ('pending', 'delivered', 'skipped', 'dead')")
        return
    # And not made anew: MySQL and MariaDB copy the table for a check, and whoever changes something of a lead or a call
    # waits for that, with 300,000 deliveries for half a minute. To take one away is a matter of a moment.
    op.drop_constraint(CHECK, "deliveries", type_="check")


def _allow_no_skipped() -> None:
    check = "status IN ('pending', 'delivered', 'dead')"
    if op.get_bind().dialect.name == "sqlite":
        _deliveries_anew(check)
        return
    op.create_check_constraint(CHECK, "deliveries", check)


def _deliveries_anew(check: str) -> None:
    # SQLite cannot change a check: https://www.sqlite.org/lang_altertable.html#otheralter
    op.create_table(
        "deliveries_anew",
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
        sa.CheckConstraint(check, name=CHECK),
        sa.ForeignKeyConstraint(["event_id"], ["outbox_events.id"], name="fk_deliveries_event_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.execute(
        "INSERT INTO deliveries_anew SELECT id, event_id, destination, status, attempts, held, next_attempt_at,"
        " give_up_at, created_at, delivered_at, response FROM deliveries"
    )
    op.drop_table("deliveries")
    op.rename_table("deliveries_anew", "deliveries")
    op.create_index("ix_deliveries_created", "deliveries", ["created_at", "id"])
    op.create_index("ix_deliveries_destination_created", "deliveries", ["destination", "created_at", "id"])
    op.create_index("ix_deliveries_due", "deliveries", ["destination", "status", "next_attempt_at", "id"])
    op.create_index("ix_deliveries_event_created", "deliveries", ["event_id", "created_at", "id"])
    op.create_index("ix_deliveries_status_created", "deliveries", ["status", "created_at", "id"])
