"""What the sections of the dashboard show, as plain values, and the interface that figures come by.

A count leads to the entries that it counts: `items_url` is a list of the API (`/v1/call-logs?…`), which the page turns
into a link to the page of the same list.
"""

from abc import abstractmethod
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from unite_core.identity.model import Actor
from unite_core.reports.tally import Rate


@dataclass(frozen=True, slots=True)
class Count:
    """A number of entries, and the list of exactly these."""

    value: int
    items_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The day in a few figures. Durations are in seconds, None where there was no call."""

    total_calls: Count
    completed: Count
    missed: Count
    contact_rate: Rate
    completion_rate: Rate
    average_duration_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFigures:
    """The day of one agent; `agent_id` is None for calls that belong to nobody."""

    agent_id: UUID | None
    name: str
    total: Count
    completed: Count
    missed: Count
    completion_rate: Rate
    average_duration_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HourFigures:
    """An hour of the local day, which has 23 to 25 of them; `label` is its beginning, `09:00`."""

    label: str
    calls: Count
    contacts: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFigures:
    """How far the leads of one source came that were created on the day; `source` is None where it is not known."""

    source: str | None
    leads: Count
    called: Count
    contacted: Count
    converted: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """All figures of one local day, complete up to the moment `complete_through`."""

    totals: Totals
    agents: tuple[AgentFigures, ...]
    hours: tuple[HourFigures, ...]
    sources: tuple[SourceFigures, ...]
    complete_through: datetime


class Figures(Protocol):
    """Works out the figures of a day."""

    @abstractmethod
    def __call__(self, actor: Actor, day: date, tz: str, /) -> DayFigures:
        """The figures of the day in the time zone `tz` (IANA), as far as the actor may see them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueTask:
    """A call that was due and is not made."""

    lead_name: str | None
    assignee: str | None
    due_at: datetime
    overdue_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """The calls that are overdue the longest, and the list of all."""

    tasks: tuple[OverdueTask, ...]
    more: bool
    items_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """How far an import is; `percent` is from 0 to 100, `eta_seconds` None where it is not known."""

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
    """The latest imports, in one sentence and one by one, and in how many seconds to ask again."""

    rows: tuple[ImportRow, ...]
    sentence: str
    next_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that could not be delivered."""

    id: UUID
    destination: str
    attempts: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetters:
    """The latest dead letters, and how many there are; with `more` there are others that were not counted."""

    count: int
    more: bool
    rows: tuple[DeadLetter, ...]
