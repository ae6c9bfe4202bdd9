"""Read and write when a user last chose a lead's status, in a table beside the leads, for `SqlLeads`."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, delete, select
from sqlalchemy.engine import Row

from adapters.sql.leads.tables import lead_status_choices as choices
from adapters.sql.leads.tables import leads
from adapters.sql.statements import insert_rows
from adapters.sql.types import moment
from unite_core.leads.model import Lead


def with_choices(statement: Select[Any]) -> Select[Any]:
    """Add the column `chosen_at` to a SELECT of leads: when a user last chose the status."""
    # Not a join, because a join could change which index the database uses for the leads.
    chosen_at = select(choices.c.chosen_at).where(choices.c.lead_id == leads.c.id).scalar_subquery()
    return statement.add_columns(chosen_at.label("chosen_at"))


class StatusChoices:
    """The choices that one unit of work has read, so that it writes only changed ones."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[UUID, datetime | None] = {}

    def seen(self, rows: Iterable[Row[Any]]) -> None:
        """Remember the stored choices of leads that were read by `with_choices`."""
        self._known.update((row.id, row.chosen_at) for row in rows)

    def add(self, new: Sequence[Lead]) -> None:
        """Store the choices of new leads."""
        dialect = self._connection.dialect
        chosen = [lead for lead in new if lead.status_chosen_at is not None]
        insert_rows(
            self._connection, choices, [(lead.id.bytes, moment(lead.status_chosen_at, dialect)) for lead in chosen]
        )
        self._known.update((lead.id, lead.status_chosen_at) for lead in new)

    def save(self, lead: Lead) -> None:
        """Store the choice of an existing lead if it has changed."""
        if lead.id not in self._known:
            stored = select(choices.c.chosen_at).where(choices.c.lead_id == lead.id)
            self._known[lead.id] = self._connection.execute(stored).scalar_one_or_none()
        if lead.status_chosen_at != self._known[lead.id]:
            self._connection.execute(delete(choices).where(choices.c.lead_id == lead.id))
            self.add([lead])
