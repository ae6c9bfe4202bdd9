"""SQL repository of consents to text messages."""

from uuid import UUID

from sqlalchemy import Connection, select

from adapters.sql.events.tables import consents
from adapters.sql.statements import force_index, insert_if_absent
from adapters.sql.types import moment
from unite_core.notifications.ports import Consent, Consents


class SqlConsents(Consents):
    """Consents in the relational database; the key is the source of the consent."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, consent: Consent) -> bool:
        if self._id_of(consent.source) is not None:
            return False
        at = moment(consent.at, self._connection.dialect)
        row = (consent.source, consent.id.bytes, consent.phone, consent.opted_out, at)
        insert_if_absent(self._connection, consents, [row])
        return self._id_of(consent.source) == consent.id

    def opted_out(self, phone: str) -> bool:
        latest = (
            force_index(select(consents.c.opted_out), consents, "ix_consents_phone")
            .where(consents.c.phone == phone)
            .order_by(consents.c.at.desc(), consents.c.id.desc())
            .limit(1)
        )
        return bool(self._connection.execute(latest).scalar())

    def _id_of(self, source: str) -> UUID | None:
        """Return the id of the consent from this source."""
        consent_id: UUID | None = self._connection.execute(
            select(consents.c.id).where(consents.c.source == source)
        ).scalar_one_or_none()
        return consent_id
