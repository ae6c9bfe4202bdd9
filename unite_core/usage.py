"""Port of usage counts: uses per subject within the last hour, for quotas."""

from abc import abstractmethod
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

HOUR = timedelta(hours=1)


class Usage(Protocol):
    """Counts uses per subject within the last hour, in the transaction of the use itself."""

    @abstractmethod
    def take(self, subject: str, use_id: UUID, *, limit: int, now: datetime) -> datetime | None:
        """Count a use, unless `limit` others of the subject were counted in the hour before `now`.

        Return None if it is counted, else the moment from which on another one is possible. A use that was
        counted within that hour already is not counted twice: it counts from `now` on instead. Units of work
        that count uses of the same subject wait for each other, so that they do not exceed the limit.
        """

    @abstractmethod
    def purge(self, *, before: datetime, limit: int) -> int:
        """Delete up to `limit` uses that were counted before the moment `before`; return how many were deleted."""
