"""Usage counts in memory."""

from datetime import datetime
from uuid import UUID

from unite_core.testing.in_memory.tables import Tables
from unite_core.usage import HOUR, Usage


class InMemoryUsage(Usage):
    """Counts uses per subject within the last hour."""

    def __init__(self, tables: Tables) -> None:
        self._uses = tables.usage

    def take(self, subject: str, use_id: UUID, *, limit: int, now: datetime) -> datetime | None:
        counted = {use: at for (of, use), at in self._uses.items() if of == subject and at > now - HOUR}
        others = sorted((at for use, at in counted.items() if use != use_id), reverse=True)
        if use_id not in counted and len(others) >= limit:
            return others[limit - 1] + HOUR
        self._uses[subject, use_id] = now
        return None

    def purge(self, *, before: datetime, limit: int) -> int:
        old = [use for use, at in self._uses.items() if at < before][:limit]
        for use in old:
            del self._uses[use]
        return len(old)
