"""Time zones: the days and times of day that people in a zone see on their clocks.

The rules come from the IANA time zone database: that of the system, or else the package tzdata.
"""

from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

DEFAULT_ZONE = "UTC"
UNKNOWN_ZONE = "unknown_time_zone"
"""The code of the error where there is no zone of a name."""

MAX_ZONE_LENGTH = 64
"""Characters of a zone's name; the longest one has 32."""

MINUTES_OF_DAY = 24 * 60

_NO_ZONES = frozenset({"localtime", "Factory"})
"""Names that mean another zone on each machine, or that the time is not set."""


@cache
def zone_names() -> frozenset[str]:
    """The names of all zones, in the one spelling that is valid."""
    return frozenset(available_timezones() - _NO_ZONES)


def local_date(moment: datetime, zone: ZoneInfo) -> date:
    """The date in the zone at that moment."""
    return moment.astimezone(zone).date()


def moment_of(day: date, at: time, zone: ZoneInfo) -> datetime | None:
    """The first moment of the day at which clocks in the zone show `at` (hours and minutes), in UTC.

    Where clocks go forward over `at`, it is the first moment after the gap. If the gap lasts until the day ends, it is
    the last minute before the gap. Where clocks show `at` twice, it is the first time. None where the zone leaves out
    the whole day, as Samoa left out 30 December 2011.
    """
    asked = at.hour * 60 + at.minute
    for minute in (*range(asked, MINUTES_OF_DAY), *reversed(range(asked))):
        moment = _moment_at(datetime.combine(day, time(*divmod(minute, 60))), zone)
        if moment is not None:
            return moment
    return None


def _moment_at(local: datetime, zone: ZoneInfo) -> datetime | None:
    """The first moment at which clocks show that date and time; None where they never do."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local else None
