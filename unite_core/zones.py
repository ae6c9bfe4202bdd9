"""Time zones: names, local dates, and the moments of local times of day.

The rules come from the IANA time zone database: that of the system, or else the package tzdata.
"""

from datetime import UTC, date, datetime, time
from functools import cache
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from unite_core.errors import FieldError

DEFAULT_ZONE = "UTC"
UNKNOWN_ZONE = "unknown_time_zone"
"""The error code for a name that no zone has."""

MAX_ZONE_LENGTH = 64
"""Characters of a zone's name; the longest existing one has 32."""

MINUTES_OF_DAY = 24 * 60

_NO_ZONES = frozenset({"localtime", "Factory"})
"""Names that mean a different zone on each machine, or that no zone is configured."""


@cache
def zone_names() -> frozenset[str]:
    """Return the names of all zones, in the one spelling that is valid."""
    return frozenset(available_timezones() - _NO_ZONES)


def zone_error(field: str, name: str) -> FieldError | None:
    """Return the error of a name that no time zone has."""
    if name in zone_names():
        return None
    return FieldError(field=field, code=UNKNOWN_ZONE, detail="Name a time zone as IANA does: Europe/Berlin.")


ZoneName: TypeAlias = Annotated[str, zone_error]
"""The name of a time zone, in its exact spelling."""


def local_date(moment: datetime, zone: ZoneInfo) -> date:
    """Return the date in the zone at that moment."""
    return moment.astimezone(zone).date()


def moment_of(day: date, at: time, zone: ZoneInfo) -> datetime | None:
    """Return the first moment of the day at which clocks in the zone show `at` (hours and minutes), in UTC.

    If clocks skip `at` when they go forward, it is the first moment after the gap. If the gap lasts until the day ends,
    it is the last minute before the gap. If clocks show `at` twice, it is the first time. None if the zone skips the
    whole day, as Samoa skipped 30 December 2011.
    """
    minute_of_day = at.hour * 60 + at.minute
    for minute in (*range(minute_of_day, MINUTES_OF_DAY), *reversed(range(minute_of_day))):
        moment = _moment_at(datetime.combine(day, time(*divmod(minute, 60))), zone)
        if moment is not None:
            return moment
    return None


def _moment_at(local: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the first moment at which clocks show that date and time; None if they never do."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local else None
