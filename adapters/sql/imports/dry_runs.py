"""SQL repository of the leads that the dry run of an import would create or change, in a table of their own."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Connection, delete, select

from adapters.sql.engine import dump_json
from adapters.sql.imports.tables import import_rehearsal as rehearsal
from adapters.sql.leads.leads import SqlLeads
from adapters.sql.statements import batches, insert_rows
from unite_core.imports.ports import DryRunLeads
from unite_core.leads.details import OPTIONAL_TEXTS
from unite_core.leads.model import Lead
from unite_core.leads.ports import ContactMatches
from unite_core.leads.serialization import from_plain, to_plain

DELETE_BATCH_SIZE = 5000

_UNKNOWN_BEFORE = {field.name: None for field in OPTIONAL_TEXTS}
"""What a row lacks that an older version of Unite put there."""


class SqlDryRunLeads(DryRunLeads):
    """Leads of dry runs in the relational database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, import_id: UUID, leads: Sequence[Lead]) -> None:
        latest = {lead.id: lead for lead in leads}
        for portion in batches(list(latest)):
            self._connection.execute(
                delete(rehearsal).where(rehearsal.c.import_id == import_id, rehearsal.c.lead_id.in_(portion))
            )
        rows = [
            (
                import_id.bytes,
                lead.id.bytes,
                lead.phone.key if lead.phone else None,
                lead.email,
                dump_json(to_plain(lead)),
            )
            for lead in latest.values()
        ]
        insert_rows(self._connection, rehearsal, rows)

    def matches(self, import_id: UUID, phone_keys: Collection[str], emails: Collection[str]) -> ContactMatches:
        matches = SqlLeads(self._connection, set()).matches(phone_keys, emails)
        replaced = self._rehearsed(
            import_id, {lead.id for lead in (*matches.by_phone.values(), *matches.by_email.values())}
        )
        for stored in (matches.by_phone, matches.by_email):
            for key in [key for key, lead in stored.items() if lead.id in replaced]:
                del stored[key]
        leads: dict[UUID, Lead] = {}
        for column, keys, into in (
            (rehearsal.c.phone_key, phone_keys, matches.by_phone),
            (rehearsal.c.email_key, emails, matches.by_email),
        ):
            for portion in batches(sorted(set(keys))):
                statement = select(rehearsal).where(rehearsal.c.import_id == import_id, column.in_(portion))
                for row in self._connection.execute(statement):
                    if row.lead_id not in leads:
                        leads[row.lead_id] = from_plain(_UNKNOWN_BEFORE | row.pretended)
                    into[getattr(row, column.name)] = leads[row.lead_id]
        return matches

    def clear(self, import_id: UUID) -> None:
        # In portions, because one statement for millions of rows takes longer than the timeout.
        of_import = rehearsal.c.import_id == import_id
        ids = select(rehearsal.c.lead_id).where(of_import).order_by(rehearsal.c.lead_id)
        next_start = ids.offset(DELETE_BATCH_SIZE).limit(1)
        while (next_id := self._connection.execute(next_start).scalar_one_or_none()) is not None:
            self._connection.execute(delete(rehearsal).where(of_import, rehearsal.c.lead_id < next_id))
        self._connection.execute(delete(rehearsal).where(of_import))

    def _rehearsed(self, import_id: UUID, lead_ids: set[UUID]) -> set[UUID]:
        rehearsed: set[UUID] = set()
        for portion in batches(sorted(lead_ids)):
            statement = select(rehearsal.c.lead_id).where(
                rehearsal.c.import_id == import_id, rehearsal.c.lead_id.in_(portion)
            )
            rehearsed.update(self._connection.execute(statement).scalars())
        return rehearsed
