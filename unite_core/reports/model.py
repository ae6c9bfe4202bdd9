"""What reports are made of: counts that can be opened, rates, and how fresh the whole is."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from unite_core.calls.model import CallResult
from unite_core.days import Period, moment_of
from unite_core.reports.metrics import CountMetric, RateMetric
from unite_core.reports.tally import Rate, Tally, rate_of
from unite_core.unset import UNSET, Unset

MIN_ATTEMPTS = 30
"""With fewer attempts an hour is not called a good one to reach somebody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallItems:
    """Which entries of the call log a count stands for: those that count, of calls from `start` to before `end`.

    `results` are those counted. An agent, source or attempt that is UNSET may be any; None is nobody, no known source,
    and a call that was not made. `hours` (0 to 23) and `weekdays` (1 is Monday) are those on the clocks of `tz`.
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
        """The same with these results; a report does it thousands of times, and `replace` takes three times as long."""
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
    """Which leads a count stands for: those created from `start` to before `end`.

    With `called` only those that were called, with `results` only those one of whose calls had one of them, with
    `within` only those called so many seconds after their creation at the latest.
    """

    start: datetime
    end: datetime
    source: str | Unset = UNSET
    called: bool = False
    results: frozenset[CallResult] = frozenset()
    within: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskItems:
    """Which call tasks a count stands for: the pending ones that were due before that moment."""

    due_before: datetime


Items = CallItems | LeadItems | TaskItems


@dataclass(frozen=True, slots=True)
class Count:
    """A number, and what it has counted."""

    value: int
    items: Items


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMeta:
    """What a report is about, and how fresh it is.

    Every call whose entry was committed until `complete_through` is in it. `restated_at` is when the last entry was
    written that changed one of its days after that day had ended; None where none did.
    """

    period: Period
    generated_at: datetime
    complete_through: datetime
    restated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Calls that are counted together, so that each of their counts can be opened."""

    tally: Tally
    items: CallItems
    _sums: dict[frozenset[CallResult], int] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What was added up before: most rates are made of numbers that are counts as well."""

    def count(self, metric: CountMetric) -> Count:
        """The metric of these calls, with its items."""
        return self._of(metric.results)

    def result(self, result: CallResult) -> Count:
        """How many of them had the result, with its items."""
        return self._of(frozenset({result}))

    def rate(self, metric: RateMetric) -> Rate:
        """The metric of these calls."""
        return rate_of(metric, self.tally.seconds, self._sum)

    def _of(self, results: frozenset[CallResult]) -> Count:
        return Count(self._sum(results), self.items.with_results(results))

    def _sum(self, results: frozenset[CallResult]) -> int:
        number = self._sums.get(results)
        if number is None:
            number = self._sums[results] = self.tally.of(results)
        return number


def calls_of(period: Period) -> CallItems:
    """Every call of the period."""
    return CallItems(start=moment_of(period.start), end=moment_of(period.end), results=frozenset(), tz=period.tz)


@dataclass(frozen=True, slots=True)
class AgentName:
    """An agent, and what they are called; both are None where a call was nobody's."""

    id: UUID | None
    name: str | None
