"""Tests of the filter of the call log by hours and weekdays on the clocks of a time zone."""

from datetime import UTC, datetime, timedelta

import pytest

from unite_core.calls.ports import ClockFilter, LedgerFilter
from unite_core.paging import PageRequest
from unite_core.periods import moment_of
from unite_core.testing.scenario import Scenario

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def test_missing_hours_or_weekdays_mean_all_of_them() -> None:
    assert ClockFilter(tz="UTC", hours=frozenset({0, 23}), weekdays=frozenset({1, 7})).labels == {0, 23, 144, 167}
    assert ClockFilter(tz="UTC", hours=frozenset({5})).labels == {5, 29, 53, 77, 101, 125, 149}
    assert ClockFilter(tz="UTC", weekdays=frozenset({2})).labels == set(range(24, 48))
    assert ClockFilter(tz="UTC").labels == set(range(168))


def test_the_segments_cover_every_quarter_hour_of_a_period() -> None:
    clock = ClockFilter(tz="Asia/Kathmandu")

    segments = clock.segments(MONDAY, MONDAY + timedelta(minutes=20))

    quarters = {quarter: each.label(quarter) for each in segments for quarter in range(each.first, each.end)}
    assert [moment_of(quarter) for quarter in sorted(quarters)] == [MONDAY, MONDAY + timedelta(minutes=15)]
    assert [quarters[quarter] for quarter in sorted(quarters)] == [5, 6]


@pytest.mark.parametrize(
    ("tz", "hour", "weekday", "listed"),
    [("UTC", 9, 1, 1), ("UTC", 8, 1, 0), ("UTC", 9, 2, 0), ("Asia/Kathmandu", 14, 1, 1), ("Asia/Kathmandu", 9, 1, 0)],
)
def test_calls_are_filtered_by_the_local_time_of_clocks(
    scenario: Scenario, tz: str, hour: int, weekday: int, listed: int
) -> None:
    scenario.complete(scenario.create_call_task(), started_at=MONDAY + timedelta(hours=9), duration_seconds=0)
    scenario.advance(timedelta(days=1))

    filters = LedgerFilter(
        called_from=MONDAY,
        called_to=MONDAY + timedelta(days=1),
        clock=ClockFilter(tz=tz, hours=frozenset({hour}), weekdays=frozenset({weekday})),
    )

    assert len(scenario.unite.calls.list_logs(scenario.manager, filters, PageRequest()).items) == listed
