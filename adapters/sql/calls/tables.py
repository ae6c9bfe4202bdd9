"""Table definitions for call tasks, their notes, the call ledger, and call counts per lead."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, PrimaryKeyConstraint, Table, UniqueConstraint

from adapters.sql.metadata import MAX_CODE_LENGTH, MYSQL, metadata, one_of
from adapters.sql.types import Identifier, Moment, exact_text
from unite_core.calls.ledger import NO_HASH, EntryKind
from unite_core.calls.model import MAX_NOTE_LENGTH, MAX_REASON_LENGTH, CallOutcome, TaskStatus
from unite_core.leads.details import MAX_SOURCE_LENGTH

# `outcome` to `follow_up_at` are the completion, all NULL while there is none.
call_tasks = Table(
    "call_tasks",
    metadata,
    Column("id", Identifier, nullable=False),
    Column("lead_id", Identifier, nullable=False),
    Column("assigned_to", Identifier),
    Column("status", exact_text(MAX_CODE_LENGTH), nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("created_by", Identifier, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("cancel_reason", exact_text(MAX_REASON_LENGTH)),
    Column("outcome", exact_text(MAX_CODE_LENGTH)),
    Column("duration_seconds", Integer),
    Column("note", exact_text(MAX_NOTE_LENGTH)),
    Column("started_at", Moment),
    Column("follow_up_at", Moment),
    Column("follow_up_of", Identifier),
    Column("follow_up_id", Identifier),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("id"),
    ForeignKeyConstraint(["lead_id"], ["leads.id"]),
    ForeignKeyConstraint(["assigned_to"], ["users.id"]),
    ForeignKeyConstraint(["created_by"], ["users.id"]),
    one_of("status", TaskStatus, "ck_call_tasks_status"),
    one_of("outcome", CallOutcome, "ck_call_tasks_outcome"),
    Index("ix_call_tasks_due", "due_at", "id"),
    Index("ix_call_tasks_status_due", "status", "due_at", "id"),
    Index("ix_call_tasks_assigned_due", "assigned_to", "due_at", "id"),
    Index("ix_call_tasks_assigned_status_due", "assigned_to", "status", "due_at", "id"),
    Index("ix_call_tasks_lead_due", "lead_id", "due_at", "id"),
    **MYSQL,
)

# `number` numbers the notes of a task, from 1.
call_task_notes = Table(
    "call_task_notes",
    metadata,
    Column("task_id", Identifier, nullable=False),
    Column("number", Integer, nullable=False, autoincrement=False),
    Column("id", Identifier, nullable=False),
    Column("author", Identifier, nullable=False),
    Column("text", exact_text(MAX_NOTE_LENGTH), nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("task_id", "number"),
    ForeignKeyConstraint(["task_id"], ["call_tasks.id"]),
    ForeignKeyConstraint(["author"], ["users.id"]),
    **MYSQL,
)

# Triggers refuse to change or delete a row. The only foreign key is to the task: with others, an entry would wait for
# every transaction that changes the lead or a user. On SQLite the table has no rowid, because a row could be replaced
# by its rowid without a trigger being called.
call_ledger = Table(
    "call_ledger",
    metadata,
    Column("id", Identifier, nullable=False),
    Column("task_id", Identifier, nullable=False),
    Column("number", Integer, nullable=False, autoincrement=False),
    Column("kind", exact_text(MAX_CODE_LENGTH), nullable=False),
    Column("lead_id", Identifier, nullable=False),
    Column("agent_id", Identifier),
    Column("actor_id", Identifier),
    Column("at", Moment, nullable=False),
    Column("outcome", exact_text(MAX_CODE_LENGTH)),
    Column("duration_seconds", Integer),
    Column("started_at", Moment),
    Column("follow_up_at", Moment),
    Column("note", exact_text(MAX_NOTE_LENGTH)),
    Column("reason", exact_text(MAX_REASON_LENGTH)),
    Column("corrects", Identifier),
    Column("called_at", Moment, nullable=False),
    Column("source", exact_text(MAX_SOURCE_LENGTH)),
    Column("attempt", Integer),
    Column("format", Integer, nullable=False),
    Column("previous_hash", exact_text(len(NO_HASH)), nullable=False),
    Column("hash", exact_text(len(NO_HASH)), nullable=False),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("task_id", "number", name="uq_call_ledger_chain"),
    ForeignKeyConstraint(["task_id"], ["call_tasks.id"]),
    one_of("kind", EntryKind, "ck_call_ledger_kind"),
    one_of("outcome", CallOutcome, "ck_call_ledger_outcome"),
    Index("ix_call_ledger_at", "at", "id"),
    Index("ix_call_ledger_agent_at", "agent_id", "at", "id"),
    Index("ix_call_ledger_lead_at", "lead_id", "at", "id"),
    Index("ix_call_ledger_called", "called_at", "id"),
    Index("ix_call_ledger_agent_called", "agent_id", "called_at", "id"),
    Index("ix_call_ledger_lead_called", "lead_id", "called_at", "id"),
    sqlite_with_rowid=False,
    **MYSQL,
)

# How many calls of each outcome a lead had. No foreign key: a correction would wait for every change of the lead.
lead_calls = Table(
    "lead_calls",
    metadata,
    Column("lead_id", Identifier, nullable=False),
    *(Column(outcome.value, Integer, nullable=False) for outcome in CallOutcome),
    Column("first_called_at", Moment, nullable=False),
    PrimaryKeyConstraint("lead_id"),
    **MYSQL,
)
