"""SQL statements that add counts to rollups, and delete the rollups of a day."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, literal, select
from sqlalchemy.engine import Dialect

from adapters.sql.reports.tables import agent_rollups, call_rollups, weekly_rollups
from adapters.sql.statements import batches, insert_sql
from adapters.sql.types import moment
from unite_core.calls.model import CallResult
from unite_core.periods import QUARTERS_PER_DAY
from unite_core.reports.ports import Cell, Dimension, Grain
from unite_core.reports.rollup_counts import OF_AGENT
from unite_core.reports.tally import Tally

DIMENSIONS = {Dimension.ALL: 0, Dimension.AGENT: 1, Dimension.SOURCE: 2, Dimension.ATTEMPT: 3}
"""Dimension -> its number in rows."""

GRAINS = {Grain.QUARTER: 0, Grain.DAY: 1}
"""Grain -> its number in rows."""

DAYS_PER_WEEK = 7

COUNT_COLUMNS = (*(result.value for result in CallResult), "seconds")
"""The columns with counts."""


def add_cells(connection: Connection, counted: Mapping[Cell, Tally]) -> None:
    """Add these tallies to the rollups."""
    dialect = connection.dialect
    of_all = [_row_of(cell, tally, dialect) for cell, tally in counted.items() if cell.agent_id is None]
    of_agents = list(_agent_rows(counted))
    # Sorted by primary key, so that the pages of the index are filled one after the other.
    for table, rows in ((call_rollups, sorted(of_all)), (agent_rollups, sorted(of_agents))):
        if rows:
            connection.exec_driver_sql(_add_sql(table, dialect), rows)


def delete_day(connection: Connection, day: int) -> None:
    """Delete all rollups of a UTC day."""
    ends = {Grain.QUARTER: (day * QUARTERS_PER_DAY, (day + 1) * QUARTERS_PER_DAY), Grain.DAY: (day, day + 1)}
    rollups = call_rollups
    for dimension in DIMENSIONS.values():
        for grain, (first, end) in ends.items():
            of_day = rollups.c.dimension == dimension, rollups.c.grain == GRAINS[grain]
            connection.execute(delete(rollups).where(*of_day, rollups.c.period >= first, rollups.c.period < end))
    # The primary key begins with the agent, so that each agent's rows are deleted by themselves.
    agents: Sequence[Any] = connection.execute(select(agent_rollups.c.agent_id).distinct()).scalars().all()
    for portion in batches(agents):
        for each in OF_AGENT:
            of_dimension = agent_rollups.c.dimension == DIMENSIONS[each]
            of_agents = agent_rollups.c.agent_id.in_(portion)
            connection.execute(delete(agent_rollups).where(of_agents, of_dimension, agent_rollups.c.day == day))


def add_up_week(connection: Connection, day: int) -> None:
    """Replace the rollups of the week of that UTC day by the sums of its days.

    Triggers keep them up to date; this repairs what was changed by hand.
    """
    week = day // DAYS_PER_WEEK
    days, weeks = call_rollups.c, weekly_rollups.c
    connection.execute(delete(weekly_rollups).where(weeks.dimension.in_(DIMENSIONS.values()), weeks.week == week))
    sums = (func.sum(days[name]) for name in COUNT_COLUMNS)
    of_week = (
        days.dimension.in_(DIMENSIONS.values()),
        days.grain == GRAINS[Grain.DAY],
        days.period >= week * DAYS_PER_WEEK,
        days.period < (week + 1) * DAYS_PER_WEEK,
    )
    added_up = select(days.dimension, literal(week), days.key, *sums).where(*of_week).group_by(days.dimension, days.key)
    names = ["dimension", "week", "key", *COUNT_COLUMNS]
    connection.execute(insert(weekly_rollups).from_select(names, added_up))


def _row_of(cell: Cell, tally: Tally, dialect: Dialect) -> tuple[Any, ...]:
    key = DIMENSIONS[cell.dimension], GRAINS[cell.grain], cell.period, cell.key
    return (*key, *_counts(tally), moment(tally.recorded_at, dialect))


def _agent_rows(counted: Mapping[Cell, Tally]) -> Iterator[tuple[Any, ...]]:
    for cell, tally in counted.items():
        if cell.agent_id is not None:
            yield cell.agent_id.bytes, DIMENSIONS[cell.dimension], cell.period, cell.key, *_counts(tally)


def _counts(tally: Tally) -> tuple[int, ...]:
    return (*(tally.calls.get(result, 0) for result in CallResult), tally.seconds)


@lru_cache(maxsize=8)
def _add_sql(table: Table, dialect: Dialect) -> str:
    """Return the INSERT of a row that is added to the existing row with the same primary key, if there is one."""
    preparer = dialect.identifier_preparer
    added = [preparer.quote(name) for name in COUNT_COLUMNS]
    later = [column.name for column in table.columns if column.name == "recorded_at"]
    if dialect.name == "sqlite":
        sums = [f"{name} = {name} + excluded.{name}" for name in added]
        latest = [f"{name} = max({name}, excluded.{name})" for name in later]
        key = ", ".join(preparer.quote(column.name) for column in table.primary_key.columns)
        return f"{insert_sql(table, dialect)} ON CONFLICT ({key}) DO UPDATE SET {', '.join([*sums, *latest])}"
    # MariaDB does not support an alias for the inserted row.
    sums = [f"{name} = {name} + VALUES({name})" for name in added]
    latest = [f"{name} = GREATEST({name}, VALUES({name}))" for name in later]
    return f"{insert_sql(table, dialect)} ON DUPLICATE KEY UPDATE {', '.join([*sums, *latest])}"
