"""Report of the hours of the week: how many calls were made, and how many reached the lead."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar
from uuid import UUID

from unite_core.checks import UseCase
from unite_core.identity.model import Actor, Permission
from unite_core.periods import HOURS_PER_WEEK, Period
from unite_core.reports import metrics
from unite_core.reports.call_queries import CountCalls, agent_filter, by_day, report_meta
from unite_core.reports.model import MIN_ATTEMPTS, Count, ReportMeta, Scope, calls_of
from unite_core.reports.ports import Timeline, grouped
from unite_core.reports.tally import Rate, Tally

HOURS_PER_DAY = 24
ISO_WEEKDAYS = range(1, HOURS_PER_WEEK // HOURS_PER_DAY + 1)

_CONTACTS_AND_OTHERS = grouped(metrics.CONTACTS.results, metrics.COMPLETED.results - metrics.CONTACTS.results)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTime:
    """The calls made in one hour of the day (0 to 23), on one weekday (1 is Monday) or, if that is None, on all.

    `hour` is None for a whole weekday.
    """

    weekday: int | None
    hour: int | None
    attempts: Count
    contacts: Count
    contact_rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Heatmap:
    """Every hour of the week, from Monday 0:00 on, and the hours with the best contact rate, which may be several.

    There is no best hour if none has had 30 attempts.
    """

    about: ReportMeta
    cells: Sequence[ClockTime]
    best_hours: Sequence[ClockTime]


@dataclass(frozen=True)
class ReportHeatmap(UseCase):
    """Report how many calls were made, and how many reached the lead, in each hour of the week.

    Hours are those on the clocks of the time zone. Hours with fewer than 30 attempts cannot be a best hour. Agents get
    their own figures, admins and managers those of all agents.
    """

    permission: ClassVar[Permission | None] = None
    count: CountCalls

    def __call__(self, actor: Actor, period: Period) -> Heatmap:
        own = agent_filter(actor)
        results = self.count([by_day(period, own), by_hour_of_week(period, own)])
        week = results.timeline(1)
        cells = [
            clock_time(period, week.get(label, Tally()), weekday=label // HOURS_PER_DAY + 1, hour=label % HOURS_PER_DAY)
            for label in range(HOURS_PER_WEEK)
        ]
        days = results.timeline(0)
        return Heatmap(about=report_meta(period, results.taken_at, days), cells=cells, best_hours=best_hours(cells))


def by_hour_of_week(period: Period, agent_id: UUID | None) -> Timeline:
    """Return the question for the calls of each hour of the week, labelled with its number; 0 is Monday 0:00."""
    return Timeline(segments=period.by_hour_of_week(), agent_id=agent_id, groups=_CONTACTS_AND_OTHERS)


def hours_of_day(period: Period, week: Mapping[int, Tally]) -> list[ClockTime]:
    """Return the 24 hours of the day from the answer to `by_hour_of_week`."""
    hours = _added_up(week, lambda label: label % HOURS_PER_DAY)
    return [clock_time(period, hours.get(hour, Tally()), hour=hour) for hour in range(HOURS_PER_DAY)]


def weekdays(period: Period, week: Mapping[int, Tally]) -> list[ClockTime]:
    """Return the seven weekdays from the answer to `by_hour_of_week`."""
    days = _added_up(week, lambda label: label // HOURS_PER_DAY + 1)
    return [clock_time(period, days.get(weekday, Tally()), weekday=weekday) for weekday in ISO_WEEKDAYS]


def _added_up(week: Mapping[int, Tally], key: Callable[[int], int]) -> dict[int, Tally]:
    tallies: dict[int, Tally] = {}
    for label, tally in week.items():
        tallies.setdefault(key(label), Tally()).include(tally)
    return tallies


def clock_time(period: Period, tally: Tally, *, weekday: int | None = None, hour: int | None = None) -> ClockTime:
    """Return the figures of an hour, of a weekday, or of an hour of a weekday."""
    items = replace(
        calls_of(period),
        hours=frozenset() if hour is None else frozenset({hour}),
        weekdays=frozenset() if weekday is None else frozenset({weekday}),
    )
    scope = Scope(tally, items)
    return ClockTime(
        weekday=weekday,
        hour=hour,
        attempts=scope.count(metrics.COMPLETED),
        contacts=scope.count(metrics.CONTACTS),
        contact_rate=scope.rate(metrics.CONTACT_RATE),
    )


def busiest(times: Sequence[ClockTime]) -> list[ClockTime]:
    """Return the times with the most calls, which may be several; none if there were no calls."""
    highest = max((time.attempts.value for time in times), default=0)
    return [time for time in times if highest and time.attempts.value == highest]


def best_hours(times: Sequence[ClockTime]) -> list[ClockTime]:
    """Return the times at which the greatest share of calls reached the lead, of those with enough attempts."""
    enough = [time for time in times if time.attempts.value >= MIN_ATTEMPTS]
    highest = max((_share(time) for time in enough), default=0.0)
    return [time for time in enough if highest and _share(time) == highest]


def _share(time: ClockTime) -> float:
    return time.contact_rate.value or 0.0
