"""Tests of the report of a day: in total, by agent, by outcome and by hour."""

from datetime import timedelta
from typing import Any

import pytest

from tests.core.reports.scenario import MONDAY, ReportScenario, a_period, nonzero, values
from unite_core import Actor, CallOutcome
from unite_core.calls.model import CallResult
from unite_core.reports.daily import DailyReport
from unite_core.reports.model import CallItems


def report(scenario: ReportScenario, day: Any = MONDAY, tz: str = "UTC", actor: Actor | None = None) -> DailyReport:
    return scenario.unite.reports.daily(actor or scenario.manager, a_period(day, tz=tz))


def busy_day(scenario: ReportScenario) -> None:
    """Ann makes three calls and misses one, Ben makes one and cancels one, and an unassigned one is missed."""
    scenario.call(CallOutcome.CONVERTED, seconds=600)
    scenario.call(CallOutcome.BUSY, seconds=0)
    scenario.call(CallOutcome.WRONG_NUMBER, seconds=60)
    scenario.call(CallOutcome.NOT_INTERESTED, seconds=100, agent=scenario.ben)
    scenario.cancelled_call(scenario.ben)
    without_agent = scenario.create_call_task(scenario.create_lead(assigned_to=None), due_at=scenario.now)
    scenario.missed_call()
    assert scenario.ledger(without_agent)[0].agent_id is None


def test_a_day_has_totals(scenario: ReportScenario) -> None:
    busy_day(scenario)

    result = report(scenario)

    assert values(result.figures) == {
        "total_calls": 6,
        "completed": 4,
        "missed": 2,
        "contacts": 2,
        "conversions": 1,
        "completion_rate": (4, 6),
        "contact_rate": (2, 4),
        "average_duration_seconds": (760, 4),
    }


def test_cancelled_calls_are_not_in_the_totals(scenario: ReportScenario) -> None:
    scenario.cancelled_call()

    result = report(scenario)

    assert result.cancelled.value == 1
    assert set(values(result.figures).values()) == {0, (0, 0)}
    assert result.by_agent == []
    assert nonzero(result.by_outcome) == {}


def test_agents_are_sorted_by_name_and_calls_without_an_agent_come_last(scenario: ReportScenario) -> None:
    zoe, bea, cid = scenario.add_agent("zoe"), scenario.add_agent("Bea"), scenario.add_agent("cid")
    for agent in (zoe, cid, bea, scenario.ben, scenario.ann):
        scenario.call(agent=agent)
    scenario.create_call_task(scenario.create_lead(assigned_to=None), due_at=scenario.now)
    scenario.missed_call()

    rows = report(scenario).by_agent

    assert [scenario.name_of(row.agent) for row in rows] == ["ann", "Bea", "ben", "cid", "zoe", None]
    assert [row.figures.total_calls.value for row in rows] == [2, 1, 1, 1, 1, 1]
    assert rows[-1].agent.id is None
    items = rows[-1].figures.missed.items
    assert isinstance(items, CallItems)
    assert items.agent_id is None
    assert items.results == {CallResult.MISSED}


def test_each_agent_has_separate_figures(scenario: ReportScenario) -> None:
    busy_day(scenario)

    ann, ben, nobody = report(scenario).by_agent

    assert (scenario.name_of(ann.agent), scenario.name_of(ben.agent), scenario.name_of(nobody.agent)) == (
        "ann",
        "ben",
        None,
    )
    assert values(ann.figures) == {
        "total_calls": 4,
        "completed": 3,
        "missed": 1,
        "contacts": 1,
        "conversions": 1,
        "completion_rate": (3, 4),
        "contact_rate": (1, 3),
        "average_duration_seconds": (660, 3),
    }
    assert values(ben.figures)["total_calls"] == 1
    assert values(nobody.figures)["completion_rate"] == (0, 1)


def test_every_outcome_has_its_number_of_calls(scenario: ReportScenario) -> None:
    busy_day(scenario)

    by_outcome = report(scenario).by_outcome

    assert [*by_outcome] == [CallResult(outcome.value) for outcome in CallOutcome]
    assert nonzero(by_outcome) == {"converted": 1, "busy": 1, "wrong_number": 1, "not_interested": 1}


def test_a_call_belongs_to_the_day_on_which_it_began(scenario: ReportScenario) -> None:
    scenario.call(at="2026-03-01T23:59:59")
    scenario.call(at="2026-03-02T00:00:00")

    assert [report(scenario, day).figures.completed.value for day in ("2026-02-28", "2026-03-01", "2026-03-02")] == [
        0,
        1,
        1,
    ]
    assert report(scenario, "2026-03-01", "Asia/Kathmandu").figures.completed.value == 0
    assert report(scenario, "2026-03-02", "Asia/Kathmandu").figures.completed.value == 2
    assert report(scenario, "2026-03-01", "America/New_York").figures.completed.value == 2


@pytest.mark.parametrize("close", [ReportScenario.missed_call, ReportScenario.cancelled_call])
def test_a_missed_call_belongs_to_the_day_on_which_it_was_due(scenario: ReportScenario, close: Any) -> None:
    scenario.go_to("2026-03-02T23:59")

    close(scenario)

    result = report(scenario, "2026-03-02")
    assert result.figures.missed.value + result.cancelled.value == 1
    other = report(scenario, "2026-03-03")
    assert other.figures.missed.value + other.cancelled.value == 0


def test_agents_see_their_own_figures(scenario: ReportScenario) -> None:
    busy_day(scenario)

    result = report(scenario, actor=scenario.ben)

    assert [scenario.name_of(row.agent) for row in result.by_agent] == ["ben"]
    assert result.by_agent[0].figures.total_calls.value == result.figures.total_calls.value == 1
    assert result.cancelled.value == 1
    assert nonzero(result.by_outcome) == {"not_interested": 1}
    assert sum(hour.attempts.value for hour in result.by_hour) == 1


def test_admins_see_the_figures_of_all_agents(scenario: ReportScenario) -> None:
    busy_day(scenario)

    assert report(scenario, actor=scenario.admin) == report(scenario)


def test_every_hour_has_the_calls_that_began_in_it(scenario: ReportScenario) -> None:
    scenario.go_to("2026-03-03T00:00")
    scenario.call(CallOutcome.CONNECTED, at="2026-03-02T09:00")
    scenario.call(CallOutcome.VOICEMAIL, at="2026-03-02T09:59:59")
    scenario.call(CallOutcome.VOICEMAIL, at="2026-03-02T10:00")
    scenario.call(CallOutcome.VOICEMAIL, at="2026-03-02T23:59")

    hours = report(scenario).by_hour

    assert [hour.starts_at.hour for hour in hours] == [*range(24)]
    result = {hour.starts_at.hour: (hour.attempts.value, hour.contacts.value) for hour in hours if hour.attempts.value}
    assert result == {9: (2, 1), 10: (1, 0), 23: (1, 0)}


@pytest.mark.parametrize(
    ("day", "tz", "shown"),
    [
        ("2026-03-08", "America/New_York", [0, 1, *range(3, 24)]),
        ("2026-11-01", "America/New_York", [0, 1, 1, *range(2, 24)]),
        ("2026-04-05", "Australia/Lord_Howe", [0, 1, 1, *range(2, 24)]),
        ("2026-10-04", "Australia/Lord_Howe", [0, 1, 2, *range(3, 24)]),
        ("2018-11-04", "America/Sao_Paulo", [*range(1, 24)]),
        ("2026-03-02", "Asia/Kathmandu", [*range(24)]),
        ("2011-12-30", "Pacific/Apia", []),
    ],
)
def test_a_day_has_the_hours_of_local_clocks(scenario: ReportScenario, day: str, tz: str, shown: list[int]) -> None:
    hours = report(scenario, day, tz).by_hour

    assert [hour.starts_at.hour for hour in hours] == shown
    assert len({hour.starts_at.isoformat() for hour in hours}) == len(hours)


def test_a_repeated_hour_is_listed_twice(scenario: ReportScenario) -> None:
    scenario.go_to("2026-11-02T00:00")
    scenario.call(at="2026-11-01T01:30-04:00")
    scenario.calls(2, at="2026-11-01T01:30-05:00")

    hours = [hour for hour in report(scenario, "2026-11-01", "America/New_York").by_hour if hour.attempts.value]

    assert [(hour.starts_at.isoformat(), hour.attempts.value) for hour in hours] == [
        ("2026-11-01T01:00:00-04:00", 1),
        ("2026-11-01T01:00:00-05:00", 2),
    ]


def test_the_hours_of_a_day_have_no_gap(scenario: ReportScenario) -> None:
    hours = report(scenario, "2026-04-05", "Australia/Lord_Howe").by_hour

    items = [hour.attempts.items for hour in hours]
    ends = [each.end for each in items if isinstance(each, CallItems)]
    starts = [each.start for each in items if isinstance(each, CallItems)]
    assert starts[1:] == ends[:-1]
    assert ends[-1] - starts[0] == timedelta(hours=24.5)


def test_a_correction_replaces_the_corrected_entry(scenario: ReportScenario) -> None:
    task = scenario.call(CallOutcome.BUSY, at="2026-03-02T08:00", seconds=60)

    scenario.correct(task, CallOutcome.CONVERTED, duration_seconds=300)

    result = report(scenario)
    assert nonzero(result.by_outcome) == {"converted": 1}
    assert values(result.figures)["average_duration_seconds"] == (300, 1)


def test_a_missed_call_that_is_corrected_to_a_call_is_no_longer_missed(scenario: ReportScenario) -> None:
    task = scenario.missed_call()

    scenario.correct(task, CallOutcome.CONNECTED, duration_seconds=60)

    assert values(report(scenario).figures)["completion_rate"] == (1, 1)
    assert report(scenario).figures.missed.value == 0


def test_the_daily_summary_has_the_figures_of_the_report(scenario: ReportScenario) -> None:
    busy_day(scenario)
    count_day = scenario.unite.upkeep.create_daily_summaries.figures

    for tz in ("UTC", "Asia/Tokyo"):
        figure = count_day(MONDAY, tz)
        figures = report(scenario, tz=tz).figures
        assert (figure.total_calls, figure.completed, figure.missed) == (
            figures.total_calls.value,
            figures.completed.value,
            figures.missed.value,
        )
        assert (figure.contacts, figure.conversions) == (figures.contacts.value, figures.conversions.value)
    assert count_day(MONDAY, "UTC").total_calls == 6
