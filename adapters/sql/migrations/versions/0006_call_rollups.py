"""Add call rollups, the table of unfolded entries, and the lock of the folding.

What the ledger holds already is counted here: quarter hours in one statement for each dimension, and days from them.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from adapters.sql.metadata import MYSQL
from adapters.sql.types import Identifier, Moment, exact_text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

RESULTS = (
    "connected",
    "voicemail",
    "no_answer",
    "busy",
    "wrong_number",
    "callback_requested",
    "not_interested",
    "converted",
    "missed",
    "cancelled",
)
TABLES = ("rollup_locks", "unfolded_entries", "call_rollups")
INTO = ("dimension", "grain", "period", "key", *RESULTS, "seconds", "recorded_at")
HEX = "LOWER(HEX(e.agent_id))"
QUARTER_ON_SQLITE = "MAX(0, e.called_at / 900000000)"
QUARTER_ON_MYSQL = "GREATEST(0, TIMESTAMPDIFF(MINUTE, '1970-01-01', e.called_at) DIV 15)"
PARTS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
"""Where the five groups of a UUID's digits begin, and how long they are."""


def upgrade() -> None:
    # MySQL commits each table at once: what an upgrade that failed has left is made anew from the ledger.
    for table in TABLES:
        op.execute(f"DROP TABLE IF EXISTS {table}")
    op.create_table(
        "call_rollups",
        sa.Column("dimension", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("grain", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("period", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("key", exact_text(64), nullable=False),
        *(sa.Column(result, sa.Integer(), nullable=False) for result in RESULTS),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("dimension", "grain", "period", "key", name="pk_call_rollups"),
        **MYSQL,
    )
    op.create_index("ix_call_rollups_key", "call_rollups", ["dimension", "grain", "key", "period"])
    op.create_table(
        "unfolded_entries",
        sa.Column("entry_id", Identifier(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_unfolded_entries"),
        **MYSQL,
    )
    op.create_table(
        "rollup_locks",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("id", name="pk_rollup_locks"),
        **MYSQL,
    )
    _count_ledger()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)


def _count_ledger() -> None:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    quarter = QUARTER_ON_SQLITE if on_sqlite else QUARTER_ON_MYSQL
    digits = [f"SUBSTR({HEX}, {first}, {length})" for first, length in PARTS]
    agent = " || '-' || ".join(digits) if on_sqlite else f"CONCAT_WS('-', {', '.join(digits)})"
    attempt = "CASE WHEN e.attempt > 4 THEN '5' ELSE CAST(e.attempt AS CHAR) END"
    keys = {
        0: "''",
        1: f"CASE WHEN e.agent_id IS NULL THEN '' ELSE {agent} END",
        2: "COALESCE(e.source, '')",
        3: f"COALESCE({attempt}, '')",
    }
    counts = ", ".join(
        f"SUM(CASE WHEN n.id IS NULL AND {_result()} = '{result}' THEN 1 ELSE 0 END)" for result in RESULTS
    )
    for dimension, key in keys.items():
        op.execute(
            f"INSERT INTO call_rollups ({_columns(INTO)}) SELECT {dimension}, 0, {quarter}, {key}, {counts},"
            " SUM(CASE WHEN n.id IS NULL THEN COALESCE(e.duration_seconds, 0) ELSE 0 END),"
            " MAX(COALESCE(n.at, e.at))"
            " FROM call_ledger e LEFT JOIN call_ledger n ON n.task_id = e.task_id AND n.number = e.number + 1"
            f" GROUP BY {quarter}, {key}"
        )
    # The ledger is many times longer than the quarter hours that were counted from it.
    day = "period / 96" if on_sqlite else "period DIV 96"
    sums = ", ".join(f"SUM({_columns((name,))})" for name in (*RESULTS, "seconds"))
    key = _columns(("key",))
    op.execute(
        f"INSERT INTO call_rollups ({_columns(INTO)}) SELECT dimension, 1, {day}, {key}, {sums}, MAX(recorded_at)"
        f" FROM call_rollups WHERE grain = 0 GROUP BY dimension, {day}, {key}"
    )


def _columns(names: Sequence[str]) -> str:
    quote = op.get_bind().dialect.identifier_preparer.quote
    return ", ".join(quote(name) for name in names)


def _result() -> str:
    return "COALESCE(e.outcome, e.kind)"
