"""What the daily summary needs from outside."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from unite_core.identity.ports import IdentityUnitOfWork
from unite_core.summaries.model import DayFigure, SummaryTime

DayFigures = Callable[[date, str], DayFigure]
"""The figures of a local date in the time zone of that name, over the calls of all agents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedSummary:
    """The summary of one user and one local date was made at the moment `at`; `event_id` is the event that says so."""

    user_id: UUID
    day: date
    event_id: UUID
    at: datetime


class DailySummaries(Protocol):
    """Who asked for a daily summary, and which ones were made."""

    @abstractmethod
    def times(self) -> Sequence[SummaryTime]:
        """The different times that active users asked for whose role may get a summary, in no particular order."""

    @abstractmethod
    def waiting(self, time: SummaryTime, day: date, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        """Up to `limit` users who are to get the summary of that day at that time and have none yet.

        They are active, have a role that may get it, asked for that time, and their first summary is that day's or an
        earlier one. They come in the order of their ids, those after the given one.
        """

    @abstractmethod
    def add(self, made: CreatedSummary) -> bool:
        """Record that a summary was made; False, and nothing happens, where one was made of that user and day before.

        Of several units of work that add the same one at the same time, one adds it.
        """


class SummariesUnitOfWork(IdentityUnitOfWork, Protocol):
    """A unit of work that reaches daily summaries and users."""

    summaries: DailySummaries
