"""SQL repository of uses that count against quotas."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, tuple_, update

from adapters.sql.quotas.tables import quota_uses as uses
from adapters.sql.statements import batches, force_index, insert_if_absent
from adapters.sql.types import moment
from unite_core.usage import HOUR, Usage

HOLDS_SUBJECT = UUID(int=0)
"""The id of the row that a unit of work locks before it counts uses of a subject."""


class SqlUsage(Usage):
    """Usage in the relational database, counted in the same transaction as the action itself."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, subject: str, use_id: UUID, *, limit: int, now: datetime) -> datetime | None:
        self._lock(subject, now)
        same_use = uses.c.subject == subject, uses.c.id == use_id
        known = self._connection.execute(select(uses.c.at).where(*same_use)).scalar()
        if known is None or known <= now - HOUR:
            free_at = self._free_at(subject, use_id, limit, now)
            if free_at is not None:
                return free_at
        if known is None:
            self._connection.execute(insert(uses), {"subject": subject, "id": use_id, "at": now})
        else:
            self._connection.execute(update(uses).where(*same_use).values(at=now))
        return None

    def purge(self, *, before: datetime, limit: int) -> int:
        old = select(uses.c.subject, uses.c.id).where(uses.c.at < before).order_by(uses.c.at).limit(limit)
        keys = [(row.subject, row.id) for row in self._connection.execute(old)]
        for portion in batches(keys):
            # A use that was counted again meanwhile stays.
            still_old = tuple_(uses.c.subject, uses.c.id).in_(portion), uses.c.at < before
            self._connection.execute(delete(uses).where(*still_old))
        return len(keys)

    def _lock(self, subject: str, now: datetime) -> None:
        """Lock the uses of the subject until this unit of work ends."""
        # The insert locks the row whether it existed or not. Locking a row that does not exist blocks nobody.
        at = moment(now, self._connection.dialect)
        insert_if_absent(self._connection, uses, [(subject, HOLDS_SUBJECT.bytes, at)])

    def _free_at(self, subject: str, use_id: UUID, limit: int, now: datetime) -> datetime | None:
        """Return when another use will be allowed; None if it is allowed now."""
        limiting_use = (
            force_index(select(uses.c.at), uses, "ix_quota_uses_subject_at")
            .where(uses.c.subject == subject, uses.c.at > now - HOUR, uses.c.id.not_in([HOLDS_SUBJECT, use_id]))
            .order_by(uses.c.at.desc())
            .limit(1)
            .offset(limit - 1)
        )
        at: datetime | None = self._connection.execute(limiting_use).scalar()
        return None if at is None else at + HOUR
