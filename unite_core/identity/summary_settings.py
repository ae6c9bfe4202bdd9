"""Daily summary settings of a user: validation of the time of day and the time zone."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from unite_core.checks import Checked
from unite_core.errors import FieldError
from unite_core.text import clean
from unite_core.zones import DEFAULT_ZONE, UNKNOWN_ZONE, local_date, moment_of, zone_names

TIME_PATTERN = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
"""The format of a time of day: 00:00 to 23:59."""

_TIME = re.compile(TIME_PATTERN[1:-1], re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class DailySummary(Checked):
    """A user's settings of the daily summary: sent at the local time `at` in the time zone `tz` (IANA).

    `since` is the local date of the first one.
    """

    at: time
    tz: str
    since: date


def summary_settings(now: datetime, at: time, tz: str) -> DailySummary:
    """Return settings that are made `now`; if today's time has passed already, the first summary is tomorrow's."""
    zone = ZoneInfo(tz)
    today = local_date(now, zone)
    moment = moment_of(today, at, zone)
    passed = moment is not None and moment <= now
    return DailySummary(at=at, tz=tz, since=today + timedelta(days=passed))


def parse_summary_time(text: str, field: str, problems: list[FieldError]) -> time:
    """Parse a time of day, `HH:MM`; add an error if it is invalid."""
    text = clean(text)
    if _TIME.fullmatch(text) is None:
        problems.append(
            FieldError(field=field, code="invalid_time", detail="A time of day is written HH:MM, from 00:00 to 23:59.")
        )
        return time()
    return time.fromisoformat(text)


def parse_summary_zone(text: str, field: str, problems: list[FieldError]) -> str:
    """Return the name of a time zone, spelled exactly; add an error if there is no such zone."""
    name = clean(text)
    if name not in zone_names():
        lowered = name.lower()
        problems.append(
            FieldError(
                field=field,
                code=UNKNOWN_ZONE,
                detail="There is no such time zone; name one of the IANA time zone database, such as Europe/Berlin.",
                suggestion=next((zone for zone in zone_names() if zone.lower() == lowered), None),
            )
        )
        return DEFAULT_ZONE
    return name
