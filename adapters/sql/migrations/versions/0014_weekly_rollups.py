"""Add weekly rollups of calls: the sums of the daily ones, kept by triggers.

Whichever version of Unite writes a daily rollup, the triggers add what changes to its week. What is there already is
added up under the lock of the folding, after the triggers are there, and in place of what they have written meanwhile.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from adapters.sql.metadata import MYSQL
from adapters.sql.types import exact_text

revision = "0014~0007"
down_revision = "0013~0007"
branch_labels = None
depends_on = None

COUNTS = (
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
    "seconds",
)
DAY = 1
"""The number of the grain of daily rollups."""

DAYS = 7


def upgrade() -> None:
    # MySQL commits each table at once: what an upgrade that failed has left is made anew.
    downgrade()
    op.create_table(
        "weekly_rollups",
        sa.Column("dimension", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("week", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("key", exact_text(64), nullable=False),
        *(sa.Column(name, sa.BigInteger() if name == "seconds" else sa.Integer(), nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint("dimension", "week", "key", name="pk_weekly_rollups"),
        **MYSQL,
    )
    for name, (event, row, statement) in _triggers().items():
        when = f"{row}.grain = {DAY}"
        body = (
            f"WHEN {when} BEGIN {statement}; END"
            if _on_sqlite()
            else f"FOR EACH ROW IF {when} THEN {statement}; END IF"
        )
        op.execute(f"CREATE TRIGGER {name} AFTER {event} ON call_rollups {body}")
    _add_up()


def downgrade() -> None:
    for name in _triggers():
        op.execute(f"DROP TRIGGER IF EXISTS {name}")
    op.execute("DROP TABLE IF EXISTS weekly_rollups")


def _triggers() -> dict[str, tuple[str, str, str]]:
    """Return for each trigger its event, the row whose grain decides, and the statement."""
    key = _quoted("key")
    names = ", ".join(map(_quoted, COUNTS))
    added = ", ".join(f"new.{_quoted(name)}" for name in COUNTS)
    values = f"VALUES (new.dimension, {_week_of('new.period')}, new.{key}, {added})"
    if _on_sqlite():
        sums = ", ".join(f"{_quoted(name)} = {_quoted(name)} + excluded.{_quoted(name)}" for name in COUNTS)
        conflict = f"ON CONFLICT (dimension, week, {key}) DO UPDATE SET {sums}"
    else:
        sums = ", ".join(f"{_quoted(name)} = {_quoted(name)} + VALUES({_quoted(name)})" for name in COUNTS)
        conflict = f"ON DUPLICATE KEY UPDATE {sums}"
    of_week = f"WHERE dimension = old.dimension AND week = {_week_of('old.period')} AND {key} = old.{key}"
    changed = ", ".join(f"{_quoted(it)} = {_quoted(it)} + new.{_quoted(it)} - old.{_quoted(it)}" for it in COUNTS)
    removed = ", ".join(f"{_quoted(it)} = {_quoted(it)} - old.{_quoted(it)}" for it in COUNTS)
    return {
        "call_rollups_week_added": (
            "INSERT",
            "new",
            f"INSERT INTO weekly_rollups (dimension, week, {key}, {names}) {values} {conflict}",
        ),
        "call_rollups_week_changed": ("UPDATE", "new", f"UPDATE weekly_rollups SET {changed} {of_week}"),
        "call_rollups_week_removed": ("DELETE", "old", f"UPDATE weekly_rollups SET {removed} {of_week}"),
    }


def _add_up() -> None:
    names: Sequence[str] = [_quoted(name) for name in COUNTS]
    sums = ", ".join(f"SUM({name})" for name in names)
    week = _week_of("period")
    if not _on_sqlite():
        op.execute("COMMIT")
        op.execute("INSERT INTO rollup_locks (id) VALUES (1) ON DUPLICATE KEY UPDATE id = id")
    op.execute("DELETE FROM weekly_rollups")
    op.execute(
        f"INSERT INTO weekly_rollups (dimension, week, {_quoted('key')}, {', '.join(names)})"
        f" SELECT dimension, {week}, {_quoted('key')}, {sums} FROM call_rollups"
        f" WHERE grain = {DAY} GROUP BY dimension, {week}, {_quoted('key')}"
    )
    if not _on_sqlite():
        op.execute("COMMIT")


def _week_of(day: str) -> str:
    return f"{day} / {DAYS}" if _on_sqlite() else f"{day} DIV {DAYS}"


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _quoted(name: str) -> str:
    return op.get_bind().dialect.identifier_preparer.quote(name)
