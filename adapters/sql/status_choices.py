"""When the status of a lead was last chosen by hand, in rows of its own."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, select

from adapters.sql.statements import in_lists, insert_rows
from adapters.sql.tables import lead_status_choices as choices
from adapters.sql.types import moment
from unite_core.leads.model import Lead


class StatusChoices:
    """What one unit of work knows of them; it asks for each lead once, and writes what has changed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[UUID, datetime | None] = {}

    def of(self, lead_ids: Collection[UUID]) -> Mapping[UUID, datetime | None]:
        """When the status of each of these leads was chosen, as it is stored now."""
        for portion in in_lists(list(lead_ids)):
            self._known.update(dict.fromkeys(portion))
            stored = self._connection.execute(select(choices).where(choices.c.lead_id.in_(portion)))
            self._known.update((row.lead_id, row.chosen_at) for row in stored)
        return self._known

    def add(self, leads: Sequence[Lead]) -> None:
        """Store them for leads that are new."""
        dialect = self._connection.dialect
        chosen = [lead for lead in leads if lead.status_chosen_at is not None]
        insert_rows(
            self._connection, choices, [(lead.id.bytes, moment(lead.status_chosen_at, dialect)) for lead in chosen]
        )
        self._known.update((lead.id, lead.status_chosen_at) for lead in leads)

    def save(self, lead: Lead) -> None:
        """Store it for a lead that is there already."""
        if lead.id not in self._known:
            self.of([lead.id])
        if lead.status_chosen_at != self._known[lead.id]:
            self._connection.execute(delete(choices).where(choices.c.lead_id == lead.id))
            self.add([lead])
