"""Repository of daily summaries in memory."""

from collections.abc import Iterator, Sequence
from datetime import date
from uuid import UUID

from unite_core.identity.model import PERMISSIONS, Permission
from unite_core.identity.summary_settings import DailySummary
from unite_core.summaries.model import SummaryTime
from unite_core.summaries.ports import CreatedSummary, DailySummaries
from unite_core.testing.in_memory.tables import Tables


class InMemoryDailySummaries(DailySummaries):
    """Stores which users get a daily summary, and which summaries were created."""

    def __init__(self, tables: Tables) -> None:
        self._users = tables.users
        self._made = tables.summaries

    def times(self) -> Sequence[SummaryTime]:
        return [*{SummaryTime(at=settings.at, tz=settings.tz) for _, settings in self._settings()}]

    def waiting(self, time: SummaryTime, day: date, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        ids = sorted(
            user_id
            for user_id, settings in self._settings()
            if (settings.at, settings.tz) == (time.at, time.tz)
            and settings.since <= day
            and (user_id, day) not in self._made
            and (after is None or user_id > after)
        )
        return ids[:limit]

    def add(self, made: CreatedSummary) -> bool:
        return self._made.setdefault((made.user_id, made.day), made) == made

    def _settings(self) -> Iterator[tuple[UUID, DailySummary]]:
        for user in self._users.values():
            may = Permission.GET_DAILY_SUMMARY in PERMISSIONS[user.role]
            if user.active and may and user.daily_summary is not None:
                yield user.id, user.daily_summary
