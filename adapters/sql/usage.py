"""What counts against quotas, in rows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, tuple_, update

from adapters.sql.quota_tables import quota_uses as uses
from adapters.sql.statements import batches, force_index, insert_if_absent
from adapters.sql.types import moment
from unite_core.usage import HOUR, Usage

HOLDS_SUBJECT = UUID(int=0)
"""The id of the row that a unit of work locks before it counts uses of a subject."""


class SqlUsage(Usage):
    """Uses in the relational database, in the transaction of what they are for."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, subject: str, use_id: UUID, *, limit: int, now: datetime) -> datetime | None:
        self._hold(subject, now)
        this_one = uses.c.subject == subject, uses.c.id == use_id
        known = self._connection.execute(select(uses.c.at).where(*this_one)).scalar()
        if known is None or known <= now - HOUR:
            free_at = self._free_at(subject, use_id, limit, now)
            if free_at is not None:
                return free_at
        if known is None:
            self._connection.execute(insert(uses), {"subject": subject, "id": use_id, "at": now})
        else:
            self._connection.execute(update(uses).where(*this_one).values(at=now))
        return None

    def purge(self, *, before: datetime, limit: int) -> int:
        old = select(uses.c.subject, uses.c.id).where(uses.c.at < before).order_by(uses.c.at).limit(limit)
        keys = [(row.subject, row.id) for row in self._connection.execute(old)]
        for portion in batches(keys):
            # A use that was counted anew meanwhile stays.
            still_old = tuple_(uses.c.subject, uses.c.id).in_(portion), uses.c.at < before
            self._connection.execute(delete(uses).where(*still_old))
        return len(keys)

    def _hold(self, subject: str, now: datetime) -> None:
        """Have others who count uses of the subject wait until this unit of work ends."""
        # The insert locks the row, whether it was there or not; locking one that is not there holds nobody off.
        at = moment(now, self._connection.dialect)
        insert_if_absent(self._connection, uses, [(subject, HOLDS_SUBJECT.bytes, at)])

    def _free_at(self, subject: str, use_id: UUID, limit: int, now: datetime) -> datetime | None:
        """When there is room for another use; None where there is now."""
        latest_that_fills = (
            force_index(select(uses.c.at), uses, "ix_quota_uses_subject_at")
            .where(uses.c.subject == subject, uses.c.at > now - HOUR, uses.c.id.not_in([HOLDS_SUBJECT, use_id]))
            .order_by(uses.c.at.desc())
            .limit(1)
            .offset(limit - 1)
        )
        at: datetime | None = self._connection.execute(latest_that_fills).scalar()
        return None if at is None else at + HOUR
