"""SQL repository of leads."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from adapters.sql.errors import refusal
from adapters.sql.leads.pages import LeadPages
from adapters.sql.leads.status_choices import StatusChoices, with_choices
from adapters.sql.leads.tables import leads as table
from adapters.sql.leads.words import lead_words_for
from adapters.sql.statements import batches, insert_rows, save_row, with_lock
from adapters.sql.types import moment
from unite_core.errors import NotFound
from unite_core.leads.details import CASED_TEXTS, TEXTS, LeadDetails, LeadStatus, text_values
from unite_core.leads.model import Duplicate, DuplicateLead, Lead
from unite_core.leads.ports import LEAD_LISTS, ContactMatches, LeadFilter, Leads, lead_namespace
from unite_core.paging import Page, PageRequest, Position, page_of
from unite_core.phone import Phone

_LEADS = with_choices(select(table))


class SqlLeads(Leads):
    """The leads in the relational database, which itself refuses a second lead with the same phone or e-mail.

    `changed` collects the cache namespaces that contain changed leads.
    """

    def __init__(self, connection: Connection, changed: set[str]) -> None:
        self._connection = connection
        self._changed = changed
        self._choices = StatusChoices(connection)

    def add(self, lead: Lead) -> None:
        self._changed.update(LEAD_LISTS)
        try:
            insert_rows(self._connection, table, self._to_rows([lead]))
        except IntegrityError as error:
            raise self._refusal(error, [lead]) from None
        self._choices.add([lead])

    def add_many(self, leads: Sequence[Lead]) -> None:
        if not leads:
            return
        self._changed.update(LEAD_LISTS)
        rows = self._to_rows(leads)
        try:
            with lead_words_for(self._connection.dialect).atomic_insert(self._connection):
                insert_rows(self._connection, table, rows)
        except IntegrityError as error:
            raise self._refusal(error, leads) from None
        self._choices.add(leads)

    def get(self, lead_id: UUID) -> Lead:
        statement = _LEADS.where(table.c.id == lead_id, table.c.deleted_at.is_(None))
        row = self._connection.execute(with_lock(statement, self._connection)).first()
        if row is None:
            raise NotFound("There is no such lead.")
        return self._leads([row])[0]

    def find(self, lead_ids: Collection[UUID]) -> dict[UUID, Lead]:
        leads: dict[UUID, Lead] = {}
        for portion in batches(list(lead_ids)):
            statement = _LEADS.where(table.c.id.in_(portion), table.c.deleted_at.is_(None))
            leads.update((lead.id, lead) for lead in self._leads(self._connection.execute(statement).all()))
        return leads

    def save(self, lead: Lead) -> None:
        self._changed.update((*LEAD_LISTS, lead_namespace(lead.id)))
        try:
            save_row(self._connection, table, self._to_rows([lead])[0], "lead")
        except IntegrityError as error:
            raise self._refusal(error, [lead]) from None
        self._choices.save(lead)

    def page(self, filters: LeadFilter, request: PageRequest) -> Page[Lead]:
        leads = self._leads(LeadPages(self._connection).rows(filters, request))
        return page_of(leads, request.limit, lambda lead: Position(lead.created_at, lead.id))

    def matches(self, phone_keys: Collection[str], emails: Collection[str]) -> ContactMatches:
        matches = ContactMatches()
        known: dict[UUID, Lead] = {}
        for column, keys, into in (
            (table.c.phone_key, phone_keys, matches.by_phone),
            (table.c.email_key, emails, matches.by_email),
        ):
            for portion in batches(sorted(set(keys))):
                rows = self._connection.execute(_LEADS.where(column.in_(portion))).all()
                known.update((lead.id, lead) for lead in self._leads([row for row in rows if row.id not in known]))
                into.update((getattr(row, column.name), known[row.id]) for row in rows)
        return matches

    def untouched_of_import(self, import_id: UUID, *, after_row: int, limit: int) -> Sequence[Lead]:
        statement = (
            _LEADS.where(
                table.c.import_id == import_id,
                table.c.import_row > after_row,
                table.c.version == 1,
                table.c.deleted_at.is_(None),
            )
            .order_by(table.c.import_row)
            .limit(limit)
        )
        return self._leads(self._connection.execute(statement).all())

    def _leads(self, rows: Sequence[Row[Any]]) -> list[Lead]:
        self._choices.seen(rows)
        return [_to_lead(row) for row in rows]

    def _to_rows(self, new: Sequence[Lead]) -> list[tuple[Any, ...]]:
        """Return rows for the driver with values in the order of the table's columns; a test compares both orders."""
        dialect = self._connection.dialect
        words = lead_words_for(dialect)
        rows: list[tuple[Any, ...]] = []
        for lead in new:
            details = lead.details
            phone, email = details.phone, details.email
            hidden = lead.deleted_at is not None
            created_at = moment(lead.created_at, dialect)
            rows.append(
                (
                    lead.id.bytes,
                    phone.number if phone else None,
                    phone.extension if phone else None,
                    phone.key if phone and not hidden else None,
                    None if hidden else email,
                    details.status.value,
                    details.assigned_to.bytes if details.assigned_to else None,
                    lead.created_by.bytes if lead.created_by else None,
                    created_at,
                    moment(lead.updated_at, dialect),
                    moment(lead.deleted_at, dialect),
                    None if hidden else created_at,
                    lead.import_id.bytes if lead.import_id else None,
                    lead.import_row,
                    lead.version,
                    "" if hidden else words.stored(lead.search_text),
                    *text_values(details),
                    *[field.key(details) for field in CASED_TEXTS],
                )
            )
        return rows

    def _refusal(self, error: IntegrityError, refused: Sequence[Lead]) -> Exception:
        """Return `DuplicateLead` with every conflicting lead, or the error itself if it has another cause."""
        meaning = refusal(error)
        if not isinstance(meaning, DuplicateLead):
            return meaning or error
        matches = self.matches(
            [lead.phone.key for lead in refused if lead.phone], [lead.email for lead in refused if lead.email]
        )
        duplicates: list[Duplicate] = []
        for lead in refused:
            by_phone = matches.by_phone.get(lead.phone.key) if lead.phone else None
            by_email = matches.by_email.get(lead.email) if lead.email else None
            for field, other in (("phone", by_phone), ("email", by_email)):
                if other is not None and other.id != lead.id:
                    duplicates.append(Duplicate(field, other.id))
        # There is no lead to name if two of the leads to be added conflict with each other.
        return DuplicateLead(tuple(duplicates)) if duplicates else meaning


def _to_lead(row: Row[Any]) -> Lead:
    return Lead(
        id=row.id,
        details=LeadDetails.of(
            {field.name: getattr(row, field.name) for field in TEXTS},
            phone=Phone(row.phone, row.phone_extension) if row.phone else None,
            status=LeadStatus(row.status),
            assigned_to=row.assigned_to,
        ),
        created_at=row.created_at,
        updated_at=row.updated_at,
        created_by=row.created_by,
        import_id=row.import_id,
        import_row=row.import_row,
        deleted_at=row.deleted_at,
        status_chosen_at=row.chosen_at,
        version=row.version,
    )
