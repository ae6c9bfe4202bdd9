"""Day and time zone of a dashboard page: from the query, from a cookie, or today in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Response
from marshmallow import ValidationError, fields

from entrypoints.http.dashboard.session import cookie_value, set_cookie
from entrypoints.http.framework.context import unite
from entrypoints.http.framework.fields import FieldErrorMessage, Query
from unite_core.periods import FIRST_DATE, LAST_DATE, parse_date
from unite_core.zones import DEFAULT_ZONE, UNKNOWN_ZONE, zone_names

ZONE = "unite_time_zone"
"""The cookie with the last chosen time zone."""

_ZONE_MAX_AGE_SECONDS = 365 * 24 * 60 * 60


class DateField(fields.Field[Any]):
    """A date, `2026-01-31`; None if the form has an empty one."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> date | None:
        if not value:
            return None
        day = parse_date(value)
        if day is None or not FIRST_DATE <= day <= LAST_DATE:
            detail = f"A date from {FIRST_DATE} to {LAST_DATE} is expected here, written 2026-01-31."
            raise ValidationError([FieldErrorMessage("invalid_date", detail)])
        return day


class Zone(fields.Field[Any]):
    """The IANA name of a time zone, in its exact spelling; None if the form has an empty one."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        if value and value not in zone_names():
            detail = "The name of a time zone is expected here, such as Europe/Berlin."
            raise ValidationError([FieldErrorMessage(UNKNOWN_ZONE, detail)])
        return value or None


class DayQuery(Query):
    """The query of a page about one day."""

    date = DateField()
    tz = Zone()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenDay:
    """A local day, and the time zones to choose from."""

    day: date
    today: date
    tz: str
    is_zone_chosen: bool
    """Whether the user chose the zone, now or earlier; otherwise it is the default."""

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone."""
        return ZoneInfo(self.tz)

    @property
    def now(self) -> str | None:
        """Return the query for today; None if the page shows today."""
        return None if self.day == self.today else urlencode({"tz": self.tz})

    @property
    def before(self) -> str | None:
        """Return the query for the previous day; None if there is none."""
        return self._query(self.day - timedelta(days=1)) if self.day > FIRST_DATE else None

    @property
    def after(self) -> str | None:
        """Return the query for the next day; None if there is none."""
        return self._query(self.day + timedelta(days=1)) if self.day < LAST_DATE else None

    @property
    def zones(self) -> tuple[str, ...]:
        """Return the names to choose from, including the chosen one."""
        common = common_zones()
        return common if self.tz in common else (self.tz, *common)

    def _query(self, day: date) -> str:
        return urlencode({"date": day.isoformat(), "tz": self.tz})


def chosen_day(query: Mapping[str, Any]) -> ChosenDay:
    """Return the day of the query, or today."""
    tz = query.get("tz") or zone_or_default()
    today = unite().clock.now().astimezone(ZoneInfo(tz)).date()
    is_zone_chosen = bool(query.get("tz")) or zone_from_cookie() is not None
    return ChosenDay(day=query.get("date") or today, today=today, tz=tz, is_zone_chosen=is_zone_chosen)


def zone_or_default() -> str:
    """Return the last chosen time zone of this browser, or UTC."""
    return zone_from_cookie() or DEFAULT_ZONE


def zone_from_cookie() -> str | None:
    """Return the last chosen time zone of this browser, or None."""
    zone = cookie_value(ZONE)
    return zone if zone in zone_names() else None


def set_zone_cookie(response: Response, query: Mapping[str, Any]) -> Response:
    """Set the cookie with the zone of the query, if there is one."""
    if query.get("tz"):
        set_cookie(response, ZONE, query["tz"], max_age=_ZONE_MAX_AGE_SECONDS)
    return response


@cache
def common_zones() -> tuple[str, ...]:
    """Return the zones to choose from: UTC, then one for each place."""
    places = (name for name in zone_names() if "/" in name and not name.startswith(("Etc/", "SystemV/", "US/")))
    return (DEFAULT_ZONE, *sorted(places))
