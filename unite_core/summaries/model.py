"""The figures of a day, and the local times at which they are sent."""

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from unite_core.checks import Checked
from unite_core.zones import local_date, moment_of, zone_names


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigure(Checked):
    """The calls of one local date: `total_calls` is `completed` plus `missed`.

    `contacts` is the number of completed calls that reached the lead, `conversions` of those that converted it.
    """

    total_calls: int
    completed: int
    missed: int
    contacts: int
    conversions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryTime(Checked):
    """A local time of day (`at`, hours and minutes) in the time zone `tz`, at which users get their summary."""

    at: time
    tz: str

    def due_date(self, now: datetime) -> date | None:
        """Return today's local date if this time has passed today; None if it has not, or the zone is unknown here."""
        if self.tz not in zone_names():
            return None
        zone = ZoneInfo(self.tz)
        today = local_date(now, zone)
        moment = moment_of(today, self.at, zone)
        return today if moment is not None and moment <= now else None
