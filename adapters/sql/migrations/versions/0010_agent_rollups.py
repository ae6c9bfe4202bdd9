"""Add daily rollups of calls per agent, by source and by attempt.

A worker of the version before may fold entries at the same time, and after this: a trigger notes each entry that it
folds, so that reports and later folds know which are not counted here. What is folded already is counted here, day by
day, under the lock of the folding: each of its entries is either counted or noted.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from alembic import op

from adapters.sql.metadata import MYSQL
from adapters.sql.types import Identifier, exact_text

revision = "0010~0007"
down_revision = "0009~0007"
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
INTO = ("agent_id", "dimension", "day", "key", *RESULTS, "seconds")
KEYS = {
    2: "COALESCE(e.source, '')",
    3: "COALESCE(CASE WHEN e.attempt > 4 THEN '5' ELSE CAST(e.attempt AS CHAR) END, '')",
}
"""What calls are counted by, for each number of a dimension."""

TRIGGER = "unfolded_entries_folded"
DAY_BATCH_SIZE = 5
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # as MySQL says it: all of its moments are in UTC


def upgrade() -> None:
    # MySQL commits each table at once: what an upgrade that failed has left is made anew.
    downgrade()
    op.create_table(
        "agent_rollups",
        sa.Column("agent_id", Identifier(), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("day", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("key", exact_text(64), nullable=False),
        *(sa.Column(result, sa.Integer(), nullable=False) for result in RESULTS),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", "dimension", "day", "key", name="pk_agent_rollups"),
        **MYSQL,
    )
    op.create_table(
        "agent_unfolded_entries",
        sa.Column("entry_id", Identifier(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_agent_unfolded_entries"),
        **MYSQL,
    )
    note = "INSERT INTO agent_unfolded_entries (entry_id) VALUES (old.entry_id)"
    body = f"BEGIN {note}; END" if _on_sqlite() else f"FOR EACH ROW {note}"
    op.execute(f"CREATE TRIGGER {TRIGGER} AFTER DELETE ON unfolded_entries {body}")
    for within in _portions():
        _count(within)
        if not _on_sqlite():
            op.execute("COMMIT")


def downgrade() -> None:
    op.execute(f"DROP TRIGGER IF EXISTS {TRIGGER}")
    for table in ("agent_unfolded_entries", "agent_rollups"):
        op.execute(f"DROP TABLE IF EXISTS {table}")


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _portions() -> Iterator[str]:
    """Conditions for some days of the ledger each, with the folding locked for as long as a portion is counted."""
    if _on_sqlite():
        yield "1 = 1"
        return
    bounds = op.get_bind().execute(sa.text("SELECT MIN(called_at), MAX(called_at) FROM call_ledger")).one()
    if bounds[0] is None:
        return
    # Midnights, and all that was before 1970 is in one portion, for it is counted as one day.
    start, last = max(bounds[0], EPOCH).replace(hour=0, minute=0, second=0, microsecond=0), bounds[1]
    # Neither the first nor the last one ends, so that what is written meanwhile is in one of them.
    conditions: list[str] = []
    while True:
        end = start + timedelta(days=DAY_BATCH_SIZE)
        until = [f"e.called_at < '{end}'"] if end <= last else []
        op.execute("INSERT INTO rollup_locks (id) VALUES (1) ON DUPLICATE KEY UPDATE id = id")
        yield " AND ".join([*conditions, *until]) or "1 = 1"
        if not until:
            return
        start, conditions = end, [f"e.called_at >= '{end}'"]


def _count(within: str) -> None:
    """Count what is folded: an entry counts once it is, and counts no longer once the next one of its chain is."""
    day, index = "MAX(0, e.called_at / 86400000000)", ""
    if not _on_sqlite():
        day = "GREATEST(0, TIMESTAMPDIFF(DAY, '1970-01-01', e.called_at))"
        index = " FORCE INDEX (ix_call_ledger_called)"
    waiting = " ".join(
        f"LEFT JOIN {table} {entry}_{table} ON {entry}_{table}.entry_id = {entry}.id"
        for entry in ("e", "n")
        for table in ("unfolded_entries", "agent_unfolded_entries")
    )
    # The ledger is gone through once, for both dimensions.
    worth = (
        f"SELECT e.agent_id, {day} AS called_on, {KEYS[2]} AS source, {KEYS[3]} AS attempt,"
        " COALESCE(e.outcome, e.kind) AS result, COALESCE(e.duration_seconds, 0) AS seconds,"
        f" CASE WHEN {_folded('e')} THEN 1 ELSE 0 END - CASE WHEN {_folded('n')} THEN 1 ELSE 0 END AS times"
        f" FROM call_ledger e{index} LEFT JOIN call_ledger n ON n.task_id = e.task_id AND n.number = e.number + 1"
        f" {waiting} WHERE e.agent_id IS NOT NULL AND ({_folded('e')} OR {_folded('n')}) AND {within}"
    )
    names = _columns((*RESULTS, "seconds"))
    counts = ", ".join(
        f"SUM(CASE WHEN result = '{result}' THEN times ELSE 0 END) AS {_columns((result,))}" for result in RESULTS
    )
    sums = ", ".join(f"SUM({_columns((name,))})" for name in (*RESULTS, "seconds"))
    by_dimension = " UNION ALL ".join(
        f"SELECT agent_id, {dimension}, called_on, {name}, {sums} FROM counted GROUP BY agent_id, called_on, {name}"
        for dimension, name in ((2, "source"), (3, "attempt"))
    )
    op.execute(
        f"INSERT INTO agent_rollups ({_columns(INTO)})"
        f" WITH worth AS ({worth}), counted (agent_id, called_on, source, attempt, {names}) AS ("
        f"SELECT agent_id, called_on, source, attempt, {counts}, SUM(times * seconds) FROM worth"
        f" GROUP BY agent_id, called_on, source, attempt) {by_dimension}"
    )


def _folded(entry: str) -> str:
    waits = (f"{entry}_{table}.entry_id IS NULL" for table in ("unfolded_entries", "agent_unfolded_entries"))
    return f"{entry}.id IS NOT NULL AND {' AND '.join(waits)}"


def _columns(names: Sequence[str]) -> str:
    quote = op.get_bind().dialect.identifier_preparer.quote
    return ", ".join(quote(name) for name in names)
