"""Table definitions for reports: rollups of calls, and the ledger entries that are not folded into them yet."""

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table

from adapters.sql.metadata import MYSQL, metadata
from adapters.sql.types import Identifier, Moment, exact_text
from unite_core.calls.model import CallResult

MAX_KEY_LENGTH = 64
"""Characters of a source, the longest key of a rollup."""

# `period` is a quarter hour or a UTC day, numbered from 1970. `dimension` and `grain` are numbers, defined in
# `rollup_writes`, to make rows short: a year has millions.
call_rollups = Table(
    "call_rollups",
    metadata,
    Column("dimension", Integer, nullable=False, autoincrement=False),
    Column("grain", Integer, nullable=False, autoincrement=False),
    Column("period", Integer, nullable=False, autoincrement=False),
    Column("key", exact_text(MAX_KEY_LENGTH), nullable=False),
    *(Column(result.value, Integer, nullable=False) for result in CallResult),
    Column("seconds", BigInteger, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    PrimaryKeyConstraint("dimension", "grain", "period", "key"),
    Index("ix_call_rollups_key", "dimension", "grain", "key", "period"),
    **MYSQL,
)

# The sums of seven days of `call_rollups`, in weeks of UTC numbered from 1970. Triggers on `call_rollups` write them. A
# restore on MySQL loads the tables in the order of their names, so that this one replaces what the triggers write then.
weekly_rollups = Table(
    "weekly_rollups",
    metadata,
    Column("dimension", Integer, nullable=False, autoincrement=False),
    Column("week", Integer, nullable=False, autoincrement=False),
    Column("key", exact_text(MAX_KEY_LENGTH), nullable=False),
    *(Column(result.value, Integer, nullable=False) for result in CallResult),
    Column("seconds", BigInteger, nullable=False),
    PrimaryKeyConstraint("dimension", "week", "key"),
    **MYSQL,
)

# The calls of each agent by source and by attempt, for each UTC day; `dimension` as in `call_rollups`. The primary key
# begins with the agent, because queries are about one agent.
agent_rollups = Table(
    "agent_rollups",
    metadata,
    Column("agent_id", Identifier, nullable=False),
    Column("dimension", Integer, nullable=False, autoincrement=False),
    Column("day", Integer, nullable=False, autoincrement=False),
    Column("key", exact_text(MAX_KEY_LENGTH), nullable=False),
    *(Column(result.value, Integer, nullable=False) for result in CallResult),
    Column("seconds", BigInteger, nullable=False),
    PrimaryKeyConstraint("agent_id", "dimension", "day", "key"),
    **MYSQL,
)

# An entry of the call ledger is here until it is folded into the rollups.
unfolded_entries = Table(
    "unfolded_entries",
    metadata,
    Column("entry_id", Identifier, nullable=False),
    PrimaryKeyConstraint("entry_id"),
    **MYSQL,
)

# An entry is here from its deletion from `unfolded_entries` until it is counted in `agent_rollups` too. A trigger
# inserts it, because a worker of the previous version may run at the same time, and folds it into `call_rollups` only.
agent_unfolded_entries = Table(
    "agent_unfolded_entries",
    metadata,
    Column("entry_id", Identifier, nullable=False),
    PrimaryKeyConstraint("entry_id"),
    **MYSQL,
)

# Each transaction that folds entries or rebuilds a day inserts or finds the one row, and locks it.
rollup_locks = Table(
    "rollup_locks",
    metadata,
    Column("id", Integer, nullable=False, autoincrement=False),
    PrimaryKeyConstraint("id"),
    **MYSQL,
)
