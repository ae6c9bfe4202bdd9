"""SQL queries for ledger entries that are not folded into the rollups yet."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, delete, exists, literal_column, select
from sqlalchemy.engine import Row

from adapters.sql.calls.call_ledger import to_entry
from adapters.sql.calls.tables import call_ledger as ledger
from adapters.sql.reports.rollup_writes import add_cells
from adapters.sql.reports.tables import agent_unfolded_entries, unfolded_entries
from adapters.sql.statements import MAX_LIST_PARAMETERS, batches, columns_of, force_index, unindexed
from unite_core.calls.ledger import LedgerEntry
from unite_core.reports.ports import EntryChange
from unite_core.reports.rollup_counts import cells_of

_before = ledger.alias("before")

_ANY_OF_AGENT = str(select(exists(select(literal_column("1")).select_from(agent_unfolded_entries))))
"""Whether an entry lacks the rollups per agent, as text for the driver, because every report of an agent asks."""


def select_all_changes(connection: Connection, waiting: Table = unfolded_entries) -> Sequence[EntryChange]:
    """Return the steps (changes of counts) of all entries in the table `waiting`."""
    return _steps(connection, waiting, waiting.c.entry_id.is_not(None))


def select_agent_changes(connection: Connection) -> Sequence[EntryChange]:
    """Return the steps of the entries that an older version has folded without the rollups per agent."""
    # Only during an upgrade there is one, which is sooner known than by the join.
    if not connection.exec_driver_sql(_ANY_OF_AGENT).scalar_one():
        return []
    return select_all_changes(connection, agent_unfolded_entries)


def oldest_changes(connection: Connection, limit: int, waiting: Table = unfolded_entries) -> Sequence[EntryChange]:
    """Return the steps of the oldest entries in the table `waiting`, up to `limit`."""
    oldest = select(waiting.c.entry_id).order_by(waiting.c.entry_id).limit(limit)
    ids = connection.execute(oldest).scalars().all()
    return [step for portion in batches(ids) for step in _steps(connection, waiting, waiting.c.entry_id.in_(portion))]


def remove_unfolded(connection: Connection, steps: Sequence[EntryChange]) -> None:
    """Remove the entries of the steps from the tables of unfolded entries; they are in all rollups now."""
    for portion in batches([step.entry.id for step in steps]):
        # In this order, because a trigger inserts what is deleted from the first table into the second.
        for waiting in (unfolded_entries, agent_unfolded_entries):
            connection.execute(delete(waiting).where(waiting.c.entry_id.in_(portion)))


def fold_per_agent(connection: Connection, limit: int = MAX_LIST_PARAMETERS) -> int:
    """Add up to `limit` entries to the rollups per agent that an older version folded without them; return how many."""
    steps = oldest_changes(connection, limit, agent_unfolded_entries)
    if steps:
        add_cells(connection, {cell: tally for cell, tally in cells_of(steps).items() if cell.agent_id is not None})
        remove_unfolded(connection, steps)
    return len(steps)


def _steps(connection: Connection, waiting: Table, which: ColumnElement[bool]) -> list[EntryChange]:
    entry_id: Column[Any] = waiting.c.entry_id
    joined = (
        select(ledger, _before)
        # Without `unindexed` SQLite would search every entry of the ledger in the table of unfolded entries.
        .join(waiting, ledger.c.id == unindexed(entry_id))
        .outerjoin(_before, and_(_before.c.task_id == ledger.c.task_id, _before.c.number == ledger.c.number - 1))
    )
    rows = connection.execute(force_index(joined.where(which), _before, "uq_call_ledger_chain"))
    return [EntryChange(to_entry(row), _entry_before(row)) for row in rows]


def _entry_before(row: Row[Any]) -> LedgerEntry | None:
    part = columns_of(row, _before)
    return None if part.id is None else to_entry(part)
