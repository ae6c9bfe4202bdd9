"""What was used within the last hour, counted so that it can be limited."""

from abc import abstractmethod
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

HOUR = timedelta(hours=1)


class Usage(Protocol):
    """What was used within the last hour, counted per subject in the transaction of what it is used for."""

    @abstractmethod
    def take(self, subject: str, use_id: UUID, *, limit: int, now: datetime) -> datetime | None:
        """Count a use, unless `limit` others of the subject were counted in the hour before `now`.

        Returns None where it is counted, else the moment from which on there is room for another one. A use that was
        counted within that hour already takes no further place: it counts from `now` on instead. Of several units of
        work that count uses of the same subject each waits for the one before, so that they do not exceed the limit.
        """

    @abstractmethod
    def purge(self, *, before: datetime, limit: int) -> int:
        """Delete up to `limit` uses that were counted before the moment `before`; how many there were."""
