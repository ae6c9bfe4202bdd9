"""The report of a day: in all, by agent, by outcome and by hour."""

from datetime import timedelta
from typing import Any

import pytest

from tests.core.reports.team import MONDAY, Team, a_period, nonzero, values
from unite_core import Actor, CallOutcome
from unite_core.calls.model import CallResult
from unite_core.reports.daily import DailyReport
from unite_core.reports.model import CallItems


def report(team: Team, day: Any = MONDAY, tz: str = "UTC", actor: Actor | None = None) -> DailyReport:
    return team.unite.reports.daily(actor or team.manager, a_period(day, tz=tz))


def busy_day(team: Team) -> None:
    """Ann makes three calls and misses one, Ben makes one and cancels one, one of nobody is missed."""
    team.call(CallOutcome.CONVERTED, seconds=600)
    team.call(CallOutcome.BUSY, seconds=0)
    team.call(CallOutcome.WRONG_NUMBER, seconds=60)
    team.call(CallOutcome.NOT_INTERESTED, seconds=100, agent=team.ben)
    team.cancelled_call(team.ben)
    without_agent = team.create(team.lead(assigned_to=None), due_at=team.now)
    team.missed_call()
    assert team.chain(without_agent)[0].agent_id is None


def test_a_day_is_counted_in_all(team: Team) -> None:
    busy_day(team)

    found = report(team)

    assert values(found.figures) == {
        "total_calls": 6,
        "completed": 4,
        "missed": 2,
        "contacts": 2,
        "conversions": 1,
        "completion_rate": (4, 6),
        "contact_rate": (2, 4),
        "average_duration_seconds": (760, 4),
    }


def test_cancelled_calls_are_in_no_total(team: Team) -> None:
    team.cancelled_call()

    found = report(team)

    assert found.cancelled.value == 1
    assert set(values(found.figures).values()) == {0, (0, 0)}
    assert found.by_agent == []
    assert nonzero(found.by_outcome) == {}


def test_agents_are_named_in_the_order_of_their_names_and_nobody_comes_last(team: Team) -> None:
    zoe, bea, cid = team.add_agent("zoe"), team.add_agent("Bea"), team.add_agent("cid")
    for agent in (zoe, cid, bea, team.ben, team.ann):
        team.call(agent=agent)
    team.create(team.lead(assigned_to=None), due_at=team.now)
    team.missed_call()

    rows = report(team).by_agent

    assert [team.name_of(row.agent) for row in rows] == ["ann", "Bea", "ben", "cid", "zoe", None]
    assert [row.figures.total_calls.value for row in rows] == [2, 1, 1, 1, 1, 1]
    assert rows[-1].agent.id is None
    items = rows[-1].figures.missed.items
    assert isinstance(items, CallItems)
    assert items.agent_id is None
    assert items.results == {CallResult.MISSED}


def test_each_agent_has_figures_of_their_own(team: Team) -> None:
    busy_day(team)

    ann, ben, nobody = report(team).by_agent

    assert (team.name_of(ann.agent), team.name_of(ben.agent), team.name_of(nobody.agent)) == ("ann", "ben", None)
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


def test_every_outcome_is_there_and_counts_the_calls_that_had_it(team: Team) -> None:
    busy_day(team)

    by_outcome = report(team).by_outcome

    assert [*by_outcome] == [CallResult(outcome.value) for outcome in CallOutcome]
    assert nonzero(by_outcome) == {"converted": 1, "busy": 1, "wrong_number": 1, "not_interested": 1}


def test_a_call_belongs_to_the_day_on_which_it_began(team: Team) -> None:
    team.call(at="2026-03-01T23:59:59")
    team.call(at="2026-03-02T00:00:00")

    assert [report(team, day).figures.completed.value for day in ("2026-02-28", "2026-03-01", "2026-03-02")] == [
        0,
        1,
        1,
    ]
    assert report(team, "2026-03-01", "Asia/Kathmandu").figures.completed.value == 0
    assert report(team, "2026-03-02", "Asia/Kathmandu").figures.completed.value == 2
    assert report(team, "2026-03-01", "America/New_York").figures.completed.value == 2


@pytest.mark.parametrize("close", [Team.missed_call, Team.cancelled_call])
def test_a_call_that_nobody_made_belongs_to_the_day_on_which_it_was_due(team: Team, close: Any) -> None:
    team.go_to("2026-03-02T23:59")

    close(team)

    found = report(team, "2026-03-02")
    assert found.figures.missed.value + found.cancelled.value == 1
    other = report(team, "2026-03-03")
    assert other.figures.missed.value + other.cancelled.value == 0


def test_agents_get_their_own_figures(team: Team) -> None:
    busy_day(team)

    found = report(team, actor=team.ben)

    assert [team.name_of(row.agent) for row in found.by_agent] == ["ben"]
    assert found.by_agent[0].figures.total_calls.value == found.figures.total_calls.value == 1
    assert found.cancelled.value == 1
    assert nonzero(found.by_outcome) == {"not_interested": 1}
    assert sum(hour.attempts.value for hour in found.by_hour) == 1


def test_admins_get_everybodys_figures(team: Team) -> None:
    busy_day(team)

    assert report(team, actor=team.admin) == report(team)


def test_every_hour_has_the_calls_that_began_in_it(team: Team) -> None:
    team.go_to("2026-03-03T00:00")
    team.call(CallOutcome.CONNECTED, at="2026-03-02T09:00")
    team.call(CallOutcome.VOICEMAIL, at="2026-03-02T09:59:59")
    team.call(CallOutcome.VOICEMAIL, at="2026-03-02T10:00")
    team.call(CallOutcome.VOICEMAIL, at="2026-03-02T23:59")

    hours = report(team).by_hour

    assert [hour.starts_at.hour for hour in hours] == [*range(24)]
    found = {hour.starts_at.hour: (hour.attempts.value, hour.contacts.value) for hour in hours if hour.attempts.value}
    assert found == {9: (2, 1), 10: (1, 0), 23: (1, 0)}


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
def test_a_day_has_the_hours_that_clocks_there_show(team: Team, day: str, tz: str, shown: list[int]) -> None:
    hours = report(team, day, tz).by_hour

    assert [hour.starts_at.hour for hour in hours] == shown
    assert len({hour.starts_at.isoformat() for hour in hours}) == len(hours)


def test_an_hour_that_comes_twice_is_two(team: Team) -> None:
    team.go_to("2026-11-02T00:00")
    team.call(at="2026-11-01T01:30-04:00")
    team.calls(2, at="2026-11-01T01:30-05:00")

    hours = [hour for hour in report(team, "2026-11-01", "America/New_York").by_hour if hour.attempts.value]

    assert [(hour.starts_at.isoformat(), hour.attempts.value) for hour in hours] == [
        ("2026-11-01T01:00:00-04:00", 1),
        ("2026-11-01T01:00:00-05:00", 2),
    ]


def test_the_hours_of_a_day_follow_each_other_without_a_gap(team: Team) -> None:
    hours = report(team, "2026-04-05", "Australia/Lord_Howe").by_hour

    items = [hour.attempts.items for hour in hours]
    ends = [each.end for each in items if isinstance(each, CallItems)]
    starts = [each.start for each in items if isinstance(each, CallItems)]
    assert starts[1:] == ends[:-1]
    assert ends[-1] - starts[0] == timedelta(hours=24.5)


def test_a_correction_counts_in_place_of_what_it_corrects(team: Team) -> None:
    task = team.call(CallOutcome.BUSY, at="2026-03-02T08:00", seconds=60)

    team.correct(task, CallOutcome.CONVERTED, duration_seconds=300)

    found = report(team)
    assert nonzero(found.by_outcome) == {"converted": 1}
    assert values(found.figures)["average_duration_seconds"] == (300, 1)


def test_a_call_that_was_made_after_all_is_missed_no_longer(team: Team) -> None:
    task = team.missed_call()

    team.correct(task, CallOutcome.CONNECTED, duration_seconds=60)

    assert values(report(team).figures)["completion_rate"] == (1, 1)
    assert report(team).figures.missed.value == 0


def test_the_summary_of_a_day_says_what_its_report_does(team: Team) -> None:
    busy_day(team)
    count_day = team.unite.upkeep.create_daily_summaries.figures

    for tz in ("UTC", "Asia/Tokyo"):
        figure = count_day(MONDAY, tz)
        figures = report(team, tz=tz).figures
        assert (figure.total_calls, figure.completed, figure.missed) == (
            figures.total_calls.value,
            figures.completed.value,
            figures.missed.value,
        )
        assert (figure.contacts, figure.conversions) == (figures.contacts.value, figures.conversions.value)
    assert count_day(MONDAY, "UTC").total_calls == 6
