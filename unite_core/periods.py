"""Days and hours of a time zone, as ranges of quarter hours in UTC.

Since 1980 the offset of every time zone from UTC is a whole number of quarter hours, so that quarter hours add up to
the days of all of them: days of 23, 24 and 25 hours, and those of zones that are 45 minutes off.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Annotated
from zoneinfo import ZoneInfo

from unite_core.checks import Input, between
from unite_core.errors import FieldError, Malformed
from unite_core.zones import UNKNOWN_ZONE, ZoneName, zone_names

QUARTER_SECONDS = 900
QUARTERS_PER_HOUR = 4
QUARTERS_PER_DAY = 96
HOURS_PER_WEEK = 168

FIRST_DATE = date(1980, 1, 1)
LAST_DATE = date(2999, 12, 31)
UNKNOWN_ZONE_DETAIL = "Name a time zone as IANA does: Europe/Berlin."

MAX_DAYS = 400
"""The maximum number of days in a report."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def quarter_of(moment: datetime) -> int:
    """Return the number of the quarter hour that contains the moment, counted from 1970; 0 for earlier moments."""
    return max(0, (moment - _EPOCH) // timedelta(seconds=QUARTER_SECONDS))


def moment_of(quarter: int) -> datetime:
    """Return the moment at which the quarter hour begins."""
    return _EPOCH + timedelta(seconds=quarter * QUARTER_SECONDS)


@dataclass(frozen=True, slots=True)
class Segment:
    """The quarter hours from `first` to before `end`; the label of each is `(quarter + shift) // per % modulo`."""

    first: int
    end: int
    shift: int
    per: int
    modulo: int = 2**40

    def label(self, quarter: int) -> int:
        """Return the label of one of its quarter hours."""
        return (quarter + self.shift) // self.per % self.modulo


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a time zone: the quarter hours from `first` to before `end`. A day that was skipped has none."""

    date: date
    first: int
    end: int


@dataclass(frozen=True)
class Period(Input):
    """The days from `first` to `last`, both included, as the time zone `tz` (a name of IANA's) has them."""

    first: Annotated[date, between(FIRST_DATE, LAST_DATE)]
    last: Annotated[date, between(FIRST_DATE, LAST_DATE)]
    tz: ZoneName

    def broken_rules(self) -> Iterable[FieldError]:
        """Return the error of a period that is empty or too long."""
        return span_errors(self.first, self.last, ("first", "last"))

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.tz)

    @cached_property
    def days(self) -> Sequence[Day]:
        """The days, in order."""
        number = (self.last - self.first).days + 1
        dates = [self.first + timedelta(days=many) for many in range(number + 1)]
        starts = [_start_of(day, self.zone) for day in dates]
        return [Day(*day) for day in zip(dates, starts, starts[1:], strict=False)]

    @property
    def start(self) -> int:
        """The first quarter hour of the period."""
        return self.days[0].first

    @property
    def end(self) -> int:
        """The first quarter hour after the period."""
        return self.days[-1].end

    def by_day(self) -> tuple[Segment, ...]:
        """Return segments whose label is the number of the day, counted from 0."""
        return tuple(_joined(self._labelled_days()))

    def by_hour_of_week(self) -> tuple[Segment, ...]:
        """Return segments whose label is the hour of the week on local clocks; 0 is Monday 0:00."""
        return hour_segments(self.start, self.end, self.tz)

    def clock_at(self, quarter: int) -> datetime:
        """Return what local clocks show when the quarter hour begins."""
        return moment_of(quarter).astimezone(self.zone)

    def _labelled_days(self) -> Iterator[Segment]:
        for number, day in enumerate(self.days):
            # A day that is not 24 hours long is a segment of its own: no division ends it at the right quarter hour.
            per = QUARTERS_PER_DAY if day.end - day.first == QUARTERS_PER_DAY else 2 * QUARTERS_PER_DAY
            yield Segment(day.first, day.end, number * per - day.first, per)


def hour_segments(first: int, end: int, tz: str) -> tuple[Segment, ...]:
    """Return segments of these quarter hours, whose label is the hour of the week on local clocks.

    Hour 0 is the one from 0:00 on Mondays.
    """
    return tuple(_joined(_labelled_hours(first, end, ZoneInfo(tz))))


def _labelled_hours(first: int, end: int, zone: ZoneInfo) -> Iterator[Segment]:
    # 1970 began on a Thursday.
    monday = 3 * QUARTERS_PER_DAY
    for begin in range(first, end, QUARTERS_PER_DAY):
        for from_quarter, to_quarter, ahead in _offsets(begin, min(begin + QUARTERS_PER_DAY, end), zone):
            yield Segment(from_quarter, to_quarter, ahead + monday, QUARTERS_PER_HOUR, HOURS_PER_WEEK)


def _offsets(first: int, end: int, zone: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    """Yield `(first, end, offset)` for these quarter hours, a day at most; the offset from UTC is in quarter hours."""
    ahead = _ahead(first, zone)
    if _ahead(end - 1, zone) == ahead:
        yield first, end, ahead
        return
    low, high = first, end - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _ahead(middle, zone) == ahead else (low, middle)
    yield first, high, ahead
    yield high, end, _ahead(high, zone)


def _ahead(quarter: int, zone: ZoneInfo) -> int:
    offset = moment_of(quarter).astimezone(zone).utcoffset() or timedelta()
    return offset // timedelta(seconds=QUARTER_SECONDS)


def parse_period(first: str | None, last: str | None, tz: str, *, names: tuple[str, str], today: datetime) -> Period:
    """Parse a period of days from two dates (`YYYY-MM-DD`), both included.

    Without dates it is today in the time zone; one date alone is that day. `names` are the names of the two parameters.
    Raise `Malformed` with the errors of each parameter.
    """
    problems: list[FieldError] = []
    if tz not in zone_names():
        problems.append(FieldError(field="tz", code=UNKNOWN_ZONE, detail=UNKNOWN_ZONE_DETAIL))
    dates = [_read_date(name, value, problems) for name, value in zip(names, (first, last), strict=True)]
    # If one parameter gives both dates, its error is there twice.
    problems = list(dict.fromkeys(problems))
    if problems:
        raise Malformed("The report cannot be made for that.", problems=problems)
    today_there = today.astimezone(ZoneInfo(tz)).date()
    begin, end = dates[0] or dates[1] or today_there, dates[1] or dates[0] or today_there
    problems += span_errors(begin, end, names)
    if problems:
        raise Malformed("The report cannot be made for that.", problems=problems)
    return Period(begin, end, tz)


def span_errors(first: date, last: date, names: tuple[str, str]) -> Iterator[FieldError]:
    """Yield the error of a period that ends before it begins, or is too long; `names` are those of the two dates."""
    if first > last:
        detail = f"{names[0]} has to be the same day as {names[1]} or an earlier one."
        yield FieldError(field=names[0], code="after_end", detail=detail)
    elif (last - first).days >= MAX_DAYS:
        yield FieldError(field=names[1], code="span_too_long", detail=f"A report spans at most {MAX_DAYS} days.")


def parse_date(text: str) -> date | None:
    """Parse a date written as `YYYY-MM-DD`; return None if it is invalid."""
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _read_date(name: str, text: str | None, problems: list[FieldError]) -> date | None:
    if text is None:
        return None
    parsed = parse_date(text)
    if parsed is None:
        problems.append(FieldError(field=name, code="invalid_date", detail="Give a date as YYYY-MM-DD: 2026-01-31."))
    elif not FIRST_DATE <= parsed <= LAST_DATE:
        detail = f"Reports know the days from {FIRST_DATE} to {LAST_DATE}."
        problems.append(FieldError(field=name, code="out_of_range", detail=detail))
        return None
    return parsed


def _start_of(day: date, zone: ZoneInfo) -> int:
    """Return the first quarter hour of the day: midnight (the earlier of two), or the end of the gap."""
    midnight = datetime.combine(day, time(), zone)
    at = midnight.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return quarter_of(at)
    low, high = quarter_of(midnight.replace(fold=1).astimezone(UTC)), quarter_of(at)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if moment_of(middle).astimezone(zone).date() >= day else (middle, high)
    return high


def _joined(segments: Iterator[Segment]) -> Iterator[Segment]:
    """Merge segments that follow each other and have the same rule."""
    last: Segment | None = None
    for segment in segments:
        if last is not None and (last.end, last.shift, last.per) == (segment.first, segment.shift, segment.per):
            last = Segment(last.first, segment.end, last.shift, last.per, last.modulo)
        elif segment.first < segment.end:
            if last is not None:
                yield last
            last = segment
    if last is not None:
        yield last
