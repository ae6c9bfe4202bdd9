"""What a dry run pretends, in rows that no list of leads ever sees."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Connection, delete, select

from adapters.sql.engine import dump_json
from adapters.sql.leads import SqlLeads
from adapters.sql.statements import batches, insert_rows
from adapters.sql.tables import import_rehearsal as rehearsal
from unite_core.imports.ports import DryRunLeads
from unite_core.leads.model import Lead
from unite_core.leads.plain import from_plain, to_plain
from unite_core.leads.ports import ContactMatches

DELETE_BATCH_SIZE = 5000


class SqlDryRunLeads(DryRunLeads):
    """Pretended leads in the relational database."""

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
        found = SqlLeads(self._connection, set()).matches(phone_keys, emails)
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
            for portion in batches(sorted(set(keys))):
                statement = select(rehearsal).where(rehearsal.c.import_id == import_id, column.in_(portion))
                for row in self._connection.execute(statement):
                    if row.lead_id not in known:
                        known[row.lead_id] = from_plain(row.pretended)
                    into[getattr(row, column.name)] = known[row.lead_id]
        return found

    def clear(self, import_id: UUID) -> None:
        # In portions: for one statement about millions of rows no server is waited for long enough.
        mine = rehearsal.c.import_id == import_id
        ids = select(rehearsal.c.lead_id).where(mine).order_by(rehearsal.c.lead_id).offset(DELETE_BATCH_SIZE).limit(1)
        while (first_kept := self._connection.execute(ids).scalar_one_or_none()) is not None:
            self._connection.execute(delete(rehearsal).where(mine, rehearsal.c.lead_id < first_kept))
        self._connection.execute(delete(rehearsal).where(mine))

    def _pretended(self, import_id: UUID, lead_ids: set[UUID]) -> set[UUID]:
        pretended: set[UUID] = set()
        for portion in batches(sorted(lead_ids)):
            statement = select(rehearsal.c.lead_id).where(
                rehearsal.c.import_id == import_id, rehearsal.c.lead_id.in_(portion)
            )
            pretended.update(self._connection.execute(statement).scalars())
        return pretended
