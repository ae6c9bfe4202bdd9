"""Tally of calls: how many had which result, and how long they lasted."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallResult
from unite_core.reports.metrics import CountMetric, RateMetric

_RESULTS = {result.value: result for result in CallResult}


@dataclass(slots=True)
class Tally:
    """Calls by result, and their seconds in total; a result that is missing was not counted.

    `recorded_at` is when the last entry was written that is counted here or was uncounted, None if there is none.
    """

    calls: dict[CallResult, int] = field(default_factory=dict)
    seconds: int = 0
    recorded_at: datetime | None = None

    def add(self, entry: LedgerEntry, *, times: int = 1, recorded_at: datetime | None = None) -> None:
        """Count the call as the entry says, or with `times=-1` uncount it.

        `recorded_at` is when the entry that causes this was written, the entry itself by default.
        """
        self.calls[entry.result] = self.calls.get(entry.result, 0) + times
        self.seconds += times * (entry.duration_seconds or 0)
        self.recorded_at = later_of(self.recorded_at, recorded_at or entry.at)

    def include(self, other: "Tally", *, times: int = 1) -> None:
        """Add the counts of the other tally, or with `times=-1` subtract them."""
        calls = self.calls
        for result, number in other.calls.items():
            calls[result] = calls.get(result, 0) + times * number
        self.seconds += times * other.seconds
        self.recorded_at = later_of(self.recorded_at, other.recorded_at)

    def of(self, results: Collection[CallResult]) -> int:
        """Return the number of calls with one of these results."""
        calls = self.calls
        return sum([calls[result] for result in results if result in calls])

    def count(self, metric: CountMetric) -> int:
        """Return the metric of these calls."""
        return self.of(metric.results)

    def rate(self, metric: RateMetric) -> "Rate":
        """Return the metric of these calls."""
        return rate_of(metric, self.seconds, self.of)

    @property
    def empty(self) -> bool:
        """Whether no call is counted."""
        return not self.seconds and not any(self.calls.values())


@dataclass(frozen=True, slots=True)
class Rate:
    """A numerator over a denominator."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """The quotient; None if the denominator is 0."""
        return self.numerator / self.denominator if self.denominator else None


def rate_of(metric: RateMetric, seconds: int, of: Callable[[frozenset[CallResult]], int]) -> Rate:
    """Return the metric of calls that lasted so many seconds; `of` returns how many of them had one of some results."""
    return Rate(seconds if metric.of_seconds else of(metric.numerator_results), of(metric.denominator_results))


def total(tallies: Iterable[Tally]) -> Tally:
    """Add up the tallies."""
    whole = Tally()
    for tally in tallies:
        whole.include(tally)
    return whole


def later_of(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the later time; None if both are None."""
    if one is None or other is None:
        return one or other
    return max(one, other)


def tally_to_plain(tally: Tally) -> object:
    """Return the tally as values that JSON has."""
    at = None if tally.recorded_at is None else tally.recorded_at.isoformat()
    return [{result.value: number for result, number in tally.calls.items()}, tally.seconds, at]


def tally_from_plain(plain: list[object]) -> Tally:
    """Return the tally that was given to `tally_to_plain`."""
    calls, seconds, at = plain
    if not isinstance(calls, Mapping) or not isinstance(seconds, int):
        raise TypeError("This is no tally.")
    counted = {_RESULTS[result]: int(number) for result, number in calls.items()}
    return Tally(counted, seconds, None if at is None else datetime.fromisoformat(str(at)))
