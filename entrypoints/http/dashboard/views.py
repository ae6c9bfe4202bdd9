"""View models of the dashboard's sections, and the protocol that supplies the figures.

A count links to the counted entries: `items_url` is a list of the API (`/v1/call-logs?…`), which the page replaces by a
link to the page of the same list.
"""

from abc import abstractmethod
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from unite_core.identity.model import Actor
from unite_core.reports.tally import Rate


@dataclass(frozen=True, slots=True)
class LinkedCount:
    """A number of entries, and the URL of their list."""

    value: int
    items_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The totals of a day. The average duration is in seconds, None if there was no call."""

    total_calls: LinkedCount
    completed: LinkedCount
    missed: LinkedCount
    contact_rate: Rate
    completion_rate: Rate
    average_duration_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFigures:
    """The day of one agent; `agent_id` is None for calls of no agent."""

    agent_id: UUID | None
    name: str
    total: LinkedCount
    completed: LinkedCount
    missed: LinkedCount
    completion_rate: Rate
    average_duration_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HourFigures:
    """An hour of the local day, which has 23 to 25 hours; `label` is its start, `09:00`."""

    label: str
    calls: LinkedCount
    contacts: LinkedCount


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFigures:
    """The stages of the leads of one source that were created on the day; `source` is None if it is unknown."""

    source: str | None
    leads: LinkedCount
    called: LinkedCount
    contacted: LinkedCount
    converted: LinkedCount


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """All figures of one local day, complete up to the time `complete_through`."""

    totals: Totals
    agents: tuple[AgentFigures, ...]
    hours: tuple[HourFigures, ...]
    sources: tuple[SourceFigures, ...]
    complete_through: datetime


class Figures(Protocol):
    """The source of the figures of a day."""

    @abstractmethod
    def __call__(self, actor: Actor, day: date, tz: str, /) -> DayFigures:
        """Return the figures of the day in the time zone `tz` (IANA), as far as the actor may see them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueTask:
    """A pending call whose due time has passed."""

    lead_name: str | None
    assignee: str | None
    due_at: datetime
    overdue_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """The longest overdue calls, and the URL of the list of all; `more` says whether others are not shown."""

    tasks: tuple[OverdueTask, ...]
    more: bool
    items_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """The progress of an import; `percent` is from 0 to 100, `eta_seconds` is None if it is unknown."""

    id: UUID
    filename: str
    status: str
    ended: bool
    percent: float
    rows: int
    created: int
    rejected: int
    eta_seconds: float | None
    created_at: datetime
    failure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportsView:
    """The latest imports, a sentence that sums them up, and the seconds until the next poll."""

    rows: tuple[ImportRow, ...]
    sentence: str
    next_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A delivery that was refused or not possible in time."""

    id: UUID
    destination: str
    attempts: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetters:
    """The latest dead letters and their number; with `more` there are others that were not counted."""

    count: int
    more: bool
    rows: tuple[DeadLetter, ...]
