"""Days and hours of a time zone, as the quarter hours of UTC that they are made of.

Since 1980 every time zone is whole quarter hours ahead of UTC or behind it, so that quarter hours add up to the days of
all of them: days of 23, 24 and 25 hours, and those of zones that are 45 minutes off.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from unite_core.errors import FieldError, Malformed
from unite_core.zones import UNKNOWN_ZONE, zone_names

QUARTER_SECONDS = 900
QUARTERS_PER_HOUR = 4
QUARTERS_PER_DAY = 96
HOURS_PER_WEEK = 168

FIRST_DATE = date(1980, 1, 1)
LAST_DATE = date(2999, 12, 31)
UNKNOWN_ZONE_DETAIL = "Name a time zone as IANA does: Europe/Berlin."

MAX_DAYS = 400
"""How many days a report spans at most."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def quarter_of(moment: datetime) -> int:
    """The number of the quarter hour that the moment is in, counted from 1970; 0 for whatever was before."""
    return max(0, (moment - _EPOCH) // timedelta(seconds=QUARTER_SECONDS))


def moment_of(quarter: int) -> datetime:
    """When the quarter hour begins."""
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
        """The label of one of its quarter hours."""
        return (quarter + self.shift) // self.per % self.modulo


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a time zone: the quarter hours from `first` to before `end`. A day that was skipped has none."""

    date: date
    first: int
    end: int


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, both included, as the time zone `tz` (a name of IANA's) has them."""

    first: date
    last: date
    tz: str

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.tz)

    @cached_property
    def days(self) -> Sequence[Day]:
        """Each of the days."""
        number = (self.last - self.first).days + 1
        dates = [self.first + timedelta(days=many) for many in range(number + 1)]
        starts = [_start_of(each, self.zone) for each in dates]
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
        """Segments whose label is the day: its number from the first, which is 0."""
        return tuple(_joined(self._labelled_days()))

    def by_hour_of_week(self) -> tuple[Segment, ...]:
        """Segments whose label is the hour of the week on the clocks there, from Monday 0:00, which is 0."""
        return hour_segments(self.start, self.end, self.tz)

    def clock_at(self, quarter: int) -> datetime:
        """What the clocks there show when the quarter hour begins."""
        return moment_of(quarter).astimezone(self.zone)

    def _labelled_days(self) -> Iterator[Segment]:
        for number, day in enumerate(self.days):
            # A day of another length than 24 hours stands alone: no division tells its quarter hours from the next.
            per = QUARTERS_PER_DAY if day.end - day.first == QUARTERS_PER_DAY else 2 * QUARTERS_PER_DAY
            yield Segment(day.first, day.end, number * per - day.first, per)


def hour_segments(first: int, end: int, tz: str) -> tuple[Segment, ...]:
    """Segments of these quarter hours, whose label is the hour of the week on the clocks of the time zone.

    Hour 0 is that from 0:00 on Mondays.
    """
    return tuple(_joined(_labelled_hours(first, end, ZoneInfo(tz))))


def _labelled_hours(first: int, end: int, zone: ZoneInfo) -> Iterator[Segment]:
    # 1970 began on a Thursday.
    monday = 3 * QUARTERS_PER_DAY
    for begin in range(first, end, QUARTERS_PER_DAY):
        for from_quarter, to_quarter, ahead in _offsets(begin, min(begin + QUARTERS_PER_DAY, end), zone):
            yield Segment(from_quarter, to_quarter, ahead + monday, QUARTERS_PER_HOUR, HOURS_PER_WEEK)


def _offsets(first: int, end: int, zone: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    """Within these quarter hours, a day at most: from which to which clocks are how many quarter hours ahead of UTC."""
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
    """The days from one date to another (`YYYY-MM-DD`), both included; without any it is the day that it is there.

    One date alone is a day. `names` are what the parameters are called. Raises `Malformed` with what is wrong with each
    parameter.
    """
    problems: list[FieldError] = []
    if tz not in zone_names():
        problems.append(FieldError(field="tz", code=UNKNOWN_ZONE, detail=UNKNOWN_ZONE_DETAIL))
    dates = [_read_date(name, value, problems) for name, value in zip(names, (first, last), strict=True)]
    # Where both are one parameter it was complained of twice.
    problems = list(dict.fromkeys(problems))
    if problems:
        raise Malformed("The report cannot be made for that.", problems=problems)
    now = today.astimezone(ZoneInfo(tz)).date()
    begin, end = dates[0] or dates[1] or now, dates[1] or dates[0] or now
    if begin > end:
        detail = f"{names[0]} has to be the same day as {names[1]} or an earlier one."
        problems.append(FieldError(field=names[0], code="after_end", detail=detail))
    elif (end - begin).days >= MAX_DAYS:
        detail = f"A report spans at most {MAX_DAYS} days."
        problems.append(FieldError(field=names[1], code="span_too_long", detail=detail))
    if problems:
        raise Malformed("The report cannot be made for that.", problems=problems)
    return Period(begin, end, tz)


def parse_date(text: str) -> date | None:
    """The date that is written `YYYY-MM-DD`; None where it is none."""
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _read_date(name: str, text: str | None, problems: list[FieldError]) -> date | None:
    if text is None:
        return None
    read = parse_date(text)
    if read is None:
        problems.append(FieldError(field=name, code="invalid_date", detail="Give a date as YYYY-MM-DD: 2026-01-31."))
    elif not FIRST_DATE <= read <= LAST_DATE:
        detail = f"Reports know the days from {FIRST_DATE} to {LAST_DATE}."
        problems.append(FieldError(field=name, code="out_of_range", detail=detail))
        return None
    return read


def _start_of(day: date, zone: ZoneInfo) -> int:
    """The first quarter hour of the day: midnight, the earlier one of two; where there is none, the end of the gap."""
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
    """The segments, those in one that follow each other and have the same rule."""
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
