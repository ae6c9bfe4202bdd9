"""Tests of the report of first, second and later calls."""

from typing import Any

from tests.core.reports.scenario import MONDAY, ReportScenario, a_period, values
from unite_core import Actor, CallOutcome
from unite_core.cache import MAX_TTL
from unite_core.reports.attempts import AttemptsReport
from unite_core.reports.model import CallItems


def report(scenario: ReportScenario, first: Any = MONDAY, actor: Actor | None = None) -> AttemptsReport:
    return scenario.unite.reports.attempts(actor or scenario.manager, a_period(first))


def attempts(scenario: ReportScenario, **rest: Any) -> list[int]:
    return [row.attempts.value for row in report(scenario, **rest).attempts]


def test_calls_are_counted_by_attempt_and_the_fifth_and_later_ones_together(scenario: ReportScenario) -> None:
    lead, other = scenario.create_lead(), scenario.create_lead()
    for outcome in (
        *[CallOutcome.NO_ANSWER] * 3,
        CallOutcome.CONNECTED,
        *[CallOutcome.BUSY] * 2,
        CallOutcome.CONVERTED,
    ):
        scenario.call(outcome, lead=lead)
    scenario.call(CallOutcome.CONVERTED, lead=other)

    rows = report(scenario).attempts

    assert [row.attempt for row in rows] == [1, 2, 3, 4, 5]
    assert [values(row) for row in rows] == [
        {"attempts": 2, "contacts": 1, "conversions": 1, "contact_rate": (1, 2), "conversion_rate": (1, 2)},
        {"attempts": 1, "contacts": 0, "conversions": 0, "contact_rate": (0, 1), "conversion_rate": (0, 1)},
        {"attempts": 1, "contacts": 0, "conversions": 0, "contact_rate": (0, 1), "conversion_rate": (0, 1)},
        {"attempts": 1, "contacts": 1, "conversions": 0, "contact_rate": (1, 1), "conversion_rate": (0, 1)},
        {"attempts": 3, "contacts": 1, "conversions": 1, "contact_rate": (1, 3), "conversion_rate": (1, 3)},
    ]
    items = rows[4].attempts.items
    assert isinstance(items, CallItems)
    assert items.attempt == 5


def test_missed_calls_have_no_attempt(scenario: ReportScenario) -> None:
    lead = scenario.create_lead()
    scenario.cancel(scenario.create_call_task(lead, due_at=scenario.now))
    scenario.call(lead=lead)
    scenario.missed_call(lead=lead)
    scenario.call(lead=lead, at="2026-03-02T09:30")

    assert attempts(scenario) == [1, 1, 0, 0, 0]


def test_the_attempt_of_a_call_is_that_at_the_time_of_its_entry(scenario: ReportScenario) -> None:
    lead = scenario.create_lead()
    missed = scenario.missed_call(lead=lead)
    first = scenario.call(CallOutcome.BUSY, lead=lead)
    scenario.call(CallOutcome.BUSY, lead=lead, at="2026-03-02T08:00")

    scenario.correct(first, CallOutcome.CONVERTED)
    scenario.correct(missed, CallOutcome.CONNECTED, duration_seconds=5)

    assert [(row.attempts.value, row.conversions.value) for row in report(scenario).attempts[:3]] == [
        (1, 1),
        (1, 0),
        (1, 0),
    ]


def test_calls_before_the_period_count_for_the_attempt_but_not_in_the_report(scenario: ReportScenario) -> None:
    lead = scenario.create_lead()
    scenario.call(lead=lead, at="2026-03-01T23:59")
    scenario.call(lead=lead)

    assert attempts(scenario) == [0, 1, 0, 0, 0]
    assert attempts(scenario, first="2026-03-01") == [1, 0, 0, 0, 0]


def test_agents_see_their_own_figures(scenario: ReportScenario) -> None:
    lead = scenario.create_lead()
    scenario.call(lead=lead, agent=scenario.ann)
    scenario.call(lead=lead, agent=scenario.ben)

    assert attempts(scenario, actor=scenario.ann) == [1, 0, 0, 0, 0]
    assert attempts(scenario, actor=scenario.ben) == [0, 1, 0, 0, 0]
    assert attempts(scenario, actor=scenario.admin) == attempts(scenario) == [1, 1, 0, 0, 0]
    scenario.unite.reports.fold()
    scenario.ports.clock.advance(MAX_TTL)
    assert attempts(scenario, actor=scenario.ben) == [0, 1, 0, 0, 0]
