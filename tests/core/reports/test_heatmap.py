"""Tests of the report of calls and contacts by hour of the week."""

from datetime import timedelta
from typing import Any

import pytest

from tests.core.reports.scenario import MONDAY, ReportScenario, a_period, moment
from unite_core import Actor, CallOutcome
from unite_core.reports.heatmap import Heatmap
from unite_core.reports.model import CallItems


def report(
    scenario: ReportScenario, first: Any = MONDAY, last: Any = None, tz: str = "UTC", actor: Actor | None = None
) -> Heatmap:
    return scenario.unite.reports.heatmap(actor or scenario.manager, a_period(first, last, tz))


def cells(result: Heatmap) -> dict[tuple[int | None, int | None], tuple[int, int]]:
    return {
        (cell.weekday, cell.hour): (cell.attempts.value, cell.contacts.value)
        for cell in result.cells
        if cell.attempts.value
    }


def test_every_hour_of_the_week_has_a_cell_starting_on_monday(scenario: ReportScenario) -> None:
    result = report(scenario)

    assert [(cell.weekday, cell.hour) for cell in result.cells] == [
        (weekday, hour) for weekday in range(1, 8) for hour in range(24)
    ]
    assert {cell.contact_rate.value for cell in result.cells} == {None}
    assert result.best_hours == []


def test_calls_of_several_weeks_are_added_up(scenario: ReportScenario) -> None:
    scenario.go_to("2026-03-16T00:00")
    scenario.call(CallOutcome.CONNECTED, at="2026-03-02T09:00")
    scenario.call(CallOutcome.BUSY, at="2026-03-09T09:59")
    scenario.call(CallOutcome.BUSY, at="2026-03-15T23:45")
    scenario.missed_call()

    result = report(scenario, "2026-03-02", "2026-03-16")

    assert cells(result) == {(1, 9): (2, 1), (7, 23): (1, 0)}
    [monday_at_9] = [cell for cell in result.cells if (cell.weekday, cell.hour) == (1, 9)]
    assert monday_at_9.contact_rate.value == 0.5
    items = monday_at_9.attempts.items
    assert isinstance(items, CallItems)
    assert (set(items.hours), set(items.weekdays)) == ({9}, {1})
    assert (items.start, items.end) == (moment("2026-03-02"), moment("2026-03-17"))


@pytest.mark.parametrize(
    ("tz", "at", "cell"),
    [
        ("America/New_York", "2026-03-08T06:59+00:00", (7, 1)),
        ("America/New_York", "2026-03-08T07:00+00:00", (7, 3)),
        ("America/New_York", "2026-11-01T06:30+00:00", (7, 1)),
        ("Australia/Lord_Howe", "2026-04-04T14:59+00:00", (7, 1)),
        ("Australia/Lord_Howe", "2026-04-04T15:00+00:00", (7, 1)),
        ("Asia/Kathmandu", "2026-03-01T18:15+00:00", (1, 0)),
        ("Pacific/Apia", "2011-12-30T10:00+00:00", (6, 0)),
    ],
)
def test_hours_are_those_of_local_clocks(scenario: ReportScenario, tz: str, at: str, cell: tuple[int, int]) -> None:
    scenario.go_to("2026-12-01T00:00")
    scenario.call(CallOutcome.BUSY, at=at)
    day, one = moment(at).date(), timedelta(days=1)

    result = report(scenario, day - one, day + one, tz)

    assert cells(result) == {cell: (1, 0)}


def test_the_best_hours_have_at_least_30_attempts_and_the_highest_contact_rate(scenario: ReportScenario) -> None:
    scenario.go_to("2026-03-08T00:00")
    scenario.calls(29, CallOutcome.CONNECTED, at="2026-03-02T09:00")
    scenario.calls(10, CallOutcome.CONNECTED, at="2026-03-03T10:00")
    scenario.calls(20, CallOutcome.BUSY, at="2026-03-03T10:00")
    scenario.calls(40, CallOutcome.BUSY, at="2026-03-04T10:00")

    result = report(scenario, "2026-03-02", "2026-03-08")

    assert [(cell.weekday, cell.hour) for cell in result.best_hours] == [(2, 10)]


def test_without_contacts_there_is_no_best_hour(scenario: ReportScenario) -> None:
    scenario.go_to("2026-03-08T00:00")
    scenario.calls(30, CallOutcome.BUSY, at="2026-03-04T10:00")

    assert report(scenario, "2026-03-02", "2026-03-08").best_hours == []


def test_agents_see_their_own_figures(scenario: ReportScenario) -> None:
    scenario.call(agent=scenario.ann)
    scenario.call(agent=scenario.ben, at="2026-03-02T08:00")

    assert cells(report(scenario, actor=scenario.ben)) == {(1, 8): (1, 1)}
    assert cells(report(scenario, actor=scenario.admin)) == {(1, 8): (1, 1), (1, 9): (1, 1)}
