"""The tables of reports: calls counted beforehand, and which entries of the ledger are not counted there yet."""

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table

from adapters.sql.metadata import MYSQL, metadata
from adapters.sql.types import Identifier, Moment, exact_text
from unite_core.calls.model import CallResult

MAX_KEY_LENGTH = 64
"""Characters of a source, the longest of what calls are counted by."""

# `period` is a quarter hour or a day of UTC, numbered from 1970. How `dimension` and `grain` are numbered is said in
# `rollups`, so that a row is short: a year has millions.
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

# The calls of each agent by source and by attempt, for each day of UTC; `dimension` as in `call_rollups`. What is asked
# of it is one agent's, so that all of an agent's rows lie together.
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

# An entry of the call ledger is here from when it is written until it is folded into the rollups.
unfolded_entries = Table(
    "unfolded_entries",
    metadata,
    Column("entry_id", Identifier, nullable=False),
    PrimaryKeyConstraint("entry_id"),
    **MYSQL,
)

# An entry is here from when it leaves `unfolded_entries` until it is counted in `agent_rollups`, too. A trigger puts it
# here, because a worker of the version before, which may run at the same time, folds it into `call_rollups` alone.
agent_unfolded_entries = Table(
    "agent_unfolded_entries",
    metadata,
    Column("entry_id", Identifier, nullable=False),
    PrimaryKeyConstraint("entry_id"),
    **MYSQL,
)

# Its one row is added, or found, and locked by each transaction that folds entries or rebuilds a day.
rollup_locks = Table(
    "rollup_locks",
    metadata,
    Column("id", Integer, nullable=False, autoincrement=False),
    PrimaryKeyConstraint("id"),
    **MYSQL,
)
