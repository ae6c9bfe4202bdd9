"""What the first, the second … call to a lead achieves."""

from typing import Any

from tests.core.reports.team import MONDAY, Team, a_period, values
from unite_core import Actor, CallOutcome
from unite_core.cache import MAX_TTL
from unite_core.reports.attempts import AttemptsReport
from unite_core.reports.model import CallItems


def report(team: Team, first: Any = MONDAY, actor: Actor | None = None) -> AttemptsReport:
    return team.unite.reports.attempts(actor or team.manager, a_period(first))


def attempts(team: Team, **rest: Any) -> list[int]:
    return [row.attempts.value for row in report(team, **rest).attempts]


def test_calls_are_counted_by_their_number_and_the_fifth_and_later_ones_together(team: Team) -> None:
    lead, other = team.lead(), team.lead()
    for outcome in (
        *[CallOutcome.NO_ANSWER] * 3,
        CallOutcome.CONNECTED,
        *[CallOutcome.BUSY] * 2,
        CallOutcome.CONVERTED,
    ):
        team.call(outcome, lead=lead)
    team.call(CallOutcome.CONVERTED, lead=other)

    rows = report(team).attempts

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


def test_calls_that_nobody_made_have_no_number(team: Team) -> None:
    lead = team.lead()
    team.cancel(team.create(lead, due_at=team.now))
    team.call(lead=lead)
    team.missed_call(lead=lead)
    team.call(lead=lead, at="2026-03-02T09:30")

    assert attempts(team) == [1, 1, 0, 0, 0]


def test_the_number_of_a_call_stays_what_it_was_when_it_was_written(team: Team) -> None:
    lead = team.lead()
    missed = team.missed_call(lead=lead)
    first = team.call(CallOutcome.BUSY, lead=lead)
    team.call(CallOutcome.BUSY, lead=lead, at="2026-03-02T08:00")

    team.correct(first, CallOutcome.CONVERTED)
    team.correct(missed, CallOutcome.CONNECTED, duration_seconds=5)

    assert [(row.attempts.value, row.conversions.value) for row in report(team).attempts[:3]] == [
        (1, 1),
        (1, 0),
        (1, 0),
    ]


def test_calls_of_before_the_period_are_counted_in_the_number_and_not_in_the_report(team: Team) -> None:
    lead = team.lead()
    team.call(lead=lead, at="2026-03-01T23:59")
    team.call(lead=lead)

    assert attempts(team) == [0, 1, 0, 0, 0]
    assert attempts(team, first="2026-03-01") == [1, 0, 0, 0, 0]


def test_agents_get_their_own_figures(team: Team) -> None:
    lead = team.lead()
    team.call(lead=lead, agent=team.ann)
    team.call(lead=lead, agent=team.ben)

    assert attempts(team, actor=team.ann) == [1, 0, 0, 0, 0]
    assert attempts(team, actor=team.ben) == [0, 1, 0, 0, 0]
    assert attempts(team, actor=team.admin) == attempts(team) == [1, 1, 0, 0, 0]
    team.unite.reports.fold()
    team.ports.clock.advance(MAX_TTL)
    assert attempts(team, actor=team.ben) == [0, 1, 0, 0, 0]
