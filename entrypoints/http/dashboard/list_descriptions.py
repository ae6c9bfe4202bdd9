"""Describe the filters of a list in words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from entrypoints.http.dashboard.formats import day_in_words, moment, weekday, words
from entrypoints.http.dashboard.paths import HOME
from unite_core.calls.ports import MAX_ATTEMPT

SPANS = (("from_", "to"), ("created_from", "created_to"), ("recorded_from", "recorded_to"), ("due_from", "due_to"))
"""Pairs of parameters for the start and the end of a period."""

_SPAN_WORDS = {"from_": "", "created_from": "created ", "recorded_from": "written ", "due_from": "due "}
_NOT_DESCRIBED = ("limit", "cursor")
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class BackLink:
    """The link back to the day of a list, or to the dashboard."""

    href: str
    text: str


@dataclass(frozen=True, slots=True)
class ListDescription:
    """The description of a list's query in a time zone; `names` are the names of users."""

    query: Mapping[str, Any]
    names: Mapping[UUID, str]
    zone: ZoneInfo

    def conditions(self) -> list[str]:
        """Return each filter in words, in the order of the query; periods first."""
        spans = [self._span(start, end) for start, end in SPANS if {start, end} & self.query.keys()]
        in_spans = {name for pair in SPANS for name in pair}
        others = [self._condition(name, value) for name, value in self.query.items() if name not in in_spans]
        return [*spans, *(each for each in others if each)]

    def back(self) -> BackLink:
        """Return the link to the day with which the list begins, or to the dashboard."""
        start = next((self.query[name] for name in ("from_", "created_from") if name in self.query), None)
        if start is None:
            return BackLink(HOME, "Back to the dashboard")
        day = start.astimezone(self.zone).date()
        query = urlencode({"date": day.isoformat(), "tz": self.zone.key})
        return BackLink(f"{HOME}?{query}", f"Back to {day_in_words(day)}")

    def _span(self, start_name: str, end_name: str) -> str:
        start: Any = self.query.get(start_name)
        end: Any = self.query.get(end_name)
        prefix = _SPAN_WORDS[start_name]
        if start is None:
            return f"{prefix}before {moment(end, self.zone)}"
        if end is None:
            return f"{prefix}from {moment(start, self.zone)} on"
        if self._is_a_day(start, end):
            return f"{prefix}on {day_in_words(start.astimezone(self.zone).date())}"
        return f"{prefix}from {moment(start, self.zone)} to {moment(end, self.zone)}"

    def _is_a_day(self, start: datetime, end: datetime) -> bool:
        first, last = start.astimezone(self.zone), end.astimezone(self.zone)
        return first.time() == last.time() == time() and last.date() - first.date() == timedelta(days=1)

    def _condition(self, name: str, value: Any) -> str:
        describe: Callable[[Any], str] | None = _DESCRIPTIONS.get(name)
        if name in _NOT_DESCRIBED:
            return ""
        if name in ("agent", "assigned_to"):
            return f"agent {_either(map(self._user, value if isinstance(value, list) else [value]))}"
        if describe is not None:
            return describe(value)
        return f"{words(name)} {_either(map(str, value if isinstance(value, list) else [value]))}"

    def _user(self, user_id: UUID | None) -> str:
        return "nobody" if user_id is None else self.names.get(user_id, str(user_id))


def _either(values: Any) -> str:
    *others, last = (words(each) for each in values)
    return f"{', '.join(others)} or {last}" if others else last


def _attempt(number: int) -> str:
    return f"{number} or later" if number == MAX_ATTEMPT else str(number)


_DESCRIPTIONS: Mapping[str, Callable[[Any], str]] = {
    "counted": lambda value: "the last entry about each call" if value else "entries that were corrected",
    "source": lambda values: f"source {_either(value or 'unknown' for value in values)}",
    "attempt": lambda values: f"attempt {_either(map(_attempt, values))}",
    "hour": lambda values: f"in the hour from {_either(f'{hour}:00' for hour in values)}",
    "tz": lambda value: f"by the clocks of {value}",
    "weekday": lambda values: f"on {_either(map(weekday, values))}",
    "q": lambda value: f"found by “{value}”",
    "called": lambda value: "called" if value else "never called",
    "call_result": lambda values: f"a call ended with {_either(str(value) for value in values)}",
    "called_within": lambda seconds: f"first called within {seconds / _MINUTE:g} minutes",
}
