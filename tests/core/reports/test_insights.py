"""What stands out in a period."""

from datetime import date
from typing import Any

from tests.core.calls.scenario import HOUR
from tests.core.reports.team import MONDAY, Team, a_period, moment, values
from unite_core import Actor, CallOutcome
from unite_core.calls.model import CallResult
from unite_core.reports.insights import Insights
from unite_core.reports.model import CallItems, TaskItems


def report(team: Team, first: Any = MONDAY, last: Any = None, tz: str = "UTC", actor: Actor | None = None) -> Insights:
    return team.unite.reports.insights(actor or team.manager, a_period(first, last, tz))


def busiest_agents(team: Team, **rest: Any) -> list[tuple[str | None, int]]:
    return [(team.name_of(busy.agent), busy.calls.value) for busy in report(team, **rest).busiest_agents]


def test_the_figures_of_a_period_are_those_of_all_its_days(team: Team) -> None:
    team.go_to("2026-03-05T00:00")
    team.call(CallOutcome.CONVERTED, at="2026-03-02T00:00", seconds=50)
    team.call(CallOutcome.BUSY, at="2026-03-04T23:59", seconds=10)
    team.call(CallOutcome.BUSY, at="2026-03-01T23:59")
    team.call(CallOutcome.BUSY, at="2026-03-05T00:00")

    figures = values(report(team, "2026-03-02", "2026-03-04").figures)

    assert (figures["total_calls"], figures["conversions"]) == (2, 1)
    assert figures["average_duration_seconds"] == (60, 2)


def test_the_trend_has_every_day_of_the_period(team: Team) -> None:
    team.go_to("2026-03-05T00:00")
    team.call(CallOutcome.CONVERTED, at="2026-03-02T00:00", seconds=50)
    team.calls(2, CallOutcome.BUSY, at="2026-03-04T23:59")

    trend = report(team, "2026-03-01", "2026-03-04").trend

    assert [(day.date.day, day.figures.total_calls.value) for day in trend] == [(1, 0), (2, 1), (3, 0), (4, 2)]
    items = trend[1].figures.total_calls.items
    assert isinstance(items, CallItems)
    assert (items.start, items.end) == (moment("2026-03-02"), moment("2026-03-03"))


def test_a_skipped_day_is_in_the_trend_without_calls(team: Team) -> None:
    trend = report(team, "2011-12-29", "2011-12-31", "Pacific/Apia").trend

    assert [day.date for day in trend] == [date(2011, 12, 29), date(2011, 12, 30), date(2011, 12, 31)]
    assert values(trend[1].figures)["total_calls"] == 0


def test_the_busiest_agent_is_named_with_the_calls_that_they_made(team: Team) -> None:
    team.calls(2, agent=team.ben)
    team.calls(1, agent=team.ann)
    for _ in range(3):
        team.missed_call(team.ann)

    assert busiest_agents(team) == [("ben", 2)]
    [ben] = report(team).busiest_agents
    items = ben.calls.items
    assert isinstance(items, CallItems)
    assert items.agent_id == team.ben.user_id
    assert CallResult.MISSED not in items.results


def test_agents_who_made_as_many_calls_are_all_named_by_name(team: Team) -> None:
    zoe = team.add_agent("zoe")
    for agent in (zoe, team.ben):
        team.calls(2, agent=agent)
    team.calls(1, agent=team.ann)

    assert busiest_agents(team) == [("ben", 2), ("zoe", 2)]


def test_nobody_is_busiest_where_no_call_was_made(team: Team) -> None:
    team.missed_call()
    team.cancelled_call()

    found = report(team)

    assert (found.busiest_agents, found.busiest_hours, found.busiest_weekdays) == ([], [], [])
    assert found.best_hours_to_connect == []


def test_calls_of_nobody_make_nobody_the_busiest_agent(team: Team) -> None:
    without_agent = team.create(team.lead(assigned_to=None), due_at=team.now)
    team.miss(without_agent)
    team.correct(without_agent, CallOutcome.CONNECTED, duration_seconds=10)

    assert report(team).figures.completed.value == 1
    assert report(team).busiest_agents == []


def test_the_busiest_hours_and_weekdays_are_those_with_the_most_calls(team: Team) -> None:
    team.go_to("2026-03-10T00:00")
    team.calls(2, at="2026-03-02T10:15")
    team.calls(2, at="2026-03-04T17:45")
    team.calls(1, at="2026-03-09T10:00")
    team.calls(1, at="2026-03-09T17:00")
    team.calls(1, at="2026-03-05T12:00")

    found = report(team, "2026-03-02", "2026-03-09")

    hours = [(time.weekday, time.hour, time.attempts.value) for time in found.busiest_hours]
    assert hours == [(None, 10, 3), (None, 17, 3)]
    assert [(time.weekday, time.hour, time.attempts.value) for time in found.busiest_weekdays] == [(1, None, 4)]
    hour, weekday = found.busiest_hours[0].attempts.items, found.busiest_weekdays[0].attempts.items
    assert isinstance(hour, CallItems)
    assert isinstance(weekday, CallItems)
    assert (set(hour.hours), set(hour.weekdays)) == ({10}, set())
    assert (set(weekday.hours), set(weekday.weekdays), weekday.tz) == (set(), {1}, "UTC")


def test_hours_and_weekdays_are_those_on_the_clocks_of_the_time_zone(team: Team) -> None:
    team.go_to("2026-03-10T00:00")
    team.call(at="2026-03-02T18:30")

    found = report(team, "2026-03-02", "2026-03-09", "Asia/Kathmandu")

    assert [time.hour for time in found.busiest_hours] == [0]
    assert [time.weekday for time in found.busiest_weekdays] == [2]


def test_an_hour_with_fewer_than_30_attempts_is_not_the_best(team: Team) -> None:
    team.go_to("2026-03-03T00:00")
    team.calls(29, CallOutcome.CONNECTED, at="2026-03-02T10:00")
    team.calls(30, CallOutcome.BUSY, at="2026-03-02T12:00")
    assert report(team).best_hours_to_connect == []

    team.call(CallOutcome.BUSY, at="2026-03-02T10:15")

    [best] = report(team).best_hours_to_connect
    assert (best.hour, best.attempts.value, best.contacts.value) == (10, 30, 29)


def test_the_best_hours_are_those_with_the_greatest_share_and_all_of_them(team: Team) -> None:
    team.go_to("2026-03-03T00:00")
    team.calls(15, CallOutcome.CONNECTED, at="2026-03-02T10:00")
    team.calls(15, CallOutcome.BUSY, at="2026-03-02T10:00")
    team.calls(20, CallOutcome.CONVERTED, at="2026-03-02T11:00")
    team.calls(20, CallOutcome.BUSY, at="2026-03-02T11:00")
    team.calls(21, CallOutcome.CONVERTED, at="2026-03-02T12:00")
    team.calls(30, CallOutcome.BUSY, at="2026-03-02T12:00")

    best = report(team).best_hours_to_connect

    assert [(time.hour, time.contact_rate.value) for time in best] == [(10, 0.5), (11, 0.5)]


def test_conversions_are_counted_by_source_and_an_unknown_one_comes_last(team: Team) -> None:
    team.call(CallOutcome.CONVERTED, source="web")
    team.call(CallOutcome.BUSY, source="web")
    team.call(CallOutcome.BUSY, source="fair, spring")
    team.missed_call(lead=team.lead(source="only missed"))

    rows = report(team).conversion_by_source

    assert [(row.source, values(row)) for row in rows] == [
        ("fair, spring", {"attempts": 1, "conversions": 0, "conversion_rate": (0, 1)}),
        ("web", {"attempts": 2, "conversions": 1, "conversion_rate": (1, 2)}),
    ]
    items = rows[1].attempts.items
    assert isinstance(items, CallItems)
    assert items.source == "web"


def test_a_source_that_nobody_knows_is_the_last(team: Team) -> None:
    team.call(source="web")
    team.write(team.now, source=None)
    team.write(team.now, source="")

    rows = report(team).conversion_by_source

    assert [(row.source, row.attempts.value) for row in rows] == [("web", 1), (None, 2)]
    items = rows[1].attempts.items
    assert isinstance(items, CallItems)
    assert items.source is None


def test_calls_that_are_overdue_now_are_counted_whatever_the_period(team: Team) -> None:
    team.create(due_at=team.now - HOUR)
    team.create(team.lead(assigned_to=team.ben.user_id), due_at=team.now - HOUR)
    team.create(due_at=team.now)
    team.call()

    found = report(team, "2025-01-01", "2025-01-31").overdue_now

    assert found.value == 2
    assert found.items == TaskItems(due_before=team.now)
    assert report(team, actor=team.ben).overdue_now.value == 1


def test_agents_get_their_own_figures(team: Team) -> None:
    team.calls(2, CallOutcome.CONVERTED, agent=team.ann, source="web")
    team.call(CallOutcome.BUSY, agent=team.ben, source="fair")

    found = report(team, actor=team.ben)

    assert found.figures.total_calls.value == 1
    assert busiest_agents(team, actor=team.ben) == [("ben", 1)]
    assert [(row.source, row.attempts.value) for row in found.conversion_by_source] == [("fair", 1)]
    assert [day.figures.completed.value for day in found.trend] == [1]
    assert [time.attempts.value for time in found.busiest_hours] == [1]
    assert [time.attempts.value for time in found.busiest_weekdays] == [1]
    assert report(team, actor=team.admin) == report(team)
