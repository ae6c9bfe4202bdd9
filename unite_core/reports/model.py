"""Values in reports: counts with links to their items, rates, and the freshness of a report."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from unite_core.calls.model import CallResult
from unite_core.periods import Period, moment_of
from unite_core.reports.metrics import CountMetric, RateMetric
from unite_core.reports.tally import Rate, Tally, rate_of
from unite_core.unset import UNSET, Unset

MIN_ATTEMPTS = 30
"""The number of attempts that an hour needs before it can be a best hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallItems:
    """The entries of the call log behind a count: the counted ones of calls from `start` to before `end`.

    Only calls with one of `results` are included. UNSET means any agent, source or attempt; None means nobody, an
    unknown source, or a call that was not made. `hours` (0 to 23) and `weekdays` (1 is Monday) are those on the clocks
    of `tz`.
    """

    start: datetime
    end: datetime
    results: frozenset[CallResult]
    agent_id: UUID | None | Unset = UNSET
    source: str | None | Unset = UNSET
    attempt: int | None | Unset = UNSET
    hours: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    tz: str = "UTC"

    def with_results(self, results: frozenset[CallResult]) -> "CallItems":
        """Return a copy with these results. Reports need thousands, and `replace` takes three times as long."""
        return CallItems(
            start=self.start,
            end=self.end,
            results=results,
            agent_id=self.agent_id,
            source=self.source,
            attempt=self.attempt,
            hours=self.hours,
            weekdays=self.weekdays,
            tz=self.tz,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadItems:
    """The leads behind a count: those created from `start` to before `end`.

    With `called` only those that were called, with `results` only those with a call of one of these results, with
    `within` only those called at most so many seconds after their creation.
    """

    start: datetime
    end: datetime
    source: str | Unset = UNSET
    called: bool = False
    results: frozenset[CallResult] = frozenset()
    within: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskItems:
    """The call tasks behind a count: the pending ones that were due before that time."""

    due_before: datetime


Items = CallItems | LeadItems | TaskItems


@dataclass(frozen=True, slots=True)
class Count:
    """A number, and the items that it counts."""

    value: int
    items: Items


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMeta:
    """The period of a report, and its freshness.

    Every call whose entry was committed until `complete_through` is in it. `restated_at` is when the last entry was
    written that changed one of its days after that day had ended; None if there is none.
    """

    period: Period
    generated_at: datetime
    complete_through: datetime
    restated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Calls that are counted together, with the items behind each of their counts."""

    tally: Tally
    items: CallItems
    _sums: dict[frozenset[CallResult], int] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Sums that were added up before: most rates are made of numbers that are counts as well."""

    def count(self, metric: CountMetric) -> Count:
        """Return the metric of these calls, with its items."""
        return self._of(metric.results)

    def result(self, result: CallResult) -> Count:
        """Return the number of calls with the result, with its items."""
        return self._of(frozenset({result}))

    def rate(self, metric: RateMetric) -> Rate:
        """Return the metric of these calls."""
        return rate_of(metric, self.tally.seconds, self._sum)

    def _of(self, results: frozenset[CallResult]) -> Count:
        return Count(self._sum(results), self.items.with_results(results))

    def _sum(self, results: frozenset[CallResult]) -> int:
        number = self._sums.get(results)
        if number is None:
            number = self._sums[results] = self.tally.of(results)
        return number


def calls_of(period: Period) -> CallItems:
    """Return the items of every call of the period."""
    return CallItems(start=moment_of(period.start), end=moment_of(period.end), results=frozenset(), tz=period.tz)


@dataclass(frozen=True, slots=True)
class AgentName:
    """The id and name of an agent; both are None for calls that belong to nobody."""

    id: UUID | None
    name: str | None
