"""Tests of the report of busiest agents and hours, best hours, trend and sources."""

from datetime import date
from typing import Any

from tests.core.reports.scenario import MONDAY, ReportScenario, a_period, moment, values
from unite_core import Actor, CallOutcome
from unite_core.calls.model import CallResult
from unite_core.reports.insights import Insights
from unite_core.reports.model import CallItems, TaskItems
from unite_core.testing.scenario import HOUR


def report(
    scenario: ReportScenario, first: Any = MONDAY, last: Any = None, tz: str = "UTC", actor: Actor | None = None
) -> Insights:
    return scenario.unite.reports.insights(actor or scenario.manager, a_period(first, last, tz))


def busiest_agents(scenario: ReportScenario, **rest: Any) -> list[tuple[str | None, int]]:
    return [(scenario.name_of(busy.agent), busy.calls.value) for busy in report(scenario, **rest).busiest_agents]


def test_the_figures_of_a_period_are_the_sums_of_its_days(scenario: ReportScenario) -> None:
    scenario.go_to("2026-03-05T00:00")
    scenario.call(CallOutcome.CONVERTED, at="2026-03-02T00:00", seconds=50)
    scenario.call(CallOutcome.BUSY, at="2026-03-04T23:59", seconds=10)
    scenario.call(CallOutcome.BUSY, at="2026-03-01T23:59")
    scenario.call(CallOutcome.BUSY, at="2026-03-05T00:00")

    figures = values(report(scenario, "2026-03-02", "2026-03-04").figures)

    assert (figures["total_calls"], figures["conversions"]) == (2, 1)
    assert figures["average_duration_seconds"] == (60, 2)


def test_the_trend_has_every_day_of_the_period(scenario: ReportScenario) -> None:
    scenario.go_to("2026-03-05T00:00")
    scenario.call(CallOutcome.CONVERTED, at="2026-03-02T00:00", seconds=50)
    scenario.calls(2, CallOutcome.BUSY, at="2026-03-04T23:59")

    trend = report(scenario, "2026-03-01", "2026-03-04").trend

    assert [(day.date.day, day.figures.total_calls.value) for day in trend] == [(1, 0), (2, 1), (3, 0), (4, 2)]
    items = trend[1].figures.total_calls.items
    assert isinstance(items, CallItems)
    assert (items.start, items.end) == (moment("2026-03-02"), moment("2026-03-03"))


def test_a_day_that_the_time_zone_skipped_is_in_the_trend_without_calls(scenario: ReportScenario) -> None:
    trend = report(scenario, "2011-12-29", "2011-12-31", "Pacific/Apia").trend

    assert [day.date for day in trend] == [date(2011, 12, 29), date(2011, 12, 30), date(2011, 12, 31)]
    assert values(trend[1].figures)["total_calls"] == 0


def test_the_busiest_agent_is_listed_with_their_number_of_calls(scenario: ReportScenario) -> None:
    scenario.calls(2, agent=scenario.ben)
    scenario.calls(1, agent=scenario.ann)
    for _ in range(3):
        scenario.missed_call(scenario.ann)

    assert busiest_agents(scenario) == [("ben", 2)]
    [ben] = report(scenario).busiest_agents
    items = ben.calls.items
    assert isinstance(items, CallItems)
    assert items.agent_id == scenario.ben.user_id
    assert CallResult.MISSED not in items.results


def test_agents_with_the_same_number_of_calls_are_all_listed_by_name(scenario: ReportScenario) -> None:
    zoe = scenario.add_agent("zoe")
    for agent in (zoe, scenario.ben):
        scenario.calls(2, agent=agent)
    scenario.calls(1, agent=scenario.ann)

    assert busiest_agents(scenario) == [("ben", 2), ("zoe", 2)]


def test_without_calls_there_is_no_busiest_agent(scenario: ReportScenario) -> None:
    scenario.missed_call()
    scenario.cancelled_call()

    result = report(scenario)

    assert (result.busiest_agents, result.busiest_hours, result.busiest_weekdays) == ([], [], [])
    assert result.best_hours_to_connect == []


def test_calls_without_an_agent_make_nobody_the_busiest_agent(scenario: ReportScenario) -> None:
    without_agent = scenario.create_call_task(scenario.create_lead(assigned_to=None), due_at=scenario.now)
    scenario.miss(without_agent)
    scenario.correct(without_agent, CallOutcome.CONNECTED, duration_seconds=10)

    assert report(scenario).figures.completed.value == 1
    assert report(scenario).busiest_agents == []


def test_the_busiest_hours_and_weekdays_are_those_with_the_most_calls(scenario: ReportScenario) -> None:
    scenario.go_to("2026-03-10T00:00")
    scenario.calls(2, at="2026-03-02T10:15")
    scenario.calls(2, at="2026-03-04T17:45")
    scenario.calls(1, at="2026-03-09T10:00")
    scenario.calls(1, at="2026-03-09T17:00")
    scenario.calls(1, at="2026-03-05T12:00")

    result = report(scenario, "2026-03-02", "2026-03-09")

    hours = [(time.weekday, time.hour, time.attempts.value) for time in result.busiest_hours]
    assert hours == [(None, 10, 3), (None, 17, 3)]
    assert [(time.weekday, time.hour, time.attempts.value) for time in result.busiest_weekdays] == [(1, None, 4)]
    hour, weekday = result.busiest_hours[0].attempts.items, result.busiest_weekdays[0].attempts.items
    assert isinstance(hour, CallItems)
    assert isinstance(weekday, CallItems)
    assert (set(hour.hours), set(hour.weekdays)) == ({10}, set())
    assert (set(weekday.hours), set(weekday.weekdays), weekday.tz) == (set(), {1}, "UTC")


def test_hours_and_weekdays_are_those_of_local_clocks(scenario: ReportScenario) -> None:
    scenario.go_to("2026-03-10T00:00")
    scenario.call(at="2026-03-02T18:30")

    result = report(scenario, "2026-03-02", "2026-03-09", "Asia/Kathmandu")

    assert [time.hour for time in result.busiest_hours] == [0]
    assert [time.weekday for time in result.busiest_weekdays] == [2]


def test_an_hour_with_fewer_than_30_attempts_is_not_the_best(scenario: ReportScenario) -> None:
    scenario.go_to("2026-03-03T00:00")
    scenario.calls(29, CallOutcome.CONNECTED, at="2026-03-02T10:00")
    scenario.calls(30, CallOutcome.BUSY, at="2026-03-02T12:00")
    assert report(scenario).best_hours_to_connect == []

    scenario.call(CallOutcome.BUSY, at="2026-03-02T10:15")

    [best] = report(scenario).best_hours_to_connect
    assert (best.hour, best.attempts.value, best.contacts.value) == (10, 30, 29)


def test_all_hours_with_the_highest_contact_rate_are_best(scenario: ReportScenario) -> None:
    scenario.go_to("2026-03-03T00:00")
    scenario.calls(15, CallOutcome.CONNECTED, at="2026-03-02T10:00")
    scenario.calls(15, CallOutcome.BUSY, at="2026-03-02T10:00")
    scenario.calls(20, CallOutcome.CONVERTED, at="2026-03-02T11:00")
    scenario.calls(20, CallOutcome.BUSY, at="2026-03-02T11:00")
    scenario.calls(21, CallOutcome.CONVERTED, at="2026-03-02T12:00")
    scenario.calls(30, CallOutcome.BUSY, at="2026-03-02T12:00")

    best = report(scenario).best_hours_to_connect

    assert [(time.hour, time.contact_rate.value) for time in best] == [(10, 0.5), (11, 0.5)]


def test_conversions_are_counted_by_source_and_unknown_ones_come_last(scenario: ReportScenario) -> None:
    scenario.call(CallOutcome.CONVERTED, source="web")
    scenario.call(CallOutcome.BUSY, source="web")
    scenario.call(CallOutcome.BUSY, source="fair, spring")
    scenario.missed_call(lead=scenario.create_lead(source="only missed"))

    rows = report(scenario).conversion_by_source

    assert [(row.source, values(row)) for row in rows] == [
        ("fair, spring", {"attempts": 1, "conversions": 0, "conversion_rate": (0, 1)}),
        ("web", {"attempts": 2, "conversions": 1, "conversion_rate": (1, 2)}),
    ]
    items = rows[1].attempts.items
    assert isinstance(items, CallItems)
    assert items.source == "web"


def test_missing_and_empty_sources_are_counted_together_as_unknown(scenario: ReportScenario) -> None:
    scenario.call(source="web")
    scenario.write(scenario.now, source=None)
    scenario.write(scenario.now, source="")

    rows = report(scenario).conversion_by_source

    assert [(row.source, row.attempts.value) for row in rows] == [("web", 1), (None, 2)]
    items = rows[1].attempts.items
    assert isinstance(items, CallItems)
    assert items.source is None


def test_calls_that_are_overdue_now_are_counted_whatever_the_period(scenario: ReportScenario) -> None:
    scenario.create_call_task(due_at=scenario.now - HOUR)
    scenario.create_call_task(scenario.create_lead(assigned_to=scenario.ben.user_id), due_at=scenario.now - HOUR)
    scenario.create_call_task(due_at=scenario.now)
    scenario.call()

    result = report(scenario, "2025-01-01", "2025-01-31").overdue_now

    assert result.value == 2
    assert result.items == TaskItems(due_before=scenario.now)
    assert report(scenario, actor=scenario.ben).overdue_now.value == 1


def test_agents_see_their_own_figures(scenario: ReportScenario) -> None:
    scenario.calls(2, CallOutcome.CONVERTED, agent=scenario.ann, source="web")
    scenario.call(CallOutcome.BUSY, agent=scenario.ben, source="fair")

    result = report(scenario, actor=scenario.ben)

    assert result.figures.total_calls.value == 1
    assert busiest_agents(scenario, actor=scenario.ben) == [("ben", 1)]
    assert [(row.source, row.attempts.value) for row in result.conversion_by_source] == [("fair", 1)]
    assert [day.figures.completed.value for day in result.trend] == [1]
    assert [time.attempts.value for time in result.busiest_hours] == [1]
    assert [time.attempts.value for time in result.busiest_weekdays] == [1]
    assert report(scenario, actor=scenario.admin) == report(scenario)
