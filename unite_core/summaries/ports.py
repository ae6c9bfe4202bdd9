"""Port of daily summaries: repository of due and created ones."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from unite_core.identity.ports import IdentityUnitOfWork
from unite_core.summaries.model import DayFigure, SummaryTime

DayFigures = Callable[[date, str], DayFigure]
"""Returns the figures of a local date in the time zone of that name, over the calls of all agents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedSummary:
    """The summary of one user and local date, created at the moment `at`; `event_id` is the id of its event."""

    user_id: UUID
    day: date
    event_id: UUID
    at: datetime


class DailySummaries(Protocol):
    """Stores which users get a daily summary, and which summaries were created."""

    @abstractmethod
    def times(self) -> Sequence[SummaryTime]:
        """Return the distinct times of active users whose role may get a summary, in no particular order."""

    @abstractmethod
    def waiting(self, time: SummaryTime, day: date, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        """Return up to `limit` users who are to get the summary of that day at that time and have none yet.

        They are active, have a role that may get it, chose that time, and their first summary is that day's or an
        earlier one. They are sorted by id, and start after the given one.
        """

    @abstractmethod
    def add(self, made: CreatedSummary) -> bool:
        """Store that a summary was created; return False, and change nothing, if there is one of that user and day.

        Of several units of work that add the same one at the same time, exactly one adds it.
        """


class SummariesUnitOfWork(IdentityUnitOfWork, Protocol):
    """A unit of work with the repositories of daily summaries and users."""

    summaries: DailySummaries
