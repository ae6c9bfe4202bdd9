"""What a dry run pretends, in rows that no list of leads ever sees."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, select

from adapters.sql.engine import dump_json
from adapters.sql.leads import SqlLeads
from adapters.sql.statements import in_lists, insert_rows
from adapters.sql.tables import import_rehearsal as rehearsal
from unite_core.imports.ports import Rehearsal
from unite_core.leads.model import Lead, LeadStatus
from unite_core.leads.ports import ContactMatches
from unite_core.phone import Phone


class SqlRehearsal(Rehearsal):
    """Pretended leads in the relational database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, import_id: UUID, leads: Sequence[Lead]) -> None:
        latest = {lead.id: lead for lead in leads}
        for portion in in_lists(list(latest)):
            self._connection.execute(
                delete(rehearsal).where(rehearsal.c.import_id == import_id, rehearsal.c.lead_id.in_(portion))
            )
        rows = [
            (
                import_id.bytes,
                lead.id.bytes,
                lead.phone.key if lead.phone else None,
                lead.email,
                dump_json(_to_json(lead)),
            )
            for lead in latest.values()
        ]
        insert_rows(self._connection, rehearsal, rows)

    def matches(self, import_id: UUID, phone_keys: Collection[str], emails: Collection[str]) -> ContactMatches:
        found = SqlLeads(self._connection).matches(phone_keys, emails)
        stood_in_for = self._pretended(
            import_id, {lead.id for lead in (*found.by_phone.values(), *found.by_email.values())}
        )
        for real in (found.by_phone, found.by_email):
            for key in [key for key, lead in real.items() if lead.id in stood_in_for]:
                del real[key]
        known: dict[UUID, Lead] = {}
        for column, keys, into in (
            (rehearsal.c.phone_key, phone_keys, found.by_phone),
            (rehearsal.c.email_key, emails, found.by_email),
        ):
            for portion in in_lists(sorted(set(keys))):
                statement = select(rehearsal).where(rehearsal.c.import_id == import_id, column.in_(portion))
                for row in self._connection.execute(statement):
                    if row.lead_id not in known:
                        known[row.lead_id] = _to_lead(row.pretended)
                    into[getattr(row, column.name)] = known[row.lead_id]
        return found

    def clear(self, import_id: UUID) -> None:
        self._connection.execute(delete(rehearsal).where(rehearsal.c.import_id == import_id))

    def _pretended(self, import_id: UUID, lead_ids: set[UUID]) -> set[UUID]:
        pretended: set[UUID] = set()
        for portion in in_lists(sorted(lead_ids)):
            statement = select(rehearsal.c.lead_id).where(
                rehearsal.c.import_id == import_id, rehearsal.c.lead_id.in_(portion)
            )
            pretended.update(self._connection.execute(statement).scalars())
        return pretended


def _to_json(lead: Lead) -> dict[str, Any]:
    return {
        "id": str(lead.id),
        "name": lead.name,
        "phone": [lead.phone.number, lead.phone.extension] if lead.phone else None,
        "email": lead.email,
        "status": lead.status.value,
        "source": lead.source,
        "assigned_to": str(lead.assigned_to) if lead.assigned_to else None,
        "created_at": lead.created_at.isoformat(),
        "updated_at": lead.updated_at.isoformat(),
        "created_by": str(lead.created_by) if lead.created_by else None,
        "import_id": str(lead.import_id) if lead.import_id else None,
        "import_row": lead.import_row,
        "version": lead.version,
    }


def _to_lead(stored: dict[str, Any]) -> Lead:
    return Lead(
        id=UUID(stored["id"]),
        name=stored["name"],
        phone=Phone(*stored["phone"]) if stored["phone"] else None,
        email=stored["email"],
        status=LeadStatus(stored["status"]),
        source=stored["source"],
        assigned_to=_id(stored["assigned_to"]),
        created_at=datetime.fromisoformat(stored["created_at"]),
        updated_at=datetime.fromisoformat(stored["updated_at"]),
        created_by=_id(stored["created_by"]),
        import_id=_id(stored["import_id"]),
        import_row=stored["import_row"],
        version=stored["version"],
    )


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None
