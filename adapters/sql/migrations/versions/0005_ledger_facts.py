"""Add call time, source and attempt number to ledger entries, and call counts per lead.

The version before may run meanwhile, and cannot write to the ledger any more: it would leave these out. The database
refuses that from the beginning.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from adapters.sql.metadata import MYSQL
from adapters.sql.types import Identifier, Moment, exact_text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CHUNK = 20_000
"""Entries that MySQL changes in one transaction."""

OUTCOME_NAMES = (
    "connected",
    "voicemail",
    "no_answer",
    "busy",
    "wrong_number",
    "callback_requested",
    "not_interested",
    "converted",
)
OUTCOMES = f"outcome IN ({', '.join(repr(name) for name in OUTCOME_NAMES)})"
KINDS = "kind IN ('completed', 'missed', 'cancelled', 'correction')"
OLD_COLUMNS = (
    "id, task_id, number, kind, lead_id, agent_id, actor_id, at, outcome, duration_seconds, started_at, follow_up_at,"
    " note, reason, corrects, previous_hash, hash"
)
UNCHANGED = "The call ledger is append-only: an entry is never changed. Append a correction."
KEPT = "The call ledger is append-only: an entry is never taken away."
THERE = "The call ledger is append-only: an entry with this id is there already."
CLOSED = "The call ledger is being migrated: no entry is added before that is over."
TAKEN = "The call ledger is append-only: another entry has this place in the chain."

CALLED_AT = (
    "COALESCE(l.started_at, CASE WHEN f.outcome IS NULL THEN t.due_at ELSE {closed_before_its_end} END, t.due_at, l.at)"
)
"""When the call of an entry `l` was, whose chain begins with `f`, of the task `t`.

Its start, else its duration before the task was completed; without a call, or where a correction says no more than that
there was one, when it was due. The code that writes entries says the same, and verification compares them.
"""

JOINED = (
    " LEFT JOIN call_ledger f ON f.task_id = l.task_id AND f.number = 1"
    " LEFT JOIN call_tasks t ON t.id = l.task_id"
    " LEFT JOIN leads ON leads.id = l.lead_id"
)

COUNTED = (
    "outcome IS NOT NULL AND number = (SELECT MAX(number) FROM call_ledger chain WHERE chain.task_id = {of}.task_id)"
)
"""The entry of each call that counts, where the call was made."""


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _lead_calls()
        _ledger_anew()
        _count_calls()
        return
    _upgrade_mysql()


def downgrade() -> None:
    """Go back. Entries of format 2 stay, and the version before cannot verify their hashes, which cover more."""
    if op.get_bind().dialect.name == "sqlite":
        _old_ledger_anew()
    else:
        op.execute(
            "ALTER TABLE call_ledger DROP INDEX ix_call_ledger_called, DROP INDEX ix_call_ledger_agent_called,"
            " DROP INDEX ix_call_ledger_lead_called, DROP COLUMN called_at, DROP COLUMN source, DROP COLUMN attempt,"
            " DROP COLUMN format"
        )
    op.drop_table("lead_calls")


def _lead_calls() -> None:
    op.create_table(
        "lead_calls",
        sa.Column("lead_id", Identifier(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in OUTCOME_NAMES),
        sa.Column("first_called_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("lead_id", name="pk_lead_calls"),
        **MYSQL,
    )


def _count_calls(where: str = "1 = 1", **bounds: Any) -> None:
    sums = ", ".join(f"SUM(CASE WHEN outcome = '{name}' THEN 1 ELSE 0 END)" for name in OUTCOME_NAMES)
    columns = ", ".join(OUTCOME_NAMES)
    _execute(
        f"INSERT INTO lead_calls (lead_id, {columns}, first_called_at)"
        f" SELECT lead_id, {sums}, MIN(called_at) FROM call_ledger"
        f" WHERE {where} AND {COUNTED.format(of='call_ledger')} GROUP BY lead_id",
        **bounds,
    )


# MySQL and MariaDB


def _upgrade_mysql() -> None:
    """Add the columns, fill them portion by portion, and refuse an entry without them from then on.

    MySQL commits each statement that changes a table. What was done when it broke off is not done again by the next
    run, or comes to the same.
    """
    inspector = sa.inspect(op.get_bind())
    if "lead_calls" not in inspector.get_table_names():
        _lead_calls()
    _require_triggers()
    if "called_at" not in {column["name"] for column in inspector.get_columns("call_ledger")}:
        # At the end, where both add columns without copying the table.
        op.execute(
            "ALTER TABLE call_ledger ADD COLUMN called_at DATETIME(6), ADD COLUMN source VARCHAR(64) CHARACTER SET"
            " utf8mb4 COLLATE utf8mb4_bin, ADD COLUMN attempt INTEGER, ADD COLUMN format INTEGER NOT NULL DEFAULT 1"
        )
    try:
        # Waits for those who are writing an entry.
        _refuse("call_ledger_closed", "INSERT ON call_ledger", CLOSED)
        op.execute("DROP TRIGGER IF EXISTS call_ledger_changed")
        _fill_mysql()
        if "ix_call_ledger_called" not in {index["name"] for index in inspector.get_indexes("call_ledger")}:
            # One statement, so that the table is gone through once.
            op.execute(
                "ALTER TABLE call_ledger MODIFY called_at DATETIME(6) NOT NULL, ALTER COLUMN format DROP DEFAULT,"
                " ADD INDEX ix_call_ledger_called (called_at, id),"
                " ADD INDEX ix_call_ledger_agent_called (agent_id, called_at, id),"
                " ADD INDEX ix_call_ledger_lead_called (lead_id, called_at, id)"
            )
    finally:
        _refuse("call_ledger_changed", "UPDATE ON call_ledger", UNCHANGED)
        op.execute("DROP TRIGGER IF EXISTS call_ledger_closed")


def _require_triggers() -> None:
    """Fail before the trigger of the ledger is dropped, where the server does not let us make it again."""
    _refuse("lead_calls_probe", "UPDATE ON lead_calls", UNCHANGED)
    op.execute("DROP TRIGGER lead_calls_probe")


def _refuse(name: str, event: str, message: str) -> None:
    op.execute(f"DROP TRIGGER IF EXISTS {name}")
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {event} FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{message}'"
    )


def _fill_mysql() -> None:
    called_at = CALLED_AT.format(closed_before_its_end="f.at - INTERVAL l.duration_seconds SECOND")
    for bounds in _portions("PRIMARY", "id"):
        _execute(
            f"UPDATE call_ledger l {JOINED} SET l.called_at = {called_at}, l.source = leads.source"
            f" WHERE {_within('l.id', bounds)} AND l.called_at IS NULL",
            **bounds,
        )
        op.execute("COMMIT")
    op.execute("DELETE FROM lead_calls")
    for bounds in _portions("ix_call_ledger_lead_at", "lead_id"):
        within = _within("lead_id", bounds)
        _execute(
            "UPDATE call_ledger l JOIN (SELECT task_id, ROW_NUMBER() OVER (PARTITION BY lead_id ORDER BY called_at, id)"
            f" AS place FROM call_ledger c WHERE {within} AND {COUNTED.format(of='c')}) made"
            " ON made.task_id = l.task_id SET l.attempt = made.place WHERE l.outcome IS NOT NULL",
            **bounds,
        )
        _count_calls(within, **bounds)
        op.execute("COMMIT")


def _portions(index: str, column: str) -> Iterator[dict[str, bytes]]:
    """Bounds of all values of the column, `after` exclusive and `until` inclusive, with about `CHUNK` entries each."""
    bounds: dict[str, bytes] = {}
    while True:
        after = f"WHERE {column} > :after" if bounds else ""
        until = _execute(
            f"SELECT {column} FROM call_ledger FORCE INDEX ({index}) {after} ORDER BY {column} LIMIT 1 OFFSET {CHUNK}",
            **bounds,
        ).scalar()
        if until is None:
            yield bounds
            return
        yield {**bounds, "until": until}
        bounds = {"after": until}


def _within(column: str, bounds: dict[str, bytes]) -> str:
    signs = {"after": ">", "until": "<="}
    return " AND ".join(f"{column} {signs[name]} :{name}" for name in bounds) or "1 = 1"


def _execute(statement: str, **values: Any) -> sa.CursorResult[Any]:
    return op.get_bind().execute(sa.text(statement), values)


# SQLite


def _ledger_anew() -> None:
    # SQLite adds no column that has to have a value, and its triggers refuse to fill one.
    # https://www.sqlite.org/lang_altertable.html#otheralter
    _create_ledger(
        sa.Column("called_at", Moment(), nullable=False),
        sa.Column("source", exact_text(64)),
        sa.Column("attempt", sa.Integer()),
        sa.Column("format", sa.Integer(), nullable=False),
    )
    called_at = CALLED_AT.format(closed_before_its_end="f.at - l.duration_seconds * 1000000")
    old = ", ".join(f"l.{name.strip()}" for name in OLD_COLUMNS.split(","))
    op.execute(
        f"CREATE TEMPORARY TABLE facts AS SELECT l.id, l.task_id, l.lead_id, l.outcome, l.number, {called_at} AS"
        f" called_at, leads.source FROM call_ledger l {JOINED}"
    )
    op.execute("CREATE UNIQUE INDEX temp.ix_facts ON facts (id)")
    op.execute(
        "CREATE TEMPORARY TABLE places AS SELECT task_id, ROW_NUMBER() OVER (PARTITION BY lead_id ORDER BY called_at,"
        f" id) AS place FROM facts WHERE {COUNTED.format(of='facts')}"
    )
    op.execute("CREATE UNIQUE INDEX temp.ix_places ON places (task_id)")
    op.execute(
        f"INSERT INTO call_ledger_anew ({OLD_COLUMNS}, called_at, source, attempt, format)"
        f" SELECT {old}, facts.called_at, facts.source,"
        " CASE WHEN l.outcome IS NULL THEN NULL ELSE places.place END, 1"
        " FROM call_ledger l JOIN facts ON facts.id = l.id LEFT JOIN places ON places.task_id = l.task_id"
    )
    op.execute("DROP TABLE facts")
    op.execute("DROP TABLE places")
    _replace_ledger()
    op.create_index("ix_call_ledger_agent_called", "call_ledger", ["agent_id", "called_at", "id"])
    op.create_index("ix_call_ledger_called", "call_ledger", ["called_at", "id"])
    op.create_index("ix_call_ledger_lead_called", "call_ledger", ["lead_id", "called_at", "id"])


def _old_ledger_anew() -> None:
    _create_ledger()
    op.execute(f"INSERT INTO call_ledger_anew ({OLD_COLUMNS}) SELECT {OLD_COLUMNS} FROM call_ledger")
    _replace_ledger()


def _create_ledger(*more: sa.Column[Any]) -> None:
    op.create_table(
        "call_ledger_anew",
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
        *more,
        sa.CheckConstraint(KINDS, name="ck_call_ledger_kind"),
        sa.CheckConstraint(OUTCOMES, name="ck_call_ledger_outcome"),
        sa.ForeignKeyConstraint(["task_id"], ["call_tasks.id"], name="fk_call_ledger_task_id"),
        sa.PrimaryKeyConstraint("id", name="pk_call_ledger"),
        sa.UniqueConstraint("task_id", "number", name="uq_call_ledger_chain"),
        sqlite_with_rowid=False,
    )


def _replace_ledger() -> None:
    # Dropping a table drops its indexes and triggers, and the triggers are not asked.
    op.drop_table("call_ledger")
    op.rename_table("call_ledger_anew", "call_ledger")
    op.create_index("ix_call_ledger_agent_at", "call_ledger", ["agent_id", "at", "id"])
    op.create_index("ix_call_ledger_at", "call_ledger", ["at", "id"])
    op.create_index("ix_call_ledger_lead_at", "call_ledger", ["lead_id", "at", "id"])
    same_id = "EXISTS (SELECT 1 FROM call_ledger WHERE id = new.id)"
    same_place = "EXISTS (SELECT 1 FROM call_ledger WHERE task_id = new.task_id AND number = new.number)"
    for name, event, refused in (
        ("changed", "UPDATE ON call_ledger", UNCHANGED),
        ("removed", "DELETE ON call_ledger", KEPT),
        ("replaced", f"INSERT ON call_ledger WHEN {same_id}", THERE),
        ("taken", f"INSERT ON call_ledger WHEN {same_place}", TAKEN),
    ):
        op.execute(f"CREATE TRIGGER call_ledger_{name} BEFORE {event} BEGIN SELECT RAISE(ABORT, '{refused}'); END")
